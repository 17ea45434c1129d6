/** The checksum against its published check value, and both implementations against each other. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { crc32c, crc32cOfTables } from './crc32c.ts';
import { joinCrc32c } from './crc32c-join.ts';

test('the check value of CRC-32C comes out', () => {
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
  expect(crc32c(Buffer.alloc(0))).toBe(0);
});

test("RFC 3720's vectors come out", () => {
  expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa);
  expect(crc32c(Buffer.alloc(32, 0xff))).toBe(0x62a8ab43);
  expect(crc32c(Buffer.from(Array.from({ length: 32 }, (_, i) => i)))).toBe(0x46dd794e);
});

test('native code and tables agree on any range', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2000 }), fc.nat(2000), fc.nat(2000), (bytes, a, b) => {
      const start = Math.min(a, b, bytes.length);
      const end = Math.min(Math.max(a, b), bytes.length);
      expect(crc32c(bytes, start, end)).toBe(crc32cOfTables(bytes, start, end));
    }),
  );
});

test('parts that follow each other have the checksum of the whole, continued or joined', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 1000 }), fc.uint8Array({ maxLength: 1000 }), (first, second) => {
      const whole = crc32c(Buffer.concat([first, second]));
      expect(crc32c(second, 0, second.length, crc32c(first))).toBe(whole);
      expect(crc32cOfTables(second, 0, second.length, crc32c(first))).toBe(whole);
      expect(joinCrc32c(crc32c(first), crc32c(second), second.length)).toBe(whole);
    }),
  );
});

test('a large second part is joined, too', () => {
  const [first, second] = [Buffer.from('header'), Buffer.alloc(5_000_011, 'records')];
  expect(joinCrc32c(crc32c(first), crc32c(second), second.length)).toBe(
    crc32c(Buffer.concat([first, second])),
  );
});
