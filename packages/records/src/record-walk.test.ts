/** What producers send with a right checksum and wrong records: each by name, and all the rest by chance. */
import { gzipSync } from 'node:zlib';
import { MillraceError } from '@millrace/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HEADER_BYTES } from './batch-header.ts';
import {
  BatchView,
  buildBatch,
  COMPRESSION_CODECS,
  checkBatch,
  checkProducedRecords,
  codecId,
  compress,
  crc32c,
  decodeRecords,
  decompress,
} from './index.ts';
import { xxh32 } from './xxh32.ts';

const MAX_BYTES = 1 << 20;
const LIMITS = { maxDecompressedBytes: MAX_BYTES };

/** A batch whose header counts `count` records, in front of `records`. */
function batchOf(records: Buffer, count: number, codec = 0): BatchView {
  const bytes = Buffer.concat([buildBatch([{}]).subarray(0, HEADER_BYTES), records]);
  bytes.writeInt32BE(bytes.length - 12, 8);
  bytes.writeUInt16BE(codec, 21);
  bytes.writeInt32BE(count - 1, 23);
  bytes.writeInt32BE(count, 57);
  return sealed(bytes);
}

function sealed(bytes: Buffer): BatchView {
  bytes.writeUInt32BE(crc32c(bytes, 21), 17);
  return BatchView.at(bytes, 0)!;
}

/** As a broker checks. */
function check(view: BatchView, needsKeys = false): void {
  checkBatch(view, LIMITS);
  checkProducedRecords(view, LIMITS, { needsKeys });
}

function codeOf(view: BatchView): string {
  try {
    check(view);
    return 'accepted';
  } catch (error) {
    expect(error).toBeInstanceOf(MillraceError);
    return (error as MillraceError).code;
  }
}

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

/** Length, attributes, timestamp delta, offset delta, key 'k', value 'v', no headers. */
const FIRST = '10 00 00 00 02 6b 02 76 00';
const SECOND = '10 00 00 02 02 6b 02 76 00';

const POISONS: readonly [string, string, number][] = [
  ['two records inside, one in the header', FIRST + SECOND, 1],
  ['one record inside, two in the header', '1a 00 00 00 02 6b 0c 767676767676 00', 2],
  ['the same offset twice', FIRST + FIRST, 2],
  ['an offset left out', `${FIRST}10 00 00 04 02 6b 02 76 00`, 2],
  ['a negative offset delta', '10 00 00 01 02 6b 02 76 00', 1],
  ['an offset delta beyond 32 bits', '18 00 00 80 80 80 80 10 02 6b 02 76 00', 1],
  ['a record of negative length', '0f 00 00 00 02 6b 02 76 00', 1],
  ['a record shorter than any', '0a 00 00 00 01 01 00', 1],
  ['a record that ends after the batch', '12 00 00 00 02 6b 02 76 00', 1],
  ['a record that ends before its contents', '0e 00 00 00 02 6b 02 76 00', 1],
  ['bytes after the headers of a record', '14 00 00 00 02 6b 02 76 00 71 71', 1],
  ['bytes after the last record', `${FIRST}00`, 1],
  ['a record cut off by the end', FIRST + SECOND.slice(0, -3), 2],
  ['a timestamp delta that never ends', '20 00 ff ff ff ff ff ff ff ff ff ff ff ff ff ff 00', 1],
  ['a timestamp delta beyond 2^52', '1e 00 fe ff ff ff ff ff ff 7f 00 01 01 00 00 00', 1],
  ['a key of length -2', '0c 00 00 00 03 01 00', 1],
  ['a key that ends after its record', '10 00 00 00 10 6b 02 76 00', 1],
  ['a value of length -2', '0c 00 00 00 01 03 00', 1],
  ['a value that ends after its record', '10 00 00 00 02 6b 04 76 00', 1],
  ['a negative header count', '10 00 00 00 02 6b 02 76 01', 1],
  ['a header count without headers', '10 00 00 00 02 6b 02 76 02', 1],
  ['more headers than bytes', '18 00 00 00 02 6b 02 76 fe ff ff 0f', 1],
  ['a header with a null key', '14 00 00 00 02 6b 02 76 02 01 00', 1],
  ['a header key that ends after its record', '14 00 00 00 02 6b 02 76 02 08 00', 1],
  ['a header value of length -2', '14 00 00 00 02 6b 02 76 02 00 03', 1],
  ['a header value that ends after its record', '14 00 00 00 02 6b 02 76 02 00 02', 1],
];

