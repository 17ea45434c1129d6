/** Produce, fetch and replication between brokers of one process: what acks promise, who sees what when, who is in sync. */
import { afterEach, describe, expect, test } from 'vitest';
import { TestCluster, type TestClusterOptions } from './testing/test-cluster.ts';

let cluster: TestCluster;
const start = async (options: TestClusterOptions = {}): Promise<void> => {
  cluster = await TestCluster.start({ config: { 'replica.lag.time.max.ms': '1000' }, ...options });
};
afterEach(async () => {
  expect(cluster.fatal).toEqual([]);
  await cluster.close();
});

const SAFE = { 'min.insync.replicas': '2' };

const isrIs = (topicId: string, ...ids: number[]) =>
  cluster.until(() => {
    const isr = cluster.isrOf(topicId);
    return isr.length === ids.length && ids.every((id) => isr.includes(id));
  });

describe.each(['fsync', 'page-cache'])('durability=%s', (durability) => {
  test('acks=all is answered when every in-sync replica has the record', async () => {
    await start();
    const topicId = await cluster.createTopic('orders', { configs: { ...SAFE, durability } });
    const produced = await cluster.produce(1, topicId, ['a', 'b', 'c']);
    expect(produced).toMatchObject({ failure: undefined, baseOffset: 0 });
    for (const id of [1, 2, 3]) {
      expect(await cluster.contents(id, topicId)).toEqual(['0@0:a', '1@0:b', '2@0:c']);
    }
    expect(await cluster.consume(topicId)).toEqual(['a', 'b', 'c']);
  });

  test('acks=1 is answered after the append, acks=0 at once, and readers wait for the replicas', async () => {
    await start();
    const topicId = await cluster.createTopic('orders', { configs: { durability } });
    cluster.network.cut(1, 2);
    cluster.network.cut(1, 3);
    const first = await cluster.produce(1, topicId, ['a'], { acks: 1 });
    const second = await cluster.produce(1, topicId, ['b'], { acks: 0 });
    expect([first.baseOffset, second.baseOffset]).toEqual([0, 1]);
    expect(cluster.replica(1, topicId).highWatermark).toBe(0);
    expect(await cluster.fetch(1, topicId, 0)).toBeUndefined();
    cluster.network.heal(1, 2);
    cluster.network.heal(1, 3);
    await cluster.until(() => cluster.replica(1, topicId).highWatermark === 2);
    expect(await cluster.consume(topicId)).toEqual(['a', 'b']);
  });

  test('a single replica needs nobody', async () => {
    await start({ nodes: 1 });
    const topicId = await cluster.createTopic('orders', { replicas: [[1]], configs: { durability } });
    for (let i = 0; i < 5; i++) expect((await cluster.produce(1, topicId, [`${i}`])).baseOffset).toBe(i);
    expect(await cluster.consume(topicId)).toEqual(['0', '1', '2', '3', '4']);
  });
});

