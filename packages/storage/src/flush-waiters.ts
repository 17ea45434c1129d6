/** Those who wait until a log is durable up to some offset. Never calls anybody twice. */
import { Deferred } from '@millrace/core';

export class FlushWaiters {
  /** Ascending offsets. */
  #waiters: { readonly offset: number; readonly done: Deferred<void> }[] = [];

  add(offset: number): Promise<void> {
    const waiter = { offset, done: new Deferred<void>() };
    const after = this.#waiters.findLastIndex((other) => other.offset <= offset);
    this.#waiters.splice(after + 1, 0, waiter);
    return waiter.done.promise;
  }

  flushed(offset: number): void {
    while (this.#waiters.length > 0 && this.#waiters[0]!.offset <= offset) {
      this.#waiters.shift()!.done.resolve();
    }
  }

  /** Those who wait for more than `offset` wait in vain. */
  failed(error: unknown, offset = -1): void {
    const failed = this.#waiters.filter((waiter) => waiter.offset > offset);
    this.#waiters = this.#waiters.filter((waiter) => waiter.offset <= offset);
    for (const { done } of failed) done.reject(error);
  }
}
