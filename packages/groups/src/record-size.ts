/** How many bytes a record takes in a batch, at most: cheap enough to ask before anything is written. */
import { assertNever } from '@millrace/core';
import type { TopicPartitions } from './group-api.ts';
import type { ClassicMemberValue, GroupRecord } from './group-record.ts';

/** Length prefixes, versions, fixed fields, and the frame of a record. */
const RECORD_OVERHEAD_BYTES = 96;
const MEMBER_OVERHEAD_BYTES = 40;
const TOPIC_BYTES = 32;
/** With its tag and length. */
const TOPIC_ID_BYTES = 18;

const textBytes = (text: string | undefined): number => (text === undefined ? 0 : Buffer.byteLength(text));

/** An upper bound, in bytes. */
export function recordBytesAtMost(record: GroupRecord): number {
  return RECORD_OVERHEAD_BYTES + textBytes(record.groupId) + contentBytes(record);
}

function contentBytes(record: GroupRecord): number {
  switch (record.kind) {
    case 'offset':
      return TOPIC_ID_BYTES + textBytes(record.topic) + textBytes(record.value?.metadata);
    case 'classic-group':
      return (record.value?.members ?? []).reduce(
        (sum, member) => sum + classicMemberBytes(member),
        textBytes(record.value?.protocolType) +
          textBytes(record.value?.protocol) +
          textBytes(record.value?.leader),
      );
    case 'member-subscription':
      return textBytes(record.memberId) + subscriptionBytes(record.value);
    case 'target-assignment':
      return textBytes(record.memberId) + partitionBytes(record.value?.partitions);
    case 'member-assignment':
      return (
        textBytes(record.memberId) +
        partitionBytes(record.value?.assigned) +
        partitionBytes(record.value?.pendingRevocation)
      );
    case 'resolved-pattern':
      return textBytes(record.pattern) + namesBytes(record.value?.topics);
    case 'consumer-group-epoch':
    case 'target-epoch':
      return 0;
    default:
      return assertNever(record);
  }
}

function classicMemberBytes(member: ClassicMemberValue): number {
  const { memberId, groupInstanceId, clientId, clientHost, subscription, assignment } = member;
  const names =
    textBytes(memberId) + textBytes(groupInstanceId) + textBytes(clientId) + textBytes(clientHost);
  return MEMBER_OVERHEAD_BYTES + names + subscription.length + assignment.length;
}

function subscriptionBytes(value: Extract<GroupRecord, { kind: 'member-subscription' }>['value']): number {
  if (value === undefined) return 0;
  const { groupInstanceId, rackId, clientId, clientHost, subscribedTopicRegex, serverAssignor, classic } =
    value;
  const texts = [groupInstanceId, rackId, clientId, clientHost, subscribedTopicRegex, serverAssignor];
  const protocols = classic?.protocols ?? [];
  return (
    texts.reduce((sum, text) => sum + textBytes(text), 0) +
    namesBytes(value.subscribedTopicNames) +
    protocols.reduce(
      (sum, { name, metadata }) => sum + MEMBER_OVERHEAD_BYTES + textBytes(name) + metadata.length,
      0,
    )
  );
}

function namesBytes(names: readonly string[] | undefined): number {
  return (names ?? []).reduce((sum, name) => sum + 3 + textBytes(name), 0);
}

function partitionBytes(list: readonly TopicPartitions[] | undefined): number {
  return (list ?? []).reduce((sum, { partitions }) => sum + TOPIC_BYTES + 4 * partitions.length, 0);
}
