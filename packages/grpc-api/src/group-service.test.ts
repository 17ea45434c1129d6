/** The Group service over a real connection: what arrives at the broker, and what comes back. */
import type { GroupApi } from '@millrace/broker';
import { Deferred } from '@millrace/core';
import { type CommitOffsetsResponse, groupService, RpcChannel } from '@millrace/protocol';
import { expect, onTestFinished, test } from 'vitest';
import { registerGroupService } from './group-service.ts';
import { fakeBroker } from './testing/fake-broker.ts';
import { serve, until } from './testing/nodes.ts';

const HEADER = { correlationId: 1, timeoutMs: 250, clientId: 'app', clusterId: 'c', quorumId: '' };
const CALLER = { clientId: 'app', clientHost: '127.0.0.1' };

async function at(groups: Parameters<typeof fakeBroker>[1]): Promise<RpcChannel> {
  const { port } = await serve((server) => registerGroupService(server, fakeBroker({}, groups)));
  const channel = RpcChannel.connect('127.0.0.1', port);
  onTestFinished(() => channel.close());
  return channel;
}

const JOIN = { header: HEADER, groupId: 'g', memberId: 'm', memberEpoch: 0, reason: '' };

test('a heartbeat tells what was left out from what is empty, and so does its answer', async () => {
  const asked: unknown[] = [];
  const channel = await at({
    consumerGroupHeartbeat: async (request) => {
      asked.push(request);
      const answer = { memberId: 'm', memberEpoch: 3, heartbeatIntervalMs: 500, sessionTimeoutMs: 6000 };
      return { ...answer, assignment: asked.length === 1 ? undefined : [] };
    },
  });
  const first = await channel.unary(groupService.consumerGroupHeartbeat, {
    ...JOIN,
    rackId: 'r1',
    subscribedTopics: { names: [] },
    held: { topics: [{ topicId: 't', partitions: [1, 2] }] },
  });
  const second = await channel.unary(groupService.consumerGroupHeartbeat, JOIN);
  expect(asked[0]).toMatchObject({
    ...CALLER,
    groupId: 'g',
    rackId: 'r1',
    subscribedTopicNames: [],
    topicPartitions: [{ topicId: 't', partitions: [1, 2] }],
  });
  expect(asked[1]).toMatchObject({ ...CALLER, memberEpoch: 0 });
  for (const field of ['subscribedTopicNames', 'topicPartitions', 'rackId', 'rebalanceTimeoutMs']) {
    expect(asked[1]).toHaveProperty(field, undefined);
  }
  expect(first).toMatchObject({ memberEpoch: 3, heartbeatIntervalMs: 500, sessionTimeoutMs: 6000 });
  expect(first.assignment).toBeUndefined();
  expect(second.assignment).toEqual({ topics: [] });
});

test('commits reach the coordinator in the order sent, and are answered as they commit', async () => {
  const gates = [new Deferred<void>(), new Deferred<void>()];
  const asked: number[] = [];
  const channel = await at({
    commitOffsets: async ({ offsets, generationIdOrMemberEpoch, ...rest }) => {
      expect({ ...rest, generationIdOrMemberEpoch }).toMatchObject({
        ...CALLER,
        groupId: 'g',
        generationIdOrMemberEpoch: 7,
      });
      const [{ topic, topicId, partition, offset }] = offsets as [(typeof offsets)[0]];
      expect(topicId).toBe(offset === 5 ? 'i' : undefined);
      await gates[asked.push(offset) - 1]!.promise;
      const failure = { code: 'OFFSET_METADATA_TOO_LARGE', message: 'long' } as const;
      return { offsets: [offset === 5 ? { topic, partition } : { topic, partition, failure }] };
    },
  });
  const answers: CommitOffsetsResponse[] = [];
  const stream = channel.duplex(groupService.commitOffsets, {
    onMessage: (answer) => void answers.push(answer),
    onClosed: () => undefined,
  });
  [5, 6].forEach((offset, i) => {
    const which = offset === 5 ? { topic: 'orders', topicId: 'i' } : { topic: 'orders' };
    const offsets = [{ ...which, partition: 2, offset, leaderEpoch: 1, metadata: 'x' }];
    const header = { ...HEADER, correlationId: 10 + i };
    stream.send({ header, groupId: 'g', memberEpoch: 7, memberId: 'm', offsets });
  });
  await until(() => asked.length === 2);
  expect(asked).toEqual([5, 6]);
  gates[1]!.resolve();
  await until(() => answers.length === 1);
  gates[0]!.resolve();
  await until(() => answers.length === 2);
  expect(answers).toMatchObject([
    {
      correlationId: 11,
      offsets: [{ topic: 'orders', partition: 2, failure: { code: 12, message: 'long' } }],
    },
    { correlationId: 10, offsets: [{ topic: 'orders', partition: 2 }] },
  ]);
});

