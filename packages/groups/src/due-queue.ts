/** Which key is due next: a binary heap in which every key stands once and may be moved. Ties go to who was set first. */

interface Entry {
  readonly key: string;
  dueMs: number;
  order: number;
}

export class DueQueue {
  readonly #heap: Entry[] = [];
  readonly #positions = new Map<string, number>();
  #order = 0;

  /** Infinity for an empty queue. */
  get nextMs(): number {
    return this.#heap[0]?.dueMs ?? Number.POSITIVE_INFINITY;
  }

  /** Sets when `key` is due; Infinity takes it out. */
  set(key: string, dueMs: number): void {
    const position = this.#positions.get(key);
    if (dueMs === Number.POSITIVE_INFINITY) {
      if (position !== undefined) this.#removeAt(position);
      return;
    }
    if (position === undefined) {
      this.#heap.push({ key, dueMs, order: this.#order++ });
      this.#positions.set(key, this.#heap.length - 1);
      this.#rise(this.#heap.length - 1);
      return;
    }
    const entry = this.#heap[position]!;
    if (entry.dueMs === dueMs) return;
    entry.dueMs = dueMs;
    entry.order = this.#order++;
    this.#sink(this.#rise(position));
  }

  /** Takes out the first key if it is due. */
  takeDue(nowMs: number): string | undefined {
    const first = this.#heap[0];
    if (first === undefined || first.dueMs > nowMs) return undefined;
    this.#removeAt(0);
    return first.key;
  }

  delete(key: string): void {
    this.set(key, Number.POSITIVE_INFINITY);
  }

  #removeAt(position: number): void {
    const removed = this.#heap[position]!;
    const last = this.#heap.pop()!;
    this.#positions.delete(removed.key);
    if (last === removed) return;
    this.#place(last, position);
    this.#sink(this.#rise(position));
  }

  #rise(start: number): number {
    const entry = this.#heap[start]!;
    let position = start;
    while (position > 0) {
      const above = (position - 1) >> 1;
      if (!isBefore(entry, this.#heap[above]!)) break;
      this.#place(this.#heap[above]!, position);
      position = above;
    }
    this.#place(entry, position);
    return position;
  }

  #sink(start: number): void {
    const entry = this.#heap[start]!;
    let position = start;
    for (;;) {
      let below = position * 2 + 1;
      if (below >= this.#heap.length) break;
      if (below + 1 < this.#heap.length && isBefore(this.#heap[below + 1]!, this.#heap[below]!)) below++;
      if (!isBefore(this.#heap[below]!, entry)) break;
      this.#place(this.#heap[below]!, position);
      position = below;
    }
    this.#place(entry, position);
  }

  #place(entry: Entry, position: number): void {
    this.#heap[position] = entry;
    this.#positions.set(entry.key, position);
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order);
}
