/** Values of classic groups, `GroupMetadataValue`. Writes version 3, as Kafka 3.9 and 4 do; reads versions 0 to 4. */
import type { ClassicGroupRecord, ClassicMemberValue } from './group-record.ts';
import { openValue } from './group-record-key.ts';
import { type RecordReader, RecordWriter } from './record-bytes.ts';

type ClassicGroupValue = NonNullable<ClassicGroupRecord['value']>;

const VERSIONS = { newest: 4, firstFlexible: 4 };
const WRITTEN_VERSION = 3;

export function encodeClassicValue(value: ClassicGroupValue): Buffer {
  const writer = new RecordWriter()
    .int16(WRITTEN_VERSION)
    .string(value.protocolType)
    .int32(value.generation)
    .string(value.protocol)
    .string(value.leader)
    .int64(value.stateAtMs);
  return writer
    .array(value.members, (member) => {
      writer
        .string(member.memberId)
        .string(member.groupInstanceId)
        .string(member.clientId)
        .string(member.clientHost)
        .int32(member.rebalanceTimeoutMs)
        .int32(member.sessionTimeoutMs)
        .bytes(member.subscription)
        .bytes(member.assignment);
    })
    .finish();
}

export function decodeClassicValue(bytes: Buffer): ClassicGroupValue {
  const { reader, version } = openValue(bytes, 'a classic group', VERSIONS);
  const value = {
    protocolType: reader.string(),
    generation: reader.int32(),
    protocol: reader.nullableString(),
    leader: reader.nullableString(),
    stateAtMs: version >= 2 ? reader.int64() : -1,
    members: reader.array(() => readMember(reader, version)),
  };
  reader.tags();
  reader.end('a classic group');
  return value;
}

function readMember(reader: RecordReader, version: number): ClassicMemberValue {
  const memberId = reader.string();
  const groupInstanceId = version >= 3 ? reader.nullableString() : undefined;
  const clientId = reader.string();
  const clientHost = reader.string();
  const namedRebalanceTimeoutMs = version >= 1 ? reader.int32() : undefined;
  const sessionTimeoutMs = reader.int32();
  const member = {
    memberId,
    groupInstanceId,
    clientId,
    clientHost,
    // Before KIP-62 there was one timeout for both.
    rebalanceTimeoutMs: namedRebalanceTimeoutMs ?? sessionTimeoutMs,
    sessionTimeoutMs,
    subscription: reader.bytes(),
    assignment: reader.bytes(),
  };
  reader.tags();
  return member;
}
