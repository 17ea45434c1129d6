/** Waiting with a limit, on an injected clock. */
import type { Clock } from '@millrace/core';

/** Resolves when `event` does or `limitMs` has passed, whichever comes first; the caller looks which. */
export async function within(clock: Clock, limitMs: number, event: Promise<void>): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const timer = clock.schedule(limitMs, resolve);
    event.then(resolve, reject).finally(() => timer.cancel());
  });
}
