/**
 * Records of `__consumer_offsets` as Kafka's bytes. Keys and values begin with their version. A key of an unknown version
 * is skipped (a later Kafka's record); anything that ends early or contradicts itself is damage and is never guessed at.
 */
import { assertNever } from '@millrace/core';
import { decodeClassicValue, encodeClassicValue } from './classic-value-codec.ts';
import {
  decodeGroupEpoch,
  decodeMemberAssignment,
  decodeResolvedPattern,
  decodeSubscription,
  decodeTargetAssignment,
  decodeTargetEpoch,
  encodeGroupEpoch,
  encodeMemberAssignment,
  encodeResolvedPattern,
  encodeSubscription,
  encodeTargetAssignment,
  encodeTargetEpoch,
} from './consumer-value-codec.ts';
import type { GroupRecord } from './group-record.ts';
import { decodeKey, encodeKey, type GroupRecordKey } from './group-record-key.ts';
import { decodeOffsetValue, encodeOffsetValue } from './offset-value-codec.ts';

export interface GroupRecordBytes {
  readonly key: Buffer;
  /** Null removes what the key names. */
  readonly value: Buffer | null;
}

/** @throws {MillraceError} INVALID_REQUEST for a string of more than 32,767 bytes. */
export function encodeGroupRecord(record: GroupRecord): GroupRecordBytes {
  return { key: encodeKey(record), value: encodeValue(record) };
}

function encodeValue(record: GroupRecord): Buffer | null {
  if (record.value === undefined) return null;
  switch (record.kind) {
    case 'offset':
      return encodeOffsetValue(record.value);
    case 'classic-group':
      return encodeClassicValue(record.value);
    case 'consumer-group-epoch':
      return encodeGroupEpoch(record.value);
    case 'member-subscription':
      return encodeSubscription(record.value);
    case 'target-epoch':
      return encodeTargetEpoch(record.value);
    case 'target-assignment':
      return encodeTargetAssignment(record.value);
    case 'member-assignment':
      return encodeMemberAssignment(record.value);
    case 'resolved-pattern':
      return encodeResolvedPattern(record.value);
    default:
      return assertNever(record);
  }
}

/**
 * Undefined for a key version that this build does not know.
 * @throws {MillraceError} CORRUPT_MESSAGE for damaged bytes, UNSUPPORTED_VERSION for a known key with a newer value.
 */
export function decodeGroupRecord(key: Buffer | null, value: Buffer | null): GroupRecord | undefined {
  const decoded = decodeKey(key);
  if (decoded === undefined) return undefined;
  return value === null ? { ...decoded, value: undefined } : withValue(decoded, value);
}

function withValue(key: GroupRecordKey, value: Buffer): GroupRecord {
  switch (key.kind) {
    case 'offset':
      return { ...key, value: decodeOffsetValue(value) };
    case 'classic-group':
      return { ...key, value: decodeClassicValue(value) };
    case 'consumer-group-epoch':
      return { ...key, value: decodeGroupEpoch(value) };
    case 'member-subscription':
      return { ...key, value: decodeSubscription(value) };
    case 'target-epoch':
      return { ...key, value: decodeTargetEpoch(value) };
    case 'target-assignment':
      return { ...key, value: decodeTargetAssignment(value) };
    case 'member-assignment':
      return { ...key, value: decodeMemberAssignment(value) };
    case 'resolved-pattern':
      return { ...key, value: decodeResolvedPattern(value) };
    default:
      return assertNever(key);
  }
}
