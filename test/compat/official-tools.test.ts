/** Apache Kafka's official tools, unchanged, in the versions that people have installed. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Millrace } from '@millrace/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ClusterProcesses } from '../cluster/cluster-processes.ts';
import { ChildRun } from './child-run.ts';
import { JAVA_FLAGS, TOOL_PLACES } from './clients.ts';
import { demand } from './toolchain.ts';

const LINES = ['one:first', 'two:second', 'three:third', 'four:fourth', 'five:fifth'];
const RECORDS = 500;
const TOOLS_LIMIT_MS = 240_000;

/** Where a tool's main class is; from Kafka 4 on the console producer has moved. */
const CLASSES = {
  'kafka-topics': 'org.apache.kafka.tools.TopicCommand',
  'kafka-configs': 'kafka.admin.ConfigCommand',
  'kafka-console-consumer': 'org.apache.kafka.tools.consumer.ConsoleConsumer',
  'kafka-consumer-groups': 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand',
  'kafka-get-offsets': 'org.apache.kafka.tools.GetOffsetShell',
  'kafka-log-dirs': 'org.apache.kafka.tools.LogDirsCommand',
  'kafka-metadata-quorum': 'org.apache.kafka.tools.MetadataQuorumCommand',
  'kafka-delete-records': 'org.apache.kafka.tools.DeleteRecordsCommand',
  'kafka-leader-election': 'org.apache.kafka.tools.LeaderElectionCommand',
  'kafka-producer-perf-test': 'org.apache.kafka.tools.ProducerPerformance',
  'kafka-verifiable-producer': 'org.apache.kafka.tools.VerifiableProducer',
  'kafka-verifiable-consumer': 'org.apache.kafka.tools.VerifiableConsumer',
} as const;
const CONSOLE_PRODUCERS = {
  'kafka-3': 'kafka.tools.ConsoleProducer',
  'kafka-tools-4': 'org.apache.kafka.tools.ConsoleProducer',
} as const;

type Tool = keyof typeof CLASSES | 'kafka-console-producer';

let cluster: ClusterProcesses;
let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-tools-'));
  cluster = await ClusterProcesses.start({ kafka: true });
});

afterAll(async () => {
  await cluster?.close();
  await rm(folder, { recursive: true, force: true });
});

