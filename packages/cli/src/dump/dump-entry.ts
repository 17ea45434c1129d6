/**
 * What the files of a partition folder hold, entry by entry, and how Kafka's DumpLogSegments words it. Shapes and texts
 * only. 64-bit values that a damaged file may fill with anything are bigint.
 */
import type { LogRecord } from '@millrace/records';
import { bytesValue } from '../plain-value.ts';

export interface BatchEntry {
  readonly kind: 'batch';
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly count: number;
  readonly baseSequence: number;
  readonly lastSequence: number;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly partitionLeaderEpoch: number;
  readonly isTransactional: boolean;
  readonly isControl: boolean;
  readonly position: number;
  readonly timestampType: 'create' | 'append';
  readonly maxTimestamp: number;
  readonly sizeBytes: number;
  readonly codec: string;
  readonly crc: number;
  readonly isValid: boolean;
  /** Only if asked for. */
  readonly records?: readonly LogRecord[];
}

export type DumpEntry =
  | BatchEntry
  | { readonly kind: 'offsetIndex'; readonly offset: bigint; readonly position: number }
  | { readonly kind: 'timeIndex'; readonly timestamp: bigint; readonly offset: bigint }
  | {
      readonly kind: 'producer';
      readonly producerId: bigint;
      readonly producerEpoch: number;
      readonly coordinatorEpoch: number;
      readonly currentTxnFirstOffset: bigint;
      readonly lastTimestamp: bigint;
      readonly lastSequence: number;
      readonly lastOffset: bigint;
      readonly offsetDelta: number;
    }
  /** A line of a checkpoint or of `partition.metadata`. */
  | { readonly kind: 'line'; readonly text: string }
  /** What cannot be right, and from which byte on. */
  | { readonly kind: 'damage'; readonly position: number; readonly problem: string };

/** One line, or one a record below its batch; as Kafka prints it where Kafka has it. */
export function entryText(entry: DumpEntry): string {
  switch (entry.kind) {
    case 'batch':
      return batchText(entry);
    case 'offsetIndex':
      return `offset: ${entry.offset} position: ${entry.position}\n`;
    case 'timeIndex':
      return `timestamp: ${entry.timestamp} offset: ${entry.offset}\n`;
    case 'producer': {
      const { kind: _kind, ...fields } = entry;
      return `${Object.entries(fields)
        .map(([name, value]) => `${name}: ${value}`)
        .join(' ')}\n`;
    }
    case 'line':
      return `${entry.text}\n`;
    case 'damage':
      return `DAMAGED at position ${entry.position}: ${entry.problem}\n`;
  }
}

/** For `-o json`: int64 as strings, keys and values as in `consume -o json`. */
export function entryValue(file: string, entry: DumpEntry): object {
  if (entry.kind !== 'batch') return { file, ...entry };
  const { records, ...header } = entry;
  return {
    file,
    ...header,
    baseOffset: String(entry.baseOffset),
    lastOffset: String(entry.lastOffset),
    producerId: String(entry.producerId),
    maxTimestamp: String(entry.maxTimestamp),
    ...(records === undefined ? {} : { records: records.map(recordValue) }),
  };
}

function recordValue({ offset, timestamp, key, value, headers }: LogRecord): object {
  return {
    offset: String(offset),
    timestamp: String(timestamp),
    key: bytesValue(key),
    value: bytesValue(value),
    headers: headers.map((header) => ({ key: header.key, value: bytesValue(header.value) })),
  };
}

function batchText(entry: BatchEntry): string {
  const time = entry.timestampType === 'create' ? 'CreateTime' : 'LogAppendTime';
  const header = `baseOffset: ${entry.baseOffset} lastOffset: ${entry.lastOffset} count: ${entry.count} baseSequence: ${entry.baseSequence} lastSequence: ${entry.lastSequence} producerId: ${entry.producerId} producerEpoch: ${entry.producerEpoch} partitionLeaderEpoch: ${entry.partitionLeaderEpoch} isTransactional: ${entry.isTransactional} isControl: ${entry.isControl} position: ${entry.position} ${time}: ${entry.maxTimestamp} size: ${entry.sizeBytes} magic: 2 compresscodec: ${entry.codec} crc: ${entry.crc} isvalid: ${entry.isValid}\n`;
  return (
    header + (entry.records ?? []).map((record, index) => recordText(entry, record, index, time)).join('')
  );
}

function recordText(batch: BatchEntry, record: LogRecord, index: number, time: string): string {
  const { offset, timestamp, key, value, headers } = record;
  const sequence = batch.baseSequence === -1 ? '' : ` sequence: ${(batch.baseSequence + index) % 2 ** 31}`;
  const keys = headers.map((header) => header.key).join(',');
  const shownKey = key === null ? '' : ` key: ${key.toString()}`;
  const payload = value === null ? '' : ` payload: ${value.toString()}`;
  return `| offset: ${offset} ${time}: ${timestamp} keySize: ${key?.length ?? -1} valueSize: ${value?.length ?? -1}${sequence} headerKeys: [${keys}]${shownKey}${payload}\n`;
}
