/** kcat, and with it the librdkafka that Debian ships. */
import { Millrace } from '@millrace/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ClusterProcesses } from '../cluster/cluster-processes.ts';
import { ChildRun } from './child-run.ts';
import { demand, kcat } from './toolchain.ts';

const TOPIC = 'kcat-records';
const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];
const KCAT_LIMIT_MS = 60_000;

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
