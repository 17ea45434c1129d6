import { type NodeId, SeededRandom } from '@millrace/core';
import { expect, test } from 'vitest';
import { BLANK_STATE, type DurableState } from './durable-state.ts';
import { DEFAULT_RAFT_CONFIG } from './raft-config.ts';
import type { RaftEffect } from './raft-effect.ts';
import type { Hello, RaftMessage, Voter } from './raft-message.ts';
import { RaftNode } from './raft-node.ts';

const voter = (id: NodeId, directoryId = `d${id}`): Voter => ({ id, directoryId, address: `host-${id}` });
const VOTERS = [voter(1), voter(2), voter(3)];

/** A follower in term 5 with two entries, unless it is told otherwise. */
function node(quorumId: string, durable: Partial<DurableState> = {}, voters = VOTERS): RaftNode {
  const entries = [1, 2].map((index) => {
    return { index, term: 5, kind: 'data' as const, data: Buffer.from('x') };
  });
  const hardState = { term: 5, votedFor: undefined, voters, commitIndex: 1, quorumId };
  const made = new RaftNode({
    id: 1,
    directoryId: 'd1',
    voters,
    config: DEFAULT_RAFT_CONFIG,
    random: new SeededRandom(1),
    durable: { ...BLANK_STATE, entries, hardState, ...durable },
  });
  made.step({ kind: 'start' }, 0);
  return made;
}

const receive = (to: RaftNode, message: RaftMessage): RaftEffect[] =>
  to.step({ kind: 'received', from: 2, message }, 1);

const sent = (effects: readonly RaftEffect[]): RaftMessage[] =>
  effects.flatMap((effect) => (effect.kind === 'send' ? [effect.message] : []));

const ended = (effects: readonly RaftEffect[]): boolean =>
  effects.some(({ kind }) => kind === 'directoryReplaced');

const envelope = { term: 9, directoryId: 'd2', quorumId: 'other' };
const hello = (voters: readonly Voter[], change: Partial<Hello> = {}): Hello => {
  return { ...envelope, kind: 'hello', voters, answer: true, ...change };
};
const heartbeat: RaftMessage = { ...envelope, kind: 'heartbeat', commitIndex: 2, round: 1 };

const MESSAGES: readonly RaftMessage[] = [
  { ...envelope, kind: 'preVoteRequest', lastIndex: 9, lastTerm: 8 },
  { ...envelope, kind: 'preVoteResponse', granted: true },
  { ...envelope, kind: 'voteRequest', lastIndex: 9, lastTerm: 8, transfer: true },
  { ...envelope, kind: 'voteResponse', granted: true },
  { ...envelope, kind: 'append', prevIndex: 1, prevTerm: 5, entries: [], commitIndex: 2 },
  { ...envelope, kind: 'appendResponse', accepted: true, index: 2, hintIndex: 0, hintTerm: 0 },
  heartbeat,
  { ...envelope, kind: 'heartbeatResponse', round: 1 },
  {
    ...envelope,
    kind: 'snapshotChunk',
    snapshotIndex: 9,
    snapshotTerm: 8,
    position: 0,
    totalBytes: 0,
    checksum: 0,
    voters: VOTERS,
    data: Buffer.alloc(0),
  },
  { ...envelope, kind: 'snapshotResponse', snapshotIndex: 1, position: 0 },
  { ...envelope, kind: 'timeoutNow' },
];

test.each(MESSAGES)(
  'a $kind of another quorum changes nothing, and its sender is told who this is',
  (message) => {
    const replica = node('d1');
    const before = replica.status();
    const effects = receive(replica, message);
    expect(replica.status()).toEqual(before);
    expect(effects.map(({ kind }) => kind)).toEqual(['strangerMet', 'send']);
    expect(sent(effects)).toMatchObject([{ kind: 'hello', voters: VOTERS, quorumId: 'd1', answer: false }]);
    // Told once.
    expect(receive(replica, message).map(({ kind }) => kind)).toEqual(['send']);
  },
);

test.each([
  ['of a sender that knows none', 'd1', ''],
  ['in a directory that knows none', '', 'other'],
  ['of the same quorum', 'd1', 'd1'],
])('a message %s is handled', (_name, own, quorumId) => {
  const replica = node(own);
  receive(replica, { ...heartbeat, quorumId });
  expect(replica.status()).toMatchObject({ term: 9, leaderId: 2 });
});

test('a hello of another quorum is answered, an answer is not', () => {
  const replica = node('d1');
  expect(sent(receive(replica, hello([voter(2)], { answer: false })))).toMatchObject([{ answer: true }]);
  expect(sent(receive(replica, hello([voter(2)])))).toEqual([]);
});

test('who is alone in its quorum ends when another one has it as a voter with another directory', () => {
  const replica = node('d1', {}, [voter(1)]);
  const effects = receive(replica, hello([voter(1, 'lost'), voter(2)]));
  expect(effects.at(-1)).toEqual({
    kind: 'directoryReplaced',
    peer: 2,
    quorumId: 'other',
    lostDirectoryId: 'lost',
  });
});

test('who is not alone ends only when it has heard the leader of the other quorum', () => {
  const replica = node('d1');
  const answer = hello([voter(1, 'lost'), voter(2, 'd2old')]);
  expect(ended(receive(replica, answer))).toBe(false);
  receive(replica, heartbeat);
  expect(ended(receive(replica, answer))).toBe(true);
});

test('nobody ends over a quorum that does not have it as a voter, or has its very directory', () => {
  const replica = node('d1', {}, [voter(1)]);
  receive(replica, heartbeat);
  expect(ended(receive(replica, hello([voter(2), voter(3)])))).toBe(false);
  expect(ended(receive(replica, hello([voter(1), voter(1, 'lost'), voter(2)])))).toBe(false);
});

test('who named the voters of today by configuration and has done nothing takes the name of their quorum', () => {
  const replica = node('', BLANK_STATE);
  expect(replica.quorumId).toBe('d1');
  const real = [voter(1), voter(2), voter(4)];
  receive(replica, hello(real, { quorumId: 'first', term: 0 }));
  expect(replica.quorumId).toBe('d1');
  receive(replica, hello(real, { quorumId: 'first' }));
  expect(replica.status()).toMatchObject({ quorumId: 'first', voters: real, role: 'follower' });
});

test('a quorum is named after the directory of its first voter, or as a hello says', () => {
  const blank = node(
    '',
    BLANK_STATE,
    [2, 1].map((id) => ({ ...voter(id), directoryId: '' })),
  );
  expect(blank.quorumId).toBe('');
  receive(blank, hello([], { term: 0, quorumId: '', directoryId: 'd2' }));
  expect(blank.quorumId).toBe('d1');
  const joiner = node('', BLANK_STATE, []);
  receive(joiner, hello(VOTERS));
  expect(joiner.quorumId).toBe('other');
});
