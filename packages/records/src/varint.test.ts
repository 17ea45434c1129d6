/** Zig-zag integers: known encodings, every value back, malformed ones refused. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { VARLONG_MAX, VarintCursor, varintSize, varlongSize, writeVarint, writeVarlong } from './varint.ts';

const hexOf = (value: number, write: typeof writeVarint): string => {
  const bytes = Buffer.alloc(10);
  return bytes.subarray(0, write(bytes, 0, value)).toString('hex');
};

test.each([
  [0, '00'],
  [-1, '01'],
  [1, '02'],
  [63, '7e'],
  [64, '8001'],
  [-65, '8101'],
  [2 ** 31 - 1, 'feffffff0f'],
  [-(2 ** 31), 'ffffffff0f'],
])('%d is written as in protobuf', (value, hex) => {
  expect(hexOf(value, writeVarint)).toBe(hex);
  expect(hexOf(value, writeVarlong)).toBe(hex);
});

test('a long timestamp is written as in protobuf', () => {
  expect(hexOf(1_700_000_000_000, writeVarlong)).toBe('80a0abfef962');
});

test('every int32 comes back in the size foretold', () => {
  fc.assert(
    fc.property(fc.integer(), (value) => {
      const bytes = Buffer.alloc(5);
      const end = writeVarint(bytes, 0, value);
      const cursor = new VarintCursor(bytes);
      expect(cursor.varint()).toBe(value);
      expect([cursor.position, varintSize(value)]).toEqual([end, end]);
    }),
  );
});

test('every long within 2^52 comes back in the size foretold', () => {
  fc.assert(
    fc.property(fc.integer({ min: -VARLONG_MAX, max: VARLONG_MAX }), (value) => {
      const bytes = Buffer.alloc(10);
      const end = writeVarlong(bytes, 0, value);
      const cursor = new VarintCursor(bytes);
      expect(cursor.varlong()).toBe(value);
      expect([cursor.position, varlongSize(value)]).toEqual([end, end]);
    }),
  );
});

test.each([
  ['no bytes', '', 'varint'],
  ['a cut-off integer', 'ff', 'varint'],
  ['an int of six bytes', '808080808001', 'varint'],
  ['an int of 33 bits', 'ffffffff1f', 'varint'],
  ['a cut-off long', 'ffffff', 'varlong'],
  ['a long beyond 2^53', 'ffffffffffffffffff01', 'varlong'],
  ['a long without end', 'ffffffffffffffffffffff', 'varlong'],
] as const)('%s is refused', (_, hex, method) => {
  expect(() => new VarintCursor(Buffer.from(hex, 'hex'))[method]()).toThrowError(
    expect.objectContaining({ code: 'CORRUPT_MESSAGE' }),
  );
});
