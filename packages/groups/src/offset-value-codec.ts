/**
 * Values of committed offsets, `OffsetCommitValue`. Writes version 4, whose tagged field says which topic was read; version
 * 3 where that is not known; or version 1, the only one that carries an expiry of its own. Reads versions 0 to 4.
 */
import type { TopicId } from '@millrace/core';
import type { OffsetRecord } from './group-record.ts';
import { openValue } from './group-record-key.ts';
import { RecordWriter } from './record-bytes.ts';

type OffsetValue = NonNullable<OffsetRecord['value']>;

const VERSIONS = { newest: 4, firstFlexible: 4 };
const TOPIC_ID_TAG = 0;
const NO_TOPIC_ID: TopicId = 'A'.repeat(22);
const NONE = -1;

export function encodeOffsetValue(value: OffsetValue): Buffer {
  const { topicId } = value;
  const hasExpiry = value.expiresAtMs !== NONE;
  if (topicId !== undefined && !hasExpiry) return encodeFlexible(value, topicId);
  const writer = new RecordWriter().int16(hasExpiry ? 1 : 3).int64(value.offset);
  if (!hasExpiry) writer.int32(value.leaderEpoch);
  writer.string(value.metadata).int64(value.committedAtMs);
  if (hasExpiry) writer.int64(value.expiresAtMs);
  return writer.finish();
}

function encodeFlexible(value: OffsetValue, topicId: TopicId): Buffer {
  const writer = new RecordWriter();
  writer.flexible = true;
  writer.int16(VERSIONS.newest).int64(value.offset).int32(value.leaderEpoch).string(value.metadata);
  const tagged = [[TOPIC_ID_TAG, new RecordWriter().uuid(topicId).finish()] as const];
  return writer.int64(value.committedAtMs).tags(tagged).finish();
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
  let topicId: TopicId | undefined;
  reader.tags({
    [TOPIC_ID_TAG]: (field) => {
      topicId = field.uuid();
    },
  });
  reader.end('an offset');
  return topicId === undefined || topicId === NO_TOPIC_ID ? value : { ...value, topicId };
}
