import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { WireReader } from './wire-reader.ts';
import { utf8Length, WireWriter } from './wire-writer.ts';

function bytesOf(write: (to: WireWriter) => void): Buffer {
  const to = new WireWriter();
  write(to);
  return Buffer.concat(to.finish());
}

describe('a writer', () => {
  test('writes what a reader reads, wherever its chunks end', () => {
    const step = fc.oneof(
      fc.boolean().map((value) => ({ type: 'boolean', value }) as const),
      fc.integer({ min: -128, max: 127 }).map((value) => ({ type: 'int8', value }) as const),
      fc.integer({ min: 0, max: 0xffff }).map((value) => ({ type: 'uint16', value }) as const),
      fc.integer().map((value) => ({ type: 'int32', value }) as const),
      fc.maxSafeInteger().map((value) => ({ type: 'int64', value }) as const),
      fc.double({ noNaN: true }).map((value) => ({ type: 'float64', value }) as const),
      fc.nat(2 ** 31 - 1).map((value) => ({ type: 'unsignedVarint', value: value * 2 }) as const),
      fc.string({ unit: 'grapheme', maxLength: 90 }).map((value) => ({ type: 'text', value }) as const),
      fc
        .constantFrom(0, 1, 511, 512, 3000)
        .map((size) => ({ type: 'bytes', value: Buffer.alloc(size, 7) }) as const),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const to = new WireWriter();
        for (const { type, value } of steps)
          if (type === 'text') to.text(value, utf8Length(value));
          else (to[type] as (value: unknown) => void).call(to, value);
        const { length } = to;
        const bytes = Buffer.concat(to.finish());
        expect(length).toBe(bytes.length);
        const from = new WireReader(bytes);
        for (const { type, value } of steps) {
          if (type === 'text') expect(from.text(utf8Length(value))).toBe(value);
          else if (type === 'bytes') expect(from.view(value.length)).toEqual(value);
          else expect(from[type]()).toBe(value);
        }
        expect(from.left).toBe(0);
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  test('passes large bytes on as they are and copies small ones', () => {
    const large = Buffer.alloc(4096, 1);
    const small = Buffer.alloc(16, 2);
    const to = new WireWriter();
    to.int32(1);
    to.bytes(large);
    to.bytes(small);
    const parts = to.finish();
    expect(parts.map(({ length }) => length)).toEqual([4, 4096, 16]);
    expect(parts[1]).toBe(large);
    small.fill(9);
    expect(parts[2]!.every((byte) => byte === 2)).toBe(true);
  });

  test('puts the length before a frame', () => {
    const to = new WireWriter();
    to.int32(0);
    to.bytes(Buffer.alloc(1000));
    expect(to.finishFrame()[0]!.readInt32BE()).toBe(1000);
  });
});

describe('a value that its type cannot hold is refused, not truncated:', () => {
  test.each<readonly [string, (to: WireWriter) => void]>([
    ['int8', (to) => to.int8(128)],
    ['int16', (to) => to.int16(-32769)],
    ['uint16', (to) => to.uint16(-1)],
    ['int32', (to) => to.int32(2 ** 31)],
    ['int32 that is a fraction', (to) => to.int32(1.5)],
    ['int32 that is NaN', (to) => to.int32(Number.NaN)],
    ['int64', (to) => to.int64(2 ** 53)],
    ['varint', (to) => to.unsignedVarint(-1)],
    ['uuid', (to) => to.uuid('short')],
    ['text', () => utf8Length(undefined as never)],
    ['boolean', (to) => to.boolean(1 as never)],
  ])('%s', (_type, write) => {
    expect(() => bytesOf(write)).toThrow(/^not /);
  });
});
