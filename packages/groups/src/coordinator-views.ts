/** What operators are shown of the groups of a coordinator. Changes nothing. */
import { failureOf } from './classic-answers.ts';
import { ClassicGroup } from './classic-group.ts';
import type { DescribedGroup, GroupHistory, GroupListing, ListGroupsRequest } from './group-api.ts';
import type { Group } from './group-directory.ts';
import type { TopicsView } from './group-record.ts';

export function listGroups(groups: Iterable<Group>, request: ListGroupsRequest): readonly GroupListing[] {
  const states = new Set(request.states.map((state) => state.toLowerCase()));
  const types = new Set(request.types.map((type) => type.toLowerCase()));
  const listed: GroupListing[] = [];
  for (const group of groups) {
    const listing = group.listing();
    const isWanted =
      (states.size === 0 || states.has(listing.state.toLowerCase())) &&
      (types.size === 0 || types.has(listing.type));
    if (isWanted) listed.push(listing);
  }
  return listed;
}

export function describeGroup(groupId: string, group: Group | undefined, topics: TopicsView): DescribedGroup {
  if (group instanceof ClassicGroup) return group.describe();
  if (group !== undefined) return group.describe(topics);
  return {
    groupId,
    failure: failureOf('GROUP_ID_NOT_FOUND'),
    type: 'classic',
    protocolType: '',
    state: 'Dead',
    epoch: 0,
    assignmentEpoch: 0,
    assignor: '',
    members: [],
  };
}

export function explainGroup(groupId: string, group: Group | undefined): GroupHistory {
  if (group === undefined) {
    const failure = failureOf('GROUP_ID_NOT_FOUND');
    return { groupId, failure, type: 'classic', state: 'Dead', events: [], droppedEvents: 0, members: [] };
  }
  const { type, state } = group.listing();
  return { groupId, type, state, ...group.history.describe() };
}
