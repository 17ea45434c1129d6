/** A compacted log under updates: whether it stays small while it is written and read, what that costs, and for how long it holds the event loop. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { MiB, SeededRandom } from '@millrace/core';
import { BatchBuilder, RecordCursor, splitBatches } from '@millrace/records';
import { systemClock } from '@millrace/server';
import type { CompactionReport, PartitionLog } from '@millrace/storage';
import { newLog } from '../../new-log.ts';
import { sleepMs } from '../monotonic-clock.ts';
import { memoryOf } from '../process-usage.ts';
import type { Bench, Row, RowResult } from '../row.ts';

const KEYS = 100_000;
const UPDATES = 10_000_000;
const QUICK_UPDATES = 500_000;
const BATCH_RECORDS = 500;
const READ_BYTES = MiB;
const LIMITS = { maxDecompressedBytes: 64 * MiB };
/** The row ends then, and says what it reached. */
const CLEANING_MAX_MS = 60_000;
/** The event loop belongs to others after so many batches. */
const BATCHES_PER_TURN = 8;

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Updates of random keys; `last` gets what each key was given last. */
async function write(log: PartitionLog, updates: number, last: Int32Array): Promise<void> {
  const random = new SeededRandom(1);
  const keys = Array.from({ length: KEYS }, (_, key) => Buffer.from(`user-${String(key).padStart(6, '0')}`));
  const value = Buffer.alloc(64, 97);
  for (let done = 0; done < updates; ) {
    const builder = new BatchBuilder({ codec: 'none', capacityBytes: Number.MAX_SAFE_INTEGER });
    for (let i = 0; i < BATCH_RECORDS; i++, done++) {
      const key = random.uint32() % KEYS;
      value.writeInt32BE(done, 0);
      last[key] = done;
      builder.tryAppend(Date.now(), keys[key]!, value, []);
    }
    log.appendAsLeader(builder.build(), 0);
    log.setHighWatermark(log.logEndOffset);
    if ((done / BATCH_RECORDS) % BATCHES_PER_TURN === 0) await nextTurn();
  }
}

/** From the beginning to the end, as a new consumer does. @returns keys whose value is not the last one written. */
async function wrongKeys(log: PartitionLog, last: Int32Array): Promise<number> {
  const found = new Int32Array(KEYS).fill(-1);
  for (let offset = log.logStartOffset; offset < log.logEndOffset; ) {
    for (const batch of splitBatches(await log.read(offset, READ_BYTES, log.logEndOffset))) {
      const records = new RecordCursor(batch, LIMITS);
      while (records.next()) {
        const key = Number(records.bytes.toString('latin1', records.keyStart + 5, records.keyEnd));
        found[key] = records.bytes.readInt32BE(records.end - 65);
      }
      offset = batch.nextOffset;
    }
  }
  return found.reduce((wrong, update, key) => wrong + (update === last[key] ? 0 : 1), 0);
}

export const compactionRow: Row = {
  name: 'compaction',
  async run(bench: Bench): Promise<readonly RowResult[]> {
    const updates = bench.quick ? QUICK_UPDATES : UPDATES;
    const { store, log } = await newLog(`${bench.folder}/compaction`, 'updates', {
      clock: systemClock,
      random: new SeededRandom(2),
      log: { isCompacted: true, segmentBytes: 16 * MiB, durability: 'page-cache', fileDeleteDelayMs: 0 },
      store: { 'log.cleaner.backoff.ms': '100' },
    });
    const last = new Int32Array(KEYS).fill(-1);
    const idleBytes = memoryOf(process.pid).rssBytes;
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    const startedMs = performance.now();
    let largestBytes = 0;
    const watch = setInterval(() => {
      largestBytes = Math.max(largestBytes, log.sizeBytes);
    }, 50);
    await write(log, updates, last);
    const writtenMs = performance.now() - startedMs;
    log.setConfig({ ...log.config, segmentMs: 1 });
    await log.cleanUp(Date.now() + 1000);
    const cleaningMs = performance.now();
    let report: CompactionReport | undefined;
    // The cleaner may be at it; what it leaves dirty is cleaned here.
    while (log.firstDirtyOffset < log.logEndOffset && performance.now() - cleaningMs < CLEANING_MAX_MS) {
      report = (await store.compact(log)) ?? report;
      await sleepMs(10);
    }
    const cleanedS = (performance.now() - cleaningMs) / 1000;
    delay.disable();
    clearInterval(watch);
    const readingMs = performance.now();
    const wrong = await wrongKeys(log, last);
    const readMs = performance.now() - readingMs;
    const { peakRssBytes } = memoryOf(process.pid);
    const result: RowResult = {
      title: `compaction: ${updates} updates of ${KEYS} keys while they are written and read`,
      figure: { value: updates / (writtenMs / 1000 + cleanedS), unit: 'updates/s' },
      reach: {
        text: 'all cleaned, and every last value there',
        met: wrong === 0 && log.firstDirtyOffset === log.logEndOffset,
      },
      details: {
        'written s': (writtenMs / 1000).toFixed(1),
        'last cleaning s': cleanedS.toFixed(1),
        'written MiB': Math.round((updates * 90) / MiB),
        'largest log MiB': Math.round(largestBytes / MiB),
        'log in the end MiB': Math.round(log.sizeBytes / MiB),
        'map MiB': Math.round((report?.mapBytes ?? 0) / MiB),
        'memory before MiB': Math.round(idleBytes / MiB),
        'memory at its peak MiB': Math.round(peakRssBytes / MiB),
        'event loop held, 99 % ms': (delay.percentile(99) / 1e6).toFixed(0),
        'event loop held at most ms': (delay.max / 1e6).toFixed(0),
        'read from the beginning ms': readMs.toFixed(0),
      },
    };
    await store.close({ clean: true });
    return [result];
  },
};
