/** Invariant 12: no message leaves before the write that it depends on is durable. */
import type { NodeId } from '@millrace/core';
import type { RaftMessage } from '@millrace/raft';
import type { Directory } from '../raft/quorum-model.ts';
import type { QuorumInvariant } from '../raft/quorum-observation.ts';

type Of<Kind extends RaftMessage['kind']> = Extract<RaftMessage, { readonly kind: Kind }>;

/** What the disk of `from` lacks of the write that the message needs; undefined if nothing. */
type Need<Kind extends RaftMessage['kind']> = (
  message: Of<Kind>,
  directory: Directory,
  from: NodeId,
  to: NodeId,
) => string | undefined;

/** Enough for them: the term that each message carries is on disk. */
const onlyTheEpoch = (): undefined => undefined;

/** Every kind of message, with the write that it needs beside that of its epoch. */
const NEEDS: { readonly [Kind in RaftMessage['kind']]: Need<Kind> } = {
  hello: onlyTheEpoch,
  // Changes nothing, and so promises nothing.
  preVoteRequest: onlyTheEpoch,
  preVoteResponse: onlyTheEpoch,
  voteRequest: ({ term }, { durable: { hardState } }, from) =>
    // A disk that is an epoch ahead already rules out any other vote in this one.
    term === hardState.term && hardState.votedFor?.id !== from
      ? `asks for votes in epoch ${term} without its own on disk`
      : undefined,
  voteResponse: ({ term, granted }, { durable: { hardState } }, _from, to) =>
    granted && term === hardState.term && hardState.votedFor?.id !== to
      ? `grants a vote to ${to} that is not on disk`
      : undefined,
  // A leader may send what is on its way to its own disk: that is one of the copies that it counts (5), like any other.
  append: onlyTheEpoch,
  appendResponse({ term, accepted, index }, { durable, asked }) {
    // Writes reach the disk in the order of the log's changes: one that is an epoch ahead has this append behind it, and may
    // have cut it off for the next leader, who was elected by this directory as it was with the append or without its vote.
    if (!accepted || term < durable.hardState.term) return undefined;
    if (index > durable.lastIndex) return `acknowledges up to ${index} with ${durable.lastIndex} on disk`;
    const [onDisk, believed] = [durable.termAt(index), asked.termAt(index)];
    if (onDisk === undefined || believed === undefined || onDisk === believed) return undefined;
    return `acknowledges index ${index} of epoch ${believed} with epoch ${onDisk} on disk`;
  },
  heartbeat: onlyTheEpoch,
  heartbeatResponse: onlyTheEpoch,
  snapshotChunk: onlyTheEpoch,
  // Asks for more; an install is confirmed by an `appendResponse`.
  snapshotResponse: onlyTheEpoch,
  timeoutNow: onlyTheEpoch,
};

export const nothingLeavesBeforeItIsDurable: QuorumInvariant = {
  number: 12,
  name: 'nothing-leaves-before-it-is-durable',
  judge(model, violated) {
    return {
      sent(member, to, message) {
        const directory = model.directory(member);
        const { term } = directory.durable.hardState;
        const who = `controller ${member.id}`;
        if (message.term > term) violated(`${who} speaks of epoch ${message.term} with ${term} on disk`);
        const need = NEEDS[message.kind] as Need<RaftMessage['kind']>;
        const lack = need(message, directory, member.id, to);
        if (lack !== undefined) violated(`${who} ${lack}`);
      },
    };
  },
};
