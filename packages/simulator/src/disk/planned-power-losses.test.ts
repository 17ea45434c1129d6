/** Torn writes and lost renames can be left out, and leave everything else as it was. */
import { SeededRandom } from '@millrace/core';
import { expect, test } from 'vitest';
import { type FaultClass, FaultPlan } from '../world/fault-plan.ts';
import { PlannedPowerLosses } from './planned-power-losses.ts';
import { SimDisk } from './sim-disk.ts';

const BYTES = 3_000;
const SEEDS = Array.from({ length: 300 }, (_, i) => i + 1);

/** A disk with an unsynced write of many sectors, an unsynced rename and an unsynced file. */
async function unsyncedDisk(): Promise<SimDisk> {
  const disk = new SimDisk();
  const fs = disk.mount();
  fs.mkdirSync('/d');
  const file = fs.openSync('/d/f', { create: true });
  file.writeSync([Buffer.alloc(BYTES, 'a')], 0);
  await file.datasync();
  fs.openSync('/d/old', { create: true });
  await fs.syncDirectory('/d');
  await fs.syncDirectory('/');
  file.writeSync([Buffer.alloc(BYTES, 'b')], 0);
  fs.renameSync('/d/old', '/d/new');
  fs.openSync('/d/created', { create: true });
  return disk;
}

interface AfterLoss {
  readonly letters: ReadonlySet<string>;
  readonly isRenamed: boolean;
  readonly isCreated: boolean;
  /** What the seed draws next. */
  readonly next: number;
}

async function losePower(seed: number, only: readonly FaultClass[]): Promise<AfterLoss> {
  const losses = new PlannedPowerLosses(FaultPlan.draw(new SeededRandom(seed), { only }));
  const disk = await unsyncedDisk();
  const random = new SeededRandom(seed);
  disk.crash(losses.choices(random, disk.sequence));
  return {
    letters: new Set(disk.get('/d/f')!.toString()),
    isRenamed: disk.get('/d/new') !== undefined,
    isCreated: disk.get('/d/created') !== undefined,
    next: random.uint32(),
  };
}

function all(only: readonly FaultClass[]): Promise<AfterLoss[]> {
  return Promise.all(SEEDS.map((seed) => losePower(seed, only)));
}

test('without torn-write every write is there or not, as a whole; with it some are torn', async () => {
  const whole = await all(['lost-rename']);
  expect(whole.every(({ letters }) => letters.size === 1)).toBe(true);
  expect(new Set(whole.map(({ letters }) => [...letters].join()))).toEqual(new Set(['a', 'b']));
  const torn = await all(['lost-rename', 'torn-write']);
  expect(torn.some(({ letters }) => letters.size === 2)).toBe(true);
});

test('without lost-rename every rename survives, and creations may be lost; with it some renames are lost', async () => {
  const kept = await all(['torn-write']);
  expect(kept.every(({ isRenamed }) => isRenamed)).toBe(true);
  expect(kept.some(({ isCreated }) => !isCreated)).toBe(true);
  const lost = await all(['torn-write', 'lost-rename']);
  expect(lost.some(({ isRenamed }) => !isRenamed)).toBe(true);
});

test('leaving either out changes nothing but what it stands for', async () => {
  const both = await all(['torn-write', 'lost-rename']);
  const untorn = await all(['lost-rename']);
  const keptNames = await all(['torn-write']);
  for (const [i, { letters, isRenamed, isCreated, next }] of both.entries()) {
    expect(untorn[i]).toMatchObject({ isRenamed, isCreated, next });
    expect(keptNames[i]).toMatchObject({ letters, isCreated, next });
  }
});

test('with both a power loss leaves what the same chance leaves without a plan', async () => {
  for (const seed of SEEDS) {
    const disk = await unsyncedDisk();
    disk.crash(new SeededRandom(seed));
    const { letters, isRenamed } = await losePower(seed, ['torn-write', 'lost-rename']);
    expect(new Set(disk.get('/d/f')!.toString())).toEqual(letters);
    expect(disk.get('/d/new') !== undefined).toBe(isRenamed);
  }
});
