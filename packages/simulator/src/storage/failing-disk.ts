/**
 * Trouble that comes over a disk now and then while a workload runs on it: writes, syncs or reads that fail once or
 * for a while, a disk that is full. Tells which files it betrayed, so that a judge excuses nothing else.
 */
import { below, type Random, unit } from '@millrace/core';
import type { DiskFault, DiskFaults, DiskOperation } from '../disk/disk-faults.ts';
import type { SimDisk } from '../disk/sim-disk.ts';

/** Steps of the workload: one in so many begins trouble, and one in so many ends it. */
const STEPS_WELL = 8;
const STEPS_ILL = 8;
/** A full disk takes at most this much more before it says so. */
const ROOM_BYTES = 3000;

const WRITES: readonly DiskOperation[] = ['open', 'write', 'truncate', 'rename', 'unlink', 'mkdir'];
const SYNCS: readonly DiskOperation[] = ['datasync', 'syncDirectory'];

interface Trouble {
  readonly operations: readonly DiskOperation[];
  readonly code: 'EIO' | 'ENOSPC';
  readonly rate: number;
  /** How many operations fail before it is over. */
  failuresLeft: number;
}

export class FailingDisk implements DiskFaults {
  readonly #random: Random;
  readonly #delays: DiskFaults;
  #disk: SimDisk | undefined;
  #trouble: Trouble | undefined;
  /** Failed operations so far. */
  failures = 0;
  /** A sync of this file or folder failed, or a write did and not for want of space: who keeps it may trust it no more. */
  onBetrayal: ((path: string) => void) | undefined;

  constructor(random: Random, delays: DiskFaults) {
    this.#random = random;
    this.#delays = delays;
  }

  /** Trouble may begin or end. */
  step(disk: SimDisk): void {
    if (this.#disk === undefined) {
      if (below(this.#random, STEPS_WELL) === 0) this.begin(disk);
    } else if (below(this.#random, STEPS_ILL) === 0) this.heal();
  }

  begin(disk: SimDisk): void {
    const random = this.#random;
    this.#disk = disk;
    const kind = below(random, 8);
    if (kind === 0) {
      disk.capacityBytes = disk.usedBytes + below(random, ROOM_BYTES);
      return;
    }
    const operations = kind < 4 ? SYNCS : kind < 7 ? WRITES : (['read'] as const);
    const isOnce = below(random, 2) === 0;
    this.#trouble = {
      operations,
      code: operations === WRITES && below(random, 2) === 0 ? 'ENOSPC' : 'EIO',
      rate: isOnce ? 0.3 : 0.05 + unit(random) / 2,
      failuresLeft: isOnce ? 1 : Number.MAX_SAFE_INTEGER,
    };
  }

  heal(): void {
    if (this.#disk !== undefined) this.#disk.capacityBytes = Number.MAX_SAFE_INTEGER;
    this.#disk = undefined;
    this.#trouble = undefined;
  }

  fault(operation: DiskOperation, path: string, bytes: number): DiskFault | undefined {
    const trouble = this.#trouble;
    if (trouble === undefined || trouble.failuresLeft === 0 || !trouble.operations.includes(operation)) {
      return undefined;
    }
    if (unit(this.#random) >= trouble.rate) return undefined;
    trouble.failuresLeft--;
    this.failures++;
    const isWantOfSpace = trouble.code === 'ENOSPC' && !SYNCS.includes(operation);
    if (operation !== 'read' && !isWantOfSpace) this.onBetrayal?.(path);
    const bytesDone = operation === 'write' ? below(this.#random, bytes + 1) : 0;
    return { code: trouble.code, bytesDone, isEvicted: below(this.#random, 2) === 0 };
  }

  delayMs(operation: DiskOperation, bytes: number): number {
    return this.#delays.delayMs(operation, bytes);
  }
}
