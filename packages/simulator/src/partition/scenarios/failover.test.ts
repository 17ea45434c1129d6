import { expect, test, vi } from 'vitest';
import { PartitionScenario } from './partition-scenario.ts';

// Virtual time costs little, but the machine may be busy.
vi.setConfig({ testTimeout: 60_000 });

const SAFE = { 'min.insync.replicas': '2' };

test('a follower that restarts with a stale watermark keeps what it has, and leads with it (S16)', async () => {
  const scenario = await PartitionScenario.start({ replicas: [1, 2] });
  await scenario.produce('a');
  await scenario.produce('b');
  await scenario.restartAll([2]);
  await scenario.isrIs(1, 2);
  scenario.kill(1, 'machine');
  await scenario.until(() => scenario.image.leader === 2 && scenario.leads(2));
  expect(scenario.values(2)).toEqual(['a', 'b']);
});

test('logs that diverged at equal offsets become one after power is lost on both (S17)', async () => {
  const scenario = await PartitionScenario.start({ replicas: [1, 2] });
  await scenario.produce('a');
  const cut = scenario.cut([scenario.node(1)], [scenario.node(2)]);
  await scenario.produce('only on 1', { acks: 1 });
  scenario.kill(2, 'machine');
  scenario.kill(1, 'machine');
  cut.heal();
  scenario.start(2);
  await scenario.until(() => scenario.image.leader === 2 || scenario.image.elr.includes(1));
  scenario.start(1);
  await scenario.isrIs(1, 2);
  await scenario.produce('b', { sequence: 0 }).catch(() => undefined);
  await scenario.pass(1_000);
  expect(scenario.values(1)).toEqual(scenario.values(2));
});

test('three fast failovers leave one history, and every acknowledgement in it (S18)', async () => {
  const scenario = await PartitionScenario.start({ configs: SAFE });
  const sent: string[] = [];
  for (const round of [0, 1, 2]) {
    const value = `v${round}`;
    expect((await scenario.produce(value)).failure).toBeUndefined();
    sent.push(value);
    const leader = await scenario.leader();
    await scenario.produce('unheard', { acks: 1, at: leader, sequence: 100 }).catch(() => undefined);
    scenario.fence(leader);
    await scenario.until(() => scenario.image.leader !== leader);
    await scenario.until(() => scenario.image.isr.length === 3);
  }
  const leader = await scenario.leader();
  await scenario.pass(1_000);
  for (const id of [1, 2, 3]) expect(scenario.values(id)).toEqual(scenario.values(leader));
  expect(scenario.values(leader)).toEqual(expect.arrayContaining(sent));
});

test('a leader that the controller cannot reach acknowledges nothing once it is alone (S19, S43)', async () => {
  const scenario = await PartitionScenario.start({ configs: SAFE });
  await scenario.produce('a');
  const others = [scenario.node(2), scenario.node(3), 'controller'];
  const cuts = [scenario.cut([scenario.node(1)], others), scenario.cut(others, [scenario.node(1)])];
  const zombie = await scenario.produce('zombie', { at: 1, sequence: 1 });
  expect(zombie.failure?.code).toMatch(
    /REQUEST_TIMED_OUT|NOT_ENOUGH_REPLICAS_AFTER_APPEND|NOT_LEADER_OR_FOLLOWER/,
  );
  await scenario.until(() => scenario.image.leader !== 1);
  expect((await scenario.produce('b', { sequence: 1 })).failure).toBeUndefined();
  for (const cut of cuts) cut.heal();
  await scenario.isrIs(1, 2, 3);
  await scenario.pass(1_000);
  expect(scenario.values(1)).toEqual(['a', 'b']);
});

test('a broker that is heard by the controller but not by its leader leaves the ISR, and comes back (S43)', async () => {
  const scenario = await PartitionScenario.start({ configs: SAFE });
  const cut = scenario.cut([scenario.node(3)], [scenario.node(1)]);
  await scenario.produce('a');
  await scenario.isrIs(1, 2);
  cut.heal();
  await scenario.isrIs(1, 2, 3);
});

