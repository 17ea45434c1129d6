/**
 * What happens in a quorum, told to whoever judges it: writes as they are asked for and as they become durable,
 * messages as they leave and arrive, commits, and the state after every event of a member. Only types.
 */
import type { NodeId } from '@millrace/core';
import type { CommittedRecord, QuorumPosition, RaftStoreWrite } from '@millrace/metadata-quorum';
import type { DurableState, RaftMessage, Snapshot, Voter } from '@millrace/raft';
import type { QuorumModel } from './quorum-model.ts';

/** One life of one controller process. */
export interface Member {
  readonly id: NodeId;
  readonly directoryId: string;
  readonly life: number;
  /** By its own monotonic clock. */
  nowMs(): number;
  /** In force as it believes, which is what it counts by; its disk may lag behind. */
  voters(): readonly Voter[];
  /** As it knows it now. */
  highWatermark(): number;
}

/** All optional: a judge listens to what it needs. Called in the middle of things; nothing may be changed. */
export interface QuorumJudge {
  /** What a new life found on its disk. */
  loaded?(member: Member, state: DurableState): void;
  asked?(member: Member, write: RaftStoreWrite): void;
  durable?(member: Member, write: RaftStoreWrite): void;
  snapshotAsked?(member: Member, snapshot: Snapshot, compactTo: number): void;
  snapshotDurable?(member: Member, snapshot: Snapshot, compactTo: number): void;
  sent?(member: Member, to: NodeId, message: RaftMessage): void;
  received?(member: Member, from: NodeId, message: RaftMessage): void;
  /** `digest` sums up the state after the last of them. */
  applied?(member: Member, records: readonly CommittedRecord[], digest: number): void;
  restored?(member: Member, endOffset: number, digest: number): void;
  /** The member's own answer to a client: a proposal committed, or a read served. */
  served?(member: Member): void;
  /** A read is asked for, and served. `read` tells reads apart. */
  readBegan?(member: Member, read: object): void;
  readServed?(member: Member, read: object): void;
  /** After an event of this member, and everything that it did in the same moment. */
  stepped?(member: Member, status: QuorumPosition): void;
}

/** A numbered promise of the design (reliability.md, section 5). */
export interface QuorumInvariant {
  readonly number: number;
  readonly name: string;
  /** `violated` does not return. */
  judge(model: QuorumModel, violated: (text: string) => never): QuorumJudge;
}
