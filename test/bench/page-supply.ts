/**
 * Memory for what a row writes. A virtual machine's memory may be lent: what is free for two seconds goes back to the
 * host, and its next use costs a fault there, so that appending runs at a tenth of its speed and takes ten times the CPU.
 * A row would then measure how fast a host gives memory out. So memory is held before the row begins and let go as the
 * row writes, a little ahead of it: what is written lands in pages that were free for a moment only.
 */
import {
  closeSync,
  existsSync,
  ftruncateSync,
  openSync,
  readdirSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { freemem } from 'node:os';
import { join } from 'node:path';

/** Files here are memory, and truncating one frees it at once. */
const MEMORY_FOLDER = '/dev/shm';
const PIECE_BYTES = 8 * 1024 * 1024;
/** Of the memory that is free: the rest is for those who are measured, and for others. */
const SHARE_MAX = 0.3;
const LEAD_BYTES = 384 * 1024 * 1024;
const STEP_MS = 50;

export class PageSupply implements Disposable {
  readonly #path = join(MEMORY_FOLDER, `millrace-bench-${process.pid}`);
  #fd: number | undefined;
  #heldBytes = 0;
  #timer: NodeJS.Timeout | undefined;

  /** Takes and holds up to `wantedBytes`; less if there is less, or nowhere to hold it. */
  constructor(wantedBytes: number) {
    if (!existsSync(MEMORY_FOLDER)) return;
    const piece = Buffer.alloc(PIECE_BYTES, 7);
    const bytes = Math.min(wantedBytes, freemem() * SHARE_MAX);
    this.#fd = openSync(this.#path, 'w');
    // Nobody finds it, and it goes with this process.
    unlinkSync(this.#path);
    try {
      while (this.#heldBytes < bytes) this.#heldBytes += writeSync(this.#fd, piece);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    }
  }

  /** From now on memory is let go as the files in `folder` grow. */
  follow(folder: string): void {
    if (this.#fd === undefined) return;
    const startBytes = this.#heldBytes;
    const beforeBytes = sizeOf(folder);
    this.#timer = setInterval(() => {
      this.#hold(startBytes - LEAD_BYTES - (sizeOf(folder) - beforeBytes));
    }, STEP_MS);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #hold(bytes: number): void {
    const keptBytes = Math.max(0, bytes);
    if (this.#fd === undefined || keptBytes >= this.#heldBytes) return;
    ftruncateSync(this.#fd, keptBytes);
    this.#heldBytes = keptBytes;
  }
}

/** Of all that lies below a folder, in bytes; 0 if a folder in it goes away at this moment. */
function sizeOf(folder: string): number {
  let bytes = 0;
  try {
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) bytes += statSync(join(entry.parentPath, entry.name)).size;
    }
  } catch {
    return 0;
  }
  return bytes;
}
