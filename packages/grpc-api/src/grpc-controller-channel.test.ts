import type { BrokerRegistration, BrokerState, MetadataLogEntry } from '@millrace/broker';
import { Deferred, MiB, MillraceError, type NodeId } from '@millrace/core';
import type { MetadataLogFollower, SessionToken } from '@millrace/metadata-quorum';
import { expect, onTestFinished, test } from 'vitest';
import { registerControllerServices, type ServedController } from './controller-services.ts';
import { GrpcControllerChannel } from './grpc-controller-channel.ts';
import { realClock, recordingLogger, serve, until } from './testing/nodes.ts';

/** Three controllers, one active, with a log that a test writes by hand. */
class FakeQuorum {
  #activeId: NodeId | -1 = 1;
  readonly watchers = new Set<() => void>();
  readonly asked: NodeId[] = [];
  readonly disconnected: { brokerId: NodeId; brokerEpoch: number }[] = [];
  /** The session that brokers were last heard on. */
  session: SessionToken | undefined;
  /** Brokers that the end of their session makes dead: an older session's does not. */
  readonly dead: NodeId[] = [];
  readonly followers = new Map<MetadataLogFollower, NodeId>();
  readonly subscriptions: number[] = [];
  heartbeatError: MillraceError | undefined;
  /** The next calls fail so, whatever becomes of them. */
  readonly unknowns: string[] = [];
  readonly quorumIds = new Map<NodeId, string>();

  get activeId(): NodeId | -1 {
    return this.#activeId;
  }

  set activeId(id: NodeId | -1) {
    this.#activeId = id;
    for (const tell of this.watchers) tell();
  }

  controller(id: NodeId): ServedController {
    const active = <Reply>(reply: () => Reply) => {
      return async (_request: unknown, session?: SessionToken): Promise<Reply> => {
        this.asked.push(id);
        const unknown = this.unknowns.shift();
        if (unknown) throw new MillraceError('REQUEST_TIMED_OUT', unknown);
        if (this.activeId !== id) throw new MillraceError('NOT_CONTROLLER');
        this.session = session ?? this.session;
        return reply();
      };
    };
    const unused = () => expect.unreachable('not asked by this test');
    return {
      registerBroker: active(() => ({ brokerEpoch: 40 })),
      heartbeat: active(() => {
        if (this.heartbeatError) throw this.heartbeatError;
        return { brokerEpoch: 40, fenced: false, mayShutDown: false };
      }),
      brokerDisconnected: (brokerId, brokerEpoch, session) => {
        this.disconnected.push({ brokerId, brokerEpoch });
        if (session === undefined || session === this.session) this.dead.push(brokerId);
      },
      alterPartitions: active(() => ({ partitions: [] })),
      allocateProducerIds: active(() => ({ firstId: 1_000, count: 1_000 })),
      createTopics: active(() => ({
        topics: [
          {
            name: 'a',
            topicId: '',
            partitionCount: 0,
            replicationFactor: 0,
            failure: { code: 'TOPIC_ALREADY_EXISTS', message: 'it does' } as const,
          },
        ],
      })),
      deleteTopics: unused,
      createPartitions: unused,
      alterConfigs: unused,
      electLeaders: unused,
      changeVoters: unused,
      voters: () => [],
      quorumId: () => this.quorumIds.get(id) ?? '',
      isActive: () => this.activeId === id,
      leaderId: () => (this.activeId === -1 ? undefined : this.activeId),
      onLeaderChange: (listener) => {
        this.watchers.add(listener);
        return () => this.watchers.delete(listener);
      },
      status: () => {
        throw new MillraceError('NOT_CONTROLLER');
      },
      subscribeLog: (follower, fromOffset) => {
        this.subscriptions.push(fromOffset);
        this.followers.set(follower, id);
        follower.onEntries([], fromOffset);
        return () => this.followers.delete(follower);
      },
    };
  }

  append(entries: readonly MetadataLogEntry[], nextOffset: number): void {
    for (const follower of this.followers.keys()) follower.onEntries(entries, nextOffset);
  }
}

/** Where a broker keeps its quorum; `written` is called before it is durable. */
class Keeper {
  quorumId: string;
  written: (quorumId: string) => Promise<void> = async () => {};

