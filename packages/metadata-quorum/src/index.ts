/** The Raft driver and the controller that decides cluster metadata. */
export { Controller, type ControllerOptions, type ControllerQuorum } from './controller.ts';
export type {
  ControllerApi,
  MetadataFollower,
  MetadataLogEntry,
  MetadataLogFollower,
  SessionToken,
  Unsubscribe,
} from './controller-api.ts';
export { type ControllerConfig, controllerConfig } from './controller-config.ts';
export { LevelRaftStore } from './level-raft-store.ts';
export { MemoryRaftStore } from './memory-raft-store.ts';
export { MetadataQuorum, type MetadataQuorumOptions } from './metadata-quorum.ts';
export { type QuorumConfig, quorumConfig } from './quorum-config.ts';
export type {
  CommittedRecord,
  LeadershipEvent,
  QuorumPeer,
  QuorumStateMachine,
  RaftTransport,
} from './quorum-ports.ts';
export type { QuorumPosition, QuorumReplicaStatus, QuorumStatus } from './quorum-status.ts';
export type { RaftStore, RaftStoreWrite } from './raft-store.ts';
export { startController } from './start-controller.ts';
export type { VoterRequest } from './voter-change.ts';
