/**
 * The log in memory: everything after the last compaction. Never knows what is durable or committed;
 * callers guard truncation and compaction.
 */
import { invariant, ownCopy } from '@millrace/core';
import type { Entry } from './raft-message.ts';

export class RaftLog {
  #startIndex: number;
  #startTerm: number;
  #entries: Entry[];

  /** `startIndex`, `startTerm`: of the entry before the first one kept. */
  constructor(startIndex: number, startTerm: number, entries: readonly Entry[]) {
    this.#startIndex = startIndex;
    this.#startTerm = startTerm;
    this.#entries = [];
    this.append(entries);
  }

  get startIndex(): number {
    return this.#startIndex;
  }

  get lastIndex(): number {
    return this.#startIndex + this.#entries.length;
  }

  get lastTerm(): number {
    return this.#entries.at(-1)?.term ?? this.#startTerm;
  }

  /** The term of an entry; undefined where the log does not reach. */
  termAt(index: number): number | undefined {
    if (index === this.#startIndex) return this.#startTerm;
    return this.#entries[index - this.#startIndex - 1]?.term;
  }

  /** Raft §5.4.1: is a log with this last entry at least as new as this one? */
  isAtMost(lastIndex: number, lastTerm: number): boolean {
    return lastTerm > this.lastTerm || (lastTerm === this.lastTerm && lastIndex >= this.lastIndex);
  }

  append(entries: readonly Entry[]): void {
    let term = this.lastTerm;
    for (const entry of entries) {
      invariant(entry.index === this.lastIndex + 1, 'the log has no gaps', {
        index: entry.index,
        lastIndex: this.lastIndex,
      });
      invariant(entry.term >= term, 'terms never decrease along the log', {
        index: entry.index,
        term: entry.term,
        previous: term,
      });
      term = entry.term;
      // It stays until a snapshot, however large the message was that it came in.
      this.#entries.push({ ...entry, data: ownCopy(entry.data) });
    }
  }

  /** Removes `index` and everything after it. */
  truncateFrom(index: number): void {
    invariant(index > this.#startIndex && index <= this.lastIndex, 'only what the log holds is truncated', {
      index,
      startIndex: this.#startIndex,
      lastIndex: this.lastIndex,
    });
    this.#entries.length = index - this.#startIndex - 1;
  }

  /** Forgets everything up to `index`, which stays known by its term. */
  compactTo(index: number): void {
    const term = this.termAt(index);
    invariant(term !== undefined, 'only what the log holds is compacted', {
      index,
      lastIndex: this.lastIndex,
    });
    this.#entries = this.#entries.slice(index - this.#startIndex);
    this.#startIndex = index;
    this.#startTerm = term;
  }

  /** Forgets everything; the log goes on after a snapshot. */
  restartAt(index: number, term: number): void {
    invariant(index >= this.#startIndex, 'a log never restarts below its start', {
      index,
      startIndex: this.#startIndex,
    });
    this.#entries = [];
    this.#startIndex = index;
    this.#startTerm = term;
  }

  /** Entries from `first` through `last`, in order. */
  slice(first: number, last: number): readonly Entry[] {
    invariant(first > this.#startIndex && last <= this.lastIndex, 'only what the log holds is read', {
      first,
      last,
      startIndex: this.#startIndex,
      lastIndex: this.lastIndex,
    });
    return this.#entries.slice(first - this.#startIndex - 1, last - this.#startIndex);
  }

  /** Entries from `first` on that hold at most `maxBytes` of data; at least one, if there is one. */
  sliceUpTo(first: number, maxBytes: number): readonly Entry[] {
    invariant(first > this.#startIndex, 'only what the log holds is read', {
      first,
      startIndex: this.#startIndex,
    });
    let bytes = 0;
    let last = first - 1;
    while (last < this.lastIndex) {
      bytes += this.#entries[last - this.#startIndex]!.data.length;
      if (bytes > maxBytes && last >= first) break;
      last++;
    }
    return this.slice(first, last);
  }

  /**
   * The largest index up to `index` whose term is at most `term`: where a log that ends so can still agree
   * with this one. One round then skips a whole term (Raft §5.3, the optimisation at its end).
   */
  lastAgreeingIndex(index: number, term: number): number {
    let candidate = Math.min(index, this.lastIndex);
    while (candidate > this.#startIndex && this.termAt(candidate)! > term) candidate--;
    return candidate;
  }
}
