/** Members of classic groups as Kafka's clients are them, in every version, over a connection to a node. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  join,
  joinWithId,
  KafkaNode,
  METADATA,
  NONE,
  newGroup,
  soleMember,
  sync,
  upTo,
  wire,
} from './kafka-group-requests.ts';

const CLUSTER_AUTHORIZATION_FAILED = 31;

let node: KafkaNode;

beforeAll(async () => {
  node = await KafkaNode.start();
});

afterAll(() => node.cluster.close());

describe('FindCoordinator', () => {
  test.each(upTo(3))(
    'version %i names the broker by the address of the listener that was asked',
    async (version) => {
      const peer = await node.peer();
      const found = await peer.ask('findCoordinator', version, { key: 'any' });
      const [, port] = node.cluster.kafkaBootstrap.split(':');
      expect(found).toMatchObject({ errorCode: NONE, nodeId: 1, host: 'localhost', port: Number(port) });
    },
  );

  test.each(upTo(6, 4))('version %i finds several at once, in the order asked', async (version) => {
    const peer = await node.peer();
    const { coordinators } = await peer.ask('findCoordinator', version, { coordinatorKeys: ['b', '', 'a'] });
    expect(coordinators.map(({ key, nodeId, errorCode }) => [key, nodeId, errorCode])).toEqual([
      ['b', 1, NONE],
      ['', -1, wire('INVALID_GROUP_ID')],
      ['a', 1, NONE],
    ]);
  });

  test.each(upTo(6, 1))(
    'a coordinator of transactions is refused for good in version %i, with the reason',
    async (version) => {
      const peer = await node.peer();
      const asked = version >= 4 ? { coordinatorKeys: ['t'] } : { key: 't' };
      const answer = await peer.ask('findCoordinator', version, { ...asked, keyType: 1 });
      const found = version >= 4 ? answer.coordinators[0]! : answer;
      expect(found).toMatchObject({ errorCode: CLUSTER_AUTHORIZATION_FAILED, nodeId: -1, port: -1 });
      expect(found.errorMessage).toBe('transactions are not served by this cluster');
    },
  );

  test('a coordinator of a type that nobody knows is refused', async () => {
    const peer = await node.peer();
    const { coordinators } = await peer.ask('findCoordinator', 6, { coordinatorKeys: ['s'], keyType: 2 });
    expect(coordinators[0]).toMatchObject({ key: 's', errorCode: wire('INVALID_REQUEST') });
  });
});

describe('a member of a classic group', () => {
  test.each(upTo(9))('with JoinGroup %i joins, is assigned, lives and leaves', async (version) => {
    const peer = await node.peer();
    const groupId = newGroup();
    const joined = await joinWithId(peer, version, groupId);
    expect(joined).toMatchObject({
      errorCode: NONE,
      generationId: 1,
      protocolName: 'range',
      skipAssignment: false,
    });
    expect(joined.protocolType).toBe(version >= 7 ? 'consumer' : null);
    const { memberId, generationId, leader, members } = joined;
    expect(leader).toBe(memberId);
    expect(members).toEqual([{ memberId, groupInstanceId: null, metadata: METADATA }]);
    const member = { groupId, memberId, generationId };
    const synced = await sync(peer, Math.min(version, 5), member, { [memberId]: 'all of it' });
    expect(synced).toMatchObject({ errorCode: NONE, assignment: Buffer.from('all of it') });
    expect(synced.protocolName).toBe(version >= 5 ? 'range' : null);
    const beat = await peer.ask('heartbeat', Math.min(version, 4), member);
    expect(beat.errorCode).toBe(NONE);
    const leave = Math.min(version, 5);
    const left = await peer.ask('leaveGroup', leave, {
      groupId,
      ...(leave < 3 ? { memberId } : { members: [{ memberId }] }),
    });
    expect(left.errorCode).toBe(NONE);
    expect(left.members).toEqual(leave < 3 ? [] : [{ memberId, groupInstanceId: null, errorCode: NONE }]);
    expect((await peer.ask('heartbeat', 0, member)).errorCode).toBe(wire('UNKNOWN_MEMBER_ID'));
  });

  test('is sent back for its id from version 4 on, unless it is a static one', async () => {
    const peer = await node.peer('app');
    expect((await join(peer, 3, newGroup())).errorCode).toBe(NONE);
    const sentBack = await join(peer, 4, newGroup());
    expect(sentBack).toMatchObject({
      errorCode: wire('MEMBER_ID_REQUIRED'),
      generationId: -1,
      protocolName: '',
    });
    expect(sentBack.memberId).toMatch(/^app-/);
    expect((await join(peer, 7, newGroup())).protocolName).toBeNull();
    expect((await join(peer, 5, newGroup(), { groupInstanceId: 'i' })).errorCode).toBe(NONE);
  });

  test('that leads hears of all members and their metadata, the others of none', async () => {
    const [one, two] = [await node.peer(), await node.peer()];
    const first = await soleMember(one);
    const { groupId } = first;
    const second = joinWithId(two, 5, groupId, {
      protocols: [{ name: 'range', metadata: Buffer.from('mine') }],
    });
    await expect
      .poll(async () => (await one.ask('heartbeat', 3, first)).errorCode)
      .toBe(wire('REBALANCE_IN_PROGRESS'));
    const again = await join(one, 5, groupId, { memberId: first.memberId });
    const { memberId, leader, members, generationId } = await second;
    expect([again.leader, leader]).toEqual([first.memberId, first.memberId]);
    expect(members).toEqual([]);
    expect(again.members.map(({ metadata }) => String(metadata)).sort()).toEqual(['mine', 'what I read']);
    const waiting = sync(two, 3, { groupId, memberId, generationId });
    const own = await sync(one, 3, { ...first, generationId }, { [first.memberId]: 'a', [memberId]: 'b' });
    expect([String(own.assignment), String((await waiting).assignment)]).toEqual(['a', 'b']);
  });

  test('that leads and starts anew is told to skip the assignment in version 9, and before that it does not lead', async () => {
    const peer = await node.peer();
    const groupId = newGroup();
    const one = await join(peer, 5, groupId, { groupInstanceId: 'i' });
    await sync(peer, 3, { groupId, memberId: one.memberId, generationId: 1 }, { [one.memberId]: 'kept' });
    const two = await join(peer, 8, groupId, { groupInstanceId: 'i' });
    expect(two).toMatchObject({ generationId: 1, leader: one.memberId, members: [] });
    const three = await join(peer, 9, groupId, { groupInstanceId: 'i' });
    expect(three).toMatchObject({ generationId: 1, skipAssignment: true, leader: three.memberId });
    expect(three.members).toHaveLength(1);
    const synced = await sync(peer, 5, { groupId, memberId: three.memberId, generationId: 1 });
    expect(String(synced.assignment)).toBe('kept');
    const beat = { groupId, memberId: two.memberId, generationId: 1, groupInstanceId: 'i' };
    expect((await peer.ask('heartbeat', 4, beat)).errorCode).toBe(wire('FENCED_INSTANCE_ID'));
  });

  test('is refused by its own number for what it does wrong', async () => {
    const peer = await node.peer();
    const member = await soleMember(peer);
    const late = { ...member, generationId: 7 };
    expect((await peer.ask('heartbeat', 1, late)).errorCode).toBe(wire('ILLEGAL_GENERATION'));
    expect((await sync(peer, 1, late)).errorCode).toBe(wire('ILLEGAL_GENERATION'));
    const other = await join(peer, 2, member.groupId, { protocols: [{ name: 'mine', metadata: METADATA }] });
    expect(other).toMatchObject({ errorCode: wire('INCONSISTENT_GROUP_PROTOCOL'), generationId: -1 });
    expect((await join(peer, 3, '')).errorCode).toBe(wire('INVALID_GROUP_ID'));
    expect((await join(peer, 3, newGroup(), { memberId: 'gone' })).errorCode).toBe(wire('UNKNOWN_MEMBER_ID'));
  });

  test('must say from SyncGroup 5 on which protocol it believes was chosen', async () => {
    const peer = await node.peer();
    const member = await soleMember(peer);
    const silent = await peer.ask('syncGroup', 5, { ...member, assignments: [] });
    expect(silent.errorCode).toBe(wire('INCONSISTENT_GROUP_PROTOCOL'));
    expect((await peer.ask('syncGroup', 4, { ...member, assignments: [] })).errorCode).toBe(NONE);
  });

  test('that leaves with others has an outcome of its own from version 3 on, and before that the only one', async () => {
    const peer = await node.peer();
    const { groupId, memberId } = await soleMember(peer);
    const gone = await peer.ask('leaveGroup', 2, { groupId, memberId: 'gone' });
    expect(gone.errorCode).toBe(wire('UNKNOWN_MEMBER_ID'));
    const members = [{ memberId: 'gone' }, { memberId, reason: 'enough' }];
    const left = await peer.ask('leaveGroup', 5, { groupId, members });
    expect(left.errorCode).toBe(NONE);
    expect(left.members.map(({ errorCode }) => errorCode)).toEqual([wire('UNKNOWN_MEMBER_ID'), NONE]);
  });
});
