/**
 * An image as bytes, for Raft snapshots and for brokers that are too far behind. The form is a compact JSON
 * document; two images with the same content in the same order give the same bytes.
 */
import { MillraceError, type NodeId, type TopicId } from '@millrace/core';
import type { BrokerImage, ConfigOverrides, MetadataImage, PartitionImage, TopicImage } from './image.ts';
import { checkVersion, parseObject } from './record-codec.ts';

const SNAPSHOT_VERSION = 1;

/** Columns instead of names: a cluster has few topics and very many partitions. */
type PartitionRow = readonly [
  replicas: readonly NodeId[],
  isr: readonly NodeId[],
  elr: readonly NodeId[],
  lastKnownElr: readonly NodeId[],
  offline: readonly NodeId[],
  leader: number,
  leaderEpoch: number,
  partitionEpoch: number,
  recovering: 0 | 1,
];

interface SnapshotDocument {
  readonly version: number;
  readonly brokers: readonly BrokerImage[];
  readonly topics: readonly { id: TopicId; name: string; partitions: readonly PartitionRow[] }[];
  readonly configs: readonly (readonly [string, readonly (readonly [string, string])[]])[];
  readonly pageCacheUntil: readonly (readonly [string, number])[];
  readonly nextProducerId: number;
}

export function encodeSnapshot(image: MetadataImage): Buffer {
  const document: SnapshotDocument = {
    version: SNAPSHOT_VERSION,
    brokers: [...image.brokers.values()],
    topics: [...image.topics.values()].map(({ id, name, partitions }) => ({
      id,
      name,
      partitions: partitions.map(rowOf),
    })),
    configs: [...image.configs].map(([key, overrides]) => [key, [...overrides]]),
    pageCacheUntil: [...image.pageCacheUntil],
    nextProducerId: image.nextProducerId,
  };
  return Buffer.from(JSON.stringify(document));
}

/**
 * @param offset the first offset that the snapshot does not cover: `image.offset` of the result.
 * @throws {MillraceError} UNSUPPORTED_VERSION or CORRUPT_MESSAGE.
 */
export function decodeSnapshot(data: Buffer, offset: number): MetadataImage {
  const value = parseObject(data, 'metadata snapshot');
  checkVersion(value.version, SNAPSHOT_VERSION, 'metadata snapshot');
  const document = value as unknown as SnapshotDocument;
  if (
    !Array.isArray(document.brokers) ||
    !Array.isArray(document.topics) ||
    !Array.isArray(document.configs)
  ) {
    throw new MillraceError('CORRUPT_MESSAGE', 'metadata snapshot lacks brokers, topics or configs');
  }
  const topics = document.topics.map(
    ({ id, name, partitions }): TopicImage => ({
      id,
      name,
      partitions: partitions.map((row: PartitionRow, partition: number) =>
        partitionOfRow(id, partition, row),
      ),
    }),
  );
  return {
    offset,
    brokers: new Map(document.brokers.map((broker: BrokerImage) => [broker.id, broker])),
    topics: new Map(topics.map((topic) => [topic.id, topic])),
    topicIds: new Map(topics.map((topic) => [topic.name, topic.id])),
    configs: new Map<string, ConfigOverrides>(
      document.configs.map(([key, overrides]): [string, ConfigOverrides] => [key, new Map(overrides)]),
    ),
    pageCacheUntil: new Map(document.pageCacheUntil),
    nextProducerId: document.nextProducerId,
    partitionCount: topics.reduce((sum, topic) => sum + topic.partitions.length, 0),
  };
}

function rowOf(partition: PartitionImage): PartitionRow {
  const { replicas, isr, elr, lastKnownElr, offline, leader, leaderEpoch, partitionEpoch } = partition;
  const recovering = partition.recovering ? 1 : 0;
  return [replicas, isr, elr, lastKnownElr, offline, leader, leaderEpoch, partitionEpoch, recovering];
}

function partitionOfRow(topicId: TopicId, partition: number, row: PartitionRow): PartitionImage {
  const [replicas, isr, elr, lastKnownElr, offline, leader, leaderEpoch, partitionEpoch, recovering] = row;
  const state = { replicas, isr, elr, lastKnownElr, offline, leader, leaderEpoch, partitionEpoch };
  return { topicId, partition, ...state, recovering: recovering === 1 };
}
