/** How `npm run bench -- --versus kafka` reads pairs of measurements. */
import { describe, expect, test } from 'vitest';
import { compare, inPairs, isMet, type Pair } from './bench/versus/comparison.ts';
import { markdownTable } from './bench/versus/markdown.ts';
import { estimateOf, geometricMean, quantile, turnsOf } from './bench/versus/statistics.ts';

const pair = (millrace: number, kafka: number): Pair => ({
  Millrace: { recordsPerS: millrace, cpuSPerMillion: 1 },
  Kafka: { recordsPerS: kafka, cpuSPerMillion: 2 },
});

describe('a ratio', () => {
  test('is the geometric mean, in which twice as fast and half as fast cancel out', () => {
    expect(geometricMean([2, 0.5])).toBeCloseTo(1);
    expect(geometricMean([1, 10, 100])).toBeCloseTo(10);
  });

  test('has an interval that holds it, is the same every time, and shrinks as pairs agree', () => {
    const wide = estimateOf([0.5, 1, 2, 4, 0.7, 1.5]);
    const narrow = estimateOf([1.1, 1.12, 1.09, 1.11, 1.1, 1.1]);
    expect(wide.low).toBeLessThan(wide.ratio);
    expect(wide.high).toBeGreaterThan(wide.ratio);
    expect(estimateOf([0.5, 1, 2, 4, 0.7, 1.5])).toEqual(wide);
    expect(narrow.high - narrow.low).toBeLessThan(wide.high - wide.low);
  });

  test('holds the truth in 95 of 100 samples, about', () => {
    let state = 12_345;
    const uniform = (): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return state / 2 ** 32;
    };
    // Sums of uniform numbers are nearly normal: log ratios around 0.
    const ratio = (): number =>
      Math.exp(Array.from({ length: 12 }, uniform).reduce((a, b) => a + b, -6) / 10);
    const held = Array.from({ length: 60 }, () => estimateOf(Array.from({ length: 20 }, ratio))).filter(
      ({ low, high }) => low <= 1 && high >= 1,
    );
    expect(held.length).toBeGreaterThanOrEqual(50);
  });

  test('of one pair has no interval', () => {
    expect(estimateOf([1])).toEqual({ ratio: 1, low: Number.NaN, high: Number.NaN });
  });
});

test('a quantile is a value that occurred', () => {
  const values = Array.from({ length: 1_000 }, (_, index) => 1_000 - index);
  expect(quantile(values, 0.5)).toBe(500);
  expect(quantile(values, 0.99)).toBe(990);
  expect(quantile(values, 1)).toBe(1_000);
  expect(quantile([7], 0.999)).toBe(7);
});

test('turns alternate, so that neither side is always the first', async () => {
  expect(turnsOf(3)).toEqual([
    ['A', 'B'],
    ['B', 'A'],
    ['A', 'B'],
  ]);
  const order: string[] = [];
  const pairs = await inPairs(2, async (side) => {
    order.push(side);
    return { recordsPerS: order.length };
  });
  expect(order).toEqual(['Millrace', 'Kafka', 'Kafka', 'Millrace']);
  expect(pairs).toEqual([
    { Millrace: { recordsPerS: 1 }, Kafka: { recordsPerS: 2 } },
    { Millrace: { recordsPerS: 4 }, Kafka: { recordsPerS: 3 } },
  ]);
});

test('a row shows medians, judges the mean ratio, and stays in the table when it is behind', () => {
  const shown = { title: 'produce', unit: 'records/s' };
  const ahead = compare([pair(200, 100), pair(220, 110)], 'recordsPerS', {
    ...shown,
    target: { ratio: 1, sense: 'at least' },
  });
  const behind = compare([pair(90, 100), pair(90, 100)], 'recordsPerS', {
    ...shown,
    target: { ratio: 1, sense: 'at least' },
  });
  const slower = compare([pair(90, 100)], 'recordsPerS', {
    ...shown,
    target: { ratio: 1, sense: 'at most' },
  });
  expect([isMet(ahead), isMet(behind), isMet(slower)]).toEqual([true, false, true]);
  expect(markdownTable([ahead, behind]).split('\n').slice(2)).toEqual([
    '| produce | 210 records/s | 105 records/s | 2.00 (2.00–2.00) | ≥ 1.0: yes | 1 / 2 |',
    '| produce | 90 records/s | 100 records/s | 0.90 (0.90–0.90) | ≥ 1.0: **no** | 1 / 2 |',
  ]);
});
