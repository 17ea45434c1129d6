/**
 * The target assignment of a consumer group: who subscribes to what, which assignor the members prefer, and what it
 * says. Reads the group's state and the topics; changes neither.
 */

import type { AssignorMember } from './assignors/assignor.ts';
import { ASSIGNORS } from './assignors/assignors.ts';
import { assignUniform } from './assignors/uniform.ts';
import type { ConsumerGroupState, ConsumerMember } from './consumer-group-state.ts';
import type { TopicsView, TopicView } from './group-record.ts';
import type { PartitionSet } from './topic-partitions.ts';

/** The target of every member that a new computation gives another one. */
export function changedTargets(
  state: ConsumerGroupState,
  topics: TopicsView,
  assignor: string,
): ReadonlyMap<string, PartitionSet> {
  const resolved = new Map<string, readonly TopicView[]>();
  const members: AssignorMember[] = [];
  for (const member of state.members.values()) {
    let subscribed = resolved.get(member.subscriptionKey);
    if (subscribed === undefined) {
      subscribed = topicsOf(member, state, topics);
      resolved.set(member.subscriptionKey, subscribed);
    }
    members.push({
      memberId: member.memberId,
      groupInstanceId: member.subscription?.groupInstanceId,
      rackId: member.subscription?.rackId,
      topics: subscribed,
      current: state.targetOf(member.memberId),
    });
  }
  const assign = ASSIGNORS.get(assignor) ?? assignUniform;
  const changed = new Map<string, PartitionSet>();
  for (const [memberId, target] of assign(members)) {
    if (target !== state.targetOf(memberId)) changed.set(memberId, target);
  }
  return changed;
}

function topicsOf(
  { subscription }: ConsumerMember,
  state: ConsumerGroupState,
  topics: TopicsView,
): readonly TopicView[] {
  const names = new Set(subscription?.subscribedTopicNames);
  const pattern = subscription?.subscribedTopicRegex;
  if (pattern !== undefined) for (const name of state.patterns.get(pattern)?.topics ?? []) names.add(name);
  return [...names].sort().flatMap((name) => topics.byName(name) ?? []);
}

/** Names that any member subscribes to, itself or by a pattern. */
export function subscribedNames(state: ConsumerGroupState): ReadonlySet<string> {
  const names = new Set(state.counts.names.keys());
  for (const pattern of state.counts.patterns.keys()) {
    for (const name of state.patterns.get(pattern)?.topics ?? []) names.add(name);
  }
  return names;
}

/** The one that most members ask for; the coordinator's order decides between equals, and where nobody asks. */
export function preferredAssignor(state: ConsumerGroupState, assignors: readonly string[]): string {
  let preferred = assignors[0] ?? 'uniform';
  for (const name of assignors) {
    if (state.counts.assignors.get(name) > state.counts.assignors.get(preferred)) preferred = name;
  }
  return preferred;
}
