import { RaftFrame } from '@millrace/protocol';
import type { RaftMessage } from '@millrace/raft';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fromRaftFrame, toRaftFrame } from './raft-frame.ts';

const id = fc.nat();
const index = fc.maxSafeInteger().map(Math.abs);
const bytes = fc.uint8Array({ maxLength: 50 }).map((data) => Buffer.from(data));
const id22 = fc.string({ maxLength: 22 });
const envelope = { term: index, directoryId: id22, quorumId: id22 };
const entry = fc.record({
  index,
  term: index,
  kind: fc.constantFrom('data' as const, 'leaderChange' as const, 'voters' as const),
  data: bytes,
});

const voters = fc.array(fc.record({ id, directoryId: fc.string(), address: fc.string() }), { maxLength: 3 });

/** One arbitrary for each kind: the compiler sees to it that none is missing. */
const KINDS: { [K in RaftMessage['kind']]: fc.Arbitrary<Extract<RaftMessage, { kind: K }>> } = {
  hello: fc.record({
    kind: fc.constant('hello'),
    ...envelope,
    voters,
    answer: fc.boolean(),
  }),
  preVoteRequest: fc.record({
    kind: fc.constant('preVoteRequest'),
    ...envelope,
    lastIndex: index,
    lastTerm: index,
  }),
  preVoteResponse: fc.record({ kind: fc.constant('preVoteResponse'), ...envelope, granted: fc.boolean() }),
  voteRequest: fc.record({
    kind: fc.constant('voteRequest'),
    ...envelope,
    lastIndex: index,
    lastTerm: index,
    transfer: fc.boolean(),
  }),
  voteResponse: fc.record({ kind: fc.constant('voteResponse'), ...envelope, granted: fc.boolean() }),
  append: fc.record({
    kind: fc.constant('append'),
    ...envelope,
    prevIndex: index,
    prevTerm: index,
    entries: fc.array(entry, { maxLength: 5 }),
    commitIndex: index,
  }),
  appendResponse: fc.record({
    kind: fc.constant('appendResponse'),
    ...envelope,
    accepted: fc.boolean(),
    index,
    hintIndex: index,
    hintTerm: index,
  }),
  heartbeat: fc.record({ kind: fc.constant('heartbeat'), ...envelope, commitIndex: index, round: index }),
  heartbeatResponse: fc.record({ kind: fc.constant('heartbeatResponse'), ...envelope, round: index }),
  snapshotChunk: fc.record({
    kind: fc.constant('snapshotChunk'),
    ...envelope,
    snapshotIndex: index,
    snapshotTerm: index,
    position: index,
    totalBytes: index,
    checksum: fc.nat(),
    voters,
    data: bytes,
  }),
  snapshotResponse: fc.record({
    kind: fc.constant('snapshotResponse'),
    ...envelope,
    snapshotIndex: index,
    position: index,
  }),
  timeoutNow: fc.record({ kind: fc.constant('timeoutNow'), ...envelope }),
};

test.each(Object.entries(KINDS))('%s survives the wire', (_kind, messages) => {
  fc.assert(
    fc.property(messages, (message) => {
      const frame = RaftFrame.decode(RaftFrame.encode(toRaftFrame(message)));
      expect(fromRaftFrame(frame)).toEqual(message);
    }),
  );
});

test('a frame of a kind that only newer versions know is passed over', () => {
  expect(fromRaftFrame(RaftFrame.decode(Buffer.from([0xfa, 0x06, 0])))).toBeUndefined();
});
