/** Files and folders that are gone by name already and are removed a while later, one timer for all. Best effort. */
import type { Clock, Logger, Timer } from '@millrace/core';
import type { FileSystem } from './file-system.ts';

export class Trash {
  readonly #fileSystem: FileSystem;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #items: { readonly path: string; readonly dueMs: number }[] = [];
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(fileSystem: FileSystem, clock: Clock, logger: Logger) {
    this.#fileSystem = fileSystem;
    this.#clock = clock;
    this.#logger = logger;
  }

  add(paths: readonly string[], delayMs: number): void {
    const dueMs = this.#clock.nowMs() + delayMs;
    for (const path of paths) this.#items.push({ path, dueMs });
    if (paths.length > 0) this.#schedule();
  }

  /** What is left is removed at the next start. */
  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#items = [];
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#items.length === 0) return;
    const dueMs = Math.min(...this.#items.map((item) => item.dueMs));
    this.#timer = this.#clock.schedule(Math.max(0, dueMs - this.#clock.nowMs()), () => {
      this.#timer = undefined;
      const nowMs = this.#clock.nowMs();
      const due = this.#items.filter((item) => item.dueMs <= nowMs).map(({ path }) => path);
      this.#items = this.#items.filter((item) => item.dueMs > nowMs);
      this.#schedule();
      this.#remove(due).catch((error: unknown) => {
        this.#logger.warn({ event: 'removal_failed', err: error }, 'deleted files could not be removed');
      });
    });
  }

  /** The new names come first: a folder that a power loss gives its old name back must not be half empty. */
  async #remove(paths: readonly string[]): Promise<void> {
    const parents = new Set(paths.map((path) => path.slice(0, path.lastIndexOf('/')) || '/'));
    for (const parent of parents) {
      if (this.#fileSystem.statSync(parent) !== undefined) await this.#fileSystem.syncDirectory(parent);
    }
    for (const path of paths) {
      if (this.#isClosed) return;
      this.#fileSystem.removeSync(path);
    }
  }
}
