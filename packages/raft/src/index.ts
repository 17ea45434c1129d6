/** Consensus as a pure state machine: events in, effects out. */
export {
  BLANK_HARD_STATE,
  BLANK_STATE,
  type DurableState,
  type HardState,
  type Snapshot,
} from './durable-state.ts';
export { DEFAULT_RAFT_CONFIG, type RaftConfig } from './raft-config.ts';
export type { Persist, RaftEffect, Refusal, Role, VoterRefusal } from './raft-effect.ts';
export type { RaftEvent, VoterChange } from './raft-event.ts';
export type {
  Append,
  AppendResponse,
  Entry,
  Heartbeat,
  HeartbeatResponse,
  Hello,
  PreVoteRequest,
  PreVoteResponse,
  RaftMessage,
  SnapshotChunk,
  SnapshotResponse,
  TimeoutNow,
  VoteRequest,
  VoteResponse,
  Voter,
  VoterKey,
} from './raft-message.ts';
export {
  type FollowerStatus,
  RaftNode,
  type RaftNodeOptions,
  type RaftPosition,
  type RaftStatus,
} from './raft-node.ts';
export { decodeVoters, encodeVoters, sameVoter, type VoterSet } from './voter-sets.ts';
