/** Idempotent producers of Kafka over a connection to a cluster: which sequences a partition takes from them. */
import { Millrace } from '@millrace/client';
import { ERRORS, type ErrorCode } from '@millrace/core';
import type { ResponseOf } from '@millrace/kafka-api';
import { buildBatch } from '@millrace/records';
import { type Cluster, startCluster } from '@millrace/server';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { KafkaPeer } from './kafka-peer.ts';

type Produced = ResponseOf<'produce'>['responses'][number]['partitionResponses'][number];

const appendedAt = (baseOffset: number) => expect.objectContaining({ errorCode: 0, baseOffset });
const refusedAs = (code: ErrorCode) => expect.objectContaining({ errorCode: ERRORS[code].wire });

let cluster: Cluster;
let millrace: Millrace;
let peer: KafkaPeer;
let topic: string;
let count = 0;
let identity: { readonly producerId: number; readonly producerEpoch: number };

beforeAll(async () => {
  cluster = await startCluster({ nodes: 1, firstKafkaPort: 0 });
  millrace = new Millrace({ bootstrap: cluster.bootstrap });
  const { host, port } = cluster.nodes[0]!.addresses.find(({ listener }) => listener === 'PLAINTEXT')!;
  peer = await KafkaPeer.to(`${host}:${port}`);
});

afterAll(async () => {
  peer.close();
  await millrace.close();
  await cluster.close();
});

beforeEach(async () => {
  topic = `topic-${++count}`;
  await createTopic();
  identity = await peer.ask('initProducerId', 4, { transactionalId: null, transactionTimeoutMs: 0 });
});

async function createTopic(): Promise<void> {
  await millrace.admin().createTopic({ name: topic, partitions: 1, replicationFactor: 1 });
  const topics = [{ name: topic, partitions: [{ partitionIndex: 0, timestamp: -1 }] }];
  const errorCode = async (): Promise<number> =>
    (await peer.ask('listOffsets', 7, { replicaId: -1, topics })).topics[0]!.partitions[0]!.errorCode;
  await expect.poll(errorCode).toBe(0);
}

async function produce(baseSequence: number, isDamaged = false, values = ['v']): Promise<Produced> {
  const { producerId, producerEpoch } = identity;
  const producer = { producerId, producerEpoch, baseSequence };
  const records = buildBatch(
    values.map((value) => ({ value: Buffer.from(value) })),
    { producer },
  );
  if (isDamaged) records[records.length - 1]! ^= 1;
  const partitionData = [{ index: 0, records }];
  const request = { acks: -1, timeoutMs: 5_000, topicData: [{ name: topic, partitionData }] };
  return (await peer.ask('produce', 9, request)).responses[0]!.partitionResponses[0]!;
}

test('goes on with its sequences in a topic that was deleted and created again', async () => {
  for (const sequence of [0, 1, 2]) expect(await produce(sequence)).toEqual(appendedAt(sequence));
  await millrace.admin().deleteTopics([topic]);
  await createTopic();
  expect(await produce(3)).toEqual(appendedAt(0));
  expect(await produce(3)).toEqual(appendedAt(0));
  expect(await produce(4)).toEqual(appendedAt(1));
  expect(await produce(6)).toEqual(refusedAs('OUT_OF_ORDER_SEQUENCE_NUMBER'));
  expect(await produce(0)).toEqual(refusedAs('OUT_OF_ORDER_SEQUENCE_NUMBER'));
});

test('overtakes no batch of its own that was refused, and goes on when that has come again', async () => {
  const [first, behind] = await Promise.all([produce(0, true), produce(1)]);
  expect(first).toEqual(refusedAs('CORRUPT_MESSAGE'));
  expect(behind).toEqual(refusedAs('OUT_OF_ORDER_SEQUENCE_NUMBER'));
  expect(await produce(0)).toEqual(appendedAt(0));
  expect(await produce(1)).toEqual(appendedAt(1));
});

test('has all in flight taken, in order, by a topic that was created again', async () => {
  for (const sequence of [0, 1, 2]) expect(await produce(sequence)).toEqual(appendedAt(sequence));
  await millrace.admin().deleteTopics([topic]);
  for (const answer of await Promise.all([3, 4, 5, 6, 7].map((sequence) => produce(sequence)))) {
    expect(answer.errorCode).not.toBe(0);
  }
  await createTopic();
  const again = await Promise.all([3, 4, 5, 6, 7].map((sequence) => produce(sequence)));
  expect(again).toEqual([0, 1, 2, 3, 4].map(appendedAt));
});

test('is never told that a batch is stored which is not: neither a longer one nor one too old to be remembered', async () => {
  const sequences = [0, 1, 2, 3, 4, 5, 6, 7];
  for (const sequence of sequences) expect(await produce(sequence)).toEqual(appendedAt(sequence));
  expect(await produce(7)).toEqual(appendedAt(7));
  expect(await produce(6, false, ['v', 'w'])).toEqual(refusedAs('OUT_OF_ORDER_SEQUENCE_NUMBER'));
  expect(await produce(1)).toEqual(refusedAs('OUT_OF_ORDER_SEQUENCE_NUMBER'));
  expect(await produce(8)).toEqual(appendedAt(8));
});
