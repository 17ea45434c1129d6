/** The driver of coordinators, with a machine that has no rules: loading, group commit, answers, limits, failures. */
import type { GroupRecord, OffsetCommitResponse } from '@millrace/groups';
import { OFFSETS_TOPIC } from '@millrace/metadata';
import { splitBatches } from '@millrace/records';
import { afterEach, describe, expect, test } from 'vitest';
import type { Broker } from './broker.ts';
import { FakeGroupCoordinator, POISON } from './testing/fake-group-coordinator.ts';
import { TestCluster, type TestClusterOptions } from './testing/test-cluster.ts';

const CALLER = { clientId: 'app', clientHost: '127.0.0.1' };
const MEMBER = { memberId: 'm', groupInstanceId: undefined };

let cluster: TestCluster;
/** Every machine that was made, oldest first. */
let machines: FakeGroupCoordinator[];
/** The broker that leads the only partition of the topic of offsets. */
let leader: number;

async function start(options: TestClusterOptions = {}): Promise<void> {
  machines = [];
  cluster = await TestCluster.start({
    config: { 'replica.lag.time.max.ms': '1000', ...options.config },
    newGroupCoordinator: (given) => {
      const machine = new FakeGroupCoordinator(given);
      machines.push(machine);
      return machine;
    },
    ...options,
  });
  await coordinator();
}

/** Waits until somebody coordinates. */
async function coordinator(groupId = 'g'): Promise<Broker> {
  for (;;) {
    const [id] = cluster.brokers.keys();
    const request = { timeoutMs: 1000, clientId: 'app', listener: 'GRPC', groupIds: [groupId] };
    const { coordinators } = await cluster.finish(cluster.broker(id!).groups.findCoordinators(request));
    leader = coordinators[0]!.node?.id ?? -1;
    const found = cluster.brokers.get(leader);
    if (found !== undefined && (await committed(groupId)).failure === undefined) return found;
    await cluster.run(20);
  }
}

const machine = (): FakeGroupCoordinator => machines.at(-1)!;
const topicId = (): string => cluster.topicId(OFFSETS_TOPIC);
const logEnd = (): number => cluster.replica(leader, topicId()).log.logEndOffset;

function commit(offset: number, { groupId = 'g', topic = 't', count = 1, metadata = '', at = leader } = {}) {
  const offsets = Array.from({ length: count }, (_, partition) => ({
    topic,
    partition,
    offset,
    leaderEpoch: -1,
    metadata,
  }));
  const request = { ...CALLER, ...MEMBER, groupId, generationIdOrMemberEpoch: -1, offsets };
  return cluster.broker(at).groups.commitOffsets(request);
}

function heartbeat(memberId = 'm') {
  const request = { ...CALLER, ...MEMBER, memberId, groupId: 'g', generationId: 1 };
  return cluster.broker(leader).groups.heartbeat(request);
}

function join(groupId = 'g') {
  return cluster.broker(leader).groups.joinGroup({
    ...CALLER,
    ...MEMBER,
    groupId,
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 10_000,
    protocolType: 'consumer',
    protocols: [],
    requiresKnownMemberId: false,
    reason: '',
  });
}

async function committed(groupId = 'g', at = leader) {
  const request = { groupId, memberId: '', memberEpoch: -1, partitions: undefined };
  const answer = await cluster.finish(cluster.broker(at).groups.fetchOffsets(request));
  return { failure: answer.failure?.code, offsets: answer.offsets.map(({ offset }) => offset) };
}

/** Followers hear nothing more from the leader, so nothing commits. @returns ends it. */
function hush(): () => void {
  const others = [...cluster.brokers.keys()].filter((id) => id !== leader);
  const from = leader;
  for (const id of others) cluster.network.cut(from, id);
  return () => {
    for (const id of others) cluster.network.heal(from, id);
  };
}

/** What has been answered so far, in order. */
function noted<T>(...answers: Promise<T>[]): T[] {
  const seen: T[] = [];
  for (const answer of answers) void answer.then((response) => seen.push(response));
  return seen;
}

const codeOf = async (answer: Promise<{ failure?: { code: string } | undefined }>) =>
  (await cluster.finish(answer)).failure?.code;

afterEach(async () => {
  expect(cluster.fatal).toEqual([]);
  await cluster.close();
});

