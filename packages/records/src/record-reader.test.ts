/** Records whose batch has a right checksum and wrong contents: each refused, none read past its end. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HEADER_BYTES } from './batch-header.ts';
import { BatchView, buildBatch, checkRecords, decodeRecords } from './index.ts';

const LIMITS = { maxDecompressedBytes: 1 << 20 };

/** A batch whose records are `hex`, with a header that claims `count` of them. */
function batchOf(hex: string, count: number, lastOffsetDelta = count - 1): BatchView {
  const records = Buffer.from(hex.replaceAll(' ', ''), 'hex');
  const header = buildBatch([{}]).subarray(0, HEADER_BYTES);
  const bytes = Buffer.concat([header, records]);
  bytes.writeInt32BE(bytes.length - 12, 8);
  bytes.writeInt32BE(lastOffsetDelta, 23);
  bytes.writeInt32BE(count, 57);
  return BatchView.at(bytes, 0)!;
}

/** Length, attributes, timestamp delta, offset delta, null key, null value, no headers. */
const FIRST = '0c 00 00 00 01 01 00';
const SECOND = '0c 00 00 02 01 01 00';
const THIRD = '0c 00 00 04 01 01 00';

test('records by hand are read', () => {
  expect(decodeRecords(batchOf(FIRST + SECOND, 2)).map(({ offset }) => offset)).toEqual([0, 1]);
});

test('records that compaction left over are read with their own offsets', () => {
  const view = batchOf(FIRST + THIRD, 2, 5);
  checkRecords(view, LIMITS);
  expect(decodeRecords(view).map(({ offset }) => offset)).toEqual([0, 2]);
  expect(decodeRecords(batchOf('', 0, 5))).toEqual([]);
});

test.each([
  ['fewer records than claimed', FIRST, 2, 'INVALID_RECORD'],
  [
    'fewer records than claimed, in as many bytes',
    '1a 00 00 00 01 0e 76767676767676 00',
    2,
    'CORRUPT_MESSAGE',
  ],
  ['more records than claimed', FIRST + SECOND, 1, 'INVALID_RECORD'],
  ['a negative count', FIRST, -1, 'INVALID_RECORD'],
  ['a record that is too short', '0a 00 00 00 01 01 00', 1, 'CORRUPT_MESSAGE'],
  ['a record of negative length', '01 00 00 00 01 01 00', 1, 'CORRUPT_MESSAGE'],
  ['a record that ends after the batch', '0e 00 00 00 01 01 00', 1, 'CORRUPT_MESSAGE'],
  ['a record longer than its contents', '0e 00 00 00 01 01 00 00', 1, 'INVALID_RECORD'],
  ['a key that ends after its record', '0c 00 00 00 20 01 00', 1, 'CORRUPT_MESSAGE'],
  ['a key of length -2', '0c 00 00 00 03 01 00', 1, 'CORRUPT_MESSAGE'],
  ['a value that ends after its record', '0c 00 00 00 01 20 00', 1, 'CORRUPT_MESSAGE'],
  ['a negative header count', '0c 00 00 00 01 01 01', 1, 'CORRUPT_MESSAGE'],
  ['more headers than bytes', '0c 00 00 00 01 01 7e', 1, 'CORRUPT_MESSAGE'],
  ['a header without key', '10 00 00 00 01 01 02 01 01', 1, 'CORRUPT_MESSAGE'],
  ['an integer of six bytes', '18 00 00 808080808001 01 01 00 00', 1, 'CORRUPT_MESSAGE'],
])('%s: refused', (_, hex, count, code) => {
  expect(() => decodeRecords(batchOf(hex, count))).toThrowError(expect.objectContaining({ code }));
});

test.each([
  ['repeated', FIRST + FIRST, 2],
  ['falling', SECOND + FIRST, 2],
  ['beyond the last one', FIRST + THIRD, 2],
])('offset deltas that are %s are refused', (_, hex, count) => {
  expect(() => checkRecords(batchOf(hex, count), LIMITS)).toThrowError(
    expect.objectContaining({ code: 'INVALID_RECORD' }),
  );
});

test('arbitrary bytes are read or refused with an error of ours', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(8), (bytes, count) => {
      const view = batchOf(Buffer.from(bytes).toString('hex'), count);
      try {
        decodeRecords(view);
      } catch (error) {
        expect((error as { code: string }).code).toMatch(/^(CORRUPT_MESSAGE|INVALID_RECORD)$/);
      }
    }),
  );
});
