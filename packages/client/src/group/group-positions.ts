/** Where a group is, as its coordinator knows it; and the names behind the topic ids of an assignment. */
import type { TopicId, TopicPartition } from '@millrace/core';
import { brokerService, type CommittedOffset, groupService } from '@millrace/protocol';
import { backoffMs } from '../cluster/backoff.ts';
import { pause } from '../cluster/cancellation.ts';
import type { Cluster, RequestLimits } from '../cluster/cluster.ts';
import { fromGroupPartitionKey, type GroupPartitionKey } from './membership-state.ts';
import type { Committer } from './offset-committer.ts';

export interface NamedPartition extends TopicPartition {
  readonly key: GroupPartitionKey;
  readonly topicId: TopicId;
}

/** A member that takes partitions over. */
export interface StartSeeker {
  identity(): Pick<Committer, 'memberId' | 'memberEpoch'>;
  /** The life in the group in which this was begun is over. */
  isPast(): boolean;
  /** The epoch may have moved on, or the group may not know the member any more. */
  onDoubt(): void;
  readonly signal: AbortSignal;
}

/**
 * Partitions with their names and committed offsets; without those whose topics are not known yet. Tries until it knows,
 * or nobody wants to know any more.
 */
export async function findStarts(
  cluster: Cluster,
  groupId: string,
  keys: readonly GroupPartitionKey[],
  seeker: StartSeeker,
): Promise<[NamedPartition, CommittedOffset][]> {
  const { clock, config, random, logger } = cluster;
  for (let attempt = 0; ; attempt++) {
    try {
      const named = await namePartitions(cluster, keys);
      if (seeker.isPast()) return [];
      const limits = { signal: seeker.signal };
      const starts = await fetchCommitted(cluster, groupId, named, () => seeker.identity(), limits);
      return named.map((partition, i) => [partition, starts[i]!]);
    } catch (error) {
      if (seeker.isPast()) return [];
      const about = { event: 'group_positions_unknown', groupId, err: error };
      logger.warn(about, 'committed offsets are asked for again');
      seeker.onDoubt();
      await pause(clock, backoffMs(attempt, config, random), seeker.signal).catch(() => {});
    }
  }
}

/** In order. `identity` is asked for at each attempt. @throws {MillraceError} what the coordinator refuses. */
export async function fetchCommitted(
  cluster: Cluster,
  groupId: string,
  partitions: readonly TopicPartition[],
  identity: () => Pick<Committer, 'memberId' | 'memberEpoch'>,
  limits: RequestLimits = {},
): Promise<CommittedOffset[]> {
  if (partitions.length === 0) return [];
  const { offsets } = await cluster.coordinators.call(
    groupId,
    {
      method: groupService.fetchOffsets,
      make: (header) => {
        const { memberId, memberEpoch } = identity();
        const asked = partitions.map(({ topic, partition }) => ({ topic, partition }));
        return { header, groupId, memberId, memberEpoch, all: false, partitions: asked };
      },
    },
    limits,
  );
  const found = new Map(offsets.map((offset) => [`${offset.topic}-${offset.partition}`, offset]));
  return partitions.map(
    ({ topic, partition }) =>
      found.get(`${topic}-${partition}`) ?? {
        topic,
        partition,
        offset: -1,
        leaderEpoch: -1,
        metadata: '',
        committedAtMs: -1,
      },
  );
}

/** Those whose topics are known; asks once for those that are not. @throws {MillraceError} if no node answers. */
async function namePartitions(
  cluster: Cluster,
  keys: readonly GroupPartitionKey[],
): Promise<NamedPartition[]> {
  const ids = new Set(keys.map((key) => fromGroupPartitionKey(key).topicId));
  const unknown = [...ids].filter((id) => cluster.metadata.nameOf(id) === undefined);
  if (unknown.length > 0) {
    const { topics } = await cluster.callAnyNode(brokerService.describeTopics, (header) => ({
      header,
      names: [],
      topicIds: unknown,
      allowAutoCreate: false,
    }));
    const names = topics.filter(({ failure }) => failure === undefined).map(({ name }) => name);
    cluster.learnTopics(names);
    if (names.length > 0) await cluster.refresh();
  }
  return keys.flatMap((key) => {
    const { topicId, partition } = fromGroupPartitionKey(key);
    const topic = cluster.metadata.nameOf(topicId);
    return topic === undefined ? [] : [{ key, topicId, topic, partition }];
  });
}
