/** Administration of the fake cluster. Every call fails with `cluster.failure` if a test set one. */
import type {
  AdminOptions,
  ClusterInfo,
  ConfigChange,
  ConfigResource,
  CreatedTopic,
  DeletedRecords,
  ElectedLeader,
  GroupHistory,
  GroupInfo,
  GroupLag,
  GroupOffset,
  GroupSummary,
  ListedOffset,
  ListGroupsOptions,
  NewPartitions,
  NewTopic,
  NodeHealth,
  OffsetSpec,
  OffsetToAlter,
  QuorumInfo,
  ResourceConfigs,
  TopicInfo,
  ValidateOptions,
} from '@millrace/client';
import { MillraceError, type TopicPartition } from '@millrace/core';
import type { AdminClient } from '../cluster-client.ts';
import type { FakeCluster } from './fake-cluster.ts';

export class FakeAdmin implements AdminClient {
  readonly #cluster: FakeCluster;

  constructor(cluster: FakeCluster) {
    this.#cluster = cluster;
  }

  async createTopic(topic: NewTopic, options: ValidateOptions = {}): Promise<CreatedTopic> {
    this.#check();
    const { name, partitions = 1, replicationFactor = 3 } = topic;
    if (this.#cluster.topics.has(name)) {
      throw new MillraceError('TOPIC_ALREADY_EXISTS', `topic ${name} exists already`);
    }
    const replicas = [1, 2, 3].slice(0, replicationFactor);
    const created = options.validateOnly ? undefined : this.#cluster.addTopic(name, partitions, replicas);
    return { name, topicId: created?.info.topicId ?? '', partitions, replicationFactor };
  }

  async createTopics(topics: readonly NewTopic[], options?: ValidateOptions): Promise<CreatedTopic[]> {
    return Promise.all(topics.map((topic) => this.createTopic(topic, options)));
  }

  async deleteTopic(name: string): Promise<void> {
    this.#check();
    this.#cluster.topic(name);
    this.#cluster.topics.delete(name);
  }

  async deleteTopics(names: readonly string[]): Promise<void> {
    for (const name of names) await this.deleteTopic(name);
  }

