/**
 * Turns persist effects into store writes, one at a time and in order. What is issued while a write is in
 * flight is merged into the next one, so that concurrent proposals share a sync. Never retries: the first
 * failure is the last write (Q25).
 */
import { invariant } from '@millrace/core';
import type { RaftEffect } from '@millrace/raft';
import type { RaftStore, RaftStoreWrite } from './raft-store.ts';

type Write = Extract<RaftEffect, { kind: 'persist' | 'saveSnapshot' }>;

export class QuorumWriter {
  readonly #store: RaftStore;
  readonly #onDurable: (id: number) => void;
  readonly #onFailure: (error: unknown) => void;
  #waiting: Write[] = [];
  #running: Promise<void> | undefined;
  #failed = false;

  constructor(store: RaftStore, onDurable: (id: number) => void, onFailure: (error: unknown) => void) {
    this.#store = store;
    this.#onDurable = onDurable;
    this.#onFailure = onFailure;
  }

  get isBusy(): boolean {
    return this.#running !== undefined;
  }

  enqueue(write: Write): void {
    if (this.#failed) return;
    const last = this.#waiting.at(-1);
    invariant(last === undefined || write.id > last.id, 'writes are issued in order', { id: write.id });
    this.#waiting.push(write);
    this.#running ??= this.#run();
  }

  /** Resolves when nothing is in flight or waiting. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  async #run(): Promise<void> {
    // Everything of the present step goes into the first write.
    await Promise.resolve();
    let isDrained = false;
    while (!isDrained) {
      const id = await this.#writeNext().catch((error: unknown) => this.#fail(error));
      isDrained = this.#waiting.length === 0;
      if (isDrained) this.#running = undefined;
      // May issue further writes, and so start the next run.
      if (id !== undefined) this.#onDurable(id);
    }
  }

  #fail(error: unknown): undefined {
    this.#failed = true;
    this.#waiting = [];
    this.#onFailure(error);
  }

  /** @returns the id up to which everything is durable. */
  async #writeNext(): Promise<number> {
    const first = this.#waiting[0]!;
    if (first.kind === 'saveSnapshot') {
      this.#waiting.shift();
      await this.#store.saveSnapshot(first.snapshot, first.compactTo, first.compactTerm);
      return first.id;
    }
    let change: RaftStoreWrite = {};
    let id = first.id;
    for (let next = this.#waiting[0]; next?.kind === 'persist'; next = this.#waiting[0]) {
      this.#waiting.shift();
      change = mergeWrites(change, next);
      id = next.id;
    }
    await this.#store.write(change);
    return id;
  }
}

/** One change that does what `earlier`, then `later` would do. */
export function mergeWrites(earlier: RaftStoreWrite, later: RaftStoreWrite): RaftStoreWrite {
  const hardState = later.hardState ?? earlier.hardState;
  if (later.installSnapshot !== undefined) {
    const { installSnapshot, truncateFrom, entries } = later;
    return { installSnapshot, truncateFrom, entries, hardState };
  }
  const { installSnapshot } = earlier;
  const added = later.entries ?? [];
  const cut = later.truncateFrom;
  if (cut === undefined) {
    const { truncateFrom } = earlier;
    return { installSnapshot, truncateFrom, entries: [...(earlier.entries ?? []), ...added], hardState };
  }
  const kept = (earlier.entries ?? []).filter(({ index }) => index < cut);
  // Entries that the earlier change would have added never reach the disk; only older ones are cut there.
  const truncateFrom = kept.length > 0 ? earlier.truncateFrom : Math.min(earlier.truncateFrom ?? cut, cut);
  return { installSnapshot, truncateFrom, entries: [...kept, ...added], hardState };
}
