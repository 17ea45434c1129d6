/** Entries of dumped files as text, worded as Kafka's DumpLogSegments where it has them, and as JSON. Pure. */
import type { LogRecord } from '@millrace/records';
import type { BatchEntry, DumpEntry } from '@millrace/storage';
import { bytesValue } from './plain-value.ts';

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
      return `${fieldsText(fields)}\n`;
    }
    case 'journal': {
      const { kind: _kind, isValid, ...fields } = entry;
      return `${fieldsText(fields)} isvalid: ${isValid}\n`;
    }
    case 'unused':
      return `position: ${entry.position} size: ${entry.sizeBytes} unused\n`;
    case 'line':
      return `${entry.text}\n`;
    case 'damage':
      return `DAMAGED at position ${entry.position}: ${entry.problem}\n`;
  }
}

/** For `-o json`: int64 as strings, keys and values as in `consume -o json`. */
export function entryValue(file: string, entry: DumpEntry): object {
  if (entry.kind === 'journal') return { file, ...entry, ...offsetTexts(entry) };
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

function offsetTexts({ baseOffset, lastOffset }: DumpEntry & { readonly kind: 'journal' }): object {
  return baseOffset === undefined ? {} : { baseOffset: String(baseOffset), lastOffset: String(lastOffset) };
}

function fieldsText(fields: object): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name}: ${value}`)
    .join(' ');
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
