import { InvariantError, type MillraceError, sleep, unit } from '@millrace/core';
import { expect, test } from 'vitest';
import { FAULT_CLASSES, FaultPlan, parseFaultClasses } from './fault-plan.ts';
import type { SimLife } from './sim-process.ts';
import { SimulationFailure } from './simulation-failure.ts';
import { World } from './world.ts';

/** Three processes that set timers by chance and note what they do. */
async function busyWorld(seed: number): Promise<World> {
  const world = new World({ seed });
  for (const name of ['a', 'b', 'c']) {
    const life = world.process(name).start(() => {});
    const tick = async (): Promise<void> => {
      await sleep(life.clock, unit(life.random) * 10);
      life.note('tick', Math.floor(life.clock.nowMs()));
      void tick();
    };
    void tick();
  }
  await world.run(1_000);
  return world;
}

test('the same seed gives the same trace, another seed another one', async () => {
  const [first, second, other] = [await busyWorld(7), await busyWorld(7), await busyWorld(8)];
  expect(first.eventCount).toBeGreaterThan(300);
  expect(second.trace.hash).toBe(first.trace.hash);
  expect(other.trace.hash).not.toBe(first.trace.hash);
});

test('time passes only from event to event; all microtasks of one run before the next', async () => {
  const world = new World({ seed: 1 });
  const order: string[] = [];
  const say = (what: string): void => void order.push(`${what}@${world.nowMs}`);
  world.schedule(20, () => say('late'));
  world.schedule(10, () => {
    say('early');
    void (async () => {
      for (let i = 0; i < 5; i++) await Promise.resolve();
      process.nextTick(() => say('tick'));
      await Promise.resolve();
      say('promise');
    })();
  });
  world.afterEvent(() => say('hook'));
  await world.run(30);
  expect(order.slice(-6)).toEqual(['early@10', 'promise@10', 'tick@10', 'hook@10', 'late@20', 'hook@20']);
  expect(world.nowMs).toBe(30);
});

test('nothing of a dead life runs again: timers, guarded callbacks, held events', async () => {
  const world = new World({ seed: 2 });
  const process = world.process('a');
  const heard: string[] = [];
  let guarded = (): void => {};
  process.start((life) => {
    life.clock.schedule(10, () => heard.push('timer of the first life'));
    guarded = life.guard(() => heard.push('guarded'));
  });
  await world.run(5);
  const first = process.life;
  process.pause();
  await world.run(20);
  process.kill();
  const second = process.start((life) => void life.clock.schedule(5, () => heard.push('second')));
  guarded();
  first?.clock.schedule(1, () => heard.push('set by the dead'));
  await world.run(100);
  expect(heard).toEqual(['second']);
  expect([second.number, process.lives, first?.isCurrent]).toEqual([2, 2, false]);
});

test('a paused process gets everything at once when it goes on; what was cancelled meanwhile never', async () => {
  const world = new World({ seed: 3 });
  const process = world.process('a');
  const heard: [string, number][] = [];
  let now = (): number => 0;
  process.start(({ clock }) => {
    now = () => clock.nowMs();
    for (const delay of [10, 20, 30]) clock.schedule(delay, () => heard.push([`t${delay}`, now()]));
    const cancelled = clock.schedule(15, () => heard.push(['never', now()]));
    clock.schedule(1, () => clock.schedule(11, () => cancelled.cancel()));
  });
  await world.run(5);
  process.pause();
  await world.run(1_000);
  expect(heard).toEqual([]);
  process.resume();
  await world.run(2_000);
  const names = heard.map(([name]) => name);
  expect(names.filter((name) => name !== 'never').toSorted()).toEqual(['t10', 't20', 't30']);
  for (const [, at] of heard) expect(at).toBe(1_000);
});

