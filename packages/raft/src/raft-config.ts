/** Limits and timings of consensus. Plain numbers: whoever composes a node parses and documents the keys. */

export interface RaftConfig {
  /** A follower that hears no leader for this long asks for pre-votes; a leader that hears no majority for 1.5 times this resigns. */
  readonly fetchTimeoutMs: number;
  /** A candidate tries again after 1 to 2 times this. Also the patience of a leadership transfer. */
  readonly electionTimeoutMs: number;
  /** Election delay, lowest and highest, when waiting longer teaches nothing: first start, and a broken connection to the leader. */
  readonly quickElectionMinMs: number;
  readonly quickElectionMaxMs: number;
  /** Much shorter than `fetchTimeoutMs`, or one lost heartbeat looks like a lost leader. */
  readonly heartbeatIntervalMs: number;
  /** Of entry data in one append; a single larger entry still travels alone. */
  readonly appendMaxBytes: number;
  /** Unanswered appends to one follower. */
  readonly inflightMaxAppends: number;
  readonly snapshotChunkMaxBytes: number;
  /** A received snapshot larger than this is refused before memory is spent on it. */
  readonly snapshotMaxBytes: number;
  /** Entries kept below a snapshot, so that a follower slightly behind needs no snapshot. */
  readonly retainedEntries: number;
  /** Directories outside the voter set that a leader sends the log to. */
  readonly observersMax: number;
}

export const DEFAULT_RAFT_CONFIG: RaftConfig = {
  fetchTimeoutMs: 2000,
  electionTimeoutMs: 1000,
  quickElectionMinMs: 50,
  quickElectionMaxMs: 150,
  heartbeatIntervalMs: 100,
  appendMaxBytes: 1024 * 1024,
  inflightMaxAppends: 64,
  snapshotChunkMaxBytes: 1024 * 1024,
  snapshotMaxBytes: 1024 * 1024 * 1024,
  retainedEntries: 1024,
  observersMax: 16,
};
