/** How much may wait for an answer at a time, and who is told when there is room again. Only counts. */
import { Room } from './room.ts';

export class RequestBudget {
  readonly #limit: number;
  readonly #room = new Room(() => this.#held * 2 < this.#limit);
  #held = 0;

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
    this.#room.look();
  }

  /** Undefined while there is room; half of the budget is kept for those who do not ask. */
  room(): Promise<void> | undefined {
    return this.#room.wait();
  }
}
