/** While a world runs, what production code throws and nobody catches is the world's to judge, not the host's. */

type Listener = (error: unknown) => void;
const EVENTS = ['uncaughtException', 'unhandledRejection'] as const;

export class UncaughtErrors {
  static #isTaken = false;
  readonly #onError: Listener;
  readonly #former: (readonly [event: string, listeners: readonly Listener[]])[];

  /** @throws {Error} if another world runs in this thread: their events must not mix. */
  constructor(onError: Listener) {
    if (UncaughtErrors.#isTaken) throw new Error('one world runs at a time in a thread');
    UncaughtErrors.#isTaken = true;
    this.#onError = (error) => onError(error);
    this.#former = EVENTS.map((event) => [event, process.listeners(event as 'exit') as Listener[]]);
    for (const event of EVENTS) {
      process.removeAllListeners(event);
      process.on(event, this.#onError);
    }
  }

  /** Gives them back to whom they belonged. */
  close(): void {
    UncaughtErrors.#isTaken = false;
    for (const [event, listeners] of this.#former) {
      process.off(event, this.#onError);
      for (const listener of listeners) process.on(event, listener);
    }
  }
}
