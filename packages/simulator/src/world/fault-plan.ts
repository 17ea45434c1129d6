/**
 * Which faults a seed has, and how hard: swarm testing, where each kind is left out of about half of the seeds, because a
 * fault that is always there hides what only its absence shows. Ranges are those of TigerBeetle's VOPR where it has one.
 */
import { below, SeededRandom, unit } from '@millrace/core';

export const FAULT_CLASSES = [
  'loss',
  'duplication',
  'reordering',
  'delay',
  'clog',
  'partition',
  'asymmetric-partition',
  'partial-partition',
  'stream-reset',
  'crash',
  'torn-write',
  'lost-rename',
  'read-error',
  'write-error',
  'sync-error',
  'disk-full',
  'slow-disk',
  'bit-rot',
  'misdirected-write',
  'clock-skew',
  'clock-drift',
  'clock-jump',
  'pause',
  'wiped-disk',
  'restored-disk',
] as const;

export type FaultClass = (typeof FAULT_CLASSES)[number];

export interface FaultPlanOptions {
  /** Exactly these kinds; without it, each kind is in by the toss of a coin. */
  readonly only?: readonly FaultClass[];
  /** Never these. */
  readonly without?: readonly FaultClass[];
}

export class FaultPlan {
  readonly enabled: ReadonlySet<FaultClass>;
  readonly #strengths: ReadonlyMap<FaultClass, number>;
  readonly #seeds: ReadonlyMap<FaultClass, number>;

  private constructor(
    enabled: ReadonlySet<FaultClass>,
    strengths: ReadonlyMap<FaultClass, number>,
    seeds: ReadonlyMap<FaultClass, number>,
  ) {
    this.enabled = enabled;
    this.#strengths = strengths;
    this.#seeds = seeds;
  }

  /** Every kind draws the same numbers whether it is in or not: leaving one out changes no other. */
  static draw(random: SeededRandom, { only, without = [] }: FaultPlanOptions = {}): FaultPlan {
    const enabled = new Set<FaultClass>();
    const strengths = new Map<FaultClass, number>();
    const seeds = new Map<FaultClass, number>();
    for (const fault of FAULT_CLASSES) {
      const isDrawn = below(random, 2) === 1;
      // Small rates must be as common as large ones.
      strengths.set(fault, unit(random) ** 2);
      seeds.set(fault, random.uint32());
      if ((only?.includes(fault) ?? isDrawn) && !without.includes(fault)) enabled.add(fault);
    }
    return new FaultPlan(enabled, strengths, seeds);
  }

  /** No faults at all. */
  static none(): FaultPlan {
    return FaultPlan.draw(new SeededRandom(0), { only: [] });
  }

  has(fault: FaultClass): boolean {
    return this.enabled.has(fault);
  }

  /** A value between the two, more often near `least`; 0 if the kind is not in this plan. */
  rate(fault: FaultClass, least: number, most: number): number {
    return this.has(fault) ? least + this.#strengths.get(fault)! * (most - least) : 0;
  }

  /** Chance for one kind of fault alone. The same stream at every call. */
  random(fault: FaultClass): SeededRandom {
    return new SeededRandom(this.#seeds.get(fault)!);
  }

  /** As `--faults` takes it. */
  toString(): string {
    return this.enabled.size === 0 ? 'none' : [...this.enabled].join(',');
  }
}

/** Reads `--faults`, of a world that has these kinds. @throws {RangeError} naming what is none of them. */
export function parseFaultClasses(text: string, known: readonly FaultClass[] = FAULT_CLASSES): FaultClass[] {
  if (text === 'none') return [];
  if (text === 'all') return [...known];
  return text.split(',').map((name) => {
    const fault = known.find((each) => each === name.trim());
    if (fault === undefined)
      throw new RangeError(`no such fault here: ${name}; there are ${known.join(', ')}`);
    return fault;
  });
}
