/** kcat, and with it the librdkafka that Debian ships. */
import { setTimeout as pause } from 'node:timers/promises';
import { Millrace } from '@millrace/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ClusterProcesses } from '../cluster/cluster-processes.ts';
import { ChildRun } from './child-run.ts';
import { expectSoon } from './scenario.ts';
import { demand, kcat } from './toolchain.ts';

const TOPIC = 'kcat-records';
const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];
const KCAT_LIMIT_MS = 60_000;
const FLOW_TOPIC = 'kcat-flow';
const FLOW_BEFORE_KILL = 100;
const FLOW_AFTER_KILL = 300;

let cluster: ClusterProcesses;

beforeAll(async () => {
  cluster = await ClusterProcesses.start({ kafka: true });
});

afterAll(async () => {
  await cluster?.close();
});

test(
  'kcat lists, produces in every codec, consumes, seeks by time and joins a group',
  async ({ skip }) => {
    await demand('kcat', skip);
    const { command, env } = await kcat();
    const start = (args: readonly string[], input?: string): ChildRun =>
      new ChildRun(command, ['-b', cluster.kafkaBootstrap, ...args], input, env);
    const run = async (args: readonly string[], input?: string): Promise<string[]> => {
      await using child = start(args, input);
      return (await child.output()).trimEnd().split('\n');
    };
    await using millrace = new Millrace({ bootstrap: cluster.bootstrap });
    await millrace.admin().createTopic({ name: TOPIC, partitions: 1, replicationFactor: 3 });

    expect((await run(['-L', '-t', TOPIC])).join('\n')).toMatch(/ 3 brokers:.*partition 0, leader [123]/s);
    const before = Date.now();
    for (const codec of CODECS) {
      const options = ['-P', '-t', TOPIC, '-K', ':', '-z', codec, '-X', 'acks=all', '-H', `codec=${codec}`];
      await run(options, `${codec}:${codec} one\n${codec}:${codec} two\n`);
    }
    const expected = CODECS.flatMap((codec) =>
      ['one', 'two'].map((value) => `${codec} ${value}|codec=${codec}`),
    );
    const reading = ['-t', TOPIC, '-e', '-q', '-f', '%s|%h\n'];
    expect(await run(['-C', '-o', 'beginning', ...reading])).toEqual(expected);
    expect(await run(['-C', '-o', `s@${before - 60_000}`, ...reading])).toEqual(expected);
    expect(await run(['-Q', '-t', `${TOPIC}:0:${before - 60_000}`])).toEqual([`${TOPIC} [0] offset 0`]);

    await using member = start([
      '-q',
      '-u',
      '-X',
      'auto.offset.reset=earliest',
      '-f',
      '%s|%h\n',
      '-G',
      'kcat-group',
      TOPIC,
    ]);
    expect(await member.until((lines) => lines.length >= expected.length)).toEqual(expected);
  },
  KCAT_LIMIT_MS,
);

/** A number a line, a few every moment, until it is told to end. */
class Numbers {
  count = 0;
  isOver = false;

  async *lines(): AsyncGenerator<string> {
    while (!this.isOver) {
      yield `${this.count++}\n`;
      await pause(5);
    }
  }
}

test(
  'kcat loses nothing when the leader is killed while it produces',
  async ({ skip }) => {
    await demand('kcat', skip);
    const { command, env } = await kcat();
    await using millrace = new Millrace({ bootstrap: cluster.bootstrap });
    const admin = millrace.admin();
    await admin.createTopic({ name: FLOW_TOPIC, partitions: 1, replicationFactor: 3 });
    const end = async (): Promise<number> => {
      const [told] = await admin.listOffsets([{ topic: FLOW_TOPIC, partition: 0, at: 'latest' }]);
      return Number(told!.offset);
    };
    const numbers = new Numbers();
    const options = ['-P', '-t', FLOW_TOPIC, '-p', '0', '-X', 'acks=all', '-X', 'linger.ms=5'];
    await using producer = new ChildRun(
      command,
      ['-b', cluster.kafkaBootstrap, ...options],
      numbers.lines(),
      env,
    );
    await expectSoon(end, (offset) => offset >= FLOW_BEFORE_KILL);
    const [described] = await admin.describeTopics([FLOW_TOPIC]);
    const victim = cluster.node(described!.partitions[0]!.leader);
    await victim.end('SIGKILL');
    await expectSoon(end, (offset) => offset >= FLOW_AFTER_KILL);
    numbers.isOver = true;
    // It ends well once everything is acknowledged, and says so of each line that was not.
    await producer.output();
    expect(producer.complaints).not.toMatch(/deliver/i);
    await victim.start();
    await using reader = new ChildRun(
      command,
      ['-b', cluster.kafkaBootstrap, '-C', '-t', FLOW_TOPIC, '-o', 'beginning', '-e', '-q'],
      '',
      env,
    );
    const read = new Set((await reader.output()).trimEnd().split('\n'));
    expect(read).toEqual(new Set(Array.from({ length: numbers.count }, (_, number) => String(number))));
  },
  2 * KCAT_LIMIT_MS,
);
