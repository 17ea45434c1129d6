/**
 * The programs that people learn Kafka with, as they stand: without arguments, with `localhost:9092` in their text. The
 * cluster has those ports for as long as they run; where somebody else has them, that is a named skip outside CI.
 */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Millrace, murmur2 } from '@millrace/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ClusterProcesses, listens } from '../cluster/cluster-processes.ts';
import { ChildRun } from './child-run.ts';
import { JAVA_FLAGS, JAVA_PLACES, PYTHON_PLACES } from './clients.ts';
import { compiled, demand, isContinuousIntegration } from './toolchain.ts';

const here = join(dirname(fileURLToPath(import.meta.url)), 'lessons');
const READINGS = 300;
const STOP_AFTER = 249;
const ORDERS = 100;
const PARTITIONS = 3;
const TOPIC = 'orders';

const PORTS = [9092, 9093, 9094];

let cluster: ClusterProcesses | undefined;
let taken: number[] = [];

beforeAll(async () => {
  const areTaken = await Promise.all(PORTS.map(listens));
  taken = PORTS.filter((_, index) => areTaken[index]);
  if (taken.length > 0) return;
  cluster = await ClusterProcesses.start({
    kafkaAddresses: PORTS.map((port) => `localhost:${port}`),
    properties: { 'num.partitions': '1' },
  });
});

afterAll(async () => {
  await cluster?.close();
});

function clusterOr(skip: (reason: string) => never): ClusterProcesses {
  if (cluster !== undefined) return cluster;
  const reason = `somebody else listens at port ${taken.join(', ')}`;
  if (isContinuousIntegration) throw new Error(reason);
  return skip(reason);
}

test('the first programs in Python run', async (context) => {
  const { nodes } = clusterOr(context.skip);
  await demand('python3', context.skip);
  const python = await PYTHON_PLACES['kafka-python-2']();
  const run = (program: string): ChildRun => new ChildRun(python, ['-B', '-u', join(here, program)]);

  await Promise.all(nodes.map((node) => node.end('SIGTERM')));
  await using producer = run('first_producer.py');
  await producer.until((lines) => lines.includes('no broker yet, trying again'));
  await Promise.all(nodes.map((node) => node.start()));
  expect(await producer.output()).toContain(`sent ${READINGS}\n`);

  await using consumer = run('first_consumer.py');
  const numbers = await consumer.until((lines) => lines.length >= READINGS);
  expect(numbers).toEqual(Array.from({ length: READINGS }, (_, number) => String(number)));

  await using careful = run('careful_consumer.py');
  const first = (await careful.output()).trimEnd().split('\n');
  expect([first[0], first.length, first.at(-1)]).toEqual(['starts at 0', STOP_AFTER + 2, String(STOP_AFTER)]);
  await using again = run('careful_consumer.py');
  const rest = await again.until((lines) => lines.at(-1) === String(READINGS - 1));
  expect(rest.slice(0, 2)).toEqual([`starts at ${STOP_AFTER + 1}`, String(STOP_AFTER + 1)]);
});

for (const [name, place] of Object.entries(JAVA_PLACES)) {
  test(`the first programs in Java run with ${name}`, async (context) => {
    const { bootstrap } = clusterOr(context.skip);
    await demand('java', context.skip);
    const classPath = await place();
    await using millrace = new Millrace({ bootstrap });
    const admin = millrace.admin();
    await admin.createTopic({ name: TOPIC, partitions: PARTITIONS, replicationFactor: 3 });
    const run = async (lesson: string): Promise<string[]> => {
      const program = await compiled(classPath, `${name}-${lesson}`, join(here, `${lesson}.java`));
      await using child = new ChildRun('java', [...JAVA_FLAGS, '-cp', program, lesson]);
      return (await child.output()).trimEnd().split('\n');
    };

    const sent = await run('ProducerLesson');
    expect(sent.at(-1)).toBe('done');
    const told = sent.slice(0, -1).map((line) => line.split(' '));
    expect(told).toHaveLength(ORDERS);
    for (const [, order, partition] of told) {
      const hash = murmur2(Buffer.from(`customer-${Number(order) % 10}`)) & 0x7fffffff;
      expect(Number(partition), `of order ${order}`).toBe(hash % PARTITIONS);
    }
    expect(await run('ConsumerLesson')).toEqual([
      `group ${ORDERS} true`,
      'beginning 0',
      'offset 5',
      'hour 0',
      'sync true',
      'async true',
      'done',
    ]);
    // The next version of the library begins anew, and so do its groups: their offsets go with the topic.
    await admin.deleteTopic(TOPIC);
  });
}
