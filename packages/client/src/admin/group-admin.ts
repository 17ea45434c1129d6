/** The admin's calls about consumer groups. Every coordinator is asked for its own groups; nothing is remembered. */
import { formatTopicPartition, MillraceError, type TopicPartition, toMillraceError } from '@millrace/core';
import {
  adminService,
  type BrokerNode,
  type DeleteGroupsResponse,
  type DeleteOffsetsResponse,
  type Failure,
  groupService,
  type PartitionOutcome,
} from '@millrace/protocol';
import { checkInteger, checkList, checkPartitions, checkText, offsetArgument } from '../check-arguments.ts';
import { backoffMs } from '../cluster/backoff.ts';
import { pause, throwIfAborted } from '../cluster/cancellation.ts';
import type { Cluster, RequestLimits } from '../cluster/cluster.ts';
import { errorOfFailure, throwAll } from '../cluster/failure.ts';
import type { AdminOptions } from './admin-shapes.ts';
import { commitAsOperator } from './group-commit.ts';
import { lagOf } from './group-lag.ts';
import type {
  GroupHistory,
  GroupInfo,
  GroupLag,
  GroupOffset,
  GroupSummary,
  ListGroupsOptions,
  OffsetToAlter,
} from './group-shapes.ts';
import { byPartition, groupHistory, groupInfo, groupOffset, groupSummary } from './group-wire.ts';

/** Most offsets in one commit: a coordinator writes them as one batch. */
const OFFSETS_PER_COMMIT = 1_000;
/** Most groups asked about at a time. */
const GROUPS_AT_A_TIME = 32;

export class GroupAdmin {
  readonly #cluster: Cluster;

