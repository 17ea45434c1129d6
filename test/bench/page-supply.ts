/**
 * Memory for what a row writes. A virtual machine's memory may be lent: what is free for two seconds goes back to the
 * host, and its next use costs a fault there, so that appending runs at a tenth of its speed and takes ten times the CPU.
 * A row would then measure how fast a host gives memory out. So memory is held before the row begins, as the cached pages
 * of a file, and let go as the row writes, a little ahead of it: what is written lands in pages that were free for a
 * moment only. They must be pages of a file on the same disk: the kernel looks for pieces of the size it needs.
 */
import {
  closeSync,
  fdatasyncSync,
  ftruncateSync,
  openSync,
  readdirSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { freemem } from 'node:os';
import { join } from 'node:path';

const PIECE_BYTES = 8 * 1024 * 1024;
/** Of the memory that is free: the rest is for those who are measured, and for others. */
const SHARE_MAX = 0.3;
const LEAD_BYTES = 96 * 1024 * 1024;
const STEP_MS = 20;

export class PageSupply implements Disposable {
  readonly #fd: number;
  #heldBytes = 0;
  #timer: NodeJS.Timeout | undefined;

  /** Takes and holds up to `wantedBytes`; less if there is less. @param folder on the disk under test. */
  constructor(folder: string, wantedBytes: number) {
    const path = join(folder, 'page-supply');
    this.#fd = openSync(path, 'w');
    unlinkSync(path);
    const piece = Buffer.alloc(PIECE_BYTES, 7);
    const bytes = Math.min(wantedBytes, freemem() * SHARE_MAX);
    while (this.#heldBytes < bytes) this.#heldBytes += writeSync(this.#fd, piece);
    // Else the row would share the kernel's limit of unwritten pages, and the disk, with it.
    fdatasyncSync(this.#fd);
  }

  /** From now on memory is let go as the files in `folder` grow. */
  follow(folder: string): void {
    const startBytes = this.#heldBytes;
    const beforeBytes = sizeOf(folder);
    this.#timer = setInterval(() => {
      this.#hold(startBytes - LEAD_BYTES - (sizeOf(folder) - beforeBytes));
    }, STEP_MS);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    closeSync(this.#fd);
  }

  #hold(bytes: number): void {
    const keptBytes = Math.max(0, bytes);
    if (keptBytes >= this.#heldBytes) return;
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
