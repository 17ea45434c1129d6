/**
 * Which faults the design tolerates at this moment. A durable record needs one good copy among the replicas that count
 * (ISR and ELR); one in the page cache needs, besides, a replica in sync that lives on; the quorum keeps a majority of its
 * votes. Asks the committed metadata, never the nodes' opinions.
 */
import { type MetadataImage, type PartitionImage, partitionsOf } from '@millrace/metadata';
import type { ClusterLayout, TopicPlan } from './cluster-layout.ts';
import type { ClusterNode } from './cluster-node.ts';

export class FaultBudget {
  readonly #nodes: readonly ClusterNode[];
  readonly #plans: ReadonlyMap<string, TopicPlan>;
  readonly #image: () => MetadataImage;
  /** Broker epoch at the last death: what it had in its page cache counts again with a newer registration. */
  readonly #deaths = new Map<number, number>();
  /** Damaged or blank at rest, by node and topic partition; never forgiven. */
  readonly #damage = new Set<string>();
  #lostVoter: number | undefined;

  constructor(layout: ClusterLayout, nodes: readonly ClusterNode[], image: () => MetadataImage) {
    this.#nodes = nodes;
    this.#plans = new Map(layout.topics.map((topic) => [topic.name, topic]));
    this.#image = image;
  }

  /** The process may end at once: every page-cache partition keeps somebody in sync whose memory is whole. */
  mayDie({ plan: { id } }: ClusterNode): boolean {
    return this.#everyPartition(
      (partition, topic) =>
        !topic.isPageCache || !counts(partition, id) || this.#hasLiveMember(partition, id),
    );
  }

  died({ plan: { id } }: ClusterNode): void {
    this.#deaths.set(id, this.#image().brokers.get(id)?.brokerEpoch ?? -1);
  }

  /** Everything on the node's disk may go. Its vote goes with it, and only one may. */
  mayLoseDisk(node: ClusterNode): boolean {
    const { id, isController } = node.plan;
    if (isController && this.#lostVoter !== undefined) return false;
    return (
      this.mayDie(node) &&
      this.#everyPartition(
        (partition, topic) => !topic.isStrict || !counts(partition, id) || this.#hasGoodCopy(partition, id),
      )
    );
  }

  lostDisk({ plan: { id, isController } }: ClusterNode): void {
    if (isController) this.#lostVoter = id;
    for (const partition of partitionsOf(this.#image())) {
      if (partition.replicas.includes(id)) this.#damage.add(keyOf(id, partition));
    }
  }

  /** An old copy of its disk may be put back: nobody relies on what it has written since. */
  mayRestore({ plan: { id } }: ClusterNode): boolean {
    return this.#everyPartition((partition) => !counts(partition, id));
  }

  /** One replica of one partition may be damaged. @param partition index within the topic of that name */
  mayDamage({ plan: { id } }: ClusterNode, topic: string, index: number): boolean {
    const partition = this.#partition(topic, index);
    const plan = this.#plans.get(topic);
    if (partition === undefined || plan?.isStrict !== true) return true;
    if (plan.isPageCache) return false;
    return !counts(partition, id) || this.#hasGoodCopy(partition, id);
  }

  damaged({ plan: { id } }: ClusterNode, topic: string, index: number): void {
    const partition = this.#partition(topic, index);
    if (partition !== undefined) this.#damage.add(keyOf(id, partition));
  }

  get lostVoter(): number | undefined {
    return this.#lostVoter;
  }

  #partition(topic: string, index: number): PartitionImage | undefined {
    const image = this.#image();
    const id = image.topicIds.get(topic);
    return id === undefined ? undefined : image.topics.get(id)?.partitions[index];
  }

  #everyPartition(holds: (partition: PartitionImage, topic: TopicPlan) => boolean): boolean {
    const image = this.#image();
    for (const { name, partitions } of image.topics.values()) {
      const plan = this.#plans.get(name);
      if (plan !== undefined && !partitions.every((partition) => holds(partition, plan))) return false;
    }
    return true;
  }

  /** Somebody else in sync who has not died since it registered. */
  #hasLiveMember({ isr, offline }: PartitionImage, except: number): boolean {
    const { brokers } = this.#image();
    return isr.some((id) => {
      if (id === except || offline.includes(id)) return false;
      const node = this.#nodes.find(({ plan }) => plan.id === id);
      const epoch = brokers.get(id)?.brokerEpoch ?? -1;
      return node?.process.isAlive === true && epoch > (this.#deaths.get(id) ?? -1);
    });
  }

  #hasGoodCopy(partition: PartitionImage, except: number): boolean {
    return [...partition.isr, ...partition.elr].some(
      (id) => id !== except && !partition.offline.includes(id) && !this.#damage.has(keyOf(id, partition)),
    );
  }
}

function counts({ isr, elr }: PartitionImage, id: number): boolean {
  return isr.includes(id) || elr.includes(id);
}

function keyOf(id: number, { topicId, partition }: PartitionImage): string {
  return `${id} ${topicId}-${partition}`;
}
