import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MillraceError } from '@millrace/core';
import { afterEach, describe, expect, test } from 'vitest';
import { LevelRaftStore } from './level-raft-store.ts';
import { MemoryRaftStore } from './memory-raft-store.ts';
import type { RaftStoreWrite } from './raft-store.ts';
import { QuorumCluster, type QuorumClusterOptions } from './testing/quorum-cluster.ts';

let cluster: QuorumCluster | undefined;
afterEach(async () => {
  cluster?.heal();
  await cluster?.close();
  cluster = undefined;
});

async function started(size: number, options?: QuorumClusterOptions): Promise<QuorumCluster> {
  cluster = await QuorumCluster.start(size, options);
  return cluster;
}

const record = (text: string): Buffer => Buffer.from(text);

describe('a quorum of three', () => {
  test('elects a leader within half a second of its first start', async () => {
    const quorum = await started(3);
    await quorum.electLeader();
    expect(quorum.clock.nowMs()).toBeLessThan(500);
  });

  test('commits proposals in order, on every node', async () => {
    const quorum = await started(3);
    const leader = await quorum.electLeader();
    const results = await quorum.until(
      Promise.all(['a', 'b', 'c'].map((text) => leader.propose(record(text)))),
    );
    expect(results).toEqual([{ offset: 1 }, { offset: 2 }, { offset: 3 }]);
    await quorum.runUntil(() => quorum.members.every(({ machine }) => machine.data.length === 3));
    for (const { machine } of quorum.members) expect(machine.data).toEqual(['a', 'b', 'c']);
    expect(leader.status()).toMatchObject({ highWatermark: 4, appliedOffset: 4, logEndOffset: 4 });
    await quorum.run(300);
    expect(leader.status().voters.map(({ lag }) => lag)).toEqual([0, 0, 0]);
  });

  test('refuses a proposal on a follower and says that it was not applied', async () => {
    const quorum = await started(3);
    const leader = await quorum.electLeader();
    const follower = quorum.members.find((member) => member.quorum !== leader)!.quorum!;
    await expect(follower.propose(record('x'))).rejects.toThrow(/not applied/);
    await quorum.run(200);
    expect(follower.leaderId()).toBe(leader.status().nodeId);
  });

  test('elects a new leader soon after the process of the old one died, and loses nothing', async () => {
    const quorum = await started(3);
    const leader = await quorum.electLeader();
    await quorum.until(leader.propose(record('kept')));
    const diedMs = quorum.clock.nowMs();
    const { nodeId } = leader.status();
    const killing = quorum.kill(nodeId);
    await quorum.runUntil(() => quorum.leader() !== undefined && quorum.leader() !== leader);
    expect(quorum.clock.nowMs() - diedMs).toBeLessThan(400);
    await killing;
    await quorum.until(quorum.leader()!.propose(record('after')));
    expect(quorum.member(quorum.leader()!.status().nodeId).machine.data).toEqual(['kept', 'after']);
    await quorum.startMember(nodeId);
    await quorum.runUntil(() => quorum.member(nodeId).machine.data.length === 2);
  });

  test('a leader without its majority gives up: proposals end, leadership is reported lost', async () => {
    const quorum = await started(3);
    const leader = await quorum.electLeader();
    const { nodeId } = leader.status();
    quorum.cut(nodeId);
    const doomed = leader.propose(record('doomed'));
    await expect(quorum.until(doomed)).rejects.toThrow(/may or may not be applied/);
    await quorum.runUntil(() => !leader.isLeader());
    expect(quorum.member(nodeId).leadership.map(({ kind }) => kind)).toEqual(['elected', 'lost']);
    expect(quorum.clock.nowMs()).toBeLessThan(8000);
  });

  test('hands leadership over on request and on close', async () => {
    const quorum = await started(3);
    const leader = await quorum.electLeader();
    const target = (leader.status().nodeId % 3) + 1;
    await quorum.until(leader.transferLeadership(target));
    await quorum.runUntil(() => quorum.leader()?.status().nodeId === target);
    const beforeMs = quorum.clock.nowMs();
    await quorum.until(quorum.member(target).quorum!.close());
    await quorum.runUntil(() => quorum.leader() !== undefined);
    expect(quorum.clock.nowMs() - beforeMs).toBeLessThan(200);
  });

  test('serves a linearizable read, and refuses one without a majority', async () => {
    const quorum = await started(3);
    const leader = await quorum.electLeader();
    const { offset } = await quorum.until(leader.propose(record('a')));
    expect(await quorum.until(leader.readBarrier())).toBeGreaterThan(offset);
    quorum.cut(leader.status().nodeId);
    await expect(quorum.until(leader.readBarrier())).rejects.toBeInstanceOf(MillraceError);
  });

  test('brings a node that missed everything up to date with a snapshot', async () => {
    const quorum = await started(3, {
      config: {
        'metadata.log.max.record.bytes.between.snapshots': '200',
        'metadata.log.retained.records': '2',
      },
    });
    const leader = await quorum.electLeader();
    const behind = (leader.status().nodeId % 3) + 1;
    quorum.cut(behind);
    for (let i = 0; i < 60; i++) await quorum.until(leader.propose(record(`record ${i}`)));
    expect(leader.status().snapshotEndOffset).toBeGreaterThan(0);
    quorum.heal();
    const { machine } = quorum.member(behind);
    await quorum.runUntil(() => machine.data.length === 60);
    expect(machine.restores).toBe(1);
    expect(machine.records).toEqual(quorum.member(leader.status().nodeId).machine.records);
  });

  test('lets a wiped directory observe, and never counts it', async () => {
    const quorum = await started(3);
    const leader = await quorum.electLeader();
    const wiped = (leader.status().nodeId % 3) + 1;
    await quorum.kill(wiped);
    quorum.member(wiped).directoryId = 'directory-new';
    quorum.member(wiped).store = new MemoryRaftStore();
    await quorum.until(leader.propose(record('a')));
    const observer = await quorum.startMember(wiped);
    await quorum.runUntil(() => quorum.member(wiped).machine.data.length === 1);
    expect(observer.status().role).toBe('observer');
    await quorum.runUntil(() => leader.status().observers.length === 1);
    expect(leader.status().observers).toMatchObject([{ id: wiped, directoryId: 'directory-new' }]);
    const third = quorum.members.find(({ id }) => id !== wiped && id !== leader.status().nodeId)!;
    quorum.cut(third.id);
    await expect(quorum.until(leader.propose(record('b')))).rejects.toThrow(/may or may not/);
  });
});