test('coordinators are named by the listener that the call came in on', async () => {
  const channel = await at({
    findCoordinators: async ({ listener, groupIds, timeoutMs }) => {
      expect({ listener, timeoutMs }).toEqual({ listener: 'INTERNAL', timeoutMs: 250 });
      const node = { id: 1, host: 'h', port: 9, rack: '', fenced: false, brokerEpoch: 0 };
      return {
        coordinators: groupIds.map((groupId, i) =>
          i === 0
            ? { groupId, node: { ...node, inControlledShutdown: false } }
            : { groupId, failure: { code: 'INVALID_GROUP_ID', message: 'empty' }, node: undefined },
        ),
      };
    },
  });
  const request = { header: HEADER, groupIds: ['g', ''] };
  const { coordinators } = await channel.unary(groupService.findCoordinators, request);
  expect(coordinators).toMatchObject([
    { groupId: 'g', node: { id: 1, host: 'h', port: 9 } },
    { groupId: '', failure: { code: 24, message: 'empty' } },
  ]);
  expect(coordinators[1]!.node).toBeUndefined();
});

test('a refusal of the coordinator keeps its code: ask elsewhere, try again', async () => {
  const failure = { code: 'NOT_COORDINATOR', message: 'not here' } as const;
  const channel = await at({
    fetchOffsets: async () => ({ failure, offsets: [] }),
    deleteOffsets: async () => ({ failure, offsets: [] }),
    listGroups: async () => ({ failure: { ...failure, code: 'COORDINATOR_LOAD_IN_PROGRESS' }, groups: [] }),
    deleteGroups: async (groupIds) => groupIds.map((groupId) => ({ groupId, failure })),
  });
  const asked = { header: HEADER, groupId: 'g', memberId: '', memberEpoch: -1, all: true, partitions: [] };
  expect((await channel.unary(groupService.fetchOffsets, asked)).failure).toEqual({
    code: 16,
    message: 'not here',
  });
  expect((await channel.unary(groupService.deleteOffsets, asked)).failure?.code).toBe(16);
  const listed = { header: HEADER, states: [], types: [] };
  expect((await channel.unary(groupService.listGroups, listed)).failure?.code).toBe(14);
  const deleted = await channel.unary(groupService.deleteGroups, { header: HEADER, groupIds: ['a', 'b'] });
  expect(deleted.groups).toMatchObject([{ groupId: 'a', failure: { code: 16 } }, { groupId: 'b' }]);
});

test('offsets are asked for all at once or one by one', async () => {
  const asked: unknown[] = [];
  const channel = await at({
    fetchOffsets: async ({ partitions }) => {
      asked.push(partitions);
      const offset = { topic: 't', partition: 0, offset: -1, leaderEpoch: -1, metadata: '' };
      return { offsets: [{ ...offset, committedAtMs: -1 }] };
    },
  });
  const request = { header: HEADER, groupId: 'g', memberId: '', memberEpoch: -1 };
  const partitions = [{ topic: 't', partition: 0 }];
  const one = await channel.unary(groupService.fetchOffsets, { ...request, all: false, partitions });
  await channel.unary(groupService.fetchOffsets, { ...request, all: true, partitions });
  expect(asked).toEqual([partitions, undefined]);
  expect(one.offsets).toMatchObject([{ topic: 't', partition: 0, offset: -1, committedAtMs: -1 }]);
});

test('groups are described with their members, and explained with their history', async () => {
  const assignment = [{ topic: 't', topicId: 'i', partitions: [0, 3] }];
  const member = { memberId: 'm', groupInstanceId: undefined, rackId: '', memberEpoch: 4, clientId: 'app' };
  const group: Awaited<ReturnType<GroupApi['describeGroups']>>[number] = {
    groupId: 'g',
    type: 'consumer',
    protocolType: 'consumer',
    state: 'Stable',
    epoch: 4,
    assignmentEpoch: 4,
    assignor: 'uniform',
    members: [
      {
        ...member,
        type: 'consumer',
        clientHost: 'h',
        subscribedTopicNames: ['t'],
        subscribedTopicRegex: '',
        assignment,
        targetAssignment: [],
        classicMetadata: Buffer.alloc(0),
        classicAssignment: Buffer.alloc(0),
      },
    ],
  };
  const event = {
    atMs: 5,
    kind: 'joined',
    epoch: 4,
    memberId: 'm',
    clientId: 'app',
    groupInstanceId: '',
  } as const;
  const channel = await at({
    describeGroups: async () => [group],
    explainGroup: async (groupId) => ({
      groupId,
      type: 'consumer',
      state: 'Stable',
      events: [{ ...event, cause: 'new', gained: assignment, lost: [], withoutMs: -1 }],
      droppedEvents: 2,
      members: [{ memberId: 'm', clientId: 'app', rebalances: 1, waitedMs: 10, longestWaitMs: 10 }],
    }),
  });
  const described = await channel.unary(groupService.describeGroups, { header: HEADER, groupIds: ['g'] });
  expect(described.groups).toMatchObject([
    { groupId: 'g', state: 'Stable', members: [{ memberId: 'm', groupInstanceId: '', assignment }] },
  ]);
  const explained = await channel.unary(groupService.explainGroup, { header: HEADER, groupId: 'g' });
  expect(explained).toMatchObject({
    droppedEvents: 2,
    events: [{ ...event, cause: 'new', gained: assignment, withoutMs: -1 }],
    members: [{ memberId: 'm', rebalances: 1 }],
  });
});
