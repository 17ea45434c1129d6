/**
 * Records as bytes: one Raft entry is one atomic list of records, `{"version":1,"records":[...]}` in UTF-8.
 * Never guesses: a newer version or an unknown kind is refused, because a node that skips a record diverges.
 */
import { MillraceError } from '@millrace/core';
import type { MetadataRecord } from './record.ts';

/** Raised when an older build could misread what a newer one writes. */
export const RECORDS_VERSION = 1;

/** Every kind, so that a new one cannot be forgotten here. */
const KINDS: Readonly<Record<MetadataRecord['kind'], true>> = {
  brokerRegistered: true,
  brokerChanged: true,
  topicCreated: true,
  partitionsCreated: true,
  partitionChanged: true,
  topicDeleted: true,
  configChanged: true,
  producerIdsAllocated: true,
};

export function encodeRecords(records: readonly MetadataRecord[]): Buffer {
  return Buffer.from(JSON.stringify({ version: RECORDS_VERSION, records }));
}

/** @throws {MillraceError} UNSUPPORTED_VERSION for what a newer build wrote, CORRUPT_MESSAGE for anything else. */
export function decodeRecords(data: Buffer): MetadataRecord[] {
  return decodeDocument(data).records;
}

/** An entry as it lies in the log; `offset` is where it is meant to lie, see entry-codec.ts. */
export function decodeDocument(data: Buffer): { records: MetadataRecord[]; offset: number | undefined } {
  const { version, records, offset } = parseObject(data, 'metadata entry');
  checkVersion(version, RECORDS_VERSION, 'metadata entry');
  if (!Array.isArray(records)) throw new MillraceError('CORRUPT_MESSAGE', 'metadata entry without records');
  for (const record of records as { kind?: unknown }[]) {
    const kind = record?.kind;
    if (typeof kind !== 'string' || !Object.hasOwn(KINDS, kind)) {
      throw new MillraceError(
        'UNSUPPORTED_VERSION',
        `metadata record of unknown kind ${JSON.stringify(kind)}: this node is older than the cluster, upgrade it`,
      );
    }
  }
  return { records: records as MetadataRecord[], offset: offset as number | undefined };
}

/** @throws {MillraceError} CORRUPT_MESSAGE unless `data` is one JSON object. */
export function parseObject(
  data: Buffer,
  what: string,
): { version?: unknown; records?: unknown; offset?: unknown } {
  let value: unknown;
  try {
    value = JSON.parse(data.toString('utf8'));
  } catch (cause) {
    throw new MillraceError('CORRUPT_MESSAGE', `${what} is not JSON`, { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new MillraceError('CORRUPT_MESSAGE', `${what} is not a JSON object`);
  }
  return value;
}

/** @throws {MillraceError} UNSUPPORTED_VERSION if `version` is newer than `known`, CORRUPT_MESSAGE if it is none. */
export function checkVersion(version: unknown, known: number, what: string): void {
  if (!Number.isSafeInteger(version) || (version as number) < 1) {
    throw new MillraceError('CORRUPT_MESSAGE', `${what} has no version`);
  }
  if ((version as number) > known) {
    throw new MillraceError(
      'UNSUPPORTED_VERSION',
      `${what} has version ${version}, this node reads up to ${known}: it is older than the cluster, upgrade it`,
    );
  }
}
