/**
 * One group of the classic protocol as its coordinator sees it: requests and the time go in, records and answers go
 * into a draft. Who may speak for a member is decided here (generation, member id, instance id; rule P27); what a
 * round is, is in `classic-rebalance.ts`.
 */
import type { Random } from '@millrace/core';
import { failureOf, NO_BYTES, syncFailure } from './classic-answers.ts';
import { joinClassicGroup } from './classic-join.ts';
import { type ClassicMember, metadataFor } from './classic-member.ts';
import { ClassicRebalance, labelOf } from './classic-rebalance.ts';
import { classicGroupRecord } from './classic-record.ts';
import { withReason } from './consumer-group-story.ts';
import { CONSUMER_PROTOCOL_TYPE, decodeAssignmentOf, decodeSubscriptionOf } from './consumer-protocol.ts';
import type {
  DescribedAssignment,
  DescribedGroup,
  DescribedMember,
  GroupFailure,
  GroupListing,
  HeartbeatRequest,
  JoinGroupRequest,
  LeaveGroupRequest,
  LeaveGroupResponse,
  LeavingMember,
  SyncGroupRequest,
} from './group-api.ts';
import type { GroupConfig } from './group-config.ts';
import type { RequestToken } from './group-coordinator.ts';
import type { GroupHistoryLog } from './group-history.ts';
import type { ClassicGroupRecord, GroupRecord } from './group-record.ts';
import type { OutcomeDraft } from './outcome-draft.ts';
import { recordBytesAtMost } from './record-size.ts';

export interface ClassicGroupOptions {
  readonly config: GroupConfig;
  readonly random: Random;
  readonly wallMs: () => number;
  /** Of the group's life under the consumer protocol, to be continued. */
  readonly history?: GroupHistoryLog | undefined;
}

const TOO_LARGE = 'subscriptions and assignments of the group do not fit offsets.batch.max.bytes';

/** Who says it speaks for a member. */
interface Claim {
  readonly memberId: string;
  readonly groupInstanceId: string | undefined;
  readonly generationId: number;
}

export class ClassicGroup {
  readonly type = 'classic';
  readonly #rounds: ClassicRebalance;
  readonly #random: Random;
  #takenOver: { readonly generation: number; readonly epochs: ReadonlyMap<string, number> } | undefined;
  #subscribed: { readonly version: number; readonly topics: ReadonlySet<string> | undefined } | undefined;

  constructor(groupId: string, options: ClassicGroupOptions) {
    this.#rounds = new ClassicRebalance(groupId, options.config, options.wallMs, options.history);
    this.#random = options.random;
  }

  get groupId(): string {
    return this.#rounds.groupId;
  }

  get history(): GroupHistoryLog {
    return this.#rounds.history;
  }

  get isEmpty(): boolean {
    return this.#rounds.state === 'Empty';
  }

  /** Its generation. */
  get epoch(): number {
    return this.#rounds.generation;
  }

  /** Nobody is in it and nobody is expected. */
  get isVacant(): boolean {
    return this.isEmpty && this.#rounds.roster.pendingSize === 0;
  }

  get memberCount(): number {
    return this.#rounds.roster.size;
  }

  /** Whether the log may hold a record of it. */
  get isRecorded(): boolean {
    return this.#rounds.generation > 0;
  }

  /** Wall time since when it is as it is; -1 unknown. */
  get stateAtMs(): number {
    return this.#rounds.stateAtMs;
  }

  get isStable(): boolean {
    return this.#rounds.state === 'Stable';
  }

