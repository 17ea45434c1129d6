import { BufferPool, KiB, MiB, releaseMemory } from '@millrace/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AnswerQueue } from './answer-queue-state.ts';
import { FrameSplitter } from './frame-splitter-state.ts';

function pool(): BufferPool {
  return new BufferPool({ bytesMax: 4 * MiB });
}

function framed(frame: Buffer): Buffer {
  const prefix = Buffer.alloc(4);
  prefix.writeInt32BE(frame.length);
  return Buffer.concat([prefix, frame]);
}

/** The same bytes in pieces of these lengths, again and again. */
function cut(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const end = at + lengths[i % lengths.length]!;
    chunks.push(bytes.subarray(at, end));
    at = end;
  }
  return chunks;
}

const frames = fc.array(
  fc.uint8Array({ minLength: 8, maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  { maxLength: 20 },
);
const lengths = fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 8 });

describe('frames', () => {
  test('come out as they went in, however the bytes are cut', () => {
    fc.assert(
      fc.property(frames, lengths, (sent, cuts) => {
        const splitter = new FrameSplitter(300, pool());
        const got = cut(Buffer.concat(sent.map(framed)), cuts).flatMap((chunk) => splitter.push(chunk));
        expect(splitter.garbage).toBeUndefined();
        expect(got.map((frame) => frame.toString('hex'))).toEqual(sent.map((frame) => frame.toString('hex')));
        expect(splitter.isInsideFrame).toBe(false);
        expect(splitter.heldBytes).toBe(0);
      }),
    );
  });

  test('of any size come in memory of their own that is used again once it is released, whatever becomes of the chunks', () => {
    const sizes = fc.array(
      fc.oneof(fc.integer({ min: 8, max: 2000 }), fc.integer({ min: 8, max: 3 * MiB })),
      {
        minLength: 1,
        maxLength: 6,
      },
    );
    const cuts = fc.array(fc.integer({ min: 1, max: 64 * KiB }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(sizes, cuts, fc.infiniteStream(fc.boolean()), (all, lengthsOfCuts, releases) => {
        const buffers = pool();
        const splitter = new FrameSplitter(4 * MiB, buffers);
        const held: { readonly frame: Buffer; readonly fill: number }[] = [];
        let next = 0;
        const sent = Buffer.concat(all.map((size, number) => framed(Buffer.alloc(size, number + 1))));
        const chunk = Buffer.alloc(64 * KiB);
        for (const bytes of cut(sent, lengthsOfCuts)) {
          bytes.copy(chunk);
          for (const frame of splitter.push(chunk.subarray(0, bytes.length))) {
            expect(frame.length).toBe(all[next]);
            next += 1;
            held.push({ frame, fill: next });
            if (releases.next().value === true) releaseMemory(held.pop()!.frame);
          }
          chunk.fill(0xff);
        }
        expect(next).toBe(all.length);
        expect(splitter.heldBytes).toBe(0);
        for (const { frame, fill } of held) expect(frame.equals(Buffer.alloc(frame.length, fill))).toBe(true);
        for (const { frame } of held) releaseMemory(frame);
        expect(buffers.idleBytes).toBeLessThanOrEqual(4 * MiB);
      }),
      { numRuns: 60 },
    );
  });

  test('hold memory for what came, not for what their size claims', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 64 * KiB }), fc.integer({ min: 1, max: 60 }), (step, times) => {
        const splitter = new FrameSplitter(2 ** 30, pool());
        splitter.push(Buffer.from([0x3f, 0xff, 0xff, 0xff]));
        const chunk = Buffer.alloc(step);
        for (let received = step; received <= times * step; received += step) {
          splitter.push(chunk);
          expect(splitter.bytesToCome).toBe(0x3fffffff - received);
          expect(splitter.heldBytes).toBeLessThanOrEqual(
            Math.max(4 * KiB, Math.min(4.25 * received, Math.max(2 * MiB, 2 * received))),
          );
        }
      }),
      { numRuns: 20 },
    );
  });

  test('never come out of arbitrary bytes without being as long as they say', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), lengths, (bytes, cuts) => {
        const splitter = new FrameSplitter(200, pool());
        for (const chunk of cut(Buffer.from(bytes), cuts)) {
          for (const frame of splitter.push(chunk)) {
            expect(frame.length).toBeGreaterThanOrEqual(8);
            expect(frame.length).toBeLessThanOrEqual(200);
          }
        }
      }),
    );
  });
});

