/**
 * Memory for what goes through a node in large pieces, used again once nobody looks at it: buffers of their own live
 * outside the heap, and for every few of them the whole heap is looked through. Whoever takes memory holds it, and so
 * does everyone who says so; with the last one's release it is idle. Who never releases leaves it to be collected.
 * Never hands out what somebody holds; counts only memory that was made here, never what shares a buffer with others.
 */
import { invariant } from './invariant.ts';
import { KiB, MiB } from './units.ts';

/** Memory that somebody looks at until it is given back. */
export interface Loan {
  readonly memory: ArrayBufferLike;
  /** Once. */
  giveBack(): void;
}

/** The last one holds what clients send and ask for of one partition, and what is read beyond that to find it. */
const SIZES = [16 * KiB, 32 * KiB, 64 * KiB, 128 * KiB, 256 * KiB, 512 * KiB, MiB + 64 * KiB] as const;

interface Lease {
  readonly pool: BufferPool;
  /** 0 while it is idle. */
  holders: number;
}

/** Of all pools of the process, so that who holds memory need not know whose it is. */
const leases = new WeakMap<ArrayBufferLike, Lease>();

export class BufferPool {
  /** What is smaller lies in no pool: the heap's own memory is as good. */
  static readonly bytesMin = 8 * KiB;
  readonly #bytesMax: number;
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

  /** How much the memory that `take` gives for so many bytes has room for. */
  static roomFor(bytes: number): number {
    return (bytes < BufferPool.bytesMin ? undefined : SIZES.find((size) => bytes <= size)) ?? bytes;
  }

  /** Not cleared. The caller's alone until it is released. */
  take(bytes: number): Buffer {
    const size = BufferPool.roomFor(bytes);
    const idle = this.#idle.get(size);
    if (idle === undefined) return Buffer.allocUnsafe(bytes);
    const memory = idle.pop();
    if (memory === undefined) {
      const made = Buffer.allocUnsafeSlow(size);
      leases.set(made.buffer, { pool: this, holders: 1 });
      return made.subarray(0, bytes);
    }
    this.#idleBytes -= size;
    leases.get(memory)!.holders = 1;
    return Buffer.from(memory, 0, bytes);
  }

  /** Of this pool, and nobody's now. */
  keep(memory: ArrayBufferLike): void {
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

/** One more looks at what `bytes` lies in, until it releases it. */
export function holdMemory({ buffer: memory }: Buffer): void {
  const lease = leases.get(memory);
  if (lease === undefined) return;
  invariant(lease.holders > 0, 'idle memory is held by nobody', { bytes: memory.byteLength });
  lease.holders += 1;
}

/** One who took or held it looks at it no more. */
export function releaseMemory({ buffer: memory }: Buffer): void {
  const lease = leases.get(memory);
  if (lease !== undefined) release(memory, lease);
}

/** Makes the caller's hold a loan, noted in `lent`; nothing if it cannot be used again. */
export function lendMemory({ buffer: memory }: Buffer, lent: Loan[]): void {
  const lease = leases.get(memory);
  if (lease === undefined) return;
  let isLent = true;
  const giveBack = (): void => {
    invariant(isLent, 'memory is given back once', { bytes: memory.byteLength });
    isLent = false;
    release(memory, lease);
  };
  lent.push({ memory, giveBack });
}

/** Ends all these loans. */
export function giveBackAll(lent: Loan[]): void {
  for (const loan of lent.splice(0)) loan.giveBack();
}

/** What `bytes` keeps from other uses. */
export function occupiedBytes(bytes: Buffer): number {
  return leases.has(bytes.buffer) ? bytes.buffer.byteLength : bytes.length;
}

function release(memory: ArrayBufferLike, lease: Lease): void {
  invariant(lease.holders > 0, 'memory is released once by each who holds it', { bytes: memory.byteLength });
  lease.holders -= 1;
  if (lease.holders === 0) lease.pool.keep(memory);
}
