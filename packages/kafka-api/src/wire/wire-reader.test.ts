import { describe, expect, test } from 'vitest';
import { MalformedFrame } from './malformed-frame.ts';
import { WireReader } from './wire-reader.ts';

const from = (hex: string, elementsMax?: number) => new WireReader(Buffer.from(hex, 'hex'), elementsMax);

describe('numbers', () => {
  test('are big-endian and signed', () => {
    const reader = from('80ff8000000080000000ffe0000000000001');
    expect(reader.int8()).toBe(-128);
    expect(reader.int8()).toBe(-1);
    expect(reader.int16()).toBe(-32768);
    expect(reader.uint16()).toBe(0);
    expect(reader.int32()).toBe(-(2 ** 31));
    expect(reader.int64()).toBe(Number.MIN_SAFE_INTEGER);
    expect(reader.left).toBe(0);
  });

  test.each(['ffe0000000000000', '0020000000000000', '7fffffffffffffff', '8000000000000000'])(
    'of 64 bits beyond 2^53 (%s) are refused, as rounding would change them',
    (hex) => {
      expect(() => from(hex).int64()).toThrow(MalformedFrame);
    },
  );

  test.each([
    ['00', 0],
    ['7f', 127],
    ['8001', 128],
    ['ffff7f', 2 ** 21 - 1],
    ['ffffffff0f', 2 ** 32 - 1],
    ['8080808008', 2 ** 31],
  ])('as varint %s are %i', (hex, value) => {
    expect(from(hex).unsignedVarint()).toBe(value);
  });

  test.each(['', '80', 'ffffffff', 'ffffffff10', '808080808000'])('as varint %s are refused', (hex) => {
    expect(() => from(hex).unsignedVarint()).toThrow(MalformedFrame);
  });
});

describe('lengths', () => {
  test('beyond the end are refused before anything is made of them', () => {
    expect(() => from('00').view(2 ** 31 - 1)).toThrow(MalformedFrame);
    expect(() => from('00').text(2)).toThrow(MalformedFrame);
    expect(() => from('00').skip(2 ** 32 - 1)).toThrow(MalformedFrame);
  });

  test('of views share the memory of the frame', () => {
    const frame = Buffer.from('010203', 'hex');
    const view = new WireReader(frame).view(2);
    frame[0] = 9;
    expect(view[0]).toBe(9);
  });
});

describe('elements', () => {
  test('are refused when the bytes left cannot hold them', () => {
    expect(() => from('00000000').expectElements(2, 4)).toThrow(MalformedFrame);
    expect(() => from('0000000000000000').expectElements(2, 4)).not.toThrow();
  });

  test('are counted over the whole frame, so that nesting cannot multiply them', () => {
    const reader = from('00'.repeat(10), 10);
    reader.expectElements(6, 1);
    expect(() => reader.expectElements(5, 1)).toThrow('more than the 10 elements that one frame may have');
  });
});

describe('a part of a frame', () => {
  test('ends where it says', () => {
    const reader = from('0102 03'.replace(' ', ''));
    expect(reader.within(2, (part) => part.int16())).toBe(0x0102);
    expect(reader.int8()).toBe(3);
  });

  test('is refused when its content is longer or shorter', () => {
    expect(() => from('010203').within(1, (part) => part.int16())).toThrow(MalformedFrame);
    expect(() => from('010203').within(3, (part) => part.int16())).toThrow('1 bytes too many');
  });
});
