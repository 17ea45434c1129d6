/** In-sync sets on idle partitions: whoever was passed over joins without a record having to come. */
import type { Logger } from '@millrace/core';
import { ManualClock } from '@millrace/core';
import { afterEach, describe, expect, test } from 'vitest';
import { IsrKeeper } from './isr-keeper.ts';
import type { IsrProposal } from './leader-state.ts';
import type { Partition } from './partition.ts';
import { TestCluster } from './testing/test-cluster.ts';

const LAG_MS = 30_000;

describe('on an idle partition', () => {
  let cluster: TestCluster;
  afterEach(() => cluster.close());

  const startIdle = async (): Promise<string> => {
    cluster = await TestCluster.start({ config: { 'replica.lag.time.max.ms': String(LAG_MS) } });
    const topicId = await cluster.createTopic('orders');
    await cluster.produce(1, topicId, ['a']);
    for (const id of [2, 3]) await cluster.kill(id);
    await cluster.until(() => cluster.isrOf(topicId).length === 1);
    return topicId;
  };
  const isWhole = (topicId: string) => cluster.isrOf(topicId).length === 3;

  test('a follower that caught up while the answer about another was awaited joins right after it', async () => {
    const topicId = await startIdle();
    let asked = 0;
    cluster.controller.onAlterPartitions = async (_request, decide) => {
      asked += 1;
      if (asked > 1) return decide();
      await cluster.restart(3);
      await cluster.run(500);
      return decide();
    };
    await cluster.restart(2);
    const sinceMs = cluster.clock.nowMs();
    await cluster.until(() => isWhole(topicId));
    expect(cluster.clock.nowMs() - sinceMs).toBeLessThan(3000);
  });

  test('it joins also if only metadata tells of the first change, because its answer is lost', async () => {
    const topicId = await startIdle();
    let asked = 0;
    cluster.controller.onAlterPartitions = async (_request, decide) => {
      asked += 1;
      if (asked > 1) return decide();
      await cluster.restart(3);
      await cluster.run(500);
      decide();
      await cluster.run(100);
      throw new Error('the connection broke');
    };
    await cluster.restart(2);
    const sinceMs = cluster.clock.nowMs();
    await cluster.until(() => isWhole(topicId));
    expect(cluster.clock.nowMs() - sinceMs).toBeLessThan(3000);
  });

  test('followers that the controller refused are proposed again after a pause', async () => {
    const topicId = await startIdle();
    let asked = 0;
    cluster.controller.onAlterPartitions = (request, decide) => {
      asked += 1;
      if (asked > 1) return decide();
      const [{ topicId: id, partition, leaderEpoch, partitionEpoch }] = request.partitions as [
        (typeof request.partitions)[0],
      ];
      const refusal = { code: 'INELIGIBLE_REPLICA', message: '' } as const;
      return {
        partitions: [{ topicId: id, partition, leaderEpoch, partitionEpoch, isr: [], failure: refusal }],
      } as unknown as ReturnType<typeof decide>;
    };
    await cluster.restart(2);
    await cluster.until(() => asked > 0);
    const sinceMs = cluster.clock.nowMs();
    await cluster.until(() => cluster.isrOf(topicId).length === 2);
    expect(cluster.clock.nowMs() - sinceMs).toBeLessThan(2000);
  });
});

test('a leader that was elected uncleanly says that it recovered until the controller has it', async () => {
  const cluster = await TestCluster.start({ config: { 'replica.lag.time.max.ms': '1000' } });
  const configs = { durability: 'page-cache', 'min.insync.replicas': '2' };
  const topicId = await cluster.createTopic('orders', { configs, replicas: [[1, 2]] });
  for (const id of [2, 1]) await cluster.kill(id);
  let refusals = 0;
  cluster.controller.onAlterPartitions = (request, decide) => {
    if (refusals++ > 0) return decide();
    const failure = { code: 'INELIGIBLE_REPLICA', message: '' } as const;
    const partitions = request.partitions.map((asked) => ({ ...asked, isr: [], failure }));
    return { partitions } as unknown as ReturnType<typeof decide>;
  };
  const state = () => cluster.controller.image.topics.get(topicId)!.partitions[0]!;
  // Nobody else joins, which would tell it along the way.
  cluster.network.cut(1, 2);
  for (const id of [1, 2]) await cluster.restart(id);
  await cluster.until(() => state().leader !== -1);
  await cluster.until(() => !state().recovering, 5000);
  expect(refusals).toBeGreaterThan(1);
  await cluster.close();
});

test('one answer is one line for operators, whatever the number of partitions', async () => {
  const lines: { level: string; fields: object }[] = [];
  const line =
    (level: string) =>
    (fields: object): void => {
      lines.push({ level, fields });
    };
  const logger = { debug: line('debug'), info: line('info'), warn: line('warn') } as unknown as Logger;
  const proposal: IsrProposal = { leaderEpoch: 0, partitionEpoch: 0, isr: [{ brokerId: 1, brokerEpoch: 1 }] };
  const clock = new ManualClock();
  let fails = true;
  const keeper = new IsrKeeper({
    nodeId: 1,
    clock,
    logger,
    defer: (callback) => queueMicrotask(callback),
    brokerEpoch: () => 1,
    timeoutMs: 1000,
    controllers: {
      alterPartitions: async ({ partitions }) => {
        if (fails) throw new Error('the connection broke');
        const answers = partitions.map(({ topicId, partition }) => ({ topicId, partition, isr: [1] }));
        return {
          partitions: answers.map((each) => ({ ...each, leaderEpoch: 0, partitionEpoch: 1 })),
        } as never;
      },
    },
  });
  for (let index = 0; index < 50; index++) {
    keeper.propose(
      {
        topicId: 't',
        index,
        name: `t-${index}`,
        leader: { pending: proposal },
        isrAnswered: () => 'adopted',
      } as unknown as Partition,
      proposal,
    );
  }
  await new Promise((resolve) => setImmediate(resolve));
  expect(lines).toEqual([
    { level: 'warn', fields: expect.objectContaining({ event: 'alter_partitions_failed', count: 50 }) },
  ]);
  expect(lines[0]!.fields).not.toHaveProperty('err');
  fails = false;
  clock.advance(1000);
  await new Promise((resolve) => setImmediate(resolve));
  expect(lines.filter(({ level }) => level === 'info')).toEqual([
    { level: 'info', fields: { event: 'isr_changes_answered', count: 50, adopted: 50 } },
  ]);
  keeper.close();
});
