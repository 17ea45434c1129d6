/** Consumer groups of KIP-848: ConsumerGroupHeartbeat and ConsumerGroupDescribe. */
import type { Failure } from '@millrace/broker';
import type {
  ConsumerGroupHeartbeatResponse,
  DescribedAssignment,
  DescribedGroup,
  DescribedMember,
} from '@millrace/groups';
import type { ResponseDraftOf } from '../schemas/api-table.ts';
import { authorizedOperations } from './authorized-operations.ts';
import { callerOf } from './group-caller.ts';
import { faultOf } from './group-fault.ts';
import type { Handler, Handlers, Surroundings } from './handler.ts';
import { coordinatorErrorOf } from './wire-error.ts';

type WireGroup = ResponseDraftOf<'consumerGroupDescribe'>['groups'][number];
type WireMember = WireGroup['members'][number];

/** From this version of the heartbeat on members choose their ids. */
const OWN_MEMBER_ID = 1;
const UNCHANGED_MS = -1;
const MEMBER_TYPES = { classic: 0, consumer: 1 } as const;

export function consumerGroupHandlers(
  around: Surroundings,
): Pick<Handlers, 'consumerGroupHeartbeat' | 'consumerGroupDescribe'> {
  return {
    consumerGroupHeartbeat: heartbeatHandler(around),
    consumerGroupDescribe: describeHandler(around),
  };
}

function heartbeatHandler({ broker: { groups } }: Surroundings): Handler<'consumerGroupHeartbeat'> {
  return {
    handle: async (request, facts) => {
      const { groupId, memberId, memberEpoch, rebalanceTimeoutMs } = request;
      const answer = await groups.consumerGroupHeartbeat({
        ...callerOf(facts),
        groupId,
        memberId,
        awaitsMemberId: facts.version < OWN_MEMBER_ID,
        memberEpoch,
        groupInstanceId: request.instanceId ?? undefined,
        rackId: request.rackId ?? undefined,
        rebalanceTimeoutMs: rebalanceTimeoutMs === UNCHANGED_MS ? undefined : rebalanceTimeoutMs,
        subscribedTopicNames: request.subscribedTopicNames ?? undefined,
        subscribedTopicRegex: request.subscribedTopicRegex ?? undefined,
        serverAssignor: request.serverAssignor ?? undefined,
        topicPartitions: request.topicPartitions ?? undefined,
        reason: '',
      });
      return heard(answer);
    },
    refuse: ({ memberId, memberEpoch }, reason) =>
      heard({ failure: reason, memberId, memberEpoch, heartbeatIntervalMs: 0, assignment: undefined }),
  };
}

function heard(answer: ConsumerGroupHeartbeatResponse): ResponseDraftOf<'consumerGroupHeartbeat'> {
  const { failure: reason, memberId, memberEpoch, heartbeatIntervalMs, assignment } = answer;
  return {
    errorCode: coordinatorErrorOf(reason),
    errorMessage: reason?.message ?? null,
    memberId,
    memberEpoch,
    heartbeatIntervalMs,
    assignment: assignment === undefined ? null : { topicPartitions: assignment },
  };
}

function describeHandler({ broker: { groups } }: Surroundings): Handler<'consumerGroupDescribe'> {
  return {
    handle: async ({ groupIds, includeAuthorizedOperations }) => {
      // A group may be large: it is shown once, however often it is named.
      const found = await groups.describeGroups([...new Set(groupIds)]);
      return { groups: found.map((group) => described(group, includeAuthorizedOperations)) };
    },
    refuse: ({ groupIds }, reason) => ({ groups: groupIds.map((groupId) => refused(groupId, reason)) }),
  };
}

/** Tools ask here first, and with DescribeGroups for what is not found. */
function described(group: DescribedGroup, includesOperations: boolean): WireGroup {
  const { groupId } = group;
  const fault = faultOf(group, 'consumer');
  if (fault !== undefined) return refused(groupId, fault);
  return {
    errorCode: coordinatorErrorOf(undefined),
    groupId,
    groupState: group.state,
    groupEpoch: group.epoch,
    assignmentEpoch: group.assignmentEpoch,
    assignorName: group.assignor,
    members: group.members.map(describedMember),
    authorizedOperations: authorizedOperations('group', includesOperations),
  };
}

function describedMember(member: DescribedMember): WireMember {
  const { memberId, memberEpoch, clientId, clientHost, subscribedTopicNames } = member;
  return {
    memberId,
    instanceId: member.groupInstanceId ?? null,
    rackId: member.rackId === '' ? null : member.rackId,
    memberEpoch,
    clientId,
    clientHost,
    subscribedTopicNames,
    subscribedTopicRegex: member.subscribedTopicRegex === '' ? null : member.subscribedTopicRegex,
    assignment: assigned(member.assignment),
    targetAssignment: assigned(member.targetAssignment),
    memberType: MEMBER_TYPES[member.type],
  };
}

/** Topics that are gone have no name to be shown by. */
function assigned(list: readonly DescribedAssignment[]) {
  const known = list.filter(({ topic }) => topic !== '');
  return {
    topicPartitions: known.map(({ topic, topicId, partitions }) => ({
      topicId,
      topicName: topic,
      partitions,
    })),
  };
}

function refused(groupId: string, reason: Failure): WireGroup {
  const nothing = { groupState: '', groupEpoch: 0, assignmentEpoch: 0, assignorName: '', members: [] };
  return { ...nothing, groupId, errorCode: coordinatorErrorOf(reason), errorMessage: reason.message };
}
