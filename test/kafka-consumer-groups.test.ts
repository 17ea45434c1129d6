/** Consumer groups (KIP-848) and operators of groups as Kafka's clients are them, over a connection to a node. */

import { Millrace } from '@millrace/client';
import type { ResponseOf } from '@millrace/kafka-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  asked,
  beat,
  commit,
  joinWithId,
  KafkaNode,
  METADATA,
  type Member,
  NONE,
  newGroup,
  soleMember,
  upTo,
  wire,
} from './kafka-group-requests.ts';
import type { KafkaPeer } from './kafka-peer.ts';

let node: KafkaNode;

beforeAll(async () => {
  node = await KafkaNode.start();
});

afterAll(() => node.cluster.close());

describe('a member of a consumer group', () => {
  test('is given an id in version 0, and from version 1 on brings its own', async () => {
    const peer = await node.peer();
    const groupId = newGroup();
    const given = await beat(peer, 0, groupId, { memberId: '' });
    expect(given).toMatchObject({ errorCode: NONE, memberEpoch: 1, assignment: node.allOrders() });
    expect(given.memberId).toMatch(/^[\w-]{22}$/);
    const again = await beat(peer, 0, groupId, { memberId: given.memberId!, memberEpoch: 1 });
    expect(again).toMatchObject({ errorCode: NONE, memberId: given.memberId });
    const nameless = await beat(peer, 1, newGroup(), { memberId: '' });
    expect(nameless.errorCode).toBe(wire('INVALID_REQUEST'));
    expect(nameless.errorMessage).toMatch(/member id is empty/);
  });

  test('hears its assignment by topic id, and nothing once it has it', async () => {
    const peer = await node.peer();
    const groupId = newGroup();
    expect(await beat(peer, 1, groupId)).toMatchObject({ memberEpoch: 1, assignment: node.allOrders() });
    const owns = { memberEpoch: 1, topicPartitions: node.allOrders().topicPartitions };
    const owning = await beat(peer, 1, groupId, owns);
    expect(owning).toMatchObject({ errorCode: NONE, assignment: null, heartbeatIntervalMs: 100 });
    expect((await beat(peer, 1, groupId, { memberEpoch: 9 })).errorCode).toBe(wire('FENCED_MEMBER_EPOCH'));
    expect(await beat(peer, 1, groupId, { memberEpoch: -1 })).toMatchObject({
      errorCode: NONE,
      memberEpoch: -1,
    });
  });

  test('subscribes by pattern, and is told when it is none', async () => {
    const peer = await node.peer();
    const pattern = (subscribedTopicRegex: string) => ({ subscribedTopicRegex, subscribedTopicNames: [] });
    expect(await beat(peer, 1, newGroup(), pattern('ord.*'))).toMatchObject({ assignment: node.allOrders() });
    const bad = await beat(peer, 1, newGroup(), pattern('ord('));
    expect(bad.errorCode).toBe(wire('INVALID_REGULAR_EXPRESSION'));
    expect(bad.errorMessage).not.toBe('');
  });

  test('commits and fetches at its epoch, and at no other', async () => {
    const peer = await node.peer();
    const groupId = newGroup();
    await beat(peer, 1, groupId);
    const at = async (memberEpoch: number) => {
      const partitions = [{ partitionIndex: 0, committedOffset: 7, committedMetadata: null }];
      const topics = [{ name: 'orders', partitions }];
      const commit = { groupId, memberId: 'member-1', generationIdOrMemberEpoch: memberEpoch, topics };
      const committed = await peer.ask('offsetCommit', 9, commit);
      const groups = [{ groupId, memberId: 'member-1', memberEpoch, topics: asked(0) }];
      const fetched = await peer.ask('offsetFetch', 9, { groups });
      return [committed.topics[0]!.partitions[0]!.errorCode, fetched.groups[0]!.errorCode];
    };
    expect(await at(1)).toEqual([NONE, NONE]);
    expect(await at(2)).toEqual([wire('STALE_MEMBER_EPOCH'), wire('STALE_MEMBER_EPOCH')]);
  });
});

/** One group of each kind, and one that only holds offsets. */
async function threeGroups(): Promise<{
  classic: Member;
  consumer: string;
  simple: string;
  peer: KafkaPeer;
}> {
  const peer = await node.peer('app');
  const classic = await soleMember(peer);
  const [consumer, simple] = [newGroup(), newGroup()];
  await beat(peer, 1, consumer, { instanceId: 'i' });
  await commit(peer, 2, simple, 1);
  return { classic, consumer, simple, peer };
}

