/**
 * Random histories of a small cluster: brokers die and return, links break and heal, an idempotent producer retries
 * whatever fails. At the end every acknowledged record is there exactly once and in order (invariants 22, 23, 34, 39, 40).
 */
import { SeededRandom } from '@millrace/core';
import { expect, test } from 'vitest';
import { ClusterTroubles, TROUBLED_CONFIG, TROUBLED_NODES } from './testing/cluster-troubles.ts';
import { TestCluster } from './testing/test-cluster.ts';

const STEPS = 40;

class History {
  readonly troubles: ClusterTroubles;
  readonly cluster: TestCluster;
  readonly topicId: string;
  readonly durability: string;
  sequence = 0;
  readonly acknowledged: string[] = [];
  /** Read below the high watermark: must never change. */
  readonly seen = new Map<number, string>();

  constructor(cluster: TestCluster, topicId: string, durability: string, random: SeededRandom) {
    this.cluster = cluster;
    this.topicId = topicId;
    this.durability = durability;
    this.troubles = new ClusterTroubles(cluster, random, () => this.#mayLose());
  }

  async step(): Promise<void> {
    if (!(await this.troubles.strike(9))) await this.send(400);
    await this.look();
  }

  /** One record, to whoever seems to lead. What fails is sent again, with its sequence, by the next step. */
  async send(timeoutMs: number): Promise<boolean> {
    const { cluster, topicId, sequence } = this;
    const leader = cluster.leaderOf(topicId);
    if (leader?.leader === undefined) {
      await cluster.run(50);
      return false;
    }
    const producer = { producerId: 1, producerEpoch: 0, baseSequence: sequence };
    const value = `record-${sequence}`;
    const produced = await cluster.produce(leader.image.leader, topicId, [value], { producer, timeoutMs });
    expect(produced.failure?.code).not.toBe('OUT_OF_ORDER_SEQUENCE_NUMBER');
    if (produced.failure !== undefined) return false;
    this.acknowledged.push(value);
    this.sequence += 1;
    return true;
  }

  async look(): Promise<void> {
    const { cluster, topicId } = this;
    for (const id of cluster.brokers.keys()) {
      const replica = cluster.brokers.get(id)?.partitions.get(topicId, 0);
      if (replica?.isOpen !== true || replica.offline !== undefined) continue;
      const { log } = replica;
      expect(log.highWatermark).toBeLessThanOrEqual(log.logEndOffset);
      if (replica.leader === undefined) continue;
      const upTo = replica.highWatermark;
      const entries = await cluster.contents(id, topicId);
      for (const [offset, entry] of entries.slice(0, upTo).entries()) {
        const before = this.seen.get(offset);
        if (before !== undefined) expect(entry, `offset ${offset} changed`).toBe(before);
        this.seen.set(offset, entry);
      }
    }
  }

  async heal(): Promise<void> {
    await this.troubles.end();
    await this.cluster.until(() => this.cluster.isrOf(this.topicId).length === 3);
    while (!(await this.send(5000)));
    await this.cluster.until(() =>
      TROUBLED_NODES.every(
        (id) =>
          this.cluster.replica(id, this.topicId).log.logEndOffset ===
          this.cluster.leaderOf(this.topicId)!.log.logEndOffset,
      ),
    );
  }

  /**
   * Page-cache topics survive as many unclean deaths as they have spare replicas in sync, and no more: beyond that
   * nobody may vouch for the data, and the partition rightly stays without a leader.
   */
  #mayLose(): boolean {
    return this.durability === 'fsync' || this.cluster.isrOf(this.topicId).length === 3;
  }
}

test.each(Array.from({ length: 25 }, (_, i) => i + 1))(
  'nothing acknowledged is lost, seed %i',
  async (seed) => {
    const cluster = await TestCluster.start({ seed, config: TROUBLED_CONFIG });
    const durability = seed % 2 === 0 ? 'fsync' : 'page-cache';
    const configs = { 'min.insync.replicas': '2', durability };
    const topicId = await cluster.createTopic('orders', { configs });
    const history = new History(cluster, topicId, durability, new SeededRandom(seed));
    for (let step = 0; step < STEPS; step++) await history.step();
    await history.heal();
    expect(await cluster.consume(topicId)).toEqual(history.acknowledged);
    const logs = await Promise.all(TROUBLED_NODES.map((id) => cluster.contents(id, topicId)));
    for (const log of logs) expect(log).toEqual(logs[0]);
    await history.look();
    expect(cluster.fatal).toEqual([]);
    await cluster.close();
  },
);
