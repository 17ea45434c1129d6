/**
 * What the records of one consumer group say: epochs, members, targets, and who holds which partition. Changes by
 * `apply` alone, so that replay on another broker gives the same; decides nothing.
 */
import { assertNever, type TopicId } from '@millrace/core';
import type {
  GroupRecord,
  MemberAssignmentRecord,
  MemberSubscriptionRecord,
  ResolvedPatternRecord,
} from './group-record.ts';
import type { MemberAssignment } from './member-reconciliation.ts';
import { NO_PARTITIONS, type PartitionSet, partitionSetOf } from './topic-partitions.ts';

export type MemberSubscription = NonNullable<MemberSubscriptionRecord['value']>;
export type ResolvedPattern = NonNullable<ResolvedPatternRecord['value']>;

export interface ConsumerMember {
  readonly memberId: string;
  /** Undefined while only other records of the member have been read: compaction may turn their order around. */
  readonly subscription: MemberSubscription | undefined;
  /** Equal for members that subscribe alike. */
  readonly subscriptionKey: string;
  readonly assignment: MemberAssignment;
}

/** Of a member that nothing was ever given to. */
export const UNASSIGNED: MemberAssignment = {
  memberEpoch: 0,
  previousMemberEpoch: 0,
  state: 'STABLE',
  assigned: NO_PARTITIONS,
  pendingRevocation: NO_PARTITIONS,
};

