import { ManualClock, SeededRandom } from '@millrace/core';
import { expect, test } from 'vitest';
import { RefreshSchedule } from './refresh-schedule.ts';

const LIMITS = { retryBackoffMs: 100, retryBackoffMaxMs: 1_000 };

test.each<['ended' | 'failed']>([['ended'], ['failed']])(
  'who asks while a refresh is under way is served once it has %s',
  (how) => {
    const clock = new ManualClock();
    let refreshes = 0;
    const schedule = new RefreshSchedule(clock, new SeededRandom(1), LIMITS, () => {
      refreshes += 1;
      schedule.began();
    });
    schedule.request();
    clock.advance(1);
    expect(refreshes).toBe(1);
    schedule.request();
    clock.advance(30_000);
    expect(refreshes).toBe(1);
    if (how === 'ended') schedule.ended(false);
    else schedule.failed();
    clock.advance(2 * LIMITS.retryBackoffMaxMs);
    expect(refreshes).toBe(2);
  },
);
