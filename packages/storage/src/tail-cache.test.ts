import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LogTail, TailCache } from './tail-cache.ts';

const LOGS = 3;

/** What the buffers of all logs keep alive, each piece of memory once. */
function memoryBehind(tails: readonly LogTail[], starts: readonly number[]): number {
  const memory = new Set<ArrayBufferLike>();
  tails.forEach((tail, log) => {
    for (const { buffer } of tail.read(starts[log]!, Infinity, Infinity) ?? []) memory.add(buffer);
  });
  return [...memory].reduce((sum, { byteLength }) => sum + byteLength, 0);
}

test('small batches of many logs keep no more memory alive than the cache may have', () => {
  const cache = new TailCache({ bytesMax: 100_000, logBytesMax: 50_000 });
  const tails = Array.from({ length: LOGS }, () => new LogTail(cache));
  for (let offset = 0; offset < 20_000; offset++) {
    // Others allocate as well, from memory that Node shares out in pieces.
    Buffer.from('x'.repeat(2_000));
    tails[offset % LOGS]!.append(offset, offset + LOGS, Buffer.alloc(10 + (offset % 90), offset));
  }
  const starts = tails.map((tail) => {
    let first = 0;
    while (tail.read(first, Infinity, Infinity) === undefined) first += 1;
    return first;
  });
  expect(cache.bytes).toBeLessThanOrEqual(100_000);
  expect(memoryBehind(tails, starts)).toBeLessThanOrEqual(100_000);
  expect(memoryBehind(tails, starts)).toBeGreaterThan(60_000);
});

test('what is read back is what was appended, as far back as memory reaches', () => {
  const step = fc.record({
    log: fc.nat(LOGS - 1),
    bytes: fc.integer({ min: 1, max: 30_000 }),
    way: fc.integer({ min: 0, max: 20 }),
  });
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 120 }),
      fc.constantFrom(0, 500, 20_000, 200_000),
      (steps, bytesMax) => {
        const cache = new TailCache({ bytesMax, logBytesMax: 60_000 });
        const tails = Array.from({ length: LOGS }, () => new LogTail(cache));
        const written: Buffer[][] = tails.map(() => []);
        for (const [index, { log, bytes, way }] of steps.entries()) {
          if (way === 0) tails[log]!.clear();
          if (way === 1) tails[log]!.dropBefore(written[log]!.length - 2);
          const appended = Buffer.alloc(bytes, index);
          tails[log]!.append(written[log]!.length, written[log]!.length + 1, appended);
          written[log]!.push(appended);
          expect(cache.bytes).toBeLessThanOrEqual(bytesMax);
          written.forEach((batches, other) => {
            batches.forEach((_, offset) => {
              const found = tails[other]!.read(offset, Infinity, Infinity);
              if (found !== undefined)
                expect(Buffer.concat(found).equals(Buffer.concat(batches.slice(offset)))).toBe(true);
            });
          });
        }
        for (const tail of tails) tail.clear();
        expect(cache.bytes).toBeLessThanOrEqual(bytesMax / 8);
      },
    ),
    { numRuns: 40, seed: 7 },
  );
});