test('the last replica standing leads again with all it had, and nobody else does before (S26)', async () => {
  const scenario = await PartitionScenario.start({
    replicas: [1, 2],
    configs: { 'min.insync.replicas': '1' },
  });
  await scenario.produce('a');
  scenario.kill(2, 'machine');
  await scenario.isrIs(1);
  await scenario.produce('b');
  scenario.kill(1, 'machine');
  scenario.start(2);
  await scenario.pass(5_000);
  expect(scenario.image.leader).toBe(-1);
  scenario.start(1);
  expect(await scenario.leader()).toBe(1);
  await scenario.isrIs(1, 2);
  expect(scenario.values(2)).toEqual(['a', 'b']);
});

test('after power loss of all, page-cache brokers come back by themselves, and the loss is reported (S27)', async () => {
  const scenario = await PartitionScenario.start({ configs: { ...SAFE, durability: 'page-cache' } });
  for (const value of ['a', 'b', 'c']) await scenario.produce(value);
  await scenario.restartAll([1, 2, 3], 'machine');
  await scenario.isrIs(1, 2, 3);
  await scenario.pass(1_000);
  expect(scenario.values(1)).toEqual(scenario.values(2));
  expect(['a', 'b', 'c'].join()).toContain(scenario.values(1).join());
});

test('after power loss of all, fsync brokers come back with everything (S41)', async () => {
  const scenario = await PartitionScenario.start({ configs: SAFE });
  for (const value of ['a', 'b', 'c']) await scenario.produce(value);
  await scenario.restartAll([1, 2, 3], 'machine');
  await scenario.isrIs(1, 2, 3);
  expect(scenario.losses).toBe(0);
  expect(scenario.values(1)).toEqual(['a', 'b', 'c']);
});

test('an unclean election gives up what only the dead had, and the survivors agree (S28)', async () => {
  const configs = { 'unclean.leader.election.enable': 'true' };
  const scenario = await PartitionScenario.start({ replicas: [1, 2], configs });
  await scenario.produce('a');
  scenario.kill(2);
  await scenario.isrIs(1);
  await scenario.produce('b');
  scenario.kill(1);
  scenario.start(2);
  expect(await scenario.leader()).toBe(2);
  expect(scenario.losses).toBe(1);
  scenario.start(1);
  await scenario.isrIs(1, 2);
  await scenario.pass(500);
  expect(scenario.values(1)).toEqual(['a']);
});

test('a follower that ends where its leader begins gives up what its leader never had there', async () => {
  const scenario = await PartitionScenario.start();
  const [one, others] = [[scenario.node(1)], [scenario.node(2), scenario.node(3)]];
  const cuts = [scenario.cut(one, others), scenario.cut(others, one)];
  await scenario.produce('only on 1', { acks: 1 });
  scenario.fence(1);
  expect(await scenario.leader()).not.toBe(1);
  await scenario.produce('a', { sequence: 0 });
  await scenario.deleteRecords(1);
  await scenario.produce('b');
  for (const cut of cuts) cut.heal();
  await scenario.isrIs(1, 2, 3);
  expect(scenario.values(1)).toEqual(['b']);
});

test('a follower whose records are all deleted elsewhere keeps what they told of producers', async () => {
  const scenario = await PartitionScenario.start({ replicas: [1, 2] });
  await scenario.produce('a');
  // Before it knows that they are committed.
  scenario.kill(2);
  await scenario.isrIs(1);
  await scenario.deleteRecords(1);
  await scenario.restartAll([1]);
  await scenario.leader();
  scenario.start(2);
  await scenario.isrIs(1, 2);
  scenario.fence(1);
  expect(await scenario.leader()).toBe(2);
  const retried = await scenario.produce('a', { sequence: 0 });
  expect(retried).toMatchObject({ failure: undefined, baseOffset: 0 });
});
