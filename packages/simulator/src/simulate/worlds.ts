/** The worlds that there are, by name. A world is loaded only when it is asked for. */
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

export const WORLD_NAMES = Object.keys(LOADERS) as WorldName[];

export function isWorldName(name: string): name is WorldName {
  return Object.hasOwn(LOADERS, name);
}

export function loadWorld(name: WorldName): Promise<SimulatedWorld> {
  return LOADERS[name]();
}
