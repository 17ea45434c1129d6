/**
 * A mutable image under construction, one for each batch of records: maps and partition lists are copied when
 * first written, so 10,000 changes cost 10,000 writes and not 10,000 copies. Never leaves this package.
 */
import { invariant, type NodeId, type TopicId } from '@millrace/core';
import { BROKER_NAME_OF } from './cluster-config.ts';
import {
  CLUSTER_RESOURCE,
  type ConfigResource,
  type ConfigResourceKey,
  configResourceKey,
  configResourceOf,
} from './config-resource.ts';
import type { MetadataDelta } from './delta.ts';
import type { BrokerImage, ConfigOverrides, MetadataImage, PartitionImage, TopicImage } from './image.ts';

interface TopicDraft {
  readonly id: TopicId;
  readonly name: string;
  readonly partitions: PartitionImage[];
  readonly changed: Set<number>;
}

const durabilityKeyOf = ({ kind }: ConfigResource): string =>
  kind === 'topic' ? 'durability' : BROKER_NAME_OF.durability;

export class MetadataDraft {
  readonly #base: MetadataImage;
  #brokers: Map<NodeId, BrokerImage> | undefined;
  #configs: Map<ConfigResourceKey, ConfigOverrides> | undefined;
  #pageCacheUntil: Map<ConfigResourceKey, number> | undefined;
  readonly #topics = new Map<TopicId, TopicDraft>();
  readonly #created = new Set<TopicId>();
  readonly #deleted = new Map<TopicId, TopicImage>();
  /** Names that came or went in this batch. */
  readonly #names = new Map<string, TopicId | undefined>();
  readonly #brokersChanged = new Set<NodeId>();
  readonly #configsChanged = new Set<ConfigResourceKey>();
  #partitionCount: number;
  nextProducerId: number;

  constructor(base: MetadataImage) {
    this.#base = base;
    this.#partitionCount = base.partitionCount;
    this.nextProducerId = base.nextProducerId;
  }

