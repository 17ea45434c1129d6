/** A consumer's record: a thin view on a decoded one. Offsets become bigint and values are deserialized when asked for. */
import type { LogRecord, RecordHeader } from '@millrace/records';
import { type Deserializer, deserializeWith } from '../serializers.ts';
import type { ConsumerBatch, ConsumerRecord } from './consumer-record.ts';

/** What the records of one partition share. */
export interface RecordSource<K, V> {
  readonly topic: string;
  readonly partition: number;
  /** Undefined: buffers as they are. */
  readonly keyDeserializer: Deserializer<K> | undefined;
  readonly valueDeserializer: Deserializer<V> | undefined;
}

export class FetchedRecord<K, V> implements ConsumerRecord<K, V> {
  readonly #source: RecordSource<K, V>;
  readonly #log: LogRecord;
  #key: K | undefined;
  #value: V | undefined;

  constructor(source: RecordSource<K, V>, log: LogRecord) {
    this.#source = source;
    this.#log = log;
  }

  get topic(): string {
    return this.#source.topic;
  }

  get partition(): number {
    return this.#source.partition;
  }

  get offset(): bigint {
    return BigInt(this.#log.offset);
  }

  /** The offset as a plain number, for this package: bigints are dear. */
  get logOffset(): number {
    return this.#log.offset;
  }

  get timestamp(): number {
    return this.#log.timestamp;
  }

  get headers(): readonly RecordHeader[] {
    return this.#log.headers;
  }

  get key(): K | null {
    const { key } = this.#log;
    if (key === null) return null;
    const { keyDeserializer } = this.#source;
    if (keyDeserializer === undefined) return key as K;
    this.#key ??= deserializeWith(keyDeserializer, key, `key of ${this.#name()}`);
    return this.#key;
  }

  get value(): V | null {
    const { value } = this.#log;
    if (value === null) return null;
    const { valueDeserializer } = this.#source;
    if (valueDeserializer === undefined) return value as V;
    this.#value ??= deserializeWith(valueDeserializer, value, `value of ${this.#name()}`);
    return this.#value;
  }

  header(name: string): Buffer | null | undefined {
    return this.#log.headers.findLast(({ key }) => key === name)?.value;
  }

  #name(): string {
    return `${this.topic}-${this.partition} offset ${this.#log.offset}`;
  }
}

export interface FetchedBatchParts<K, V> {
  readonly source: RecordSource<K, V>;
  readonly records: readonly FetchedRecord<K, V>[];
  readonly nextOffset: number;
  readonly highWatermark: number;
}

export class FetchedBatch<K, V> implements ConsumerBatch<K, V> {
  readonly topic: string;
  readonly partition: number;
  readonly records: readonly FetchedRecord<K, V>[];
  readonly nextOffset: bigint;
  readonly highWatermark: bigint;

  constructor({ source, records, nextOffset, highWatermark }: FetchedBatchParts<K, V>) {
    this.topic = source.topic;
    this.partition = source.partition;
    this.records = records;
    this.nextOffset = BigInt(nextOffset);
    this.highWatermark = BigInt(highWatermark);
  }

  get firstOffset(): bigint {
    return this.records[0]!.offset;
  }

  [Symbol.iterator](): Iterator<FetchedRecord<K, V>> {
    return this.records[Symbol.iterator]();
  }
}