describe('a batch with a right checksum is INVALID_RECORD with', () => {
  test.each(POISONS)('%s', (_, records, count) => {
    expect(codeOf(batchOf(hex(records), count))).toBe('INVALID_RECORD');
  });

  test.each(POISONS)('%s, compressed', (_, records, count) => {
    for (const codec of COMPRESSION_CODECS.slice(1)) {
      const view = batchOf(compress(codec, hex(records)), count, codecId(codec));
      expect([codec, codeOf(view)]).toEqual([codec, 'INVALID_RECORD']);
    }
  });

  const plain = hex(FIRST + SECOND);

  test.each(COMPRESSION_CODECS.slice(1))('records that claim %s and are not compressed', (codec) => {
    expect(codeOf(batchOf(plain, 2, codecId(codec)))).toBe('INVALID_RECORD');
  });

  test.each(COMPRESSION_CODECS.slice(1))('%s data that is cut off', (codec) => {
    const whole = compress(codec, Buffer.concat([plain, Buffer.alloc(1000, 'abcdefg')]));
    expect(codeOf(batchOf(whole.subarray(0, -5), 2, codecId(codec)))).toBe('INVALID_RECORD');
  });

  test.each(COMPRESSION_CODECS.slice(1))('%s data that junk follows', (codec) => {
    const junk = Buffer.concat([compress(codec, plain), Buffer.from('junk')]);
    expect(codeOf(batchOf(junk, 2, codecId(codec)))).toBe('INVALID_RECORD');
  });
});

test('a batch whose few kilobytes are megabytes of zeros is too large, which a producer can mend, and not inflated', () => {
  const bomb = gzipSync(Buffer.alloc(20_000_000));
  expect(codeOf(batchOf(bomb, 1, codecId('gzip')))).toBe('MESSAGE_TOO_LARGE');
});

test('lz4 that consumers in Java cannot read is refused: several frames, blocks that depend on each other', () => {
  const [first, second] = [FIRST, SECOND].map((text) => compress('lz4', hex(text))) as [Buffer, Buffer];
  const both = Buffer.concat([first, second]);
  expect(decompress('lz4', both, MAX_BYTES)).toEqual(hex(FIRST + SECOND));
  expect(codeOf(batchOf(both, 2, codecId('lz4')))).toBe('INVALID_RECORD');
  expect(codeOf(batchOf(first, 1, codecId('lz4')))).toBe('accepted');
  const linked = Buffer.from(first);
  linked[4]! &= ~0x20;
  const checksumAt = linked[4]! & 0x08 ? 14 : 6;
  linked[checksumAt] = (xxh32(linked.subarray(4, checksumAt)) >>> 8) & 0xff;
  expect(decompress('lz4', linked, MAX_BYTES)).toEqual(hex(FIRST));
  expect(codeOf(batchOf(linked, 1, codecId('lz4')))).toBe('INVALID_RECORD');
});

test('the smallest record, all that may be null or empty, and long integers are accepted', () => {
  expect(codeOf(batchOf(hex('0c 00 00 00 01 01 00'), 1))).toBe('accepted');
  const big = Buffer.alloc(300_000, 'x');
  const headers = [
    { key: '', value: null },
    { key: 'x'.repeat(20_000), value: Buffer.alloc(70) },
  ];
  const one = { timestamp: 1_700_000_000_000, headers };
  const records = [one, { ...one, key: big, timestamp: 0 }, { ...one, value: big, timestamp: 2 ** 50 }];
  const many = Array.from({ length: 20_000 }, (_, i) => ({ timestamp: i * 997, headers: [headers[0]!] }));
  for (const codec of COMPRESSION_CODECS) {
    for (const batch of [records, many]) {
      expect(codeOf(BatchView.at(buildBatch(batch, { codec }), 0)!)).toBe('accepted');
    }
  }
});

test('a record without a key is refused where keys are needed', () => {
  const keyed = BatchView.at(buildBatch([{ key: Buffer.alloc(0) }, { key: Buffer.from('a') }]), 0)!;
  expect(() => check(keyed, true)).not.toThrow();
  const bare = BatchView.at(buildBatch([{ key: Buffer.from('a') }, { value: Buffer.from('v') }]), 0)!;
  expect(() => check(bare, true)).toThrow('record 1 of the batch has no key');
});

