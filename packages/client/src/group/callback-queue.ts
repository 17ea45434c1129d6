/** Calls the program's callbacks one after another, marks their surroundings, and keeps what they throw for the reader. */
import { type Clock, MillraceError, type TopicPartition } from '@millrace/core';
import { withLimits } from '../cluster/cancellation.ts';
import { runInside } from './handler-context.ts';

export class CallbackQueue {
  readonly #owner: object;
  readonly #clock: Clock;
  readonly #limitMs: number;
  #last: Promise<void> = Promise.resolve();
  #error: unknown;
  #isRunning = false;

  /** Nobody waits longer than `limitMs` for one callback. */
  constructor(owner: object, clock: Clock, limitMs: number) {
    this.#owner = owner;
    this.#clock = clock;
    this.#limitMs = limitMs;
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Resolves when it has been called and is done, or has thrown. An empty list is no news. */
  call(
    callback: ((partitions: readonly TopicPartition[]) => void | Promise<void>) | undefined,
    partitions: readonly TopicPartition[],
  ): Promise<void> {
    if (callback === undefined || partitions.length === 0) return this.#last;
    this.#last = this.#last.then(() => this.#run(callback, partitions));
    return this.#last;
  }

  /** Throws what a callback has thrown, once. */
  throwError(): void {
    const error = this.#error;
    if (error === undefined) return;
    this.#error = undefined;
    throw error;
  }

  async #run(
    callback: (partitions: readonly TopicPartition[]) => void | Promise<void>,
    partitions: readonly TopicPartition[],
  ): Promise<void> {
    this.#isRunning = true;
    const named = partitions.map(({ topic, partition }) => ({ topic, partition }));
    try {
      await withLimits(
        runInside(this.#owner, async () => callback(named)),
        { timeoutMs: this.#limitMs },
        this.#clock,
        () => new MillraceError('REQUEST_TIMED_OUT', 'a callback of the group did not return in time'),
      );
    } catch (error) {
      this.#error ??= error;
    } finally {
      this.#isRunning = false;
    }
  }
}
