/** Where `group reset` moves offsets to: exactly one of its flags, understood. Pure. */
import { usageError } from './cli-error.ts';
import { parseTimestampMs } from './start-position.ts';

export interface ResetFlags {
  readonly topic?: readonly string[];
  readonly allTopics?: boolean;
  readonly toEarliest?: boolean;
  readonly toLatest?: boolean;
  readonly toCurrent?: boolean;
  readonly toOffset?: string;
  readonly toDatetime?: string;
  readonly byDuration?: string;
  readonly shiftBy?: string;
  readonly fromFile?: string;
  readonly execute?: boolean;
  readonly dryRun?: boolean;
  readonly export?: boolean;
}

export type ResetTarget =
  | { readonly kind: 'earliest' | 'latest' | 'current' }
  | { readonly kind: 'offset'; readonly offset: bigint }
  | { readonly kind: 'time'; readonly timestampMs: number }
  | { readonly kind: 'shift'; readonly by: bigint }
  | { readonly kind: 'file'; readonly path: string };

const UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

const CHOICES =
  '--to-earliest, --to-latest, --to-current, --to-offset, --to-datetime, --by-duration, --shift-by or --from-file';

/** @throws {CliError} USAGE */
export function resetTarget(flags: ResetFlags, wallMs: number): ResetTarget {
  const targets: ResetTarget[] = [];
  if (flags.toEarliest) targets.push({ kind: 'earliest' });
  if (flags.toLatest) targets.push({ kind: 'latest' });
  if (flags.toCurrent) targets.push({ kind: 'current' });
  if (flags.toOffset !== undefined) targets.push({ kind: 'offset', offset: wholeOf(flags.toOffset) });
  if (flags.toDatetime !== undefined)
    targets.push({ kind: 'time', timestampMs: Number(parseTimestampMs(flags.toDatetime)) });
  if (flags.byDuration !== undefined)
    targets.push({ kind: 'time', timestampMs: Math.max(0, wallMs - parseAgeMs(flags.byDuration)) });
  if (flags.shiftBy !== undefined) targets.push({ kind: 'shift', by: shiftOf(flags.shiftBy) });
  if (flags.fromFile !== undefined) targets.push({ kind: 'file', path: flags.fromFile });
  const [target, ...others] = targets;
  if (target === undefined) throw usageError('where to?', `Say ${CHOICES}.`);
  if (others.length > 0)
    throw usageError('several places to move to exclude each other', `Say one of ${CHOICES}.`);
  checkTopics(flags, target);
  return target;
}

/** ISO 8601 as Kafka's tool takes it, `P1DT2H`, or one number with a unit, `36h`. @throws {CliError} USAGE */
function parseAgeMs(text: string): number {
  const short = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|w)$/.exec(text);
  if (short) return Math.round(Number(short[1]) * UNITS_MS[short[2]!]!);
  const iso = /^P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/i.exec(text);
  if (iso?.slice(1).some((part) => part !== undefined)) {
    const [weeks, days, hours, minutes, seconds] = iso.slice(1).map((part) => Number(part ?? 0)) as [
      number,
      number,
      number,
      number,
      number,
    ];
    return Math.round(((weeks * 7 + days) * 24 * 60 + hours * 60 + minutes) * 60_000 + seconds * 1_000);
  }
  throw usageError(
    `--by-duration ${JSON.stringify(text)} is not a duration`,
    'Write P7D, PT1H30M, or 90s, 15m, 1h, 7d.',
  );
}

function checkTopics(flags: ResetFlags, target: ResetTarget): void {
  const named = flags.topic !== undefined;
  if (named && flags.allTopics) throw usageError('--topic and --all-topics exclude each other');
  if (target.kind === 'file' && (named || flags.allTopics))
    throw usageError('--from-file names the partitions itself', 'Leave out --topic and --all-topics.');
  if (target.kind !== 'file' && !named && !flags.allTopics)
    throw usageError('offsets of which topics?', 'Say --topic or --all-topics.');
}

function wholeOf(text: string): bigint {
  if (/^\d{1,18}$/.test(text)) return BigInt(text);
  throw usageError(`--to-offset ${JSON.stringify(text)} is not an offset`, 'Give a whole number from 0 up.');
}

function shiftOf(text: string): bigint {
  if (/^[+-]?\d{1,18}$/.test(text)) return BigInt(text.replace('+', ''));
  throw usageError(`--shift-by ${JSON.stringify(text)} is not a number of records`, 'Such as 10 or -10.');
}