test('proposals made together share writes and appends', async () => {
  const quorum = await started(3);
  const leader = await quorum.electLeader();
  await quorum.run(200);
  quorum.sent.length = 0;
  const proposals = Array.from({ length: 100 }, (_, i) => leader.propose(record(`p${i}`)));
  await quorum.until(Promise.all(proposals));
  const appends = quorum.sent.filter(
    ({ message }) => message.kind === 'append' && message.entries.length > 0,
  );
  expect(appends.length).toBeLessThanOrEqual(2 * 3);
});

test('a full queue is answered with NODE_OVERLOADED, a large record with MESSAGE_TOO_LARGE', async () => {
  const quorum = await started(3, {
    config: { 'controller.quorum.max.queued.proposals': '3', 'controller.quorum.record.max.bytes': '1024' },
  });
  const leader = await quorum.electLeader();
  const results = [1, 2, 3, 4].map((n) => leader.propose(record(`${n}`)));
  await expect(results[3]).rejects.toMatchObject({ code: 'NODE_OVERLOADED' });
  await quorum.until(Promise.all(results.slice(0, 3)));
  await expect(leader.propose(Buffer.alloc(1025))).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE' });
});

test('a configuration that names other voters than the log changes nothing: membership is in the log', async () => {
  const quorum = await started(3);
  await quorum.electLeader();
  await quorum.kill(1);
  quorum.members.push({ ...quorum.member(1), id: 4, quorum: undefined });
  const restarted = await quorum.startMember(1);
  expect(restarted.voters().map(({ id }) => id)).toEqual([1, 2, 3]);
  quorum.members.pop();
});

