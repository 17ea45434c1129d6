/** Who is taken for alive, how fast the dead are noticed, and how a broker leaves in order (P15). */
import { expect, test } from 'vitest';
import { ControllerScenario, settle } from './testing/controller-scenario.ts';

test('a silent broker is fenced after the session timeout, and its partitions move', async () => {
  const scenario = await ControllerScenario.withBrokers(1, 2);
  await scenario.topic('t', 2, 2);
  for (let ms = 0; ms < 8500; ms += 500) {
    await scenario.heartbeat(2);
    await scenario.pass(500);
  }
  expect(scenario.isFenced(1)).toBe(false);
  await scenario.pass(600);
  expect([scenario.isFenced(1), scenario.isFenced(2)]).toEqual([true, false]);
  for (const p of [0, 1]) expect(scenario.partition('t', p)).toMatchObject({ leader: 2, isr: [2] });
  expect(scenario.warnings).toMatchObject([
    { event: 'broker_fenced', brokerId: 1, reason: 'session timed out' },
  ]);
});

test('a broken connection fences after a short grace', async () => {
  const scenario = await ControllerScenario.withBrokers(1, 2);
  scenario.controller.brokerDisconnected(1, scenario.epochs.get(1)!);
  await scenario.pass(50);
  expect(scenario.isFenced(1)).toBe(false);
  await scenario.pass(100);
  expect([scenario.isFenced(1), scenario.isFenced(2)]).toEqual([true, false]);
});

test('a broker that reconnects within the grace stays', async () => {
  const scenario = await ControllerScenario.withBrokers(1);
  scenario.controller.brokerDisconnected(1, scenario.epochs.get(1)!);
  await scenario.pass(50);
  await scenario.heartbeat(1);
  await scenario.pass(500);
  expect(scenario.isFenced(1)).toBe(false);
});

test('the end of an older life does not touch the newer one', async () => {
  const scenario = await ControllerScenario.withBrokers(1);
  const old = scenario.epochs.get(1)!;
  scenario.controller.brokerDisconnected(1, old);
  await scenario.startBroker(1, { incarnationId: 'newer' });
  scenario.controller.brokerDisconnected(1, old);
  await scenario.pass(500);
  expect(scenario.isFenced(1)).toBe(false);
});

test('the end of an older connection of the same life does not count', async () => {
  const scenario = await ControllerScenario.withBrokers(1);
  const { controller, epochs } = scenario;
  const [older, newer] = [{}, {}];
  const beat = {
    brokerId: 1,
    brokerEpoch: epochs.get(1)!,
    metadataOffset: 9,
    wantsShutdown: false,
    offline: [],
  };
  await controller.heartbeat(beat, older);
  await controller.heartbeat(beat, newer);
  controller.brokerDisconnected(1, beat.brokerEpoch, older);
  await scenario.pass(500);
  expect(scenario.isFenced(1)).toBe(false);
  controller.brokerDisconnected(1, beat.brokerEpoch, newer);
  await scenario.pass(200);
  expect(scenario.isFenced(1)).toBe(true);
});

test('an id is refused while its broker is heard, and free as soon as its connection broke', async () => {
  const scenario = await ControllerScenario.withBrokers(1);
  const other = () => scenario.startBroker(1, { incarnationId: 'another' });
  await expect(other()).rejects.toThrow(expect.objectContaining({ code: 'DUPLICATE_BROKER_REGISTRATION' }));
  scenario.controller.brokerDisconnected(1, scenario.epochs.get(1)!);
  await other();
});

test('the death of a node that was controller and leader is noticed by its broken Raft connection', async () => {
  const old = await ControllerScenario.withBrokers(1, 2, 3);
  await old.topic('t', 3, 3);
  const standby = await ControllerScenario.start();
  standby.quorum.follow(old.quorum.committed);
  for (const [id, epoch] of old.epochs) standby.epochs.set(id, epoch);

  standby.controller.peerDisconnected(1);
  await standby.pass(150);
  standby.quorum.elect();
  await standby.heartbeat(2);
  await standby.pass(150);
  expect([1, 2, 3].map((id) => standby.isFenced(id))).toEqual([true, false, false]);
  for (const p of [0, 1, 2]) expect(standby.partition('t', p).leader).not.toBe(1);
});

test('a node that is heard again is not taken for dead by a new controller', async () => {
  const scenario = await ControllerScenario.withBrokers(1);
  scenario.quorum.lose();
  scenario.controller.peerDisconnected(1);
  scenario.controller.peerHeard(1);
  scenario.quorum.elect();
  await scenario.pass(1000);
  expect(scenario.isFenced(1)).toBe(false);
});

test('a broken Raft connection says nothing against a broker that came to the new controller', async () => {
  const scenario = await ControllerScenario.withBrokers(1);
  scenario.controller.peerDisconnected(1);
  await scenario.pass(1000);
  expect(scenario.isFenced(1)).toBe(false);
});

