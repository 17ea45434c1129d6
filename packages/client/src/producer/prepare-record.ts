/** A caller's record made ready for a batch: serialized, stamped with a time, checked. Pure. */
import { MillraceError } from '@millrace/core';
import type { RecordHeader } from '@millrace/records';
import { type BytesLike, bytesLike, type Serializer, serializeWith } from '../serializers.ts';
import type { HeadersInput, ProducerRecord } from './producer-record.ts';
import type { PreparedRecord } from './send-waiting.ts';

const NO_HEADERS: readonly RecordHeader[] = Object.freeze([]);

/** Lengths, attributes and deltas of a record, at most; not counting headers. */
const RECORD_OVERHEAD_BYTES = 32;

/** @throws {MillraceError} SERIALIZATION_FAILED, INVALID_RECORD. */
export function prepareRecord<K, V>(
  record: ProducerRecord<K, V>,
  keySerializer: Serializer<K>,
  valueSerializer: Serializer<V>,
  wallMs: number,
): PreparedRecord {
  const { key, value, headers, partition, timestamp = wallMs } = record;
  if (!Number.isSafeInteger(timestamp) || timestamp < 0) {
    throw new MillraceError(
      'INVALID_RECORD',
      `a timestamp is whole milliseconds since the epoch, not ${timestamp}`,
    );
  }
  if (partition !== undefined && !(Number.isSafeInteger(partition) && partition >= 0)) {
    throw new MillraceError('UNKNOWN_TOPIC_OR_PARTITION', `${partition} is no partition number`);
  }
  return {
    key: serializeWith(keySerializer, key, 'key'),
    value: serializeWith(valueSerializer, value, 'value'),
    headers: headers === undefined ? NO_HEADERS : prepareHeaders(headers),
    partition,
    timestamp,
  };
}

export function sizeOfRecord({ key, value, headers }: PreparedRecord): number {
  let size = RECORD_OVERHEAD_BYTES + (key?.length ?? 0) + (value?.length ?? 0);
  for (const header of headers) size += 10 + 3 * header.key.length + (header.value?.length ?? 0);
  return size;
}

function prepareHeaders(headers: HeadersInput): RecordHeader[] {
  const entries = Array.isArray(headers)
    ? (headers as Exclude<HeadersInput, Readonly<Record<string, BytesLike | null>>>)
    : Object.entries(headers).map(([key, value]) => ({ key, value: value as BytesLike | null }));
  return entries.map(({ key, value }) => {
    const bytes = serializeWith(bytesLike, value, `header ${key}`);
    return { key, value: bytes === null ? null : asBuffer(bytes) };
  });
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