describe('an operator', () => {
  test.each(upTo(5))('lists groups with version %i', async (version) => {
    const { peer, classic, consumer, simple } = await threeGroups();
    const { errorCode, groups } = await peer.ask('listGroups', version, {});
    expect(errorCode).toBe(NONE);
    const shown = (groupId: string) => groups.find((group) => group.groupId === groupId);
    const say = (protocolType: string, groupState: string, groupType: string) => ({
      protocolType,
      groupState: version >= 4 ? groupState : '',
      groupType: version >= 5 ? groupType : '',
    });
    expect(shown(classic.groupId)).toMatchObject(say('consumer', 'Stable', 'classic'));
    expect(shown(simple)).toMatchObject(say('', 'Empty', 'classic'));
    expect(shown(consumer)).toMatchObject({
      ...say('consumer', '', 'consumer'),
      groupState: expect.any(String),
    });
  });

  test('lists groups of some states from version 4 on, and of one type from version 5 on, in any case', async () => {
    const { peer, classic, consumer, simple } = await threeGroups();
    const names = ({ groups }: ResponseOf<'listGroups'>) =>
      groups.map(({ groupId }) => groupId).filter((id) => [classic.groupId, consumer, simple].includes(id));
    expect(names(await peer.ask('listGroups', 4, { statesFilter: ['empty'] }))).toEqual([simple]);
    expect(names(await peer.ask('listGroups', 5, { typesFilter: ['Consumer'] }))).toEqual([consumer]);
    const both = { statesFilter: ['Stable', 'nosuch'], typesFilter: ['classic'] };
    expect(names(await peer.ask('listGroups', 5, both))).toEqual([classic.groupId]);
  });

  test.each(upTo(5))('describes classic groups with version %i, and others are dead', async (version) => {
    const { peer, classic, consumer } = await threeGroups();
    const missing = newGroup();
    const asking = { groups: [classic.groupId, consumer, missing, ''] };
    const { groups } = await peer.ask('describeGroups', version, asking);
    const [host] = groups[0]!.members.map(({ clientHost }) => clientHost);
    expect(host).toMatch(/^(127\.0\.0\.1|::1)$/);
    const member = {
      memberId: classic.memberId,
      groupInstanceId: null,
      clientId: 'app',
      clientHost: host,
      memberMetadata: METADATA,
      memberAssignment: Buffer.from('everything'),
    };
    const asOf = { errorCode: NONE, errorMessage: null, authorizedOperations: -(2 ** 31) };
    const stable = {
      groupState: 'Stable',
      protocolType: 'consumer',
      protocolData: 'range',
      members: [member],
    };
    const dead = { groupState: 'Dead', protocolType: '', protocolData: '', members: [] };
    expect(groups).toEqual([
      { ...asOf, ...stable, groupId: classic.groupId },
      { ...asOf, ...dead, groupId: consumer },
      { ...asOf, ...dead, groupId: missing },
      { ...asOf, ...dead, groupState: '', groupId: '', errorCode: wire('INVALID_GROUP_ID') },
    ]);
  });

  test('hears from version 6 of DescribeGroups on that a group does not exist or is no classic one, and why', async () => {
    const { peer, classic, consumer } = await threeGroups();
    const missing = newGroup();
    const asking = { groups: [classic.groupId, consumer, missing, ''], includeAuthorizedOperations: true };
    const { groups } = await peer.ask('describeGroups', 6, asking);
    const notThere = {
      errorCode: wire('GROUP_ID_NOT_FOUND'),
      groupState: 'Dead',
      protocolType: '',
      protocolData: '',
      members: [],
      authorizedOperations: -(2 ** 31),
    };
    expect(groups).toMatchObject([
      { groupId: classic.groupId, errorCode: NONE, errorMessage: null, groupState: 'Stable' },
      { ...notThere, groupId: consumer, errorMessage: `group ${consumer} is not a classic group` },
      { ...notThere, groupId: missing, errorMessage: `group ${missing} does not exist` },
      { groupId: '', errorCode: wire('INVALID_GROUP_ID'), errorMessage: expect.stringMatching(/./) },
    ]);
  });

  test('describes consumer groups with ConsumerGroupDescribe, and others are not found', async () => {
    const { peer, classic, consumer } = await threeGroups();
    const groupIds = [consumer, classic.groupId, newGroup()];
    const { groups } = await peer.ask('consumerGroupDescribe', 1, {
      groupIds,
      includeAuthorizedOperations: false,
    });
    const [shown, other, missing] = groups as [(typeof groups)[0], (typeof groups)[0], (typeof groups)[0]];
    expect(shown).toMatchObject({ errorCode: NONE, errorMessage: null, groupEpoch: 1, assignmentEpoch: 1 });
    expect(shown).toMatchObject({ groupId: consumer, assignorName: 'uniform' });
    const [partitions] = node.allOrders().topicPartitions;
    const assignment = { topicPartitions: [{ ...partitions, topicName: 'orders' }] };
    expect(shown.members).toMatchObject([
      {
        memberId: 'member-1',
        instanceId: 'i',
        rackId: null,
        memberEpoch: 1,
        clientId: 'app',
        subscribedTopicNames: ['orders'],
        subscribedTopicRegex: null,
        assignment,
        targetAssignment: assignment,
        memberType: 1,
      },
    ]);
    expect(other).toMatchObject({ errorCode: wire('GROUP_ID_NOT_FOUND'), groupId: classic.groupId });
    expect(other.errorMessage).toMatch(/not a consumer group/);
    expect(missing.errorCode).toBe(wire('GROUP_ID_NOT_FOUND'));
    expect(missing.errorMessage).toBe(`group ${groupIds[2]} does not exist`);
    const old = await peer.ask('consumerGroupDescribe', 0, {
      groupIds: [consumer],
      includeAuthorizedOperations: false,
    });
    expect(old.groups[0]!.members[0]!.memberType).toBe(-1);
  });

  test('hears which operations are allowed only when it asks', async () => {
    const { peer, classic, consumer } = await threeGroups();
    const READ_DELETE_DESCRIBE = (1 << 3) + (1 << 6) + (1 << 8);
    for (const includeAuthorizedOperations of [true, false]) {
      const expected = includeAuthorizedOperations ? READ_DELETE_DESCRIBE : -(2 ** 31);
      const asClassic = { groups: [classic.groupId], includeAuthorizedOperations };
      const one = await peer.ask('describeGroups', 3, asClassic);
      expect(one.groups[0]!.authorizedOperations).toBe(expected);
      const asConsumer = { groupIds: [consumer], includeAuthorizedOperations };
      const other = await peer.ask('consumerGroupDescribe', 0, asConsumer);
      expect(other.groups[0]!.authorizedOperations).toBe(expected);
    }
  });

  test.each(upTo(2))('deletes groups with version %i, but none that is in use', async (version) => {
    const { peer, classic, consumer, simple } = await threeGroups();
    const groupsNames = [classic.groupId, consumer, simple, 'nosuch'];
    const { results } = await peer.ask('deleteGroups', version, { groupsNames });
    expect(results.map(({ errorCode }) => errorCode)).toEqual([
      wire('NON_EMPTY_GROUP'),
      wire('NON_EMPTY_GROUP'),
      NONE,
      wire('GROUP_ID_NOT_FOUND'),
    ]);
    const dead = await peer.ask('describeGroups', 5, { groups: [simple] });
    expect(dead.groups[0]!.groupState).toBe('Dead');
  });

  test('sees the same groups through the other door', async () => {
    const { classic, consumer } = await threeGroups();
    await using millrace = new Millrace({ bootstrap: node.cluster.bootstrap });
    const [one, other] = await millrace.admin().describeGroups([classic.groupId, consumer]);
    expect(one).toMatchObject({ type: 'classic', state: 'Stable', members: [{ clientId: 'app' }] });
    expect(other).toMatchObject({ type: 'consumer', members: [{ clientId: 'app', groupInstanceId: 'i' }] });
  });
});

test('a member of the classic protocol in a consumer group is shown as one, and a mixed group to nobody as classic', async () => {
  const [peer, other] = [await node.peer(), await node.peer()];
  const groupId = newGroup();
  await beat(peer, 1, groupId);
  const text = Buffer.from('orders');
  const subscription = Buffer.concat([
    Buffer.from([0, 0, 0, 0, 0, 1, 0, text.length]),
    text,
    Buffer.from([255, 255, 255, 255]),
  ]);
  const joined = await joinWithId(other, 5, groupId, {
    protocols: [{ name: 'range', metadata: subscription }],
  });
  expect(joined).toMatchObject({ errorCode: NONE, leader: '', members: [], protocolName: 'range' });
  const { groups } = await peer.ask('consumerGroupDescribe', 1, {
    groupIds: [groupId],
    includeAuthorizedOperations: false,
  });
  expect(groups[0]!.members.map(({ memberType }) => memberType).sort()).toEqual([0, 1]);
  const dead = await peer.ask('describeGroups', 5, { groups: [groupId] });
  expect(dead.groups[0]!.groupState).toBe('Dead');
});