describe('the topic of offsets', () => {
  test('is created when a coordinator is first asked for, by whoever is asked, once', async () => {
    await start({
      groupConfig: { 'offsets.topic.num.partitions': '5', 'offsets.topic.segment.bytes': '2097152' },
    });
    const asked = { timeoutMs: 1000, clientId: 'app', listener: 'GRPC', groupIds: ['g', '', 'h'] };
    const found = await cluster.finish(
      Promise.all([1, 2, 3].map((id) => cluster.broker(id).groups.findCoordinators(asked))),
    );
    expect(found[1]).toEqual(found[0]);
    expect(found[0]!.coordinators).toMatchObject([
      { groupId: 'g', node: { port: 9191 } },
      { groupId: '', failure: { code: 'INVALID_GROUP_ID' } },
      { groupId: 'h', node: { port: 9191 } },
    ]);
    const topics = cluster.controller.image.topics.get(topicId())!;
    expect(topics.partitions).toHaveLength(5);
    expect(topics.partitions[0]!.replicas).toHaveLength(3);
    await cluster.until(() => cluster.brokers.get(1)!.image().topics.has(topicId()));
    const { config } = cluster.replica(leader, topicId(), 0);
    expect(config).toMatchObject({
      'cleanup.policy': ['compact'],
      'min.insync.replicas': 2,
      'segment.bytes': 2_097_152,
      'compression.type': 'producer',
    });
    const described = await cluster.finish(
      cluster
        .broker(1)
        .describeTopics({ ...asked, names: [OFFSETS_TOPIC], topicIds: [], allowAutoCreate: false }),
    );
    expect(described.topics[0]).toMatchObject({ internal: true });
  });

  test('has as many replicas as a small cluster can give', async () => {
    await start({ nodes: 1 });
    const [partition] = cluster.controller.image.topics.get(topicId())!.partitions;
    expect(partition!.replicas).toEqual([1]);
    expect(cluster.replica(1, topicId()).config['min.insync.replicas']).toBe(1);
    expect(await codeOf(commit(5))).toBeUndefined();
    expect(await committed()).toEqual({ failure: undefined, offsets: [5] });
  });

  test('takes no records of producers, and loses none to users', async () => {
    await start();
    const produced = await cluster.produce(leader, topicId(), ['x']);
    expect(produced.failure?.code).toBe('INVALID_TOPIC_EXCEPTION');
    const partitions = [{ topicId: topicId(), partition: 0, beforeOffset: -1 }];
    const deleted = await cluster.finish(
      cluster.broker(leader).deleteRecords({ timeoutMs: 1000, clientId: 'app', partitions }),
    );
    expect(deleted.partitions[0]!.failure?.code).toBe('INVALID_TOPIC_EXCEPTION');
  });
});

