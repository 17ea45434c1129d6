/** Whole clusters of production code in one thread, under virtual time, with faults from a seed. Never part of a release. */
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
