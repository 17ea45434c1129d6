/** Raft's messages on the wire: field names are the kinds, and fields are the fields. */

import type { RaftEntry, RaftFrame } from '@millrace/protocol';
import type { Entry, RaftMessage } from '@millrace/raft';

export function toRaftFrame(message: RaftMessage): RaftFrame {
  switch (message.kind) {
    case 'hello':
      return { hello: message };
    case 'preVoteRequest':
      return { preVoteRequest: message };
    case 'preVoteResponse':
      return { preVoteResponse: message };
    case 'voteRequest':
      return { voteRequest: message };
    case 'voteResponse':
      return { voteResponse: message };
    case 'append':
      return { append: { ...message, entries: message.entries.map(toRaftEntry) } };
    case 'appendResponse':
      return { appendResponse: message };
    case 'heartbeat':
      return { heartbeat: message };
    case 'heartbeatResponse':
      return { heartbeatResponse: message };
    case 'snapshotChunk':
      return { snapshotChunk: message };
    case 'snapshotResponse':
      return { snapshotResponse: message };
    case 'timeoutNow':
      return { timeoutNow: message };
  }
}

/** Undefined for an empty frame, a greeting, and kinds that a newer version knows. */
export function fromRaftFrame(frame: RaftFrame): RaftMessage | undefined {
  if (frame.append)
    return { kind: 'append', ...frame.append, entries: frame.append.entries.map(fromRaftEntry) };
  if (frame.appendResponse) return { kind: 'appendResponse', ...frame.appendResponse };
  if (frame.heartbeat) return { kind: 'heartbeat', ...frame.heartbeat };
  if (frame.heartbeatResponse) return { kind: 'heartbeatResponse', ...frame.heartbeatResponse };
  if (frame.preVoteRequest) return { kind: 'preVoteRequest', ...frame.preVoteRequest };
  if (frame.preVoteResponse) return { kind: 'preVoteResponse', ...frame.preVoteResponse };
  if (frame.voteRequest) return { kind: 'voteRequest', ...frame.voteRequest };
  if (frame.voteResponse) return { kind: 'voteResponse', ...frame.voteResponse };
  if (frame.snapshotChunk) return { kind: 'snapshotChunk', ...frame.snapshotChunk };
  if (frame.snapshotResponse) return { kind: 'snapshotResponse', ...frame.snapshotResponse };
  if (frame.hello) return { kind: 'hello', ...frame.hello };
  if (frame.timeoutNow) return { kind: 'timeoutNow', ...frame.timeoutNow };
  return undefined;
}

function toRaftEntry({ index, term, kind, data }: Entry): RaftEntry {
  return { index, term, leaderChange: kind === 'leaderChange', data, voters: kind === 'voters' };
}

function fromRaftEntry({ index, term, leaderChange, data, voters }: RaftEntry): Entry {
  return { index, term, kind: leaderChange ? 'leaderChange' : voters ? 'voters' : 'data', data };
}
