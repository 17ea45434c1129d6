/** Rules P12, P13, P15 and scenarios S23, S26, S27, S48: who leads after what. */
import { expect, test } from 'vitest';
import { decodeSnapshot, encodeSnapshot } from '../snapshot-codec.ts';
import { Scenario } from '../testing/scenario.ts';
import { alterConfigs } from './alter-configs.ts';
import { electLeaders, rebalanceLeaders } from './elect-leaders.ts';

const MIN_2 = { 'min.insync.replicas': '2' };

test('a dead leader is replaced by an in-sync replica, in a new leader epoch', () => {
  const cluster = new Scenario().start(1, 2, 3).topic('t', [[1, 2, 3]], MIN_2);
  cluster.fence(1);
  expect(cluster.state('t')).toBe('leader 2 epoch 1 isr 2,3');
});

test('a dead follower leaves the in-sync set and the leader epoch stays', () => {
  const cluster = new Scenario().start(1, 2, 3).topic('t', [[1, 2, 3]], MIN_2);
  cluster.fence(3);
  expect(cluster.state('t')).toBe('leader 1 epoch 0 isr 1,2');
  expect(cluster.partition('t').partitionEpoch).toBe(1);
});

test('who leaves an in-sync set that becomes too small stays eligible, until it is large enough again', () => {
  const cluster = new Scenario().start(1, 2, 3).topic('t', [[1, 2, 3]], MIN_2);
  cluster.fence(3);
  cluster.fence(2);
  expect(cluster.state('t')).toBe('leader 1 epoch 0 isr 1 elr 2');
  cluster.fence(1);
  expect(cluster.state('t')).toBe('leader -1 epoch 1 isr - elr 2,1');
  cluster.register(3);
  cluster.heartbeat(3);
  expect(cluster.state('t')).toBe('leader -1 epoch 1 isr - elr 2,1');
  cluster.register(2);
  cluster.heartbeat(2);
  expect(cluster.state('t')).toBe('leader 2 epoch 2 isr 2 elr 1');
});

test('S26: the last replica standing that comes back without its page cache is not elected', () => {
  const pageCache = { ...MIN_2, durability: 'page-cache' };
  const cluster = new Scenario().start(1, 2, 3).topic('t', [[1, 2, 3]], pageCache);
  for (const id of [3, 2, 1]) cluster.fence(id);
  expect(cluster.state('t')).toBe('leader -1 epoch 1 isr - elr 2,1');
  cluster.register(1, { unclean: true });
  cluster.heartbeat(1);
  expect(cluster.state('t')).toBe('leader -1 epoch 1 isr - elr 2 last 1');
  cluster.register(2);
  cluster.heartbeat(2);
  expect(cluster.state('t')).toBe('leader 2 epoch 2 isr 2 last 1');
});

test('after an unclean stop a durable replica keeps its standing: what it flushed is on its disk', () => {
  const cluster = new Scenario().start(1, 2).topic('t', [[1, 2]], MIN_2);
  for (const id of [2, 1]) cluster.fence(id);
  cluster.register(1, { unclean: true });
  cluster.heartbeat(1);
  expect(cluster.state('t')).toBe('leader 1 epoch 2 isr 1 elr 2');
});

test('S23: a broker with another directory has nothing and leaves every in-sync set and ELR', () => {
  const cluster = new Scenario()
    .start(1, 2)
    .topic('t', [[1, 2]], MIN_2)
    .topic('u', [[1, 2]]);
  cluster.register(1, { directoryId: 'replaced' });
  expect(cluster.state('t')).toBe('leader 2 epoch 1 isr 2');
  expect(cluster.state('u')).toBe('leader 2 epoch 1 isr 2');
  cluster.heartbeat(1);
  expect(cluster.state('t')).toBe('leader 2 epoch 1 isr 2');
});