describe('acks=all', () => {
  test('waits for the disks of the followers, not only for their page cache', async () => {
    await start();
    const topicId = await cluster.createTopic('orders', { configs: SAFE });
    cluster.network.onRequest = (_from, _to, request) => ({
      ...request,
      positions: request.positions.map((position) => ({ ...position, flushedOffset: 0 })),
    });
    const produced = await cluster.produce(1, topicId, ['a'], { timeoutMs: 200 });
    expect(produced.failure?.code).toBe('REQUEST_TIMED_OUT');
    expect(cluster.replica(2, topicId).log.logEndOffset).toBe(1);
    expect(cluster.replica(1, topicId).highWatermark).toBe(0);
  });

  test('a follower says once, after its disk, that it has a small answer and wants the next', async () => {
    await start();
    const topicId = await cluster.createTopic('orders', { configs: SAFE });
    await cluster.produce(1, topicId, ['warm']);
    const told: { isRequest: boolean; fetchOffset: number; flushedOffset: number }[] = [];
    cluster.network.onRequest = (from, _to, request) => {
      for (const { fetchOffset, flushedOffset } of from === 2 ? request.positions : []) {
        told.push({ isRequest: request.correlationId !== 0, fetchOffset, flushedOffset });
      }
      return request;
    };
    for (const text of ['a', 'b']) await cluster.produce(1, topicId, [text]);
    expect(told).toEqual([
      { isRequest: true, fetchOffset: 2, flushedOffset: 2 },
      { isRequest: true, fetchOffset: 3, flushedOffset: 3 },
    ]);
  });

  test('a follower whose disk is slow asks for more before it answers for what it has', async () => {
    await start();
    const topicId = await cluster.createTopic('orders', { configs: SAFE });
    await cluster.produce(1, topicId, ['warm']);
    const told: string[] = [];
    cluster.network.onRequest = (from, _to, request) => {
      for (const { fetchOffset, flushedOffset } of from === 2 ? request.positions : []) {
        told.push(`${request.correlationId === 0 ? 'update' : 'request'} ${flushedOffset}/${fetchOffset}`);
      }
      return request;
    };
    const release = cluster.stallDisk(2);
    const produced = cluster.produce(1, topicId, ['a']);
    await cluster.until(() => told.length > 0);
    release();
    expect(await produced).toMatchObject({ failure: undefined, baseOffset: 1 });
    expect(told).toEqual(['request 1/2', 'update 2/2']);
  });

  test('is refused before the append when too few replicas are in sync', async () => {
    await start();
    const topicId = await cluster.createTopic('orders', { configs: SAFE });
    await cluster.kill(2);
    await cluster.kill(3);
    await cluster.until(() => cluster.replica(1, topicId).leader?.isr.length === 1);
    const refused = await cluster.produce(1, topicId, ['a']);
    expect(refused.failure?.code).toBe('NOT_ENOUGH_REPLICAS');
    expect(cluster.replica(1, topicId).log.logEndOffset).toBe(0);
  });

  test('says so when the replicas went away after the append', async () => {
    await start();
    const topicId = await cluster.createTopic('orders', { configs: SAFE });
    cluster.network.cut(1, 2);
    cluster.network.cut(1, 3);
    const pending = cluster.produce(1, topicId, ['a'], { timeoutMs: 5000 });
    await isrIs(topicId, 1);
    expect((await pending).failure?.code).toBe('NOT_ENOUGH_REPLICAS_AFTER_APPEND');
    expect(cluster.replica(1, topicId).highWatermark).toBe(0);
  });

  test('fails with NOT_LEADER_OR_FOLLOWER when the leadership moves meanwhile', async () => {
    await start();
    const topicId = await cluster.createTopic('orders', { configs: SAFE });
    cluster.network.cut(1, 2);
    cluster.network.cut(1, 3);
    const pending = cluster.produce(1, topicId, ['a'], { timeoutMs: 5000 });
    await cluster.run(50);
    cluster.controller.disconnect(1);
    expect((await pending).failure?.code).toBe('NOT_LEADER_OR_FOLLOWER');
  });
});

describe('the in-sync set', () => {
  test('loses a follower that heartbeats but cannot replicate, and gets it back (S43)', async () => {
    await start();
    const topicId = await cluster.createTopic('orders', { configs: SAFE });
    cluster.network.cut(1, 3);
    const pending = cluster.produce(1, topicId, ['a'], { timeoutMs: 20_000 });
    await isrIs(topicId, 1, 2);
    expect((await pending).failure).toBeUndefined();
    cluster.network.heal(1, 3);
    await isrIs(topicId, 1, 2, 3);
    expect(await cluster.contents(3, topicId)).toEqual(['0@0:a']);
  });

  test('takes an idle follower back as soon as its broker counts again', async () => {
    await start();
    const topicId = await cluster.createTopic('orders', { configs: SAFE });
    await cluster.produce(1, topicId, ['a']);
    await cluster.kill(3);
    await isrIs(topicId, 1, 2);
    await cluster.restart(3);
    const before = cluster.clock.nowMs();
    await isrIs(topicId, 1, 2, 3);
    expect(cluster.clock.nowMs() - before).toBeLessThan(400);
  });

  test('takes an idle follower back that was registered again while it ran', async () => {
    await start();
    const topicId = await cluster.createTopic('orders', { configs: SAFE });
    await cluster.produce(1, topicId, ['a']);
    const { directoryId, endpoints, rack } = cluster.controller.image.brokers.get(3)!;
    // A late request of its former life: it loses its id, and takes it back under a new epoch.
    cluster.controller.commit([
      { kind: 'brokerRegistered', brokerId: 3, incarnationId: 'a-former-life', directoryId, endpoints, rack },
    ]);
    await isrIs(topicId, 1, 2);
    await isrIs(topicId, 1, 2, 3);
  });

  test('keeps being asked for while the controller cannot be reached', async () => {
    await start();
    const topicId = await cluster.createTopic('orders', { configs: SAFE });
    await cluster.kill(3);
    await isrIs(topicId, 1, 2);
    const askedAtMs: number[] = [];
    cluster.controller.onAlterPartitions = (_request, decide) => {
      askedAtMs.push(cluster.clock.nowMs());
      if (askedAtMs.length <= 3) throw new Error('the controller is away');
      return decide();
    };
    await cluster.restart(3);
    await isrIs(topicId, 1, 2, 3);
    // With pauses between, not as fast as they fail.
    for (const [i, atMs] of askedAtMs.slice(1).entries()) expect(atMs - askedAtMs[i]!).toBeGreaterThan(50);
  });
});

