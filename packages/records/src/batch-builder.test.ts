/** What goes into a builder comes out of its batch, for every codec and any record. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  BatchBuilder,
  BatchView,
  buildBatch,
  COMPRESSION_CODECS,
  checkBatch,
  checkRecords,
  decodeRecords,
  NO_HEADERS,
} from './index.ts';

const LIMITS = { maxDecompressedBytes: 1 << 20 };

const bytesOrNull = fc.option(
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  { freq: 4 },
);
const record = fc.record({
  timestamp: fc.oneof(fc.integer({ min: 1_600_000_000_000, max: 1_900_000_000_000 }), fc.constant(-1)),
  key: bytesOrNull,
  value: bytesOrNull,
  headers: fc.array(fc.record({ key: fc.string({ unit: 'grapheme' }), value: bytesOrNull }), {
    maxLength: 3,
  }),
});

test.each(COMPRESSION_CODECS)('any records come back from a %s batch', (codec) => {
  fc.assert(
    fc.property(fc.array(record, { minLength: 1, maxLength: 40 }), (records) => {
      const view = BatchView.at(buildBatch(records, { codec, baseOffset: 1000 }), 0)!;
      checkBatch(view, LIMITS);
      checkRecords(view, LIMITS);
      expect(view.maxTimestamp).toBe(Math.max(...records.map(({ timestamp }) => timestamp)));
      expect(decodeRecords(view)).toEqual(records.map((input, i) => ({ ...input, offset: 1000 + i })));
    }),
    { numRuns: 40 },
  );
});

test('a full builder refuses a record and stays as it was', () => {
  const builder = new BatchBuilder({ codec: 'none', capacityBytes: 200 });
  const value = Buffer.alloc(50);
  expect(builder.tryAppend(0, null, value, NO_HEADERS)).toBe(0);
  expect(builder.tryAppend(0, null, value, NO_HEADERS)).toBe(1);
  const { sizeBytes } = builder;
  expect(builder.tryAppend(0, null, value, NO_HEADERS)).toBe(-1);
  expect([builder.sizeBytes, builder.recordCount]).toEqual([sizeBytes, 2]);
  expect(builder.tryAppend(0, null, null, NO_HEADERS)).toBe(2);
  expect(builder.build().length).toBe(builder.sizeBytes);
});

test('the first record fits whatever its size', () => {
  const builder = new BatchBuilder({ codec: 'none', capacityBytes: 100 });
  const value = Buffer.alloc(100_000, 'v');
  expect(builder.tryAppend(0, null, value, NO_HEADERS)).toBe(0);
  expect(builder.tryAppend(0, null, null, NO_HEADERS)).toBe(-1);
  expect(decodeRecords(BatchView.at(builder.build(), 0)!)[0]!.value).toEqual(value);
});

test('a builder grows to its capacity and keeps what it holds', () => {
  const builder = new BatchBuilder({ codec: 'none', capacityBytes: 1 << 20 });
  let count = 0;
  while (builder.tryAppend(count, null, Buffer.from(`value ${count}`), NO_HEADERS) >= 0) count++;
  expect(builder.sizeBytes).toBeGreaterThan((1 << 20) - 40);
  const records = decodeRecords(BatchView.at(builder.build(), 0)!);
  expect(records.length).toBe(count);
  expect(records.every(({ value }, i) => value!.toString() === `value ${i}`)).toBe(true);
});

test('a builder is used once', () => {
  const builder = new BatchBuilder({ codec: 'none', capacityBytes: 100 });
  expect(() => builder.build()).toThrow('a batch has a record');
  builder.tryAppend(0, null, null, NO_HEADERS);
  builder.build();
  expect(() => builder.build()).toThrow('builds once');
  expect(() => builder.tryAppend(0, null, null, NO_HEADERS)).toThrow('takes no more records');
});

test.each([Number.NaN, 0.5, 2 ** 53, 2 ** 52 + 1])('timestamp %d is a programmer’s error', (timestamp) => {
  const builder = new BatchBuilder({ codec: 'none', capacityBytes: 1000 });
  builder.tryAppend(0, null, null, NO_HEADERS);
  expect(() => builder.tryAppend(timestamp, null, null, NO_HEADERS)).toThrow('a timestamp is an integer');
});

test.each(COMPRESSION_CODECS)(
  'large %s batches, summed up piece by piece, have the right checksum',
  (codec) => {
    const sizes = fc.array(fc.integer({ min: 1, max: 60_000 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(sizes, (values) => {
        const builder = new BatchBuilder({ codec, capacityBytes: 1 << 20 });
        for (const size of values) builder.tryAppend(0, null, Buffer.alloc(size, size), NO_HEADERS);
        const producer = { producerId: 4_000_000_000, producerEpoch: 7, baseSequence: values.length };
        expect(BatchView.at(builder.build(producer), 0)!.isCrcValid()).toBe(true);
      }),
      { numRuns: 20 },
    );
  },
);
