/** How much may wait for an answer at a time, and who is told when there is room again. Only counts. */
export class RequestBudget {
  readonly #limit: number;
  #held = 0;
  #room: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get held(): number {
    return this.#held;
  }

  /** @returns false, with nothing taken, when too much is held. One request may exceed the limit: or it never fits. */
  take(cost: number): boolean {
    if (this.#held >= this.#limit) return false;
    this.#held += cost;
    return true;
  }

  release(cost: number): void {
    this.#held -= cost;
    if (this.#room === undefined || !this.#hasRoom()) return;
    this.#room.resolve();
    this.#room = undefined;
  }

  /** Undefined while there is room; half of the budget is kept for those who do not ask. */
  room(): Promise<void> | undefined {
    if (this.#hasRoom()) return undefined;
    if (this.#room === undefined) {
      let resolve!: () => void;
      const promise = new Promise<void>((settle) => {
        resolve = settle;
      });
      this.#room = { promise, resolve };
    }
    return this.#room.promise;
  }

  #hasRoom(): boolean {
    return this.#held * 2 < this.#limit;
  }
}
