/** Known bugs of replicated logs as scenarios (S16 to S32): leaders and followers die, return and disagree. */
import { MillraceError } from '@millrace/core';
import { afterEach, describe, expect, test } from 'vitest';
import { brokerConfig } from './broker-config.ts';
import type { ReplicaFetchResponse } from './replica-channel.ts';
import { TestCluster, type TestClusterOptions } from './testing/test-cluster.ts';

let cluster: TestCluster;
const start = async (options: TestClusterOptions = {}): Promise<void> => {
  cluster = await TestCluster.start({ config: { 'replica.lag.time.max.ms': '1000' }, ...options });
};
afterEach(async () => {
  expect(cluster.fatal).toEqual([]);
  await cluster.close();
});

const BACKOFF_MS = brokerConfig.parse({})['replica.fetch.backoff.ms'];
const SAFE = { 'min.insync.replicas': '2' };
const CARELESS = { durability: 'page-cache', 'unclean.leader.election.enable': 'true' };

const isrIs = (topicId: string, ...ids: number[]) =>
  cluster.until(() => {
    const isr = cluster.isrOf(topicId);
    return isr.length === ids.length && ids.every((id) => isr.includes(id));
  });

async function expectSameLogs(topicId: string, ids: readonly number[]): Promise<string[]> {
  await cluster.until(() => {
    const ends = ids.map((id) => cluster.replica(id, topicId).log.logEndOffset);
    return ends.every((end) => end === ends[0]) && cluster.isrOf(topicId).length === ids.length;
  });
  const logs = await Promise.all(ids.map((id) => cluster.contents(id, topicId)));
  for (const log of logs) expect(log).toEqual(logs[0]);
  return logs[0]!;
}

