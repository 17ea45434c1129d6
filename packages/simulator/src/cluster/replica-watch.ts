/**
 * Looks at the replicas of all running brokers now and then: their offsets and epochs are in order (21, 32), no leader epoch has
 * two leaders (30), leaders wait for whoever counts (25, 26), and whoever may lead holds what is committed (24).
 */

import type { Broker } from '@millrace/broker';
import { isActive, type MetadataImage, partitionOf } from '@millrace/metadata';
import type { ClusterNode } from './cluster-node.ts';

type Partition = Broker['partitions'] extends Iterable<infer P> ? P : never;

export class ReplicaWatch {
  readonly #nodes: readonly ClusterNode[];
  readonly #violated: (text: string) => never;
  /** Who led each leader epoch of each partition. */
  readonly #leaders = new Map<string, number>();
  /** Leaders whose ISR was too small: which, in which state, and how far they had committed. */
  readonly #stalled = new Map<
    string,
    { readonly id: number; readonly print: string; readonly highWatermark: number }
  >();
  /** Highest log start that any replica had, by partition name. */
  readonly logStarts = new Map<string, number>();

  constructor(nodes: readonly ClusterNode[], violated: (text: string) => never) {
    this.#nodes = nodes;
    this.#violated = violated;
  }

  look(image: MetadataImage): void {
    for (const { node, plan, isUp } of this.#nodes) {
      if (node?.broker === undefined) continue;
      for (const partition of node.broker.partitions) {
        // A log that is being emptied or repaired has no order to keep.
        if (partition.leader === undefined && !partition.isFollowing) continue;
        if (!partition.isOpen || partition.offline !== undefined) continue;
        this.#judgeOffsets(plan.id, partition);
        this.#judgeEpochs(plan.id, partition);
        this.#judgeLeader(plan.id, partition, image);
        // Until its registration is committed, what the cluster says of it is about the life before.
        if (isUp) this.#judgeElectable(plan.id, partition, image);
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

  #judgeEpochs(id: number, { log, name }: Partition): void {
    const starts = log.epochStarts;
    for (const [i, { epoch, startOffset }] of starts.entries()) {
      const before = starts[i - 1];
      if (before === undefined || (epoch > before.epoch && startOffset > before.startOffset)) continue;
      this.#violated(
        `invariant 32 the-epoch-cache-is-that-of-the-log: ${name} on ${id} has epoch ${epoch} from ${startOffset} after epoch ${before.epoch} from ${before.startOffset}`,
      );
    }
  }

  #judgeElectable(id: number, { topicId, index, name, log }: Partition, image: MetadataImage): void {
    const committed = partitionOf(image, topicId, index);
    if (committed === undefined || !isActive(image, id) || committed.offline.includes(id)) return;
    if (!committed.isr.includes(id) && !committed.elr.includes(id)) return;
    const leader = this.#nodes.find(({ plan, isUp }) => isUp && plan.id === committed.leader);
    const led = leader?.node?.broker?.partitions.get(topicId, index);
    if (led?.isOpen !== true || led.leader?.leaderEpoch !== committed.leaderEpoch) return;
    if (log.logEndOffset >= led.highWatermark) return;
    this.#violated(
      `invariant 24 electable-replicas-hold-all-committed: ${name} on ${id} ends at ${log.logEndOffset}, ${leader!.plan.id} has committed ${led.highWatermark}, ISR ${committed.isr}, ELR ${committed.elr}`,
    );
  }

  /** With the same few in sync as when it was looked at last, it has committed nothing since. */
  #judgeWatermark(id: number, { leader, topicId, index, name, highWatermark }: Partition): void {
    const { leaderEpoch, partitionEpoch, isr, minInSyncReplicas } = leader!;
    const key = `${topicId}-${index}`;
    const print = `${id} ${leaderEpoch} ${partitionEpoch} ${minInSyncReplicas}`;
    const last = this.#stalled.get(key);
    if (isr.length >= minInSyncReplicas) {
      if (last?.id === id) this.#stalled.delete(key);
      return;
    }
    if (last?.print === print && highWatermark > last.highWatermark) {
      this.#violated(
        `invariant 26 few-replicas-commit-nothing: ${name} on ${id} goes from ${last.highWatermark} to ${highWatermark} with an ISR of ${isr}`,
      );
    }
    this.#stalled.set(key, { id, print, highWatermark });
  }

  #judgeLeader(id: number, partition: Partition, image: MetadataImage): void {
    const { leader, topicId, index, name } = partition;
    if (leader === undefined) return;
    this.#judgeWatermark(id, partition);
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