  /** Made by `Millrace.admin`. */
  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** Of every broker, sorted by id. @throws {MillraceError} the last failure while a broker that is up does not tell. */
  async listGroups(options: ListGroupsOptions = {}): Promise<GroupSummary[]> {
    const { states = [], types = [] } = options;
    checkTexts('states', states);
    checkTexts('types', types);
    const { clock, config, random } = this.#cluster;
    const { timeoutMs = config.requestTimeoutMs, signal } = options;
    const deadlineMs = clock.nowMs() + timeoutMs;
    for (let attempt = 0; ; attempt++) {
      const limits = { timeoutMs: Math.max(1, deadlineMs - clock.nowMs()), ...(signal && { signal }) };
      const { brokers } = await this.#cluster.callAnyNode(
        adminService.describeCluster,
        (header) => ({ header }),
        limits,
      );
      const up = brokers.filter(({ fenced }) => !fenced);
      const lists = await Promise.all(up.map((broker) => this.#listAt(broker, states, types, limits)));
      const failure = lists.find((list) => list instanceof MillraceError);
      if (failure === undefined) return merged(lists as GroupSummary[][]);
      const waitMs = backoffMs(attempt, config, random);
      if (!failure.retriable || clock.nowMs() + waitMs >= deadlineMs) throw failure;
      await pause(clock, waitMs, signal);
    }
  }

  /** In the order asked. @throws {MillraceError} GROUP_ID_NOT_FOUND. */
  async describeGroups(groupIds: readonly string[], options: AdminOptions = {}): Promise<GroupInfo[]> {
    checkTexts('groupIds', groupIds);
    const { coordinators } = this.#cluster;
    await coordinators.find(groupIds, options);
    return await this.#each(groupIds, async (groupId) => {
      // As it was when it answered: another call may find that it has moved since.
      let place = coordinators.addressOf(groupId);
      const { groups } = await coordinators.call(
        groupId,
        {
          method: groupService.describeGroups,
          make: (header) => {
            place = coordinators.addressOf(groupId);
            return { header, groupIds: [groupId] };
          },
          failureOf: ({ groups }) => groups[0]?.failure,
        },
        options,
      );
      return groupInfo(groups[0]!, place!);
    });
  }

  /** What the group has committed, sorted; of these partitions, in their order, if some are given. */
  async groupOffsets(
    groupId: string,
    partitions?: readonly TopicPartition[],
    options: AdminOptions = {},
  ): Promise<GroupOffset[]> {
    checkText('groupId', groupId);
    if (partitions !== undefined) checkPartitions('partitions', partitions);
    const all = partitions === undefined;
    const { offsets } = await this.#cluster.coordinators.call(
      groupId,
      {
        method: groupService.fetchOffsets,
        make: (header) => ({
          header,
          groupId,
          memberId: '',
          memberEpoch: -1,
          all,
          partitions: (partitions ?? []).map(({ topic, partition }) => ({ topic, partition })),
        }),
      },
      options,
    );
    const found = offsets.map(groupOffset);
    return all ? found.sort(byPartition) : found;
  }

  /**
   * How far behind the group is, of these partitions or of all that it has committed or holds, in records and in time.
   * A partition whose leader does not answer soon is told with nulls. @throws {MillraceError} GROUP_ID_NOT_FOUND without `partitions`.
   */
  async groupLag(
    groupId: string,
    partitions?: readonly TopicPartition[],
    options: AdminOptions = {},
  ): Promise<GroupLag[]> {
    const left = this.#timeLeft(options);
    const offsets = await this.groupOffsets(groupId, partitions, options);
    const uncommitted = partitions === undefined ? await this.#heldWithout(groupId, offsets, left()) : [];
    const all = [...offsets, ...uncommitted.map((partition) => ({ ...partition, offset: null }))];
    return await lagOf(this.#cluster, uncommitted.length === 0 ? all : all.sort(byPartition), left());
  }

  /**
   * Commits offsets for a group that nobody is a member of; it need not exist.
   *
   * @throws {MillraceError} NON_EMPTY_GROUP while it has members, UNKNOWN_TOPIC_OR_PARTITION, OFFSET_METADATA_TOO_LARGE.
   */
  async alterGroupOffsets(
    groupId: string,
    offsets: readonly OffsetToAlter[],
    options: AdminOptions = {},
  ): Promise<void> {
    checkText('groupId', groupId);
    checkPartitions('offsets', offsets);
    const wire = offsets.map(({ topic, partition, offset, leaderEpoch = -1, metadata = '' }, i) => {
      checkInteger(`offsets[${i}].leaderEpoch`, leaderEpoch);
      checkText(`offsets[${i}].metadata`, metadata);
      return {
        topic,
        partition,
        offset: offsetArgument(`offsets[${i}].offset`, offset),
        leaderEpoch,
        metadata,
      };
    });
    const left = this.#timeLeft(options);
    const outcomes: PartitionOutcome[] = [];
    for (let at = 0; at < wire.length; at += OFFSETS_PER_COMMIT) {
      const some = wire.slice(at, at + OFFSETS_PER_COMMIT);
      const committed = await commitAsOperator(this.#cluster, groupId, some, left()).catch(
        (error: unknown) => {
          throw refusedToStrangers(groupId, toMillraceError(error));
        },
      );
      outcomes.push(...committed.offsets);
    }
    throwPartitions(outcomes);
  }

  /** @throws {MillraceError} GROUP_SUBSCRIBED_TO_TOPIC while members read it, GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP. */
  async deleteGroupOffsets(
    groupId: string,
    partitions: readonly TopicPartition[],
    options: AdminOptions = {},
  ): Promise<void> {
    checkText('groupId', groupId);
    checkPartitions('partitions', partitions);
    const wire = partitions.map(({ topic, partition }) => ({ topic, partition }));
    const { offsets } = await this.#cluster.coordinators.call(
      groupId,
      {
        method: groupService.deleteOffsets,
        make: (header) => ({ header, groupId, partitions: wire }),
        // A group that has lost its last offset is gone.
        ownSuccess: ({ code }): DeleteOffsetsResponse | undefined =>
          code === 'GROUP_ID_NOT_FOUND' ? { offsets: [] } : undefined,
      },
      options,
    );
    throwPartitions(offsets);
  }

  /** With their offsets. @throws {MillraceError} NON_EMPTY_GROUP while it has members, GROUP_ID_NOT_FOUND. */
  async deleteGroups(groupIds: readonly string[], options: AdminOptions = {}): Promise<void> {
    checkTexts('groupIds', groupIds);
    await this.#cluster.coordinators.find(groupIds, options);
    await this.#each(groupIds, (groupId) =>
      this.#cluster.coordinators.call(
        groupId,
        {
          method: groupService.deleteGroups,
          make: (header) => ({ header, groupIds: [groupId] }),
          failureOf: ({ groups }) => groups[0]?.failure,
          ownSuccess: ({ code }): DeleteGroupsResponse | undefined =>
            code === 'GROUP_ID_NOT_FOUND' ? { groups: [] } : undefined,
        },
        options,
      ),
    );
  }

  /** The recent history of a group, as its coordinator remembers it. @throws {MillraceError} GROUP_ID_NOT_FOUND. */
  async explainGroup(groupId: string, options: AdminOptions = {}): Promise<GroupHistory> {
    checkText('groupId', groupId);
    const explained = await this.#cluster.coordinators.call(
      groupId,
      { method: groupService.explainGroup, make: (header) => ({ header, groupId }) },
      options,
    );
    return groupHistory(groupId, explained);
  }

  async #listAt(
    broker: BrokerNode,
    states: readonly string[],
    types: readonly string[],
    { timeoutMs = this.#cluster.config.requestTimeoutMs, signal }: RequestLimits,
  ): Promise<GroupSummary[] | MillraceError> {
    const limitMs = Math.min(timeoutMs, this.#cluster.attemptTimeoutMs);
    const limits = { timeoutMs: limitMs, ...(signal && { signal }) };
    const request = { header: this.#cluster.header(0, limitMs), states, types };
    try {
      const connection = this.#cluster.connectionAt(broker);
      const { failure, groups } = await connection.unary(groupService.listGroups, request, limits);
      return failure === undefined
        ? groups.map(groupSummary)
        : errorOfFailure(failure, `broker ${broker.id}`);
    } catch (error) {
      throwIfAborted(signal);
      return toMillraceError(error);
    }
  }

  /** Partitions that members hold, or are to hold, of which nothing is committed. */
  async #heldWithout(
    groupId: string,
    offsets: readonly TopicPartition[],
    options: AdminOptions,
  ): Promise<TopicPartition[]> {
    const [group] = await this.describeGroups([groupId], options);
    const missing = new Map<string, TopicPartition>();
    for (const { assignment, targetAssignment } of group!.members)
      for (const held of [...assignment, ...targetAssignment]) missing.set(formatTopicPartition(held), held);
    for (const committed of offsets) missing.delete(formatTopicPartition(committed));
    return [...missing.values()];
  }

  /** Every one is asked, some at a time. @throws the failures, together. */
  async #each<T>(groupIds: readonly string[], ask: (groupId: string) => Promise<T>): Promise<T[]> {
    const results: T[] = [];
    const errors: MillraceError[] = [];
    for (let at = 0; at < groupIds.length; at += GROUPS_AT_A_TIME) {
      const asked = await Promise.allSettled(groupIds.slice(at, at + GROUPS_AT_A_TIME).map(ask));
      for (const result of asked) {
        if (result.status === 'fulfilled') results.push(result.value);
        else errors.push(toMillraceError(result.reason));
      }
    }
    throwAll(errors);
    return results;
  }

  #timeLeft({ timeoutMs = this.#cluster.config.requestTimeoutMs, signal }: AdminOptions): () => AdminOptions {
    const { clock } = this.#cluster;
    const deadlineMs = clock.nowMs() + timeoutMs;
    return () => ({ timeoutMs: Math.max(1, deadlineMs - clock.nowMs()), ...(signal && { signal }) });
  }
}