test('a wiped sole replica does not lead again by itself', () => {
  const cluster = new Scenario().start(1).topic('t', [[1]]);
  cluster.register(1, { directoryId: 'replaced' });
  cluster.heartbeat(1);
  expect(cluster.state('t')).toBe('leader -1 epoch 1 isr -');
});

test('a sole replica leads again after any restart with its disk: there is no better copy', () => {
  const cluster = new Scenario().start(1).topic('t', [[1]], { durability: 'page-cache' });
  cluster.register(1, { unclean: true });
  expect(cluster.state('t')).toBe('leader -1 epoch 1 isr - elr 1');
  cluster.heartbeat(1);
  expect(cluster.state('t')).toBe('leader 1 epoch 2 isr 1');
});

test('a leader that restarts faster than its session ends gets a new leader epoch or none', () => {
  const cluster = new Scenario().start(1, 2, 3).topic('t', [[1, 2, 3]], MIN_2);
  cluster.register(1);
  expect(cluster.state('t')).toBe('leader 2 epoch 1 isr 2,3');
});

test('S27: after power loss of all, who was eligible last leads a page-cache topic again, and it is told', () => {
  const cluster = new Scenario()
    .start(1, 2, 3)
    .topic('t', [[1, 2, 3]], { ...MIN_2, durability: 'page-cache' });
  for (const id of [3, 2, 1]) cluster.fence(id);
  for (const id of [3, 2, 1]) cluster.register(id, { unclean: true });
  expect(cluster.state('t')).toBe('leader -1 epoch 1 isr - last 1,2');
  // Left the in-sync set before the watermark stood still: it may lack what was acknowledged.
  cluster.heartbeat(3);
  expect(cluster.state('t')).toBe('leader -1 epoch 1 isr - last 1,2');
  cluster.heartbeat(1);
  expect(cluster.state('t')).toBe('leader 1 epoch 2 isr 1 recovering');
  expect(cluster.log.at(-1)).toMatchObject({ kind: 'partitionChanged', leader: 1, unclean: true });
});

test('nobody who is remembered leads while somebody is eligible who may still come back', () => {
  const cluster = new Scenario()
    .start(1, 2, 3)
    .topic('t', [[1, 2, 3]], { ...MIN_2, durability: 'page-cache' });
  for (const id of [3, 2, 1]) cluster.fence(id);
  cluster.register(1, { unclean: true });
  cluster.heartbeat(1);
  expect(cluster.state('t')).toBe('leader -1 epoch 1 isr - elr 2 last 1');
});

test('a replica whose disk failed while others were in sync is not remembered: it may have been rebuilt', () => {
  const cluster = new Scenario().start(1, 2).topic('t', [[1, 2]], { ...MIN_2, durability: 'page-cache' });
  const { topicId } = cluster.partition('t');
  cluster.heartbeat(2, { offline: [{ topicId, partition: 0 }] });
  cluster.heartbeat(2, { offline: [] });
  cluster.fence(1);
  cluster.register(1, { unclean: true });
  expect(cluster.state('t')).toBe('leader -1 epoch 1 isr - last 1');
  cluster.heartbeat(1);
  expect(cluster.state('t')).toBe('leader 1 epoch 2 isr 1 recovering');
});

const setting = (kind: 'topic' | 'cluster', name: string, key: string, value?: string) => ({
  changes: [{ resource: { kind, name }, name: key, ...(value !== undefined && { value }) }],
});

test.each([
  ['topic', setting('topic', 't', 'durability', 'fsync')],
  ['topic, by taking its setting away', setting('topic', 't', 'durability')],
])(
  'a switch from page-cache to fsync for the %s counts for a broker from its next start on',
  (_what, switched) => {
    const cluster = new Scenario()
      .start(1, 2, 3)
      .topic('t', [[1, 2, 3]], { ...MIN_2, durability: 'page-cache' });
    cluster.run(alterConfigs(cluster.image, switched, cluster.context));
    cluster.image = decodeSnapshot(encodeSnapshot(cluster.image), cluster.image.offset);
    cluster.register(2);
    cluster.heartbeat(2);
    cluster.alter('t', 0, [1, 2, 3]);
    for (const id of [3, 2, 1]) cluster.fence(id);
    const standing = cluster.partition('t');
    expect([...standing.isr, ...standing.elr].sort()).toEqual([1, 2]);
    // What 1 wrote before the switch may never have been synced; 2 was synced when it stopped in between.
    cluster.register(1, { unclean: true });
    cluster.register(2, { unclean: true });
    expect([cluster.partition('t').elr, cluster.partition('t').lastKnownElr]).toEqual([[2], [1]]);
  },
);

