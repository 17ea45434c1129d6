/** Rule P10: the checks of an in-sync set change and their order; scenarios S24, S25. */
import { expect, test } from 'vitest';
import type { PartitionAlteration } from '../command.ts';
import { Scenario } from '../testing/scenario.ts';
import { alterPartitions } from './alter-partitions.ts';

function threeBrokers(): Scenario {
  return new Scenario().start(1, 2, 3, 4).topic('t', [[1, 2, 3]], { 'min.insync.replicas': '2' });
}

/** Each row breaks its own check and all later ones, so that the order shows. */
const bad: [string, Partial<PartitionAlteration>, string][] = [
  ['an unknown topic', { topicId: 'nobody', leaderEpoch: 9 }, 'UNKNOWN_TOPIC_ID'],
  ['an unknown partition', { partition: 7, leaderEpoch: 9 }, 'UNKNOWN_TOPIC_OR_PARTITION'],
  ['a newer leader epoch', { leaderEpoch: 9, partitionEpoch: 0 }, 'NOT_CONTROLLER'],
  ['an older leader epoch', { leaderEpoch: 0, partitionEpoch: 99 }, 'FENCED_LEADER_EPOCH'],
  ['a newer partition epoch', { partitionEpoch: 99, newIsr: [] }, 'NOT_CONTROLLER'],
  ['an older partition epoch', { partitionEpoch: 0, newIsr: [] }, 'INVALID_UPDATE_VERSION'],
  ['a broker without a replica', { newIsr: [member(4)] }, 'INVALID_REQUEST'],
  ['a broker twice', { newIsr: [member(2), member(2)] }, 'INVALID_REQUEST'],
  ['an in-sync set without the leader', { newIsr: [member(3)] }, 'INVALID_REQUEST'],
  ['an empty in-sync set', { newIsr: [] }, 'INVALID_REQUEST'],
  ['recovering with followers', { newIsr: [member(2), member(3)], recovering: true }, 'INVALID_REQUEST'],
  ['recovering again', { newIsr: [member(2)], recovering: true }, 'INVALID_REQUEST'],
  ['a fenced broker', { newIsr: [member(2), member(1)] }, 'INELIGIBLE_REPLICA'],
];

test.each(bad)('%s is refused', (_what, changes, code) => {
  const cluster = threeBrokers();
  cluster.fence(1);
  const before = cluster.image;
  expect(cluster.alter('t', 0, [2, 3], changes)?.code).toBe(code);
  expect(cluster.image).toBe(before);
});

test('a broker epoch that is not the registered one is refused as a whole', () => {
  const cluster = threeBrokers();
  const request = { brokerId: 1, brokerEpoch: 77, partitions: [] };
  expect(() => alterPartitions(cluster.image, request, cluster.context)).toThrow(
    expect.objectContaining({ code: 'STALE_BROKER_EPOCH' }),
  );
});

test('only the leader may ask', () => {
  const cluster = threeBrokers();
  const { topicId, leaderEpoch, partitionEpoch } = cluster.partition('t');
  const alteration = {
    topicId,
    partition: 0,
    leaderEpoch,
    partitionEpoch,
    newIsr: [member(2)],
    recovering: false,
  };
  const request = { brokerId: 2, brokerEpoch: cluster.epochOf(2), partitions: [alteration] };
  const { records, reply } = alterPartitions(cluster.image, request, cluster.context);
  expect(records).toEqual([]);
  expect(reply.partitions[0]).toMatchObject({
    failure: { code: 'INVALID_REQUEST', message: 't-0 is led by 1, not by 2' },
    leaderId: 1,
    isr: [1, 2, 3],
  });
});

test('a shrink is answered with the new state, and who left stays eligible if the set is too small', () => {
  const cluster = threeBrokers();
  expect(cluster.alter('t', 0, [1, 3])).toBeUndefined();
  expect(cluster.alter('t', 0, [1])).toBeUndefined();
  expect(cluster.state('t')).toBe('leader 1 epoch 0 isr 1 elr 3');
  expect(cluster.alter('t', 0, [1, 2])).toBeUndefined();
  expect(cluster.state('t')).toBe('leader 1 epoch 0 isr 1,2');
  expect(cluster.partition('t').partitionEpoch).toBe(3);
});

test('S24: a follower that restarted since it fetched is refused by its broker epoch', () => {
  const cluster = threeBrokers();
  cluster.alter('t', 0, [1, 2]);
  const stale = cluster.epochOf(3);
  cluster.register(3, { directoryId: 'replaced' });
  cluster.heartbeat(3);
  const newIsr = [member(1), member(2), { brokerId: 3, brokerEpoch: stale }];
  expect(cluster.alter('t', 0, [], { newIsr })?.code).toBe('INELIGIBLE_REPLICA');
  newIsr[2] = { brokerId: 3, brokerEpoch: cluster.epochOf(3) };
  expect(cluster.alter('t', 0, [], { newIsr })).toBeUndefined();
});

test('S25: a broker that is shutting down cannot join an in-sync set', () => {
  const cluster = threeBrokers();
  cluster.heartbeat(3, { wantsShutdown: true });
  expect(cluster.alter('t', 0, [1, 2, 3])).toEqual({
    code: 'INELIGIBLE_REPLICA',
    message: 't-0 cannot have broker 3 in sync: it is shutting down',
  });
});

test('a leader that recovered from an unclean election says so before others may join', () => {
  const cluster = new Scenario()
    .start(1, 2)
    .topic('t', [[1, 2]], { 'unclean.leader.election.enable': 'true' });
  cluster.fence(2);
  cluster.start(2);
  cluster.fence(1);
  cluster.start(1);
  expect(cluster.state('t')).toBe('leader 2 epoch 1 isr 2 recovering');
  expect(cluster.alter('t', 0, [2, 1], { recovering: true })?.code).toBe('INVALID_REQUEST');
  expect(cluster.alter('t', 0, [2])).toBeUndefined();
  expect(cluster.alter('t', 0, [2], { recovering: true })?.code).toBe('INVALID_REQUEST');
  expect(cluster.alter('t', 0, [2, 1])).toBeUndefined();
  expect(cluster.state('t')).toBe('leader 2 epoch 1 isr 1,2');
});

test('a partition that is in the request twice is changed once', () => {
  const cluster = threeBrokers();
  const { topicId, leaderEpoch, partitionEpoch } = cluster.partition('t');
  const alteration = {
    topicId,
    partition: 0,
    leaderEpoch,
    partitionEpoch,
    newIsr: [member(1)],
    recovering: false,
  };
  const request = { brokerId: 1, brokerEpoch: cluster.epochOf(1), partitions: [alteration, alteration] };
  const { records, reply } = alterPartitions(cluster.image, request, cluster.context);
  expect(records).toHaveLength(1);
  expect(reply.partitions.map((result) => result.failure?.code)).toEqual([undefined, 'INVALID_REQUEST']);
});

function member(brokerId: number) {
  return { brokerId, brokerEpoch: -1 };
}
