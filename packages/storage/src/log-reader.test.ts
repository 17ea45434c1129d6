/** A reader comes to an end whatever the bytes say: a read that goes round for ever stops the whole node. */
import { expect, test } from 'vitest';
import type { LogConfig } from './log-config.ts';
import { DamageFound, LogReader } from './log-reader.ts';
import type { Segment } from './segment.ts';
import { batchOf, SMALL } from './testing.ts';

/** A segment of these bytes that says it has `sizeBytes` of them. */
function segmentOf(bytes: Buffer, sizeBytes = bytes.length): Segment {
  const file = {
    read: async (target: Buffer, position: number) => bytes.copy(target, 0, position, bytes.length),
  };
  return {
    baseOffset: 0,
    sizeBytes,
    logPath: 'damaged.log',
    load: async () => {},
    rebuild: async () => {},
    positionBefore: () => 0,
    withFile: async (use: (opened: typeof file) => unknown) => await use(file),
  } as unknown as Segment;
}

const [first, second] = [batchOf('first'), batchOf('\0'.repeat(64))];
const BOTH = Buffer.concat([first, second]);
const RANGE = { fromOffset: 1, maxBytes: 10_000, upTo: 2, minOneBatch: true };

test('a length that leads to less than a header before the end is damage', async () => {
  const bytes = Buffer.from(BOTH);
  bytes.writeInt32BE(bytes.length - 30 - 12, 8);
  const reader = new LogReader(() => [segmentOf(bytes)], true);
  await expect(reader.read(RANGE, SMALL as LogConfig)).rejects.toThrow(DamageFound);
});

test('a file that ends before its segment does is damage', async () => {
  const bytes = BOTH.subarray(0, first.length + 20);
  const reader = new LogReader(() => [segmentOf(bytes, BOTH.length)], true);
  await expect(reader.read(RANGE, SMALL as LogConfig)).rejects.toThrow(DamageFound);
});
