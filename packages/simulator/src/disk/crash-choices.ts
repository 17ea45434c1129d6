/**
 * Who decides what a power loss leaves of changes that were not synced: a random mood, an enumeration of every
 * combination, or one fixed answer. Never touches the disk itself.
 */
import { below, type Random, unit } from '@millrace/core';

/** What is left of a write, counted in sectors from the one that holds its first byte. */
export interface TornWrite {
  readonly sectorBytes: number;
  keepsSector(index: number): boolean;
  /** Whether the file has grown to the end of the write, or only as far as sectors were kept. */
  readonly growsFully: boolean;
}

export type WriteFate = 'dropped' | 'whole' | TornWrite;

export interface PendingWrite {
  /** Order of the change among all of the disk. */
  readonly sequence: number;
  readonly bytes: number;
}

/** Asked once for each pending change: names first, then each file in the order of its changes. */
export interface CrashChoices {
  /** Whether a creation, rename or removal of a name survives. */
  keepsName(sequence: number, isRename: boolean): boolean;
  keepsTruncation(sequence: number): boolean;
  fateOf(write: PendingWrite): WriteFate;
}

/** Only what was synced is left. */
export const DROP_ALL: CrashChoices = {
  keepsName: () => false,
  keepsTruncation: () => false,
  fateOf: () => 'dropped',
};

/** Everything that was written is left: the process died and the machine did not. */
export const KEEP_ALL: CrashChoices = {
  keepsName: () => true,
  keepsTruncation: () => true,
  fateOf: () => 'whole',
};

const SECTOR_SIZES = [512, 4096];

/** Independent draws, in one of several moods: even draws alone would hardly ever lose exactly one change. */
export class RandomChoices implements CrashChoices {
  readonly #random: Random;
  readonly #nameRatio: number;
  readonly #dataRatio: number;
  readonly #tornRatio: number;
  readonly #sectorBytes: number;
  /** Every change before it survives, and none after it: a disk that wrote in order. */
  readonly #orderedUpTo: number | undefined;

  /** @param sequenceEnd of the disk's changes so far; see `SimDisk.sequence`. */
  constructor(random: Random, sequenceEnd: number) {
    this.#random = random;
    const ratios = [0, 0.1, 0.5, 0.9, 1];
    this.#nameRatio = ratios[below(random, ratios.length)]!;
    this.#dataRatio = ratios[below(random, ratios.length)]!;
    this.#tornRatio = [0, 0.3, 1][below(random, 3)]!;
    this.#sectorBytes = SECTOR_SIZES[below(random, SECTOR_SIZES.length)]!;
    this.#orderedUpTo = below(random, 8) === 0 ? sequenceEnd - below(random, 40) : undefined;
  }

  keepsName(sequence: number): boolean {
    return this.#orderedUpTo === undefined
      ? unit(this.#random) < this.#nameRatio
      : sequence < this.#orderedUpTo;
  }

  keepsTruncation(sequence: number): boolean {
    return this.#orderedUpTo === undefined
      ? unit(this.#random) < this.#dataRatio
      : sequence < this.#orderedUpTo;
  }

  fateOf({ sequence, bytes }: PendingWrite): WriteFate {
    const random = this.#random;
    if (this.#orderedUpTo !== undefined) return sequence < this.#orderedUpTo ? 'whole' : 'dropped';
    if (unit(random) < this.#tornRatio) return torn(below(random, TEARS), this.#sectorBytes, bytes, random);
    return unit(random) < this.#dataRatio ? 'whole' : 'dropped';
  }
}

/** Ways to tear a write: a beginning, an end, every other sector, a random set, the new size without the data. */
const TEARS = 5;

function torn(way: number, sectorBytes: number, bytes: number, random: Random): TornWrite {
  const sectors = Math.ceil(bytes / sectorBytes) + 1;
  const cut = below(random, sectors);
  const keeps: ((index: number) => boolean)[] = [
    (index) => index < cut,
    (index) => index >= cut,
    (index) => index % 2 === cut % 2,
    () => below(random, 2) === 0,
    () => false,
  ];
  return { sectorBytes, keepsSector: keeps[way]!, growsFully: way === 4 || below(random, 2) === 0 };
}

/**
 * Every combination of what may survive, one after the other. Call `next` between crashes of the same disk.
 * A write has the fates dropped, whole, half torn either way, and grown without data.
 */
export class EveryChoice implements CrashChoices {
  /** What was chosen in this combination, with how many there were to choose from. */
  readonly #digits: { choice: number; readonly options: number }[] = [];
  #at = 0;

  keepsName(): boolean {
    return this.#choose(2) === 1;
  }

  keepsTruncation(): boolean {
    return this.#choose(2) === 1;
  }

  fateOf({ bytes }: PendingWrite): WriteFate {
    const half = Math.max(1, Math.ceil(bytes / 512 / 2));
    switch (this.#choose(bytes > 512 ? 5 : 3)) {
      case 0:
        return 'dropped';
      case 1:
        return 'whole';
      case 2:
        return { sectorBytes: 512, keepsSector: () => false, growsFully: true };
      case 3:
        return { sectorBytes: 512, keepsSector: (index) => index < half, growsFully: false };
      default:
        return { sectorBytes: 512, keepsSector: (index) => index >= half, growsFully: true };
    }
  }

  /** @returns false when every combination was seen. */
  next(): boolean {
    this.#at = 0;
    for (;;) {
      const last = this.#digits.at(-1);
      if (last === undefined) return false;
      last.choice++;
      if (last.choice < last.options) return true;
      this.#digits.pop();
    }
  }

  #choose(options: number): number {
    const digit = this.#digits[this.#at++];
    if (digit !== undefined) return digit.choice;
    this.#digits.push({ choice: 0, options });
    return 0;
  }
}