for (const version of Object.keys(TOOL_PLACES) as (keyof typeof TOOL_PLACES)[]) {
  const topic = `${version}-tools`;
  const group = `${version}-lesson`;
  let classPath = '';

  /** A tool with its address. */
  const start = (tool: Tool, args: readonly string[], input?: string): ChildRun => {
    const main = tool === 'kafka-console-producer' ? CONSOLE_PRODUCERS[version] : CLASSES[tool];
    const address = ['--bootstrap-server', cluster.kafkaBootstrap];
    return new ChildRun('java', [...JAVA_FLAGS, '-cp', classPath, main, ...address, ...args], input);
  };
  const run = async (tool: Tool, ...args: string[]): Promise<string> => {
    await using child = start(tool, args);
    return await child.output();
  };

  describe(`the tools of ${version}`, { timeout: TOOLS_LIMIT_MS }, () => {
    test('topics are created, listed, described', async ({ skip }) => {
      await demand('java', skip);
      classPath = await TOOL_PLACES[version]();
      const shape = ['--partitions', '3', '--replication-factor', '3'];
      expect(await run('kafka-topics', '--create', '--topic', topic, ...shape)).toContain('Created topic');
      expect((await run('kafka-topics', '--list')).split('\n')).toContain(topic);
      const described = await run('kafka-topics', '--describe', '--topic', topic);
      expect(described).toMatch(/PartitionCount: 3\s+ReplicationFactor: 3/);
      expect(described.match(/Partition: \d\s+Leader: [123]\s/g)).toHaveLength(3);
    });

    test('what the console producer is given the console consumer prints, and its group is described', async () => {
      const keyed = ['--property', 'parse.key=true', '--property', 'key.separator=:'];
      await using producer = start(
        'kafka-console-producer',
        ['--topic', topic, ...keyed],
        `${LINES.join('\n')}\n`,
      );
      await producer.output();
      const printing = ['--property', 'print.key=true', '--property', 'key.separator=:'];
      await using consumer = start('kafka-console-consumer', [
        '--topic',
        topic,
        '--group',
        group,
        '--from-beginning',
        ...printing,
      ]);
      const printed = await consumer.until((lines) => lines.length >= LINES.length);
      expect([...printed].sort()).toEqual([...LINES].sort());

      expect((await run('kafka-consumer-groups', '--list')).split('\n')).toContain(group);
      const isCommitted = (table: string): boolean =>
        rowsOf(table, group).reduce((sum, row) => sum + Number(row['CURRENT-OFFSET']), 0) === LINES.length;
      let table = await run('kafka-consumer-groups', '--describe', '--group', group);
      while (!isCommitted(table)) {
        table = await run('kafka-consumer-groups', '--describe', '--group', group);
      }
      const rows = rowsOf(table, group);
      expect(rows.map((row) => [row.TOPIC, row.PARTITION]).sort()).toEqual(
        ['0', '1', '2'].map((partition) => [topic, partition]),
      );
      for (const row of rows) {
        expect(row['LOG-END-OFFSET']).toBe(row['CURRENT-OFFSET']);
        expect(row.LAG).toBe('0');
        expect(row['CONSUMER-ID']).toMatch(/^console-consumer-/);
      }
    });

    test('a group that nobody has made is said not to exist', async () => {
      const missing = `${group}-never`;
      const described = await run('kafka-consumer-groups', '--describe', '--group', missing);
      expect(described).toMatch(new RegExp(`group '?${missing}'? does not exist`));
    });

    test('offsets, directories and the quorum are told', async () => {
      const offsets = (await run('kafka-get-offsets', '--topic', topic)).trimEnd().split('\n');
      expect(offsets.map((line) => line.split(':')[0])).toEqual([topic, topic, topic]);
      expect(offsets.reduce((sum, line) => sum + Number(line.split(':')[2]), 0)).toBe(LINES.length);
      const told = await run('kafka-log-dirs', '--describe', '--topic-list', topic);
      const { brokers } = JSON.parse(told.split('\n').find((line) => line.startsWith('{'))!) as LogDirs;
      expect(brokers).toHaveLength(3);
      for (const { logDirs } of brokers) {
        const names = logDirs.flatMap(({ partitions }) => partitions.map(({ partition }) => partition));
        expect(names.sort()).toEqual([`${topic}-0`, `${topic}-1`, `${topic}-2`]);
      }
      expect(await run('kafka-metadata-quorum', 'describe', '--status')).toMatch(/LeaderId:\s+[123]\s/);
    });

    test('settings are altered, records deleted, leaders elected', async () => {
      const entity = ['--entity-type', 'topics', '--entity-name', topic];
      await run('kafka-configs', '--alter', ...entity, '--add-config', 'retention.ms=3600000');
      expect(await run('kafka-configs', '--describe', ...entity)).toContain('retention.ms=3600000');
      const file = join(folder, `${version}.json`);
      const partitions = [{ topic, partition: 0, offset: -1 }];
      await writeFile(file, JSON.stringify({ partitions, version: 1 }));
      expect(await run('kafka-delete-records', '--offset-json-file', file)).toContain(
        `partition: ${topic}-0\tlow_watermark:`,
      );
      const elected = await run(
        'kafka-leader-election',
        ...['--election-type', 'preferred', '--topic', topic, '--partition', '0'],
      );
      expect(elected).toMatch(/Successfully completed|Valid replica already elected/);
    });

    test('records are produced for measure and for proof, and topics deleted', async () => {
      await using millrace = new Millrace({ bootstrap: cluster.bootstrap });
      const measured = `${topic}-measured`;
      await millrace.admin().createTopic({ name: measured, partitions: 1, replicationFactor: 3 });
      const load = ['--num-records', String(RECORDS), '--record-size', '100', '--throughput', '-1'];
      const properties = ['--producer-props', `bootstrap.servers=${cluster.kafkaBootstrap}`, 'acks=all'];
      await using perf = new ChildRun('java', [
        ...JAVA_FLAGS,
        ...['-cp', classPath, CLASSES['kafka-producer-perf-test']],
        ...['--topic', measured, ...load, ...properties],
      ]);
      expect(await perf.output()).toContain(`${RECORDS} records sent`);
      const many = ['--topic', measured, '--max-messages', String(RECORDS)];
      const produced = await run('kafka-verifiable-producer', ...many, '--acks', '-1');
      expect(produced.match(/"name":"producer_send_success"/g)).toHaveLength(RECORDS);
      const proof = await run('kafka-verifiable-consumer', ...many, '--group-id', `${version}-proof`);
      const counts = [...proof.matchAll(/"name":"records_consumed".*?"count":(\d+)/g)];
      expect(counts.reduce((sum, [, count]) => sum + Number(count), 0)).toBe(RECORDS);
      await run('kafka-topics', '--delete', '--topic', topic);
      expect((await run('kafka-topics', '--list')).split('\n')).not.toContain(topic);
    });
  });
}

interface LogDirs {
  readonly brokers: readonly {
    readonly logDirs: readonly { readonly partitions: readonly { readonly partition: string }[] }[];
  }[];
}

/** The rows of a printed table that are about a group, by its headings. */
function rowsOf(table: string, group: string): Record<string, string>[] {
  const lines = table.split('\n').map((line) => line.trim().split(/\s+/));
  const headings = lines.find(([first]) => first === 'GROUP') ?? [];
  return lines
    .filter(([first]) => first === group)
    .map((cells) => Object.fromEntries(headings.map((heading, index) => [heading, cells[index] ?? ''])));
}
