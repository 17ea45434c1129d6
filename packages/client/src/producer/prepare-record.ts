/** A caller's record made ready for a batch: serialized, stamped with a time, checked. Pure. */
import { MillraceError } from '@millrace/core';
import type { RecordHeader } from '@millrace/records';
import { checkObject, checkText, checkWhole, wrongArgument } from '../check-arguments.ts';
import { type BytesLike, type Serializer, serializeWith } from '../serializers.ts';
import type { HeadersInput, ProducerRecord } from './producer-record.ts';
import type { PreparedRecord } from './send-waiting.ts';

type HeaderList = readonly { readonly key: string; readonly value: BytesLike | null }[];

const NO_HEADERS: readonly RecordHeader[] = Object.freeze([]);

/** Lengths, attributes and deltas of a record, at most; not counting headers. */
const RECORD_OVERHEAD_BYTES = 32;

/** @throws {MillraceError} SERIALIZATION_FAILED, INVALID_RECORD; INVALID_REQUEST for what is no partition or no headers. */
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
  if (partition !== undefined) checkWhole('partition', partition);
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
  if (Array.isArray(headers)) {
    return (headers as HeaderList).map((header, i) => {
      const name = `headers[${i}]`;
      checkObject(name, header);
      checkText(`${name}.key`, header.key);
      return { key: header.key, value: headerBytes(`${name}.value`, header.value) };
    });
  }
  const wanted = 'an object of names and values, or a list of { key, value }';
  if (!isPlainObject(headers)) throw wrongArgument('headers', wanted, headers);
  return Object.entries(headers).map(([key, value]) => ({ key, value: headerBytes(`header ${key}`, value) }));
}

/** Null is a header without a value. What is undefined was probably not meant to be sent as that. */
function headerBytes(name: string, value: unknown): Buffer | null {
  if (value === null) return null;
  if (typeof value === 'string') return Buffer.from(value, 'utf8');
  if (value instanceof Uint8Array) return asBuffer(value);
  throw wrongArgument(name, 'text, bytes or null', value);
}

/** A Map, for one, has no entries that Object.entries would see. */
function isPlainObject(value: object): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