/** Durable only when told to be. */
class HeldStore extends MemoryRaftStore {
  isHeld = false;
  failure: Error | undefined;
  #release: () => void = () => {};

  override async write(change: RaftStoreWrite): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    if (this.isHeld) {
      await new Promise<void>((resolve) => {
        this.#release = resolve;
      });
    }
    await super.write(change);
  }

  release(): void {
    this.isHeld = false;
    this.#release();
  }
}

describe('a quorum of one', () => {
  test('answers only once its own disk has the record (S14)', async () => {
    const store = new HeldStore();
    const quorum = await started(1, { openStore: () => Promise.resolve(store) });
    const leader = await quorum.electLeader();
    store.isHeld = true;
    let isAnswered = false;
    const proposal = leader.propose(record('a')).then(() => {
      isAnswered = true;
    });
    await quorum.run(1000);
    expect(isAnswered).toBe(false);
    expect(quorum.member(1).machine.data).toEqual([]);
    store.release();
    await quorum.until(proposal);
    expect(quorum.member(1).machine.data).toEqual(['a']);
  });

  test('ends the node when its disk fails, without a retry', async () => {
    const store = new HeldStore();
    const quorum = await started(1, { openStore: () => Promise.resolve(store) });
    const leader = await quorum.electLeader();
    store.failure = new MillraceError('DISK_FULL');
    await expect(quorum.until(leader.propose(record('a')))).rejects.toMatchObject({ code: 'DISK_FULL' });
    expect(quorum.member(1).failures.map(({ code }) => code)).toEqual(['DISK_FULL']);
    store.failure = undefined;
    await expect(leader.propose(record('b'))).rejects.toMatchObject({ code: 'NODE_NOT_SERVING' });
    expect(quorum.member(1).leadership.map(({ kind }) => kind)).toEqual(['elected', 'lost']);
  });

  test('ends the node when a committed record cannot be applied', async () => {
    const quorum = await started(1);
    const leader = await quorum.electLeader();
    quorum.member(1).machine.apply = () => {
      throw new Error('cannot apply');
    };
    await expect(quorum.until(leader.propose(record('a')))).rejects.toThrow('cannot apply');
    expect(quorum.member(1).failures).toHaveLength(1);
  });
});

test('a proposal made while records are applied is taken afterwards', async () => {
  const quorum = await started(1);
  const leader = await quorum.electLeader();
  const { machine } = quorum.member(1);
  const apply = machine.apply.bind(machine);
  const nested: Promise<unknown>[] = [];
  machine.apply = (records) => {
    apply(records);
    if (nested.length < 2) nested.push(leader.propose(record('n1')), leader.propose(record('n2')));
  };
  await quorum.until(leader.propose(record('outer')));
  await quorum.until(Promise.all(nested));
  expect(machine.data).toEqual(['outer', 'n1', 'n2']);
});

test('on a real disk, everything acknowledged is there after a restart of all nodes', {
  timeout: 30_000,
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'quorum-'));
  try {
    const quorum = await started(3, {
      openStore: (id) => LevelRaftStore.open(join(folder, `raft-${id}`)),
      isPaced: true,
      config: {
        'metadata.log.max.record.bytes.between.snapshots': '100',
        'metadata.log.retained.records': '2',
      },
    });
    let leader = await quorum.electLeader();
    for (let round = 0; round < 5; round++) {
      const batch = Array.from({ length: 20 }, (_, i) => leader.propose(record(`${round}-${i}`)));
      await quorum.until(Promise.all(batch));
    }
    for (const { id } of quorum.members) await quorum.kill(id);
    for (const { id } of quorum.members) await quorum.startMember(id);
    leader = await quorum.electLeader();
    await quorum.until(leader.propose(record('last')));
    await quorum.runUntil(() => quorum.members.every(({ machine }) => machine.data.length === 101));
    expect(quorum.member(1).machine.restores).toBeGreaterThan(0);
    expect(quorum.member(1).machine.data).toEqual(quorum.member(2).machine.data);
    await quorum.close();
    cluster = undefined;
  } finally {
    await rm(folder, { recursive: true });
  }
});
