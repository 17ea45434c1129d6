/**
 * A file of real blocks made ahead of its use, beside other work on the disk. A sync that must also allocate blocks
 * waits for the file system's own journal, and with it for whatever else the disk is doing; and blocks that are not
 * allocated yet may be gone when they are needed. Never touches a file that holds records.
 */
import { type Clock, Deferred } from '@millrace/core';
import type { FileSystem } from './file-system.ts';

const STEP_BYTES = 1024 * 1024;
/** Between steps: appends share the disk with them. */
const PAUSE_MS = 10;

export interface FilePreparationOptions {
  readonly fileSystem: FileSystem;
  readonly clock: Clock;
  readonly path: string;
  readonly sizeBytes: number;
}

export class FilePreparation {
  /** Whether the file is ready; rejects with the disk's error. What is left of it then is the caller's to remove. */
  readonly done: Promise<boolean>;
  readonly #options: FilePreparationOptions;
  #isStopped = false;
  #pause = new Deferred<void>();

  constructor(options: FilePreparationOptions) {
    this.#options = options;
    this.done = this.#write();
  }

  stop(): void {
    this.#isStopped = true;
    this.#pause.resolve();
  }

  async #write(): Promise<boolean> {
    const { fileSystem, path, sizeBytes } = this.#options;
    const zeros = Buffer.alloc(Math.min(STEP_BYTES, sizeBytes));
    const file = fileSystem.openSync(path, { create: true });
    try {
      for (let at = 0; at < sizeBytes && !this.#isStopped; at += zeros.length) {
        await file.write([zeros.subarray(0, sizeBytes - at)], at);
        await file.datasync();
        await this.#rest();
      }
    } finally {
      file.closeSync();
    }
    return !this.#isStopped;
  }

  async #rest(): Promise<void> {
    if (this.#isStopped) return;
    this.#pause = new Deferred();
    const timer = this.#options.clock.schedule(PAUSE_MS, () => this.#pause.resolve());
    await this.#pause.promise;
    timer.cancel();
  }
}
