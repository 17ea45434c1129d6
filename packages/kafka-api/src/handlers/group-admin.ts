/** Groups as operators see them: ListGroups, DescribeGroups (of classic groups), DeleteGroups. */
import type { Failure } from '@millrace/broker';
import type { DescribedGroup, DescribedMember } from '@millrace/groups';
import type { ResponseDraftOf } from '../schemas/api-table.ts';
import { authorizedOperations } from './authorized-operations.ts';
import { faultOf } from './group-fault.ts';
import type { Handler, Handlers, Surroundings } from './handler.ts';
import { coordinatorErrorOf, NO_ERROR } from './wire-error.ts';

type WireGroup = ResponseDraftOf<'describeGroups'>['groups'][number];
type WireMember = WireGroup['members'][number];

/** From here on errors have words, and a group that does not exist is one (KIP-1043); before, it is a dead group. */
const FIRST_WITH_REASONS = 6;

export function groupAdminHandlers(
  around: Surroundings,
): Pick<Handlers, 'listGroups' | 'describeGroups' | 'deleteGroups'> {
  return {
    listGroups: listHandler(around),
    describeGroups: describeHandler(around),
    deleteGroups: deleteHandler(around),
  };
}

function listHandler({ broker: { groups } }: Surroundings): Handler<'listGroups'> {
  return {
    handle: async ({ statesFilter, typesFilter }) => {
      const answer = await groups.listGroups({ states: statesFilter, types: typesFilter });
      return {
        errorCode: coordinatorErrorOf(answer.failure),
        groups: answer.groups.map(({ groupId, protocolType, state, type }) => ({
          groupId,
          protocolType,
          groupState: state,
          groupType: type,
        })),
      };
    },
    refuse: (_request, failure) => ({ errorCode: coordinatorErrorOf(failure), groups: [] }),
  };
}

function describeHandler({ broker: { groups } }: Surroundings): Handler<'describeGroups'> {
  return {
    handle: async ({ groups: groupIds, includeAuthorizedOperations }, { version }) => {
      // A group may be large: it is shown once, however often it is named.
      const found = await groups.describeGroups([...new Set(groupIds)]);
      return { groups: found.map((group) => described(group, includeAuthorizedOperations, version)) };
    },
    refuse: ({ groups: groupIds }, fault, { version }) => ({
      groups: groupIds.map((groupId) => nothing(groupId, fault, version)),
    }),
  };
}

/** This API knows classic groups only: a group of another kind is not there for it. */
function described(group: DescribedGroup, includesOperations: boolean, version: number): WireGroup {
  const { groupId } = group;
  const fault = faultOf(group, 'classic');
  const operations = authorizedOperations('group', includesOperations);
  if (fault?.code === 'GROUP_ID_NOT_FOUND') {
    if (version >= FIRST_WITH_REASONS) return { ...nothing(groupId, fault, version), groupState: 'Dead' };
    return { ...nothing(groupId, undefined, version), groupState: 'Dead', authorizedOperations: operations };
  }
  if (fault !== undefined) return nothing(groupId, fault, version);
  return {
    errorCode: NO_ERROR,
    groupId,
    groupState: group.state,
    protocolType: group.protocolType,
    protocolData: group.assignor,
    members: group.members.map(describedMember),
    authorizedOperations: operations,
  };
}

function describedMember(member: DescribedMember): WireMember {
  return {
    memberId: member.memberId,
    groupInstanceId: member.groupInstanceId ?? null,
    clientId: member.clientId,
    clientHost: member.clientHost,
    memberMetadata: member.classicMetadata,
    memberAssignment: member.classicAssignment,
  };
}

function nothing(groupId: string, fault: Failure | undefined, version: number): WireGroup {
  return {
    errorCode: coordinatorErrorOf(fault),
    errorMessage: version >= FIRST_WITH_REASONS ? (fault?.message ?? null) : undefined,
    groupId,
    groupState: '',
    protocolType: '',
    protocolData: '',
    members: [],
  };
}

function deleteHandler({ broker: { groups } }: Surroundings): Handler<'deleteGroups'> {
  return {
    handle: async ({ groupsNames }) => {
      const outcomes = await groups.deleteGroups(groupsNames);
      return {
        results: outcomes.map(({ groupId, failure }) => ({
          groupId,
          errorCode: coordinatorErrorOf(failure),
        })),
      };
    },
    refuse: ({ groupsNames }, failure) => ({
      results: groupsNames.map((groupId) => ({ groupId, errorCode: coordinatorErrorOf(failure) })),
    }),
  };
}
