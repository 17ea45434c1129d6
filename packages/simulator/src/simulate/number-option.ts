/** Numbers on a command line: what is out of range, or none at all, is told with what would be right. */

export interface NumberRange {
  readonly least: number;
  readonly most: number;
  /** Whole numbers only, unless this says otherwise. */
  readonly mayBeFraction?: boolean;
}

/** @throws {RangeError} naming the option and its range. */
export function numberOption(name: string, text: string, range: NumberRange): number {
  const { least, most, mayBeFraction = false } = range;
  const value = Number(text);
  const isNumber =
    text.trim() !== '' && Number.isFinite(value) && (mayBeFraction || /^\d+$/.test(text.trim()));
  if (!isNumber || value < least || value > most) {
    const what = mayBeFraction ? 'a number' : 'a whole number';
    throw new RangeError(`${name} ${text}: must be ${what} from ${least} to ${most}`);
  }
  return value;
}

export const JOBS: NumberRange = { least: 1, most: 256 };
/** What a generator of chance takes: beyond it, seeds would repeat. */
export const SEEDS: NumberRange = { least: 0, most: 0xffff_ffff };