test('a switch of the default counts in the same way, and not for topics that were durable by themselves', () => {
  const cluster = new Scenario().start(1, 2);
  const byDefault = (value: string) =>
    cluster.run(
      alterConfigs(cluster.image, setting('cluster', '', 'log.durability', value), cluster.context),
    );
  byDefault('page-cache');
  cluster.topic('t', [[1, 2]], MIN_2).topic('u', [[1, 2]], { ...MIN_2, durability: 'fsync' });
  byDefault('fsync');
  for (const id of [2, 1]) cluster.fence(id);
  cluster.register(1, { unclean: true });
  expect([cluster.state('t'), cluster.state('u')]).toEqual([
    'leader -1 epoch 1 isr - elr 2 last 1',
    'leader -1 epoch 1 isr - elr 2,1',
  ]);
});

test('the newest of those who are remembered is waited for, whoever else is alive', () => {
  const cluster = new Scenario().start(1, 2).topic('t', [[1, 2]], { ...MIN_2, durability: 'page-cache' });
  cluster.register(2, { unclean: true });
  cluster.heartbeat(2);
  expect(cluster.state('t')).toBe('leader 1 epoch 0 isr 1 last 2');
  cluster.register(1, { unclean: true });
  expect(cluster.state('t')).toBe('leader -1 epoch 1 isr - last 1,2');
  cluster.heartbeat(1);
  expect(cluster.state('t')).toBe('leader 1 epoch 2 isr 1 recovering');
});

test('a durable topic never remembers anybody into the lead: that is for an operator to decide', () => {
  const config = (value: string) => ({
    changes: [{ resource: { kind: 'topic', name: 't' }, name: 'durability', value } as const],
  });
  const cluster = new Scenario().start(1, 2).topic('t', [[1, 2]], { ...MIN_2, durability: 'page-cache' });
  for (const id of [2, 1]) cluster.fence(id);
  for (const id of [2, 1]) cluster.register(id, { unclean: true });
  cluster.run(alterConfigs(cluster.image, config('fsync'), cluster.context));
  for (const id of [2, 1]) cluster.heartbeat(id);
  expect(cluster.state('t')).toBe('leader -1 epoch 1 isr - last 1,2');
});

test('S48: a fenced last-known leader is never elected, not even uncleanly', () => {
  const unclean = { ...MIN_2, 'unclean.leader.election.enable': 'true', durability: 'page-cache' };
  const cluster = new Scenario().start(1, 2).topic('t', [[1, 2]], unclean);
  cluster.fence(2);
  cluster.fence(1);
  cluster.register(1, { unclean: true });
  cluster.register(2, { unclean: true });
  expect(cluster.state('t')).toBe('leader -1 epoch 1 isr - last 2,1');
  cluster.heartbeat(2);
  expect(cluster.state('t')).toBe('leader 2 epoch 2 isr 2 recovering');
});

test('without unclean elections a partition whose in-sync replicas are dead has no leader', () => {
  const cluster = new Scenario().start(1, 2, 3).topic('t', [[1, 2, 3]]);
  cluster.fence(1);
  cluster.fence(2);
  cluster.fence(3);
  cluster.register(1, { directoryId: 'replaced' });
  cluster.heartbeat(1);
  expect(cluster.state('t')).toBe('leader -1 epoch 3 isr - elr 3');
});

