/**
 * What voters say to each other: a flat union, so that a wire mapping is a table.
 * Never carries behaviour, and bytes only in entries and snapshot chunks.
 */
import type { NodeId } from '@millrace/core';

/**
 * A voter is a directory on a node, not the node alone (KIP-853): a node that lost its disk forgot its votes
 * and its acknowledgements, so it must not count as the voter it was.
 */
export interface VoterKey {
  readonly id: NodeId;
  /** 22 characters of base64url; empty while it has not been learned. */
  readonly directoryId: string;
}

/** A member of a voter set. */
export interface Voter extends VoterKey {
  /** Where the others reach it, in the transport's own words; opaque here, empty where the transport knows by itself. */
  readonly address: string;
}

/** One record of the log. `leaderChange` opens a term and carries no data; `voters` is a whole voter set (voter-sets.ts). */
export interface Entry {
  /** From 1, dense. */
  readonly index: number;
  readonly term: number;
  readonly kind: 'data' | 'leaderChange' | 'voters';
  readonly data: Buffer;
}

interface Envelope {
  /** The sender's term; of a `hello` from a blank directory, 0. */
  readonly term: number;
  /** The sender's directory. */
  readonly directoryId: string;
  /** The sender's quorum; empty from a directory that knows none (stranger.ts). */
  readonly quorumId: string;
}

/**
 * Blank directories look for each other, and for the voter set of a cluster that exists (formation.ts); whoever hears
 * no leader and may not stand asks for one: a leader that receives it takes the sender for an observer.
 */
export interface Hello extends Envelope {
  readonly kind: 'hello';
  /** The newest set that the sender knows; empty from a directory that knows none. */
  readonly voters: readonly Voter[];
  /** Answers are not answered. */
  readonly answer: boolean;
}

/** "Would you vote for me in term + 1?" Changes nothing at the receiver. */
export interface PreVoteRequest extends Envelope {
  readonly kind: 'preVoteRequest';
  readonly lastIndex: number;
  readonly lastTerm: number;
}

export interface PreVoteResponse extends Envelope {
  readonly kind: 'preVoteResponse';
  readonly granted: boolean;
}

export interface VoteRequest extends Envelope {
  readonly kind: 'voteRequest';
  readonly lastIndex: number;
  readonly lastTerm: number;
  /** The leader asked for this election, so hearing the leader is no reason to refuse. */
  readonly transfer: boolean;
}

export interface VoteResponse extends Envelope {
  readonly kind: 'voteResponse';
  readonly granted: boolean;
}

export interface Append extends Envelope {
  readonly kind: 'append';
  readonly prevIndex: number;
  readonly prevTerm: number;
  readonly entries: readonly Entry[];
  readonly commitIndex: number;
}

export interface AppendResponse extends Envelope {
  readonly kind: 'appendResponse';
  readonly accepted: boolean;
  /** Accepted: everything up to here is durable at the sender and equal to the leader's log. Rejected: the append's prevIndex. */
  readonly index: number;
  /** Rejected: the largest index that may match, and its term at the sender. Accepted: 0. */
  readonly hintIndex: number;
  readonly hintTerm: number;
}

export interface Heartbeat extends Envelope {
  readonly kind: 'heartbeat';
  /** Not above what this follower is known to hold. */
  readonly commitIndex: number;
  /** Echoed by the response: proves that the receiver followed this leader after the round began. */
  readonly round: number;
}

export interface HeartbeatResponse extends Envelope {
  readonly kind: 'heartbeatResponse';
  readonly round: number;
}

export interface SnapshotChunk extends Envelope {
  readonly kind: 'snapshotChunk';
  readonly snapshotIndex: number;
  readonly snapshotTerm: number;
  /** Of `data` in the whole, in bytes. */
  readonly position: number;
  readonly totalBytes: number;
  /** CRC-32 of the whole. */
  readonly checksum: number;
  /** In force after the snapshot. */
  readonly voters: readonly Voter[];
  readonly data: Buffer;
}

export interface SnapshotResponse extends Envelope {
  readonly kind: 'snapshotResponse';
  readonly snapshotIndex: number;
  /** The byte that is wanted next. An install is confirmed by an `appendResponse`. */
  readonly position: number;
}

/** The leader asks the receiver to stand for election at once. */
export interface TimeoutNow extends Envelope {
  readonly kind: 'timeoutNow';
}

export type RaftMessage =
  | Hello
  | PreVoteRequest
  | PreVoteResponse
  | VoteRequest
  | VoteResponse
  | Append
  | AppendResponse
  | Heartbeat
  | HeartbeatResponse
  | SnapshotChunk
  | SnapshotResponse
  | TimeoutNow;
