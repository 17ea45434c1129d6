/** What `npm run simulate` needs of a world: one seed in, what came of it out. A violation is thrown. Shapes only. */
import type { FaultClass } from '../world/fault-plan.ts';
import type { TracedEvent } from '../world/trace.ts';

export interface SeedOptions {
  /** Exactly these kinds of fault; without it, the seed draws them. */
  readonly only?: readonly FaultClass[];
  /** Of the phase with faults; without it, as long as the world's own seeds are. */
  readonly faultsMs?: number;
  /** At most so many clients. */
  readonly clientsMax?: number;
  /** Whether there are groups of consumers; without it, the seed decides. */
  readonly hasGroups?: boolean;
  /** Whether there are members of the classic protocol; without it, the seed decides. */
  readonly hasClassic?: boolean;
  /** Sees every noted event as it comes. */
  readonly onTraced?: (process: string, event: TracedEvent) => void;
}

export interface Outcome {
  /** As `--faults` takes them. */
  readonly faults: string;
  readonly virtualMs: number;
  readonly events: number;
  /** Of everything that happened, in order: equal for equal seeds, or the simulator is broken. */
  readonly hash: string;
  /** What was promised to clients and found kept. */
  readonly acknowledged: number;
  /** Whatever else the world counts, summed over seeds in the report. */
  readonly counts?: Readonly<Record<string, number>>;
}

export interface SimulatedWorld {
  readonly about: string;
  /** Length of the phase with faults if nothing else is asked for. */
  readonly faultsMs: number;
  /** @throws {SimulationFailure} */
  run(seed: number, options: SeedOptions): Promise<Outcome>;
}
