/**
 * Keys of group records: `[version int16][group string][…]`, never flexible. The version tells the kind, and versions 0
 * and 1 are both offsets. Never written with anything but the version that Kafka writes.
 */
import { assertNever, MillraceError } from '@millrace/core';
import type { GroupRecord } from './group-record.ts';
import { damaged, RecordReader, RecordWriter } from './record-bytes.ts';

/** A record of any kind without its value. */
export type GroupRecordKey = GroupRecord extends infer R
  ? R extends GroupRecord
    ? Omit<R, 'value'>
    : never
  : never;

/** The version that is written, by kind. */
const KEY_VERSION: Readonly<Record<GroupRecord['kind'], number>> = {
  offset: 1,
  'classic-group': 2,
  'consumer-group-epoch': 3,
  'member-subscription': 5,
  'target-epoch': 6,
  'target-assignment': 7,
  'member-assignment': 8,
  'resolved-pattern': 16,
};

const KIND_OF_VERSION: ReadonlyMap<number, GroupRecord['kind']> = new Map([
  [0, 'offset'],
  ...(Object.keys(KEY_VERSION) as GroupRecord['kind'][]).map((kind) => [KEY_VERSION[kind], kind] as const),
]);

export function encodeKey(record: GroupRecord): Buffer {
  const writer = new RecordWriter().int16(KEY_VERSION[record.kind]).string(record.groupId);
  switch (record.kind) {
    case 'offset':
      return writer.string(record.topic).int32(record.partition).finish();
    case 'classic-group':
    case 'consumer-group-epoch':
    case 'target-epoch':
      return writer.finish();
    case 'member-subscription':
    case 'target-assignment':
    case 'member-assignment':
      return writer.string(record.memberId).finish();
    case 'resolved-pattern':
      return writer.string(record.pattern).finish();
    default:
      return assertNever(record);
  }
}

/** Undefined for a version that this build does not know. @throws {MillraceError} CORRUPT_MESSAGE. */
export function decodeKey(bytes: Buffer | null): GroupRecordKey | undefined {
  if (bytes === null) throw damaged('no key');
  const reader = new RecordReader(bytes);
  const version = reader.int16();
  if (version < 0) throw damaged(`key version ${version}`);
  const kind = KIND_OF_VERSION.get(version);
  if (kind === undefined) return undefined;
  const key = readKey(reader, kind);
  reader.end('a key');
  return key;
}

function readKey(reader: RecordReader, kind: GroupRecord['kind']): GroupRecordKey {
  const groupId = reader.string();
  switch (kind) {
    case 'offset':
      return { kind, groupId, topic: reader.string(), partition: readPartition(reader) };
    case 'classic-group':
    case 'consumer-group-epoch':
    case 'target-epoch':
      return { kind, groupId };
    case 'member-subscription':
    case 'target-assignment':
    case 'member-assignment':
      return { kind, groupId, memberId: reader.string() };
    case 'resolved-pattern':
      return { kind, groupId, pattern: reader.string() };
    default:
      return assertNever(kind);
  }
}

function readPartition(reader: RecordReader): number {
  const partition = reader.int32();
  if (partition < 0) throw damaged(`partition ${partition}`);
  return partition;
}

/** A reader behind the version of a value. @throws {MillraceError} UNSUPPORTED_VERSION for a newer one. */
export function openValue(
  bytes: Buffer,
  what: string,
  versions: { readonly newest: number; readonly firstFlexible: number },
): { readonly reader: RecordReader; readonly version: number } {
  const reader = new RecordReader(bytes);
  const version = reader.int16();
  if (version < 0) throw damaged(`value version ${version} of ${what}`);
  if (version > versions.newest)
    throw new MillraceError(
      'UNSUPPORTED_VERSION',
      `value version ${version} of ${what}: this node reads up to ${versions.newest}, upgrade it`,
    );
  reader.flexible = version >= versions.firstFlexible;
  return { reader, version };
}
