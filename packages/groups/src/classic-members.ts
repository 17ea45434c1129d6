/**
 * Members of a consumer group that still speak the classic protocol (KIP-848, "Online migration"). They join, ask for
 * their part and send heartbeats as ever, but nobody leads: the coordinator assigns, and a member is sent to join again
 * when there is something to give up or to take. Every request is answered at once; no round waits for anybody.
 */
import { type Random, randomUuid } from '@millrace/core';
import { failureOf, joinFailure, syncFailure } from './classic-answers.ts';
import type { ClassicMember, MemberTerms } from './classic-member.ts';
import { type ConsumerGroupBalance, type Turn, turnAt } from './consumer-group-balance.ts';
import { memberAssignmentRecord } from './consumer-group-records.ts';
import { type ConsumerMember, type MemberSubscription, UNASSIGNED } from './consumer-group-state.ts';
import { nameOf, withReason } from './consumer-group-story.ts';
import {
  CONSUMER_PROTOCOL_TYPE,
  type ConsumerProtocolSubscription,
  decodeAssignmentOf,
  decodeSubscriptionOf,
  encodeAssignmentOf,
  type NamedPartitions,
} from './consumer-protocol.ts';
import type {
  GroupFailure,
  HeartbeatRequest,
  HeartbeatResponse,
  JoinGroupRequest,
  JoinGroupResponse,
  LeaveGroupRequest,
  LeaveGroupResponse,
  LeavingMember,
  SyncGroupRequest,
  SyncGroupResponse,
  TopicPartitions,
} from './group-api.ts';
import type { ClassicGroupRecord, ClassicMemberValue, GroupRecord, TopicsView } from './group-record.ts';
import { isSameSubscription, rebalances, subscriptionText } from './member-subscription.ts';
import {
  difference,
  filterSet,
  intersects,
  listOf,
  type PartitionSet,
  partitionSetOf,
  union,
} from './topic-partitions.ts';

export interface ClassicOutcome<Response> {
  /** Applied already. */
  readonly records: readonly GroupRecord[];
  readonly response: Response;
}

/** Who may join, and in whose place. */
interface Place {
  readonly memberId: string;
  readonly member: ConsumerMember | undefined;
  readonly replaces: ConsumerMember | undefined;
}

interface Claim {
  readonly memberId: string;
  readonly groupInstanceId: string | undefined;
  readonly generationId: number;
}

/** More given-out ids than this, and the oldest is forgotten: who means to join comes back within a round trip. */
const PENDING_IDS_MAX = 1000;

export class ClassicMembers {
  readonly #balance: ConsumerGroupBalance;
  /** Ids given out with MEMBER_ID_REQUIRED (KIP-394), oldest first. */
  readonly #pending = new Set<string>();

  constructor(balance: ConsumerGroupBalance) {
    this.#balance = balance;
  }

  /** Every member is one: nothing holds the group to the consumer protocol any more. */
  get areAll(): boolean {
    const { members } = this.#balance.state;
    if (members.size === 0) return false;
    for (const { subscription } of members.values()) if (subscription?.classic === undefined) return false;
    return true;
  }