test('with unclean elections the death of the last in-sync replica elects another at once', () => {
  const cluster = new Scenario()
    .start(1, 2)
    .topic('t', [[1, 2]], { 'unclean.leader.election.enable': 'true' });
  cluster.fence(2);
  cluster.register(2);
  cluster.heartbeat(2);
  cluster.fence(1);
  expect(cluster.state('t')).toBe('leader 2 epoch 1 isr 2 recovering');
});

test('an unclean election by hand works without the setting, and only where a leader is missing', () => {
  const cluster = new Scenario()
    .start(1, 2)
    .topic('t', [[1, 2]])
    .topic('u', [[1, 2]]);
  cluster.fence(2);
  cluster.register(2);
  cluster.heartbeat(2);
  cluster.fence(1);
  const partitions = [
    { topic: 't', partition: 0 },
    { topic: 'nothing', partition: 0 },
  ];
  const decision = electLeaders(cluster.image, { election: 'unclean', partitions }, cluster.context);
  expect(decision.records).toMatchObject([{ leader: 2, unclean: true, recovering: true, isr: [2], elr: [] }]);
  expect(decision.reply.partitions).toMatchObject([
    { topic: 't', leaderId: 2 },
    { topic: 'nothing', leaderId: -1, failure: { code: 'UNKNOWN_TOPIC_OR_PARTITION' } },
  ]);
});

test('a preferred election needs the first replica in sync, and says what is wrong otherwise', () => {
  const cluster = new Scenario().start(1, 2).topic('t', [[1, 2]]);
  const elect = () =>
    electLeaders(
      cluster.image,
      { election: 'preferred', partitions: [{ topic: 't', partition: 0 }] },
      cluster.context,
    );
  expect(elect().reply.partitions[0]?.failure?.code).toBe('ELECTION_NOT_NEEDED');
  cluster.fence(1);
  expect(elect().reply.partitions[0]?.failure).toEqual({
    code: 'PREFERRED_LEADER_NOT_AVAILABLE',
    message: 't-0: preferred replica 1 is not alive',
  });
  cluster.register(1);
  cluster.heartbeat(1);
  expect(elect().reply.partitions[0]?.failure?.message).toBe('t-0: preferred replica 1 is not in sync (2)');
  const everything = electLeaders(cluster.image, { election: 'preferred' }, cluster.context);
  expect(everything.reply.partitions).toHaveLength(1);
});

test('leadership returns to preferred replicas only where the imbalance is above the limit', () => {
  const replicas = Array.from({ length: 10 }, () => [1, 2]);
  const cluster = new Scenario().start(1, 2).topic('t', replicas);
  cluster.fence(1);
  cluster.register(1);
  cluster.heartbeat(1);
  for (let p = 0; p < 10; p++) cluster.alter('t', p, [2, 1]);
  expect(rebalanceLeaders(cluster.image, 100, 1000, cluster.context)).toEqual([]);
  expect(rebalanceLeaders(cluster.image, 10, 4, cluster.context)).toHaveLength(4);
  cluster.commit(rebalanceLeaders(cluster.image, 10, 1000, cluster.context));
  expect(cluster.state('t', 9)).toBe('leader 1 epoch 2 isr 1,2');
});

test('a controlled shutdown moves leaders first and takes no new standing', () => {
  const cluster = new Scenario()
    .start(1, 2, 3)
    .topic('t', [[1, 2, 3]], MIN_2)
    .topic('alone', [[1]]);
  const reply = cluster.heartbeat(1, { wantsShutdown: true });
  expect(reply).toEqual({ fenced: false, inControlledShutdown: true, leaderships: 0 });
  expect(cluster.state('t')).toBe('leader 2 epoch 1 isr 2,3');
  expect(cluster.state('alone')).toBe('leader -1 epoch 1 isr - elr 1');
  cluster.register(1);
  cluster.heartbeat(1);
  expect(cluster.state('alone')).toBe('leader 1 epoch 2 isr 1');
});
