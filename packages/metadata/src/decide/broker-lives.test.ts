/** Registration, heartbeats and failed disks (P15, invariants 28, 37). */
import { expect, test } from 'vitest';
import { Scenario } from '../testing/scenario.ts';
import { allocateProducerIds } from './allocate-producer-ids.ts';
import { registerBroker } from './register-broker.ts';

const MIN_2 = { 'min.insync.replicas': '2' };

test('a new incarnation gets a new broker epoch: the offset of its registration', () => {
  const cluster = new Scenario();
  expect(cluster.register(1)).toBe(0);
  cluster.heartbeat(1);
  expect(cluster.register(1)).toBe(2);
  expect(cluster.image.brokers.get(1)).toMatchObject({ brokerEpoch: 2, fenced: true });
});

test('the same incarnation registers again without any change', () => {
  const cluster = new Scenario().start(1);
  const { incarnationId, directoryId, endpoints, rack } = cluster.image.brokers.get(1)!;
  const registration = {
    brokerId: 1,
    incarnationId,
    directoryId,
    endpoints,
    rack,
    previousBrokerEpoch: -1,
  };
  const decision = registerBroker(cluster.image, registration, true, cluster.context);
  expect(decision).toEqual({ records: [], reply: { registered: 0 } });
});

test('an id that a live broker uses is refused, and free again when that broker is gone', () => {
  const cluster = new Scenario().start(1);
  const other = {
    brokerId: 1,
    incarnationId: 'another',
    directoryId: 'another',
    endpoints: [{ listener: 'GRPC', host: 'elsewhere', port: 1 }],
    rack: '',
    previousBrokerEpoch: -1,
  };
  expect(() => registerBroker(cluster.image, other, true, cluster.context)).toThrow(
    'node.id 1 is in use by a live broker (incarnation incarnation-1-1, GRPC://node-1:9191)',
  );
  expect(registerBroker(cluster.image, other, false, cluster.context).records).toHaveLength(1);
});

test.each([
  ['a negative id', { brokerId: -1 }],
  ['no incarnation', { incarnationId: '' }],
  ['no endpoint', { endpoints: [] }],
])('a registration with %s is refused', (_what, changes) => {
  const cluster = new Scenario();
  expect(() => cluster.register(1, changes)).toThrow(expect.objectContaining({ code: 'INVALID_REQUEST' }));
});

test('a broker is unfenced only when it has applied its own registration', () => {
  const cluster = new Scenario();
  const brokerEpoch = cluster.register(1);
  expect(cluster.heartbeat(1, { metadataOffset: brokerEpoch }).fenced).toBe(true);
  expect(cluster.heartbeat(1, { metadataOffset: brokerEpoch + 1 }).fenced).toBe(false);
});

test('a heartbeat with an older broker epoch is refused', () => {
  const cluster = new Scenario();
  const old = cluster.register(1);
  cluster.register(1);
  expect(() => cluster.heartbeat(1, { brokerEpoch: old })).toThrow(
    'broker 1 is registered with epoch 1, not 0',
  );
});

test('a failed disk moves the lead away, and the replica vouches for nothing until it caught up', () => {
  const cluster = new Scenario().start(1, 2, 3).topic('t', [[1, 2, 3]], MIN_2);
  const { topicId } = cluster.partition('t');
  const offline = [{ topicId, partition: 0 }];
  cluster.heartbeat(1, { offline });
  expect(cluster.state('t')).toBe('leader 2 epoch 1 isr 2,3 offline 1');
  cluster.heartbeat(1, { offline });
  expect(cluster.alter('t', 0, [1, 2, 3])?.message).toBe('t-0 cannot have broker 1 in sync: its disk failed');
  cluster.heartbeat(1);
  expect(cluster.state('t')).toBe('leader 2 epoch 1 isr 2,3');
  expect(cluster.alter('t', 0, [1, 2, 3])).toBeUndefined();
});

test('a failed disk takes eligibility too, except from the last replica that has the records', () => {
  const cluster = new Scenario().start(1, 2).topic('t', [[1, 2]], MIN_2);
  const offline = [{ topicId: cluster.partition('t').topicId, partition: 0 }];
  cluster.heartbeat(2, { offline });
  expect(cluster.state('t')).toBe('leader 1 epoch 0 isr 1 offline 2');
  cluster.heartbeat(1, { offline });
  expect(cluster.state('t')).toBe('leader -1 epoch 1 isr - elr 1 offline 2,1');
  cluster.heartbeat(2);
  expect(cluster.state('t')).toBe('leader -1 epoch 1 isr - elr 1 offline 1');
  cluster.heartbeat(1);
  expect(cluster.state('t')).toBe('leader 1 epoch 2 isr 1');
});

test('a heartbeat that unfences and reports a failed disk does not elect that replica', () => {
  const cluster = new Scenario()
    .start(1)
    .topic('t', [[1]])
    .topic('u', [[1]]);
  const offline = [{ topicId: cluster.partition('t').topicId, partition: 0 }];
  cluster.fence(1);
  cluster.register(1);
  cluster.heartbeat(1, { offline });
  expect(cluster.state('t')).toBe('leader -1 epoch 1 isr - elr 1 offline 1');
  expect(cluster.state('u')).toBe('leader 1 epoch 2 isr 1');
});

test('producer ids are given out in blocks that never overlap', () => {
  const cluster = new Scenario().start(1, 2);
  const ask = (brokerId: number) =>
    cluster.run(allocateProducerIds(cluster.image, { brokerId, brokerEpoch: cluster.epochOf(brokerId) }));
  expect([ask(1), ask(2), ask(1)]).toEqual([
    { firstId: 0, count: 1000 },
    { firstId: 1000, count: 1000 },
    { firstId: 2000, count: 1000 },
  ]);
});
