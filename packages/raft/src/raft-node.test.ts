import { SeededRandom } from '@millrace/core';
import { describe, expect, test } from 'vitest';
import { BLANK_STATE, type DurableState } from './durable-state.ts';
import { DEFAULT_RAFT_CONFIG } from './raft-config.ts';
import type { RaftEffect } from './raft-effect.ts';
import type { Append, Entry, RaftMessage, SnapshotChunk, VoteRequest } from './raft-message.ts';
import { RaftNode } from './raft-node.ts';

const voters = [1, 2, 3].map((id) => ({ id, directoryId: `d${id}`, address: `host-${id}` }));

const entry = (index: number, term: number): Entry => ({ index, term, kind: 'data', data: Buffer.from('x') });

/** Node 1 with this log, started at time 0, everything durable. */
function nodeWith(entries: readonly Entry[], term: number, votedFor?: number): RaftNode {
  const durable: DurableState = {
    ...BLANK_STATE,
    entries,
    hardState: {
      term,
      votedFor: voters.find(({ id }) => id === votedFor),
      voters,
      commitIndex: 0,
      quorumId: 'd1',
    },
  };
  const node = new RaftNode({
    id: 1,
    directoryId: 'd1',
    voters,
    config: DEFAULT_RAFT_CONFIG,
    random: new SeededRandom(1),
    durable,
  });
  node.step({ kind: 'start' }, 0);
  return node;
}

function receive(node: RaftNode, from: number, message: RaftMessage): RaftEffect[] {
  return node.step({ kind: 'received', from, message }, 1);
}

function sent(effects: readonly RaftEffect[]): RaftMessage[] {
  return effects.flatMap((effect) => (effect.kind === 'send' ? [effect.message] : []));
}

const voteRequest = (change: Partial<VoteRequest>): VoteRequest => ({
  kind: 'voteRequest',
  quorumId: 'd1',
  term: 3,
  directoryId: 'd2',
  lastIndex: 2,
  lastTerm: 2,
  transfer: false,
  ...change,
});

const append = (change: Partial<Append>): Append => ({
  kind: 'append',
  quorumId: 'd1',
  term: 3,
  directoryId: 'd2',
  prevIndex: 2,
  prevTerm: 2,
  entries: [],
  commitIndex: 0,
  ...change,
});

describe('a vote (Raft §5.4.1)', () => {
  const log = [entry(1, 1), entry(2, 2)];

  test.each([
    ['is granted to an equal log', {}, true],
    ['is granted to a longer log of the same term', { lastIndex: 3 }, true],
    ['is granted to a shorter log of a newer term', { term: 4, lastIndex: 1, lastTerm: 3 }, true],
    ['is refused to a shorter log of the same term', { lastIndex: 1 }, false],
    ['is refused to a longer log of an older term', { lastIndex: 9, lastTerm: 1 }, false],
    ['is refused in an older term', { term: 1, lastTerm: 0 }, false],
  ])('%s', (_name, change, granted) => {
    const effects = receive(nodeWith(log, 2), 2, voteRequest(change));
    expect(sent(effects)).toMatchObject([{ kind: 'voteResponse', granted }]);
  });

  test('given before a crash is not given to another candidate after it', () => {
    const node = nodeWith(log, 3, 3);
    expect(sent(receive(node, 2, voteRequest({})))).toMatchObject([{ granted: false }]);
    expect(sent(receive(node, 3, voteRequest({ directoryId: 'd3' })))).toMatchObject([{ granted: true }]);
  });

  test('belongs to a directory: the same node with another disk does not get it', () => {
    const node = nodeWith(log, 3, 2);
    expect(sent(receive(node, 2, voteRequest({ directoryId: 'd2new' })))).toMatchObject([{ granted: false }]);
  });

  test('of a directory outside the voter set does not count', () => {
    const node = nodeWith(log, 2);
    node.step({ kind: 'tick' }, 1000);
    const response = { kind: 'preVoteResponse', quorumId: 'd1', term: 2, granted: true } as const;
    node.step({ kind: 'received', from: 2, message: { ...response, directoryId: 'd2new' } }, 1000);
    expect(node.role).toBe('preCandidate');
    node.step({ kind: 'received', from: 2, message: { ...response, directoryId: 'd2' } }, 1000);
    const persist = node.step({ kind: 'persisted', id: 1 }, 1000);
    expect(persist).toEqual([]);
    const vote = { kind: 'voteResponse', quorumId: 'd1', term: 3, granted: true } as const;
    node.step({ kind: 'received', from: 2, message: { ...vote, directoryId: 'd2new' } }, 1000);
    expect(node.role).toBe('candidate');
    node.step({ kind: 'received', from: 2, message: { ...vote, directoryId: 'd2' } }, 1000);
    expect(node.role).toBe('leader');
  });

  test('is refused while a leader is heard, and a pre-vote as well', () => {
    const node = nodeWith(log, 2);
    receive(node, 2, append({}));
    expect(receive(node, 3, voteRequest({ term: 9, directoryId: 'd3' }))).toEqual([]);
    expect(node.status().term).toBe(3);
    const preVote = {
      kind: 'preVoteRequest',
      quorumId: 'd1',
      term: 9,
      directoryId: 'd3',
      lastIndex: 9,
      lastTerm: 9,
    } as const;
    expect(sent(receive(node, 3, preVote))).toMatchObject([{ granted: false, term: 3 }]);
  });
});