describe('many partitions', () => {
  test('share one stream, and an idle one costs an empty answer now and then', async () => {
    await start();
    const replicas = Array.from({ length: 60 }, () => [1, 2, 3]);
    const topicId = await cluster.createTopic('wide', { replicas, configs: SAFE });
    await cluster.run(2000);
    let requests = 0;
    let mentioned = 0;
    cluster.network.onRequest = (_from, _to, request) => {
      requests += 1;
      mentioned += request.positions.length;
      return request;
    };
    cluster.network.onResponse = (_from, _to, response) => {
      mentioned += response.partitions.length;
      return response;
    };
    await cluster.run(2000);
    expect(mentioned).toBe(0);
    expect(requests).toBeLessThan(16);
    await Promise.all(
      [3, 17, 59].map((partition) => cluster.produce(1, topicId, [`${partition}`], { partition })),
    );
    for (const partition of [3, 17, 59]) {
      expect(await cluster.consume(topicId, partition)).toEqual([`${partition}`]);
    }
    expect(mentioned).toBeLessThan(60);
  });
});

describe('a topic', () => {
  test('that was deleted and made again under its name starts empty', async () => {
    await start();
    const first = await cluster.createTopic('orders', { configs: SAFE });
    await cluster.produce(1, first, ['old']);
    await cluster.finish(
      cluster.broker(1).deleteTopics({ timeoutMs: 1000, clientId: 'test', names: ['orders'], topicIds: [] }),
    );
    const second = await cluster.createTopic('orders', { configs: SAFE });
    expect(second).not.toBe(first);
    const gone = await cluster.produce(1, first, ['x']);
    expect(gone.failure?.code).toBe('UNKNOWN_TOPIC_ID');
    expect((await cluster.produce(1, second, ['new'])).baseOffset).toBe(0);
    expect(await cluster.consume(second)).toEqual(['new']);
  });

  test('that was deleted while a broker was away is deleted there when it returns', async () => {
    await start();
    const topicId = await cluster.createTopic('orders', { configs: SAFE });
    await cluster.produce(1, topicId, ['old']);
    await cluster.kill(3);
    await cluster.finish(
      cluster.broker(1).deleteTopics({ timeoutMs: 1000, clientId: 'test', names: ['orders'], topicIds: [] }),
    );
    const again = await cluster.createTopic('orders', { replicas: [[1, 2, 3]], configs: SAFE });
    await cluster.restart(3);
    await cluster.produce(1, again, ['new']);
    await isrIs(again, 1, 2, 3);
    expect(await cluster.contents(3, again)).toEqual(['0@0:new']);
  });
});

test('a broker that closes hands its leadership over first, and nothing is lost', async () => {
  await start();
  const topicId = await cluster.createTopic('orders', { configs: SAFE });
  await cluster.produce(1, topicId, ['a']);
  const closing = cluster.broker(1).close();
  await cluster.until(() => cluster.leaderOf(topicId)?.image.leader === 2);
  await cluster.finish(closing);
  cluster.brokers.delete(1);
  cluster.network.crash(1);
  await cluster.until(() => cluster.leaderOf(topicId)?.leader !== undefined);
  expect((await cluster.produce(2, topicId, ['b'])).failure).toBeUndefined();
  await cluster.restart(1);
  await isrIs(topicId, 1, 2, 3);
  expect(await cluster.contents(1, topicId)).toEqual(await cluster.contents(2, topicId));
});