describe('failover', () => {
  test('loses nothing that was acknowledged, whoever dies', async () => {
    await start();
    const topicId = await cluster.createTopic('orders', { configs: SAFE });
    const sent: string[] = [];
    for (const [round, victim] of [1, 2, 3, 1].entries()) {
      const value = `round-${round}`;
      expect((await cluster.produceToLeader(topicId, [value])).failure).toBeUndefined();
      sent.push(value);
      await cluster.kill(victim);
      const between = `without-${victim}`;
      expect((await cluster.produceToLeader(topicId, [between])).failure).toBeUndefined();
      sent.push(between);
      await cluster.restart(victim);
      await isrIs(topicId, 1, 2, 3);
    }
    expect(await cluster.consume(topicId)).toEqual(sent);
    await expectSameLogs(topicId, [1, 2, 3]);
  });

  test('a leader that was replaced unheard sends nobody back to the beginning', async () => {
    await start();
    const topicId = await cluster.createTopic('orders', { configs: SAFE });
    await cluster.produceToLeader(topicId, ['a']);
    cluster.controller.cut(1);
    await cluster.until(() => cluster.controller.image.topics.get(topicId)?.partitions[0]?.leader !== 1);
    const sent = await cluster.produceToLeader(topicId, ['b', 'c']);
    // Who has committed that comes back as a new process and knows an offset, no epoch.
    const old = await cluster.fetch(1, topicId, sent.baseOffset + 2);
    expect(old?.failure?.code).toBe('NOT_LEADER_OR_FOLLOWER');
    cluster.controller.heal(1);
    await isrIs(topicId, 1, 2, 3);
    const beyond = await cluster.fetch(cluster.leaderOf(topicId)!.image.leader, topicId, 4);
    expect(beyond?.failure?.code).toBe('OFFSET_OUT_OF_RANGE');
  });

  test('a follower that restarts with a stale watermark keeps what it has (S16)', async () => {
    await start({ nodes: 2 });
    const topicId = await cluster.createTopic('orders', { replicas: [[1, 2]] });
    await cluster.produce(1, topicId, ['a', 'b']);
    // The follower has both records but has not heard that they are committed.
    expect(cluster.replica(2, topicId).highWatermark).toBe(0);
    await cluster.kill(2);
    await cluster.restart(2);
    await isrIs(topicId, 1, 2);
    await cluster.kill(1);
    await cluster.until(() => cluster.leaderOf(topicId)?.leader?.isHighWatermarkMonotonic === true);
    expect(await cluster.consume(topicId)).toEqual(['a', 'b']);
  });

  test('logs that diverged at equal offsets become one again (S17)', async () => {
    await start({ nodes: 2 });
    const topicId = await cluster.createTopic('orders', { replicas: [[1, 2]], configs: CARELESS });
    await cluster.produce(1, topicId, ['a']);
    const short = cluster.diskOf(2);
    await cluster.produce(1, topicId, ['lost']);
    await cluster.kill(2, short);
    await cluster.kill(1);
    await cluster.restart(2);
    expect((await cluster.produceToLeader(topicId, ['new'])).baseOffset).toBe(1);
    await cluster.restart(1);
    const log = await expectSameLogs(topicId, [1, 2]);
    expect(log.map((entry) => entry.split(':')[1])).toEqual(['a', 'new']);
  });

  test('a follower with epochs that its leader never saw truncates in rounds (S18)', async () => {
    await start({ nodes: 2 });
    const topicId = await cluster.createTopic('orders', { replicas: [[1, 2]], configs: CARELESS });
    await cluster.produce(1, topicId, ['a']);
    const old1 = cluster.diskOf(1);
    const old2 = cluster.diskOf(2);
    let disk1 = old1;
    let disk2 = old2;
    // Each leads alone for a while, twice, and neither sees what the other wrote.
    for (const round of [1, 2]) {
      await cluster.kill(1, disk1);
      await cluster.produceToLeader(topicId, [`two-${round}`], 1);
      disk2 = cluster.diskOf(2);
      await cluster.kill(2, disk2);
      await cluster.restart(1);
      await cluster.produceToLeader(topicId, [`one-${round}`, `one-${round}`], 1);
      disk1 = cluster.diskOf(1);
      if (round === 1) {
        await cluster.kill(1, disk1);
        await cluster.restart(2);
        await cluster.until(() => cluster.leaderOf(topicId)?.leader !== undefined);
        await cluster.start(1);
        await cluster.until(() => cluster.isrOf(topicId).length === 2);
      }
    }
    await cluster.restart(2);
    await expectSameLogs(topicId, [1, 2]);
  });

  test('a log whose deleted records were others than the leader has is filled from its beginning (S17)', async () => {
    await start({ nodes: 2 });
    const topicId = await cluster.createTopic('orders', { replicas: [[1, 2]], configs: CARELESS });
    await cluster.produce(1, topicId, ['a']);
    const short = cluster.diskOf(1);
    await cluster.produce(1, topicId, ['b']);
    const long = cluster.diskOf(2);
    await cluster.kill(2, long);
    await cluster.kill(1, short);
    await cluster.restart(1);
    expect((await cluster.produceToLeader(topicId, ['x'])).baseOffset).toBe(1);
    await cluster.replica(1, topicId).log.deleteRecordsBefore(2);
    await cluster.kill(1);
    await cluster.restart(2);
    await cluster.until(() => cluster.leaderOf(topicId)?.leader !== undefined);
    await cluster.restart(1);
    const log = await expectSameLogs(topicId, [1, 2]);
    expect(log.map((entry) => entry.split(':')[1])).toEqual(['a', 'b']);
  });

  test('a leader that wrote nothing in its epoch follows one that never heard of that epoch', async () => {
    await start({ nodes: 2 });
    const topicId = await cluster.createTopic('orders', { replicas: [[1, 2]], configs: CARELESS });
    await cluster.produce(1, topicId, ['a']);
    const short = cluster.diskOf(2);
    await cluster.produce(1, topicId, ['b']);
    await cluster.kill(2, short);
    await cluster.kill(1);
    await cluster.restart(2);
    await cluster.until(() => cluster.leaderOf(topicId)?.leader !== undefined);
    await cluster.kill(2);
    await cluster.restart(1);
    await cluster.until(() => cluster.leaderOf(topicId)?.leader !== undefined);
    await cluster.restart(2);
    const log = await expectSameLogs(topicId, [1, 2]);
    expect(log.map((entry) => entry.split(':')[1])).toEqual(['a', 'b']);
  });

  test('an interim leader that wrote nothing follows the next one without a pause', async () => {
    await start({ nodes: 2 });
    const topicId = await cluster.createTopic('orders', { replicas: [[1, 2]] });
    await cluster.produce(1, topicId, ['a']);
    await cluster.kill(1);
    await cluster.until(() => cluster.leaderOf(topicId) === cluster.replica(2, topicId));
    await cluster.restart(1);
    await isrIs(topicId, 1, 2);
    const elections = cluster.controller.channelOf(1).electLeaders({
      timeoutMs: 1_000,
      clientId: 'test',
      election: 'preferred',
      partitions: [{ topic: 'orders', partition: 0 }],
    });
    await cluster.finish(elections);
    await cluster.until(() => cluster.leaderOf(topicId) === cluster.replica(1, topicId));
    const sinceMs = cluster.clock.nowMs();
    await cluster.produceToLeader(topicId, ['b']);
    await expectSameLogs(topicId, [1, 2]);
    expect(cluster.clock.nowMs() - sinceMs).toBeLessThan(BACKOFF_MS);
  });

  test('a leader cut off from controller and replicas acknowledges nothing, then follows (S19, invariant 31)', async () => {
    await start();
    const topicId = await cluster.createTopic('orders', { configs: SAFE });
    await cluster.produce(1, topicId, ['a']);
    cluster.controller.cut(1);
    cluster.network.cut(1, 2);
    cluster.network.cut(1, 3);
    const zombie = await cluster.produce(1, topicId, ['zombie'], { timeoutMs: 300 });
    expect(zombie.failure?.code).toBe('REQUEST_TIMED_OUT');
    expect((await cluster.produceToLeader(topicId, ['b'])).failure).toBeUndefined();
    cluster.controller.heal(1);
    cluster.network.heal(1, 2);
    cluster.network.heal(1, 3);
    await isrIs(topicId, 1, 2, 3);
    const log = await expectSameLogs(topicId, [1, 2, 3]);
    expect(log.map((entry) => entry.split(':')[1])).toEqual(['a', 'b']);
  });

  test('a follower with old metadata does not count for a newer epoch (S19)', async () => {
    await start();
    const topicId = await cluster.createTopic('orders', { configs: SAFE });
    await cluster.produce(1, topicId, ['a']);
    cluster.controller.hold(3);
    await cluster.kill(1);
    await cluster.until(() => cluster.leaderOf(topicId)?.image.leader === 2);
    await cluster.until(() => cluster.leaderOf(topicId)?.leader !== undefined);
    const waiting = await cluster.produce(2, topicId, ['b'], { timeoutMs: 300 });
    expect(waiting.failure?.code).toBe('REQUEST_TIMED_OUT');
    cluster.controller.release(3);
    await cluster.until(() => cluster.replica(2, topicId).highWatermark === 2);
    expect(await cluster.consume(topicId)).toEqual(['a', 'b']);
  });

  test('a truncation point of another epoch is ignored (S20)', async () => {
    await start();
    const topicId = await cluster.createTopic('orders', { configs: SAFE });
    await cluster.produce(1, topicId, ['a', 'b']);
    let injected = 0;
    cluster.network.onResponse = (_from, _to, response) => {
      injected += response.partitions.length;
      return edited(response, { divergingEpoch: 0, divergingEndOffset: 0, leaderEpoch: 99 });
    };
    await cluster.produce(1, topicId, ['c'], { acks: 1 });
    await cluster.until(() => injected > 0);
    await cluster.run(200);
    expect(cluster.replica(2, topicId).log.logEndOffset).toBe(2);
    cluster.network.onResponse = (_from, _to, response) => response;
    cluster.network.heal(1, 2);
    cluster.network.heal(1, 3);
    await expectSameLogs(topicId, [1, 2, 3]);
  });

  test('a replica that rebooted with an empty disk does not join on the word of its former life (S24)', async () => {
    await start();
    const topicId = await cluster.createTopic('orders', { configs: SAFE });
    await cluster.produce(1, topicId, ['a']);
    cluster.network.cut(1, 3);
    const pending = cluster.produce(1, topicId, ['b']);
    await isrIs(topicId, 1, 2);
    await pending;
    let letGo = (): void => {};
    let isHeld = false;
    cluster.controller.onAlterPartitions = async (_request, decide) => {
      isHeld = true;
      await new Promise<void>((resolve) => {
        letGo = resolve;
      });
      return decide();
    };
    cluster.network.heal(1, 3);
    await cluster.until(() => isHeld);
    await cluster.kill(3, await cluster.blankDisk(3));
    await cluster.restart(3);
    const answers: string[] = [];
    cluster.controller.onAlterPartitions = (_request, decide) => {
      const answer = decide();
      answers.push(`${answer.partitions[0]?.failure?.code}`);
      return answer;
    };
    letGo();
    await cluster.run(5);
    expect(cluster.isrOf(topicId)).toEqual([1, 2]);
    await isrIs(topicId, 1, 2, 3);
    expect(await cluster.contents(3, topicId)).toEqual(['0@0:a', '1@0:b']);
  });

  test('divergence is seen after any number of empty answers (S29)', async () => {
    await start({ nodes: 2 });
    const topicId = await cluster.createTopic('orders', { replicas: [[1, 2]], configs: CARELESS });
    await cluster.produce(1, topicId, ['a']);
    const short = cluster.diskOf(2);
    await cluster.produce(1, topicId, ['lost']);
    await cluster.run(3000);
    await cluster.kill(2, short);
    await cluster.kill(1);
    await cluster.restart(2);
    await cluster.restart(1);
    // Node 1 is longer by one record of an older epoch, and nothing new comes to show it.
    await expectSameLogs(topicId, [1, 2]);
    expect(await cluster.consume(topicId)).toEqual(['a']);
  });

  test('damaged records in an answer are refused and fetched again (S30)', async () => {
    await start();
    const topicId = await cluster.createTopic('orders', { configs: SAFE });
    let damaged = 0;
    cluster.network.onResponse = (_from, to, response) => {
      for (const { records } of response.partitions) {
        if (records.length === 0 || to !== 1 || damaged === 3) continue;
        records[records.length - 1]! ^= 1;
        damaged += 1;
      }
      return response;
    };
    expect((await cluster.produce(1, topicId, ['a', 'b'])).failure).toBeUndefined();
    expect(damaged).toBeGreaterThan(0);
    await expectSameLogs(topicId, [1, 2, 3]);
  });

  test('a retry at the next leader is not appended twice (S32)', async () => {
    await start();
    const topicId = await cluster.createTopic('orders', { configs: SAFE });
    const producer = (baseSequence: number) => ({ producerId: 7, producerEpoch: 0, baseSequence });
    await cluster.produce(1, topicId, ['a'], { producer: producer(0) });
    await cluster.produce(1, topicId, ['b'], { producer: producer(1) });
    await cluster.kill(1);
    await cluster.until(() => cluster.leaderOf(topicId)?.leader !== undefined);
    const leader = cluster.leaderOf(topicId)!.image.leader;
    const again = await cluster.produce(leader, topicId, ['b'], { producer: producer(1) });
    expect(again).toMatchObject({ failure: undefined, baseOffset: 1 });
    const next = await cluster.produce(leader, topicId, ['c'], { producer: producer(2) });
    expect(next).toMatchObject({ failure: undefined, baseOffset: 2 });
    const gap = await cluster.produce(leader, topicId, ['e'], { producer: producer(4) });
    expect(gap.failure?.code).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER');
    expect(await cluster.consume(topicId)).toEqual(['a', 'b', 'c']);
  });
});

