/** What a node says of another metadata quorum under its cluster id. Which of the two counts is raft's to decide (stranger.ts). */
import { type Logger, MillraceError } from '@millrace/core';
import type { RaftEffect } from '@millrace/raft';

type EffectOf<K extends RaftEffect['kind']> = Extract<RaftEffect, { kind: K }>;

export function logStranger(logger: Logger, own: string, { peer, quorumId }: EffectOf<'strangerMet'>): void {
  logger.warn(
    { event: 'quorum_stranger', peer, quorumId, own },
    `controller ${peer} belongs to quorum ${quorumId}, this one to ${own}; what it says is not heard`,
  );
}

/** Of a node that cannot go on: INCONSISTENT_CLUSTER_ID. */
export function replacedDirectory(
  directoryId: string,
  { peer, quorumId, lostDirectoryId }: EffectOf<'directoryReplaced'>,
): MillraceError {
  return new MillraceError(
    'INCONSISTENT_CLUSTER_ID',
    `in the metadata quorum of this cluster (${quorumId}; controller ${peer} is part of it) this node votes with ` +
      `directory ${lostDirectoryId}, but its directory is ${directoryId}: the disk was lost or emptied, and ` +
      'controller.quorum.voters let this node form a quorum of its own. Nothing in this directory counts: ' +
      'empty it, set controller.quorum.bootstrap.servers in place of controller.quorum.voters, and start again.',
  );
}
