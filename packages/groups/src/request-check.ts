/**
 * Whether a request makes sense at all, before any group is asked: names that survive the log, timeouts in bounds,
 * sizes that fit. What passes here can be written; what does not changes nothing.
 */
import { failureOf } from './classic-answers.ts';
import type { GroupFailure, JoinGroupRequest, LeaveGroupRequest, OffsetToCommit } from './group-api.ts';
import type { GroupConfig } from './group-config.ts';
import type { TopicsView } from './group-record.ts';
import { fitsString } from './record-bytes.ts';

/** More protocols than any client has assignors. */
const PROTOCOLS_MAX = 64;
const INT32_MAX = 2 ** 31 - 1;
/** "The earliest", as kafkajs commits it. Kafka takes it and hands it back, and every client reads it as "none". */
const LOWEST_OFFSET = -2;

/** Any text is a name as long as the log can hold it; the empty one belongs to nobody. */
export function checkGroupId(groupId: string): GroupFailure | undefined {
  if (groupId === '') return failureOf('INVALID_GROUP_ID', 'the group id is empty');
  return fitsString(groupId)
    ? undefined
    : failureOf('INVALID_GROUP_ID', 'the group id is longer than 32767 bytes, or no Unicode text');
}

export function checkJoin(request: JoinGroupRequest, config: GroupConfig): GroupFailure | undefined {
  return checkGroupId(request.groupId) ?? checkTimeouts(request, config) ?? checkProtocols(request, config);
}

function checkTimeouts(request: JoinGroupRequest, config: GroupConfig): GroupFailure | undefined {
  const { sessionTimeoutMs, rebalanceTimeoutMs } = request;
  const min = config['group.min.session.timeout.ms'];
  const max = config['group.max.session.timeout.ms'];
  if (!Number.isInteger(sessionTimeoutMs) || sessionTimeoutMs < min || sessionTimeoutMs > max) {
    const text = `a session timeout of ${sessionTimeoutMs} ms is outside ${min} to ${max} ms`;
    return failureOf('INVALID_SESSION_TIMEOUT', text);
  }
  return Number.isInteger(rebalanceTimeoutMs) && rebalanceTimeoutMs > 0 && rebalanceTimeoutMs <= INT32_MAX
    ? undefined
    : failureOf('INVALID_REQUEST', `a rebalance timeout of ${rebalanceTimeoutMs} ms is none`);
}

function checkProtocols(request: JoinGroupRequest, config: GroupConfig): GroupFailure | undefined {
  const { protocolType, protocols, memberId, groupInstanceId, clientId, clientHost } = request;
  if (protocolType === '' || protocols.length === 0)
    return failureOf(
      'INCONSISTENT_GROUP_PROTOCOL',
      'a member that joins names a protocol type and protocols',
    );
  if (protocols.length > PROTOCOLS_MAX)
    return failureOf('INVALID_REQUEST', `more than ${PROTOCOLS_MAX} protocols`);
  if (groupInstanceId === '') return failureOf('INVALID_REQUEST', 'the group instance id is empty');
  const names = protocols.map(({ name }) => name);
  if (names.includes('') || new Set(names).size < names.length)
    return failureOf('INVALID_REQUEST', 'a protocol has no name, or is named twice');
  const texts = [...names, protocolType, memberId, groupInstanceId ?? '', clientHost];
  // The id of a new member is made of the client's, with a UUID behind it.
  if (!texts.every(fitsString) || !fitsString(`${groupInstanceId ?? clientId}-${' '.repeat(22)}`))
    return failureOf('INVALID_REQUEST', 'a name is longer than 32767 bytes, or no Unicode text');
  const bytes = protocols.reduce((sum, { metadata }) => sum + metadata.length, 0);
  return bytes > config['offsets.batch.max.bytes']
    ? failureOf('MESSAGE_TOO_LARGE', `subscriptions of ${bytes} bytes do not fit offsets.batch.max.bytes`)
    : undefined;
}

export function checkLeave(
  { groupId, members }: LeaveGroupRequest,
  config: GroupConfig,
): GroupFailure | undefined {
  const failure = checkGroupId(groupId);
  if (failure !== undefined) return failure;
  const most = 2 * config['group.max.size'];
  return members.length > most
    ? failureOf('INVALID_REQUEST', `more than ${most} members leave at once`)
    : undefined;
}

/** One offset of a commit. Whether the log is that long is not known here: a consumer finds out when it fetches. */
export function checkOffset(
  { topic, topicId, partition, offset, leaderEpoch, metadata }: OffsetToCommit,
  topics: TopicsView,
  config: GroupConfig,
): GroupFailure | undefined {
  const known = topics.byName(topic);
  if (topicId !== undefined && topicId !== known?.topicId)
    return failureOf('UNKNOWN_TOPIC_ID', `the topic ${topic} that was read was deleted`);
  if (
    known === undefined ||
    !Number.isInteger(partition) ||
    partition < 0 ||
    partition >= known.partitionCount
  )
    return failureOf('UNKNOWN_TOPIC_OR_PARTITION');
  if (!Number.isSafeInteger(offset) || offset < LOWEST_OFFSET)
    return failureOf('INVALID_REQUEST', `${offset} is not an offset`);
  if (!Number.isInteger(leaderEpoch) || leaderEpoch < -1 || leaderEpoch > INT32_MAX)
    return failureOf('INVALID_REQUEST', `${leaderEpoch} is not a leader epoch`);
  if (Buffer.byteLength(metadata) > config['offset.metadata.max.bytes'] || !fitsString(metadata))
    return failureOf('OFFSET_METADATA_TOO_LARGE');
  return undefined;
}