  constructor(quorumId = '') {
    this.quorumId = quorumId;
  }

  async keepQuorumId(quorumId: string): Promise<void> {
    await this.written(quorumId);
    this.quorumId = quorumId;
  }
}

async function cluster(keeper = new Keeper()) {
  const quorum = new FakeQuorum();
  const servers = await Promise.all(
    [1, 2, 3].map((id) =>
      serve((server) => {
        const service = registerControllerServices(server, quorum.controller(id), { clusterId: 'c' });
        onTestFinished(() => service.close());
      }),
    ),
  );
  const logged: Record<string, unknown>[] = [];
  const channel = new GrpcControllerChannel({
    clusterId: 'c',
    quorum: keeper,
    clientId: 'broker-9',
    controllers: servers.map(({ port }, i) => ({ id: i + 1, host: '127.0.0.1', port })),
    clock: realClock,
    logger: recordingLogger(logged),
  });
  onTestFinished(() => channel.close());
  return { quorum, servers, channel, logged };
}

const IDS = { timeoutMs: 5_000, brokerId: 9, brokerEpoch: 40 };

test('a call finds the active controller by asking, and goes straight to it from then on', async () => {
  const { quorum, channel } = await cluster();
  quorum.activeId = 3;
  expect(await channel.allocateProducerIds(IDS)).toEqual({ firstId: 1_000, count: 1_000 });
  expect(quorum.asked).toEqual([1, 2, 3]);
  const context = { timeoutMs: 5_000, clientId: 'app' };
  const answer = await channel.createTopics({ ...context, topics: [], validateOnly: false });
  expect(quorum.asked).toEqual([1, 2, 3, 3]);
  expect(answer.topics[0]).toMatchObject({
    name: 'a',
    failure: { code: 'TOPIC_ALREADY_EXISTS', message: 'it does' },
  });
});

test('a call waits out an election within its deadline, and fails with QUORUM_UNAVAILABLE after it', async () => {
  const { quorum, channel } = await cluster();
  // With the connections made, only the election is waited for, however busy the machine is.
  await channel.allocateProducerIds(IDS);
  quorum.activeId = -1;
  await expect(channel.allocateProducerIds({ ...IDS, timeoutMs: 2_000 })).rejects.toMatchObject({
    code: 'QUORUM_UNAVAILABLE',
    retriable: true,
  });
  const askedBefore = quorum.asked.length;
  const call = channel.allocateProducerIds(IDS);
  await until(() => quorum.asked.length > askedBefore + 3);
  quorum.activeId = 2;
  expect(await call).toMatchObject({ firstId: 1_000 });
});

test('a change whose fate nobody knows is not made again by itself; what may be repeated is', async () => {
  const { quorum, channel } = await cluster();
  const unknown = 'leadership was lost; it may or may not be applied';
  quorum.unknowns.push(unknown);
  const context = { timeoutMs: 5_000, clientId: 'app' };
  await expect(channel.createTopics({ ...context, topics: [], validateOnly: false })).rejects.toMatchObject({
    code: 'REQUEST_TIMED_OUT',
    message: unknown,
  });
  expect(quorum.asked).toEqual([1]);
  quorum.unknowns.push(unknown, unknown);
  expect(await channel.allocateProducerIds(IDS)).toMatchObject({ count: 1_000 });
  expect(quorum.asked).toHaveLength(4 + 1);
});

test('a call goes on to the others when the controller is gone', async () => {
  const { quorum, channel, servers } = await cluster();
  await channel.allocateProducerIds(IDS);
  servers[0]!.server.close();
  quorum.activeId = 2;
  expect(await channel.allocateProducerIds(IDS)).toMatchObject({ count: 1_000 });
});

const REGISTRATION: BrokerRegistration = {
  brokerId: 9,
  incarnationId: 'i',
  directoryId: 'd',
  endpoints: [{ listener: 'INTERNAL', host: 'h', port: 9_191 }],
  rack: 'r',
  previousBrokerEpoch: -1,
  metadataOffset: 0,
  offline: [],
};
const HEARTBEAT = {
  brokerId: 9,
  incarnationId: 'i',
  brokerEpoch: 40,
  metadataOffset: 5,
  wantsShutdown: false,
  offline: [],
};