  async listTopics(): Promise<string[]> {
    this.#check();
    return [...this.#cluster.topics.keys()].sort();
  }

  async describeTopics(
    names: readonly string[] = [...this.#cluster.topics.keys()].sort(),
  ): Promise<TopicInfo[]> {
    this.#check();
    return names.map((name) => this.#cluster.topic(name).info);
  }

  async createPartitions(topics: readonly NewPartitions[]): Promise<void> {
    this.#check();
    for (const { topic, totalCount } of topics) {
      if (totalCount > this.#cluster.topic(topic).info.partitions.length) continue;
      throw new MillraceError('INVALID_PARTITIONS', `topic ${topic} has as many already`);
    }
  }

  async describeConfigs(resources: readonly ConfigResource[]): Promise<ResourceConfigs[]> {
    this.#check();
    return resources.map((resource) => ({
      resource,
      entries: resource.kind === 'topic' ? this.#cluster.topic(resource.name).configs : [],
    }));
  }

  async alterConfigs(changes: readonly ConfigChange[]): Promise<void> {
    this.#check();
    this.#cluster.changes.push(...changes);
  }

  async describeCluster(_options?: AdminOptions): Promise<ClusterInfo> {
    this.#cluster.described += 1;
    this.#check();
    return this.#cluster.info();
  }

  async nodesHealth({
    addresses = ['localhost:9191'],
  }: {
    readonly addresses?: readonly string[];
  } = {}): Promise<NodeHealth[]> {
    const { failure, statuses } = this.#cluster;
    return addresses.map((address) => ({
      address,
      status: failure ? 'UNREACHABLE' : (statuses.get(address) ?? 'SERVING'),
      ...(failure && { error: failure }),
    }));
  }

  async describeQuorum({ timeoutMs }: AdminOptions = {}): Promise<QuorumInfo> {
    this.#cluster.quorumWaitsMs.push(timeoutMs);
    this.#check();
    if (this.#cluster.quorumFailure) throw this.#cluster.quorumFailure;
    return QUORUM;
  }

  async addVoter(nodeId: number): Promise<{ readonly directoryId: string }> {
    this.#check();
    const observer = QUORUM.observers.find((replica) => replica.nodeId === nodeId);
    if (observer === undefined) throw new MillraceError('VOTER_NOT_FOUND', `node ${nodeId} does not observe`);
    return observer;
  }

  async removeVoter(
    nodeId: number,
    { directoryId }: { readonly directoryId?: string } = {},
  ): Promise<{ readonly directoryId: string }> {
    this.#check();
    const voter = QUORUM.voters.find((replica) => replica.nodeId === nodeId);
    if (voter === undefined || (directoryId ?? voter.directoryId) !== voter.directoryId) {
      throw new MillraceError('VOTER_NOT_FOUND', `node ${nodeId} is no voter`);
    }
    return voter;
  }

  async listOffsets(
    queries: readonly (TopicPartition & { readonly at: OffsetSpec })[],
  ): Promise<ListedOffset[]> {
    this.#check();
    return queries.map(({ topic, partition, at }) => {
      const log = this.#cluster.topic(topic).records[partition]!;
      const place = { topic, partition, leaderEpoch: 0 };
      if (typeof at !== 'object') {
        return { ...place, offset: at === 'earliest' ? 0n : BigInt(log.length), timestamp: -1 };
      }
      const found = log.find(({ timestamp }) => timestamp >= at.timestampMs);
      return { ...place, offset: found?.offset ?? -1n, timestamp: found?.timestamp ?? -1 };
    });
  }

  async deleteRecords(
    partitions: readonly (TopicPartition & { readonly before: bigint | number | 'latest' })[],
  ): Promise<DeletedRecords[]> {
    this.#check();
    return partitions.map(({ topic, partition, before }) => ({
      topic,
      partition,
      lowWatermark: BigInt(
        before === 'latest' ? this.#cluster.topic(topic).records[partition]!.length : before,
      ),
    }));
  }

  async electLeaders(
    _election: 'preferred' | 'unclean',
    partitions: readonly TopicPartition[] = [],
  ): Promise<ElectedLeader[]> {
    this.#check();
    return partitions.map(({ topic, partition }) => ({
      topic,
      partition,
      leader: 1,
      ...(partition === 0 ? {} : { error: new MillraceError('ELECTION_NOT_NEEDED') }),
    }));
  }

  async listGroups(options: ListGroupsOptions = {}): Promise<GroupSummary[]> {
    this.#check();
    return this.#cluster.groups.list(options);
  }

  async describeGroups(groupIds: readonly string[]): Promise<GroupInfo[]> {
    this.#check();
    return groupIds.map((groupId) => this.#cluster.groups.describe(groupId));
  }

  async explainGroup(groupId: string): Promise<GroupHistory> {
    this.#check();
    return this.#cluster.groups.explain(groupId);
  }

  async groupOffsets(groupId: string, partitions?: readonly TopicPartition[]): Promise<GroupOffset[]> {
    this.#check();
    return this.#cluster.groups.offsets(groupId, partitions);
  }

  async groupLag(groupId: string, partitions?: readonly TopicPartition[]): Promise<GroupLag[]> {
    this.#check();
    return this.#cluster.groups.lag(groupId, partitions);
  }

  async alterGroupOffsets(groupId: string, offsets: readonly OffsetToAlter[]): Promise<void> {
    this.#check();
    this.#cluster.groups.alter(groupId, offsets);
  }

  async deleteGroupOffsets(groupId: string, partitions: readonly TopicPartition[]): Promise<void> {
    this.#check();
    this.#cluster.groups.deleteOffsets(groupId, partitions);
  }

  async deleteGroups(groupIds: readonly string[]): Promise<void> {
    this.#check();
    for (const groupId of groupIds) this.#cluster.groups.delete(groupId);
  }

  async close(): Promise<void> {}

  #check(): void {
    if (this.#cluster.failure) throw this.#cluster.failure;
  }
}

const QUORUM: QuorumInfo = {
  leaderId: 1,
  leaderEpoch: 4,
  highWatermark: 77,
  voters: [
    {
      nodeId: 1,
      directoryId: 'dir-1',
      address: 'host-1:9191',
      logEndOffset: 77,
      lastContactMs: 0,
      lastCaughtUpMs: 0,
    },
    {
      nodeId: 2,
      directoryId: 'dir-2',
      address: 'host-2:9191',
      logEndOffset: 75,
      lastContactMs: 12,
      lastCaughtUpMs: 40,
    },
    {
      nodeId: 3,
      directoryId: 'dir-3',
      address: 'host-3:9191',
      logEndOffset: -1,
      lastContactMs: -1,
      lastCaughtUpMs: -1,
    },
  ],
  observers: [
    {
      nodeId: 4,
      directoryId: 'dir-4',
      address: 'host-4:9191',
      logEndOffset: 77,
      lastContactMs: 3,
      lastCaughtUpMs: 3,
    },
  ],
};
