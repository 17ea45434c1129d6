/** What a record is once it is out of its batch. Shapes only. */

export interface RecordHeader {
  readonly key: string;
  readonly value: Buffer | null;
}

export interface LogRecord {
  readonly offset: number;
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly RecordHeader[];
}

/** Most records have none; they share this. */
export const NO_HEADERS: readonly RecordHeader[] = Object.freeze([]);

/** Size, attributes, timestamp delta, offset delta, key length, value length and header count: a byte each. */
export const RECORD_BYTES_MIN = 7;
