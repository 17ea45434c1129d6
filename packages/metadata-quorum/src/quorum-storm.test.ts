import { below, type NodeId, SeededRandom, unit } from '@millrace/core';
import { expect, test } from 'vitest';
import { QuorumCluster } from './testing/quorum-cluster.ts';

// Restarts, cuts and transfers at random, while records are proposed; then what callers were told must be true.
const SEEDS = Array.from({ length: 12 }, (_, i) => i + 1);

interface Outcomes {
  readonly acknowledged: Map<string, number>;
  readonly refused: Set<string>;
  readonly unknown: Set<string>;
}

function proposeOne(cluster: QuorumCluster, id: NodeId, text: string, outcomes: Outcomes): void {
  const { quorum } = cluster.member(id);
  quorum?.propose(Buffer.from(text)).then(
    ({ offset }) => outcomes.acknowledged.set(text, offset),
    ({ message }: Error) =>
      (/not applied|closed$/.test(message) ? outcomes.refused : outcomes.unknown).add(text),
  );
}

async function storm(cluster: QuorumCluster, random: SeededRandom, outcomes: Outcomes): Promise<void> {
  let proposals = 0;
  for (let turn = 0; turn < 150; turn++) {
    for (const { id } of cluster.members) {
      for (let i = below(random, 3); i > 0; i--) proposeOne(cluster, id, `r${proposals++}`, outcomes);
    }
    const victim = 1 + below(random, cluster.members.length);
    const dice = unit(random);
    if (dice < 0.04) cluster.cut(victim);
    else if (dice < 0.12) cluster.heal();
    else if (dice < 0.16)
      cluster
        .member(victim)
        .quorum?.transferLeadership()
        .catch(() => {});
    else if (dice < 0.2 && cluster.member(victim).quorum !== undefined) {
      await cluster.kill(victim);
      await cluster.run(below(random, 500));
      await cluster.startMember(victim);
    }
    await cluster.run(5 * below(random, 30));
  }
}

test.each(SEEDS)('what callers were told stays true (seed %i)', async (seed) => {
  const random = new SeededRandom(seed);
  const cluster = await QuorumCluster.start(3, {
    config: {
      'metadata.log.max.record.bytes.between.snapshots': '300',
      'metadata.log.retained.records': '5',
    },
  });
  const outcomes: Outcomes = { acknowledged: new Map(), refused: new Set(), unknown: new Set() };
  await cluster.electLeader();
  await storm(cluster, random, outcomes);
  cluster.heal();
  const leader = await cluster.electLeader();
  await cluster.until(leader.propose(Buffer.from('last')));
  const { records } = cluster.member(leader.status().nodeId).machine;
  await cluster.runUntil(() =>
    cluster.members.every(({ machine }) => machine.records.length === records.length),
  );
  for (const { machine, failures } of cluster.members) {
    expect(machine.records).toEqual(records);
    expect(failures).toEqual([]);
  }
  for (const [text, offset] of outcomes.acknowledged) expect(records[offset]).toBe(text);
  for (const text of outcomes.refused) expect(records).not.toContain(text);
  expect(new Set(records.filter((record) => record !== '*')).size).toBe(
    records.filter((record) => record !== '*').length,
  );
  expect(outcomes.acknowledged.size).toBeGreaterThan(20);
  await cluster.close();
});
