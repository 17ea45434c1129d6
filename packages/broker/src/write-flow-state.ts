/**
 * Whether the log of a coordinator takes writes, as its members feel it. While it does not, their heartbeats are refused
 * or unanswered, so their silence is not their fault. Pure: told the time and the facts, never looks.
 */

/** Shorter than any sensible session: a stop of less than this cannot have made anybody late. */
export const STALL_MIN_MS = 1000;

export interface WriteFacts {
  /** A write would be accepted now. */
  readonly isWritable: boolean;
  /** When the oldest write that has not committed was appended; undefined for none. */
  readonly waitingSinceMs: number | undefined;
}

/** `resumed` is said once, at the end of a stall: sessions begin anew. */
export type WriteFlow = 'flowing' | 'stalled' | 'resumed';

export class WriteFlowState {
  #stoppedSinceMs: number | undefined;

  get isStalled(): boolean {
    return this.#stoppedSinceMs !== undefined;
  }

  observe({ isWritable, waitingSinceMs }: WriteFacts, nowMs: number): WriteFlow {
    const stoppedSinceMs = this.#stoppedSinceMs;
    if (!isWritable || nowMs - (waitingSinceMs ?? nowMs) >= STALL_MIN_MS) {
      this.#stoppedSinceMs = Math.min(stoppedSinceMs ?? nowMs, waitingSinceMs ?? nowMs);
      return 'stalled';
    }
    this.#stoppedSinceMs = undefined;
    return nowMs - (stoppedSinceMs ?? nowMs) >= STALL_MIN_MS ? 'resumed' : 'flowing';
  }
}
