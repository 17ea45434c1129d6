/** Each way a producer's batch can be wrong, by name, and the error it earns. */
import type { ErrorCode } from '@millrace/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BatchView, buildBatch, checkBatch, crc32c } from './index.ts';

const LIMITS = { maxDecompressedBytes: 1 << 20 };
const PRODUCER = { producerId: 5, producerEpoch: 0, baseSequence: 0 };

const valid = () =>
  buildBatch([{ value: Buffer.from('one') }, { value: Buffer.from('two') }], { producer: PRODUCER });

function sealed(bytes: Buffer): BatchView {
  bytes.writeUInt32BE(crc32c(bytes, 21), 17);
  return BatchView.at(bytes, 0)!;
}

function codeOf(check: () => void): ErrorCode | 'accepted' {
  try {
    check();
    return 'accepted';
  } catch (error) {
    return (error as { code: ErrorCode }).code;
  }
}

test('a valid batch is accepted', () => {
  expect(codeOf(() => checkBatch(BatchView.at(valid(), 0)!, LIMITS))).toBe('accepted');
});

test.each<[string, (bytes: Buffer) => unknown, ErrorCode]>([
  ['an unknown codec', (b) => b.writeUInt16BE(5, 21), 'UNSUPPORTED_COMPRESSION_TYPE'],
  ['the leader’s timestamp type', (b) => b.writeUInt16BE(0x08, 21), 'INVALID_RECORD'],
  ['a control batch', (b) => b.writeUInt16BE(0x20, 21), 'INVALID_RECORD'],
  ['a delete horizon', (b) => b.writeUInt16BE(0x40, 21), 'INVALID_RECORD'],
  ['unused attribute bits', (b) => b.writeUInt16BE(0x8000, 21), 'INVALID_RECORD'],
  ['no records', (b) => b.writeInt32BE(0, 57), 'INVALID_RECORD'],
  ['a negative record count', (b) => b.writeInt32BE(-1, 57), 'INVALID_RECORD'],
  ['a record too many', (b) => b.writeInt32BE(3, 57), 'INVALID_RECORD'],
  ['a negative last offset delta', (b) => b.writeInt32BE(-1, 23), 'INVALID_RECORD'],
  [
    'more records than bytes can hold',
    (b) => {
      b.writeInt32BE(99, 23);
      b.writeInt32BE(100, 57);
    },
    'INVALID_RECORD',
  ],
  [
    'more compressed records than the limit can hold',
    (b) => {
      b.writeUInt16BE(1, 21);
      b.writeInt32BE(2 ** 30 - 1, 23);
      b.writeInt32BE(2 ** 30, 57);
    },
    'INVALID_RECORD',
  ],
  ['a base timestamp below -1', (b) => b.writeBigInt64BE(-2n, 27), 'INVALID_RECORD'],
  ['a timestamp beyond 2^53', (b) => b.writeBigInt64BE(2n ** 53n, 35), 'INVALID_RECORD'],
  ['a producer id below -1', (b) => b.writeBigInt64BE(-2n, 43), 'INVALID_RECORD'],
  ['a producer id beyond 2^53', (b) => b.writeBigInt64BE(2n ** 60n, 43), 'INVALID_RECORD'],
  ['a producer without epoch', (b) => b.writeInt16BE(-1, 51), 'INVALID_RECORD'],
  ['a producer without sequence', (b) => b.writeInt32BE(-1, 53), 'INVALID_RECORD'],
  [
    'a transaction without producer',
    (b) => {
      b.writeUInt16BE(0x10, 21);
      b.writeBigInt64BE(-1n, 43);
    },
    'INVALID_RECORD',
  ],
])('%s is refused', (_, spoil, code) => {
  const bytes = valid();
  spoil(bytes);
  const view = sealed(bytes);
  expect(codeOf(() => checkBatch(view, LIMITS))).toBe(code);
});

test('epoch and sequence mean nothing without a producer id', () => {
  const bytes = valid();
  bytes.writeBigInt64BE(-1n, 43);
  expect(codeOf(() => checkBatch(sealed(bytes), LIMITS))).toBe('accepted');
});

test('any flipped bit under the checksum is corrupt', () => {
  const original = valid();
  fc.assert(
    fc.property(fc.integer({ min: 17 * 8, max: original.length * 8 - 1 }), (bit) => {
      const bytes = Buffer.from(original);
      bytes[bit >>> 3]! ^= 1 << (bit & 7);
      expect(codeOf(() => checkBatch(BatchView.at(bytes, 0)!, LIMITS))).toBe('CORRUPT_MESSAGE');
    }),
  );
});
