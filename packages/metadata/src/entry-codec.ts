/**
 * Records as entries of the metadata log. Each entry names the offset that it was decided for, and counts only there:
 * a decision that was overtaken by anything, however it happened, changes nothing on any node.
 */
import { invariant } from '@millrace/core';
import type { MetadataRecord } from './record.ts';
import { decodeDocument, RECORDS_VERSION } from './record-codec.ts';

export interface EncodedEntry {
  readonly offset: number;
  readonly data: Buffer;
  readonly records: readonly MetadataRecord[];
}

/** What may stand first in an entry. The others belong to the record before them: a topic never exists without partitions. */
const MAY_START_ENTRY: Readonly<Record<MetadataRecord['kind'], boolean>> = {
  brokerRegistered: true,
  brokerChanged: true,
  topicCreated: true,
  partitionsCreated: false,
  partitionChanged: true,
  topicDeleted: true,
  configChanged: false,
  producerIdsAllocated: true,
};

/** `records` in order as entries for `firstOffset`, `firstOffset + 1`, ..., each of about `maxBytes` at most. */
export function encodeEntries(
  records: readonly MetadataRecord[],
  firstOffset: number,
  maxBytes: number,
): EncodedEntry[] {
  invariant(records.length > 0, 'an entry has records');
  const entries: EncodedEntry[] = [];
  let texts: string[] = [];
  let size = 0;
  let start = 0;
  const close = (end: number): void => {
    const offset = firstOffset + entries.length;
    const text = `{"version":${RECORDS_VERSION},"offset":${offset},"records":[${texts.join(',')}]}`;
    entries.push({ offset, data: Buffer.from(text), records: records.slice(start, end) });
    texts = [];
    size = 0;
    start = end;
  };
  records.forEach((record, index) => {
    const text = JSON.stringify(record);
    if (size > 0 && size + text.length > maxBytes && MAY_START_ENTRY[record.kind]) close(index);
    texts.push(text);
    size += text.length;
  });
  close(records.length);
  return entries;
}

/**
 * The records of the entry at `offset`, or undefined if it was decided for another offset and is void.
 *
 * @throws {MillraceError} UNSUPPORTED_VERSION or CORRUPT_MESSAGE.
 */
export function decodeEntry(data: Buffer, offset: number): MetadataRecord[] | undefined {
  const document = decodeDocument(data);
  return document.offset === undefined || document.offset === offset ? document.records : undefined;
}
