/**
 * Memory that is read into for answers, used again once an answer has left: buffers of their own live outside the heap,
 * and for every few of them the whole heap is looked through. Whoever does not give back leaves it to be collected.
 * Never hands out what somebody may still look at: only who borrowed it says when that is over, and only memory that was
 * made here counts, never what shares a buffer with others.
 */
import { invariant, KiB, MiB } from '@millrace/core';

/** Memory that somebody looks at until it is given back. */
export interface Loan {
  readonly memory: ArrayBufferLike;
  /** Once. */
  giveBack(): void;
}

/** The last one holds what clients ask for of one partition, and what is read beyond that to find it. */
const SIZES = [64 * KiB, 128 * KiB, 256 * KiB, 512 * KiB, MiB + 64 * KiB] as const;
/** Below, the heap's own memory is as good. */
const BYTES_MIN = 16 * KiB;

export class ReadBuffers {
  readonly #bytesMax: number;
  readonly #made = new WeakSet<ArrayBufferLike>();
  /** By size. Last in, first out: what was used just now is still in the processor's cache. */
  readonly #idle = new Map<number, ArrayBufferLike[]>(SIZES.map((size) => [size, []]));
  #idleBytes = 0;

  /** @param options bytesMax: most that lies idle. */
  constructor({ bytesMax }: { readonly bytesMax: number }) {
    this.#bytesMax = bytesMax;
  }

  get idleBytes(): number {
    return this.#idleBytes;
  }

  /** Not cleared. The caller's alone, for ever unless it is lent or dropped. */
  take(bytes: number): Buffer {
    const size = bytes < BYTES_MIN ? undefined : SIZES.find((least) => bytes <= least);
    if (size === undefined) return Buffer.allocUnsafe(bytes);
    const idle = this.#idle.get(size)!.pop();
    if (idle !== undefined) {
      this.#idleBytes -= size;
      return Buffer.from(idle, 0, bytes);
    }
    const made = Buffer.allocUnsafeSlow(size);
    this.#made.add(made.buffer);
    return made.subarray(0, bytes);
  }

  /** Notes in `lent` what `take` gave; nothing if it cannot be used again. */
  lend({ buffer: memory }: Buffer, lent: Loan[]): void {
    if (!this.#made.has(memory)) return;
    let isLent = true;
    const giveBack = (): void => {
      invariant(isLent, 'memory is given back once', { bytes: memory.byteLength });
      isLent = false;
      this.#keep(memory);
    };
    lent.push({ memory, giveBack });
  }

  /** Whoever took it looks at it no more, and lent it to nobody. */
  drop({ buffer: memory }: Buffer): void {
    if (this.#made.has(memory)) this.#keep(memory);
  }

  #keep(memory: ArrayBufferLike): void {
    const size = memory.byteLength;
    if (size > this.#bytesMax) return;
    this.#makeRoom(size);
    if (this.#idleBytes + size > this.#bytesMax) return;
    this.#idleBytes += size;
    this.#idle.get(size)!.push(memory);
  }

  /** What is wanted now goes before what was wanted once. */
  #makeRoom(wanted: number): void {
    for (const [size, idle] of this.#idle) {
      if (size === wanted) continue;
      while (idle.length > 0 && this.#idleBytes + wanted > this.#bytesMax) {
        idle.shift();
        this.#idleBytes -= size;
      }
    }
  }
}

/** Ends all these loans. */
export function giveBackAll(lent: Loan[]): void {
  for (const loan of lent.splice(0)) loan.giveBack();
}