test('a page-cache topic comes back by itself after kill -9 of every broker, with what it acknowledged', async () => {
  await start();
  const topicId = await cluster.createTopic('orders', { configs: { ...SAFE, durability: 'page-cache' } });
  for (const value of ['a', 'b', 'c']) await cluster.produceToLeader(topicId, [value]);
  for (const id of [1, 2, 3]) await cluster.kill(id);
  for (const id of [1, 2, 3]) await cluster.restart(id);
  await isrIs(topicId, 1, 2, 3);
  expect(await cluster.consume(topicId)).toEqual(['a', 'b', 'c']);
  expect(await expectSameLogs(topicId, [1, 2, 3])).toHaveLength(3);
});

test('a leader whose disk is full hands over, and serves its other partitions', async () => {
  await start();
  const topicId = await cluster.createTopic('orders', { configs: { ...SAFE, durability: 'page-cache' } });
  const other = await cluster.createTopic('calm', { replicas: [[1, 2]] });
  await cluster.produce(1, topicId, ['a']);
  // The next write to this one log fails as a full device makes it fail.
  const { log } = cluster.replica(1, topicId);
  log.goOffline(new MillraceError('DISK_FULL'));
  const refused = await cluster.produce(1, topicId, ['b']);
  expect(refused.failure?.code).toBe('KAFKA_STORAGE_ERROR');
  await cluster.until(() => cluster.leaderOf(topicId)?.image.leader === 2);
  expect((await cluster.produceToLeader(topicId, ['b'])).failure).toBeUndefined();
  expect(cluster.isrOf(topicId)).toEqual([2, 3]);
  expect((await cluster.produce(1, other, ['c'])).failure).toBeUndefined();
  expect(await cluster.consume(topicId)).toEqual(['a', 'b']);
});

