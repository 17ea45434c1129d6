/** Windows on batches: what is torn, what is impossible, what is written in place. */
import { expect, test } from 'vitest';
import { BatchView, buildBatch, decodeRecords, splitBatches } from './index.ts';

const batch = (value: string, options = {}) =>
  buildBatch([{ timestamp: 5, value: Buffer.from(value) }], options);

test('a buffer that ends anywhere inside a batch holds no batch', () => {
  const bytes = batch('abc');
  for (let length = 0; length < bytes.length; length++) {
    expect(BatchView.at(bytes.subarray(0, length), 0)).toBeUndefined();
  }
  expect(BatchView.at(bytes, 0)).toBeDefined();
});

test('batches split in order and a torn tail is left out', () => {
  const log = Buffer.concat([batch('a', { baseOffset: 7 }), batch('b', { baseOffset: 8 }), batch('c')]);
  const views = splitBatches(log.subarray(0, log.length - 1));
  expect(views.map(({ baseOffset }) => baseOffset)).toEqual([7, 8]);
  expect(splitBatches(Buffer.alloc(0))).toEqual([]);
});

test('a view shares memory with its buffer', () => {
  const bytes = batch('a');
  const view = BatchView.at(bytes, 0)!;
  bytes.writeInt32BE(42, 12);
  expect(view.leaderEpoch).toBe(42);
  expect(view.bytes.buffer).toBe(bytes.buffer);
  expect(view.recordsBytes.length).toBe(bytes.length - 61);
});

test.each([
  ['too short for a header', 48],
  ['zero', 0],
  ['negative', -1],
])('a length that is %s is corrupt', (_, length) => {
  const bytes = batch('a');
  bytes.writeInt32BE(length, 8);
  expect(() => BatchView.at(bytes, 0)).toThrowError(expect.objectContaining({ code: 'CORRUPT_MESSAGE' }));
});

test.each([0, 1, 3, -1])('message format %i is unsupported', (magic) => {
  const bytes = batch('a');
  bytes.writeInt8(magic, 16);
  expect(() => BatchView.at(bytes, 0)).toThrowError(
    expect.objectContaining({ code: 'UNSUPPORTED_FOR_MESSAGE_FORMAT' }),
  );
});

test('a message of an old format shorter than today’s header is named as such', () => {
  const bytes = Buffer.alloc(40);
  bytes.writeInt32BE(28, 8);
  bytes.writeInt8(1, 16);
  expect(() => BatchView.at(bytes, 0)).toThrowError(
    expect.objectContaining({ code: 'UNSUPPORTED_FOR_MESSAGE_FORMAT' }),
  );
});

test('the leader assigns offset and epoch without touching the checksum', () => {
  const bytes = batch('a');
  const view = BatchView.at(bytes, 0)!;
  const { crc } = view;
  view.assignOffsets(2 ** 40 + 3, 9);
  expect([view.baseOffset, view.nextOffset, view.leaderEpoch]).toEqual([2 ** 40 + 3, 2 ** 40 + 4, 9]);
  expect([view.crc, view.isCrcValid()]).toEqual([crc, true]);
});

test('the leader’s time replaces that of every record', () => {
  const bytes = buildBatch([{ timestamp: 5 }, { timestamp: 6 }]);
  const view = BatchView.at(bytes, 0)!;
  view.setLogAppendTime(1_800_000_000_000);
  expect(view.isCrcValid()).toBe(true);
  expect([view.timestampType, view.baseTimestamp, view.maxTimestamp]).toEqual([
    'append',
    5,
    1_800_000_000_000,
  ]);
  expect(decodeRecords(view).map(({ timestamp }) => timestamp)).toEqual([
    1_800_000_000_000, 1_800_000_000_000,
  ]);
});

test('sequences wrap to 0 after 2^31-1', () => {
  const producer = { producerId: 1, producerEpoch: 0, baseSequence: 2 ** 31 - 1 };
  const view = BatchView.at(buildBatch([{}, {}, {}], { producer }), 0)!;
  expect(view.lastSequence).toBe(1);
  expect(BatchView.at(batch('a'), 0)!.lastSequence).toBe(-1);
});