test('batches of very many records or headers are counted as work, small ones are not', () => {
  const costOf = (view: BatchView): number => {
    let total = 0;
    const limits = { maxDecompressedBytes: MAX_BYTES, spent: (bytes: number) => (total += bytes) };
    try {
      checkProducedRecords(view, limits, { needsKeys: false });
    } catch {
      // What was refused may have cost as much.
    }
    return total;
  };
  const header = { key: '', value: null };
  const wide = [{ headers: Array.from({ length: 100_000 }, () => header) }];
  const long = Array.from({ length: 100_000 }, () => ({}));
  const viewOf = (records: typeof wide | typeof long) => BatchView.at(buildBatch(records), 0)!;
  expect(costOf(viewOf([{}, {}]))).toBe(0);
  for (const records of [wide, long]) expect(costOf(viewOf(records))).toBeGreaterThanOrEqual(800_000);
  const spoilt = viewOf(long).bytes;
  spoilt[spoilt.length - 1] = 1;
  expect(costOf(sealed(spoilt))).toBeGreaterThan(600_000);
});

/** Of Java's consumer, as strict as it, and written apart from everything else here: 64-bit integers throughout. */
function strictCount(bytes: Buffer): number {
  let at = 0;
  const integer = (): number => {
    let zigzag = 0n;
    for (let shift = 0n; ; shift += 7n) {
      if (at >= bytes.length || shift > 63n) throw new Error('cut off');
      const byte = BigInt(bytes[at++]!);
      zigzag |= (byte & 0x7fn) << shift;
      if (byte < 0x80n) return Number((zigzag >> 1n) ^ -(zigzag & 1n));
    }
  };
  const skip = (end: number, mayBeNull: boolean): void => {
    const length = integer();
    if (length < (mayBeNull ? -1 : 0)) throw new Error('negative');
    at += Math.max(0, length);
    if (at > end) throw new Error('too long');
  };
  let count = 0;
  for (; at < bytes.length; count++) {
    const length = integer();
    const end = at + length;
    if (length < 0 || end > bytes.length) throw new Error('too long');
    at++;
    integer();
    if (integer() !== count) throw new Error('offset');
    skip(end, true);
    skip(end, true);
    const headers = integer();
    if (headers < 0) throw new Error('negative');
    for (let i = 0; i < headers; i++) {
      skip(end, false);
      skip(end, true);
    }
    if (at !== end) throw new Error('length');
  }
  return count;
}

test('whatever changes in a sound batch: it is refused, or read by all as the records that its header counts', () => {
  const bytes = (maxLength: number) =>
    fc.option(fc.uint8Array({ maxLength }).map((array) => Buffer.from(array)));
  const records = fc.array(
    fc.record({
      timestamp: fc.oneof(fc.nat(100), fc.nat(2 ** 31)),
      key: bytes(4),
      value: fc.oneof(bytes(8), bytes(200)),
      headers: fc.array(fc.record({ key: fc.string({ maxLength: 3 }), value: bytes(3) }), { maxLength: 3 }),
    }),
    { minLength: 1, maxLength: 8 },
  );
  const changes = fc.array(
    fc.record({ at: fc.nat(), to: fc.oneof(fc.integer({ min: 0, max: 9 }), fc.nat(255)) }),
    { minLength: 1, maxLength: 4 },
  );
  let accepted = 0;
  fc.assert(
    fc.property(
      records,
      changes,
      fc.constantFrom(...COMPRESSION_CODECS),
      fc.boolean(),
      (input, places, codec, isInside) => {
        const plain = buildBatch(input);
        let spoilt = plain.subarray(HEADER_BYTES);
        // Inside: the records change and are compressed well. Outside: their header changes, or what is compressed.
        if (isInside) for (const { at, to } of places) spoilt[at % spoilt.length] = to;
        spoilt = compress(codec, spoilt);
        const { bytes: batch } = batchOf(spoilt, input.length, codecId(codec));
        if (!isInside) for (const { at, to } of places) batch[21 + (at % (batch.length - 21))] = to;
        const view = sealed(batch);
        if (codeOf(view) !== 'accepted') return;
        accepted++;
        expect(decodeRecords(view, LIMITS)).toHaveLength(view.recordCount);
        expect(strictCount(decompress(view.codec, view.recordsBytes, MAX_BYTES))).toBe(view.recordCount);
      },
    ),
    { numRuns: 4000 },
  );
  // Many changes are of a value, or of a byte into itself.
  expect(accepted).toBeGreaterThan(400);
});