describe('a coordinator', () => {
  test('is found on the leader only', async () => {
    await start();
    const other = [1, 2, 3].find((id) => id !== leader)!;
    expect([...cluster.broker(leader).groups.all].map(({ isServing }) => isServing)).toEqual([true]);
    expect([...cluster.broker(other).groups.all]).toEqual([]);
    expect(await codeOf(commit(1, { at: other }))).toBe('NOT_COORDINATOR');
    expect((await committed('g', other)).failure).toBe('NOT_COORDINATOR');
    expect(await codeOf(commit(1, { groupId: '' }))).toBe('INVALID_GROUP_ID');
    const { groups } = cluster.broker(other);
    expect(await cluster.finish(groups.describeGroups(['g']))).toMatchObject([
      { groupId: 'g', failure: { code: 'NOT_COORDINATOR' } },
    ]);
    expect(await cluster.finish(groups.listGroups({ states: [], types: [] }))).toEqual({ groups: [] });
  });

  test('answers once the records have committed, and shows nothing before', async () => {
    await start();
    const release = hush();
    const answers = noted<unknown>(commit(7), heartbeat());
    const read = noted(cluster.broker(leader).groups.explainGroup('g'));
    await cluster.run(300);
    expect(logEnd()).toBe(1);
    expect([answers, read]).toEqual([[], []]);
    expect((await committed()).offsets).toEqual([]);
    release();
    await cluster.until(() => answers.length === 2 && read.length === 1);
    expect(answers).toEqual([{ offsets: [{ topic: 't', partition: 0 }] }, {}]);
    expect((await committed()).offsets).toEqual([7]);
  });

  test('says after a while that a commit is not known to have happened; it may still', async () => {
    await start({
      groupConfig: { 'offsets.commit.timeout.ms': '200' },
      config: { 'replica.lag.time.max.ms': '60000' },
    });
    const release = hush();
    expect(await codeOf(commit(7))).toBe('REQUEST_TIMED_OUT');
    expect(await codeOf(heartbeat())).toBe('REQUEST_TIMED_OUT');
    expect((await committed()).offsets).toEqual([]);
    release();
    await cluster.run(2000);
    expect((await committed()).offsets).toEqual([7]);
  });

  test('writes what came in one turn as one batch and answers in order', async () => {
    await start();
    const order: number[] = [];
    const asked = Array.from({ length: 500 }, (_, i) =>
      commit(i, { topic: `t${i % 7}` }).then(() => order.push(i)),
    );
    await cluster.finish(Promise.all(asked));
    expect(order).toEqual(Array.from({ length: 500 }, (_, i) => i));
    const bytes = await cluster.finish(cluster.replica(leader, topicId()).log.read(0, 1 << 24, 500));
    expect(splitBatches(bytes).map(({ recordCount }) => recordCount)).toEqual([500]);
    expect((await committed()).offsets.sort((a, b) => a - b)).toEqual([493, 494, 495, 496, 497, 498, 499]);
  });

  test('writes more than a batch holds as several, never half a change', async () => {
    await start();
    const metadata = 'x'.repeat(1000);
    await cluster.finish(
      Promise.all(Array.from({ length: 100 }, (_, i) => commit(i, { count: 10, metadata }))),
    );
    const bytes = await cluster.finish(cluster.replica(leader, topicId()).log.read(0, 1 << 24, 1000));
    const counts = splitBatches(bytes).map(({ recordCount }) => recordCount);
    expect(counts.length).toBeGreaterThan(3);
    for (const count of counts) expect(count % 10).toBe(0);
  });

  test('lets a join wait until the others are there', async () => {
    await start();
    const joined = noted(join(), join('other'));
    await cluster.run(100);
    expect(joined).toEqual([]);
    const sync = { ...CALLER, ...MEMBER, groupId: 'g', generationId: 1, protocolType: undefined };
    const synced = cluster
      .broker(leader)
      .groups.syncGroup({ ...sync, protocolName: undefined, assignments: [] });
    expect(await codeOf(synced)).toBe('REBALANCE_IN_PROGRESS');
    expect(joined).toMatchObject([{ failure: { code: 'REBALANCE_IN_PROGRESS' } }]);
  });

  test('is asked nothing that could not be written, and gives its members time afterwards', async () => {
    await start();
    for (const id of [1, 2, 3]) if (id !== leader) await cluster.kill(id);
    await cluster.until(() => cluster.isrOf(topicId()).length === 1);
    const steps = machine().calls.length;
    expect(await codeOf(commit(1))).toBe('COORDINATOR_NOT_AVAILABLE');
    machine().dueMs = cluster.clock.nowMs() + 10;
    expect(await codeOf(heartbeat())).toBe('COORDINATOR_NOT_AVAILABLE');
    await cluster.run(3000);
    expect(machine().calls).toHaveLength(steps);
    expect((await committed()).failure).toBeUndefined();
    for (const id of [1, 2, 3]) if (id !== leader) await cluster.restart(id);
    await cluster.until(() => cluster.isrOf(topicId()).length === 3);
    expect(await codeOf(commit(2))).toBeUndefined();
    expect(machine().called('resumed')).toBe(1);
    expect(machine().calls.indexOf('resumed')).toBeLessThan(machine().calls.indexOf('offsetCommit'));
  });

  test('is woken when something is due, and not before', async () => {
    await start();
    const tombstone: GroupRecord = {
      kind: 'offset',
      groupId: 'g',
      topic: 't',
      partition: 0,
      value: undefined,
    };
    machine().onTick = () => [tombstone];
    machine().dueMs = cluster.clock.nowMs() + 500;
    expect(await codeOf(commit(1))).toBeUndefined();
    await cluster.run(450);
    expect(machine().called('tick')).toBe(0);
    await cluster.until(() => machine().called('tick') === 1);
    await cluster.until(() => machine().called('appended') === 2);
    await cluster.run(2000);
    expect(machine().called('tick')).toBe(1);
    expect((await committed()).offsets).toEqual([]);
  });

  test('is woken for a request that writes nothing and waits', async () => {
    await start();
    machine().dueMs = cluster.clock.nowMs() + 500;
    void join();
    await cluster.run(450);
    expect(machine().called('tick')).toBe(0);
    await cluster.until(() => machine().called('tick') === 1, 1000);
  });

  test('expires nobody for the time that its own process stood still', async () => {
    await start({ nodes: 1 });
    machine().dueMs = cluster.clock.nowMs() + 500;
    expect(await codeOf(commit(1))).toBeUndefined();
    // A clock that jumps over the timer is what a stopped process sees.
    const { clock } = cluster;
    const nowMs = clock.nowMs.bind(clock);
    let jumpMs = 0;
    clock.nowMs = () => nowMs() + jumpMs;
    machine().onTick = () => [];
    await cluster.run(400);
    jumpMs = 5000;
    await cluster.until(() => machine().called('resumed') === 1);
    const { calls } = machine();
    expect(calls.indexOf('tick') === -1 || calls.indexOf('resumed') < calls.indexOf('tick')).toBe(true);
  });

  test('hears of topics that come, grow or go, not of leaders that change', async () => {
    await start();
    await cluster.createTopic('orders', { replicas: [[1, 2]] });
    await cluster.until(() => machine().called('topicsChanged') === 1);
    expect([...machine().topics.names()]).toEqual(['orders']);
    const view = machine().topics.byName('orders')!;
    expect(view).toMatchObject({ name: 'orders', partitionCount: 1, topicId: cluster.topicId('orders') });
    expect(machine().topics.byId(view.topicId)?.name).toBe('orders');
    expect(machine().topics.byName(OFFSETS_TOPIC)?.partitionCount).toBe(1);
    const other = [1, 2, 3].find((id) => id !== leader)!;
    await cluster.kill(other);
    await cluster.restart(other);
    await cluster.run(200);
    expect(machine().called('topicsChanged')).toBe(1);
    await cluster.finish(
      cluster.broker(leader).createPartitions({
        timeoutMs: 1000,
        clientId: 'app',
        validateOnly: false,
        topics: [{ name: 'orders', totalCount: 4, assignments: [] }],
      }),
    );
    await cluster.until(() => machine().called('topicsChanged') === 2);
    expect(machine().topics.byName('orders')?.partitionCount).toBe(4);
  });

  test('that fails is dropped and read again; whoever waits is told to try again', async () => {
    await start();
    expect(await codeOf(commit(1))).toBeUndefined();
    const waiting = join();
    expect(await codeOf(heartbeat(POISON))).toBe('COORDINATOR_NOT_AVAILABLE');
    expect(await codeOf(waiting)).toBe('COORDINATOR_NOT_AVAILABLE');
    expect((await committed()).failure).toBe('COORDINATOR_LOAD_IN_PROGRESS');
    await coordinator();
    expect(machines).toHaveLength(2);
    expect(await committed()).toEqual({ failure: undefined, offsets: [1] });
  });

  test('refuses a commit that no batch can hold before anything else sees it', async () => {
    await start();
    const metadata = 'x'.repeat(4000);
    expect(await codeOf(commit(1, { count: 1000, metadata }))).toBe('INVALID_COMMIT_OFFSET_SIZE');
    expect(machine().called('offsetCommit')).toBe(0);
  });

  test('refuses a change that no batch can hold, and goes on without it', async () => {
    await start();
    expect(await codeOf(commit(1))).toBeUndefined();
    const value = {
      offset: 0,
      leaderEpoch: -1,
      committedAtMs: 0,
      expiresAtMs: -1,
      metadata: 'x'.repeat(30_000),
    };
    const big: GroupRecord = { kind: 'offset', groupId: 'g', topic: 'big', partition: 0, value };
    machine().extraRecords = Array.from({ length: 300 }, () => big);
    expect(await codeOf(commit(2))).toBe('MESSAGE_TOO_LARGE');
    await coordinator();
    expect((await committed()).offsets).toEqual([1]);
    expect(logEnd()).toBe(1);
  });
});

