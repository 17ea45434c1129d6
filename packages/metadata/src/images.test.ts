/** Images are immutable and share what did not change; deltas tell the outcome (P3, S23). */
import { InvariantError } from '@millrace/core';
import { expect, test } from 'vitest';
import { applyRecords } from './apply.ts';
import { deltaBetween } from './delta.ts';
import { emptyImage, partitionOf } from './image.ts';
import type { MetadataRecord } from './record.ts';
import { Scenario } from './testing/scenario.ts';

const CREATED: readonly MetadataRecord[] = [
  { kind: 'topicCreated', topicId: 'id-a', name: 'a' },
  {
    kind: 'partitionsCreated',
    topicId: 'id-a',
    first: 0,
    replicas: [[1], [1]],
    isr: [[1], [1]],
    leaders: [1, 1],
  },
];
const DELETED: MetadataRecord = { kind: 'topicDeleted', topicId: 'id-a' };
const CREATED_AGAIN: readonly MetadataRecord[] = [
  { kind: 'topicCreated', topicId: 'id-b', name: 'a' },
  { kind: 'partitionsCreated', topicId: 'id-b', first: 0, replicas: [[1]], isr: [[1]], leaders: [1] },
];

function changed(partition: number, partitionEpoch: number, leaderEpoch = 0): MetadataRecord {
  return { kind: 'partitionChanged', topicId: 'id-a', partition, leaderEpoch, partitionEpoch };
}

test('an image never changes once it is made', () => {
  const { image } = applyRecords(emptyImage, CREATED, 0);
  const after = applyRecords(image, [changed(0, 1), DELETED, ...CREATED_AGAIN], 1).image;
  expect(image.topicIds.get('a')).toBe('id-a');
  expect(image.topics.get('id-a')?.partitions[0]?.partitionEpoch).toBe(0);
  expect(after.topicIds.get('a')).toBe('id-b');
  expect([image.partitionCount, after.partitionCount]).toEqual([2, 1]);
  expect([image.offset, after.offset]).toEqual([1, 2]);
});

test('what did not change is shared', () => {
  const { image } = applyRecords(emptyImage, CREATED, 0);
  const after = applyRecords(image, [changed(0, 1)], 1).image;
  expect(after.brokers).toBe(image.brokers);
  expect(after.configs).toBe(image.configs);
  expect(partitionOf(after, 'id-a', 1)).toBe(partitionOf(image, 'id-a', 1));
});

test('several changes of a partition in one entry show once, as its last state', () => {
  const { image } = applyRecords(emptyImage, CREATED, 0);
  const { delta } = applyRecords(image, [changed(1, 1), changed(1, 2, 1)], 1);
  expect(delta.changedPartitions).toMatchObject([{ partition: 1, partitionEpoch: 2, leaderEpoch: 1 }]);
});

test('a topic deleted and created again shows as both, in one entry and across a jump', () => {
  const { image } = applyRecords(emptyImage, CREATED, 0);
  const step = applyRecords(image, [DELETED, ...CREATED_AGAIN], 1);
  for (const delta of [step.delta, deltaBetween(image, step.image)]) {
    expect(delta.deletedTopics.map((topic) => topic.id)).toEqual(['id-a']);
    expect(delta.createdTopics.map((topic) => topic.id)).toEqual(['id-b']);
    expect(delta.changedPartitions.map((partition) => partition.topicId)).toEqual(['id-b']);
  }
  expect([step.delta.isSnapshot, deltaBetween(image, step.image).isSnapshot]).toEqual([false, true]);
});

test('a topic created and deleted in one entry leaves no trace', () => {
  const { image, delta } = applyRecords(emptyImage, [...CREATED, DELETED], 0);
  expect(image).toEqual({ ...emptyImage, offset: 1 });
  expect(delta).toMatchObject({ createdTopics: [], deletedTopics: [], changedPartitions: [] });
});

test('a jump tells of brokers and settings too', () => {
  const cluster = new Scenario().start(1, 2);
  const before = cluster.image;
  cluster.fence(2);
  cluster.topic('t', [[1]], { 'retention.ms': '1' });
  const delta = deltaBetween(before, cluster.image);
  expect(delta.brokersChanged).toEqual([2]);
  expect(delta.changedConfigs).toEqual([{ kind: 'topic', name: 't' }]);
  expect(delta.changedPartitions).toHaveLength(1);
});

test.each<[string, MetadataRecord]>([
  ['a partition epoch that jumps', changed(0, 2)],
  ['a leader epoch that falls', changed(0, 1, -1)],
  ['a partition that is not there', changed(7, 1)],
  ['a topic id that is taken', CREATED[0]!],
  ['a topic name that is taken', CREATED_AGAIN[0]!],
  ['a topic that is not there', { kind: 'topicDeleted', topicId: 'nobody' }],
  [
    'a life of a broker that is not there',
    { kind: 'brokerChanged', brokerId: 1, brokerEpoch: 3, fenced: false },
  ],
])('a record with %s breaks an invariant: no node may go on from it', (_what, record) => {
  const { image } = applyRecords(emptyImage, CREATED, 0);
  expect(() => applyRecords(image, [record], 1)).toThrow(InvariantError);
});

test('10,000 changes in one entry are one pass', () => {
  const partitions = Array.from({ length: 10_000 }, (_, partition) => partition);
  const one = partitions.map(() => [1]);
  const created: MetadataRecord[] = [
    { kind: 'topicCreated', topicId: 'id-a', name: 'a' },
    {
      kind: 'partitionsCreated',
      topicId: 'id-a',
      first: 0,
      replicas: one,
      isr: one,
      leaders: partitions.map(() => 1),
    },
  ];
  const { image } = applyRecords(emptyImage, created, 0);
  const { delta } = applyRecords(
    image,
    partitions.map((partition) => changed(partition, 1)),
    1,
  );
  expect(delta.changedPartitions).toHaveLength(10_000);
});