/** A group that moves while its brokers are asked may be told of twice. */
function merged(lists: readonly (readonly GroupSummary[])[]): GroupSummary[] {
  const byId = new Map(lists.flat().map((group) => [group.groupId, group]));
  return [...byId.values()].sort((a, b) => (a.groupId < b.groupId ? -1 : 1));
}

/** What coordinators say to whoever commits to a group with members, and is none of them. */
function refusedToStrangers(groupId: string, error: MillraceError): MillraceError {
  const isLive = ['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION', 'STALE_MEMBER_EPOCH'].includes(error.code);
  if (!isLive) return error;
  const text = `group ${groupId} has members; only they commit its offsets until they have stopped`;
  return new MillraceError('NON_EMPTY_GROUP', text, { cause: error });
}

function throwPartitions(outcomes: readonly PartitionOutcome[]): void {
  throwAll(
    outcomes.flatMap(({ topic, partition, failure }: PartitionOutcome & { failure?: Failure | undefined }) =>
      failure === undefined ? [] : [errorOfFailure(failure, formatTopicPartition({ topic, partition }))],
    ),
  );
}

function checkTexts(name: string, values: readonly string[]): void {
  checkList(name, values);
  values.forEach((value, i) => {
    checkText(`${name}[${i}]`, value);
  });
}
