/**
 * Tells of topics that a member subscribes to and that do not exist: a misspelt name would wait for ever in silence. Once
 * for each name; never in the way of joining, since a topic may be created later.
 */
import { brokerService } from '@millrace/protocol';
import type { Cluster } from '../cluster/cluster.ts';

export class MissingTopics {
  readonly #cluster: Cluster;
  readonly #groupId: string;
  readonly #asked = new Set<string>();

  constructor(cluster: Cluster, groupId: string) {
    this.#cluster = cluster;
    this.#groupId = groupId;
  }

  /** Never rejects: whether the cluster can be reached is told by those who join. */
  async warn(topics: readonly string[]): Promise<void> {
    const names = topics.filter((name) => !this.#asked.has(name));
    for (const name of names) this.#asked.add(name);
    if (names.length === 0) return;
    const request = { names, topicIds: [], allowAutoCreate: false };
    try {
      const answer = await this.#cluster.callAnyNode(brokerService.describeTopics, (header) => ({
        header,
        ...request,
      }));
      for (const { name, failure } of answer.topics) if (failure !== undefined) this.#warn(name);
    } catch {
      for (const name of names) this.#asked.delete(name);
    }
  }

  #warn(topic: string): void {
    const about = { event: 'subscribed_topic_missing', groupId: this.#groupId, topic };
    this.#cluster.logger.warn(about, `there is no topic ${topic}; it is read once it is created`);
  }
}
