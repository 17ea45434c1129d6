/** Invariant 57: within twice the fetch and election timeouts from healing the metadata quorum has a leader. */
import type { LivenessInvariant } from '../world/liveness.ts';

export interface QuorumRecovery {
  readonly fetchTimeoutMs: number;
  readonly electionTimeoutMs: number;
  /** Until voters hear each other again. */
  readonly connectMs: number;
  isLed(): boolean;
}

export const leaderAfterHealing: LivenessInvariant<QuorumRecovery> = {
  number: 57,
  name: 'leader-after-healing',
  // An election may need a second try.
  boundMs: ({ fetchTimeoutMs, electionTimeoutMs, connectMs }) =>
    connectMs + 2 * (fetchTimeoutMs + electionTimeoutMs),
  holds: ({ isLed }) => isLed(),
  missing: () => 'no controller leads',
};
