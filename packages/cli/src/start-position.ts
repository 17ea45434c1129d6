/** Where consuming starts, as `--offset` says it: `beginning`, `end`, `N`, `-N` from the end, `@timestamp`. Pure. */
import { usageError } from './cli-error.ts';

export type StartPosition =
  | { readonly kind: 'beginning' }
  | { readonly kind: 'end' }
  | { readonly kind: 'offset'; readonly offset: bigint }
  /** The last `count` records of each partition. */
  | { readonly kind: 'tail'; readonly count: bigint }
  /** The first record at or after the time, in ms since the epoch. */
  | { readonly kind: 'timestamp'; readonly timestampMs: bigint };

const NAMED: Readonly<Record<string, StartPosition>> = {
  beginning: { kind: 'beginning' },
  start: { kind: 'beginning' },
  earliest: { kind: 'beginning' },
  end: { kind: 'end' },
  latest: { kind: 'end' },
};

/** @throws {CliError} USAGE */
export function parseStartPosition(text: string): StartPosition {
  const named = NAMED[text];
  if (named) return named;
  if (/^\d{1,18}$/.test(text)) return { kind: 'offset', offset: BigInt(text) };
  if (/^-\d{1,18}$/.test(text)) return { kind: 'tail', count: BigInt(text.slice(1)) };
  if (text.startsWith('@')) return { kind: 'timestamp', timestampMs: parseTimestampMs(text.slice(1)) };
  throw usageError(
    `--offset ${JSON.stringify(text)} is not a position`,
    'Write beginning, end, an offset, -N for the last N records, or @TIME (ms or ISO 8601).',
  );
}

/** Milliseconds since the epoch, or an ISO 8601 time; without a zone it is local time, as in ISO. @throws {CliError} USAGE */
export function parseTimestampMs(text: string): bigint {
  if (/^\d{1,16}$/.test(text)) return BigInt(text);
  const parsed = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(parsed) || parsed < 0) {
    throw usageError(
      `${JSON.stringify(text)} is not a time`,
      'Write milliseconds since 1970, or ISO 8601 such as 2026-03-01T12:00:00Z.',
    );
  }
  return BigInt(parsed);
}
