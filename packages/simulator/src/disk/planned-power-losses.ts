/**
 * What power losses leave under a plan of faults: writes are torn only with `torn-write`, and renames that were not synced
 * are lost only with `lost-rename`. Everything else is drawn in the same way, from the same numbers, with either or
 * without: leaving one out changes nothing but what it stands for.
 */
import { below, type Random, type SeededRandom } from '@millrace/core';
import type { FaultPlan } from '../world/fault-plan.ts';
import { type CrashChoices, type PendingWrite, RandomChoices, type WriteFate } from './crash-choices.ts';

/** Of all disks of a world. */
export class PlannedPowerLosses {
  readonly #tears: boolean;
  readonly #losesRenames: boolean;
  /** Whether a write that would be torn is there or not. */
  readonly #untorn: SeededRandom;

  constructor(plan: FaultPlan) {
    this.#tears = plan.has('torn-write');
    this.#losesRenames = plan.has('lost-rename');
    this.#untorn = plan.random('torn-write');
  }

  /** For one power loss. @param sequenceEnd see `RandomChoices`. */
  choices(random: Random, sequenceEnd: number): CrashChoices {
    const drawn = new RandomChoices(random, sequenceEnd);
    return {
      keepsName: (sequence, isRename) => {
        const isKept = drawn.keepsName(sequence);
        return isKept || (isRename && !this.#losesRenames);
      },
      keepsTruncation: (sequence) => drawn.keepsTruncation(sequence),
      fateOf: (write) => this.#fateOf(drawn, write),
    };
  }

  #fateOf(drawn: RandomChoices, write: PendingWrite): WriteFate {
    const fate = drawn.fateOf(write);
    if (this.#tears || typeof fate === 'string') return fate;
    const isKept = below(this.#untorn, 2) === 1;
    return {
      sectorBytes: fate.sectorBytes,
      keepsSector: (index) => {
        // Asked all the same: it may draw.
        fate.keepsSector(index);
        return isKept;
      },
      growsFully: isKept,
    };
  }
}
