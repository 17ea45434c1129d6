/**
 * Message sets of formats 0 and 1 as clients of their day wrote them (`testdata/message-sets/*.hex`), and as nobody
 * should. Those of Java are from kafka-clients 3.9.1, run as one source file with its jar on the class path:
 *   MemoryRecords.builder(ByteBuffer.allocate(4096), magic, Compression.of(codec).build(), CREATE_TIME, 0)
 * and four times `append(timestamp, key, value)`, -1 for the timestamp in format 0; those of Python from
 * kafka-python 2.0.2 (lz4 4.4.5, python-snappy 0.7.3, xxhash 4.1.0):
 *   LegacyRecordBatchBuilder(magic=magic, compression_type=codec, batch_size=1 << 20)
 * and four times `append(i, timestamp=timestamp, key=key, value=value)`. Plain sets are the same bytes from both.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { KiB, MillraceError } from '@millrace/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  BatchView,
  buildBatch,
  type CompressionCodec,
  checkBatch,
  checkRecords,
  codecId,
  compress,
  convertMessageSet,
  decodeRecords,
  producedBatch,
} from './index.ts';
import { xxh32 } from './xxh32.ts';

const LIMITS = { maxDecompressedBytes: 64 * KiB };
const FOLDER = new URL('../testdata/message-sets/', import.meta.url);
const FIXTURES = readdirSync(FOLDER).map((file) => file.replace('.hex', ''));

const refusal = (code: string, message = /./) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) as string }) as Error;

interface Message {
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

const MESSAGES: readonly Message[] = [
  { timestamp: 1700000000000, key: Buffer.from('k1'), value: Buffer.from('value-1') },
  { timestamp: 1700000000005, key: null, value: Buffer.from('value-2') },
  { timestamp: 1699999999990, key: Buffer.alloc(0), value: null },
  { timestamp: 1700000086400, key: Buffer.from('clé'), value: Buffer.alloc(300, 'x') },
];

function fixture(name: string): Buffer {
  return Buffer.from(readFileSync(new URL(`${name}.hex`, FOLDER), 'utf8').replace(/\s/g, ''), 'hex');
}

/** The records of a batch that stands up to what a broker and a careful reader check. */
function recordsOf(batch: Buffer, codec: CompressionCodec): Message[] {
  const view = BatchView.at(batch, 0)!;
  expect(view.sizeBytes).toBe(batch.length);
  expect(view.codec).toBe(codec);
  checkBatch(view, LIMITS);
  checkRecords(view, LIMITS);
  return decodeRecords(view, LIMITS).map(({ timestamp, key, value }) => ({ timestamp, key, value }));
}

function field(bytes: Buffer | null): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(bytes?.length ?? -1);
  return Buffer.concat([length, bytes ?? Buffer.alloc(0)]);
}

/** One message as it stands in a set. */
function message(
  magic: number,
  { timestamp, key, value }: Message,
  { attributes = 0, offset = 0 }: { attributes?: number; offset?: number } = {},
): Buffer {
  const time = Buffer.alloc(magic === 0 ? 0 : 8);
  if (magic !== 0) time.writeBigInt64BE(BigInt(timestamp));
  const body = Buffer.concat([Buffer.from([magic, attributes]), time, field(key), field(value)]);
  const head = Buffer.alloc(16);
  head.writeBigInt64BE(BigInt(offset));
  head.writeInt32BE(4 + body.length, 8);
  head.writeUInt32BE(crc32(body), 12);
  return Buffer.concat([head, body]);
}

/** Spoils the header checksum of an lz4 frame as writers of format 0 did. */
function oldLz4(frame: Buffer): Buffer {
  const end = 6 + (frame[4]! & 0x08 ? 8 : 0);
  const spoilt = Buffer.from(frame);
  spoilt[end] = (xxh32(frame.subarray(0, end)) >>> 8) & 0xff;
  return spoilt;
}

function wrapper(magic: number, codec: CompressionCodec, set: Buffer): Buffer {
  const packed = compress(codec, set);
  const value = magic === 0 && codec === 'lz4' ? oldLz4(packed) : packed;
  return message(magic, { timestamp: 0, key: null, value }, { attributes: codecId(codec) });
}

describe('the messages of old clients', () => {
  test.each(FIXTURES)('%s become one batch of the same codec', (name) => {
    const [, format, codec] = name.split('-');
    const expected = MESSAGES.map((each) => (format === 'v0' ? { ...each, timestamp: -1 } : each));
    const batch = convertMessageSet(fixture(name), LIMITS);
    expect(recordsOf(batch, codec === 'plain' ? 'none' : (codec as CompressionCodec))).toEqual(expected);
  });

  test('there are of every format and codec from both writers', () => {
    expect(FIXTURES).toHaveLength(14);
  });
});

const bytes = fc.option(fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array)));
const times = fc.oneof(fc.constant(-1), fc.integer({ min: 0, max: 2 ** 42 }));
const messages = fc.array(fc.record({ timestamp: times, key: bytes, value: bytes }), {
  minLength: 1,
  maxLength: 12,
});

