/**
 * What the driver must do, in order. Effects are data: a test prints them, a simulator delays and drops them.
 *
 * Writes may be in flight together but become durable in order of id; two writes that wait may be merged into one.
 * A send or a restore waits until the persist it names is durable; nothing else waits.
 */
import type { NodeId } from '@millrace/core';
import type { HardState, Snapshot } from './durable-state.ts';
import type { Entry, RaftMessage, Voter } from './raft-message.ts';

export type Role = 'observer' | 'follower' | 'preCandidate' | 'candidate' | 'leader';

/** One atomic change of stable storage, applied in the order of the fields. */
export interface Persist {
  readonly kind: 'persist';
  /** Counts up by one. */
  readonly id: number;
  /** Replaces snapshot and whole log. */
  readonly installSnapshot?: Snapshot;
  /** Removes entries from here on. */
  readonly truncateFrom?: number;
  /** Appended at the end of the log. */
  readonly entries?: readonly Entry[];
  readonly hardState?: HardState;
}

export type RaftEffect =
  | Persist
  /** `after` names a persist; 0 means that the message waits for none. */
  | { readonly kind: 'send'; readonly to: NodeId; readonly message: RaftMessage; readonly after: number }
  /** Role, term or known leader changed. */
  | {
      readonly kind: 'roleChanged';
      readonly role: Role;
      readonly term: number;
      readonly leaderId: NodeId | undefined;
    }
  /** Committed and durable here; apply in order, each exactly once. */
  | { readonly kind: 'committed'; readonly entries: readonly Entry[] }
  /** The state machine jumps to this state. Comes after the install is durable. */
  | { readonly kind: 'restore'; readonly snapshot: Snapshot }
  | {
      readonly kind: 'proposed';
      readonly firstIndex: number;
      readonly lastIndex: number;
      readonly term: number;
    }
  | { readonly kind: 'proposalRefused'; readonly reason: Refusal }
  /** The new set is in the log at `index`; it is decided once that entry is committed in the same term. */
  | { readonly kind: 'votersProposed'; readonly index: number; readonly term: number }
  | { readonly kind: 'votersRefused'; readonly reason: VoterRefusal }
  /** Another set is in force on this replica, since the entry at `index` (0: since the cluster formed). */
  | { readonly kind: 'votersChanged'; readonly index: number; readonly voters: readonly Voter[] }
  /** Nodes that may know the leader; this replica's own set does not name them all. */
  | { readonly kind: 'peersLearned'; readonly peers: readonly Voter[] }
  /** `peer` belongs to another quorum: nothing that it says counts. Told once for each. */
  | { readonly kind: 'strangerMet'; readonly peer: NodeId; readonly quorumId: string }
  /**
   * Another quorum, in which `peer` is, has this node as a voter with a directory that is not this one: that disk is
   * lost, and this one formed a quorum of its own. The replica must end; nothing that it wrote counts there.
   */
  | {
      readonly kind: 'directoryReplaced';
      readonly peer: NodeId;
      readonly quorumId: string;
      readonly lostDirectoryId: string;
    }
  /** Serve the read once everything up to `index` is applied. */
  | { readonly kind: 'readReady'; readonly id: number; readonly index: number }
  | { readonly kind: 'readRefused'; readonly id: number }
  /** Persist id like any other: store the snapshot, then forget entries up to `compactTo` (whose term is `compactTerm`). */
  | {
      readonly kind: 'saveSnapshot';
      readonly id: number;
      readonly snapshot: Snapshot;
      readonly compactTo: number;
      readonly compactTerm: number;
    };

/** `notReady`: elected, but no entry of the own term is committed yet. */
export type Refusal = 'notLeader' | 'notReady' | 'transferring';

/**
 * `changeUnderWay`: the set before this one is not committed yet. `notCaughtUp`: the directory to add does not follow
 * the log, or is behind. `lastVoter`: a quorum keeps one.
 */
export type VoterRefusal =
  | Refusal
  | 'changeUnderWay'
  | 'notCaughtUp'
  | 'alreadyVoter'
  | 'unknownVoter'
  | 'lastVoter';