test.each(['ENOSPC', 'EIO'])(
  'a node whose journal fails with %s loses only its durable replicas: it stays, hands over, and serves the rest',
  async (errno) => {
    await start();
    const disk = cluster.disks.get(1)!;
    const open = disk.openSync.bind(disk);
    let hasFailed = false;
    disk.openSync = (path, options) => {
      const file = open(path, options);
      if (!path.includes('/journal/')) return file;
      const write = file.writeSync.bind(file);
      file.writeSync = (buffers, position) => {
        if (hasFailed) throw Object.assign(new Error(`${errno}: ${path}`), { code: errno });
        write(buffers, position);
      };
      return file;
    };
    const durable = await cluster.createTopic('durable', { configs: SAFE });
    const cached = await cluster.createTopic('cached', { configs: { ...SAFE, durability: 'page-cache' } });
    const alone = await cluster.createTopic('alone', { replicas: [[1]] });
    expect((await cluster.produce(1, durable, ['a'])).failure).toBeUndefined();
    hasFailed = true;
    const refused = await cluster.produce(1, durable, ['lost']);
    expect(refused.failure?.code).toBe('KAFKA_STORAGE_ERROR');
    await isrIs(durable, 2, 3);
    expect((await cluster.produceToLeader(durable, ['b'])).failure).toBeUndefined();
    expect((await cluster.produce(1, cached, ['c'])).failure).toBeUndefined();
    expect(cluster.isrOf(cached)).toEqual([1, 2, 3]);
    // Its sole replica is gone with the journal, and nobody else can lead it.
    expect(cluster.controller.image.topics.get(alone)!.partitions[0]).toMatchObject({ leader: -1, elr: [1] });
    const later = await cluster.createTopic('later', { replicas: [[2, 3, 1]], configs: SAFE });
    await isrIs(later, 2, 3);
    hasFailed = false;
    await cluster.kill(1);
    await cluster.restart(1);
    await isrIs(durable, 1, 2, 3);
    await isrIs(later, 1, 2, 3);
    await isrIs(alone, 1);
    expect(await expectSameLogs(durable, [1, 2, 3])).toEqual(['0@0:a', '1@1:b']);
  },
);

