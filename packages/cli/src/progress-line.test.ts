/** Progress is redrawn in place and leaves nothing behind. */
import { PassThrough } from 'node:stream';
import { ManualClock } from '@millrace/core';
import { expect, test } from 'vitest';
import { ProgressLine } from './progress-line.ts';
import { formatBytes, formatRate, formatVolume } from './quantities.ts';

test('the line is redrawn as time passes, and cleared at the end', () => {
  const clock = new ManualClock();
  const terminal = new PassThrough();
  let drawn = 0;
  const progress = new ProgressLine(terminal, clock, () => `drawn ${++drawn}`);
  clock.advance(450);
  progress.stop();
  progress.stop();
  clock.advance(1_000);
  const clear = '\r\u001b[2K';
  expect(terminal.read().toString()).toBe(`${clear}drawn 1${clear}drawn 2${clear}`);
});

test('quantities read well', () => {
  expect([999, 1_500, 2_340_000, 5_000_000_000].map(formatBytes)).toEqual([
    '999 B',
    '1.5 kB',
    '2.3 MB',
    '5.00 GB',
  ]);
  expect(formatVolume(1, 'line', 10)).toBe('1 line (10 B)');
  expect(formatRate(5_000, 'line', 1_000_000, 2_000)).toBe('2,500 lines/s, 500.0 kB/s');
});
