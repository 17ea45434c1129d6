/**
 * All groups of one partition of `__consumer_offsets`: routes a request to its group, keeps the offsets, and spreads
 * large work over several ticks, so that no batch grows beyond what the log takes. Never waits, and never lets one
 * group's trouble reach another.
 */
import { randomUuid } from '@millrace/core';
import { failureOf, joinFailure, syncFailure } from './classic-answers.ts';
import { ClassicGroup } from './classic-group.ts';
import { ConsumerGroup } from './consumer-group.ts';
import { JOIN_EPOCH } from './consumer-heartbeat-check.ts';
import { CoordinatorChores } from './coordinator-chores.ts';
import { describeGroup, explainGroup, listGroups } from './coordinator-views.ts';
import type {
  ConsumerGroupHeartbeatRequest,
  DescribedGroup,
  GroupFailure,
  GroupHistory,
  GroupListing,
  HeartbeatRequest,
  JoinGroupRequest,
  LeaveGroupRequest,
  ListGroupsRequest,
  OffsetCommitRequest,
  OffsetDeleteRequest,
  OffsetFetchRequest,
  OffsetFetchResponse,
  SyncGroupRequest,
} from './group-api.ts';
import type {
  GroupCoordinator,
  GroupCoordinatorOptions,
  GroupOutcome,
  GroupRequestName,
  GroupRequests,
  RequestToken,
} from './group-coordinator.ts';
import { type Group, GroupDirectory } from './group-directory.ts';
import { isOpenToConsumers, mayUpgrade, upgradeGroup } from './group-migration.ts';
import { GroupOffsets } from './group-offsets.ts';
import type { GroupRecord, TopicsView } from './group-record.ts';
import { OutcomeDraft } from './outcome-draft.ts';
import { checkGroupId, checkJoin, checkLeave } from './request-check.ts';

/** One request on its way through the coordinator. */
interface Step {
  readonly token: RequestToken;
  readonly nowMs: number;
  readonly out: OutcomeDraft;
}

type Handlers = {
  readonly [N in GroupRequestName]: (request: GroupRequests[N]['request'], step: Step) => void;
};

const NO_SUCH_MEMBER = failureOf('UNKNOWN_MEMBER_ID');

export class GroupCoordinatorState implements GroupCoordinator {
  readonly #options: GroupCoordinatorOptions;
  readonly #groups: GroupDirectory;
  readonly #offsets: GroupOffsets;
  readonly #chores: CoordinatorChores;
  #topics: TopicsView;

