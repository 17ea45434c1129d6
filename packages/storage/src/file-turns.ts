/** Work on one log's files that must not overlap: each begins when the one before has ended, whatever came of that. */

export class FileTurns {
  #last: Promise<void> = Promise.resolve();

  run<T>(work: () => Promise<T>): Promise<T> {
    const running = this.#last.then(work);
    this.#last = running.then(
      () => undefined,
      () => undefined,
    );
    return running;
  }

  /** Everything that was begun before has ended. */
  async settled(): Promise<void> {
    await this.#last;
  }
}
