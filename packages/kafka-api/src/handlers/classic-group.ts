/**
 * Members of classic groups: JoinGroup, SyncGroup, Heartbeat, LeaveGroup. Metadata and assignments are opaque bytes
 * here; what groups keep of a request is copied, so that no member holds on to the frame it came in.
 */
import type { Failure } from '@millrace/broker';
import { ownCopy } from '@millrace/core';
import type { JoinGroupResponse, LeaveGroupResponse, SyncGroupResponse } from '@millrace/groups';
import type { ResponseDraftOf } from '../schemas/api-table.ts';
import { callerOf } from './group-caller.ts';
import type { Handler, Handlers, RequestFacts, Surroundings } from './handler.ts';
import { coordinatorErrorOf, NO_ERROR } from './wire-error.ts';

const NO_BYTES = Buffer.alloc(0);
/** From these versions of JoinGroup on: KIP-394, a protocol name may be null, KIP-814. */
const KNOWN_MEMBER_ID = 4;
const NULL_PROTOCOL = 7;
const SKIP_ASSIGNMENT = 9;
/** From this version of SyncGroup on members say which protocol they believe was chosen, and must. */
const NAMED_PROTOCOL = 5;
/** From this version of LeaveGroup on several members may leave at once, each with an outcome of its own. */
const SEVERAL_LEAVE = 3;

export function classicGroupHandlers(
  around: Surroundings,
): Pick<Handlers, 'joinGroup' | 'syncGroup' | 'heartbeat' | 'leaveGroup'> {
  return {
    joinGroup: joinHandler(around),
    syncGroup: syncHandler(around),
    heartbeat: heartbeatHandler(around),
    leaveGroup: leaveHandler(around),
  };
}

function joinHandler({ broker: { groups } }: Surroundings): Handler<'joinGroup'> {
  return {
    handle: async (request, facts) => {
      const { version, memory } = facts;
      const { groupId, memberId, groupInstanceId, sessionTimeoutMs, protocolType, protocols, reason } =
        request;
      const answered = groups.joinGroup({
        ...callerOf(facts),
        groupId,
        memberId,
        groupInstanceId: groupInstanceId ?? undefined,
        sessionTimeoutMs,
        // Before there were two timeouts, the one meant both (KIP-62).
        rebalanceTimeoutMs: version === 0 ? sessionTimeoutMs : request.rebalanceTimeoutMs,
        protocolType,
        protocols: protocols.map(({ name, metadata }) => ({ name, metadata: ownCopy(metadata) })),
        requiresKnownMemberId: version >= KNOWN_MEMBER_ID,
        supportsSkippingAssignment: version >= SKIP_ASSIGNMENT,
        reason: reason ?? '',
      });
      // The other members may take minutes.
      memory.release();
      return joined(await answered, facts);
    },
    refuse: ({ memberId }, reason, facts) => {
      const nothing = { protocolType: undefined, protocolName: undefined, leader: '', skipAssignment: false };
      return joined({ ...nothing, failure: reason, generationId: -1, memberId, members: [] }, facts);
    },
  };
}

function joined(
  { failure, protocolType, protocolName, members, ...answer }: JoinGroupResponse,
  { version }: RequestFacts,
): ResponseDraftOf<'joinGroup'> {
  return {
    ...answer,
    errorCode: coordinatorErrorOf(failure),
    protocolType: protocolType ?? null,
    protocolName: protocolName ?? (version >= NULL_PROTOCOL ? null : ''),
    members: members.map(({ memberId, groupInstanceId, metadata }) => ({
      memberId,
      groupInstanceId: groupInstanceId ?? null,
      metadata,
    })),
  };
}

function syncHandler({ broker: { groups } }: Surroundings): Handler<'syncGroup'> {
  return {
    handle: async (request, facts) => {
      const { version, memory } = facts;
      const { groupId, generationId, memberId, groupInstanceId, protocolType, protocolName } = request;
      const saysProtocol = version >= NAMED_PROTOCOL;
      const answered = groups.syncGroup({
        ...callerOf(facts),
        groupId,
        generationId,
        memberId,
        groupInstanceId: groupInstanceId ?? undefined,
        // No protocol has an empty name: who must name one and does not is refused for it.
        protocolType: saysProtocol ? (protocolType ?? '') : undefined,
        protocolName: saysProtocol ? (protocolName ?? '') : undefined,
        assignments: request.assignments.map((one) => ({
          memberId: one.memberId,
          assignment: ownCopy(one.assignment),
        })),
      });
      memory.release();
      return synced(await answered);
    },
    refuse: (_request, reason) =>
      synced({ failure: reason, protocolType: undefined, protocolName: undefined, assignment: NO_BYTES }),
  };
}

function synced({ failure, protocolType, protocolName, assignment }: SyncGroupResponse) {
  return {
    errorCode: coordinatorErrorOf(failure),
    protocolType: protocolType ?? null,
    protocolName: protocolName ?? null,
    assignment,
  };
}

function heartbeatHandler({ broker: { groups } }: Surroundings): Handler<'heartbeat'> {
  return {
    handle: async ({ groupId, generationId, memberId, groupInstanceId }, facts) => {
      const { failure } = await groups.heartbeat({
        ...callerOf(facts),
        groupId,
        generationId,
        memberId,
        groupInstanceId: groupInstanceId ?? undefined,
      });
      return { errorCode: heartbeatError(failure) };
    },
    refuse: (_request, reason) => ({ errorCode: heartbeatError(reason) }),
  };
}

/**
 * Clients take a coordinator that still reads its groups for a broken one when a heartbeat says so. Kafka answers that
 * all is well: sessions begin anew when it has read them.
 */
function heartbeatError(failure: Failure | undefined): number {
  return failure?.code === 'COORDINATOR_LOAD_IN_PROGRESS' ? NO_ERROR : coordinatorErrorOf(failure);
}

function leaveHandler({ broker: { groups } }: Surroundings): Handler<'leaveGroup'> {
  return {
    handle: async ({ groupId, memberId, members }, facts) => {
      const answer = await groups.leaveGroup({
        ...callerOf(facts),
        groupId,
        members:
          facts.version < SEVERAL_LEAVE
            ? [{ memberId, groupInstanceId: undefined, reason: '' }]
            : members.map((member) => ({
                memberId: member.memberId,
                groupInstanceId: member.groupInstanceId ?? undefined,
                reason: member.reason ?? '',
              })),
      });
      return left(answer, facts);
    },
    refuse: (_request, failure, facts) => left({ failure, members: [] }, facts),
  };
}

function left(
  { failure, members }: LeaveGroupResponse,
  { version }: RequestFacts,
): ResponseDraftOf<'leaveGroup'> {
  if (version < SEVERAL_LEAVE) return { errorCode: coordinatorErrorOf(failure ?? members[0]?.failure) };
  return {
    errorCode: coordinatorErrorOf(failure),
    members: members.map(({ memberId, groupInstanceId, failure: own }) => ({
      memberId,
      groupInstanceId: groupInstanceId ?? null,
      errorCode: coordinatorErrorOf(own),
    })),
  };
}
