/**
 * What members of type `consumer` say inside the opaque bytes of the classic protocol: subscriptions and assignments.
 * Read only to show and to protect, never to decide who gets what: bytes of other makes are shown as nothing.
 * Source: `ConsumerProtocolSubscription.json` and `ConsumerProtocolAssignment.json`, versions 0 to 3.
 */
import { MillraceError, type TopicPartition } from '@millrace/core';
import { RecordReader, RecordWriter } from './record-bytes.ts';

export const CONSUMER_PROTOCOL_TYPE = 'consumer';

export interface NamedPartitions {
  readonly topic: string;
  readonly partitions: readonly number[];
}

export interface ConsumerProtocolSubscription {
  readonly topics: readonly string[];
  /** What a cooperative member still holds; empty before version 1. */
  readonly ownedPartitions: readonly NamedPartitions[];
  /** -1 before version 2. */
  readonly generationId: number;
  readonly rackId: string | undefined;
}

/** Undefined where the bytes are not of this protocol. */
export function decodeSubscriptionOf(bytes: Buffer): ConsumerProtocolSubscription | undefined {
  return tryRead(bytes, (reader, version) => {
    const topics = reader.array(() => reader.string());
    reader.nullableBytes();
    return {
      topics,
      ownedPartitions: version >= 1 ? readPartitions(reader) : [],
      generationId: version >= 2 ? reader.int32() : -1,
      rackId: version >= 3 ? reader.nullableString() : undefined,
    };
  });
}

/** Undefined where the bytes are not of this protocol; empty bytes are an empty assignment. */
export function decodeAssignmentOf(bytes: Buffer): readonly NamedPartitions[] | undefined {
  return bytes.length === 0 ? [] : tryRead(bytes, readPartitions);
}

/** Version 1, which every consumer since 2.4 reads. */
export function encodeSubscriptionOf(
  topics: readonly string[],
  owned: readonly NamedPartitions[] = [],
): Buffer {
  const writer = new RecordWriter().int16(1);
  writer.array(topics, (topic) => writer.string(topic)).int32(-1);
  return writePartitions(writer, owned).finish();
}

export function encodeAssignmentOf(partitions: readonly NamedPartitions[]): Buffer {
  return writePartitions(new RecordWriter().int16(1), partitions).int32(-1).finish();
}

/** Every single partition of a list. */
export function eachPartition(list: readonly NamedPartitions[]): TopicPartition[] {
  return list.flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })));
}

function tryRead<T>(bytes: Buffer, read: (reader: RecordReader, version: number) => T): T | undefined {
  try {
    const reader = new RecordReader(bytes);
    const version = reader.int16();
    return version < 0 ? undefined : read(reader, version);
  } catch (error) {
    // A member may put whatever it likes here; the group works without our understanding it.
    if (error instanceof MillraceError && error.code === 'CORRUPT_MESSAGE') return undefined;
    throw error;
  }
}

function readPartitions(reader: RecordReader): NamedPartitions[] {
  return reader.array(() => ({ topic: reader.string(), partitions: reader.array(() => reader.int32()) }));
}

function writePartitions(writer: RecordWriter, list: readonly NamedPartitions[]): RecordWriter {
  return writer.array(list, ({ topic, partitions }) =>
    writer.string(topic).array(partitions, (partition) => writer.int32(partition)),
  );
}
