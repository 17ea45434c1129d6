/**
 * Invariant 54: no timer is armed on the wall clock. A simulated timer lives on monotonic time, so it follows the wall clock
 * only if its delay was computed from it; then wall clocks that jump change when something happens. Where nothing carries a
 * time of day, as in a metadata quorum, they must change nothing at all: the trace of the seed stays the same.
 */

export const noTimerFollowsTheWallClock = {
  number: 54,
  name: 'no-timer-follows-the-wall-clock',
  /** @param hashes of the traces of one seed: with wall clocks as its faults leave them, and with ones that jump besides. */
  judge(
    { hash, hashWithJumps }: { readonly hash: string; readonly hashWithJumps: string },
    violated: (text: string) => never,
  ): void {
    if (hash !== hashWithJumps) violated(`the trace is ${hash}, and ${hashWithJumps} when wall clocks jump`);
  },
};
