/** What a job may do besides its work. */
import type { AckGap } from './job.ts';

export interface JobContext {
  /** The warm-up is over: CPU counts from here. */
  begin(): void;
  /** CPU counts no longer. */
  measured(): void;
  /** Aborts when the job is told to stop. */
  readonly stopped: AbortSignal;
  /** Who answers when the parent asks for the longest gap. */
  answerAckGap(answer: (sinceMs: number) => AckGap): void;
}
