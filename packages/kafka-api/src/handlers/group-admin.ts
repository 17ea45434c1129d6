/** Groups as operators see them: ListGroups, DescribeGroups (of classic groups), DeleteGroups. */
import type { Failure } from '@millrace/broker';
import type { DescribedGroup, DescribedMember } from '@millrace/groups';
import type { ResponseDraftOf } from '../schemas/api-table.ts';
import { authorizedOperations } from './authorized-operations.ts';
import type { Handler, Handlers, Surroundings } from './handler.ts';
import { coordinatorErrorOf, NO_ERROR } from './wire-error.ts';

type WireGroup = ResponseDraftOf<'describeGroups'>['groups'][number];
type WireMember = WireGroup['members'][number];

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
    handle: async ({ groups: groupIds, includeAuthorizedOperations }) => {
      // A group may be large: it is shown once, however often it is named.
      const found = await groups.describeGroups([...new Set(groupIds)]);
      return { groups: found.map((group) => described(group, includeAuthorizedOperations)) };
    },
    refuse: ({ groups: groupIds }, failure) => ({
      groups: groupIds.map((groupId) => nothing(groupId, failure)),
    }),
  };
}

/** These versions know classic groups only, and of any other name they say that its group is dead. */
function described(group: DescribedGroup, includesOperations: boolean): WireGroup {
  const { groupId, failure, type } = group;
  const operations = authorizedOperations('group', includesOperations);
  if (failure?.code === 'GROUP_ID_NOT_FOUND' || (failure === undefined && type !== 'classic'))
    return { ...nothing(groupId, undefined), groupState: 'Dead', authorizedOperations: operations };
  if (failure !== undefined) return nothing(groupId, failure);
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

function nothing(groupId: string, failure: Failure | undefined): WireGroup {
  const empty = { groupState: '', protocolType: '', protocolData: '', members: [] };
  return { ...empty, groupId, errorCode: coordinatorErrorOf(failure) };
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
