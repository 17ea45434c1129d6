/** What handlers of group requests hand to the broker, and how they say what only a coordinator in trouble answers. */
import { failure, type GroupApi } from '@millrace/broker';
import { Deferred, ERRORS, type ErrorCode, ManualClock, silentLogger } from '@millrace/core';
import { expect, test } from 'vitest';
import type { RequestOf } from '../schemas/api-table.ts';
import { classicGroupHandlers } from './classic-group.ts';
import { groupOffsetHandlers } from './group-offsets.ts';
import type { RequestFacts, Surroundings } from './handler.ts';

const clock = new ManualClock();

/** Only what a test names is there. */
function around(groups: Partial<GroupApi>): Surroundings {
  return { broker: { groups }, logger: silentLogger, clock } as unknown as Surroundings;
}

function facts(version: number, release = (): void => undefined): RequestFacts {
  const { signal } = new AbortController();
  const connection = { id: 1, listener: 'PLAINTEXT', peerHost: '::ffff:10.1.2.3', peerPort: 5, signal };
  return { version, clientId: 'app', connection, memory: { reuse: release, release, lent: [] } };
}

const BEAT: RequestOf<'heartbeat'> = { groupId: 'g', generationId: 1, memberId: 'm', groupInstanceId: null };

async function heartbeatError(code: ErrorCode): Promise<number> {
  const heartbeat = async () => ({ failure: failure(code) });
  const answer = await classicGroupHandlers(around({ heartbeat })).heartbeat.handle(BEAT, facts(4));
  return answer!.errorCode;
}

test('a heartbeat to a coordinator that still reads its groups is answered as if all was well', async () => {
  expect(await heartbeatError('COORDINATOR_LOAD_IN_PROGRESS')).toBe(0);
});

test.each(['NODE_OVERLOADED', 'REQUEST_TIMED_OUT', 'NODE_NOT_SERVING'] as const)(
  'members that are told %s hear that the coordinator is not available: they ask again',
  async (code) => {
    expect(await heartbeatError(code)).toBe(ERRORS.COORDINATOR_NOT_AVAILABLE.wire);
  },
);

test.each(['NOT_COORDINATOR', 'FENCED_INSTANCE_ID', 'UNKNOWN_SERVER_ERROR'] as const)(
  "%s is told by Kafka's own number",
  async (code) => {
    expect(await heartbeatError(code)).toBe(ERRORS[code].wire);
  },
);

test('a join keeps nothing of its frame, which is given back before the others have joined', async () => {
  const frame = Buffer.from('subscription');
  const asked: Parameters<GroupApi['joinGroup']>[0][] = [];
  const others = new Deferred<Awaited<ReturnType<GroupApi['joinGroup']>>>();
  const joinGroup: GroupApi['joinGroup'] = (request) => {
    asked.push(request);
    return others.promise;
  };
  let isReleased = false;
  const request: RequestOf<'joinGroup'> = {
    groupId: 'g',
    sessionTimeoutMs: 7000,
    rebalanceTimeoutMs: -1,
    memberId: '',
    groupInstanceId: null,
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: frame }],
    reason: null,
  };
  const release = (): void => {
    isReleased = true;
  };
  const answered = classicGroupHandlers(around({ joinGroup })).joinGroup.handle(request, facts(0, release));
  frame.fill(0);
  expect(isReleased).toBe(true);
  expect(asked).toMatchObject([
    { clientId: 'app', clientHost: '10.1.2.3', rebalanceTimeoutMs: 7000, requiresKnownMemberId: false },
  ]);
  expect(String(asked[0]!.protocols[0]!.metadata)).toBe('subscription');
  const reason = failure('INCONSISTENT_GROUP_PROTOCOL');
  const refused = { generationId: -1, leader: '', memberId: 'm', skipAssignment: false, members: [] };
  others.resolve({ ...refused, failure: reason, protocolType: undefined, protocolName: undefined });
  expect(await answered).toMatchObject({ errorCode: ERRORS[reason.code].wire, protocolName: '' });
});

test('a commit waits where the coordinator has no room, and takes effect at once where it has', async () => {
  const room = new Deferred<void>();
  let rooms: (Promise<void> | undefined)[] = [room.promise, undefined];
  const committed: string[] = [];
  const handlers = groupOffsetHandlers(
    around({
      commitRoom: () => {
        const [first, ...rest] = rooms;
        rooms = rest;
        return first;
      },
      commitOffsets: async ({ groupId }) => {
        committed.push(groupId);
        return { offsets: [] };
      },
    }),
  );
  const request = (groupId: string): RequestOf<'offsetCommit'> => ({
    groupId,
    generationIdOrMemberEpoch: -1,
    memberId: '',
    groupInstanceId: null,
    retentionTimeMs: -1,
    topics: [],
  });
  const late = handlers.offsetCommit.handle(request('late'), facts(2));
  const early = handlers.offsetCommit.handle(request('early'), facts(2));
  expect(committed).toEqual(['early']);
  room.resolve();
  await Promise.all([late, early]);
  expect(committed).toEqual(['early', 'late']);
});

test('offsets of a hundred thousand groups are looked up in slices: others are served in between', async () => {
  let lookups = 0;
  const fetchOffsets: GroupApi['fetchOffsets'] = async () => {
    lookups += 1;
    return { offsets: [] };
  };
  const GROUPS = 100_000;
  const groups = Array.from({ length: GROUPS }, (_, i) => ({
    groupId: `g${i}`,
    memberId: null,
    memberEpoch: -1,
    topics: null,
  }));
  const request = { groupId: '', topics: null, groups, requireStable: false };
  let answered = 0;
  void groupOffsetHandlers(around({ fetchOffsets }))
    .offsetFetch.handle(request, facts(9))
    .then((answer) => {
      answered = answer!.groups!.length;
    });
  let slices = 0;
  for (let before = 0; answered === 0; before = lookups) {
    expect(lookups - before).toBeLessThan(GROUPS / 10);
    slices += 1;
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(0);
  }
  expect([answered, lookups, slices >= 10]).toEqual([GROUPS, GROUPS, true]);
});
