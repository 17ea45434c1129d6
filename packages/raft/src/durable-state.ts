/** What a replica must find again after a crash. Never holds anything that can be learned anew. */
import type { Entry, Voter, VoterKey } from './raft-message.ts';

export interface HardState {
  /** Never decreases. */
  readonly term: number;
  /** The one vote of this term. */
  readonly votedFor: VoterKey | undefined;
  /** In force before the first entry; empty until formed (formation.ts). The log and the snapshot say what holds later. */
  readonly voters: readonly Voter[];
  /** A lower bound, written along with other changes: entries up to here are committed and must be present. */
  readonly commitIndex: number;
  /**
   * Which quorum this directory belongs to, for good: the directory of the first of the voters with which it formed.
   * Empty until formed, and unknown in a directory that an older version wrote.
   */
  readonly quorumId: string;
}

/** The state machine after applying entry `index`. Immutable. */
export interface Snapshot {
  readonly index: number;
  readonly term: number;
  /** In force after entry `index` (Q30). */
  readonly voters: readonly Voter[];
  readonly data: Buffer;
}

export interface DurableState {
  readonly hardState: HardState;
  readonly snapshot: Snapshot | undefined;
  /** The entry before the first one kept: index and term; 0 and 0 when nothing was compacted. At most the snapshot's index. */
  readonly logStart: { readonly index: number; readonly term: number };
  readonly entries: readonly Entry[];
}

export const BLANK_HARD_STATE: HardState = {
  term: 0,
  votedFor: undefined,
  voters: [],
  commitIndex: 0,
  quorumId: '',
};

export const BLANK_STATE: DurableState = {
  hardState: BLANK_HARD_STATE,
  snapshot: undefined,
  logStart: { index: 0, term: 0 },
  entries: [],
};
