/** Everything that can happen to a replica. The driver reports; it never interprets. */
import type { NodeId } from '@millrace/core';
import type { RaftMessage, Voter, VoterKey } from './raft-message.ts';

/** One voter more or one less (Q32). */
export type VoterChange =
  | { readonly kind: 'add'; readonly voter: Voter }
  | { readonly kind: 'remove'; readonly voter: VoterKey };

export type RaftEvent =
  /** Once, first. */
  | { readonly kind: 'start' }
  /** `deadlineMs` may have passed. Early and repeated ticks do nothing. */
  | { readonly kind: 'tick' }
  | { readonly kind: 'received'; readonly from: NodeId; readonly message: RaftMessage }
  /** Every persist up to and including `id` is on stable storage. */
  | { readonly kind: 'persisted'; readonly id: number }
  /** Appends one entry for each item, or none at all. Answered in the same step by `proposed` or `proposalRefused`. */
  | { readonly kind: 'propose'; readonly items: readonly Buffer[] }
  /** Answered by `readReady` or `readRefused` with the same id. */
  | { readonly kind: 'read'; readonly id: number }
  /** Without `to`, the voter that is furthest ahead. */
  | { readonly kind: 'transferLeadership'; readonly to?: NodeId }
  /** Answered in the same step by `votersProposed` or `votersRefused`. */
  | { readonly kind: 'changeVoters'; readonly change: VoterChange }
  /** A controller was met that nobody named: it may know the voters. */
  | { readonly kind: 'peerFound'; readonly peer: NodeId }
  /** The connection to `peer` broke: its process may be gone. */
  | { readonly kind: 'peerDisconnected'; readonly peer: NodeId }
  /** The state machine's state after applying `index` is this. Answered by `saveSnapshot`, or nothing when outdated. */
  | { readonly kind: 'snapshotTaken'; readonly index: number; readonly data: Buffer };
