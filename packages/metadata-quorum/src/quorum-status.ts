/** What people and other nodes may know of the quorum, in offsets. Holds no state. */
import type { NodeId } from '@millrace/core';
import type { RaftStatus, Role, Voter, VoterKey } from '@millrace/raft';

export interface QuorumReplicaStatus {
  readonly id: NodeId;
  /** Empty while it is not known. */
  readonly directoryId: string;
  /** host:port; empty where it is not known. */
  readonly address: string;
  /** Durable there, as far as this node knows: of itself always, of others only while it leads; otherwise undefined. */
  readonly logEndOffset: number | undefined;
  /** Records behind the leader's log end; undefined where `logEndOffset` is. */
  readonly lag: number | undefined;
  /** Since it was last heard by the leader; 0 for the leader itself; undefined where not known. */
  readonly lastContactMs: number | undefined;
  /** Since it last held everything committed; as `lastContactMs`. */
  readonly lastCaughtUpMs: number | undefined;
}

export interface QuorumStatus {
  readonly nodeId: NodeId;
  readonly directoryId: string;
  readonly role: Role;
  readonly leaderId: NodeId | undefined;
  readonly term: number;
  /** Everything below is committed, as far as this node knows. */
  readonly highWatermark: number;
  /** Everything below is applied on this node. */
  readonly appliedOffset: number;
  readonly logStartOffset: number;
  readonly logEndOffset: number;
  /** Everything below is in the newest snapshot; 0 if there is none. */
  readonly snapshotEndOffset: number;
  /** Empty until the cluster has formed. */
  readonly voters: readonly QuorumReplicaStatus[];
  /** Leader only: directories that receive the log without counting, and may be added to the voters. */
  readonly observers: readonly QuorumReplicaStatus[];
}

/** Where a node stands, without the others. */
export interface QuorumPosition
  extends Pick<QuorumStatus, 'role' | 'term' | 'highWatermark' | 'appliedOffset' | 'logEndOffset'> {
  /** Everything below is on this node's own disk. */
  readonly flushedOffset: number;
}

export function quorumStatus(
  self: { readonly nodeId: NodeId; readonly directoryId: string },
  raft: RaftStatus,
  appliedIndex: number,
  nowMs: number,
  addressOf: (id: NodeId) => string | undefined,
): QuorumStatus {
  const replica = ({ id, directoryId, address = '' }: VoterKey & Partial<Voter>): QuorumReplicaStatus => {
    const where = { id, directoryId, address: addressOf(id) ?? address };
    if (id === self.nodeId && directoryId === self.directoryId) {
      const isLeader = raft.role === 'leader';
      return {
        ...where,
        logEndOffset: raft.durableIndex,
        lag: isLeader ? raft.lastIndex - raft.durableIndex : undefined,
        lastContactMs: isLeader ? 0 : undefined,
        lastCaughtUpMs: isLeader ? 0 : undefined,
      };
    }
    const follower = raft.followers.find((other) => other.id === id && other.directoryId === directoryId);
    return {
      ...where,
      logEndOffset: follower?.matchIndex,
      lag: follower && raft.lastIndex - follower.matchIndex,
      lastContactMs: follower && sinceMs(follower.lastContactMs, nowMs),
      lastCaughtUpMs: follower && sinceMs(follower.lastCaughtUpMs, nowMs),
    };
  };
  return {
    ...self,
    role: raft.role,
    leaderId: raft.leaderId,
    term: raft.term,
    highWatermark: raft.commitIndex,
    appliedOffset: appliedIndex,
    logStartOffset: raft.startIndex,
    logEndOffset: raft.lastIndex,
    snapshotEndOffset: raft.snapshot?.index ?? 0,
    voters: raft.voters.map(replica),
    observers: raft.followers
      .filter(({ voter }) => !voter)
      .map(({ id, directoryId }) => replica({ id, directoryId })),
  };
}

function sinceMs(atMs: number, nowMs: number): number | undefined {
  return Number.isFinite(atMs) ? Math.round(nowMs - atMs) : undefined;
}
