/** Durations as people write them on a command line: `500ms`, `10s`, `2m`, `1h`; a bare number is milliseconds. Pure. */
import { DELAY_MAX_MS } from '@millrace/core';
import { usageError } from './cli-error.ts';

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** @throws {CliError} USAGE naming `flag`, unless the text is a duration from 1 ms to 24 days. */
export function parseDurationMs(text: string, flag: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text.trim());
  const valueMs = match ? Math.round(Number(match[1]) * UNIT_MS[match[2] ?? 'ms']!) : Number.NaN;
  if (!(valueMs >= 1 && valueMs <= DELAY_MAX_MS)) {
    throw usageError(
      `${flag} ${JSON.stringify(text)} is not a duration`,
      'Write 500ms, 10s, 2m or 1h, up to 24 days.',
    );
  }
  return valueMs;
}
