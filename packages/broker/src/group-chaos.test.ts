/**
 * Random histories of coordinators: brokers die and return, links break and heal, a broker loses sight of the controller,
 * while groups commit. What was acknowledged, and what anybody was shown, is there at the end (invariants 46 and 48).
 */
import { below, SeededRandom } from '@millrace/core';
import { OFFSETS_TOPIC, topicByName } from '@millrace/metadata';
import { expect, test } from 'vitest';
import { ClusterTroubles, TROUBLED_CONFIG, TROUBLED_NODES } from './testing/cluster-troubles.ts';
import { TestCluster } from './testing/test-cluster.ts';

const GROUPS = ['billing', 'audit'];
const PARTITIONS = 3;
const STEPS = 40;
const RETRIABLE = [
  'NOT_COORDINATOR',
  'COORDINATOR_LOAD_IN_PROGRESS',
  'COORDINATOR_NOT_AVAILABLE',
  'REQUEST_TIMED_OUT',
];

class History {
  readonly random: SeededRandom;
  readonly cluster: TestCluster;
  readonly troubles: ClusterTroubles;
  readonly sent = new Map<string, number>();
  readonly acknowledged = new Map<string, number>();
  /** What a coordinator showed to somebody. */
  readonly seen = new Map<string, number>();
  readonly pending = new Set<Promise<void>>();
  acknowledgedCount = 0;

  constructor(cluster: TestCluster, random: SeededRandom) {
    this.cluster = cluster;
    this.random = random;
    this.troubles = new ClusterTroubles(cluster, random);
  }

  async step(): Promise<void> {
    if (!(await this.troubles.strike(10))) {
      for (let i = below(this.random, 20); i >= 0; i--) this.commit();
      await this.cluster.run(below(this.random, 30));
    }
    await this.look();
  }

  /** To a broker at random: all but the coordinator must refuse, and one that was deposed must not acknowledge. */
  commit(): void {
    const ids = [...this.cluster.brokers.keys()];
    const broker = this.cluster.brokers.get(ids[below(this.random, ids.length)]!)!;
    const groupId = GROUPS[below(this.random, GROUPS.length)]!;
    const partition = below(this.random, PARTITIONS);
    const key = `${groupId} ${partition}`;
    const offset = (this.sent.get(key) ?? 0) + 1;
    this.sent.set(key, offset);
    const entry = { topic: 'orders', partition, offset, leaderEpoch: -1, metadata: '' };
    const member = { memberId: '', groupInstanceId: undefined, generationIdOrMemberEpoch: -1 };
    const caller = { clientId: 'app', clientHost: '' };
    const answered = broker.groups
      .commitOffsets({ ...caller, ...member, groupId, offsets: [entry] })
      .then(({ failure, offsets }) => {
        const code = failure?.code ?? offsets[0]?.failure?.code;
        if (code !== undefined) {
          expect(RETRIABLE).toContain(code);
          return;
        }
        this.acknowledgedCount += 1;
        raise(this.acknowledged, key, offset);
      })
      .finally(() => this.pending.delete(answered));
    this.pending.add(answered);
  }

  /** @returns whether somebody answered for every group. */
  async look(): Promise<boolean> {
    const answers = new Set<string>();
    for (const broker of this.cluster.brokers.values()) {
      for (const groupId of GROUPS) {
        const request = { groupId, memberId: '', memberEpoch: -1, partitions: undefined };
        const { failure, offsets } = await this.cluster.finish(broker.groups.fetchOffsets(request));
        if (failure !== undefined) {
          expect(RETRIABLE).toContain(failure.code);
          continue;
        }
        answers.add(groupId);
        for (const { partition, offset } of offsets) raise(this.seen, `${groupId} ${partition}`, offset);
      }
    }
    return answers.size === GROUPS.length;
  }

  async heal(): Promise<void> {
    const { cluster } = this;
    await this.troubles.end();
    const topicId = cluster.topicId(OFFSETS_TOPIC);
    await cluster.until(() => cluster.isrOf(topicId).length === 3);
    await cluster.finish(Promise.all(this.pending));
    while (!(await this.look())) await cluster.run(20);
    // Whatever happened, groups can commit again.
    for (const before = this.acknowledgedCount; this.acknowledgedCount === before; ) {
      this.commit();
      await cluster.finish(Promise.all(this.pending));
    }
  }
}

function raise(map: Map<string, number>, key: string, value: number): void {
  map.set(key, Math.max(value, map.get(key) ?? -1));
}

/** What the coordinator shows at the end, by group and partition. */
async function final(cluster: TestCluster): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for (const groupId of GROUPS) {
    const { groups } = cluster.broker(cluster.leaderOf(cluster.topicId(OFFSETS_TOPIC))!.image.leader);
    const request = { groupId, memberId: '', memberEpoch: -1, partitions: undefined };
    const { offsets } = await cluster.finish(groups.fetchOffsets(request));
    for (const { partition, offset } of offsets) found.set(`${groupId} ${partition}`, offset);
  }
  return found;
}

test.each(Array.from({ length: 20 }, (_, i) => i + 1))(
  'no commit that was acknowledged or shown is lost, seed %i',
  async (seed) => {
    const cluster = await TestCluster.start({
      seed,
      config: TROUBLED_CONFIG,
      groupConfig: { 'offsets.commit.timeout.ms': '1000' },
    });
    await cluster.createTopic('orders', { replicas: Array.from({ length: PARTITIONS }, () => [1, 2, 3]) });
    const request = { timeoutMs: 5000, clientId: 'app', listener: 'GRPC', groupIds: GROUPS };
    await cluster.finish(cluster.broker(1).groups.findCoordinators(request));
    await cluster.until(() => topicByName(cluster.controller.image, OFFSETS_TOPIC) !== undefined);
    const history = new History(cluster, new SeededRandom(seed));
    for (let step = 0; step < STEPS; step++) await history.step();
    await history.heal();
    const found = await final(cluster);
    for (const promised of [history.acknowledged, history.seen]) {
      for (const [key, offset] of promised) expect(found.get(key), key).toBeGreaterThanOrEqual(offset);
    }
    for (const [key, offset] of found) expect(offset).toBeLessThanOrEqual(history.sent.get(key)!);
    const topicId = cluster.topicId(OFFSETS_TOPIC);
    await cluster.until(() => {
      const ends = TROUBLED_NODES.map((id) => cluster.replica(id, topicId).log.logEndOffset);
      return ends.every((end) => end === ends[0]);
    });
    const logs = await Promise.all(TROUBLED_NODES.map((id) => cluster.contents(id, topicId)));
    for (const log of logs) expect(log).toEqual(logs[0]);
    expect(cluster.fatal).toEqual([]);
    await cluster.close();
  },
);