describe('any message set', () => {
  test('becomes a batch with its keys, values and times, wrapped or not, whatever its offsets', () => {
    const codecs = fc.constantFrom<CompressionCodec>('none', 'gzip', 'snappy', 'lz4');
    fc.assert(
      fc.property(messages, fc.constantFrom(0, 1), codecs, fc.nat(2 ** 31), (all, magic, codec, base) => {
        const set = Buffer.concat(all.map((each, i) => message(magic, each, { offset: base + i })));
        const batch = convertMessageSet(codec === 'none' ? set : wrapper(magic, codec, set), LIMITS);
        expect(recordsOf(batch, codec)).toEqual(
          magic === 0 ? all.map((each) => ({ ...each, timestamp: -1 })) : all,
        );
      }),
    );
  });

  test('may mix plain messages, wrappers and both formats; the first says the codec', () => {
    const [first, second, third] = MESSAGES as [Message, Message, Message];
    const set = [
      wrapper(1, 'gzip', message(1, first)),
      message(0, second),
      wrapper(1, 'lz4', message(1, third)),
    ];
    expect(recordsOf(convertMessageSet(Buffer.concat(set), LIMITS), 'gzip')).toEqual([
      first,
      { ...second, timestamp: -1 },
      third,
    ]);
  });

  test('with bytes changed, cut or added is converted or refused, and never anything else', () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 4 });
    fc.assert(
      fc.property(
        fc.constantFrom(...FIXTURES),
        changes,
        fc.option(fc.nat()),
        fc.boolean(),
        (name, edits, cut, mend) => {
          const broken = fixture(name);
          for (const [at, byte] of edits) broken[at % broken.length] = byte;
          // With a right checksum damage reaches what lies behind it.
          if (mend) mendFirst(broken);
          const set = broken.subarray(0, cut === null ? undefined : cut % broken.length);
          const outcome = attempt(() => convertMessageSet(set, LIMITS));
          if (outcome instanceof Buffer) checkRecords(BatchView.at(outcome, 0)!, LIMITS);
          else expect(outcome).toBeInstanceOf(MillraceError);
        },
      ),
      { numRuns: 3_000 },
    );
  });
});

function mendFirst(set: Buffer): void {
  const end = 12 + set.readInt32BE(8);
  if (end > 16 && end <= set.length) set.writeUInt32BE(crc32(set.subarray(16, end)), 12);
}

function attempt(action: () => Buffer): unknown {
  try {
    return action();
  } catch (error) {
    return error;
  }
}

describe('a message set is refused', () => {
  const [plain] = MESSAGES as [Message];
  const good = message(1, plain);
  const spoilt = Buffer.from(good);
  spoilt[good.length - 1]! ^= 1;

  test.each<[string, Buffer, string, RegExp]>([
    ['without a message', Buffer.alloc(0), 'INVALID_RECORD', /no records/],
    ['with a wrong checksum', spoilt, 'CORRUPT_MESSAGE', /checksum/],
    ['with a wrong checksum inside', wrapper(1, 'gzip', spoilt), 'CORRUPT_MESSAGE', /checksum/],
    ['that is cut short', Buffer.concat([good, good.subarray(0, 20)]), 'CORRUPT_MESSAGE', /cut short/],
    ['with a batch in it', Buffer.concat([good, buildBatch([{}])]), 'INVALID_RECORD', /format 2/],
    ['with zstd', message(1, plain, { attributes: 4 }), 'UNSUPPORTED_COMPRESSION_TYPE', /zstd/],
    [
      'with a codec that does not exist',
      message(1, plain, { attributes: 5 }),
      'UNSUPPORTED_COMPRESSION_TYPE',
      /5/,
    ],
    ['with a time of append', message(1, plain, { attributes: 8 }), 'INVALID_RECORD', /time of append/],
    ['with a time before -1', message(1, { ...plain, timestamp: -2 }), 'INVALID_RECORD', /-2/],
    ['with a wrapper in a wrapper', wrapper(1, 'gzip', wrapper(1, 'gzip', good)), 'INVALID_RECORD', /inside/],
    [
      'with another format inside',
      wrapper(1, 'gzip', message(0, plain)),
      'INVALID_RECORD',
      /format 0 inside/,
    ],
    ['with an empty wrapper', wrapper(1, 'gzip', Buffer.alloc(0)), 'INVALID_RECORD', /holds no messages/],
    [
      'with a wrapper without a value',
      message(1, { ...plain, value: null }, { attributes: 1 }),
      'INVALID_RECORD',
      /no value/,
    ],
    ['with a wrapper that is not gzip', message(1, plain, { attributes: 1 }), 'CORRUPT_MESSAGE', /gzip/],
  ])('%s', (_what, set, code, words) => {
    expect(() => convertMessageSet(set, LIMITS)).toThrowError(refusal(code, words));
  });

  test('whose times are too far apart for one batch', () => {
    const set = [message(1, { ...plain, timestamp: 2 ** 53 - 1 }), message(1, { ...plain, timestamp: 0 })];
    expect(() => convertMessageSet(Buffer.concat(set), LIMITS)).toThrowError(
      refusal('INVALID_RECORD', /apart/),
    );
  });

  test.each<CompressionCodec>(['gzip', 'snappy', 'lz4'])(
    'whose %s wrappers together inflate beyond the limit',
    (codec) => {
      const inner = message(1, { ...plain, value: Buffer.alloc(40 * KiB) });
      const one = wrapper(1, codec, inner);
      expect(recordsOf(convertMessageSet(one, LIMITS), codec)).toHaveLength(1);
      expect(() => convertMessageSet(Buffer.concat([one, one]), LIMITS)).toThrowError(
        refusal('MESSAGE_TOO_LARGE', /inflate/),
      );
    },
  );

  test('that is larger than the limit itself', () => {
    const set = message(1, { ...plain, value: Buffer.alloc(64 * KiB) });
    expect(() => convertMessageSet(set, LIMITS)).toThrowError(refusal('MESSAGE_TOO_LARGE', /inflate/));
  });

  test('of more wrappers than the limit has KiB, however small they are', () => {
    const one = wrapper(1, 'gzip', good);
    expect(convertMessageSet(Buffer.concat(Array<Buffer>(40).fill(one)), LIMITS)).toBeInstanceOf(Buffer);
    const many = Buffer.concat(Array<Buffer>(65).fill(one));
    expect(() => convertMessageSet(many, LIMITS)).toThrowError(refusal('MESSAGE_TOO_LARGE', /inflate/));
  });

  test('in format 1 with the lz4 header of format 0, as every decoder would', () => {
    const value = oldLz4(compress('lz4', good));
    const set = message(1, { ...plain, value }, { attributes: codecId('lz4') });
    expect(() => convertMessageSet(set, LIMITS)).toThrowError(refusal('CORRUPT_MESSAGE', /lz4/));
  });
});

