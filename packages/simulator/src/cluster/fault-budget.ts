/**
 * Which faults the design tolerates at this moment: of each partition fewer replicas than `min.insync.replicas` may lose
 * what they had, by disk or, where records are kept in the page cache, by death; and of the quorum one vote. A loss is over
 * when the replica is in sync again under a newer registration; damage at rest may lie unseen for ever, so it never is.
 * Asks the committed metadata, never the nodes' opinions.
 */
import { isActive, type MetadataImage, type PartitionImage, partitionsOf } from '@millrace/metadata';
import type { ClusterLayout, TopicPlan } from './cluster-layout.ts';
import type { ClusterNode } from './cluster-node.ts';

/** Broker epoch that the loss happened in. */
type Loss = number;

const UNSEEN: Loss = Number.POSITIVE_INFINITY;

export class FaultBudget {
  readonly #plans: ReadonlyMap<string, TopicPlan>;
  readonly #image: () => MetadataImage;
  /** By partition, then by node. */
  readonly #losses = new Map<string, Map<number, Loss>>();
  #lostVoter: number | undefined;

  constructor(layout: ClusterLayout, image: () => MetadataImage) {
    this.#plans = new Map(
      [...layout.topics, ...(layout.internalTopics ?? [])].map((topic) => [topic.name, topic]),
    );
    this.#image = image;
  }

  /** The process may end at once: it loses what it had in the page cache. */
  mayDie(node: ClusterNode): boolean {
    return this.#everyReplica(
      node,
      (partition, plan) => !plan.isPageCache || this.#mayLose(partition, plan, node),
    );
  }

  died(node: ClusterNode): void {
    this.#note(node, ({ isPageCache }) => isPageCache);
  }

  /** Its process may be ended now that faults are over: somebody who stays surely holds what is committed. */
  mayRestart(node: ClusterNode, nodes: readonly ClusterNode[]): boolean {
    const image = this.#image();
    const staying = nodes.filter((other) => other !== node && other.isUp && isActive(image, other.plan.id));
    return this.#everyReplica(node, (partition, plan) => {
      if (!plan.isPageCache || this.#mayLose(partition, plan, node)) return true;
      const losses = this.#lossesOf(partition);
      return staying.some(({ plan: { id } }) => {
        const loss = losses.get(id);
        return partition.isr.includes(id) && (loss === undefined || this.#isOver(partition, id, loss));
      });
    });
  }

  /** Its disk may fail: its replicas are away until it starts again. */
  mayFail(node: ClusterNode): boolean {
    return this.#everyReplica(
      node,
      (partition, plan) => !plan.isStrict || this.#mayLose(partition, plan, node),
    );
  }

  failed(node: ClusterNode): void {
    this.#note(node, () => true);
  }

  /** Everything on its disk may go. Its vote goes with it, and only one may. */
  mayLoseDisk(node: ClusterNode): boolean {
    return !(node.plan.isController && this.#lostVoter !== undefined) && this.mayFail(node);
  }

  lostDisk(node: ClusterNode): void {
    if (node.plan.isController) this.#lostVoter = node.plan.id;
    this.failed(node);
  }

  /** An old copy of its disk may be put back: nobody relies on what it has written since, or has asked to. */
  mayRestore(node: ClusterNode, nodes: readonly ClusterNode[]): boolean {
    const { id } = node.plan;
    const isCounted = nodes.some((other) =>
      [...(other.node?.broker?.partitions ?? [])].some(({ leader }) => leader?.maximalIsr.includes(id)),
    );
    if (isCounted) return false;
    return this.#everyReplica(
      node,
      ({ isr, elr, lastKnownElr }) => ![...isr, ...elr, ...lastKnownElr].includes(id),
    );
  }

  /** One replica may be damaged at rest. @param index within the topic of that name */
  mayDamage(node: ClusterNode, topic: string, index: number): boolean {
    const plan = this.#plans.get(topic);
    const partition = this.#partition(topic, index);
    return partition === undefined || plan?.isStrict !== true || this.#mayLose(partition, plan, node);
  }

  damaged({ plan: { id } }: ClusterNode, topic: string, index: number): void {
    const partition = this.#partition(topic, index);
    if (partition !== undefined) this.#lossesOf(partition).set(id, UNSEEN);
  }

  #mayLose(partition: PartitionImage, { configs }: TopicPlan, { plan: { id } }: ClusterNode): boolean {
    const minimum = Math.min(Number(configs['min.insync.replicas']), partition.replicas.length);
    const lossy = [...this.#lossesOf(partition)].filter(
      ([other, loss]) => other !== id && !this.#isOver(partition, other, loss),
    );
    return lossy.length + 1 < minimum;
  }

  #isOver({ isr }: PartitionImage, id: number, loss: Loss): boolean {
    return isr.includes(id) && (this.#image().brokers.get(id)?.brokerEpoch ?? -1) > loss;
  }

  #note({ plan: { id } }: ClusterNode, isMeant: (plan: TopicPlan) => boolean): void {
    const image = this.#image();
    const epoch = image.brokers.get(id)?.brokerEpoch ?? -1;
    for (const partition of partitionsOf(image)) {
      const plan = this.#plans.get(image.topics.get(partition.topicId)!.name);
      if (plan === undefined || !isMeant(plan) || !partition.replicas.includes(id)) continue;
      const losses = this.#lossesOf(partition);
      losses.set(id, Math.max(epoch, losses.get(id) ?? -1));
    }
  }

  #partition(topic: string, index: number): PartitionImage | undefined {
    const image = this.#image();
    const id = image.topicIds.get(topic);
    return id === undefined ? undefined : image.topics.get(id)?.partitions[index];
  }

  #everyReplica(
    { plan: { id } }: ClusterNode,
    holds: (partition: PartitionImage, topic: TopicPlan) => boolean,
  ): boolean {
    for (const { name, partitions } of this.#image().topics.values()) {
      const plan = this.#plans.get(name);
      if (plan === undefined) continue;
      for (const partition of partitions) {
        if (partition.replicas.includes(id) && !holds(partition, plan)) return false;
      }
    }
    return true;
  }

  #lossesOf({ topicId, partition }: PartitionImage): Map<number, Loss> {
    const key = `${topicId}-${partition}`;
    let losses = this.#losses.get(key);
    if (losses === undefined) {
      losses = new Map();
      this.#losses.set(key, losses);
    }
    return losses;
  }
}
