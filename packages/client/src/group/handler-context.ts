/**
 * Whether a call comes from inside the very handler, or loop, that a consumer would have to wait for. Follows the
 * program's asynchronous calls; never changes what they do.
 */
import { AsyncLocalStorage } from 'node:async_hooks';

interface Surroundings {
  readonly consumer: object;
  readonly outer: Surroundings | undefined;
}

const surroundings = new AsyncLocalStorage<Surroundings | undefined>();

/** Calls a handler of this consumer. */
export function runInside<T>(consumer: object, handler: () => T): T {
  return surroundings.run({ consumer, outer: surroundings.getStore() }, handler);
}

/** From here on the caller works on what this consumer has handed out. */
export function enterInside(consumer: object): void {
  if (!isInside(consumer)) surroundings.enterWith({ consumer, outer: surroundings.getStore() });
}

/** Calls as if from nowhere: what is called may wait for any handler. */
export function runOutside<T>(call: () => T): T {
  return surroundings.exit(call);
}

export function isInside(consumer: object): boolean {
  for (let at = surroundings.getStore(); at !== undefined; at = at.outer) {
    if (at.consumer === consumer) return true;
  }
  return false;
}
