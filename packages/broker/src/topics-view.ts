/** What coordinators know of the cluster's topics: a window on one metadata image, filled in where it is looked through. */
import type { NodeId, TopicId } from '@millrace/core';
import type { TopicsView, TopicView } from '@millrace/groups';
import {
  isInternalTopic,
  type MetadataDelta,
  type MetadataImage,
  type TopicImage,
  topicByName,
} from '@millrace/metadata';

export class MetadataTopics implements TopicsView {
  readonly #image: MetadataImage;
  readonly #views = new Map<TopicId, TopicView>();

  constructor(image: MetadataImage) {
    this.#image = image;
  }

  /** The offset of the metadata log: it has the same meaning on every broker. */
  get version(): number {
    return this.#image.offset;
  }

  byName(name: string): TopicView | undefined {
    const topic = topicByName(this.#image, name);
    return topic === undefined ? undefined : this.#view(topic);
  }

  byId(topicId: TopicId): TopicView | undefined {
    const topic = this.#image.topics.get(topicId);
    return topic === undefined ? undefined : this.#view(topic);
  }

  *names(): Generator<string> {
    for (const name of this.#image.topicIds.keys()) if (!isInternalTopic(name)) yield name;
  }

  /** Whether groups could tell `image` from what they see here. Leaders and in-sync sets do not matter to them. */
  isOutdatedBy(image: MetadataImage, delta: MetadataDelta): boolean {
    const before = this.#image;
    return (
      delta.createdTopics.length > 0 ||
      delta.deletedTopics.length > 0 ||
      delta.changedPartitions.some(
        ({ topicId, partition }) => before.topics.get(topicId)?.partitions[partition] === undefined,
      ) ||
      delta.brokersChanged.some((id) => before.brokers.get(id)?.rack !== image.brokers.get(id)?.rack)
    );
  }

  #view(topic: TopicImage): TopicView {
    let view = this.#views.get(topic.id);
    if (view === undefined) {
      view = new MetadataTopic(topic, this.#image);
      this.#views.set(topic.id, view);
    }
    return view;
  }
}

class MetadataTopic implements TopicView {
  readonly #topic: TopicImage;
  readonly #image: MetadataImage;

  constructor(topic: TopicImage, image: MetadataImage) {
    this.#topic = topic;
    this.#image = image;
  }

  get topicId(): TopicId {
    return this.#topic.id;
  }

  get name(): string {
    return this.#topic.name;
  }

  get partitionCount(): number {
    return this.#topic.partitions.length;
  }

  racksOf(partition: number): readonly string[] {
    const replicas: readonly NodeId[] = this.#topic.partitions[partition]?.replicas ?? [];
    const racks = replicas.map((id) => this.#image.brokers.get(id)?.rack ?? '');
    return [...new Set(racks)].filter((rack) => rack !== '');
  }
}