export class ConsumerGroupState {
  readonly groupId: string;
  epoch = 0;
  /** Of the topics that `epoch` was made for; 0 unknown. */
  metadataHash = 0n;
  assignmentEpoch = 0;
  readonly #members = new Map<string, ConsumerMember>();
  readonly #targets = new Map<string, PartitionSet>();
  readonly #patterns = new Map<string, ResolvedPattern>();
  readonly #instances = new Map<string, string>();
  readonly #owners = new Map<TopicId, (string | undefined)[]>();
  readonly #subscribers = {
    names: new Counts(),
    patterns: new Counts(),
    assignors: new Counts(),
    racks: new Counts(),
  };

  constructor(groupId: string) {
    this.groupId = groupId;
  }

  get members(): ReadonlyMap<string, ConsumerMember> {
    return this.#members;
  }

  get patterns(): ReadonlyMap<string, ResolvedPattern> {
    return this.#patterns;
  }

  /** How many members subscribe to a name, subscribe by a pattern, ask for an assignor, stand in a rack. */
  get counts(): {
    readonly names: Tally;
    readonly patterns: Tally;
    readonly assignors: Tally;
    readonly racks: Tally;
  } {
    return this.#subscribers;
  }

  targetOf(memberId: string): PartitionSet {
    return this.#targets.get(memberId) ?? NO_PARTITIONS;
  }

  memberOfInstance(groupInstanceId: string): ConsumerMember | undefined {
    const memberId = this.#instances.get(groupInstanceId);
    return memberId === undefined ? undefined : this.#members.get(memberId);
  }

  /** Who holds the partition or has yet to give it up. */
  ownerOf(topicId: TopicId, partition: number): string | undefined {
    return this.#owners.get(topicId)?.[partition];
  }

  apply(record: GroupRecord): void {
    switch (record.kind) {
      case 'consumer-group-epoch':
        this.epoch = record.value?.epoch ?? 0;
        this.metadataHash = record.value?.metadataHash ?? 0n;
        return;
      case 'member-subscription':
        this.#applySubscription(record.memberId, record.value);
        return;
      case 'target-epoch':
        this.assignmentEpoch = record.value?.assignmentEpoch ?? 0;
        return;
      case 'target-assignment':
        if (record.value === undefined) this.#targets.delete(record.memberId);
        else this.#targets.set(record.memberId, partitionSetOf(record.value.partitions));
        return;
      case 'member-assignment':
        this.#applyAssignment(record);
        return;
      case 'resolved-pattern':
        if (record.value === undefined) this.#patterns.delete(record.pattern);
        else this.#patterns.set(record.pattern, record.value);
        return;
      // Kept by the coordinator beside its groups, or the group's own past as a classic one.
      case 'offset':
      case 'classic-group':
        return;
      default:
        assertNever(record);
    }
  }

  /** Drops what other records say of members without a subscription: the log ended between their removals. */
  dropStrays(): void {
    for (const { memberId, subscription } of this.#members.values()) {
      if (subscription !== undefined) continue;
      this.#setAssignment(memberId, UNASSIGNED);
      this.#members.delete(memberId);
    }
    for (const memberId of this.#targets.keys())
      if (!this.#members.has(memberId)) this.#targets.delete(memberId);
  }

  #applySubscription(memberId: string, value: MemberSubscription | undefined): void {
    const before = this.#members.get(memberId);
    if (before?.subscription !== undefined) this.#count(memberId, before.subscription, -1);
    if (value !== undefined) {
      this.#count(memberId, value, 1);
      const assignment = before?.assignment ?? UNASSIGNED;
      this.#members.set(memberId, {
        memberId,
        subscription: value,
        subscriptionKey: keyOf(value),
        assignment,
      });
    } else if (before !== undefined) {
      this.#setAssignment(memberId, UNASSIGNED);
      this.#members.delete(memberId);
    }
  }

  #count(memberId: string, value: MemberSubscription, step: 1 | -1): void {
    const { names, patterns, assignors, racks } = this.#subscribers;
    for (const name of value.subscribedTopicNames) names.add(name, step);
    if (value.subscribedTopicRegex !== undefined) patterns.add(value.subscribedTopicRegex, step);
    if (value.serverAssignor !== undefined) assignors.add(value.serverAssignor, step);
    if (value.rackId !== undefined) racks.add(value.rackId, step);
    const { groupInstanceId } = value;
    if (groupInstanceId === undefined) return;
    if (step === 1) this.#instances.set(groupInstanceId, memberId);
    else if (this.#instances.get(groupInstanceId) === memberId) this.#instances.delete(groupInstanceId);
  }

  #applyAssignment({ memberId, value }: MemberAssignmentRecord): void {
    if (value === undefined && !this.#members.has(memberId)) return;
    this.#setAssignment(
      memberId,
      value === undefined
        ? UNASSIGNED
        : {
            memberEpoch: value.memberEpoch,
            previousMemberEpoch: value.previousMemberEpoch,
            state: value.state,
            assigned: partitionSetOf(value.assigned),
            pendingRevocation: partitionSetOf(value.pendingRevocation),
          },
    );
  }

  #setAssignment(memberId: string, assignment: MemberAssignment): void {
    const before = this.#members.get(memberId);
    if (before !== undefined) {
      this.#release(memberId, before.assignment.assigned);
      this.#release(memberId, before.assignment.pendingRevocation);
    }
    this.#claim(memberId, assignment.assigned);
    this.#claim(memberId, assignment.pendingRevocation);
    const subscription = before?.subscription;
    this.#members.set(memberId, {
      memberId,
      subscription,
      subscriptionKey: before?.subscriptionKey ?? '',
      assignment,
    });
  }

  #claim(memberId: string, set: PartitionSet): void {
    for (const [topicId, partitions] of set) {
      let owners = this.#owners.get(topicId);
      if (owners === undefined) {
        owners = [];
        this.#owners.set(topicId, owners);
      }
      for (const partition of partitions) owners[partition] = memberId;
    }
  }

  #release(memberId: string, set: PartitionSet): void {
    for (const [topicId, partitions] of set) {
      const owners = this.#owners.get(topicId);
      if (owners === undefined) continue;
      for (const partition of partitions) if (owners[partition] === memberId) owners[partition] = undefined;
      if (owners.every((owner) => owner === undefined)) this.#owners.delete(topicId);
    }
  }
}

/** Names are ascending and once each in records of this coordinator. */
function keyOf({ subscribedTopicNames, subscribedTopicRegex }: MemberSubscription): string {
  return `${subscribedTopicNames.join('\n')}\0${subscribedTopicRegex ?? ''}`;
}

export interface Tally {
  readonly size: number;
  has(name: string): boolean;
  get(name: string): number;
  keys(): Iterable<string>;
}

class Counts implements Tally {
  readonly #counts = new Map<string, number>();

  get size(): number {
    return this.#counts.size;
  }

  has(name: string): boolean {
    return this.#counts.has(name);
  }

  get(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  keys(): Iterable<string> {
    return this.#counts.keys();
  }

  add(name: string, step: number): void {
    const count = this.get(name) + step;
    if (count === 0) this.#counts.delete(name);
    else this.#counts.set(name, count);
  }
}
