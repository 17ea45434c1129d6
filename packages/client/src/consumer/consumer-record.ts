/** What comes out of a consumer. */
import type { RecordHeader } from '@millrace/records';
import type { ConsumerConfig } from '../client-config.ts';
import type { Deserializer } from '../serializers.ts';

/** Every option but the deserializers is declared, with range and default, in `consumerConfig`. */
export interface ConsumerOptions<K = Buffer, V = Buffer> extends Partial<ConsumerConfig> {
  readonly keyDeserializer?: Deserializer<K>;
  readonly valueDeserializer?: Deserializer<V>;
}

/** A record as it was read. Keys and values share memory with the fetched batch. */
export interface ConsumerRecord<K = Buffer, V = Buffer> {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  /** @throws {MillraceError} SERIALIZATION_FAILED if its deserializer does. */
  readonly key: K | null;
  /** @throws {MillraceError} SERIALIZATION_FAILED if its deserializer does. */
  readonly value: V | null;
  readonly headers: readonly RecordHeader[];
  /** The last header of that name: bytes, null, or undefined if there is none. */
  header(name: string): Buffer | null | undefined;
}

/** Records of one partition, in order. */
export interface ConsumerBatch<K = Buffer, V = Buffer> extends Iterable<ConsumerRecord<K, V>> {
  readonly topic: string;
  readonly partition: number;
  readonly records: readonly ConsumerRecord<K, V>[];
  /** Of the first record. */
  readonly firstOffset: bigint;
  /** Where reading goes on after this batch. */
  readonly nextOffset: bigint;
  /** Where the partition ended for readers when this was fetched. */
  readonly highWatermark: bigint;
}

export interface OffsetAndTimestamp {
  readonly offset: bigint;
  readonly timestamp: number;
}

export interface PollOptions {
  /** Default: `maxPollRecords`. */
  readonly maxRecords?: number;
  /** How long to wait for the first record; then the answer is empty. Absent: as long as it takes. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface RequestOptions {
  /** Limit of the whole call, retries included. Default: the client's `requestTimeoutMs`. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}
