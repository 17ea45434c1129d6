/**
 * What the client believes about the cluster: brokers, topics, who leads each partition. Pure. Beliefs only
 * move forward: a leader of an older epoch never replaces a newer one, whoever reports it.
 */
import type { NodeId, TopicId } from '@millrace/core';
import type { BrokerNode, DescribeTopicsResponse, Failure, TopicDescription } from '@millrace/protocol';
import { formatAddress } from './address.ts';

export interface PartitionLeader {
  /** -1 while there is none. */
  readonly leaderId: NodeId | -1;
  readonly leaderEpoch: number;
}

export interface TopicMetadata {
  readonly name: string;
  readonly topicId: TopicId;
  readonly isInternal: boolean;
  /** By partition number. Entries are replaced, never changed. */
  readonly partitions: readonly PartitionLeader[];
}

export class MetadataState {
  #clusterId = '';
  #brokers: ReadonlyMap<NodeId, BrokerNode> = new Map();
  readonly #topics = new Map<string, TopicMetadata>();
  readonly #nameOfId = new Map<TopicId, string>();
  readonly #failures = new Map<string, Failure>();

  get clusterId(): string {
    return this.#clusterId;
  }

  get brokers(): ReadonlyMap<NodeId, BrokerNode> {
    return this.#brokers;
  }

  topic(name: string): TopicMetadata | undefined {
    return this.#topics.get(name);
  }

  nameOf(topicId: TopicId): string | undefined {
    return this.#nameOfId.get(topicId);
  }

  /** Why the last answer had nothing on this topic. */
  failureOf(name: string): Failure | undefined {
    return this.#failures.get(name);
  }

  leaderOf(name: string, partition: number): PartitionLeader | undefined {
    return this.#topics.get(name)?.partitions[partition];
  }

  /** Takes in a whole answer. True if anything that matters to routing changed. */
  apply(response: DescribeTopicsResponse): boolean {
    if (response.clusterId !== '') this.#clusterId = response.clusterId;
    let changed = this.#applyBrokers(response.brokers);
    for (const topic of response.topics) {
      if (this.#applyTopic(topic)) changed = true;
    }
    return changed;
  }

  /** A broker refused a request and named the leader. True if that is news. */
  applyLeader(topicId: TopicId, partition: number, leaderId: NodeId | -1, leaderEpoch: number): boolean {
    const name = this.#nameOfId.get(topicId);
    const topic = name === undefined ? undefined : this.#topics.get(name);
    const known = topic?.partitions[partition];
    if (topic === undefined || known === undefined || leaderId < 0) return false;
    if (leaderEpoch <= known.leaderEpoch) return false;
    this.#topics.set(topic.name, {
      ...topic,
      partitions: topic.partitions.with(partition, { leaderId, leaderEpoch }),
    });
    return true;
  }

  forget(name: string): void {
    const topic = this.#topics.get(name);
    if (topic !== undefined) this.#nameOfId.delete(topic.topicId);
    this.#topics.delete(name);
    this.#failures.delete(name);
  }

  #applyBrokers(brokers: readonly BrokerNode[]): boolean {
    // An answer without brokers comes from a node that knows nothing yet; what is known is better.
    if (brokers.length === 0) return false;
    const previous = this.#brokers;
    this.#brokers = new Map(brokers.map((broker) => [broker.id, broker]));
    return (
      previous.size !== this.#brokers.size ||
      brokers.some((broker) => {
        const known = previous.get(broker.id);
        return known === undefined || formatAddress(known) !== formatAddress(broker);
      })
    );
  }

  #applyTopic({ name, topicId, failure, internal, partitions }: TopicDescription): boolean {
    if (failure !== undefined) {
      const wasKnown = this.#topics.has(name);
      this.forget(name);
      this.#failures.set(name, failure);
      return wasKnown;
    }
    this.#failures.delete(name);
    const known = this.#topics.get(name);
    const isSame = known !== undefined && known.topicId === topicId;
    if (known !== undefined && !isSame) this.#nameOfId.delete(known.topicId);
    const leaders: PartitionLeader[] = [];
    let changed = !isSame || known.partitions.length < partitions.length;
    for (const { partition, leaderId, leaderEpoch } of partitions) {
      const before = isSame ? known.partitions[partition] : undefined;
      const isStale = before !== undefined && before.leaderEpoch > leaderEpoch;
      const isEqual =
        before !== undefined && before.leaderEpoch === leaderEpoch && before.leaderId === leaderId;
      leaders[partition] = isStale || isEqual ? before : { leaderId, leaderEpoch };
      if (!isStale && !isEqual) changed = true;
    }
    // An older answer may lack partitions that were added since: partitions are never taken away.
    for (let i = leaders.length; isSame && i < known.partitions.length; i++)
      leaders.push(known.partitions[i]!);
    this.#topics.set(name, { name, topicId, isInternal: internal, partitions: leaders });
    this.#nameOfId.set(topicId, name);
    return changed;
  }
}
