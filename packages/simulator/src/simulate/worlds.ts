/** The worlds that there are, by name. A world is loaded only when it is asked for. */
import { QUORUM_FAULTS } from '../raft/quorum-faults.ts';
import { FAULT_CLASSES, type FaultClass } from '../world/fault-plan.ts';
import type { SimulatedWorld } from './simulated-world.ts';

const LOADERS = {
  raft: async () => (await import('../raft/raft-world.ts')).raftWorld,
  partition: async () => (await import('../partition/simulated-partition-world.ts')).partitionWorld,
  crashes: async () => (await import('../storage/crash-world.ts')).crashWorld,
  flips: async () => (await import('../storage/flip-world.ts')).flipWorld,
  cluster: async () => (await import('../cluster/cluster-world.ts')).clusterWorld,
  commits: async () => (await import('../commits/commit-world.ts')).commitWorld,
} satisfies Record<string, () => Promise<SimulatedWorld>>;

export type WorldName = keyof typeof LOADERS;

/** What can be asked of a world beside its seed. */
export interface WorldChoices {
  readonly faults: readonly FaultClass[];
  readonly hasFaultsMs: boolean;
  readonly hasClients: boolean;
  readonly hasGroups: boolean;
  readonly hasClassic: boolean;
}

/** A world of its own has no kinds of fault: its seeds are all made of the same trouble. */
const OF_ITS_OWN: WorldChoices = {
  faults: [],
  hasFaultsMs: false,
  hasClients: false,
  hasGroups: false,
  hasClassic: false,
};

export const WORLD_CHOICES: Readonly<Record<WorldName, WorldChoices>> = {
  raft: { ...OF_ITS_OWN, faults: QUORUM_FAULTS, hasFaultsMs: true },
  partition: { ...OF_ITS_OWN, faults: FAULT_CLASSES, hasFaultsMs: true, hasClients: true },
  cluster: { faults: FAULT_CLASSES, hasFaultsMs: true, hasClients: true, hasGroups: true, hasClassic: true },
  commits: { ...OF_ITS_OWN, hasFaultsMs: true, hasClassic: true },
  crashes: OF_ITS_OWN,
  flips: OF_ITS_OWN,
};

export const WORLD_NAMES = Object.keys(LOADERS) as WorldName[];

export function isWorldName(name: string): name is WorldName {
  return Object.hasOwn(LOADERS, name);
}

export function loadWorld(name: WorldName): Promise<SimulatedWorld> {
  return LOADERS[name]();
}
