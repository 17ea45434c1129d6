/** Members of a group against a coordinator in memory: joining, sharing, giving up, being fenced, stalling, leaving. */
import { describe, expect, test } from 'vitest';
import { gate, groupFixture, textOf } from '../testing/group-fixture.ts';

describe('joining', () => {
  test('a lone member is assigned everything and begins where the group is', async () => {
    const { group, fill, consumer, callbacks, told, run, millrace } = groupFixture();
    fill(0, 5);
    fill(1, 5);
    group.offsets.set('t-1', {
      topic: 't',
      partition: 1,
      offset: 3,
      leaderEpoch: 0,
      metadata: '',
      committedAtMs: 0,
    });
    const reader = consumer();
    reader.subscribe(['t'], callbacks());
    const seen: string[] = [];
    while (seen.length < 7) seen.push(...(await run(reader.poll())).map(textOf));
    expect(seen.sort()).toEqual(['p0-0', 'p0-1', 'p0-2', 'p0-3', 'p0-4', 'p1-3', 'p1-4']);
    expect(told).toEqual(['assigned t-0,t-1']);
    expect(reader.assignment()).toEqual([
      { topic: 't', partition: 0 },
      { topic: 't', partition: 1 },
    ]);
    await run(millrace.close());
    expect(told.at(-1)).toBe('revoked t-0,t-1');
    expect(group.members.size).toBe(0);
  });

  test('the first heartbeat says everything, the next ones only what is new', async () => {
    const { group, consumer, pass, run, millrace } = groupFixture();
    const reader = consumer({ rack: 'r1', serverAssignor: 'range', rebalanceTimeoutMs: 1234 });
    reader.subscribe(['t']);
    await pass(200);
    const [first, second, third] = group.heartbeats;
    expect(first).toMatchObject({
      memberEpoch: 0,
      rackId: 'r1',
      serverAssignor: 'range',
      rebalanceTimeoutMs: 1234,
      subscribedTopics: { names: ['t'] },
      held: { topics: [] },
    });
    expect(second!.held!.topics[0]!.partitions).toEqual([0, 1]);
    expect(second!.subscribedTopics).toBeUndefined();
    expect(third!.held).toBeUndefined();
    expect(third!.memberEpoch).toBe(1);
    await run(millrace.close());
  });

  test('a pattern takes topics that appear later; a RegExp finds what it looks for anywhere', async () => {
    const { cluster, group, consumer, pass, run, millrace } = groupFixture({ partitions: 1 });
    const reader = consumer();
    reader.subscribe({ pattern: /^t/ });
    await pass(100);
    cluster.createTopic('t2', 1);
    group.rebalance();
    await pass(200);
    expect(reader.assignment().map(({ topic }) => topic)).toEqual(['t', 't2']);
    await run(millrace.close());
  });

  test('what the group does not take is thrown at the reader', async () => {
    const { group, consumer, run, millrace } = groupFixture();
    group.onHeartbeat = () => 'UNSUPPORTED_ASSIGNOR';
    const reader = consumer({ serverAssignor: 'best' });
    reader.subscribe(['t']);
    await expect(run(reader.poll())).rejects.toMatchObject({ code: 'UNSUPPORTED_ASSIGNOR' });
    await run(millrace.close());
  });

  test('without a groupId there is no group, and with one nothing is assigned by hand', async () => {
    const { millrace, consumer, run } = groupFixture();
    const alone = millrace.consumer();
    expect(() => alone.subscribe(['t'])).toThrow('groupId');
    expect(() => consumer().assign([])).toThrow('subscribe');
    await run(millrace.close());
  });
});

