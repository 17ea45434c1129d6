/** The Raft driver and the controller that decides cluster metadata. */
export { type QuorumConfig, quorumConfig } from './quorum-config.ts';
export type {
  CommittedRecord,
  LeadershipEvent,
  QuorumStateMachine,
  RaftTransport,
} from './quorum-ports.ts';
export type { RaftStore, RaftStoreWrite } from './raft-store.ts';