function session(channel: GrpcControllerChannel) {
  const states: BrokerState[] = [];
  const errors: MillraceError[] = [];
  const opened = channel.openSession(REGISTRATION, {
    onState: (state) => states.push(state),
    onClosed: (error) => errors.push(error),
  });
  return { states, errors, opened };
}

test('a session registers with the active controller, and every heartbeat is answered in order', async () => {
  const { quorum, channel } = await cluster();
  quorum.activeId = 2;
  const { states, opened } = session(channel);
  await until(() => states.length === 1);
  expect(states[0]).toEqual({ failure: undefined, brokerEpoch: 40, fenced: true, mayShutDown: false });
  opened.heartbeat(HEARTBEAT);
  await until(() => states.length === 2);
  quorum.heartbeatError = new MillraceError('STALE_BROKER_EPOCH', 'old');
  opened.heartbeat(HEARTBEAT);
  await until(() => states.length === 3);
  expect(states[1]).toMatchObject({ fenced: false });
  expect(states[2]?.failure).toEqual({ code: 'STALE_BROKER_EPOCH', message: 'old' });
  opened.close();
  await until(() => quorum.disconnected.length === 1);
  expect(quorum.disconnected).toEqual([{ brokerId: 9, brokerEpoch: 40 }]);
});

test('the end of an older session of a broker does not count against its newer one', async () => {
  const { quorum, channel } = await cluster();
  const older = session(channel);
  await until(() => older.states.length === 1);
  const newer = session(channel);
  await until(() => newer.states.length === 1);
  older.opened.close();
  await until(() => quorum.disconnected.length === 1);
  expect(quorum.dead).toEqual([]);
  newer.opened.close();
  await until(() => quorum.disconnected.length === 2);
  expect(quorum.dead).toEqual([9]);
});

test('a session ends when its controller is active no more, and when it dies', async () => {
  const { quorum, channel, servers } = await cluster();
  const first = session(channel);
  await until(() => first.states.length === 1);
  quorum.activeId = 2;
  await until(() => first.errors.length === 1);
  expect(first.errors[0]).toMatchObject({ code: 'NOT_CONTROLLER' });
  const second = session(channel);
  await until(() => second.states.length === 1);
  servers[1]!.server.close();
  await until(() => second.errors.length === 1);
  expect(second.errors[0]).toMatchObject({ retriable: true });
});

test('a session that no controller takes is closed with the reason', async () => {
  const { quorum, channel } = await cluster();
  quorum.activeId = -1;
  const { errors } = session(channel);
  await until(() => errors.length === 1);
  expect(errors[0]).toMatchObject({ code: 'NOT_CONTROLLER' });
});

function follow(channel: GrpcControllerChannel, fromOffset: number) {
  const entries: MetadataLogEntry[] = [];
  const snapshots: { data: Buffer; nextOffset: number }[] = [];
  const controllers: number[] = [];
  let nextOffset = -1;
  const subscription = channel.followMetadata(fromOffset, {
    onSnapshot: (data, next) => void snapshots.push({ data, nextOffset: next }),
    onEntries: (more, next) => {
      entries.push(...more);
      nextOffset = next;
    },
    onController: (id) => void controllers.push(id),
  });
  onTestFinished(() => subscription.close());
  return { entries, snapshots, controllers, nextOffset: () => nextOffset };
}

test('metadata arrives in order; when its controller dies another one goes on from there', async () => {
  const { quorum, channel, servers } = await cluster();
  const { entries, nextOffset, controllers } = follow(channel, 10);
  await until(() => quorum.followers.size === 1);
  quorum.append([{ offset: 10, data: Buffer.from('a') }], 11);
  quorum.append([], 15);
  await until(() => nextOffset() === 15);
  const [source] = [...quorum.followers.values()];
  servers[source! - 1]!.server.close();
  await until(() => quorum.subscriptions.length === 2);
  quorum.append([{ offset: 15, data: Buffer.from('b') }], 16);
  await until(() => nextOffset() === 16);
  expect(quorum.subscriptions).toEqual([10, 15]);
  expect(entries.map(({ data }) => data.toString())).toEqual(['a', 'b']);
  expect(new Set(controllers)).toEqual(new Set([1]));
});