describe('sharing', () => {
  test('a second member gets its share, and what stays is not touched', async () => {
    const { group, fill, consumer, callbacks, told, pass, run, millrace, cluster } = groupFixture({
      partitions: 4,
    });
    for (let i = 0; i < 4; i++) fill(i, 1);
    const one = consumer();
    one.subscribe(['t'], callbacks('one '));
    await pass(100);
    const stayingBefore = cluster.fetchRequests.length;
    const two = consumer();
    const seen = { one: [] as string[], two: [] as string[] };
    const loops = [one.run({ eachRecord: (r) => void seen.one.push(textOf(r)), concurrency: 4 })];
    two.subscribe(['t'], callbacks('two '));
    loops.push(two.run({ eachRecord: (r) => void seen.two.push(textOf(r)), concurrency: 4 }));
    await pass(300);
    expect(one.assignment()).toHaveLength(2);
    expect(two.assignment()).toHaveLength(2);
    expect(told.filter((text) => text.includes('revoked'))).toHaveLength(1);
    for (let i = 0; i < 4; i++) fill(i, 1);
    await pass(100);
    expect([...seen.one, ...seen.two].sort()).toEqual(
      Array.from({ length: 4 }, (_, i) => [`p${i}-0`, `p${i}-1`]).flat(),
    );
    expect(cluster.fetchRequests.length).toBeGreaterThan(stayingBefore);
    expect(group.committed('t', 0)).toBeDefined();
    await run(millrace.close());
    await run(Promise.all(loops));
  });

  test('a partition is given up only after the handler has finished its record, with that record committed', async () => {
    const { group, fill, consumer, callbacks, told, pass, run, millrace } = groupFixture();
    fill(0, 3);
    fill(1, 3);
    const one = consumer();
    const slow = gate();
    const handled: string[] = [];
    one.subscribe(['t'], callbacks());
    const running = one.run({
      concurrency: 2,
      eachRecord: async (record) => {
        handled.push(textOf(record));
        if (record.partition === 1) await slow.wait;
      },
    });
    await pass(100);
    const [first] = [...group.members.values()];
    group.dictated = (id) => (id === first!.id ? [...first!.held].slice(0, 1) : [...first!.held].slice(1));
    const two = consumer();
    two.subscribe(['t']);
    await pass(500);
    expect(two.assignment()).toEqual([]);
    fill(0, 1);
    await pass(50);
    expect(handled).toContain('p0-3');
    expect(group.heartbeats.at(-1)!.reason + group.heartbeats.at(-2)!.reason).toContain('t-1@0');
    slow.open();
    await pass(200);
    expect(handled.filter((value) => value.startsWith('p1'))).toEqual(['p1-0']);
    expect(group.committed('t', 1)).toBe(1);
    expect(told.at(-1)).toBe('revoked t-1');
    expect(two.assignment()).toEqual([{ topic: 't', partition: 1 }]);
    expect(textOf((await run(two.poll()))[0]!)).toBe('p1-1');
    await run(millrace.close());
    await run(running);
  });

  test('a handler that outlasts the rebalance timeout loses its partition, and nothing of it is committed', async () => {
    const { group, fill, consumer, callbacks, told, pass, run, millrace } = groupFixture({ partitions: 1 });
    fill(0, 3);
    const one = consumer({ rebalanceTimeoutMs: 400 });
    const slow = gate();
    one.subscribe(['t'], callbacks());
    const running = one.run({ eachRecord: () => slow.wait });
    await pass(50);
    group.dictated = () => [];
    group.rebalance();
    await pass(300);
    expect(told).toEqual(['assigned t-0']);
    await pass(200);
    expect(told).toEqual(['assigned t-0', 'lost t-0']);
    expect(group.member().held.size).toBe(0);
    slow.open();
    await pass(50);
    await run(millrace.close());
    await run(running);
    expect(group.committed('t')).toBe(0);
  });

  test('onRevoked may commit: the partitions are still held', async () => {
    const { group, fill, consumer, pass, run, millrace } = groupFixture({ partitions: 1 });
    fill(0, 3);
    const reader = consumer({ enableAutoCommit: false });
    reader.subscribe(['t'], {
      onRevoked: async ([partition]) => reader.commit([{ ...partition!, offset: 2n, metadata: 'm' }]),
    });
    await run(reader.poll({ maxRecords: 2 }));
    group.dictated = () => [];
    group.rebalance();
    await pass(100);
    expect(group.offsets.size).toBe(0);
    expect(await run(reader.poll({ timeoutMs: 300 }))).toEqual([]);
    expect(group.offsets.get('t-0')).toMatchObject({ offset: 2, metadata: 'm' });
    await pass(50);
    await run(millrace.close());
  });

  test('onAssigned may seek before anything is read', async () => {
    const { fill, consumer, run, millrace } = groupFixture({ partitions: 1 });
    fill(0, 5);
    const reader = consumer();
    reader.subscribe(['t'], { onAssigned: ([partition]) => reader.seek(partition!, 4) });
    expect((await run(reader.poll())).map(textOf)).toEqual(['p0-4']);
    await run(millrace.close());
  });

  test('what a callback throws is thrown at the reader', async () => {
    const { consumer, run, millrace } = groupFixture();
    const reader = consumer();
    reader.subscribe(['t'], {
      onAssigned: () => {
        throw new Error('no room');
      },
    });
    await expect(run(reader.poll())).rejects.toThrow('no room');
    await run(millrace.close());
  });
});

