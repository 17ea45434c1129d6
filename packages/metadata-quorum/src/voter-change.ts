/**
 * What people ask about voters, in terms of the quorum's status, and what they hear when it is refused.
 * Decides nothing that Raft decides: it only finds the directory that is meant.
 */
import { MillraceError, type NodeId } from '@millrace/core';
import type { VoterChange, VoterRefusal } from '@millrace/raft';
import type { QuorumReplicaStatus, QuorumStatus } from './quorum-status.ts';

export interface VoterRequest {
  readonly kind: VoterChange['kind'];
  readonly nodeId: NodeId;
  /** Empty: the only directory of the node that can be meant. */
  readonly directoryId: string;
  /** How long whoever asks waits for the answer; no limit if absent. */
  readonly timeoutMs?: number | undefined;
}

/** Nothing was changed. `mayPass`: the reason may go away by itself, soon. */
export class VotersRefused extends MillraceError {
  readonly mayPass: boolean;

  constructor(code: MillraceError['code'], message: string, mayPass: boolean) {
    super(code, `${message}; the voters are unchanged`);
    this.mayPass = mayPass;
  }
}

/** @throws {VotersRefused} VOTER_NOT_FOUND, DUPLICATE_VOTER; INVALID_REQUEST if several directories could be meant. */
export function voterChangeOf(
  { kind, nodeId, directoryId }: VoterRequest,
  status: QuorumStatus,
): VoterChange {
  const isMeant = (replica: QuorumReplicaStatus): boolean =>
    replica.id === nodeId && (directoryId === '' || replica.directoryId === directoryId);
  const found = (kind === 'add' ? status.observers : status.voters).filter(isMeant);
  const name = directoryId === '' ? `node ${nodeId}` : `node ${nodeId} with directory ${directoryId}`;
  if (found.length === 0) {
    const votes = kind === 'add' && status.voters.some(isMeant);
    if (votes) throw new VotersRefused('DUPLICATE_VOTER', `${name} votes already`, false);
    const what = kind === 'add' ? 'does not observe the quorum' : 'is no voter';
    throw new VotersRefused('VOTER_NOT_FOUND', `${name} ${what}`, kind === 'add');
  }
  if (found.length > 1) {
    const directories = found.map((replica) => replica.directoryId).join(' and ');
    throw new VotersRefused('INVALID_REQUEST', `${name} has directories ${directories}: name one`, false);
  }
  const [{ id, directoryId: directory, address }] = found as [QuorumReplicaStatus];
  const voter = { id, directoryId: directory, address };
  return kind === 'add' ? { kind, voter } : { kind, voter };
}

const REFUSALS: Readonly<Record<VoterRefusal, readonly [MillraceError['code'], string, boolean]>> = {
  notLeader: ['NOT_CONTROLLER', 'this node does not lead', false],
  notReady: ['REQUEST_TIMED_OUT', 'the leader has committed nothing of its own yet', true],
  transferring: ['NOT_CONTROLLER', 'this node is handing leadership over', false],
  changeUnderWay: ['REQUEST_TIMED_OUT', 'another change of voters is under way', true],
  notCaughtUp: ['REQUEST_TIMED_OUT', 'the node has not caught up with the log', true],
  alreadyVoter: ['DUPLICATE_VOTER', 'the directory votes already', false],
  unknownVoter: ['VOTER_NOT_FOUND', 'the directory is no voter', false],
  lastVoter: ['INVALID_REQUEST', 'the last voter cannot be removed', false],
};

export function voterRefusal(reason: VoterRefusal): VotersRefused {
  return new VotersRefused(...REFUSALS[reason]);
}