test('after a change of controller a broker that never comes is fenced soon, if others came', async () => {
  const scenario = await ControllerScenario.withBrokers(1, 2);
  scenario.quorum.lose();
  scenario.quorum.elect();
  await scenario.pass(3000);
  expect(scenario.isFenced(1)).toBe(false);
  await scenario.heartbeat(2);
  await scenario.pass(100);
  expect([scenario.isFenced(1), scenario.isFenced(2)]).toEqual([true, false]);
});

test('a controller that stood still does not take its own pause for the silence of brokers', async () => {
  const scenario = await ControllerScenario.withBrokers(1);
  await scenario.pass(100);
  scenario.clock.schedule(0, () => {});
  pause(scenario, 20_000);
  await settle();
  expect(scenario.isFenced(1)).toBe(false);
  await scenario.pass(9100);
  expect(scenario.isFenced(1)).toBe(true);
});

/** The clock jumps as after SIGSTOP: timers fire late, all at once. */
function pause(scenario: ControllerScenario, ms: number): void {
  const { clock } = scenario;
  const nowMs = clock.nowMs.bind(clock);
  const from = nowMs();
  clock.nowMs = () => nowMs() + (nowMs() > from ? ms : 0);
  clock.advance(50);
}

test('a controlled shutdown is released once nothing is led and all others know it', async () => {
  const scenario = await ControllerScenario.withBrokers(1, 2);
  await scenario.topic('t', 2, 2);
  expect(await scenario.heartbeat(1, { wantsShutdown: true })).toMatchObject({
    fenced: false,
    mayShutDown: false,
  });
  for (const p of [0, 1]) expect(scenario.partition('t', p)).toMatchObject({ leader: 2, isr: [2] });
  await scenario.heartbeat(2, { metadataOffset: scenario.controller.image().offset - 1 });
  expect((await scenario.heartbeat(1, { wantsShutdown: true })).mayShutDown).toBe(false);
  await scenario.heartbeat(2);
  expect((await scenario.heartbeat(1, { wantsShutdown: true })).mayShutDown).toBe(true);
});

test('a fenced broker and the last one may shut down at once', async () => {
  const scenario = await ControllerScenario.withBrokers(1);
  expect((await scenario.heartbeat(1, { wantsShutdown: true })).mayShutDown).toBe(true);
});

test('leadership returns to preferred replicas by itself', async () => {
  const scenario = await ControllerScenario.withBrokers(1, 2);
  await scenario.topic('t', 1, 2);
  const { topicId, leader: first } = scenario.partition('t');
  const second = 3 - first;
  scenario.controller.brokerDisconnected(first, scenario.epochs.get(first)!);
  await scenario.pass(200);
  await scenario.heartbeat(first);
  const { leaderEpoch, partitionEpoch } = scenario.partition('t');
  const newIsr = [1, 2].map((brokerId) => ({ brokerId, brokerEpoch: -1 }));
  const alteration = { topicId, partition: 0, leaderEpoch, partitionEpoch, newIsr, recovering: false };
  await scenario.controller.alterPartitions({
    brokerId: second,
    brokerEpoch: scenario.epochs.get(second)!,
    partitions: [alteration],
  });
  expect(scenario.partition('t')).toMatchObject({ leader: second });
  for (let s = 0; s < 302; s += 2) {
    await Promise.all([scenario.heartbeat(1), scenario.heartbeat(2)]);
    scenario.clock.advance(2000);
    await settle();
  }
  expect(scenario.partition('t')).toMatchObject({ leader: first });
});

test('an unclean election is reported in the log', async () => {
  const scenario = await ControllerScenario.withBrokers(1, 2);
  const configs = { 'unclean.leader.election.enable': 'true' };
  const assignments = [{ partition: 0, replicas: [1, 2] }];
  await scenario.controller.createTopics({
    topics: [{ name: 't', partitionCount: -1, replicationFactor: -1, assignments, configs }],
  });
  scenario.controller.brokerDisconnected(2, scenario.epochs.get(2)!);
  await scenario.pass(200);
  await scenario.heartbeat(2);
  scenario.controller.brokerDisconnected(1, scenario.epochs.get(1)!);
  await scenario.pass(200);
  expect(scenario.partition('t')).toMatchObject({ leader: 2, recovering: true });
  expect(scenario.warnings.at(-1)).toEqual({
    event: 'unclean_election',
    topic: 't',
    partition: 0,
    leader: 2,
    leaderEpoch: 1,
  });
});

test('10,000 partitions are created in one entry, and the death of their broker takes a few bounded ones', async () => {
  const scenario = await ControllerScenario.withBrokers(1, 2, 3);
  const created = await scenario.topic('t', 10_000, 3);
  expect(created.failure).toBeUndefined();
  const before = scenario.quorum.committed.length;
  scenario.controller.brokerDisconnected(1, scenario.epochs.get(1)!);
  await scenario.pass(200);
  expect(scenario.isFenced(1)).toBe(true);
  const entries = scenario.quorum.committed.slice(before);
  expect(entries.length).toBeLessThanOrEqual(5);
  for (const data of entries) expect(data!.length).toBeLessThan(600 * 1024);
  for (let p = 0; p < 10_000; p++) expect(scenario.partition('t', p).isr).not.toContain(1);
});
