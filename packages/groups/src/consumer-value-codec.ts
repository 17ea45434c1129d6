/**
 * Values of consumer groups (KIP-848): group and target epochs, subscriptions, assignments, resolved patterns. All are
 * flexible at version 0. Fields that a later Kafka adds are tagged, and are skipped.
 */

import type { TopicPartitions } from './group-api.ts';
import {
  type ConsumerGroupEpochRecord,
  MEMBER_STATE_WIRE,
  type MemberAssignmentRecord,
  type MemberState,
  type MemberSubscriptionRecord,
  type ResolvedPatternRecord,
  type TargetAssignmentRecord,
  type TargetEpochRecord,
} from './group-record.ts';
import { openValue } from './group-record-key.ts';
import { damaged, type RecordReader, RecordWriter } from './record-bytes.ts';

type ValueOf<R extends { readonly value: unknown }> = NonNullable<R['value']>;
type ClassicPart = NonNullable<ValueOf<MemberSubscriptionRecord>['classic']>;

const VERSIONS = { newest: 0, firstFlexible: 0 };
const METADATA_HASH_TAG = 0;
const CLASSIC_MEMBER_TAG = 0;
const PRESENT = 1;

/** Reads a whole value of the one version there is. */
function readValue<T>(bytes: Buffer, what: string, read: (reader: RecordReader) => T): T {
  const { reader } = openValue(bytes, what, VERSIONS);
  const value = read(reader);
  reader.end(what);
  return value;
}

function flexibleWriter(): RecordWriter {
  const writer = new RecordWriter();
  writer.flexible = true;
  return writer;
}

const valueWriter = (): RecordWriter => flexibleWriter().int16(0);

export function encodeGroupEpoch(value: ValueOf<ConsumerGroupEpochRecord>): Buffer {
  const { epoch, metadataHash } = value;
  // A field at its default is left out, as Kafka does; older readers then see what they know.
  const tagged =
    metadataHash === 0n
      ? []
      : [[METADATA_HASH_TAG, new RecordWriter().int64(metadataHash).finish()] as const];
  return valueWriter().int32(epoch).tags(tagged).finish();
}

export function decodeGroupEpoch(bytes: Buffer): ValueOf<ConsumerGroupEpochRecord> {
  return readValue(bytes, 'a group epoch', (reader) => {
    const epoch = reader.int32();
    let metadataHash = 0n;
    reader.tags({
      [METADATA_HASH_TAG]: (field) => {
        metadataHash = field.bigInt64();
      },
    });
    return { epoch, metadataHash };
  });
}

export function encodeSubscription(value: ValueOf<MemberSubscriptionRecord>): Buffer {
  const writer = valueWriter()
    .string(value.groupInstanceId)
    .string(value.rackId)
    .string(value.clientId)
    .string(value.clientHost);
  return writer
    .array(value.subscribedTopicNames, (name) => writer.string(name))
    .string(value.subscribedTopicRegex)
    .int32(value.rebalanceTimeoutMs)
    .string(value.serverAssignor)
    .tags(value.classic === undefined ? [] : [[CLASSIC_MEMBER_TAG, encodeClassicPart(value.classic)]])
    .finish();
}

function encodeClassicPart({ sessionTimeoutMs, protocols }: ClassicPart): Buffer {
  const writer = flexibleWriter().int8(PRESENT).int32(sessionTimeoutMs);
  return writer
    .array(protocols, ({ name, metadata }) => writer.string(name).bytes(metadata).tags())
    .tags()
    .finish();
}

export function decodeSubscription(bytes: Buffer): ValueOf<MemberSubscriptionRecord> {
  return readValue(bytes, 'a subscription', (reader) => {
    const fields = {
      groupInstanceId: reader.nullableString(),
      rackId: reader.nullableString(),
      clientId: reader.string(),
      clientHost: reader.string(),
      subscribedTopicNames: reader.array(() => reader.string()),
      subscribedTopicRegex: reader.nullableString(),
      rebalanceTimeoutMs: reader.int32(),
      serverAssignor: reader.nullableString(),
    };
    let classic: ClassicPart | undefined;
    reader.tags({
      [CLASSIC_MEMBER_TAG]: (field) => {
        classic = readClassicPart(field);
      },
    });
    return { ...fields, classic };
  });
}

