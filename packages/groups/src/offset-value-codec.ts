/**
 * Values of committed offsets, `OffsetCommitValue`. Writes version 3, which every Kafka since 2.1 reads, or version 1,
 * the only one that carries an expiry of its own; reads versions 0 to 4.
 */
import type { OffsetRecord } from './group-record.ts';
import { openValue } from './group-record-key.ts';
import { RecordWriter } from './record-bytes.ts';

type OffsetValue = NonNullable<OffsetRecord['value']>;

const VERSIONS = { newest: 4, firstFlexible: 4 };
const NONE = -1;

export function encodeOffsetValue(value: OffsetValue): Buffer {
  const hasExpiry = value.expiresAtMs !== NONE;
  const writer = new RecordWriter().int16(hasExpiry ? 1 : 3).int64(value.offset);
  if (!hasExpiry) writer.int32(value.leaderEpoch);
  writer.string(value.metadata).int64(value.committedAtMs);
  if (hasExpiry) writer.int64(value.expiresAtMs);
  return writer.finish();
}

export function decodeOffsetValue(bytes: Buffer): OffsetValue {
  const { reader, version } = openValue(bytes, 'an offset', VERSIONS);
  const value = {
    offset: reader.int64(),
    leaderEpoch: version >= 3 ? reader.int32() : NONE,
    metadata: reader.string(),
    committedAtMs: reader.int64(),
    expiresAtMs: version === 1 ? reader.int64() : NONE,
  };
  reader.tags();
  reader.end('an offset');
  return value;
}
