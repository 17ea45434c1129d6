import { expect, test } from 'vitest';
import { FAULT_CLASSES, FaultPlan } from '../world/fault-plan.ts';
import { World } from '../world/world.ts';
import { CALM_LINK, type LinkSettings } from './link.ts';
import { linkSettings, NetworkFaults } from './network-faults.ts';
import { SimNetwork } from './sim-network.ts';
import { SimRaftDirectory, SimRaftTransport } from './sim-raft-transport.ts';

const BAD_LINK: LinkSettings = {
  ...CALM_LINK,
  delayMinMs: 1,
  delayMeanMs: 20,
  loss: 0.2,
  duplication: 0.2,
  reordering: 0.2,
};

function names(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `n${i + 1}`);
}

/** Everyone alive; `heard` lists what came to whom. */
function stage(seed: number, count = 3) {
  const world = new World({ seed });
  const network = new SimNetwork(world);
  const heard: string[] = [];
  for (const name of names(count)) world.process(name).start(() => {});
  const send = (from: string, to: string, what: string | number): void => {
    const { life } = world.process(from);
    if (life !== undefined) network.datagram(life, to, 0, () => heard.push(`${from}>${to} ${what}`));
  };
  return { world, network, heard, send };
}

test('datagrams on a bad link are lost, repeated and out of order, the same way for the same seed', async () => {
  const run = async (seed: number): Promise<string[]> => {
    const { world, network, heard, send } = stage(seed);
    network.setAll(BAD_LINK);
    for (let i = 0; i < 1_000; i++) send('n1', 'n2', i);
    await world.run(5_000);
    return heard;
  };
  const heard = await run(1);
  expect(await run(1)).toEqual(heard);
  const distinct = new Set(heard).size;
  expect(distinct).toBeGreaterThan(700);
  expect(distinct).toBeLessThan(900);
  expect(heard.length).toBeGreaterThan(distinct + 100);
  expect(heard).not.toEqual(heard.toSorted());
});

test('partitions cut by group, by direction and by pair, add up, and heal one by one', async () => {
  const { world, network, heard, send } = stage(2);
  const all = names(3);
  const probe = async (): Promise<string[]> => {
    heard.length = 0;
    for (const from of all) for (const to of all) if (from !== to) send(from, to, '');
    await world.run(world.nowMs + 100);
    return heard.map((line) => line.trim()).toSorted();
  };
  const groups = network.partition([['n1'], ['n2', 'n3']]);
  expect(await probe()).toEqual(['n2>n3', 'n3>n2']);
  const mute = network.isolate('n2', all, 'out');
  expect(await probe()).toEqual(['n3>n2']);
  groups.heal();
  groups.heal();
  expect(await probe()).toEqual(['n1>n2', 'n1>n3', 'n3>n1', 'n3>n2']);
  mute.heal();
  expect(await probe()).toHaveLength(6);
  network.block([['n1', 'n2']]);
  network.heal();
  expect(await probe()).toHaveLength(6);
});

test('a clog delays datagrams and loses none; a cut loses those on the way', async () => {
  const { world, network, heard, send } = stage(3);
  const clog = network.block([['n1', 'n2']], 'clog');
  for (let i = 0; i < 10; i++) send('n1', 'n2', i);
  await world.run(1_000);
  expect(heard).toEqual([]);
  clog.heal();
  await world.run(2_000);
  expect(heard).toHaveLength(10);
  network.setAll({ ...CALM_LINK, delayMinMs: 10, delayMeanMs: 20 });
  send('n1', 'n2', 'lost');
  await world.run(2_005);
  const cut = network.block([['n1', 'n2']]);
  await world.run(3_000);
  cut.heal();
  await world.run(4_000);
  expect(heard).toHaveLength(10);
});

test('Raft messages reach the life that stands at the far end, and no dead one', async () => {
  const { world, network } = stage(4, 2);
  const directory = new SimRaftDirectory(network, { nameOf: (id) => `n${id}` });
  const heard: string[] = [];
  const join = (id: number): SimRaftTransport => {
    const process = world.process(`n${id}`);
    const life = process.life!;
    const transport = new SimRaftTransport(directory, life, id);
    transport.onMessage((from, { kind }) => heard.push(`${id}.${process.lives} heard ${kind} of ${from}`));
    transport.onDisconnect((peer) => heard.push(`${id} lost ${peer}`));
    return transport;
  };
  const [one] = [join(1), join(2)];
  const message = { kind: 'voteResponse', term: 3, granted: true } as never;
  one.send(2, message);
  await world.run(100);
  directory.disconnect(1, 2);
  one.send(2, message);
  world.process('n2').kill();
  await world.run(200);
  world.process('n2').start(() => {});
  join(2);
  one.send(2, message);
  await world.run(300);
  expect(heard).toEqual(['2.1 heard voteResponse of 1', '1 lost 2', '2.2 heard voteResponse of 1']);
});

test('network faults come as the plan says and leave nothing behind once healed', async () => {
  const { world, network, heard, send } = stage(5);
  const only = FAULT_CLASSES.filter((fault) => !fault.includes('disk'));
  const plan = FaultPlan.draw(world.streams.plan, { only });
  expect(linkSettings(FaultPlan.none())).toEqual(CALM_LINK);
  const faults = new NetworkFaults(network, plan, names(3));
  let blocked = 0;
  network.watch({
    onLinkChange: () => {
      blocked += 1;
    },
  });
  faults.start();
  await world.run(120_000);
  expect(blocked).toBeGreaterThan(20);
  faults.heal();
  await world.run(130_000);
  const before = blocked;
  for (let i = 0; i < 100; i++) send('n1', 'n2', i);
  await world.run(140_000);
  expect([heard.length, blocked]).toEqual([100, before]);
});

test('a healed network says until when it still carries what was sent before', async () => {
  const { world, network, heard, send } = stage(7);
  await world.run(1);
  network.setAll({ ...BAD_LINK, loss: 0, delayMeanMs: 2_000 });
  for (let i = 0; i < 50; i++) send('n1', 'n2', i);
  network.heal();
  expect(network.lastArrivalMs).toBeGreaterThan(world.nowMs + 2_000);
  await world.run(network.lastArrivalMs);
  const { length } = heard;
  expect(length).toBeGreaterThanOrEqual(50);
  await world.run(world.nowMs + 60_000);
  expect(heard.length).toBe(length);
});
