/** What groups commit and read as Kafka's clients do it, in every version, over a connection to a node. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  asked,
  commit,
  fetchOne,
  KafkaNode,
  NONE,
  newGroup,
  soleMember,
  upTo,
  wire,
} from './kafka-group-requests.ts';

let node: KafkaNode;

beforeAll(async () => {
  node = await KafkaNode.start();
});

afterAll(() => node.cluster.close());

describe('offsets', () => {
  test.each(upTo(9, 2))('that OffsetCommit %i commits are read by every OffsetFetch', async (version) => {
    const peer = await node.peer();
    const groupId = newGroup();
    const { topics } = await commit(peer, version, groupId, 40 + version);
    expect(topics).toEqual([{ name: 'orders', partitions: [{ partitionIndex: 1, errorCode: NONE }] }]);
    for (const fetch of upTo(9, 1)) {
      const shown = {
        partitionIndex: 1,
        committedOffset: 40 + version,
        committedLeaderEpoch: version >= 6 && fetch >= 5 ? 3 : -1,
        metadata: 'note',
        errorCode: NONE,
      };
      const found = await fetchOne(peer, fetch, groupId);
      expect(found).toMatchObject({ errorCode: NONE, topics: [{ name: 'orders', partitions: [shown] }] });
    }
  });

  test('that nobody committed are -1 with empty metadata, and no failure, also of a group that nobody knows', async () => {
    const peer = await node.peer();
    for (const version of [1, 5, 9]) {
      const { topics, errorCode } = await fetchOne(peer, version, newGroup(), asked(0, 3));
      expect(errorCode).toBe(NONE);
      expect(topics[0]!.partitions.map(({ partitionIndex }) => partitionIndex)).toEqual([0, 3]);
      for (const partition of topics[0]!.partitions)
        expect(partition).toMatchObject({ committedOffset: -1, metadata: '', errorCode: NONE });
    }
  });

  test('of every topic are shown where none is named, from version 2 on', async () => {
    const peer = await node.peer();
    const groupId = newGroup();
    await commit(peer, 2, groupId, 5, { committedMetadata: null });
    const { topics } = await peer.ask('offsetFetch', 2, { groupId, topics: null });
    expect(topics).toMatchObject([{ name: 'orders', partitions: [{ committedOffset: 5, metadata: '' }] }]);
    expect((await peer.ask('offsetFetch', 7, { groupId, topics: [] })).topics).toEqual([]);
    const groups = [
      { groupId, topics: null },
      { groupId: newGroup(), topics: null },
      { groupId: '', topics: asked(1) },
    ];
    const several = await peer.ask('offsetFetch', 8, { groups });
    expect(several.groups.map((group) => [group.groupId, group.errorCode, group.topics.length])).toEqual([
      [groupId, NONE, 1],
      [groups[1]!.groupId, NONE, 0],
      ['', wire('INVALID_GROUP_ID'), 0],
    ]);
  });

  test('that are asked for more than once are told once', async () => {
    const peer = await node.peer();
    const groupId = newGroup();
    await commit(peer, 2, groupId, 5);
    const topics = [...asked(1, 1, 0), ...asked(1, 2)];
    const { groups } = await peer.ask('offsetFetch', 8, {
      groups: [
        { groupId, topics },
        { groupId, topics },
      ],
    });
    expect(groups).toHaveLength(1);
    const shown = groups[0]!.topics.map(({ partitions }) => partitions.map((one) => one.partitionIndex));
    expect(shown).toEqual([[1, 0, 2]]);
    const once = await peer.ask('describeGroups', 0, { groups: [groupId, groupId] });
    expect(once.groups).toHaveLength(1);
  });

  test('of a group that is refused: the failure stands at each partition in version 1, at the top from 2 on', async () => {
    const peer = await node.peer();
    const first = await fetchOne(peer, 1, '', asked(0, 1));
    const failed = { committedOffset: -1, errorCode: wire('INVALID_GROUP_ID') };
    expect(first.topics).toMatchObject([{ name: 'orders', partitions: [failed, failed] }]);
    expect(await fetchOne(peer, 2, '')).toMatchObject({ errorCode: wire('INVALID_GROUP_ID'), topics: [] });
  });

  test('are refused one by one, and all of them when the group refuses', async () => {
    const peer = await node.peer();
    const groupId = newGroup();
    const unknown = await commit(peer, 5, groupId, 1, { topic: 'nosuch' });
    expect(unknown.topics[0]!.partitions[0]!.errorCode).toBe(wire('UNKNOWN_TOPIC_OR_PARTITION'));
    const large = await commit(peer, 5, groupId, 1, { committedMetadata: 'x'.repeat(5000) });
    expect(large.topics[0]!.partitions[0]!.errorCode).toBe(wire('OFFSET_METADATA_TOO_LARGE'));
    const member = await soleMember(peer);
    const stranger = await commit(peer, 5, member.groupId, 1);
    expect(stranger.topics[0]!.partitions[0]!.errorCode).toBe(wire('UNKNOWN_MEMBER_ID'));
  });

  test('live as long as OffsetCommit 2 to 4 asks for', async () => {
    const peer = await node.peer();
    const [short, long] = [newGroup(), newGroup()];
    await commit(peer, 4, short, 1, { retentionTimeMs: 1 });
    await commit(peer, 4, long, 1, { retentionTimeMs: -1 });
    const offsetOf = async (groupId: string) =>
      (await fetchOne(peer, 5, groupId)).topics[0]!.partitions[0]!.committedOffset;
    await expect.poll(() => offsetOf(short), { timeout: 10_000 }).toBe(-1);
    expect(await offsetOf(long)).toBe(1);
  });

  test('are deleted by OffsetDelete, which says what it could not delete', async () => {
    const peer = await node.peer();
    const groupId = newGroup();
    await commit(peer, 9, groupId, 1);
    const topics = ['orders', 'nosuch'].map((name) => ({ name, partitions: [{ partitionIndex: 1 }] }));
    const done = await peer.ask('offsetDelete', 0, { groupId, topics });
    expect(done.errorCode).toBe(NONE);
    expect(done.topics.map(({ partitions }) => partitions[0]!.errorCode)).toEqual([
      NONE,
      wire('UNKNOWN_TOPIC_OR_PARTITION'),
    ]);
    expect((await fetchOne(peer, 9, groupId)).topics[0]!.partitions[0]!.committedOffset).toBe(-1);
    const missing = await peer.ask('offsetDelete', 0, { groupId: newGroup(), topics });
    expect(missing).toMatchObject({ errorCode: wire('GROUP_ID_NOT_FOUND'), topics: [] });
  });
});
