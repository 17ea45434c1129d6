/**
 * Random histories of a small cluster: brokers die and return, links break and heal, an idempotent producer retries
 * whatever fails. At the end every acknowledged record is there exactly once and in order (invariants 22, 23, 34, 39, 40).
 */
import { below, SeededRandom } from '@millrace/core';
import { expect, test } from 'vitest';
import { TestCluster } from './testing/test-cluster.ts';

const NODES = [1, 2, 3];
const STEPS = 40;

class History {
  readonly random: SeededRandom;
  readonly cluster: TestCluster;
  readonly topicId: string;
  readonly durability: string;
  sequence = 0;
  readonly acknowledged: string[] = [];
  /** Read below the high watermark: must never change. */
  readonly seen = new Map<number, string>();
  readonly #cuts = new Set<string>();
  readonly #away = new Set<number>();

  constructor(cluster: TestCluster, topicId: string, durability: string, random: SeededRandom) {
    this.cluster = cluster;
    this.topicId = topicId;
    this.durability = durability;
    this.random = random;
  }

  async step(): Promise<void> {
    const { cluster } = this;
    const node = NODES[below(this.random, 3)]!;
    const other = NODES[below(this.random, 3)]!;
    switch (below(this.random, 9)) {
      case 0:
        if (cluster.brokers.size === 3 && this.#mayLose()) await cluster.kill(node);
        break;
      case 1:
        for (const id of NODES) if (!cluster.brokers.has(id)) await cluster.start(id);
        break;
      case 2:
        if (node !== other) this.#cut(node, other);
        break;
      case 3:
        this.#healAll();
        break;
      case 4:
        if (this.#away.size === 0 && cluster.brokers.has(node)) {
          this.#away.add(node);
          cluster.controller.cut(node);
        }
        break;
      case 5:
        this.#reachAll();
        break;
      case 6:
        await cluster.run(below(this.random, 1500));
        break;
      default:
        await this.send(400);
    }
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
    this.#healAll();
    this.#reachAll();
    for (const id of NODES) if (!this.cluster.brokers.has(id)) await this.cluster.start(id);
    await this.cluster.until(() => this.cluster.isrOf(this.topicId).length === 3);
    while (!(await this.send(5000)));
    await this.cluster.until(() =>
      NODES.every(
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

  #cut(a: number, b: number): void {
    this.#cuts.add(`${a} ${b}`);
    this.cluster.network.cut(a, b);
  }

  #healAll(): void {
    for (const pair of this.#cuts) {
      const [a, b] = pair.split(' ').map(Number);
      this.cluster.network.heal(a!, b!);
    }
    this.#cuts.clear();
  }

  #reachAll(): void {
    for (const id of this.#away) this.cluster.controller.heal(id);
    this.#away.clear();
  }
}

test.each(Array.from({ length: 25 }, (_, i) => i + 1))(
  'nothing acknowledged is lost, seed %i',
  async (seed) => {
    const config = {
      'replica.lag.time.max.ms': '600',
      'replica.fetch.wait.max.ms': '100',
      'replica.fetch.backoff.ms': '50',
      'replica.socket.timeout.ms': '400',
    };
    const cluster = await TestCluster.start({ seed, config });
    const durability = seed % 2 === 0 ? 'fsync' : 'page-cache';
    const configs = { 'min.insync.replicas': '2', durability };
    const topicId = await cluster.createTopic('orders', { configs });
    const history = new History(cluster, topicId, durability, new SeededRandom(seed));
    for (let step = 0; step < STEPS; step++) await history.step();
    await history.heal();
    expect(await cluster.consume(topicId)).toEqual(history.acknowledged);
    const logs = await Promise.all(NODES.map((id) => cluster.contents(id, topicId)));
    for (const log of logs) expect(log).toEqual(logs[0]);
    await history.look();
    expect(cluster.fatal).toEqual([]);
    await cluster.close();
  },
);
