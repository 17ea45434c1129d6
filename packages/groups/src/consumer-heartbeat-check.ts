/**
 * Whether a heartbeat of the consumer protocol makes sense at all, before any group is asked. Nothing that comes from a
 * client is believed: sizes are bounded, and what contradicts itself is refused.
 */
import { ASSIGNORS } from './assignors/assignors.ts';
import type { ConsumerGroupHeartbeatRequest, GroupFailure, TopicPartitions } from './group-api.ts';
import type { GroupConfig } from './group-config.ts';

export const JOIN_EPOCH = 0;
export const LEAVE_EPOCH = -1;
/** A static member leaves for a while. */
export const LEAVE_FOR_A_WHILE_EPOCH = -2;

/** Topic names, partitions held: more than any cluster of this design has, few enough to look at. */
const LIST_MAX = 100_000;
const NAME_MAX_CHARS = 1000;
const TOPIC_NAME_MAX_CHARS = 249;
const INT32_MAX = 2 ** 31 - 1;

export function checkConsumerHeartbeat(
  request: ConsumerGroupHeartbeatRequest,
  config: GroupConfig,
): GroupFailure | undefined {
  const problem = problemOf(request);
  if (problem !== undefined) return { code: 'INVALID_REQUEST', message: problem };
  const { serverAssignor } = request;
  const offered = config['group.consumer.assignors'].filter((name) => ASSIGNORS.has(name));
  if (serverAssignor !== undefined && !offered.includes(serverAssignor)) {
    const known = offered.join(', ');
    return {
      code: 'UNSUPPORTED_ASSIGNOR',
      message: `assignor "${serverAssignor.slice(0, 100)}" is none of ${known}`,
    };
  }
  return undefined;
}

function problemOf(request: ConsumerGroupHeartbeatRequest): string | undefined {
  const { memberEpoch, groupInstanceId } = request;
  if (!Number.isInteger(memberEpoch) || memberEpoch < LEAVE_FOR_A_WHILE_EPOCH || memberEpoch > INT32_MAX) {
    return `member epoch ${memberEpoch} is none`;
  }
  if (memberEpoch === LEAVE_FOR_A_WHILE_EPOCH && groupInstanceId === undefined) {
    return 'only a static member can leave for a while';
  }
  return (
    nameProblem('group id', request.groupId) ??
    nameProblem('member id', request.memberId) ??
    nameProblem('group instance id', groupInstanceId) ??
    nameProblem('rack id', request.rackId) ??
    nameProblem('assignor', request.serverAssignor) ??
    (memberEpoch === JOIN_EPOCH ? joinProblem(request) : undefined) ??
    // Of a member that goes nothing but its name matters, and clients fill in zeros.
    (memberEpoch >= JOIN_EPOCH ? timeoutProblem(request.rebalanceTimeoutMs) : undefined) ??
    topicNamesProblem(request.subscribedTopicNames) ??
    ownedProblem(request.topicPartitions)
  );
}

function joinProblem(request: ConsumerGroupHeartbeatRequest): string | undefined {
  if (request.rebalanceTimeoutMs === undefined) return 'a member that joins names its rebalance timeout';
  if (request.topicPartitions === undefined || request.topicPartitions.length > 0) {
    return 'a member that joins holds no partitions, and says so';
  }
  if (request.subscribedTopicNames === undefined && !request.subscribedTopicRegex) {
    return 'a member that joins subscribes to topics or to a pattern';
  }
  return undefined;
}

function nameProblem(what: string, name: string | undefined): string | undefined {
  if (name === undefined) return undefined;
  if (name === '') return `the ${what} is empty`;
  return name.length > NAME_MAX_CHARS
    ? `the ${what} has ${name.length} characters, more than ${NAME_MAX_CHARS}`
    : undefined;
}

function timeoutProblem(rebalanceTimeoutMs: number | undefined): string | undefined {
  if (rebalanceTimeoutMs === undefined) return undefined;
  if (Number.isInteger(rebalanceTimeoutMs) && rebalanceTimeoutMs > 0 && rebalanceTimeoutMs <= INT32_MAX)
    return undefined;
  return `a rebalance timeout of ${rebalanceTimeoutMs} ms is none`;
}

function topicNamesProblem(names: readonly string[] | undefined): string | undefined {
  if (names === undefined) return undefined;
  if (names.length > LIST_MAX) return `${names.length} topics are more than ${LIST_MAX}`;
  const odd = names.find((name) => name === '' || name.length > TOPIC_NAME_MAX_CHARS);
  return odd === undefined ? undefined : `a topic name of ${odd.length} characters is none`;
}

function ownedProblem(list: readonly TopicPartitions[] | undefined): string | undefined {
  if (list === undefined) return undefined;
  const seen = new Set<string>();
  let count = 0;
  for (const { topicId, partitions } of list) {
    if (seen.has(topicId)) return `topic ${topicId.slice(0, 50)} is named twice`;
    seen.add(topicId);
    count += 1 + partitions.length;
    if (count > LIST_MAX) return `more than ${LIST_MAX} partitions are named`;
    if (
      !partitions.every(
        (partition) => Number.isInteger(partition) && partition >= 0 && partition <= INT32_MAX,
      )
    ) {
      return `topic ${topicId.slice(0, 50)} has no such partitions`;
    }
    if (new Set(partitions).size < partitions.length)
      return `a partition of topic ${topicId.slice(0, 50)} is named twice`;
  }
  return undefined;
}
