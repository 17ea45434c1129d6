/**
 * The coordinators on this broker: one for each partition of `__consumer_offsets` that it leads. Finds the one that a
 * request is for, begins and ends them as leadership comes and goes, and limits what may wait. Decides nothing about
 * groups.
 */
import { type Clock, type Logger, MillraceError, type Random, toMillraceError } from '@millrace/core';
import {
  type ConsumerGroupHeartbeatRequest,
  type ConsumerGroupHeartbeatResponse,
  type DeleteGroupResponse,
  type DescribedGroup,
  type GroupConfig,
  type GroupCoordinator,
  type GroupCoordinatorOptions,
  GroupCoordinatorState,
  type GroupHistory,
  type GroupRequestName,
  type GroupRequests,
  groupConfig,
  type HeartbeatRequest,
  type HeartbeatResponse,
  type JoinGroupRequest,
  type JoinGroupResponse,
  type LeaveGroupRequest,
  type LeaveGroupResponse,
  type ListGroupsRequest,
  type ListGroupsResponse,
  type OffsetCommitRequest,
  type OffsetCommitResponse,
  type OffsetDeleteRequest,
  type OffsetDeleteResponse,
  type OffsetFetchRequest,
  type OffsetFetchResponse,
  type SyncGroupRequest,
  type SyncGroupResponse,
  type TopicsView,
} from '@millrace/groups';
import { type MetadataDelta, type MetadataImage, OFFSETS_TOPIC, type TopicImage } from '@millrace/metadata';
import type { ClusterQueries } from './cluster-queries.ts';
import type { ControllerChannel } from './controller-channel.ts';
import type { Deadlines } from './deadlines.ts';
import type { Defer } from './defer.ts';
import { describeBroker } from './descriptions.ts';
import { type Failure, failure } from './failure.ts';
import type {
  FindCoordinatorsRequest,
  FindCoordinatorsResponse,
  GroupApi,
  GroupLocation,
} from './group-api.ts';
import { groupPartitionOf } from './group-hash.ts';
import { GroupPartition, type GroupPartitionHost } from './group-partition.ts';
import { describedRefusal, explainedRefusal, refusal } from './group-refusals.ts';
import type { MetadataView } from './metadata-view.ts';
import { OffsetsTopic } from './offsets-topic.ts';
import type { Partition } from './partition.ts';
import type { PartitionTable } from './partition-table.ts';
import { RequestBudget } from './request-budget.ts';
import { Slots } from './slots.ts';
import { MetadataTopics } from './topics-view.ts';

export type NewGroupCoordinator = (options: GroupCoordinatorOptions) => GroupCoordinator;

export interface GroupCoordinatorsOptions {
  readonly partitions: PartitionTable;
  readonly metadata: MetadataView;
  readonly controllers: Pick<ControllerChannel, 'createTopics' | 'describeQuorum'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly defer: Defer;
  readonly deadlines: Deadlines;
  readonly config?: GroupConfig | undefined;
  readonly queuedMaxRequests: number;
  readonly isJournalFull: () => boolean;
  readonly queries: Pick<ClusterQueries, 'informed' | 'timed'>;
  readonly newCoordinator?: NewGroupCoordinator | undefined;
}

/** Logs read at the same time. */
const LOADS_AT_ONCE = 4;
/** As long as Kafka's protocol can name. */
const GROUP_ID_BYTES_MAX = 32_767;
const GROUPS_PER_REQUEST_MAX = 10_000;

export class GroupCoordinators implements GroupApi, GroupPartitionHost {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly defer: Defer;
  readonly deadlines: Deadlines;
  readonly loads = new Slots(LOADS_AT_ONCE);
  readonly commitTimeoutMs: number;
  readonly isJournalFull: () => boolean;
  readonly #options: GroupCoordinatorsOptions;
  readonly #config: GroupConfig;
  readonly #offsetsTopic: OffsetsTopic;
  readonly #budget: RequestBudget;
  readonly #coordinators = new Map<Partition, GroupPartition>();
  #topics: MetadataTopics;
  #isClosed = false;

  constructor(options: GroupCoordinatorsOptions) {
    const { clock, logger, defer, deadlines, metadata, controllers } = options;
    this.#options = options;
    this.#config = options.config ?? groupConfig.parse({});
    this.clock = clock;
    this.logger = logger;
    this.defer = defer;
    this.deadlines = deadlines;
    this.commitTimeoutMs = this.#config['offsets.commit.timeout.ms'];
    this.isJournalFull = options.isJournalFull;
    this.#offsetsTopic = new OffsetsTopic({ controllers, metadata, clock, config: this.#config });
    this.#budget = new RequestBudget(options.queuedMaxRequests);
    this.#topics = new MetadataTopics(metadata.image);
  }