  readonly #handlers: Handlers = {
    joinGroup: (request, step) => this.#join(request, step),
    syncGroup: (request, step) => this.#sync(request, step),
    heartbeat: (request, step) => this.#heartbeat(request, step),
    leaveGroup: (request, step) => this.#leave(request, step),
    consumerGroupHeartbeat: (request, step) => this.#consumerHeartbeat(request, step),
    offsetCommit: (request, step) => this.#commit(request, step),
    offsetDelete: (request, step) => this.#deleteOffsets(request, step),
    deleteGroup: (request, step) => this.#delete(request.groupId, step),
  };

  constructor(options: GroupCoordinatorOptions) {
    this.#options = options;
    this.#topics = options.topics;
    this.#groups = new GroupDirectory(options);
    this.#offsets = new GroupOffsets(options.config, options.wallMs);
    this.#chores = new CoordinatorChores(this.#groups, this.#offsets, options);
  }

  get size(): { readonly groups: number; readonly members: number; readonly offsets: number } {
    let members = 0;
    for (const group of this.#groups.all()) members += group.memberCount;
    return { groups: this.#groups.size, members, offsets: this.#offsets.table.size };
  }

  replay(_offset: number, record: GroupRecord): void {
    if (record.kind === 'offset') this.#offsets.table.replay(record);
    else this.#groups.replay(record);
  }

  loaded(nowMs: number): GroupOutcome {
    const out = new OutcomeDraft();
    for (const groupId of this.#offsets.table.groupIds())
      if (this.#groups.get(groupId) === undefined) this.#groups.addClassic(groupId);
    for (const group of this.#groups.all()) {
      if (group instanceof ClassicGroup) group.loaded(nowMs, out);
      else group.loaded(nowMs);
      this.#groups.settle(group.groupId);
    }
    this.#chores.begin(nowMs);
    this.#chores.topicsLoaded(this.#topics, nowMs);
    return out;
  }

  step<N extends GroupRequestName>(
    name: N,
    token: RequestToken,
    request: GroupRequests[N]['request'],
    nowMs: number,
  ): GroupOutcome {
    const out = new OutcomeDraft();
    this.#handlers[name](request, { token, nowMs, out });
    this.#groups.settle(request.groupId);
    return out;
  }

  nextTickMs(): number {
    return Math.min(this.#groups.nextDueMs, this.#chores.nextDueMs);
  }

  tick(nowMs: number): GroupOutcome {
    const out = new OutcomeDraft();
    this.#chores.tick(nowMs, this.#topics, out);
    return out;
  }

  topicsChanged(topics: TopicsView, nowMs: number): GroupOutcome {
    const out = new OutcomeDraft();
    this.#chores.topicsChanged(this.#topics, topics, nowMs);
    this.#topics = topics;
    this.#chores.tick(nowMs, topics, out);
    return out;
  }

  appended(records: readonly GroupRecord[], baseOffset: number): void {
    for (const [index, record] of records.entries())
      if (record.kind === 'offset') this.#offsets.table.appended(record, baseOffset + index);
  }

  committed(offset: number): void {
    this.#offsets.table.committed(offset);
  }

  resumed(nowMs: number): void {
    for (const group of this.#groups.all()) {
      group.resumed(nowMs);
      this.#groups.settle(group.groupId);
    }
  }

  fetchOffsets(request: OffsetFetchRequest): OffsetFetchResponse {
    const failure = checkGroupId(request.groupId) ?? this.#fetchRefusal(request);
    return failure === undefined
      ? { offsets: this.#offsets.fetch(request, this.#topics) }
      : { failure, offsets: [] };
  }

  listGroups(request: ListGroupsRequest): readonly GroupListing[] {
    return listGroups(this.#groups.all(), request);
  }

  describeGroup(groupId: string): DescribedGroup {
    return describeGroup(groupId, this.#groups.get(groupId), this.#topics);
  }

  explainGroup(groupId: string): GroupHistory {
    return explainGroup(groupId, this.#groups.get(groupId));
  }

  // ---- classic protocol ---------------------------------------------------------------------------------------------

  #join(request: JoinGroupRequest, { token, nowMs, out }: Step): void {
    const refusal = checkJoin(request, this.#options.config);
    const inside = refusal === undefined ? this.#consumerGroupInUse(request.groupId) : undefined;
    if (inside !== undefined) {
      const { records, response } = inside.classic.join(request, this.#options.random, nowMs, this.#topics);
      for (const record of records) out.write(record);
      out.answer(token, response);
      return;
    }
    const group = refusal ?? this.#classicGroupToJoin(request, out);
    if ('code' in group) out.answer(token, joinFailure(request.memberId, group));
    else group.join(token, request, nowMs, out);
    this.#chores.dropIfUnused(request.groupId);
  }

  #classicGroupToJoin(
    { groupId, memberId }: JoinGroupRequest,
    out: OutcomeDraft,
  ): ClassicGroup | GroupFailure {
    const group = this.#groups.get(groupId);
    if (group instanceof ClassicGroup) return group;
    if (memberId !== '') return NO_SUCH_MEMBER;
    for (const record of group?.tombstones() ?? []) out.write(record);
    return this.#groups.addClassic(groupId);
  }

  /** Members of the classic protocol may live in a consumer group; an empty one they begin anew. */
  #consumerGroupInUse(groupId: string): ConsumerGroup | undefined {
    const group = this.#groups.get(groupId);
    return group instanceof ConsumerGroup && !group.isEmpty ? group : undefined;
  }

  #classicGroup(groupId: string): ClassicGroup | undefined {
    const group = this.#groups.get(groupId);
    return group instanceof ClassicGroup ? group : undefined;
  }

  #sync(request: SyncGroupRequest, { token, nowMs, out }: Step): void {
    const inside = this.#consumerGroupInUse(request.groupId);
    if (inside !== undefined) {
      out.answer(token, inside.classic.sync(request, nowMs, this.#topics));
      return;
    }
    const group = checkGroupId(request.groupId) ?? this.#classicGroup(request.groupId) ?? NO_SUCH_MEMBER;
    if ('code' in group) out.answer(token, syncFailure(group));
    else group.sync(token, request, nowMs, out);
  }

  #heartbeat(request: HeartbeatRequest, { token, nowMs, out }: Step): void {
    const inside = this.#consumerGroupInUse(request.groupId);
    if (inside !== undefined) {
      out.answer(token, inside.classic.heartbeat(request, nowMs));
      return;
    }
    const group = checkGroupId(request.groupId) ?? this.#classicGroup(request.groupId) ?? NO_SUCH_MEMBER;
    const failure = 'code' in group ? group : group.heartbeat(request, nowMs);
    out.answer(token, { failure });
  }

  #leave(request: LeaveGroupRequest, { token, nowMs, out }: Step): void {
    const failure = checkLeave(request, this.#options.config);
    const group = this.#classicGroup(request.groupId);
    const inside = this.#consumerGroupInUse(request.groupId);
    if (failure !== undefined) out.answer(token, { failure, members: [] });
    else if (inside !== undefined) {
      const { records, response } = inside.classic.leave(request, nowMs, this.#topics);
      for (const record of records) out.write(record);
      out.answer(token, response);
      this.#chores.downgradeIfClassic(request.groupId, nowMs, this.#topics, out);
    } else if (group !== undefined) out.answer(token, group.leave(request, nowMs, out));
    else
      out.answer(token, {
        members: request.members.map(({ memberId, groupInstanceId }) => ({
          memberId,
          groupInstanceId,
          failure: NO_SUCH_MEMBER,
        })),
      });
    this.#chores.dropIfUnused(request.groupId);
  }

  // ---- consumer protocol ----------------------------------------------------------------------------------------------

  #consumerHeartbeat(asked: ConsumerGroupHeartbeatRequest, { token, nowMs, out }: Step): void {
    const request = this.#withMemberId(asked);
    const { groupId, memberId, memberEpoch } = request;
    const before = this.#groups.get(groupId);
    if (
      before instanceof ClassicGroup &&
      !before.isEmpty &&
      mayUpgrade(before, request, this.#options.config)
    ) {
      const { group, response } = upgradeGroup(before, this.#options, request, nowMs, this.#topics, out);
      if (group !== undefined) this.#groups.replace(group);
      out.answer(token, response);
      return;
    }
    const failure = checkGroupId(groupId) ?? this.#heartbeatRefusal(before);
    if (failure !== undefined) {
      out.answer(token, { failure, memberId, memberEpoch, heartbeatIntervalMs: 0, assignment: undefined });
      return;
    }
    const group = before instanceof ConsumerGroup ? before : this.#groups.addConsumer(groupId);
    const { records, response } = group.heartbeat(request, nowMs, this.#topics);
    const isRefused = records.length === 0 && group.isEmpty;
    if (group !== before && isRefused) this.#groups.restore(groupId, before);
    // The classic group goes in the same batch that begins the consumer group.
    else if (before instanceof ClassicGroup) for (const record of before.tombstones()) out.write(record);
    for (const record of records) out.write(record);
    out.answer(token, response);
    this.#chores.downgradeIfClassic(groupId, nowMs, this.#topics, out);
  }

  /**
   * A classic group that may move has no such member: who was thrown out before the group came to that joins again, which
   * no client does where there is no group. Otherwise members of the classic protocol have it to themselves.
   */
  #heartbeatRefusal(group: Group | undefined): GroupFailure | undefined {
    if (!(group instanceof ClassicGroup) || group.isEmpty) return undefined;
    return isOpenToConsumers(group, this.#options.config) ? NO_SUCH_MEMBER : failureOf('GROUP_ID_NOT_FOUND');
  }

  #withMemberId(request: ConsumerGroupHeartbeatRequest): ConsumerGroupHeartbeatRequest {
    const { memberId, memberEpoch, awaitsMemberId = false } = request;
    const isNameless = awaitsMemberId && memberId === '' && memberEpoch === JOIN_EPOCH;
    return isNameless ? { ...request, memberId: randomUuid(this.#options.random) } : request;
  }

  // ---- offsets --------------------------------------------------------------------------------------------------------

  #commit(request: OffsetCommitRequest, { token, nowMs, out }: Step): void {
    const failure = checkGroupId(request.groupId) ?? this.#commitRefusal(request, nowMs);
    if (failure !== undefined) {
      out.answer(token, { failure, offsets: [] });
      return;
    }
    const response = this.#offsets.commit(request, this.#topics, out);
    const count = out.records.length;
    if (count > 0) this.#noteCommit(request, count);
    out.answer(token, response);
  }

  #commitRefusal(request: OffsetCommitRequest, nowMs: number): GroupFailure | undefined {
    const { groupId, memberId, groupInstanceId, generationIdOrMemberEpoch: epoch } = request;
    const group = this.#groups.get(groupId);
    if (group === undefined) return epoch < 0 ? undefined : failureOf('ILLEGAL_GENERATION');
    return group.checkCommit(memberId, groupInstanceId, epoch, nowMs);
  }

  /** Who commits without being a member is a consumer without a group, or an operator who resets offsets. */
  #noteCommit(request: OffsetCommitRequest, count: number): void {
    const { groupId, clientId, generationIdOrMemberEpoch: epoch } = request;
    const group = this.#groups.get(groupId);
    if (group === undefined) {
      this.#groups.addClassic(groupId);
      return;
    }
    const isSimple = group instanceof ClassicGroup && !group.isRecorded;
    if (epoch >= 0 || isSimple) return;
    const who = clientId === '' ? 'a client without a name' : clientId;
    this.#chores.note(group, 'offsets-reset', `${count} offsets committed by ${who}, which is no member`);
  }

  #deleteOffsets(request: OffsetDeleteRequest, { token, out }: Step): void {
    const { groupId } = request;
    const group = checkGroupId(groupId) ?? this.#groups.get(groupId) ?? failureOf('GROUP_ID_NOT_FOUND');
    if ('code' in group) out.answer(token, { failure: group, offsets: [] });
    else out.answer(token, this.#offsets.delete(request, group, this.#topics, out));
    this.#chores.dropIfUnused(groupId);
  }

  #fetchRefusal({ groupId, memberId, memberEpoch }: OffsetFetchRequest): GroupFailure | undefined {
    const isMember = memberId !== '' || memberEpoch >= 0;
    const group = this.#groups.get(groupId);
    if (group === undefined) return isMember ? NO_SUCH_MEMBER : undefined;
    return group instanceof ConsumerGroup ? group.checkFetch(memberId, memberEpoch) : undefined;
  }

  // ---- operators ------------------------------------------------------------------------------------------------------

  #delete(groupId: string, { token, nowMs, out }: Step): void {
    const failure = checkGroupId(groupId);
    if (failure !== undefined) out.answer(token, { groupId, failure });
    else this.#chores.deleteGroup({ groupId, token }, nowMs, out);
  }
}
