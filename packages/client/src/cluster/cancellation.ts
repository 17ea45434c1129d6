/** Abort signals and time limits around promises. What is given up goes on in the background, its result unheard. */
import { setMaxListeners } from 'node:events';
import { type Clock, MillraceError, type Timer } from '@millrace/core';

export interface Limits {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export function cancelled(signal: AbortSignal): MillraceError {
  return new MillraceError('CANCELLED', undefined, { cause: signal.reason });
}

/** @throws {MillraceError} CANCELLED if the signal has aborted. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw cancelled(signal);
}

/** Calls back when the signal aborts, at once if it has. Returns what takes the listener away again. */
export function onAbort(
  signal: AbortSignal | undefined,
  callback: (error: MillraceError) => void,
): () => void {
  if (signal === undefined) return () => {};
  if (signal.aborted) {
    callback(cancelled(signal));
    return () => {};
  }
  const listener = (): void => callback(cancelled(signal));
  // One signal for many calls is normal use, not a leak: every listener is taken away again.
  setMaxListeners(0, signal);
  signal.addEventListener('abort', listener, { once: true });
  return () => signal.removeEventListener('abort', listener);
}

/**
 * A signal that aborts as soon as one of the two does, until `release`. `AbortSignal.any` knows no such end: what listens to
 * it stays in memory for as long as nothing aborts.
 */
export function eitherOf(
  first: AbortSignal,
  second: AbortSignal,
): { readonly signal: AbortSignal; release(): void } {
  const either = new AbortController();
  const leave = [first, second].map((each) => onAbort(each, () => either.abort(each.reason)));
  return {
    signal: either.signal,
    release: () => {
      for (const stopListening of leave) stopListening();
    },
  };
}

/** The promise's result, or CANCELLED, or what `onTimeout` makes of the limit. */
export function withLimits<T>(
  promise: PromiseLike<T>,
  { timeoutMs, signal }: Limits,
  clock: Clock,
  onTimeout: () => MillraceError,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    let timer: Timer | undefined;
    const stopListening = onAbort(signal, (error) => {
      timer?.cancel();
      reject(error);
    });
    if (timeoutMs !== undefined) {
      timer = clock.schedule(timeoutMs, () => {
        stopListening();
        reject(onTimeout());
      });
    }
    const end = (): void => {
      timer?.cancel();
      stopListening();
    };
    promise.then(
      (value) => {
        end();
        resolve(value);
      },
      (error: unknown) => {
        end();
        reject(error);
      },
    );
  });
}

/** Waits, unless the signal aborts first. @throws {MillraceError} CANCELLED. */
export function pause(clock: Clock, delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    let stopListening = (): void => {};
    const timer = clock.schedule(delayMs, () => {
      stopListening();
      resolve();
    });
    stopListening = onAbort(signal, (error) => {
      timer.cancel();
      reject(error);
    });
  });
}
