/**
 * Memory that is read into for answers, used again once an answer has left: buffers of their own live outside the heap,
 * and for every few of them the whole heap is looked through. Whoever does not give back leaves it to be collected.
 * Never hands out what somebody may still look at: only the holder of what was lent says when that is over.
 */
import { invariant, KiB, MiB } from '@millrace/core';

/** Ends a loan. Once. */
export type GiveBack = () => void;

/** The last one holds what clients ask for of one partition, and what is read beyond that to find it. */
const SIZES = [64 * KiB, 256 * KiB, MiB + 64 * KiB] as const;
/** Below, the heap's own memory is as good. */
const BYTES_MIN = 16 * KiB;

export class ReadBuffers {
  readonly #bytesMax: number;
  /** Last in, first out: what was used just now is still in the processor's cache. */
  readonly #idle = new Map<number, ArrayBufferLike[]>(SIZES.map((size) => [size, []]));
  #idleBytes = 0;

  /** @param options bytesMax: most that lies idle. */
  constructor({ bytesMax }: { readonly bytesMax: number }) {
    this.#bytesMax = bytesMax;
  }

  get idleBytes(): number {
    return this.#idleBytes;
  }

  /** Not cleared. The caller's alone, for ever unless it is lent. */
  take(bytes: number): Buffer {
    const size = bytes < BYTES_MIN ? undefined : SIZES.find((least) => bytes <= least);
    if (size === undefined) return Buffer.allocUnsafe(bytes);
    const idle = this.#idle.get(size)!.pop();
    if (idle === undefined) return Buffer.allocUnsafeSlow(size).subarray(0, bytes);
    this.#idleBytes -= size;
    return Buffer.from(idle, 0, bytes);
  }

  /** Notes in `lent` how to give back what `take` gave; nothing if that is not worth it. */
  lend({ buffer }: Buffer, lent: GiveBack[]): void {
    const size = buffer.byteLength;
    const idle = this.#idle.get(size);
    if (idle === undefined) return;
    let isLent = true;
    lent.push(() => {
      invariant(isLent, 'memory is given back once', { size });
      isLent = false;
      if (this.#idleBytes + size > this.#bytesMax) return;
      this.#idleBytes += size;
      idle.push(buffer);
    });
  }
}

/** Ends all these loans. */
export function giveBackAll(lent: GiveBack[]): void {
  for (const giveBack of lent.splice(0)) giveBack();
}
