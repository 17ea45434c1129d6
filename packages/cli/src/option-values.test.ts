/** Texts of flags and what they mean. */
import { expect, test } from 'vitest';
import { closest } from './closest-name.ts';
import { parseDurationMs } from './duration.ts';
import { parseCount, parsePartition, parsePartitions } from './option-values.ts';

test.each([
  ['500ms', 500],
  ['10s', 10_000],
  ['1.5s', 1_500],
  ['2m', 120_000],
  ['1h', 3_600_000],
  ['250', 250],
])('duration %s is %i ms', (text, expected) => {
  expect(parseDurationMs(text, '--timeout')).toBe(expected);
});

test.each(['', '0', '-1s', '1d', 'soon', '1e9', '600h'])('%j is not a duration', (text) => {
  expect(() => parseDurationMs(text, '--timeout')).toThrow('--timeout');
});

test('partitions are numbers, lists and ranges', () => {
  expect(parsePartitions('3')).toEqual([3]);
  expect(parsePartitions('5-7,0, 2,2')).toEqual([0, 2, 5, 6, 7]);
  for (const text of ['', 'a', '1,', '3-1', '-1', '0-9999999']) expect(() => parsePartitions(text)).toThrow();
  expect(() => parsePartition('2147483648')).toThrow();
  expect(() => parseCount('0')).toThrow();
});

test('a suggestion is close, or there is none', () => {
  const names = ['retention.ms', 'retention.bytes', 'cleanup.policy'];
  expect(closest('retention.mss', names)).toBe('retention.ms');
  expect(closest('Cleanup.Policy', names)).toBe('cleanup.policy');
  expect(closest('zzz', names)).toBeUndefined();
});
