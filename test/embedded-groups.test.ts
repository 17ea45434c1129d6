/** Consumer groups of a whole cluster over gRPC, as a program of any language would speak to it. */
import { Millrace } from '@millrace/client';
import type { MillraceError } from '@millrace/core';
import {
  type CommitOffsetsResponse,
  type Coordinator,
  type Failure,
  groupService,
  RpcChannel,
} from '@millrace/protocol';
import { type Cluster, startCluster } from '@millrace/server';
import { afterEach, beforeEach, expect, test } from 'vitest';

const HEADER = { correlationId: 0, timeoutMs: 5000, clientId: 'test', clusterId: '', quorumId: '' };
/** Ask again: the coordinator moves, loads, or its topic is being created. */
const AGAIN: ReadonlySet<number> = new Set([14, 15, 16]);
const TOPIC = 'orders';

let cluster: Cluster;
const channels = new Map<string, RpcChannel>();

beforeEach(async () => {
  cluster = await startCluster();
  const millrace = new Millrace({ bootstrap: cluster.bootstrap });
  await millrace.admin().createTopics([{ name: TOPIC, partitions: 4, replicationFactor: 3 }]);
  await millrace.close();
}, 30_000);
afterEach(async () => {
  for (const channel of channels.values()) channel.close();
  channels.clear();
  await cluster.close();
});

function channelTo(host: string, port: number): RpcChannel {
  const name = `${host}:${port}`;
  const channel = channels.get(name) ?? RpcChannel.connect(host, port);
  channels.set(name, channel);
  return channel;
}

/** Asks one node after the other: any may be the one that was stopped. */
async function find(groupId: string): Promise<Coordinator> {
  const request = { header: HEADER, groupIds: [groupId] };
  for (let attempt = 0; ; attempt++) {
    const { nodes } = cluster;
    const { host, port } = nodes[attempt % nodes.length]!.addresses[0]!;
    const answer = await channelTo(host, port)
      .unary(groupService.findCoordinators, request)
      .catch((error: MillraceError) => {
        if (!error.retriable) throw error;
        return undefined;
      });
    const found = answer?.coordinators[0];
    if (found !== undefined && found.failure === undefined) return found;
    if (found?.failure !== undefined) expect(AGAIN).toContain(found.failure.code);
    await pause();
  }
}

