/** Each codec: round trips, what other writers produce, broken input, and bombs that must not go off. */
import { spawnSync } from 'node:child_process';
import { gzipSync } from 'node:zlib';
import { GiB, KiB, MiB } from '@millrace/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  COMPRESSION_CODECS,
  type CompressionCodec,
  codecId,
  codecOfId,
  compress,
  decompress,
} from './index.ts';

const CODECS = COMPRESSION_CODECS.filter((codec) => codec !== 'none');
const TEXT = Buffer.from(Array.from({ length: 9000 }, (_, i) => `{"id":${i},"name":"n${i % 7}"}\n`).join(''));

const refusal = (code: string) => expect.objectContaining({ code });

test('codecs have Kafka’s numbers', () => {
  expect(COMPRESSION_CODECS.map((codec) => codecId(codec))).toEqual([0, 1, 2, 3, 4]);
  expect(COMPRESSION_CODECS.map((codec) => codecOfId(codecId(codec)))).toEqual(COMPRESSION_CODECS);
  expect(() => codecOfId(5)).toThrowError(refusal('UNSUPPORTED_COMPRESSION_TYPE'));
});

describe.each(CODECS)('%s', (codec) => {
  test('any bytes come back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), (bytes) => {
        const plain = Buffer.from(bytes);
        expect(decompress(codec, compress(codec, plain), plain.length + 1)).toEqual(plain);
      }),
      { numRuns: 50 },
    );
  });

  test('the limit is exact', () => {
    const packed = compress(codec, TEXT);
    expect(packed.length).toBeLessThan(TEXT.length / 2);
    expect(decompress(codec, packed, TEXT.length).equals(TEXT)).toBe(true);
    expect(() => decompress(codec, packed, TEXT.length - 1)).toThrowError(refusal('MESSAGE_TOO_LARGE'));
  });

  test('concatenated streams are one, also for the limit', () => {
    const packed = compress(codec, TEXT);
    const twice = Buffer.concat([packed, packed]);
    expect(decompress(codec, twice, 2 * TEXT.length).equals(Buffer.concat([TEXT, TEXT]))).toBe(true);
    expect(() => decompress(codec, twice, 2 * TEXT.length - 1)).toThrowError(refusal('MESSAGE_TOO_LARGE'));
  });

  test('a stream that is cut off is corrupt', () => {
    const packed = compress(codec, TEXT);
    for (const length of [1, 5, packed.length >>> 1, packed.length - 1]) {
      expect(() => decompress(codec, packed.subarray(0, length), MiB)).toThrowError(
        refusal('CORRUPT_MESSAGE'),
      );
    }
  });

  test('arbitrary bytes give bytes within the limit or an error of ours', () => {
    const packed = compress(codec, TEXT.subarray(0, 2000));
    const spoilt = fc
      .tuple(fc.nat(packed.length - 1), fc.nat(255))
      .map(([at, byte]) =>
        Buffer.concat([packed.subarray(0, at), Buffer.from([byte]), packed.subarray(at + 1)]),
      );
    const bytes = fc.oneof(
      spoilt,
      fc.uint8Array().map((random) => Buffer.from(random)),
    );
    fc.assert(
      fc.property(bytes, (input) => {
        try {
          expect(decompress(codec, input, 4 * KiB).length).toBeLessThanOrEqual(4 * KiB);
        } catch (error) {
          expect((error as { code: string }).code).toMatch(/^(CORRUPT_MESSAGE|MESSAGE_TOO_LARGE)$/);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('what others write', () => {
  const interop: [string, string[], CompressionCodec][] = [
    ['gzip', ['-c'], 'gzip'],
    ['lz4', ['-c'], 'lz4'],
    ['lz4', ['-c', '--content-size'], 'lz4'],
    ['lz4', ['-c', '-B4', '-BD', '-BX'], 'lz4'],
    ['zstd', ['-c'], 'zstd'],
    ['zstd', ['-c', '--no-content-size'], 'zstd'],
    ['zstd', ['-c', '--no-content-size', '--no-check', '-19'], 'zstd'],
  ];

  test.for(interop)('%s %j is read, up to the limit', ([tool, options, codec], { skip }) => {
    const { error, stdout } = spawnSync(tool, options, { input: TEXT });
    if (error !== undefined) skip(`${tool} is not installed`);
    expect(decompress(codec, stdout, TEXT.length).equals(TEXT)).toBe(true);
    expect(() => decompress(codec, stdout, TEXT.length - 1)).toThrowError(refusal('MESSAGE_TOO_LARGE'));
  });

  test.for(['gzip', 'lz4', 'zstd'] as const)('%s reads what we write', (codec, { skip }) => {
    const { error, stdout } = spawnSync(codec, ['-dc'], { input: compress(codec, TEXT) });
    if (error !== undefined) skip(`${codec} is not installed`);
    expect(stdout.equals(TEXT)).toBe(true);
  });

  test('a raw snappy block without framing is read', () => {
    // Five literal bytes: the size, a literal tag of length 5, the bytes.
    expect(decompress('snappy', Buffer.from('0510' + '68656c6c6f', 'hex'), 5).toString()).toBe('hello');
  });

  test('skippable frames are passed over', () => {
    const skippable = Buffer.from('512a4d1803000000aabbcc', 'hex');
    for (const codec of ['lz4', 'zstd'] as const) {
      const packed = Buffer.concat([skippable, compress(codec, TEXT), skippable]);
      expect(decompress(codec, packed, TEXT.length).equals(TEXT)).toBe(true);
    }
  });
});

describe('bombs', () => {
  /** A zstd frame without content size, window 128 KiB, of `runs` blocks that each repeat one byte 128 Ki times. */
  function zstdBomb(runs: number): Buffer {
    const blocks = Buffer.alloc(runs * 4);
    for (let i = 0; i < runs; i++) {
      const isLast = i === runs - 1 ? 1 : 0;
      blocks.writeUIntLE(((128 * KiB) << 3) | (1 << 1) | isLast, i * 4, 3);
    }
    return Buffer.concat([Buffer.from('28b52ffd0038', 'hex'), blocks]);
  }

  /** An LZ4 frame of `blocks` blocks of almost 4 MiB: a literal, a match as long as can be, the last literals. */
  function lz4Bomb(blocks: number): Buffer {
    const block = Buffer.concat([
      Buffer.from('1f000100', 'hex'),
      Buffer.alloc(16_000, 0xff),
      Buffer.from('00500000000000', 'hex'),
    ]);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(block.length);
    const body = Array.from({ length: blocks }, () => [length, block]).flat();
    // The header's checksum is of 60 70: version 1, independent blocks of up to 4 MiB.
    return Buffer.concat([Buffer.from('04224d18607073', 'hex'), ...body, Buffer.alloc(4)]);
  }

  function snappyBomb(): Buffer {
    return Buffer.from('8080808004' + 'fe0100', 'hex');
  }

  function gzipBomb(): Buffer {
    const member = gzipSync(Buffer.alloc(16 * MiB));
    return Buffer.concat(Array.from({ length: 64 }, () => member));
  }

  test.each<[string, CompressionCodec, () => Buffer]>([
    ['gzip members', 'gzip', gzipBomb],
    ['a snappy block', 'snappy', snappyBomb],
    ['an lz4 frame', 'lz4', () => lz4Bomb(260)],
    ['a zstd frame without content size', 'zstd', () => zstdBomb(GiB / (128 * KiB))],
  ])('a gibibyte in %s is refused in little memory', (_, codec, make) => {
    const bomb = make();
    const before = process.memoryUsage().rss;
    expect(() => decompress(codec, bomb, MiB)).toThrowError(refusal('MESSAGE_TOO_LARGE'));
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * MiB);
  });

  test('an lz4 block is inflated if it stays within the limit', () => {
    // A literal, a match of 4 + 15 + 255 a byte, five literals.
    const size = 1 + 19 + 16_000 * 255 + 5;
    expect(decompress('lz4', lz4Bomb(1), size).equals(Buffer.alloc(size))).toBe(true);
    expect(() => decompress('lz4', lz4Bomb(1), size - 1)).toThrowError(refusal('MESSAGE_TOO_LARGE'));
  });

  test('a zstd frame without content size is inflated up to the limit though its blocks could hold more', () => {
    expect(decompress('zstd', zstdBomb(3), 3 * 128 * KiB).length).toBe(3 * 128 * KiB);
    expect(() => decompress('zstd', zstdBomb(3), 3 * 128 * KiB - 1)).toThrowError(
      refusal('MESSAGE_TOO_LARGE'),
    );
  });

  test('a claim that no compressed data of that size can keep is refused before anything is made for it', () => {
    // 15 bytes and a frame of one: both claim eight mebibytes.
    const claims: [CompressionCodec, Buffer][] = [
      ['snappy', Buffer.from('80808004' + '2c000102030405060708090a', 'hex')],
      ['zstd', Buffer.from('28b52ffda000008000' + '090000' + '61', 'hex')],
    ];
    for (const [codec, bytes] of claims) {
      expect(() => decompress(codec, bytes, 8 * MiB)).toThrowError(refusal('CORRUPT_MESSAGE'));
    }
  });

  test('a batch in more pieces than batches are ever cut into is refused', () => {
    const PIECES = 50_000;
    const many = (head: string, piece: string): Buffer =>
      Buffer.concat([Buffer.from(head, 'hex'), ...Array<Buffer>(PIECES).fill(Buffer.from(piece, 'hex'))]);
    const cut: [CompressionCodec, Buffer][] = [
      ['snappy', many('82534e41505059000000000100000001', '0000000100')],
      ['lz4', many('', '04224d1860707300000000')],
      ['zstd', many('', '28b52ffd2000010000')],
      ['zstd', many('28b52ffd0038', '020000')],
    ];
    for (const [codec, bytes] of cut) {
      expect(() => decompress(codec, bytes, MiB)).toThrowError(refusal('CORRUPT_MESSAGE'));
    }
  });

  test.each([
    ['less', TEXT.length - 1000],
    ['more', TEXT.length + 1000],
  ])('a zstd frame that declares %s than it holds is corrupt', (_, declaredBytes) => {
    const packed = compress('zstd', TEXT);
    // A single segment with a four-byte content size after magic and descriptor.
    expect(packed[4]! & 0xe0).toBe(0xa0);
    packed.writeUInt32LE(declaredBytes, 5);
    expect(() => decompress('zstd', packed, MiB)).toThrowError(refusal('CORRUPT_MESSAGE'));
  });
});
