/** What goes into a producer and what comes out of it. Shapes only. */
import type { CompressionCodec } from '@millrace/records';
import type { ProducerConfig } from '../client-config.ts';
import type { BytesLike, Serializer } from '../serializers.ts';
import type { Partitioner, PartitionRule } from './partitioner.ts';

/** Header values are bytes or text, which is written as UTF-8. A list keeps order and repeated names. */
export type HeadersInput =
  | Readonly<Record<string, BytesLike | null>>
  | readonly { readonly key: string; readonly value: BytesLike | null }[];

export interface ProducerRecord<K = BytesLike, V = BytesLike> {
  readonly topic: string;
  /** Records with the same key go to the same partition, in order. */
  readonly key?: K | null;
  /** null is a tombstone: compaction removes the key. */
  readonly value?: V | null;
  readonly headers?: HeadersInput;
  /** Overrides the partitioner. */
  readonly partition?: number;
  /** Milliseconds since the epoch; now if absent. */
  readonly timestamp?: number;
}

/** Where a record was written. */
export interface RecordMetadata {
  readonly topic: string;
  readonly partition: number;
  /** -1n if unknown: with acks 0, or for a retry whose first answer was lost too long ago. */
  readonly offset: bigint;
  /** The record's, or the broker's if the topic stamps records on append. Milliseconds since the epoch. */
  readonly timestamp: number;
}

/** Every option but the functions is declared, with range and default, in `producerConfig`. */
export interface ProducerOptions<K = BytesLike, V = BytesLike> extends Partial<Omit<ProducerConfig, 'acks'>> {
  readonly acks?: 'all' | 0 | 1;
  readonly compression?: CompressionCodec;
  /** Used for records without `partition`; a function of the record, or one of the ready ones. Default: `defaultPartitioner()`. */
  readonly partitioner?: Partitioner | PartitionRule;
  readonly keySerializer?: Serializer<K>;
  readonly valueSerializer?: Serializer<V>;
}

export interface SendOptions {
  /** Gives the result up; a record that is already in a batch may still be written. */
  readonly signal?: AbortSignal;
}

export interface CloseOptions {
  /** How long to wait for what is under way; the rest is given up. Default 30,000. */
  readonly timeoutMs?: number;
}