  join(token: RequestToken, request: JoinGroupRequest, nowMs: number, out: OutcomeDraft): void {
    joinClassicGroup(this.#rounds, { request, token, nowMs, random: this.#random, out });
  }

  sync(token: RequestToken, request: SyncGroupRequest, nowMs: number, out: OutcomeDraft): void {
    const claimed = this.#claim(request);
    const refusal = 'code' in claimed ? claimed : this.#syncRefusal(request);
    if (refusal !== undefined) out.answer(token, syncFailure(refusal));
    else if ('memberId' in claimed) this.#syncMember(claimed, token, request, nowMs, out);
  }

  heartbeat(request: HeartbeatRequest, nowMs: number): GroupFailure | undefined {
    const claimed = this.#claim(request);
    if ('code' in claimed) return claimed;
    this.#rounds.seen(claimed, nowMs);
    return this.#rounds.state === 'PreparingRebalance' ? failureOf('REBALANCE_IN_PROGRESS') : undefined;
  }

  leave(request: LeaveGroupRequest, nowMs: number, out: OutcomeDraft): LeaveGroupResponse {
    const left: string[] = [];
    const members = request.members.map((leaving) => {
      const { memberId, groupInstanceId } = leaving;
      const failure = this.#leaveOne(leaving, left, out);
      return { memberId, groupInstanceId, failure };
    });
    if (left.length > 0) {
      const who = left.length === 1 ? left[0] : `${left.length} members`;
      this.#rounds.continueWithout(`${who} left`, nowMs, out);
    }
    return { members };
  }

  /** Whether the commit may be done; a commit of a member is a sign of life. */
  checkCommit(
    memberId: string,
    groupInstanceId: string | undefined,
    generationId: number,
    nowMs: number,
  ): GroupFailure | undefined {
    const { state } = this.#rounds;
    if (generationId < 0 && state === 'Empty') return undefined;
    const claimed = this.#claim({ memberId, groupInstanceId, generationId });
    if ('code' in claimed) return claimed;
    if (state === 'CompletingRebalance') return failureOf('REBALANCE_IN_PROGRESS');
    this.#rounds.seen(claimed, nowMs);
    return undefined;
  }

  tick(nowMs: number, out: OutcomeDraft): void {
    this.#rounds.tick(nowMs, out);
  }

  /** Not after the earliest deadline. */
  nextTickMs(): number {
    return this.#rounds.dueMs;
  }

  apply(record: ClassicGroupRecord): void {
    this.#rounds.apply(record);
  }

  loaded(nowMs: number, out: OutcomeDraft): void {
    const rounds = this.#rounds;
    rounds.renewSessions(nowMs);
    rounds.note('loaded', 'a new coordinator has read the group');
    if (rounds.roster.size > rounds.config['group.max.size'])
      rounds.begin('the group has more members than group.max.size', nowMs, out);
  }

  /** Members that have been in a generation; one whose first join still waits has nothing to lose. */
  members(): readonly ClassicMember[] {
    return [...this.#rounds.roster.members()].filter(({ isNew }) => !isNew);
  }

  /** The group moves to the other protocol: whoever waits is to ask again. */
  dissolve(out: OutcomeDraft): void {
    const why = failureOf('REBALANCE_IN_PROGRESS', 'the group moves to the consumer protocol');
    for (const member of this.#rounds.roster.members()) this.#rounds.release(member, why, out);
  }

  /**
   * The group comes from the other protocol, by a record that was applied: everybody is to join.
   * @param epochs of its members there. Until they have joined they speak for what they hold by these, and lose nothing.
   */
  takeOver(cause: string, epochs: ReadonlyMap<string, number>, nowMs: number, out: OutcomeDraft): void {
    this.#rounds.renewSessions(nowMs);
    this.#takenOver = { generation: this.#rounds.generation, epochs };
    this.#rounds.note('converted', cause);
    this.#rounds.begin(cause, nowMs, out);
  }

  resumed(nowMs: number): void {
    this.#rounds.renewSessions(nowMs);
  }

  /** Takes the group out of the log; nobody may be in it. */
  tombstones(): readonly GroupRecord[] {
    return [{ kind: 'classic-group', groupId: this.groupId, value: undefined }];
  }

  /** Whether a member reads the topic; true too where a member does not say what it reads. */
  isSubscribedTo(topic: string): boolean {
    if (this.#rounds.roster.size === 0) return false;
    const { version } = this.#rounds.roster;
    if (this.#subscribed?.version !== version) this.#subscribed = { version, topics: this.#readTopics() };
    return this.#subscribed.topics?.has(topic) ?? true;
  }

  /** Its members say in Kafka's own way what they read. */
  get isOfConsumers(): boolean {
    return this.#rounds.protocolType === CONSUMER_PROTOCOL_TYPE;
  }

  listing(): GroupListing {
    const { groupId, state, protocolType } = this.#rounds;
    return { groupId, type: 'classic', protocolType: protocolType ?? '', state };
  }

  describe(): DescribedGroup {
    const { generation, protocolName, roster } = this.#rounds;
    return {
      ...this.listing(),
      epoch: generation,
      assignmentEpoch: generation,
      assignor: protocolName ?? '',
      members: [...roster.members()].map((member) => this.#describeMember(member)),
    };
  }

  /** The member that may speak under this claim, or why there is none. */
  #claim({ memberId, groupInstanceId, generationId }: Claim): ClassicMember | GroupFailure {
    const { roster, generation } = this.#rounds;
    const ofInstance = roster.ofInstance(groupInstanceId);
    if (ofInstance !== undefined && ofInstance.memberId !== memberId) return failureOf('FENCED_INSTANCE_ID');
    const member = groupInstanceId === undefined ? roster.get(memberId) : ofInstance;
    if (member === undefined) return failureOf('UNKNOWN_MEMBER_ID');
    const isCurrent = generationId === generation || this.#isHeldOver(member, generationId);
    return isCurrent ? member : failureOf('ILLEGAL_GENERATION');
  }

  /** The member has not joined since the group was taken over: nobody else has what it holds. */
  #isHeldOver({ memberId }: ClassicMember, epoch: number): boolean {
    const { state, generation } = this.#rounds;
    const isFirstRound = state === 'PreparingRebalance' && generation === this.#takenOver?.generation;
    return isFirstRound && this.#takenOver?.epochs.get(memberId) === epoch;
  }

  #syncRefusal({ protocolType, protocolName }: SyncGroupRequest): GroupFailure | undefined {
    const rounds = this.#rounds;
    const isOther =
      (protocolType !== undefined && protocolType !== rounds.protocolType) ||
      (protocolName !== undefined && protocolName !== rounds.protocolName);
    if (isOther) return failureOf('INCONSISTENT_GROUP_PROTOCOL');
    return rounds.state === 'PreparingRebalance' ? failureOf('REBALANCE_IN_PROGRESS') : undefined;
  }

  #syncMember(
    member: ClassicMember,
    token: RequestToken,
    request: SyncGroupRequest,
    nowMs: number,
    out: OutcomeDraft,
  ): void {
    const rounds = this.#rounds;
    if (rounds.state === 'Stable') {
      this.#answerAgain(token, member, nowMs, out);
      return;
    }
    if (member.memberId !== rounds.roster.leaderId) {
      rounds.awaitAssignment(member, token, out);
      return;
    }
    const assignments = new Map(request.assignments.map((one) => [one.memberId, one.assignment]));
    // The new ones replace those of the generation before.
    const besideBytes = recordBytesAtMost(classicGroupRecord(rounds)) - bytesOf([...rounds.roster.members()]);
    if (besideBytes + bytesOf(request.assignments) > rounds.config['offsets.batch.max.bytes']) {
      out.answer(token, syncFailure(failureOf('MESSAGE_TOO_LARGE', TOO_LARGE)));
      rounds.begin(TOO_LARGE, nowMs, out);
      return;
    }
    rounds.awaitAssignment(member, token, out);
    rounds.assign(assignments, nowMs, out);
  }

  /** The generation is assigned already: a follower that came late, or an answer that was lost. */
  #answerAgain(token: RequestToken, member: ClassicMember, nowMs: number, out: OutcomeDraft): void {
    if (member.owesSync) {
      this.#rounds.awaitAssignment(member, token, out);
      this.#rounds.answerAssignment(member, nowMs, out);
      return;
    }
    this.#rounds.seen(member, nowMs);
    const { protocolType, protocolName } = this.#rounds;
    out.answer(token, { protocolType, protocolName, assignment: member.assignment });
  }

  #leaveOne(
    { memberId, groupInstanceId, reason }: LeavingMember,
    left: string[],
    out: OutcomeDraft,
  ): GroupFailure | undefined {
    const { roster } = this.#rounds;
    if (groupInstanceId === undefined && roster.takePending(memberId)) {
      left.push(memberId);
      return undefined;
    }
    const member = groupInstanceId === undefined ? roster.get(memberId) : roster.ofInstance(groupInstanceId);
    if (member === undefined) return failureOf('UNKNOWN_MEMBER_ID');
    if (memberId !== '' && member.memberId !== memberId) return failureOf('FENCED_INSTANCE_ID');
    const cause = withReason('left', reason);
    this.#rounds.drop(member, 'left', cause, failureOf('UNKNOWN_MEMBER_ID'), out);
    left.push(labelOf(member));
    return undefined;
  }