test('a snapshot of several pieces arrives as one', async () => {
  const { quorum, channel } = await cluster();
  const { snapshots, nextOffset } = follow(channel, 0);
  await until(() => quorum.followers.size === 1);
  const data = Buffer.alloc(2.5 * MiB, 'snapshot');
  for (const follower of quorum.followers.keys()) follower.onSnapshot(data, 77);
  quorum.append([], 78);
  await until(() => nextOffset() === 78);
  expect(snapshots).toHaveLength(1);
  expect(snapshots[0]!.nextOffset).toBe(77);
  expect(snapshots[0]!.data.equals(data)).toBe(true);
});

test('a change of the active controller reaches the follower; one that stays leaderless is left', async () => {
  const { quorum, channel } = await cluster();
  const { controllers } = follow(channel, 0);
  await until(() => controllers.includes(1));
  quorum.activeId = 3;
  await until(() => controllers.includes(3));
  quorum.activeId = -1;
  await until(() => quorum.subscriptions.length > 1);
  expect(controllers).toContain(-1);
});

test('a broker keeps the quorum that registered it, and is registered only once that is durable', async () => {
  const keeper = new Keeper();
  const { quorum, channel } = await cluster(keeper);
  const written: string[] = [];
  const disk = new Deferred<void>();
  keeper.written = (quorumId) => {
    written.push(quorumId);
    return disk.promise;
  };
  for (const id of [1, 2, 3]) quorum.quorumIds.set(id, 'real');
  const { states } = session(channel);
  await until(() => written.length === 1);
  await channel.allocateProducerIds(IDS);
  expect(states).toEqual([]);
  disk.resolve();
  await until(() => states.length === 1);
  expect(written).toEqual(['real']);
  expect(keeper.quorumId).toBe('real');
});

test('a broker passes over a controller of another quorum, whatever it says of itself', async () => {
  const { quorum, channel } = await cluster(new Keeper('real'));
  quorum.quorumIds.set(1, 'other');
  const opened = session(channel);
  const { controllers } = follow(channel, 0);
  await expect(channel.allocateProducerIds({ ...IDS, timeoutMs: 2_000 })).rejects.toMatchObject({
    code: 'QUORUM_UNAVAILABLE',
  });
  expect(quorum.asked).not.toContain(1);
  await until(() => opened.errors.length === 1);
  expect(opened.errors[0]).toMatchObject({ code: 'NOT_CONTROLLER' });
  // The real ones elect a leader: the broker finds it.
  for (const id of [2, 3]) quorum.quorumIds.set(id, 'real');
  quorum.activeId = 2;
  await until(() => controllers.includes(2));
  await channel.allocateProducerIds(IDS);
  const { states } = session(channel);
  await until(() => states.length === 1);
  expect(states[0]).toMatchObject({ failure: undefined, brokerEpoch: 40 });
});

test('a stream that was opened before the quorum was known ends when it turns out to be of another one', async () => {
  const { quorum, channel } = await cluster();
  const { controllers } = follow(channel, 0);
  await until(() => controllers.includes(1));
  for (const id of [1, 2, 3]) quorum.quorumIds.set(id, 'real');
  const { states } = session(channel);
  await until(() => states.length === 1);
  for (const id of [1, 2, 3]) quorum.quorumIds.set(id, 'other');
  quorum.append([], 1);
  await until(() => quorum.followers.size === 0);
});

test('a node of another cluster is refused by every controller', async () => {
  const { servers } = await cluster();
  const channel = new GrpcControllerChannel({
    clusterId: 'other',
    quorum: new Keeper(),
    clientId: 'broker-9',
    controllers: servers.map(({ port }, i) => ({ id: i + 1, host: '127.0.0.1', port })),
    clock: realClock,
    logger: recordingLogger([]),
  });
  onTestFinished(() => channel.close());
  const { errors } = session(channel);
  await until(() => errors.length === 1);
  expect(errors[0]).toMatchObject({ code: 'INCONSISTENT_CLUSTER_ID' });
  await expect(channel.allocateProducerIds(IDS)).rejects.toMatchObject({ code: 'INCONSISTENT_CLUSTER_ID' });
});