describe('limits', () => {
  test('hold committers back, then refuse them', async () => {
    await start({ config: { 'queued.max.group.requests': '10', 'replica.lag.time.max.ms': '60000' } });
    const { groups } = cluster.broker(leader);
    const release = hush();
    expect(groups.commitRoom()).toBeUndefined();
    const first = commit(1, { count: 4 });
    const room = groups.commitRoom();
    expect(room).toBeDefined();
    const second = commit(2, { count: 4 });
    expect(await codeOf(commit(3))).toBe('NODE_OVERLOADED');
    release();
    expect(await codeOf(first)).toBeUndefined();
    expect(await codeOf(second)).toBeUndefined();
    await cluster.finish(room!);
    expect(groups.commitRoom()).toBeUndefined();
  });

  test('a request names a bounded number of groups', async () => {
    await start();
    const groupIds = Array.from({ length: 10_001 }, (_, i) => `g${i}`);
    await expect(cluster.broker(leader).groups.describeGroups(groupIds)).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
    });
  });
});

describe('failover', () => {
  test('in the midst of commits loses none that was acknowledged', async () => {
    await start();
    const acknowledged = new Map<string, number>();
    let next = 0;
    for (let round = 0; round < 4; round++) {
      const asked: Promise<void>[] = [];
      for (let i = 0; i < 40; i++) {
        const [topic, offset] = [`t${next % 5}`, next++];
        const answered = commit(offset, { topic }).then(({ failure }: OffsetCommitResponse) => {
          if (failure === undefined) acknowledged.set(topic, Math.max(offset, acknowledged.get(topic) ?? -1));
        });
        asked.push(answered);
        if (i === 20 + round) await cluster.run(5 * round);
      }
      const victim = leader;
      await cluster.kill(victim);
      await cluster.finish(Promise.all(asked));
      await coordinator();
      expect(leader).not.toBe(victim);
      const request = { groupId: 'g', memberId: '', memberEpoch: -1, partitions: undefined };
      const { offsets } = await cluster.finish(cluster.broker(leader).groups.fetchOffsets(request));
      for (const [topic, offset] of acknowledged) {
        const found = offsets.find((entry) => entry.topic === topic)?.offset ?? -1;
        expect(found).toBeGreaterThanOrEqual(offset);
      }
      await cluster.restart(victim);
      await cluster.until(() => cluster.isrOf(topicId()).length === 3);
    }
    expect(acknowledged.size).toBe(5);
  });

  test('answers who waits that the coordinator is elsewhere', async () => {
    await start();
    const release = hush();
    const waiting = [commit(1), join(), heartbeat()];
    await cluster.run(20);
    await cluster.finish(cluster.broker(leader).close());
    for (const answer of waiting) expect(await codeOf(answer)).toBe('NOT_COORDINATOR');
    cluster.brokers.delete(leader);
    release();
  });

  test('an old leader acknowledges nothing, and what it wrote is gone', async () => {
    await start();
    expect(await codeOf(commit(1))).toBeUndefined();
    const old = leader;
    const release = hush();
    cluster.controller.cut(old);
    await cluster.until(() => cluster.leaderOf(topicId())?.image.leader !== old);
    const late = commit(99, { at: old });
    const answers = noted(late);
    const [rescuer] = [1, 2, 3].filter((id) => id !== old);
    await cluster.until(() => cluster.replica(rescuer!, topicId()).image.leaderEpoch > 0);
    leader = cluster.leaderOf(topicId())!.image.leader;
    await cluster.until(() => machines.length === 2 && machines[1]!.called('loaded') === 1);
    expect(await codeOf(commit(2))).toBeUndefined();
    expect(answers).toEqual([]);
    release();
    for (const id of [1, 2, 3]) if (id !== old) cluster.network.heal(old, id);
    cluster.controller.heal(old);
    expect(['NOT_COORDINATOR', 'REQUEST_TIMED_OUT']).toContain(await codeOf(late));
    await cluster.until(() => cluster.isrOf(topicId()).length === 3);
    expect((await committed()).offsets).toEqual([2]);
    expect(await cluster.contents(old, topicId())).toEqual(await cluster.contents(leader, topicId()));
  });

  test('what the former leader left is shown once this one has committed it, and not before', async () => {
    await start();
    const old = leader;
    expect(await codeOf(commit(1))).toBeUndefined();
    const [one, two] = [1, 2, 3].filter((id) => id !== old) as [number, number];
    cluster.network.cut(one, two);
    await cluster.kill(old);
    await cluster.until(() => (cluster.leaderOf(topicId())?.image.leader ?? old) !== old);
    leader = cluster.leaderOf(topicId())!.image.leader;
    await cluster.until(() => machines.length === 2);
    await cluster.run(500);
    expect(await committed()).toEqual({ failure: 'COORDINATOR_LOAD_IN_PROGRESS', offsets: [] });
    expect(await codeOf(commit(2))).toBe('COORDINATOR_LOAD_IN_PROGRESS');
    expect(machine().calls).toEqual([]);
    cluster.network.heal(one, two);
    await coordinator();
    expect((await committed()).offsets).toEqual([1]);
  });
});
