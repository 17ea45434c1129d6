import fc from 'fast-check';
import { expect, test } from 'vitest';
import { buildBatch } from './batch-builder.ts';
import { emptiedBatch, emptyBatch, thinBatch } from './batch-thinning.ts';
import { BatchView } from './batch-view.ts';
import { COMPRESSION_CODECS } from './codec-id.ts';
import { decodeRecords } from './record-reader.ts';

const limits = { maxDecompressedBytes: 1 << 20 };
const producer = { producerId: 7, producerEpoch: 2, baseSequence: 40 };
const HORIZON_MS = 1_800_000_000_000;

const records = fc.array(
  fc.record({
    timestamp: fc.integer({ min: 0, max: 2_000_000_000_000 }),
    key: fc.option(fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes))),
    value: fc.option(fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes))),
    headers: fc.array(fc.record({ key: fc.string({ maxLength: 5 }), value: fc.constant(Buffer.from('v')) }), {
      maxLength: 2,
    }),
  }),
  { minLength: 1, maxLength: 20 },
);

test('what stays of a batch is what it was, and the header tells of no more and no less', () => {
  fc.assert(
    fc.property(
      records,
      fc.constantFrom(...COMPRESSION_CODECS),
      fc.integer({ min: 0, max: 2 ** 20 }),
      (all, codec, mask) => {
        const batch = BatchView.at(
          buildBatch(all, { codec, producer, baseOffset: 1000, leaderEpoch: 3 }),
          0,
        )!;
        const stays = (offset: number): boolean => ((mask >> ((offset - 1000) % 20)) & 1) === 1;
        const expected = decodeRecords(batch).filter(({ offset }) => stays(offset));
        const thinned = thinBatch(batch, {
          keeps: ({ offset }) => stays(offset),
          deleteHorizonMs: HORIZON_MS,
          limits,
        });
        if (thinned === undefined) {
          expect(expected).toEqual([]);
          return;
        }
        const view = BatchView.at(thinned, 0)!;
        expect(decodeRecords(view)).toEqual(expected);
        expect(view.isCrcValid()).toBe(true);
        const {
          baseOffset,
          lastOffset,
          leaderEpoch,
          codec: kept,
          producerId,
          baseSequence,
          lastSequence,
        } = batch;
        expect(view).toMatchObject({
          baseOffset,
          lastOffset,
          leaderEpoch,
          codec: kept,
          producerId,
          baseSequence,
          lastSequence,
        });
        expect(view.maxTimestamp).toBe(Math.max(...expected.map(({ timestamp }) => timestamp)));
        const hasTombstone = expected.some(({ value }) => value === null);
        expect(view.deleteHorizonMs).toBe(hasTombstone ? HORIZON_MS : undefined);
        expect(thinBatch(view, { keeps: () => true, deleteHorizonMs: 5, limits })).toBe(view.bytes);
      },
    ),
  );
});

test('empty batches are whole batches without a record', () => {
  const filler = BatchView.at(emptyBatch({ baseOffset: 5, lastOffset: 2 ** 31, leaderEpoch: 9 }), 0)!;
  expect(filler).toMatchObject({
    baseOffset: 5,
    lastOffset: 2 ** 31,
    leaderEpoch: 9,
    recordCount: 0,
    producerId: -1,
    maxTimestamp: -1,
  });
  expect(filler.isCrcValid()).toBe(true);
  expect(decodeRecords(filler)).toEqual([]);
  const batch = BatchView.at(
    buildBatch([{ timestamp: 9 }, { timestamp: 8 }], { codec: 'gzip', producer }),
    0,
  )!;
  const emptied = BatchView.at(emptiedBatch(batch), 0)!;
  expect(emptied).toMatchObject({
    lastOffset: 1,
    lastSequence: 41,
    producerId: 7,
    codec: 'none',
    recordCount: 0,
  });
  expect(decodeRecords(emptied)).toEqual([]);
});
