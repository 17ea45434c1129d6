/** Whole clusters of production code in one thread, under virtual time, with faults from a seed. Never part of a release. */
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
