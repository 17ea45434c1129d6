/** Who waits for room, told once there is some: all wait for one promise. Does not count; whoever counts says when to look. */
import { Deferred } from '@millrace/core';

export class Room {
  readonly #isThere: () => boolean;
  #awaited: Deferred<void> | undefined;

  constructor(isThere: () => boolean) {
    this.#isThere = isThere;
  }

  /** Undefined while there is room. */
  wait(): Promise<void> | undefined {
    if (this.#isThere()) return undefined;
    this.#awaited ??= new Deferred();
    return this.#awaited.promise;
  }

  /** There may be more of it than before. */
  look(): void {
    if (this.#awaited === undefined || !this.#isThere()) return;
    this.#awaited.resolve();
    this.#awaited = undefined;
  }
}
