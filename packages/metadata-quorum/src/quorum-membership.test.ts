/** Membership through the driver: who joins, who is added, what a caller hears. The rules are raft's; its scripts tell them. */
import { afterEach, expect, test } from 'vitest';
import type { MetadataQuorum } from './metadata-quorum.ts';
import { QuorumCluster } from './testing/quorum-cluster.ts';
import { VotersRefused, voterChangeOf } from './voter-change.ts';

let cluster: QuorumCluster;
afterEach(() => cluster.close());

const record = (text: string): Buffer => Buffer.from(text);

/** As the controller does: tries until the node has caught up. */
async function change(leader: MetadataQuorum, kind: 'add' | 'remove', nodeId: number): Promise<void> {
  for (;;) {
    try {
      const wanted = voterChangeOf({ kind, nodeId, directoryId: '' }, leader.status());
      await cluster.until(leader.changeVoters(wanted).committed);
      return;
    } catch (error) {
      if (!(error instanceof VotersRefused) || !error.mayPass) throw error;
      await cluster.run(20);
    }
  }
}

const voterIds = (quorum: MetadataQuorum): number[] => quorum.voters().map(({ id }) => id);

test('a node that joins observes, is told where everybody is, and counts once it is added', async () => {
  cluster = await QuorumCluster.start(1);
  const leader = await cluster.electLeader();
  await cluster.until(leader.propose(record('before')));
  const joiner = await cluster.join();
  await cluster.runUntil(() => leader.status().observers.length === 1);
  expect(leader.status().observers).toMatchObject([
    { id: 2, directoryId: 'directory-2', address: 'host-2:9191' },
  ]);
  await change(leader, 'add', 2);
  await cluster.runUntil(() => joiner.status().role === 'follower');
  expect(voterIds(joiner)).toEqual([1, 2]);
  expect(cluster.member(2).machine.data).toEqual(['before']);
  cluster.cut(2);
  await expect(cluster.until(leader.propose(record('alone')))).rejects.toThrow(/may or may not/);
  cluster.heal();
});

test('a voter set takes its place behind what was proposed before, and before what comes after', async () => {
  cluster = await QuorumCluster.start(3);
  const leader = await cluster.electLeader();
  const other = (leader.status().nodeId % 3) + 1;
  const before = [leader.propose(record('a')), leader.propose(record('b'))];
  const set = leader.changeVoters(
    voterChangeOf({ kind: 'remove', nodeId: other, directoryId: '' }, leader.status()),
  );
  const after = leader.propose(record('c'));
  expect(set.offset).toBe(3);
  const results = await cluster.until(Promise.all([...before, set.committed, after]));
  expect(results.map(({ offset }) => offset)).toEqual([1, 2, 3, 4]);
});

test('what is refused is refused at once, and says that nothing has changed', async () => {
  cluster = await QuorumCluster.start(1);
  const leader = await cluster.electLeader();
  const end = leader.status().logEndOffset;
  const missing = (): unknown => voterChangeOf({ kind: 'add', nodeId: 7, directoryId: '' }, leader.status());
  expect(missing).toThrow(/node 7 does not observe the quorum; the voters are unchanged/);
  const last = voterChangeOf({ kind: 'remove', nodeId: 1, directoryId: '' }, leader.status());
  expect(() => leader.changeVoters(last)).toThrow(/the last voter cannot be removed/);
  const again = { kind: 'add', voter: { id: 1, directoryId: 'directory-1', address: '' } } as const;
  expect(() => leader.changeVoters(again)).toThrow(/votes already/);
  expect(leader.status().logEndOffset).toBe(end);
});

test('a leader that is removed answers first, then makes way at once and observes', async () => {
  cluster = await QuorumCluster.start(3);
  const leader = await cluster.electLeader();
  const { nodeId } = leader.status();
  await change(leader, 'remove', nodeId);
  const sinceMs = cluster.clock.nowMs();
  await cluster.runUntil(() => cluster.leader() !== undefined && cluster.leader() !== leader);
  expect(cluster.clock.nowMs() - sinceMs).toBeLessThan(300);
  await cluster.until(cluster.leader()!.propose(record('after')));
  await cluster.runUntil(() => cluster.member(nodeId).machine.data.includes('after'));
  expect(leader.status().role).toBe('observer');
});

/** Formed by node 1 alone, then of three voters, with one record everywhere. */
async function grownQuorum(): Promise<void> {
  cluster = await QuorumCluster.start(1);
  const leader = await cluster.electLeader();
  for (const id of [2, 3]) {
    await cluster.join();
    await change(leader, 'add', id);
  }
  await cluster.until(leader.propose(record('before')));
  await cluster.runUntil(() => [2, 3].every((id) => cluster.member(id).machine.data.length === 1));
}

/** Nodes 2 and 3 have a leader, commit, and are one quorum still. */
async function theOthersGoOn(): Promise<void> {
  const others = [2, 3].map((id) => cluster.member(id));
  const leader = () => others.find(({ quorum }) => quorum!.isLeader())?.quorum;
  await cluster.runUntil(() => leader() !== undefined);
  await cluster.until(leader()!.propose(record('after')));
  await cluster.runUntil(() => others.every(({ machine }) => machine.data.length === 2));
  for (const { machine, failures, quorum } of others) {
    expect(machine.data).toEqual(['before', 'after']);
    expect(failures).toEqual([]);
    expect(quorum!.quorumId()).toBe('directory-1');
  }
}

test('the only first voter of a grown quorum that lost its disk and led alone ends, and the quorum goes on', async () => {
  await grownQuorum();
  for (const id of [2, 3]) cluster.cut(id);
  const alone = await cluster.wipe(1, 'directory-1-new');
  await cluster.runUntil(() => alone.isLeader());
  await cluster.until(alone.propose(record('alone')));
  cluster.heal();
  const { failures, machine } = cluster.member(1);
  await cluster.runUntil(() => failures.length > 0);
  expect(failures.map(({ code }) => code)).toEqual(['INCONSISTENT_CLUSTER_ID']);
  expect(failures[0]!.message).toMatch(
    /votes with directory directory-1, but its directory is directory-1-new.* empty it, set controller\.quorum\.bootstrap\.servers/,
  );
  await theOthersGoOn();
  expect(machine.data).toEqual(['alone']);
});

test('if it meets the quorum before it has voted it observes', async () => {
  await grownQuorum();
  const observer = await cluster.wipe(1, 'directory-1-new');
  await theOthersGoOn();
  await cluster.runUntil(() => cluster.member(1).machine.data.length === 2);
  expect(observer.status().role).toBe('observer');
  expect(observer.quorumId()).toBe('directory-1');
});

test('the voters survive a snapshot and a restart', async () => {
  cluster = await QuorumCluster.start(1, {
    config: {
      'metadata.log.max.record.bytes.between.snapshots': '100',
      'metadata.log.retained.records': '0',
    },
  });
  const leader = await cluster.electLeader();
  await cluster.join();
  await change(leader, 'add', 2);
  for (let i = 0; i < 30; i++) await cluster.until(leader.propose(record(`record ${i}`)));
  expect(leader.status().logStartOffset).toBeGreaterThan(3);
  await cluster.kill(2);
  const restarted = await cluster.startMember(2);
  expect(voterIds(restarted)).toEqual([1, 2]);
  const third = await cluster.join();
  await cluster.runUntil(() => cluster.member(3).machine.data.length === 30);
  expect(voterIds(third)).toEqual([1, 2]);
});
