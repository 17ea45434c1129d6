import { BufferPool } from '@millrace/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LogTail, TailCache } from './tail-cache.ts';

const ALL = Number.MAX_SAFE_INTEGER;

const CONTENT = Buffer.from(Array.from({ length: 4_000_037 }, (_, at) => (at * 2_654_435_761) >>> 24));

/** One log's end: a byte for each offset, different from those around it. */
class Log {
  readonly tail: LogTail;
  /** Where each append began. */
  readonly #starts: number[] = [];
  end = 0;

  constructor(cache: TailCache) {
    this.tail = new LogTail(cache);
  }

  append(count: number): void {
    const next = this.end + count;
    this.#starts.push(this.end);
    this.tail.append(this.end, next, CONTENT.subarray(this.end, next));
    this.end = next;
  }

  /** Where what is read begins and ends; undefined if it has to come from files. */
  read(offset: number, maxBytes = ALL, upTo = this.end): { from: number; to: number } | undefined {
    const found = this.tail.read(offset, maxBytes, upTo);
    if (found === undefined) return undefined;
    const { bytes, firstBytes } = found;
    const from = this.#starts.findLast((start) => start <= offset)!;
    const next = this.#starts.find((start) => start > offset) ?? this.end;
    expect(firstBytes).toBe(next - from);
    expect(bytes.equals(CONTENT.subarray(from, from + bytes.length))).toBe(true);
    return { from, to: from + bytes.length };
  }
}

function cacheOf(bytesMax = 1 << 20, logBytesMax = 1 << 18): TailCache {
  return new TailCache({ bytesMax, logBytesMax, readBuffers: new BufferPool({ bytesMax: 1 << 20 }) });
}

describe('the end of a log', () => {
  test('is not kept before somebody reads there', () => {
    const cache = cacheOf();
    const log = new Log(cache);
    for (let i = 0; i < 100; i++) log.append(100);
    expect(cache.bytes).toBe(0);
  });

  test('is served from memory to those who read there, from the append after their first read on', () => {
    const log = new Log(cacheOf());
    log.append(100);
    expect(log.read(0)).toBeUndefined();
    log.append(50);
    log.append(60);
    expect(log.read(100)).toEqual({ from: 100, to: 210 });
    expect(log.read(150)).toEqual({ from: 150, to: 210 });
    expect(log.read(50)).toBeUndefined();
  });

  test('is read in whole appends, within the bytes and up to the offset asked for', () => {
    const log = new Log(cacheOf());
    log.append(1);
    log.read(0);
    for (let i = 0; i < 5; i++) log.append(10);
    expect(log.read(15, 25)).toEqual({ from: 11, to: 31 });
    expect(log.read(15, 1)).toEqual({ from: 11, to: 21 });
    expect(log.read(15, ALL, 41)).toEqual({ from: 11, to: 41 });
    expect(log.read(15, ALL, 20)).toBeUndefined();
  });

  test('is not kept for those who read far behind it', () => {
    const cache = cacheOf();
    const log = new Log(cache);
    for (let i = 0; i < 10; i++) log.append(1 << 17);
    expect(log.read(5)).toBeUndefined();
    log.append(10);
    expect(cache.bytes).toBe(0);
  });

  test('is let go when nobody reads there any more', () => {
    const cache = cacheOf();
    const log = new Log(cache);
    log.append(10);
    log.read(0);
    log.append(10);
    expect(cache.bytes).toBeGreaterThan(0);
    for (let i = 0; i < 100; i++) log.append(1_000);
    expect(cache.bytes).toBe(0);
  });

  test('gets more room while its readers are further behind, up to its share', () => {
    const cache = cacheOf();
    const log = new Log(cache);
    log.append(10);
    log.read(0);
    for (let i = 0; i < 1_000; i++) {
      log.append(1_000);
      log.read(Math.max(10, log.end - 150_000));
    }
    expect(cache.bytes).toBe(1 << 18);
    expect(log.read(log.end - 150_000)?.to).toBe(log.end);
  });

  test('is forgotten when the log is cut, and comes back for the next reader', () => {
    const cache = cacheOf();
    const log = new Log(cache);
    log.append(10);
    log.read(0);
    log.append(10);
    log.tail.clear();
    expect(log.read(10)).toBeUndefined();
    expect(cache.bytes).toBe(0);
    log.append(10);
    expect(log.read(20)).toBeUndefined();
    log.append(10);
    expect(log.read(30)).toEqual({ from: 30, to: 40 });
  });

  test('before what was cleaned is not served', () => {
    const log = new Log(cacheOf());
    log.append(10);
    log.read(0);
    for (let i = 0; i < 3; i++) log.append(10);
    log.tail.dropBefore(30);
    expect(log.read(20)).toBeUndefined();
    expect(log.read(30)).toEqual({ from: 30, to: 40 });
  });

  test('is not kept where there is no room for a single append', () => {
    const cache = cacheOf(0, 0);
    const log = new Log(cache);
    log.append(10);
    log.read(0);
    log.append(10);
    expect(log.read(10)).toBeUndefined();
    expect(cache.bytes).toBe(0);
  });
});

test('all logs together keep what they may, and the one unused longest gives way', () => {
  const cache = cacheOf(64 * 1024, 64 * 1024);
  const logs = Array.from({ length: 6 }, () => new Log(cache));
  for (const log of logs) {
    log.append(10);
    log.read(0);
    log.append(10);
    expect(cache.bytes).toBeLessThanOrEqual(64 * 1024);
  }
  expect(logs.at(-1)!.read(10)).toEqual({ from: 10, to: 20 });
  expect(logs[0]!.read(10)).toBeUndefined();
});

test('small batches of many logs keep no more memory alive than the cache may have', () => {
  const cache = cacheOf(100_000, 50_000);
  const logs = Array.from({ length: 3 }, () => new Log(cache));
  let served = 0;
  for (let i = 0; i < 20_000; i++) {
    const log = logs[i % 3]!;
    log.append(10 + (i % 90));
    if (log.read(Math.max(0, log.end - 20_000)) !== undefined) served += 1;
    expect(cache.bytes).toBeLessThanOrEqual(100_000);
  }
  expect(cache.bytes).toBeGreaterThan(60_000);
  expect(served).toBeGreaterThan(10_000);
  for (const log of logs) log.tail.clear();
  expect(cache.bytes).toBe(0);
});

test('whatever is appended and read, bytes are those of the log and never more than may be kept', () => {
  const step = fc.record({
    log: fc.nat(2),
    count: fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 30_000 })),
    behind: fc.oneof(fc.nat(100), fc.nat(100_000)),
    maxBytes: fc.oneof(fc.constant(ALL), fc.nat(5_000)),
    action: fc.constantFrom('append', 'append', 'read', 'read', 'clear', 'drop'),
  });
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), (steps) => {
      const cache = cacheOf(100_000, 60_000);
      const logs = [new Log(cache), new Log(cache), new Log(cache)];
      for (const { log: index, count, behind, maxBytes, action } of steps) {
        const log = logs[index]!;
        const offset = Math.max(0, log.end - behind);
        if (action === 'append') log.append(count);
        else if (action === 'clear' && behind === 0) log.tail.clear();
        else if (action === 'drop') log.tail.dropBefore(offset);
        else if (action === 'read' && offset < log.end) {
          const found = log.read(offset, maxBytes);
          if (found !== undefined) expect(found.to).toBeGreaterThan(offset);
        }
        expect(cache.bytes).toBeLessThanOrEqual(100_000);
      }
    }),
    { numRuns: 150 },
  );
});