describe('trouble', () => {
  test('a fenced member loses everything, joins with epoch 0 and handles again what was not committed', async () => {
    const { group, fill, consumer, callbacks, told, pass, run, millrace } = groupFixture({ partitions: 1 });
    fill(0, 2);
    const reader = consumer();
    const slow = gate();
    const handled: string[] = [];
    reader.subscribe(['t'], callbacks());
    const running = reader.run({
      eachRecord: async (record) => {
        handled.push(textOf(record));
        if (handled.length === 1) await slow.wait;
      },
    });
    await pass(100);
    group.expel(group.member().id);
    await pass(200);
    expect(told).toEqual(['assigned t-0', 'lost t-0', 'assigned t-0']);
    // Of one partition never two at a time, even though it was lost in between.
    expect(handled).toEqual(['p0-0']);
    slow.open();
    await pass(100);
    expect(handled).toEqual(['p0-0', 'p0-0', 'p0-1']);
    await run(millrace.close());
    await run(running);
    expect(group.committed('t')).toBe(2);
  });

  test('a handler slower than maxPollIntervalMs makes the member leave, saying why, and come back', async () => {
    const { group, fill, consumer, callbacks, told, pass, run, millrace } = groupFixture({ partitions: 2 });
    fill(0, 3);
    const reader = consumer({ maxPollIntervalMs: 300 });
    const slow = gate();
    const handled: string[] = [];
    reader.subscribe(['t'], callbacks());
    const running = reader.run({
      eachRecord: async (record) => {
        handled.push(textOf(record));
        if (handled.length === 2) await slow.wait;
      },
    });
    await pass(500);
    expect(told).toEqual(['assigned t-0,t-1', 'stalled eachRecord t-0@1', 'lost t-0,t-1']);
    expect(group.members.size).toBe(0);
    const farewell = group.heartbeats.at(-1)!;
    expect(farewell.memberEpoch).toBe(-1);
    expect(farewell.reason).toMatch(/^eachRecord holds t-0@1 for 0\.3 s; maxPollIntervalMs is 300$/);
    expect(group.committed('t')).toBe(1);
    slow.open();
    await pass(200);
    expect(group.members.size).toBe(1);
    expect(handled).toEqual(['p0-0', 'p0-1', 'p0-1', 'p0-2']);
    await run(millrace.close());
    await run(running);
  });

  test('a program that polls no more stalls as well; waiting for records does not', async () => {
    const { group, fill, consumer, callbacks, told, pass, run, millrace } = groupFixture({ partitions: 1 });
    const reader = consumer({ maxPollIntervalMs: 200 });
    reader.subscribe(['t'], callbacks());
    expect(await run(reader.poll({ timeoutMs: 600 }))).toEqual([]);
    expect(told).toEqual(['assigned t-0']);
    await pass(300);
    expect(told.slice(1)).toEqual(['stalled poll -', 'lost t-0']);
    expect(group.members.size).toBe(0);
    fill(0, 1);
    expect((await run(reader.poll())).map(textOf)).toEqual(['p0-0']);
    await run(millrace.close());
  });

  test('heartbeats go on while the coordinator moves, and nothing is given up', async () => {
    const { group, cluster, fill, consumer, callbacks, told, pass, run, millrace } = groupFixture();
    const reader = consumer();
    reader.subscribe(['t'], callbacks());
    await pass(100);
    cluster.stop(1);
    group.brokerId = 2;
    await pass(300);
    group.brokerId = 3;
    await pass(300);
    cluster.move('t', 0, 2);
    fill(0, 1);
    expect((await run(reader.poll())).map(textOf)).toEqual(['p0-0']);
    expect(group.heartbeats.at(-1)!.brokerId).toBe(3);
    expect(told).toEqual(['assigned t-0,t-1']);
    await run(millrace.close());
  });

  test('after an answer that was lost the next heartbeat says everything again', async () => {
    const { group, cluster, consumer, pass, run, millrace } = groupFixture();
    const reader = consumer();
    reader.subscribe(['t']);
    await pass(100);
    let losses = 1;
    cluster.afterUnary = (method) =>
      method === 'ConsumerGroupHeartbeat' && losses-- > 0 ? 'NETWORK_EXCEPTION' : undefined;
    const before = group.heartbeats.length;
    await pass(200);
    const repeated = group.heartbeats[before + 1]!;
    expect(repeated.subscribedTopics).toBeDefined();
    expect(repeated.held!.topics[0]!.partitions).toEqual([0, 1]);
    await run(millrace.close());
  });

  test('who leaves has nothing any more when the group hears of it', async () => {
    const { group, consumer, pass, run, millrace } = groupFixture();
    const reader = consumer();
    reader.subscribe(['t']);
    await pass(200);
    expect(reader.assignment()).toHaveLength(2);
    const heldAtFarewell: number[] = [];
    group.onHeartbeat = ({ memberEpoch }) => {
      if (memberEpoch < 0) heldAtFarewell.push(reader.assignment().length);
      return undefined;
    };
    await run(reader.close());
    expect(heldAtFarewell).toEqual([0]);
    await run(millrace.close());
  });

  test('a static member leaves for a while, and waits for the session of the one before', async () => {
    const { group, consumer, pass, run, millrace } = groupFixture({ partitions: 1 });
    const one = consumer({ groupInstanceId: 'i1' });
    one.subscribe(['t']);
    await pass(100);
    const two = consumer({ groupInstanceId: 'i1' });
    two.subscribe(['t']);
    await pass(100);
    expect(two.assignment()).toEqual([]);
    await run(one.close());
    expect(group.heartbeats.some(({ memberEpoch }) => memberEpoch === -2)).toBe(true);
    await pass(1500);
    expect(two.assignment()).toHaveLength(1);
    await run(millrace.close());
  });
});
