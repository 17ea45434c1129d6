/** Random writes, compactions and restarts of every kind: the last value of each key is always what a map says. */
import { ManualClock } from '@millrace/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CrashableFileSystem } from './crashable-file-system.ts';
import { COMPACTED, keyedBatch, openLog, openStore, passing, recordsOf, valuesOf } from './testing.ts';

const record = fc.tuple(
  fc.integer({ min: 0, max: 9 }).map((key) => `k${key}`),
  fc.option(fc.string({ maxLength: 30 }), { freq: 4 }),
);
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('write' as const),
      records: fc.array(record, { minLength: 1, maxLength: 6 }),
      codec: fc.constantFrom('none' as const, 'gzip' as const),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('compact' as const),
      passMs: fc.integer({ min: 0, max: 2000 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom('stop' as const, 'kill' as const, 'power' as const) }),
  },
);

test('writes, compactions and crashes in any order leave what a map holds', { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 5, maxLength: 40 }),
      fc.integer({ min: 64, max: 2048 }),
      async (steps, dedupeBytes) => {
        const clock = new ManualClock();
        const model = new Map<string, string>();
        const config = {
          'log.cleaner.enable': 'false',
          'log.cleaner.dedupe.buffer.size': String(Math.max(1024, dedupeBytes)),
        };
        const logConfig = { ...COMPACTED, segmentBytes: 400, deleteRetentionMs: 1000 };
        let disk = new CrashableFileSystem();
        let store = await openStore(disk, { clock, config });
        let log = await openLog(store, logConfig);
        for (const next of steps) {
          if (next.kind === 'write') {
            log.appendAsLeader(keyedBatch(next.records, { codec: next.codec }), 0);
            await passing(clock, log.whenFlushed(log.logEndOffset));
            log.setHighWatermark(log.logEndOffset);
            for (const [key, value] of next.records)
              value === null ? model.delete(key) : model.set(key, value);
          } else if (next.kind === 'compact') {
            await passing(clock, store.compact(log));
            clock.advance(next.passMs);
          } else {
            if (next.kind !== 'power') await passing(clock, store.close({ clean: next.kind === 'stop' }));
            disk = next.kind === 'power' ? disk.crash() : disk.crash((_, __, written) => written);
            store = await openStore(disk, { clock, config });
            log = await openLog(store, logConfig);
            log.setHighWatermark(log.logEndOffset);
          }
          expect(log.offline).toBeUndefined();
          expect(await valuesOf(log)).toEqual(model);
        }
        const offsets = (await recordsOf(log)).map(({ offset }) => offset);
        expect(offsets).toEqual([...offsets].sort((a, b) => a - b));
        await passing(clock, store.close({ clean: true }));
      },
    ),
    { numRuns: 60 },
  );
});
