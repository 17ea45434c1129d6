/** A violation: what was broken, when, under which seed, and what each process did last. Prints itself for people. */
import type { TracedEvent } from './trace.ts';

export interface FailureFacts {
  readonly seed: number;
  readonly atMs: number;
  /** Events until then. */
  readonly eventCount: number;
  /** The process whose event it was; empty for the world's own. */
  readonly process: string;
  readonly last: ReadonlyMap<string, readonly TracedEvent[]>;
}

/** The world itself cannot go on: no promise is broken by that, but nothing can be said of the seed. */
export const TIME_STANDS_STILL = 'time stands still: events beget events without end';

export class SimulationFailure extends Error {
  override readonly name = 'SimulationFailure';
  /** What was broken, in a form that is equal for equal failures: the name of an invariant, or the text of an error. */
  readonly violation: string;
  readonly facts: FailureFacts;

  constructor(violation: string, facts: FailureFacts, options?: ErrorOptions) {
    const where = facts.process === '' ? '' : ` in ${facts.process}`;
    super(`seed ${facts.seed} at ${facts.atMs.toFixed(3)} ms${where}: ${violation}`, options);
    this.violation = violation;
    this.facts = facts;
  }

  /** The last events of each process, one a line. */
  report(): string {
    const lines: string[] = [this.message];
    for (const [process, events] of this.facts.last) {
      lines.push(`${process === '' ? 'world' : process}:`);
      for (const event of events) lines.push(`  ${formatTraced(event)}`);
    }
    if (this.cause instanceof Error && this.cause.stack !== undefined) lines.push(this.cause.stack);
    return lines.join('\n');
  }
}

export function formatTraced({ atMs, kind, fact, more }: TracedEvent): string {
  const facts = [fact, more].filter((item) => item !== 0).join(' ');
  return `${atMs.toFixed(3).padStart(12)} ${kind}${facts === '' ? '' : ` ${facts}`}`;
}