  broker(id: NodeId): BrokerImage | undefined {
    return (this.#brokers ?? this.#base.brokers).get(id);
  }

  putBroker(broker: BrokerImage): void {
    this.#brokers ??= new Map(this.#base.brokers);
    this.#brokers.set(broker.id, broker);
    this.#brokersChanged.add(broker.id);
  }

  createTopic(id: TopicId, name: string): void {
    invariant(!this.#has(id), 'topic id is new', { id });
    const taken = this.#names.has(name) ? this.#names.get(name) : this.#base.topicIds.get(name);
    invariant(taken === undefined, 'topic name is free', { name, taken });
    this.#topics.set(id, { id, name, partitions: [], changed: new Set() });
    this.#created.add(id);
    this.#names.set(name, id);
  }

  deleteTopic(id: TopicId): void {
    const topic = this.#topic(id);
    this.#partitionCount -= topic.partitions.length;
    const before = this.#base.topics.get(id);
    if (before !== undefined) this.#deleted.set(id, before);
    this.#topics.delete(id);
    this.#created.delete(id);
    this.#names.set(topic.name, undefined);
    this.removeConfigs({ kind: 'topic', name: topic.name });
  }

  addPartition(partition: PartitionImage): void {
    const topic = this.#topic(partition.topicId);
    invariant(partition.partition === topic.partitions.length, 'partitions have no holes', {
      topic: topic.name,
      partition: partition.partition,
      next: topic.partitions.length,
    });
    topic.partitions.push(partition);
    topic.changed.add(partition.partition);
    this.#partitionCount++;
  }

  partition(topicId: TopicId, partition: number): PartitionImage | undefined {
    return this.#topic(topicId).partitions[partition];
  }

  putPartition(partition: PartitionImage): void {
    const topic = this.#topic(partition.topicId);
    topic.partitions[partition.partition] = partition;
    topic.changed.add(partition.partition);
  }

  setConfig(resource: ConfigResource, name: string, value: string | null, offset: number): void {
    const key = configResourceKey(resource);
    if (name === durabilityKeyOf(resource) && this.#leavesPageCache(resource, value)) {
      this.#pageCacheUntil ??= new Map(this.#base.pageCacheUntil);
      this.#pageCacheUntil.set(key, offset);
    }
    this.#configs ??= new Map(this.#base.configs);
    const overrides = new Map(this.#configs.get(key));
    if (value === null) overrides.delete(name);
    else overrides.set(name, value);
    if (overrides.size === 0) this.#configs.delete(key);
    else this.#configs.set(key, overrides);
    this.#configsChanged.add(key);
  }

  #leavesPageCache({ kind, name }: ConfigResource, value: string | null): boolean {
    const topicId = kind === 'topic' ? this.#names.get(name) : undefined;
    if (value === 'page-cache' || (topicId !== undefined && this.#created.has(topicId))) return false;
    const configs = this.#configs ?? this.#base.configs;
    const textOf = (resource: ConfigResource): string | undefined =>
      configs.get(configResourceKey(resource))?.get(durabilityKeyOf(resource));
    return (textOf({ kind, name }) ?? textOf(CLUSTER_RESOURCE)) === 'page-cache';
  }

  removeConfigs(resource: ConfigResource): void {
    const key = configResourceKey(resource);
    if ((this.#pageCacheUntil ?? this.#base.pageCacheUntil).has(key)) {
      this.#pageCacheUntil ??= new Map(this.#base.pageCacheUntil);
      this.#pageCacheUntil.delete(key);
    }
    if (!(this.#configs ?? this.#base.configs).has(key)) return;
    this.#configs ??= new Map(this.#base.configs);
    this.#configs.delete(key);
    this.#configsChanged.add(key);
  }

  /** The finished image, whose next offset is `nextOffset`, and what changed. The draft must not be used afterwards. */
  finish(nextOffset: number): { image: MetadataImage; delta: MetadataDelta } {
    const base = this.#base;
    const topics = this.#topics.size + this.#deleted.size > 0 ? new Map(base.topics) : base.topics;
    const changedPartitions: PartitionImage[] = [];
    const createdTopics: TopicImage[] = [];
    if (topics instanceof Map && topics !== base.topics) {
      for (const id of this.#deleted.keys()) topics.delete(id);
      for (const { id, name, partitions, changed } of this.#topics.values()) {
        const topic: TopicImage = { id, name, partitions };
        topics.set(id, topic);
        if (this.#created.has(id)) createdTopics.push(topic);
        for (const index of changed) changedPartitions.push(partitions[index]!);
      }
    }
    return {
      image: {
        offset: nextOffset,
        brokers: this.#brokers ?? base.brokers,
        topics,
        topicIds: this.#finishNames(),
        configs: this.#configs ?? base.configs,
        pageCacheUntil: this.#pageCacheUntil ?? base.pageCacheUntil,
        nextProducerId: this.nextProducerId,
        partitionCount: this.#partitionCount,
      },
      delta: {
        changedPartitions,
        deletedTopics: [...this.#deleted.values()],
        createdTopics,
        changedConfigs: [...this.#configsChanged].map((key) => configResourceOf(key)),
        brokersChanged: [...this.#brokersChanged],
        isSnapshot: false,
      },
    };
  }

  #finishNames(): ReadonlyMap<string, TopicId> {
    if (this.#names.size === 0) return this.#base.topicIds;
    const names = new Map(this.#base.topicIds);
    for (const [name, id] of this.#names) {
      if (id === undefined) names.delete(name);
      else names.set(name, id);
    }
    return names;
  }

  #has(id: TopicId): boolean {
    return this.#topics.has(id) || (this.#base.topics.has(id) && !this.#deleted.has(id));
  }

  #topic(id: TopicId): TopicDraft {
    const draft = this.#topics.get(id);
    if (draft !== undefined) return draft;
    invariant(this.#has(id), 'topic exists', { id });
    const { name, partitions } = this.#base.topics.get(id)!;
    const copy: TopicDraft = { id, name, partitions: [...partitions], changed: new Set() };
    this.#topics.set(id, copy);
    return copy;
  }
}
