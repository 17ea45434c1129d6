/**
 * What may be done in one turn of the process besides waiting: a few bytes can ask for a lot of work, and others wait
 * until it is done. Only counts; whoever works asks before.
 */
import type { Defer } from './defer.ts';

export class TurnBudget {
  readonly #limit: number;
  readonly #defer: Defer;
  readonly #renewed: () => void;
  #spent = 0;
  #isRenewalDue = false;

  /** @param renewed hears that a turn is over in which something was spent. */
  constructor(limit: number, defer: Defer, renewed: () => void) {
    this.#limit = limit;
    this.#defer = defer;
    this.#renewed = renewed;
  }

  /** One piece of work may go beyond the limit; the next one waits for another turn. */
  get isSpent(): boolean {
    return this.#spent >= this.#limit;
  }

  spend(amount: number): void {
    this.#spent += amount;
    if (this.#isRenewalDue) return;
    this.#isRenewalDue = true;
    this.#defer(() => {
      this.#isRenewalDue = false;
      this.#spent = 0;
      this.#renewed();
    });
  }
}