test('what a message set costs is told: its bytes, what its wrappers became, and what a bad one might have become', () => {
  const costOf = (set: Buffer): number => {
    const costs: number[] = [];
    attempt(() => convertMessageSet(set, { ...LIMITS, spent: (bytes) => void costs.push(bytes) }));
    return costs.reduce((sum, bytes) => sum + bytes, 0);
  };
  const [plain] = MESSAGES as [Message];
  const inner = message(1, { ...plain, value: Buffer.alloc(10_000) });
  const sound = wrapper(1, 'gzip', inner);
  expect(costOf(inner)).toBe(inner.length);
  expect(costOf(sound)).toBe(sound.length + KiB + inner.length);
  // Nothing grows more than 1,032-fold with gzip.
  const bad = message(1, { ...plain, value: Buffer.from('no gzip') }, { attributes: 1 });
  expect(costOf(bad)).toBe(bad.length + KiB + 7 * 1_032);
  const large = message(1, { ...plain, value: Buffer.alloc(10_000) }, { attributes: 1 });
  expect(costOf(large)).toBe(large.length + LIMITS.maxDecompressedBytes);
});

describe('the records of a produce request', () => {
  const NEW = { takesOldFormats: false, takesZstd: true };
  const OLD = { takesOldFormats: true, takesZstd: false };
  const batch = buildBatch([{ value: Buffer.from('a') }]);

  test('are one batch, passed on as it is', () => {
    expect(producedBatch(batch, NEW, LIMITS).buffer).toBe(batch.buffer);
    expect(producedBatch(batch, OLD, LIMITS)).toEqual(batch);
  });

  test('are converted where the version takes old formats, and only there', () => {
    const old = fixture('java-v1-plain');
    expect(producedBatch(old, OLD, LIMITS)).toEqual(convertMessageSet(old, LIMITS));
    expect(() => producedBatch(old, NEW, LIMITS)).toThrowError(refusal('INVALID_RECORD', /format 1/));
  });

  test.each<[string, Buffer | null, string]>([
    ['nothing', null, 'INVALID_RECORD'],
    ['no bytes', Buffer.alloc(0), 'INVALID_RECORD'],
    ['two batches', Buffer.concat([batch, batch]), 'INVALID_RECORD'],
    ['a batch and a torn one', Buffer.concat([batch, batch.subarray(0, 30)]), 'INVALID_RECORD'],
    ['a torn batch', batch.subarray(0, batch.length - 1), 'CORRUPT_MESSAGE'],
    ['less than a magic', batch.subarray(0, 16), 'CORRUPT_MESSAGE'],
  ])('are refused when they are %s', (_what, records, code) => {
    expect(() => producedBatch(records, NEW, LIMITS)).toThrowError(refusal(code));
  });

  test('may be zstd only from clients that know it', () => {
    const zstd = buildBatch([{ value: Buffer.from('a') }], { codec: 'zstd' });
    expect(producedBatch(zstd, NEW, LIMITS)).toEqual(zstd);
    expect(() => producedBatch(zstd, OLD, LIMITS)).toThrowError(refusal('UNSUPPORTED_COMPRESSION_TYPE'));
  });
});

test.each([
  ['', 0x02cc5d05],
  ['a', 0x550d7456],
  ['abc', 0x32d153ff],
])('xxh32 of "%s" is that of its reference', (text, expected) => {
  expect(xxh32(Buffer.from(text))).toBe(expected);
});