  join(
    request: JoinGroupRequest,
    random: Random,
    nowMs: number,
    topics: TopicsView,
  ): ClassicOutcome<JoinGroupResponse> {
    const turn = turnAt(nowMs, topics);
    const wanted = request.protocolType === CONSUMER_PROTOCOL_TYPE ? subscriptionIn(request) : undefined;
    const place =
      wanted === undefined ? failureOf('INCONSISTENT_GROUP_PROTOCOL') : this.#place(request, random);
    if (wanted === undefined || 'code' in place) {
      const failure = 'code' in place ? place : failureOf('INCONSISTENT_GROUP_PROTOCOL');
      return { records: [], response: joinFailure(request.memberId, failure) };
    }
    if (request.memberId === '' && request.groupInstanceId === undefined && request.requiresKnownMemberId) {
      this.#promise(place.memberId);
      return { records: [], response: joinFailure(place.memberId, failureOf('MEMBER_ID_REQUIRED')) };
    }
    this.#balance.lookAtTopics(turn);
    this.#seat(place, memberSubscription(request, wanted), request.reason, turn);
    this.#balance.rebalance(turn);
    // An eager member has given up everything before it joins, and says so by naming nothing.
    const member = this.#balance.reconcile(
      place.memberId,
      partitionSetOf(idsOf(wanted.ownedPartitions, topics)),
      turn,
    );
    // Who has something to give up has had its deadline for that since it was told.
    if (member.state !== 'UNREVOKED_PARTITIONS') this.#balance.demand(place.memberId, 'sync', nowMs);
    const response: JoinGroupResponse = {
      generationId: member.memberEpoch,
      protocolType: CONSUMER_PROTOCOL_TYPE,
      protocolName: request.protocols[0]!.name,
      leader: '',
      memberId: place.memberId,
      skipAssignment: false,
      members: [],
    };
    return { records: turn.records, response };
  }

  sync(request: SyncGroupRequest, nowMs: number, topics: TopicsView): SyncGroupResponse {
    const member = this.#claim(request);
    if ('code' in member) return syncFailure(member);
    const { memberId, subscription, assignment } = member;
    const protocolName = subscription!.classic!.protocols[0]!.name;
    const isOther =
      (request.protocolType !== undefined && request.protocolType !== CONSUMER_PROTOCOL_TYPE) ||
      (request.protocolName !== undefined && request.protocolName !== protocolName);
    if (isOther) return syncFailure(failureOf('INCONSISTENT_GROUP_PROTOCOL'));
    this.#balance.hear(memberId, nowMs);
    // Who has to give something up is told what it keeps, gives up the rest, and joins again by itself.
    const mustRevoke = assignment.state === 'UNREVOKED_PARTITIONS';
    if (!mustRevoke && assignment.memberEpoch < this.#balance.state.epoch) {
      this.#balance.demand(memberId, 'join', nowMs);
      return syncFailure(failureOf('REBALANCE_IN_PROGRESS'));
    }
    if (!mustRevoke) this.#balance.sessions.acquit(memberId);
    const bytes = assignmentBytes(assignment.assigned, topics);
    return { protocolType: CONSUMER_PROTOCOL_TYPE, protocolName, assignment: bytes };
  }

  heartbeat(request: HeartbeatRequest, nowMs: number): HeartbeatResponse {
    const member = this.#claim(request);
    if ('code' in member) return { failure: member };
    const { duty } = this.#balance.hear(member.memberId, nowMs);
    if (!this.#mustJoin(member)) return {};
    if (duty === undefined) this.#balance.demand(member.memberId, 'join', nowMs);
    return { failure: failureOf('REBALANCE_IN_PROGRESS') };
  }

  leave(request: LeaveGroupRequest, nowMs: number, topics: TopicsView): ClassicOutcome<LeaveGroupResponse> {
    const turn = turnAt(nowMs, topics);
    const members = request.members.map((leaving) => {
      const { memberId, groupInstanceId } = leaving;
      return { memberId, groupInstanceId, failure: this.#leaveOne(leaving, turn) };
    });
    this.#balance.rebalance(turn);
    return { records: turn.records, response: { members } };
  }

  // ---- the move between the protocols -----------------------------------------------------------------------------------

  /** Takes over the members of a classic group, with what they hold. Nobody may be in this group before. */
  adopt(
    members: readonly ClassicMember[],
    generation: number,
    nowMs: number,
    topics: TopicsView,
  ): readonly GroupRecord[] {
    const turn = turnAt(nowMs, topics);
    const { groupId } = this.#balance.state;
    const epoch = Math.max(generation, 1);
    for (const member of members) this.#adoptMember(member, epoch, turn);
    const value = { epoch, metadataHash: this.#balance.hashOf(topics) };
    this.#balance.write(turn, { kind: 'consumer-group-epoch', groupId, value });
    this.#balance.write(turn, { kind: 'target-epoch', groupId, value: { assignmentEpoch: epoch } });
    this.#balance.hearAll(nowMs);
    const cause = `a member of the consumer protocol joins ${members.length} classic members`;
    this.#balance.story.group('converted', epoch, cause);
    return turn.records;
  }

  #adoptMember(member: ClassicMember, epoch: number, turn: Turn): void {
    const { state } = this.#balance;
    const { groupId } = state;
    const { memberId } = member;
    const wanted = subscriptionIn(member);
    if (wanted === undefined) return;
    // An assignor of the members' own may have given a partition to two of them, or one that does not exist.
    const assigned = filterSet(
      partitionSetOf(idsOf(decodeAssignmentOf(member.assignment) ?? [], turn.topics)),
      (topicId, partition) =>
        state.ownerOf(topicId, partition) === undefined &&
        partition < (turn.topics.byId(topicId)?.partitionCount ?? 0),
    );
    const value = memberSubscription(member, wanted);
    this.#balance.write(turn, { kind: 'member-subscription', groupId, memberId, value });
    const partitions = listOf(assigned);
    this.#balance.write(turn, { kind: 'target-assignment', groupId, memberId, value: { partitions } });
    const assignment = { ...UNASSIGNED, memberEpoch: epoch, previousMemberEpoch: epoch, assigned };
    this.#balance.write(turn, memberAssignmentRecord(groupId, memberId, assignment));
  }

  /** By member: the epoch at which it holds what it holds. */
  epochs(): ReadonlyMap<string, number> {
    const { members } = this.#balance.state;
    return new Map(
      Array.from(members.values(), ({ memberId, assignment }) => [memberId, assignment.memberEpoch]),
    );
  }

  /** The group as a classic one, each member with what it holds; undefined where they share no protocol. */
  classicRecord(topics: TopicsView, wallMs: number): ClassicGroupRecord | undefined {
    const { members, groupId, epoch } = this.#balance.state;
    const all = [...members.values()];
    const [first] = all;
    const protocol = first?.subscription?.classic?.protocols.find(({ name }) =>
      all.every(({ subscription }) => subscription?.classic?.protocols.some((one) => one.name === name)),
    )?.name;
    if (first === undefined || protocol === undefined) return undefined;
    return {
      kind: 'classic-group',
      groupId,
      value: {
        protocolType: CONSUMER_PROTOCOL_TYPE,
        generation: epoch,
        protocol,
        leader: first.memberId,
        stateAtMs: wallMs,
        members: all.map((member) => classicValue(member, protocol, topics)),
      },
    };
  }

  // ---- who may ask ------------------------------------------------------------------------------------------------------

  #place({ memberId, groupInstanceId, clientId }: JoinGroupRequest, random: Random): Place | GroupFailure {
    const { state, config } = this.#balance;
    const freshId = (): string => `${groupInstanceId ?? clientId}-${randomUuid(random)}`;
    const member = state.members.get(memberId);
    const holder = groupInstanceId === undefined ? undefined : state.memberOfInstance(groupInstanceId);
    if (holder !== undefined && holder.memberId !== memberId) {
      if (memberId !== '') return failureOf('FENCED_INSTANCE_ID');
      return { memberId: freshId(), member: undefined, replaces: holder };
    }
    if (member !== undefined) return { memberId, member, replaces: undefined };
    if (memberId !== '' && !this.#pending.delete(memberId)) return failureOf('UNKNOWN_MEMBER_ID');
    if (state.members.size >= config['group.consumer.max.size']) return failureOf('GROUP_MAX_SIZE_REACHED');
    return { memberId: memberId === '' ? freshId() : memberId, member: undefined, replaces: undefined };
  }

  #promise(memberId: string): void {
    this.#pending.add(memberId);
    const [oldest] = this.#pending;
    if (this.#pending.size > PENDING_IDS_MAX) this.#pending.delete(oldest!);
  }

  #seat({ memberId, member, replaces }: Place, value: MemberSubscription, reason: string, turn: Turn): void {
    const { state, story, sessions } = this.#balance;
    const { groupId, epoch } = state;
    const before = (replaces ?? member)?.subscription;
    const record = { kind: 'member-subscription', groupId, memberId, value } as const;
    if (replaces !== undefined) this.#balance.replace(replaces, memberId, record, turn);
    else if (before === undefined || !isSameSubscription(before, value)) this.#balance.write(turn, record);
    if (replaces !== undefined) sessions.delete(replaces.memberId);
    this.#balance.hear(memberId, turn.nowMs);
    const name = nameOf(memberId, value);
    if (replaces !== undefined) {
      const cause = withReason(`takes the place of ${replaces.memberId}`, reason);
      story.member(memberId, value, { kind: 'replaced', epoch, cause });
    } else if (before === undefined) {
      const cause = withReason(`${subscriptionText(value)} (classic protocol)`, reason);
      story.member(memberId, value, { kind: 'joined', epoch, cause });
      turn.causes.push(`${name} joined`);
    }
    if (before !== undefined && rebalances(before, value)) {
      story.subscribed(memberId, value, epoch);
      turn.causes.push(`${name} changed its subscription`);
    }
  }

  #leaveOne({ memberId, groupInstanceId, reason }: LeavingMember, turn: Turn): GroupFailure | undefined {
    const { state } = this.#balance;
    if (groupInstanceId === undefined && this.#pending.delete(memberId)) return undefined;
    const member =
      groupInstanceId === undefined ? state.members.get(memberId) : state.memberOfInstance(groupInstanceId);
    if (member?.subscription === undefined) return failureOf('UNKNOWN_MEMBER_ID');
    if (memberId !== '' && member.memberId !== memberId) return failureOf('FENCED_INSTANCE_ID');
    // An operator may name any static member; a member can only take itself out by its own protocol.
    const isOther = member.subscription.classic === undefined && groupInstanceId === undefined;
    if (isOther) return failureOf('UNKNOWN_MEMBER_ID');
    this.#balance.remove(member, { kind: 'left', cause: withReason('left', reason) }, turn);
    return undefined;
  }

  #claim({ memberId, groupInstanceId, generationId }: Claim): ConsumerMember | GroupFailure {
    const { state } = this.#balance;
    const holder = groupInstanceId === undefined ? undefined : state.memberOfInstance(groupInstanceId);
    if (holder !== undefined && holder.memberId !== memberId) return failureOf('FENCED_INSTANCE_ID');
    const member = groupInstanceId === undefined ? state.members.get(memberId) : holder;
    if (member?.subscription?.classic === undefined) return failureOf('UNKNOWN_MEMBER_ID');
    return generationId === member.assignment.memberEpoch ? member : failureOf('ILLEGAL_GENERATION');
  }

  /** There is something new for it, something to give up, or something that it waited for has come free. */
  #mustJoin({ memberId, assignment }: ConsumerMember): boolean {
    const { state } = this.#balance;
    if (assignment.memberEpoch < state.epoch || assignment.state === 'UNREVOKED_PARTITIONS') return true;
    if (assignment.state !== 'UNRELEASED_PARTITIONS') return false;
    const missing = difference(state.targetOf(memberId), assignment.assigned);
    const free = filterSet(missing, (topicId, partition) =>
      this.#balance.isFree(memberId, topicId, partition),
    );
    return intersects(missing, free);
  }
}