test.each([
  ['a size below a header', '00000007', 'a request of 7 bytes'],
  ['a negative size', 'ffffffff', 'a request of -1 bytes'],
  ['a size above the limit', '06400001', 'a request of 104857601 bytes'],
  ['TLS', '160301020001', 'looks like TLS'],
  ['HTTP', Buffer.from('GET / HTTP/1.1').toString('hex'), 'looks like HTTP (GET…)'],
  ['HTTP/2', Buffer.from('PRI * HTTP/2.0').toString('hex'), 'looks like gRPC (HTTP/2)'],
])('%s is garbage, and named', (_what, hex, expected) => {
  const splitter = new FrameSplitter(104_857_600, pool());
  expect(splitter.push(Buffer.from(hex, 'hex'))).toEqual([]);
  expect(splitter.garbage).toContain(expected);
});

test('answers leave in the order of requests, whole, whatever order they come in and however much is taken at a time', () => {
  const answers = fc.array(
    fc.option(
      fc.array(
        fc.uint8Array({ maxLength: 1500 }).map((bytes) => Buffer.from(bytes)),
        { maxLength: 3 },
      ),
    ),
    { maxLength: 12 },
  );
  fc.assert(
    fc.property(
      answers,
      fc.infiniteStream(fc.nat()),
      fc.integer({ min: 1, max: 4000 }),
      (all, dice, maxBytes) => {
        const queue = new AnswerQueue();
        const written: Buffer[] = [];
        let writtenBytes = 0;
        const givenBack = new Map<ArrayBufferLike, number>();
        const open = all.map((answer) => {
          const slot = queue.reserve();
          for (const { buffer: memory } of answer ?? []) {
            slot.lent.push({ memory, giveBack: () => givenBack.set(memory, writtenBytes) });
          }
          return { answer, slot };
        });
        const writeAll = (): void => {
          takeAll(queue, maxBytes, (pieces) => {
            written.push(...pieces);
            writtenBytes = Buffer.concat(written).length;
          });
        };
        while (open.length > 0) {
          const [next] = open.splice(dice.next().value! % open.length, 1);
          queue.answer(next!.slot, next!.answer ?? undefined);
          if (dice.next().value! % 2 === 0) writeAll();
        }
        writeAll();
        const expected = all.flatMap((answer) => (answer === null ? [] : [framed(Buffer.concat(answer))]));
        expect(Buffer.concat(written).equals(Buffer.concat(expected))).toBe(true);
        expect([queue.bytes, queue.heldBytes]).toEqual([0, 0]);
        expect(queue.slots).toBe(0);
        expectLoansToEnd(all, givenBack, maxBytes);
      },
    ),
  );
});

test('pieces of a large answer are written without a copy', () => {
  const queue = new AnswerQueue();
  const records = Buffer.alloc(10_000, 1);
  queue.answer(queue.reserve(), [Buffer.from('header'), records]);
  expect(queue.take(1_000_000)[2]).toBe(records);
});

test('an answer of which some is written occupies as much as before', () => {
  const queue = new AnswerQueue();
  queue.answer(queue.reserve(), [Buffer.alloc(2_000), Buffer.alloc(8_000)]);
  queue.take(6_000);
  expect([queue.bytes, queue.heldBytes]).toEqual([10_004, 10_004]);
  queue.written();
  expect([queue.bytes, queue.heldBytes]).toEqual([4_004, 8_000]);
  queue.take(6_000);
  queue.written();
  expect([queue.bytes, queue.heldBytes]).toEqual([0, 0]);
});

/** Each piece's memory is given back with the write that ends it, or before if the piece was copied; never in between. */
function expectLoansToEnd(
  answers: readonly (readonly Buffer[] | null)[],
  givenBack: ReadonlyMap<ArrayBufferLike, number>,
  maxBytes: number,
): void {
  let endBytes = 0;
  for (const answer of answers) {
    if (answer === null) continue;
    const isCopied = Buffer.concat(answer).length <= KiB;
    endBytes += 4;
    for (const { buffer, length } of answer) {
      endBytes += length;
      const atBytes = givenBack.get(buffer)!;
      expect(atBytes).toBeDefined();
      if (isCopied || length === 0) continue;
      expect(atBytes).toBeGreaterThanOrEqual(endBytes);
      expect(atBytes - endBytes).toBeLessThan(maxBytes);
    }
  }
}

function takeAll(queue: AnswerQueue, maxBytes: number, write: (pieces: Buffer[]) => void): void {
  while (queue.hasOutput) {
    const pieces = queue.take(maxBytes);
    expect(Buffer.concat(pieces).length).toBeLessThanOrEqual(maxBytes);
    expect(queue.take(maxBytes)).toEqual([]);
    write(pieces);
    queue.written();
  }
}
