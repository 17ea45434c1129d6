/**
 * What may go wrong with one operation of a simulated disk, and how long operations take. A disk asks before
 * each operation; the answer comes from rates and a seed, or from a test's own function.
 */
import { type Random, unit } from '@millrace/core';

export type DiskOperation =
  | 'open'
  | 'read'
  | 'write'
  | 'truncate'
  | 'datasync'
  | 'rename'
  | 'unlink'
  | 'mkdir'
  | 'syncDirectory';

export interface DiskFault {
  /** EIO, ENOSPC … */
  readonly code: string;
  /** Of a write: how many bytes go through before it fails. Default 0. */
  readonly bytesDone?: number;
  /** Of a sync: readers see the old contents afterwards, too. Default false. */
  readonly isEvicted?: boolean;
}

export interface DiskFaults {
  /** @returns what goes wrong; 'stuck' for an operation that never completes (asynchronous ones only). */
  fault(operation: DiskOperation, path: string, bytes: number): DiskFault | 'stuck' | undefined;
  /** Virtual time that an asynchronous operation takes. 0 completes it without an event. */
  delayMs(operation: DiskOperation, bytes: number): number;
}

/** Nothing fails and nothing takes time. */
export const NO_FAULTS: DiskFaults = { fault: () => undefined, delayMs: () => 0 };

/** Each rate is a probability for one operation of its kind. */
export interface DiskFaultRates {
  readonly readErrorRate: number;
  readonly writeErrorRate: number;
  readonly syncErrorRate: number;
  readonly stuckRate: number;
  /** Mean of an exponential distribution, for every asynchronous operation. */
  readonly delayMeanMs: number;
  /** Some operations take `slowMs` instead. */
  readonly slowRate: number;
  readonly slowMs: number;
}

export const NO_RATES: DiskFaultRates = {
  readErrorRate: 0,
  writeErrorRate: 0,
  syncErrorRate: 0,
  stuckRate: 0,
  delayMeanMs: 0,
  slowRate: 0,
  slowMs: 0,
};

export class SeededDiskFaults implements DiskFaults {
  readonly #random: Random;
  /** May be replaced at any time: faults begin and end. */
  rates: DiskFaultRates;
  /** Faults so far, for the report. */
  injected = 0;

  constructor(random: Random, rates: DiskFaultRates) {
    this.#random = random;
    this.rates = rates;
  }

  fault(operation: DiskOperation, _path: string, bytes: number): DiskFault | 'stuck' | undefined {
    const { rates } = this;
    const rate = this.#errorRate(operation);
    if (rate > 0 && unit(this.#random) < rate) {
      this.injected++;
      const bytesDone = operation === 'write' ? Math.floor(unit(this.#random) * bytes) : 0;
      return { code: 'EIO', bytesDone, isEvicted: unit(this.#random) < 0.5 };
    }
    const mayStick = operation === 'datasync' || operation === 'read' || operation === 'syncDirectory';
    if (mayStick && rates.stuckRate > 0 && unit(this.#random) < rates.stuckRate) {
      this.injected++;
      return 'stuck';
    }
    return undefined;
  }

  delayMs(): number {
    const { delayMeanMs, slowRate, slowMs } = this.rates;
    if (slowRate > 0 && unit(this.#random) < slowRate) return slowMs;
    return delayMeanMs === 0 ? 0 : -Math.log(1 - unit(this.#random)) * delayMeanMs;
  }

  #errorRate(operation: DiskOperation): number {
    const { readErrorRate, writeErrorRate, syncErrorRate } = this.rates;
    if (operation === 'read') return readErrorRate;
    return operation === 'datasync' || operation === 'syncDirectory' ? syncErrorRate : writeErrorRate;
  }
}
