/** The quorum's status in the words of the wire, where -1 means none or unknown. */
import { MillraceError } from '@millrace/core';
import type { QuorumReplicaStatus, QuorumStatus } from '@millrace/metadata-quorum';
import type { DescribeQuorumResponse, QuorumReplica } from '@millrace/protocol';

/** @throws {MillraceError} NOT_CONTROLLER unless the node leads: only the leader knows how far the others are. */
export function quorumDescription(status: QuorumStatus): DescribeQuorumResponse {
  if (status.role !== 'leader') throw new MillraceError('NOT_CONTROLLER');
  return {
    leaderId: status.leaderId ?? -1,
    leaderEpoch: status.term,
    highWatermark: status.highWatermark,
    voters: status.voters.map(replicaOf),
    observers: status.observers.map(replicaOf),
  };
}

function replicaOf(replica: QuorumReplicaStatus): QuorumReplica {
  return {
    nodeId: replica.id,
    directoryId: replica.directoryId,
    logEndOffset: replica.logEndOffset ?? -1,
    lastContactMs: replica.lastContactMs ?? -1,
    lastCaughtUpMs: replica.lastCaughtUpMs ?? -1,
    address: replica.address,
  };
}
