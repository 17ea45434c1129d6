import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { eitherOf } from './cancellation.ts';

describe('a signal that follows two', () => {
  it('aborts with whichever aborts first, for the same reason', () => {
    for (const index of [0, 1]) {
      const two = [new AbortController(), new AbortController()] as const;
      const { signal } = eitherOf(two[0].signal, two[1].signal);
      two[index]!.abort('enough');
      expect([signal.aborted, signal.reason]).toEqual([true, 'enough']);
    }
  });

  it('has aborted already if one of them has', () => {
    const other = new AbortController();
    expect(eitherOf(AbortSignal.abort(), other.signal).signal.aborted).toBe(true);
  });

  it('leaves nothing behind on either once it is released', () => {
    const [first, second] = [new AbortController(), new AbortController()];
    const { signal, release } = eitherOf(first.signal, second.signal);
    release();
    first.abort();
    expect(signal.aborted).toBe(false);
    expect(getEventListeners(second.signal, 'abort')).toEqual([]);
  });
});
