import { expect, test } from 'vitest';
import { LeaderEpochs } from './leader-epochs-state.ts';
import { formatEpochs, parseEpochs } from './text-files.ts';

const epochs = (...pairs: [number, number][]) =>
  new LeaderEpochs(pairs.map(([epoch, startOffset]) => ({ epoch, startOffset })));
const pairs = (of: LeaderEpochs) => of.entries.map(({ epoch, startOffset }) => [epoch, startOffset]);

test('an epoch ends where the next one begins; one that is not known falls back to the one before', () => {
  const known = epochs([2, 10], [5, 20], [6, 30]);
  expect(known.endOffsetFor(6, 44)).toEqual({ epoch: 6, endOffset: 44 });
  expect(known.endOffsetFor(5, 44)).toEqual({ epoch: 5, endOffset: 30 });
  expect(known.endOffsetFor(4, 44)).toEqual({ epoch: 2, endOffset: 20 });
  expect(known.endOffsetFor(1, 44)).toEqual({ epoch: 1, endOffset: 10 });
  expect(known.endOffsetFor(7, 44)).toEqual({ epoch: -1, endOffset: -1 });
  expect(known.endOffsetFor(-1, 44)).toEqual({ epoch: -1, endOffset: -1 });
  expect(epochs().endOffsetFor(0, 0)).toEqual({ epoch: -1, endOffset: -1 });
});

test('a new epoch drops what contradicts it', () => {
  const known = epochs([2, 10], [5, 20], [6, 30]);
  expect(known.assign(6, 35)).toBe(false);
  expect(known.assign(7, 30)).toBe(true);
  expect(pairs(known)).toEqual([
    [2, 10],
    [5, 20],
    [7, 30],
  ]);
  known.assign(5, 15);
  expect(pairs(known)).toEqual([
    [2, 10],
    [5, 15],
  ]);
});

test('both ends follow the log', () => {
  const known = epochs([2, 10], [5, 20], [6, 30]);
  expect(known.truncateEnd(30)).toBe(true);
  expect(known.truncateStart(15)).toBe(true);
  expect(known.truncateStart(15)).toBe(false);
  expect(pairs(known)).toEqual([
    [2, 15],
    [5, 20],
  ]);
  known.truncateStart(25);
  expect(pairs(known)).toEqual([[5, 25]]);
});

test('a checkpoint that is cut, not increasing or not what was written is not read; one of Kafka is', () => {
  const entries = [
    { epoch: 1, startOffset: 0 },
    { epoch: 3, startOffset: 7 },
  ];
  const text = formatEpochs(entries);
  // To Kafka an entry that begins beyond the end of any log.
  expect(text).toMatch(/^0\n3\n1 0\n3 7\n2147483647 45\d{14}\n$/);
  expect(parseEpochs(text)).toEqual(entries);
  expect(parseEpochs(text.replace('3 7', '3 6'))).toBeUndefined();
  expect(parseEpochs('0\n2\n1 0\n3 7\n')).toEqual(entries);
  for (let length = 0; length < text.length; length++)
    expect(parseEpochs(text.slice(0, length))).toBeUndefined();
  expect(parseEpochs('0\n2\n1 7\n3 7\n')).toBeUndefined();
});

test('the epoch of the last deleted offset is known, also to a checkpoint', () => {
  const known = epochs([2, 10], [5, 20], [6, 30]);
  known.truncateStart(20);
  expect([18, 19, 20].map((offset) => known.epochAt(offset))).toEqual([-1, 2, 5]);
  known.truncateStart(25);
  expect([24, 25].map((offset) => known.epochAt(offset))).toEqual([5, 5]);
  expect(pairs(known)).toEqual([
    [5, 25],
    [6, 30],
  ]);
  for (const start of [25, 30]) {
    known.truncateStart(start);
    const read = new LeaderEpochs(parseEpochs(formatEpochs(known.saved)));
    read.truncateStart(start);
    expect(pairs(read)).toEqual(pairs(known));
    expect(read.epochAt(start - 1)).toBe(5);
  }
  known.assign(7, 20);
  expect(known.epochAt(29)).toBe(7);
  known.clear();
  expect(known.epochAt(29)).toBe(-1);
  expect(known.saved).toEqual([]);
});
