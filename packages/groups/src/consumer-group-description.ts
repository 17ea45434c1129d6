/** A consumer group as operators see it. */
import type { ConsumerGroupState, ConsumerMember } from './consumer-group-state.ts';
import type { DescribedGroup, DescribedMember, GroupStateName } from './group-api.ts';
import type { TopicsView } from './group-record.ts';
import { describedSet } from './partition-moves.ts';

const NO_BYTES = Buffer.alloc(0);

export function describeConsumerGroup(
  group: ConsumerGroupState,
  state: GroupStateName,
  assignor: string,
  topics: TopicsView,
): DescribedGroup {
  return {
    groupId: group.groupId,
    type: 'consumer',
    protocolType: 'consumer',
    state,
    epoch: group.epoch,
    assignmentEpoch: group.assignmentEpoch,
    assignor,
    members: [...group.members.values()].map((member) => describeMember(member, group, topics)),
  };
}

function describeMember(
  { memberId, subscription, assignment }: ConsumerMember,
  group: ConsumerGroupState,
  topics: TopicsView,
): DescribedMember {
  return {
    memberId,
    groupInstanceId: subscription?.groupInstanceId,
    rackId: subscription?.rackId ?? '',
    clientId: subscription?.clientId ?? '',
    clientHost: subscription?.clientHost ?? '',
    memberEpoch: assignment.memberEpoch,
    type: subscription?.classic === undefined ? 'consumer' : 'classic',
    subscribedTopicNames: subscription?.subscribedTopicNames ?? [],
    subscribedTopicRegex: subscription?.subscribedTopicRegex ?? '',
    assignment: describedSet(assignment.assigned, topics),
    targetAssignment: describedSet(group.targetOf(memberId), topics),
    classicMetadata: NO_BYTES,
    classicAssignment: NO_BYTES,
  };
}
