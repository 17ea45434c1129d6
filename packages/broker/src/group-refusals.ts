/** Answers that refuse, in the shape that each request expects. Also which failure of the log means what to a member. */
import type { ErrorCode } from '@millrace/core';
import {
  type DescribedGroup,
  type GroupHistory,
  type GroupRequestName,
  type GroupRequests,
  joinFailure,
  syncFailure,
} from '@millrace/groups';
import { type Failure, failure } from './failure.ts';

type Refusals = {
  readonly [N in GroupRequestName]: (
    request: GroupRequests[N]['request'],
    failure: Failure,
  ) => GroupRequests[N]['response'];
};

const REFUSALS: Refusals = {
  joinGroup: ({ memberId }, failure) => joinFailure(memberId, failure),
  syncGroup: (_, failure) => syncFailure(failure),
  heartbeat: (_, failure) => ({ failure }),
  leaveGroup: (_, failure) => ({ failure, members: [] }),
  consumerGroupHeartbeat: ({ memberId, memberEpoch }, failure) => ({
    failure,
    memberId,
    memberEpoch,
    heartbeatIntervalMs: 0,
    assignment: undefined,
  }),
  offsetCommit: (_, failure) => ({ failure, offsets: [] }),
  offsetDelete: (_, failure) => ({ failure, offsets: [] }),
  deleteGroup: ({ groupId }, failure) => ({ groupId, failure }),
};

export function refusal<N extends GroupRequestName>(
  name: N,
  request: GroupRequests[N]['request'],
  failure: Failure,
): GroupRequests[N]['response'] {
  return REFUSALS[name](request, failure);
}

export function describedRefusal(groupId: string, failure: Failure): DescribedGroup {
  return {
    groupId,
    failure,
    type: 'classic',
    protocolType: '',
    state: 'Dead',
    epoch: -1,
    assignmentEpoch: -1,
    assignor: '',
    members: [],
  };
}

export function explainedRefusal(groupId: string, failure: Failure): GroupHistory {
  return { groupId, failure, type: 'classic', state: 'Dead', events: [], droppedEvents: 0, members: [] };
}

/** The leader cannot serve: another replica, or this one a little later, coordinates. */
const LOST: ReadonlySet<ErrorCode> = new Set([
  'NOT_LEADER_OR_FOLLOWER',
  'FENCED_LEADER_EPOCH',
  'KAFKA_STORAGE_ERROR',
  'DISK_FULL',
  'LOG_DAMAGED',
  'NODE_NOT_SERVING',
]);

/** What a member hears when the log failed its coordinator: always something that it tries again after. */
export function coordinatorFailure({ code, message }: Failure): Failure {
  return failure(LOST.has(code) ? 'NOT_COORDINATOR' : 'COORDINATOR_NOT_AVAILABLE', message);
}
