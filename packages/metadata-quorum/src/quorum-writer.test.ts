import type { Entry } from '@millrace/raft';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MemoryRaftStore } from './memory-raft-store.ts';
import { mergeWrites } from './quorum-writer.ts';
import type { RaftStoreWrite } from './raft-store.ts';

/** Turns choices into a sequence of writes that a log can take. */
function writesOf(choices: readonly { cut: number; add: number; install: boolean }[]): RaftStoreWrite[] {
  let start = 0;
  let last = 0;
  return choices.map(({ cut, add, install }, i) => {
    const term = i + 1;
    if (install) {
      start = last + 2;
      last = start;
      return { installSnapshot: { index: start, term, voters: [], data: Buffer.from(`s${term}`) } };
    }
    const truncateFrom = cut > 0 && last > start ? Math.max(start + 1, last - cut + 1) : undefined;
    if (truncateFrom !== undefined) last = truncateFrom - 1;
    const entries = Array.from(
      { length: add },
      (): Entry => ({ index: ++last, term, kind: 'data', data: Buffer.from(`${term}/${last}`) }),
    );
    return { ...(truncateFrom !== undefined && { truncateFrom }), entries };
  });
}

test('merged writes store what the single ones would', async () => {
  const choice = fc.record({
    cut: fc.nat(4),
    add: fc.nat(4),
    install: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(choice, { maxLength: 12 }), fc.nat(12), async (choices, split) => {
      const writes = writesOf(choices);
      const single = new MemoryRaftStore();
      for (const write of writes) await single.write(write);
      const merged = new MemoryRaftStore();
      await merged.write(writes.slice(0, split).reduce(mergeWrites, {}));
      await merged.write(writes.slice(split).reduce(mergeWrites, {}));
      expect(await merged.load()).toEqual(await single.load());
    }),
  );
});