describe('malformed messages change nothing', () => {
  test.each<[string, RaftMessage]>([
    ['a gap behind prevIndex', append({ entries: [entry(4, 3)] })],
    ['an entry newer than the leader', append({ entries: [entry(3, 4)] })],
    ['falling terms', append({ entries: [entry(3, 3), entry(4, 2)] })],
    ['an entry older than its predecessor', append({ entries: [entry(3, 1)] })],
    ['a candidate whose log has reached its term', voteRequest({ lastTerm: 3 })],
    ['a snapshot piece outside the snapshot', chunk({ position: 10, totalBytes: 12 })],
    ['a snapshot larger than is allowed', chunk({ totalBytes: DEFAULT_RAFT_CONFIG.snapshotMaxBytes + 1 })],
  ])('%s', (_name, message) => {
    const node = nodeWith([entry(1, 1), entry(2, 2)], 2);
    const before = node.status();
    expect(receive(node, 2, message)).toEqual([]);
    expect(node.status()).toEqual(before);
  });

  test('an append with an unreadable voter set', () => {
    const node = nodeWith([entry(1, 1), entry(2, 2)], 2);
    expect(receive(node, 2, append({ entries: [{ ...entry(3, 3), kind: 'voters' }] }))).toEqual([]);
  });
});

function chunk(change: Partial<SnapshotChunk>): SnapshotChunk {
  return {
    kind: 'snapshotChunk',
    quorumId: 'd1',
    term: 3,
    directoryId: 'd2',
    snapshotIndex: 5,
    snapshotTerm: 2,
    position: 0,
    totalBytes: 4,
    checksum: 1,
    voters,
    data: Buffer.from('abcd'),
    ...change,
  };
}

test('a snapshot that fails its checksum is asked for again from the start', () => {
  const node = nodeWith([entry(1, 1)], 2);
  expect(sent(receive(node, 2, chunk({})))).toMatchObject([{ kind: 'snapshotResponse', position: 0 }]);
  expect(node.status().lastIndex).toBe(1);
});

test('a snapshot that the log covers already is not installed', () => {
  const node = nodeWith([entry(1, 1), entry(2, 2)], 2);
  const effects = receive(node, 2, chunk({ snapshotIndex: 2, snapshotTerm: 2 }));
  expect(sent(effects)).toMatchObject([{ kind: 'appendResponse', accepted: true, index: 2 }]);
  expect(node.status()).toMatchObject({ commitIndex: 2, startIndex: 0, lastIndex: 2 });
});
