/** Runs one seed of a world, whichever it is, for somebody who only wants to know whether a promise was broken. */
import { SimulationFailure } from '../world/simulation-failure.ts';
import { isBreakDown } from './break-down.ts';

export interface Violation {
  /** What was violated, with the name of the invariant first if one was. */
  readonly text: string;
  /** No promise was broken: the code fell over. */
  readonly isBreakDown: boolean;
}

/** @returns undefined if all went well. */
export type RunSeed = (seed: number) => Promise<Violation | undefined>;

type Campaign = { readonly failures: readonly { readonly error: unknown }[] };

function ofWorld(run: (seed: number) => Promise<unknown>): RunSeed {
  return async (seed) => {
    try {
      await run(seed);
      return undefined;
    } catch (error) {
      return violationOf(error);
    }
  };
}

/** One seed is many runs: a single broken promise among them is enough. */
function ofCampaign<R extends Campaign>(
  newReport: () => R,
  run: (seed: number, report: R) => Promise<void>,
): RunSeed {
  return async (seed) => {
    const report = newReport();
    const errors = await run(seed, report).then(
      () => [],
      (error: unknown) => [error],
    );
    const violations = [...report.failures.map(({ error }) => error), ...errors].map(violationOf);
    return violations.find(({ isBreakDown }) => !isBreakDown) ?? violations[0];
  };
}

function violationOf(error: unknown): Violation {
  const text = error instanceof SimulationFailure ? error.violation : textOf(error);
  return { text, isBreakDown: isBreakDown(error) };
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${textOf(error.cause)}`;
}

/** Imported when asked for: a process that runs one world needs no other. */
const LOADERS = {
  raft: async () => ofWorld((await import('../raft/quorum-simulation.ts')).runQuorumSeed),
  /** The same search for every seed. */
  exhaustive: async () => {
    const { EXHAUSTIVE_STATES } = await import('../exhaustive/exhaustive-options.ts');
    const { DEFAULT_LIMITS, searchQuorums } = await import('../exhaustive/search-quorums.ts');
    return async () => {
      const { violation } = searchQuorums({ ...DEFAULT_LIMITS, statesMax: EXHAUSTIVE_STATES });
      return violation && { text: violation.text, isBreakDown: false };
    };
  },
  partition: async () => ofWorld((await import('../partition/simulate-partition.ts')).simulatePartition),
  groups: async () => {
    const { ClusterSimulation } = await import('../cluster/cluster-simulation.ts');
    return ofWorld((seed) => new ClusterSimulation(seed, { hasGroups: true, hasClassic: false }).run());
  },
  'classic-groups': async () => {
    const { ClusterSimulation } = await import('../cluster/cluster-simulation.ts');
    return ofWorld((seed) => new ClusterSimulation(seed, { hasGroups: true, hasClassic: true }).run());
  },
  commits: async () => {
    const { CommitSimulation } = await import('../commits/commit-simulation.ts');
    return ofWorld((seed) => new CommitSimulation(seed, { hasClassic: false }).run());
  },
  classic: async () => {
    const { CommitSimulation } = await import('../commits/commit-simulation.ts');
    return ofWorld((seed) => new CommitSimulation(seed, { hasClassic: true }).run());
  },
  crashes: async () => {
    const { crashSeed, newCrashReport } = await import('../storage/crash-campaign.ts');
    return ofCampaign(newCrashReport, crashSeed);
  },
  flips: async () => {
    const { flipSeed, newFlipReport } = await import('../storage/flip-campaign.ts');
    return ofCampaign(newFlipReport, flipSeed);
  },
} satisfies Record<string, () => Promise<RunSeed>>;

export type MutantWorld = keyof typeof LOADERS;

export function loadWorld(world: MutantWorld): Promise<RunSeed> {
  return LOADERS[world]();
}

export function isMutantWorld(name: string): name is MutantWorld {
  return Object.hasOwn(LOADERS, name);
}