  #readTopics(): ReadonlySet<string> | undefined {
    if (!this.isOfConsumers) return undefined;
    const topics = new Set<string>();
    for (const member of this.#rounds.roster.members()) {
      for (const { metadata } of member.protocols) {
        const subscription = decodeSubscriptionOf(metadata);
        if (subscription === undefined) return undefined;
        for (const topic of subscription.topics) topics.add(topic);
      }
    }
    return topics;
  }

  #describeMember(member: ClassicMember): DescribedMember {
    const metadata = metadataFor(member, this.#rounds.protocolName);
    const shown = this.isOfConsumers ? decodeSubscriptionOf(metadata) : undefined;
    const isAssigned = this.#rounds.state === 'Stable';
    return {
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      rackId: shown?.rackId ?? '',
      memberEpoch: -1,
      type: 'classic',
      subscribedTopicNames: shown?.topics ?? [],
      subscribedTopicRegex: '',
      assignment: isAssigned && this.isOfConsumers ? describedAssignment(member.assignment) : [],
      targetAssignment: [],
      classicMetadata: metadata,
      classicAssignment: isAssigned ? member.assignment : NO_BYTES,
    };
  }
}

function describedAssignment(bytes: Buffer): readonly DescribedAssignment[] {
  return (decodeAssignmentOf(bytes) ?? []).map(({ topic, partitions }) => ({
    topic,
    topicId: '',
    partitions,
  }));
}

function bytesOf(list: readonly { readonly assignment: Buffer }[]): number {
  return list.reduce((sum, { assignment }) => sum + assignment.length, 0);
}