/** Of the first protocol that says it in Kafka's way. */
function subscriptionIn({
  protocols,
}: Pick<JoinGroupRequest, 'protocols'>): ConsumerProtocolSubscription | undefined {
  for (const { metadata } of protocols) {
    const subscription = decodeSubscriptionOf(metadata);
    if (subscription !== undefined) return subscription;
  }
  return undefined;
}

function memberSubscription(
  request: MemberTerms & Pick<JoinGroupRequest, 'groupInstanceId'>,
  wanted: ConsumerProtocolSubscription,
): MemberSubscription {
  return {
    groupInstanceId: request.groupInstanceId,
    rackId: wanted.rackId,
    clientId: request.clientId,
    clientHost: request.clientHost,
    subscribedTopicNames: [...new Set(wanted.topics)].sort(),
    subscribedTopicRegex: undefined,
    rebalanceTimeoutMs: request.rebalanceTimeoutMs,
    serverAssignor: undefined,
    classic: { sessionTimeoutMs: request.sessionTimeoutMs, protocols: request.protocols },
  };
}

function idsOf(list: readonly NamedPartitions[], topics: TopicsView): readonly TopicPartitions[] {
  return list.flatMap(({ topic, partitions }) => {
    const topicId = topics.byName(topic)?.topicId;
    return topicId === undefined ? [] : [{ topicId, partitions }];
  });
}

function classicValue(
  { memberId, subscription, assignment }: ConsumerMember,
  protocol: string,
  topics: TopicsView,
): ClassicMemberValue {
  const { groupInstanceId, clientId, clientHost, rebalanceTimeoutMs, classic } = subscription!;
  return {
    memberId,
    groupInstanceId,
    clientId,
    clientHost,
    rebalanceTimeoutMs,
    sessionTimeoutMs: classic!.sessionTimeoutMs,
    subscription: classic!.protocols.find(({ name }) => name === protocol)!.metadata,
    // Also what it has yet to give up: nobody else may have that before it has joined again.
    assignment: assignmentBytes(union(assignment.assigned, assignment.pendingRevocation), topics),
  };
}

/** A topic that does not exist any more has no name to tell. */
function assignmentBytes(set: PartitionSet, topics: TopicsView): Buffer {
  const named = [...set].flatMap(([topicId, partitions]) => {
    const topic = topics.byId(topicId)?.name;
    return topic === undefined ? [] : [{ topic, partitions }];
  });
  return encodeAssignmentOf(named);
}
