/** Whole clusters of production code in one thread, under virtual time, with faults from a seed. Never part of a release. */

export {
  type CrashChoices,
  DROP_ALL,
  EveryChoice,
  KEEP_ALL,
  type PendingWrite,
  RandomChoices,
  type TornWrite,
  type WriteFate,
} from './disk/crash-choices.ts';
export {
  type DiskFault,
  type DiskFaultRates,
  type DiskFaults,
  type DiskOperation,
  NO_FAULTS,
  NO_RATES,
  SeededDiskFaults,
} from './disk/disk-faults.ts';
export { extentOf, FaultAtlas, WHOLE_DISK } from './disk/fault-atlas.ts';
export { SimDisk, type SimDiskOptions } from './disk/sim-disk.ts';
export { SimRaftDisk, type SimRaftDiskOptions, type SimRaftStore } from './disk/sim-raft-store.ts';
export {
  ClientHistory,
  type Polled,
  type PolledRecord,
  type SendOutcome,
  type Sent,
} from './history/client-history.ts';
export { ANOMALIES, type Anomaly, type AnomalyKind, findAnomalies } from './history/find-anomalies.ts';
export {
  type Call,
  checkLinearizability,
  type Linearizability,
  type SequentialModel,
} from './history/linearizability.ts';
export { CALM_LINK, Link, type LinkSettings } from './network/link.ts';
export { linkSettings, NetworkFaults, rpcOptions } from './network/network-faults.ts';
export { type Blockage, type Direction, type LinkWatcher, SimNetwork } from './network/sim-network.ts';
export {
  SimRaftDirectory,
  type SimRaftDirectoryOptions,
  SimRaftTransport,
} from './network/sim-raft-transport.ts';
export { SimRpcNetwork, type SimRpcOptions } from './network/sim-rpc-network.ts';
export { runStorageWorld, type StorageWorldOptions } from './storage/storage-world.ts';
export {
  FAULT_CLASSES,
  type FaultClass,
  FaultPlan,
  type FaultPlanOptions,
  parseFaultClasses,
} from './world/fault-plan.ts';
export { ProcessFaults, type ProcessFaultTargets } from './world/process-faults.ts';
export { HardwareClock, SimClock, WALL_ORIGIN_MS } from './world/sim-clock.ts';
export { simLogger } from './world/sim-logger.ts';
export { type Death, type ProcessWatcher, SimLife, SimProcess } from './world/sim-process.ts';
export { type FailureFacts, formatTraced, SimulationFailure } from './world/simulation-failure.ts';
export { type Fact, Trace, type TracedEvent } from './world/trace.ts';
export { type RandomStreams, World, type WorldOptions } from './world/world.ts';
