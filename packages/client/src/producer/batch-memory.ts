/**
 * Buffers of batches, used again once the leader has answered. New ones for every batch are what a busy producer's
 * garbage collector spends most of its time on. Pure; keeps no more idle memory than it is told.
 */
import type { BatchMemory } from '@millrace/records';

export class ReusedBatchMemory implements BatchMemory {
  readonly #idleBytesMax: number;
  /** By size. */
  readonly #idle = new Map<number, Buffer[]>();
  #idleBytes = 0;

  constructor(idleBytesMax: number) {
    this.#idleBytesMax = idleBytesMax;
  }

  get idleBytes(): number {
    return this.#idleBytes;
  }

  /** Whether `take` would cost nothing. */
  has(bytes: number): boolean {
    return this.#idle.has(bytes);
  }

  take(bytes: number): Buffer {
    const idle = this.#idle.get(bytes);
    // Not from the pool of small buffers: those share memory.
    if (idle === undefined) return Buffer.allocUnsafeSlow(bytes);
    const buffer = idle.pop()!;
    if (idle.length === 0) this.#idle.delete(bytes);
    this.#idleBytes -= bytes;
    return buffer;
  }

  giveBack(buffer: Buffer): void {
    const bytes = buffer.length;
    if (this.#idleBytes + bytes > this.#idleBytesMax) return;
    this.#idleBytes += bytes;
    const idle = this.#idle.get(bytes);
    if (idle === undefined) this.#idle.set(bytes, [buffer]);
    else idle.push(buffer);
  }
}