function readClassicPart(reader: RecordReader): ClassicPart | undefined {
  if (reader.int8() !== PRESENT) return undefined;
  const part = {
    sessionTimeoutMs: reader.int32(),
    protocols: reader.array(() => {
      const protocol = { name: reader.string(), metadata: reader.bytes() };
      reader.tags();
      return protocol;
    }),
  };
  reader.tags();
  return part;
}

export function encodeTargetEpoch(value: ValueOf<TargetEpochRecord>): Buffer {
  return valueWriter().int32(value.assignmentEpoch).tags().finish();
}

export function decodeTargetEpoch(bytes: Buffer): ValueOf<TargetEpochRecord> {
  return readValue(bytes, 'a target epoch', (reader) => {
    const assignmentEpoch = reader.int32();
    reader.tags();
    return { assignmentEpoch };
  });
}

export function encodeTargetAssignment(value: ValueOf<TargetAssignmentRecord>): Buffer {
  return writePartitions(valueWriter(), value.partitions).tags().finish();
}

export function decodeTargetAssignment(bytes: Buffer): ValueOf<TargetAssignmentRecord> {
  return readValue(bytes, 'a target assignment', (reader) => {
    const partitions = readPartitions(reader);
    reader.tags();
    return { partitions };
  });
}

export function encodeMemberAssignment(value: ValueOf<MemberAssignmentRecord>): Buffer {
  const writer = valueWriter()
    .int32(value.memberEpoch)
    .int32(value.previousMemberEpoch)
    .int8(MEMBER_STATE_WIRE[value.state]);
  writePartitions(writer, value.assigned);
  return writePartitions(writer, value.pendingRevocation).tags().finish();
}

const STATE_OF_WIRE: ReadonlyMap<number, MemberState> = new Map(
  (Object.keys(MEMBER_STATE_WIRE) as MemberState[]).map((state) => [MEMBER_STATE_WIRE[state], state]),
);

export function decodeMemberAssignment(bytes: Buffer): ValueOf<MemberAssignmentRecord> {
  return readValue(bytes, 'a member assignment', (reader) => {
    const memberEpoch = reader.int32();
    const previousMemberEpoch = reader.int32();
    // A state from a later Kafka is UNKNOWN by Kafka's own rule: the next heartbeat computes it anew.
    const state = STATE_OF_WIRE.get(reader.int8()) ?? 'UNKNOWN';
    const assigned = readPartitions(reader);
    const pendingRevocation = readPartitions(reader);
    reader.tags();
    return { memberEpoch, previousMemberEpoch, state, assigned, pendingRevocation };
  });
}

export function encodeResolvedPattern(value: ValueOf<ResolvedPatternRecord>): Buffer {
  const writer = valueWriter();
  return writer
    .array(value.topics, (topic) => writer.string(topic))
    .int64(value.version)
    .int64(value.resolvedAtMs)
    .tags()
    .finish();
}

export function decodeResolvedPattern(bytes: Buffer): ValueOf<ResolvedPatternRecord> {
  return readValue(bytes, 'a resolved pattern', (reader) => {
    const value = {
      topics: reader.array(() => reader.string()),
      version: reader.int64(),
      resolvedAtMs: reader.int64(),
    };
    reader.tags();
    return value;
  });
}

function writePartitions(writer: RecordWriter, partitions: readonly TopicPartitions[]): RecordWriter {
  return writer.array(partitions, (topic) =>
    writer
      .uuid(topic.topicId)
      .array(topic.partitions, (partition) => writer.int32(partition))
      .tags(),
  );
}

function readPartitions(reader: RecordReader): TopicPartitions[] {
  return reader.array(() => {
    const topicId = reader.uuid();
    const partitions = reader.array(() => reader.int32());
    if (partitions.some((partition) => partition < 0)) throw damaged('a negative partition');
    reader.tags();
    return { topicId, partitions };
  });
}
