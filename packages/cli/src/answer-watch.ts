/**
 * Tells somebody who waits what is being waited for: once a command, when a cluster has not answered for a while. The
 * call itself is left as it is; its end, good or bad, ends the watch.
 */
import type { Clock, Timer } from '@millrace/core';
import type { AdminClient } from './cluster-client.ts';

const SILENCE_MS = 2_000;

export class AnswerWatch {
  readonly #clock: Clock;
  readonly #tell: () => void;
  #timer: Timer | undefined;
  #isDone = false;
  #running = 0;

  constructor(clock: Clock, tell: () => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  /** The same admin, its calls watched. */
  over(admin: AdminClient): AdminClient {
    return new Proxy(admin, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== 'function') return member;
        return (...args: unknown[]) => this.#watch(Reflect.apply(member, target, args));
      },
    });
  }

  close(): void {
    this.#isDone = true;
    this.#timer?.cancel();
  }

  #watch(answer: unknown): unknown {
    if (!(answer instanceof Promise) || this.#isDone) return answer;
    this.#running += 1;
    this.#timer ??= this.#clock.schedule(SILENCE_MS, () => {
      this.#isDone = true;
      this.#tell();
    });
    const ended = (): void => {
      this.#running -= 1;
      if (this.#running > 0) return;
      this.#timer?.cancel();
      this.#timer = undefined;
    };
    answer.then(ended, ended);
    return answer;
  }
}