describe('a damaged replica', () => {
  test('is refetched from the leader and joins again', async () => {
    await start();
    const topicId = await cluster.createTopic('orders', { configs: SAFE });
    for (let i = 0; i < 20; i++) await cluster.produce(1, topicId, [`value-${i}`]);
    const disk = cluster.diskOf(3);
    await cluster.kill(3, disk);
    const file = disk.openSync('/data/orders-0/00000000000000000000.log');
    const byte = Buffer.alloc(1);
    file.readSync(byte, 100);
    file.writeSync([Buffer.from([byte[0]! ^ 0xff])], 100);
    file.closeSync();
    await cluster.restart(3);
    await isrIs(topicId, 1, 2, 3);
    const log = await expectSameLogs(topicId, [1, 2, 3]);
    expect(log).toHaveLength(20);
  });

  test('that hears late of its return to the in-sync set keeps its log until it has left it', async () => {
    await start();
    const topicId = await cluster.createTopic('orders', { configs: SAFE });
    for (let i = 0; i < 20; i++) await cluster.produce(1, topicId, [`value-${i}`]);
    const isrAsOf3 = () => cluster.broker(3).image().topics.get(topicId)!.partitions[0]!.isr;
    cluster.network.cut(1, 3);
    await cluster.produce(1, topicId, ['while 3 is away']);
    await cluster.until(() => !isrAsOf3().includes(3));
    cluster.controller.hold(3);
    cluster.network.heal(1, 3);
    await isrIs(topicId, 1, 2, 3);
    const replica = cluster.replica(3, topicId);
    const file = cluster.disks.get(3)!.openSync('/data/orders-0/00000000000000000000.log');
    file.writeSync([Buffer.alloc(64)], 100);
    file.closeSync();
    await expect(cluster.finish(replica.log.read(0, 1 << 20, 20))).rejects.toThrow();
    expect(replica.offline?.code).toBe('LOG_DAMAGED');
    expect(isrAsOf3()).toEqual([1, 2]);
    expect(replica.canBeRepaired).toBe(false);
    cluster.controller.release(3);
    await isrIs(topicId, 1, 2);
    await isrIs(topicId, 1, 2, 3);
    expect(await expectSameLogs(topicId, [1, 2, 3])).toHaveLength(21);
  });
});

/** The answer with every partition changed. */
function edited(
  response: ReplicaFetchResponse,
  change: Partial<ReplicaFetchResponse['partitions'][number]>,
): ReplicaFetchResponse {
  return { ...response, partitions: response.partitions.map((fetched) => ({ ...fetched, ...change })) };
}