  /** For status and tests. */
  get all(): Iterable<GroupPartition> {
    return this.#coordinators.values();
  }

  topics(): TopicsView {
    return this.#topics;
  }

  newMachine(topics: TopicsView): GroupCoordinator {
    const { clock, random, newCoordinator = newGroupCoordinator } = this.#options;
    return newCoordinator({ config: this.#config, random, wallMs: () => clock.wallMs(), topics });
  }

  /** Role, leader, epoch or disk of a replica changed. */
  roleChanged(partition: Partition): void {
    if (partition.topic !== OFFSETS_TOPIC || this.#isClosed) return;
    const { leader } = partition;
    const current = this.#coordinators.get(partition);
    if (current !== undefined && current.leader === leader) return;
    this.removed(partition);
    if (leader === undefined) return;
    const coordinator = new GroupPartition(this, partition, leader);
    this.#coordinators.set(partition, coordinator);
    coordinator.start();
  }

  /** The replica is not on this broker any more. */
  removed(partition: Partition): void {
    const current = this.#coordinators.get(partition);
    this.#coordinators.delete(partition);
    current?.close(failure('NOT_COORDINATOR'));
  }

  failed(coordinator: GroupPartition): void {
    const { partition, leader } = coordinator;
    if (this.#isClosed || this.#coordinators.get(partition) !== coordinator) return;
    this.#coordinators.delete(partition);
    // Another epoch has begun meanwhile, or will be told of.
    if (partition.leader !== leader) {
      this.roleChanged(partition);
      return;
    }
    const next = coordinator.successor();
    this.#coordinators.set(partition, next);
    next.start();
  }

  metadataChanged(image: MetadataImage, delta: MetadataDelta): void {
    if (!this.#topics.isOutdatedBy(image, delta)) return;
    this.#topics = new MetadataTopics(image);
    for (const coordinator of this.#coordinators.values()) coordinator.topicsChanged();
  }

  /** Whoever waits is answered, and whoever comes is sent elsewhere. */
  close(): void {
    this.#isClosed = true;
    for (const coordinator of this.#coordinators.values()) coordinator.close(failure('NOT_COORDINATOR'));
    this.#coordinators.clear();
  }

  async findCoordinators(request: FindCoordinatorsRequest): Promise<FindCoordinatorsResponse> {
    const { groupIds, listener } = request;
    checkCount(groupIds.length);
    const refuseAll = (reason: Failure): FindCoordinatorsResponse => ({
      coordinators: groupIds.map((groupId) => ({ groupId, failure: reason, node: undefined })),
    });
    try {
      const { queries } = this.#options;
      await queries.informed(request);
      const topic = await this.#offsetsTopic.ensure(queries.timed(request));
      return { coordinators: groupIds.map((groupId) => this.#locate(groupId, topic, listener)) };
    } catch (error) {
      const { code, message } = toMillraceError(error);
      return refuseAll(
        failure(code === 'UNKNOWN_SERVER_ERROR' ? code : 'COORDINATOR_NOT_AVAILABLE', message),
      );
    }
  }

  joinGroup(request: JoinGroupRequest): Promise<JoinGroupResponse> {
    return this.#serve('joinGroup', request);
  }

  syncGroup(request: SyncGroupRequest): Promise<SyncGroupResponse> {
    return this.#serve('syncGroup', request);
  }

  heartbeat(request: HeartbeatRequest): Promise<HeartbeatResponse> {
    return this.#serve('heartbeat', request);
  }

  leaveGroup(request: LeaveGroupRequest): Promise<LeaveGroupResponse> {
    return this.#serve('leaveGroup', request);
  }

  consumerGroupHeartbeat(request: ConsumerGroupHeartbeatRequest): Promise<ConsumerGroupHeartbeatResponse> {
    return this.#serve('consumerGroupHeartbeat', request);
  }

  commitOffsets(request: OffsetCommitRequest): Promise<OffsetCommitResponse> {
    return this.#serve('offsetCommit', request, 1 + request.offsets.length);
  }

  commitRoom(): Promise<void> | undefined {
    return this.#budget.room();
  }

  async fetchOffsets(request: OffsetFetchRequest): Promise<OffsetFetchResponse> {
    const refuse = (reason: Failure): OffsetFetchResponse => ({ failure: reason, offsets: [] });
    const found = this.#find(request.groupId);
    if (!(found instanceof GroupPartition)) return refuse(found);
    return found.readCommitted((machine) => machine.fetchOffsets(request), refuse);
  }

  deleteOffsets(request: OffsetDeleteRequest): Promise<OffsetDeleteResponse> {
    return this.#serve('offsetDelete', request, 1 + request.partitions.length);
  }

  async listGroups(request: ListGroupsRequest): Promise<ListGroupsResponse> {
    const refuse = (reason: Failure): ListGroupsResponse => ({ failure: reason, groups: [] });
    const cost = this.#coordinators.size;
    if (!this.#budget.take(cost)) return refuse(failure('NODE_OVERLOADED'));
    const lists = await Promise.all(
      [...this.#coordinators.values()].map((coordinator) =>
        coordinator.read<ListGroupsResponse>((machine) => ({ groups: machine.listGroups(request) }), refuse),
      ),
    );
    this.#budget.release(cost);
    const incomplete = lists.find((list) => list.failure !== undefined);
    return { failure: incomplete?.failure, groups: lists.flatMap(({ groups }) => groups) };
  }

  describeGroups(groupIds: readonly string[]): Promise<readonly DescribedGroup[]> {
    return this.#each(groupIds, (groupId) =>
      this.#read(
        groupId,
        (machine) => machine.describeGroup(groupId),
        (reason) => describedRefusal(groupId, reason),
      ),
    );
  }

  explainGroup(groupId: string): Promise<GroupHistory> {
    return this.#read(
      groupId,
      (machine) => machine.explainGroup(groupId),
      (reason) => explainedRefusal(groupId, reason),
    );
  }

  deleteGroups(groupIds: readonly string[]): Promise<readonly DeleteGroupResponse[]> {
    return this.#each(groupIds, (groupId) => this.#serve('deleteGroup', { groupId }));
  }

  async #each<T>(groupIds: readonly string[], one: (groupId: string) => Promise<T>): Promise<readonly T[]> {
    checkCount(groupIds.length);
    return await Promise.all(groupIds.map(one));
  }

  /** Takes effect before the first wait: requests keep their order. */
  async #serve<N extends GroupRequestName>(
    name: N,
    request: GroupRequests[N]['request'],
    cost = 1,
  ): Promise<GroupRequests[N]['response']> {
    const found = this.#find(request.groupId);
    if (!(found instanceof GroupPartition)) return refusal(name, request, found);
    if (!this.#budget.take(cost)) return refusal(name, request, failure('NODE_OVERLOADED'));
    try {
      return await found.serve(name, request);
    } finally {
      this.#budget.release(cost);
    }
  }

  async #read<T>(
    groupId: string,
    look: (machine: GroupCoordinator) => T,
    refuse: (reason: Failure) => T,
  ): Promise<T> {
    const found = this.#find(groupId);
    if (!(found instanceof GroupPartition)) return refuse(found);
    if (!this.#budget.take(1)) return refuse(failure('NODE_OVERLOADED'));
    try {
      return await found.read(look, refuse);
    } finally {
      this.#budget.release(1);
    }
  }

  /** The coordinator of a group, if it is here. */
  #find(groupId: string): GroupPartition | Failure {
    const fault = groupIdFault(groupId);
    if (fault !== undefined) return fault;
    const topic = this.#offsetsTopic.image;
    if (topic === undefined || this.#isClosed) return failure('NOT_COORDINATOR');
    const index = groupPartitionOf(groupId, topic.partitions.length);
    const partition = this.#options.partitions.get(topic.id, index);
    const found = partition && this.#coordinators.get(partition);
    if (found !== undefined) return found;
    return failure(partition?.isBecomingLeader ? 'COORDINATOR_LOAD_IN_PROGRESS' : 'NOT_COORDINATOR');
  }

  #locate(groupId: string, topic: TopicImage, listener: string): GroupLocation {
    const fault = groupIdFault(groupId);
    if (fault !== undefined) return { groupId, failure: fault, node: undefined };
    const { leader } = topic.partitions[groupPartitionOf(groupId, topic.partitions.length)]!;
    const broker = this.#options.metadata.image.brokers.get(leader);
    if (broker !== undefined) return { groupId, node: describeBroker(broker, listener) };
    return { groupId, failure: failure('COORDINATOR_NOT_AVAILABLE'), node: undefined };
  }
}

function newGroupCoordinator(options: GroupCoordinatorOptions): GroupCoordinator {
  return new GroupCoordinatorState(options);
}

function groupIdFault(groupId: string): Failure | undefined {
  if (groupId !== '' && Buffer.byteLength(groupId) <= GROUP_ID_BYTES_MAX) return undefined;
  return failure('INVALID_GROUP_ID');
}

/** @throws {MillraceError} INVALID_REQUEST */
function checkCount(count: number): void {
  if (count <= GROUPS_PER_REQUEST_MAX) return;
  const text = `a request names at most ${GROUPS_PER_REQUEST_MAX} groups, not ${count}`;
  throw new MillraceError('INVALID_REQUEST', text);
}
