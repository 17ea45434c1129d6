/** Wall clocks that jump an hour ahead or back again and again, between events: nobody hears of it, and no chance is drawn. */
import type { SimProcess } from './sim-process.ts';
import type { World } from './world.ts';

const JUMP_MS = 3_600_000;
const EVERY_MS = 700;

export function letWallClocksJump(world: World, processes: readonly SimProcess[]): void {
  let dueMs = 0;
  let jumps = 0;
  world.afterEvent(() => {
    if (world.nowMs < dueMs) return;
    dueMs = world.nowMs + EVERY_MS;
    for (const [i, { hardwareClock }] of processes.entries()) {
      hardwareClock.wallOffsetMs += (i + jumps) % 2 === 0 ? JUMP_MS : -JUMP_MS;
    }
    jumps += 1;
  });
}
