/** Looks at the replicas of all running brokers now and then: their offsets are in order, and no leader epoch has two leaders (21, 24, 30). */

import type { Broker } from '@millrace/broker';
import { type MetadataImage, partitionOf } from '@millrace/metadata';
import type { ClusterNode } from './cluster-node.ts';

type Partition = Broker['partitions'] extends Iterable<infer P> ? P : never;

export class ReplicaWatch {
  readonly #nodes: readonly ClusterNode[];
  readonly #violated: (text: string) => never;
  /** Who led each leader epoch of each partition. */
  readonly #leaders = new Map<string, number>();
  /** Highest log start that any replica had, by partition name. */
  readonly logStarts = new Map<string, number>();

  constructor(nodes: readonly ClusterNode[], violated: (text: string) => never) {
    this.#nodes = nodes;
    this.#violated = violated;
  }

  look(image: MetadataImage): void {
    for (const { node, plan } of this.#nodes) {
      if (node?.broker === undefined) continue;
      for (const partition of node.broker.partitions) {
        // A log that is being emptied or repaired has no order to keep.
        if (partition.leader === undefined && !partition.isFollowing) continue;
        if (!partition.isOpen || partition.offline !== undefined) continue;
        this.#judgeOffsets(plan.id, partition);
        this.#judgeLeader(plan.id, partition, image);
      }
    }
  }

  #judgeOffsets(id: number, { log, highWatermark, name }: Partition): void {
    const { logStartOffset, logEndOffset, flushedOffset } = log;
    if (logStartOffset > (this.logStarts.get(name) ?? 0)) this.logStarts.set(name, logStartOffset);
    if (logStartOffset <= highWatermark && highWatermark <= logEndOffset && flushedOffset <= logEndOffset)
      return;
    this.#violated(
      `invariant 21 offsets-are-in-order: ${name} on ${id} has start ${logStartOffset}, watermark ${highWatermark}, flushed ${flushedOffset}, end ${logEndOffset}`,
    );
  }

  #judgeLeader(id: number, partition: Partition, image: MetadataImage): void {
    const { leader, topicId, index, name } = partition;
    if (leader === undefined) return;
    const key = `${topicId}-${index}@${leader.leaderEpoch}`;
    const other = this.#leaders.get(key);
    if (other === undefined) this.#leaders.set(key, id);
    else if (other !== id) {
      this.#violated(
        `invariant 30 one-leader-per-leader-epoch: ${other} and ${id} lead ${name} in epoch ${leader.leaderEpoch}`,
      );
    }
    const committed = partitionOf(image, topicId, index);
    if (committed === undefined || committed.leaderEpoch !== leader.leaderEpoch) return;
    if (committed.isr.length < leader.minInSyncReplicas) return;
    const missing = committed.isr.filter((member) => !leader.maximalIsr.includes(member));
    if (missing.length > 0 && committed.partitionEpoch >= leader.partitionEpoch) {
      this.#violated(`invariant 25 maximal-isr-contains-the-committed: ${name} on ${id} lacks ${missing}`);
    }
  }
}
