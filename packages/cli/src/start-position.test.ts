/** Every form of --offset. */
import { expect, test } from 'vitest';
import { parseStartPosition } from './start-position.ts';

test.each([
  ['beginning', { kind: 'beginning' }],
  ['start', { kind: 'beginning' }],
  ['end', { kind: 'end' }],
  ['17', { kind: 'offset', offset: 17n }],
  ['-5', { kind: 'tail', count: 5n }],
  ['@1700000000000', { kind: 'timestamp', timestampMs: 1_700_000_000_000n }],
  ['@2023-11-14T22:13:20Z', { kind: 'timestamp', timestampMs: 1_700_000_000_000n }],
])('%s', (text, expected) => {
  expect(parseStartPosition(text)).toEqual(expected);
});

test.each(['', 'json', '1.5', '--1', '@', '@yesterday', '@2023-13-40', '9999999999999999999'])(
  '%j is a usage error',
  (text) => {
    expect(() => parseStartPosition(text)).toThrow(/is not a/);
  },
);