test('clocks drift, jump and freeze apart from each other, and heal', async () => {
  const world = new World({ seed: 4 });
  const process = world.process('a');
  let life: SimLife | undefined;
  process.start((started) => {
    life = started;
  });
  await world.run(1_000);
  const clock = life!.clock;
  process.hardwareClock.setRate(1.5);
  let firedAt = 0;
  clock.schedule(300, () => {
    firedAt = world.nowMs;
  });
  await world.run(2_000);
  expect(clock.nowMs()).toBeCloseTo(2_500);
  expect(firedAt).toBeGreaterThanOrEqual(1_200);
  expect(firedAt).toBeLessThan(1_202);
  process.hardwareClock.freezeWall();
  const wall = clock.wallMs();
  await world.run(3_000);
  expect(clock.wallMs()).toBe(wall);
  process.hardwareClock.wallOffsetMs = -9_000;
  process.hardwareClock.heal();
  const before = clock.wallMs();
  await world.run(4_000);
  expect(clock.wallMs() - before).toBe(1_000);
  expect(clock.nowMs()).toBeCloseTo(5_000);
});

test.each([
  [
    'an exception',
    () => {
      throw new InvariantError('broken');
    },
  ],
  ['a rejection', () => void Promise.reject(new InvariantError('broken'))],
  [
    'an exception in a microtask',
    () =>
      queueMicrotask(() => {
        throw new InvariantError('broken');
      }),
  ],
])('%s that nobody catches ends its process and is a violation', async (_what, misbehave) => {
  const world = new World({ seed: 5 });
  world.process('a').start(({ clock }) => void clock.schedule(10, misbehave));
  const failure: SimulationFailure = await world.run(100).then(
    () => expect.fail('no failure'),
    (error: unknown) => error as never,
  );
  expect(failure).toBeInstanceOf(SimulationFailure);
  expect(failure.violation).toContain('broken');
  expect(failure.facts.process).toBe('a');
  expect(failure.report()).toContain('died of InvariantError');
  expect(world.process('a').isAlive).toBe(false);
});

test('a fault that permits the death of a process makes it a crash', async () => {
  const world = new World({ seed: 6 });
  world.mayFail = (_process, error) => (error as MillraceError).message === 'the disk is gone';
  world.process('a').start(async ({ clock }) => {
    await sleep(clock, 10);
    throw new Error('the disk is gone');
  });
  await world.run(100);
  expect(world.process('a').isAlive).toBe(false);
});

test('a condition that never comes true, a failing hook, and events without end are violations', async () => {
  const world = new World({ seed: 9 });
  await expect(world.run(() => false, 50)).rejects.toThrow('did not come true');
  const hooked = new World({ seed: 9 });
  hooked.afterEvent(() => hooked.fail('invariant 7'));
  await expect(hooked.settle(new Promise(() => {}), 1)).rejects.toThrow('invariant 7');
  const endless = new World({ seed: 9 });
  const again = (): void => void endless.schedule(0, again);
  again();
  await expect(endless.run(1)).rejects.toThrow('time stands still');
});

test('a plan leaves out about half of all faults, and leaving one out changes no other', () => {
  const counts = Array.from(
    { length: 200 },
    (_, seed) => FaultPlan.draw(new World({ seed }).streams.plan).enabled.size,
  );
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length / FAULT_CLASSES.length;
  expect(mean).toBeGreaterThan(0.45);
  expect(mean).toBeLessThan(0.55);
  const draw = (without: 'loss'[]): FaultPlan =>
    FaultPlan.draw(new World({ seed: 3 }).streams.plan, { only: FAULT_CLASSES, without });
  const [all, some] = [draw([]), draw(['loss'])];
  expect(some.has('loss')).toBe(false);
  expect(some.rate('loss', 0.1, 0.3)).toBe(0);
  expect(some.rate('delay', 30, 100)).toBe(all.rate('delay', 30, 100));
  expect(some.random('crash').uint32()).toBe(all.random('crash').uint32());
  expect(parseFaultClasses('loss, pause')).toEqual(['loss', 'pause']);
  expect(() => parseFaultClasses('los')).toThrow(RangeError);
});