/** Finds the coordinator, asks it, and asks again while it says so or is away. */
async function ask<T extends { readonly failure?: Failure | undefined }>(
  groupId: string,
  call: (channel: RpcChannel) => Promise<T>,
): Promise<T> {
  for (;;) {
    const { node } = await find(groupId);
    const answer = await call(channelTo(node!.host, node!.port)).catch((error: MillraceError) => {
      if (!error.retriable) throw error;
      return undefined;
    });
    if (answer !== undefined && !AGAIN.has(answer.failure?.code ?? 0)) return answer;
    await pause();
  }
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

/** Many on one stream. @returns the offsets whose commits were acknowledged. */
async function commitAll(groupId: string, offsets: readonly number[]): Promise<number[]> {
  const { node } = await find(groupId);
  const answers = new Map<number, CommitOffsetsResponse>();
  await new Promise<void>((resolve) => {
    const stream = channelTo(node!.host, node!.port).duplex(groupService.commitOffsets, {
      onMessage: (answer) => {
        answers.set(answer.correlationId, answer);
        if (answers.size === offsets.length) stream.close();
      },
      onClosed: () => resolve(),
    });
    for (const offset of offsets) {
      const entry = { topic: TOPIC, partition: 0, offset, leaderEpoch: -1, metadata: '' };
      const header = { ...HEADER, correlationId: offset };
      stream.send({ header, groupId, memberEpoch: -1, memberId: '', offsets: [entry] });
    }
  });
  return offsets.filter((offset) => {
    const answer = answers.get(offset);
    return answer !== undefined && answer.failure === undefined && answer.offsets[0]?.failure === undefined;
  });
}

async function committed(groupId: string): Promise<number | undefined> {
  const request = { header: HEADER, groupId, memberId: '', memberEpoch: -1, all: true, partitions: [] };
  const { offsets } = await ask(groupId, (channel) => channel.unary(groupService.fetchOffsets, request));
  return offsets[0]?.offset;
}

test('commits survive the crash of their coordinator; all that were acknowledged are read back', async () => {
  const all = Array.from({ length: 500 }, (_, i) => i);
  expect(await commitAll('billing', all)).toEqual(all);
  expect(await committed('billing')).toBe(499);
  const { node } = await find('billing');
  const late = commitAll(
    'billing',
    all.map((offset) => 500 + offset),
  );
  await cluster.stopNode(node!.id, { abruptly: true });
  const acknowledged = Math.max(499, ...(await late));
  expect(await committed('billing')).toBeGreaterThanOrEqual(acknowledged);
  expect((await find('billing')).node!.id).not.toBe(node!.id);
}, 30_000);

test('members share the partitions of a topic, and the group is shown and explained', async () => {
  const topicIds = new Set<string>();
  const beat = (memberId: string, memberEpoch: number, held?: readonly number[]) =>
    ask('readers', (channel) =>
      channel.unary(groupService.consumerGroupHeartbeat, {
        header: HEADER,
        groupId: 'readers',
        memberId,
        memberEpoch,
        ...(memberEpoch === 0 && { rebalanceTimeoutMs: 10_000, subscribedTopics: { names: [TOPIC] } }),
        ...(held && {
          held: { topics: held.length === 0 ? [] : [{ topicId: [...topicIds][0]!, partitions: held }] },
        }),
        reason: '',
      }),
    );
  const held = new Map<string, readonly number[]>([
    ['a', []],
    ['b', []],
  ]);
  const epochs = new Map([
    ['a', 0],
    ['b', 0],
  ]);
  const isShared = (): boolean => [...held.values()].every(({ length }) => length === 2);
  for (let round = 0; round < 100 && !isShared(); round++) {
    for (const memberId of held.keys()) {
      const answer = await beat(memberId, epochs.get(memberId)!, held.get(memberId)!);
      expect(answer.failure).toBeUndefined();
      epochs.set(memberId, answer.memberEpoch);
      for (const { topicId } of answer.assignment?.topics ?? []) topicIds.add(topicId);
      if (answer.assignment) {
        held.set(
          memberId,
          answer.assignment.topics.flatMap(({ partitions }) => partitions),
        );
      }
    }
  }
  expect([...held.values()].flat().sort()).toEqual([0, 1, 2, 3]);

  const group = { header: HEADER, groupId: 'readers', groupIds: ['readers'] };
  const described = await ask('readers', async (channel) => {
    const { groups } = await channel.unary(groupService.describeGroups, group);
    return groups[0]!;
  });
  expect(described).toMatchObject({ groupId: 'readers', type: 'consumer', state: 'Stable' });
  expect(described.members.map(({ memberId }) => memberId).sort()).toEqual(['a', 'b']);
  const explained = await ask('readers', (channel) => channel.unary(groupService.explainGroup, group));
  expect(explained.events.filter(({ kind }) => kind === 'joined')).toHaveLength(2);
  const refused = await ask('readers', async (channel) => {
    const { groups } = await channel.unary(groupService.deleteGroups, group);
    return groups[0]!;
  });
  expect(refused.failure?.code).toBe(68);
  const listed = await ask('readers', (channel) =>
    channel.unary(groupService.listGroups, { header: HEADER, states: [], types: [] }),
  );
  expect(listed.groups).toMatchObject([{ groupId: 'readers', type: 'consumer', state: 'Stable' }]);
  expect((await beat('a', -1)).failure).toBeUndefined();
}, 30_000);

test('a broker that does not coordinate the group says so', async () => {
  const { node } = await find('g');
  const others = cluster.nodes.filter(({ config }) => config.properties['node.id'] !== node!.id);
  for (const { addresses } of others) {
    const { host, port } = addresses[0]!;
    const request = {
      header: HEADER,
      groupId: 'g',
      memberId: '',
      memberEpoch: -1,
      all: true,
      partitions: [],
    };
    const answer = await channelTo(host, port).unary(groupService.fetchOffsets, request);
    expect(answer.failure?.code).toBe(16);
  }
});
