/** Serializers keep what they were given, and name what they cannot read. */
import { describe, expect, test } from 'vitest';
import { bytes, bytesLike, float64, int32, int64, json, string, uint32 } from './serializers.ts';

const asBuffer = (value: Uint8Array): Buffer => Buffer.from(value);

describe('serializers', () => {
  test('every serde reads what it wrote', () => {
    expect(string.deserialize(asBuffer(string.serialize('grüße 🌊')))).toBe('grüße 🌊');
    expect(bytes.deserialize(asBuffer(bytes.serialize(Buffer.from([1, 2]))))).toEqual(Buffer.from([1, 2]));
    expect(json<{ a: number[] }>().deserialize(asBuffer(json().serialize({ a: [1] })))).toEqual({ a: [1] });
    expect(int32.deserialize(asBuffer(int32.serialize(-5)))).toBe(-5);
    expect(uint32.deserialize(asBuffer(uint32.serialize(2 ** 32 - 1)))).toBe(2 ** 32 - 1);
    expect(int64.deserialize(asBuffer(int64.serialize(-(2n ** 63n))))).toBe(-(2n ** 63n));
    expect(float64.deserialize(asBuffer(float64.serialize(0.1)))).toBe(0.1);
  });

  test('numbers of the wrong size or range are refused', () => {
    expect(() => int32.deserialize(Buffer.alloc(3))).toThrow(/expected 4 bytes, got 3/);
    expect(() => uint32.serialize(-1)).toThrow();
    expect(() => bytesLike.serialize(7 as never)).toThrow(/a number cannot be sent/);
  });

  test('JSON that has no text is refused instead of becoming a tombstone', () => {
    expect(() => json<unknown>().serialize(undefined)).toThrow();
    expect(() => json<unknown>().serialize(() => 1)).toThrow(/no JSON text/);
  });
});
