/**
 * For tests: a controller without a quorum. Decides with the real decision functions, commits at once, and lets a
 * test hold metadata back, cut brokers off, or answer for it. Never used outside tests.
 */
import { MillraceError, type NodeId, type Random } from '@millrace/core';
import {
  allocateProducerIds,
  alterConfigs,
  alterPartitions,
  applyRecords,
  type ConfigOperation,
  type ConfigResource,
  createPartitions,
  createTopics,
  type Decision,
  type DecisionContext,
  deleteTopics,
  electLeaders,
  emptyImage,
  encodeRecords,
  encodeSnapshot,
  fenceBroker,
  heartbeat,
  type MetadataImage,
  type MetadataRecord,
  registerBroker,
} from '@millrace/metadata';
import type { AlterConfigsRequest } from '../admin-api.ts';
import type {
  AlterPartitionsRequest,
  AlterPartitionsResponse,
  BrokerHeartbeat,
  BrokerRegistration,
  BrokerState,
  ControllerChannel,
  ControllerSession,
  ControllerSessionHandlers,
  MetadataLogFollower,
  MetadataSubscription,
} from '../controller-channel.ts';
import { failureOf } from '../failure.ts';

interface Follower {
  readonly nodeId: NodeId;
  readonly handlers: MetadataLogFollower;
  next: number;
  isOpen: boolean;
}

interface Session {
  readonly incarnationId: string;
  readonly handlers: ControllerSessionHandlers;
}

/** What a test may do to a request about in-sync replicas: answer it, throw, or leave it to the decision. */
export type AlterPartitionsScript = (
  request: AlterPartitionsRequest,
  decide: () => AlterPartitionsResponse,
) => AlterPartitionsResponse | Promise<AlterPartitionsResponse>;

export class ScriptedController {
  readonly #context: DecisionContext;
  readonly #log: Buffer[] = [];
  readonly #followers = new Set<Follower>();
  readonly #sessions = new Map<NodeId, Session>();
  readonly #held = new Set<NodeId>();
  readonly #cut = new Set<NodeId>();
  image: MetadataImage = emptyImage;
  onAlterPartitions: AlterPartitionsScript = (_request, decide) => decide();

  constructor(random: Random) {
    this.#context = {
      random,
      limits: { partitionsPerRequest: 100_000, partitionsPerCluster: 1_000_000, topicsPerRequest: 1000 },
      scope: {},
    };
  }

  /** Appends one entry and passes it on. */
  commit(records: readonly MetadataRecord[]): void {
    if (records.length === 0) return;
    const offset = this.#log.length;
    this.#log.push(encodeRecords(records));
    this.image = applyRecords(this.image, records, offset).image;
    for (const follower of this.#followers) this.#deliver(follower);
  }

  /** The broker's connection broke: fenced at once. */
  disconnect(nodeId: NodeId): void {
    this.#sessions.delete(nodeId);
    const broker = this.image.brokers.get(nodeId);
    if (broker !== undefined) this.commit(fenceBroker(this.image, broker, this.#context));
  }

  /** The broker hears nothing more of metadata until `release`. */
  hold(nodeId: NodeId): void {
    this.#held.add(nodeId);
  }

  release(nodeId: NodeId): void {
    this.#held.delete(nodeId);
    for (const follower of this.#followers) this.#deliver(follower);
  }

  /** Nothing passes between controller and broker; its session ends and it is fenced. */
  cut(nodeId: NodeId): void {
    this.#cut.add(nodeId);
    const session = this.#sessions.get(nodeId);
    this.disconnect(nodeId);
    session?.handlers.onClosed(new MillraceError('NETWORK_EXCEPTION'));
  }

  heal(nodeId: NodeId): void {
    this.#cut.delete(nodeId);
    for (const follower of this.#followers) this.#deliver(follower);
  }

  channelOf(nodeId: NodeId): ControllerChannel {
    const decided =
      <Request, Reply>(
        decide: (image: MetadataImage, request: Request, context: DecisionContext) => Decision<Reply>,
      ) =>
      async (request: Request): Promise<Reply> => {
        await this.#reach(nodeId);
        return this.#decide(decide(this.image, request, this.#context));
      };
    return {
      openSession: (registration, handlers) => this.#openSession(nodeId, registration, handlers),
      alterPartitions: async (request) => {
        await this.#reach(nodeId);
        return this.onAlterPartitions(request, () =>
          this.#decide(alterPartitions(this.image, request, this.#context)),
        );
      },
      allocateProducerIds: decided(allocateProducerIds),
      createTopics: decided(createTopics),
      deleteTopics: decided(deleteTopics),
      createPartitions: decided(createPartitions),
      alterConfigs: decided((image, { changes, validateOnly }: AlterConfigsRequest, context) =>
        alterConfigs(
          image,
          {
            validateOnly,
            changes: changes.map(({ resource, name, value, operation }) => ({
              resource: resource as ConfigResource,
              name,
              ...(value !== undefined && { value }),
              ...(operation !== undefined && { operation: operation as ConfigOperation }),
            })),
          },
          context,
        ),
      ),
      electLeaders: decided(electLeaders),
      addVoter: async ({ directoryId }) => ({ directoryId }),
      removeVoter: async ({ directoryId }) => ({ directoryId }),
      describeQuorum: async () => ({
        leaderId: 0,
        leaderEpoch: 1,
        highWatermark: this.#log.length,
        voters: [],
        observers: [],
      }),
      followMetadata: (fromOffset, follower) => this.#follow(nodeId, fromOffset, follower),
    };
  }

  #decide<Reply>({ records, reply }: Decision<Reply>): Reply {
    this.commit(records);
    return reply;
  }

  async #reach(nodeId: NodeId): Promise<void> {
    await Promise.resolve();
    if (this.#cut.has(nodeId)) throw new MillraceError('QUORUM_UNAVAILABLE');
  }

  #follow(nodeId: NodeId, fromOffset: number, handlers: MetadataLogFollower): MetadataSubscription {
    const follower = { nodeId, handlers, next: fromOffset, isOpen: true };
    this.#followers.add(follower);
    void Promise.resolve().then(() => {
      handlers.onController(0);
      // A follower from the beginning gets a snapshot, as from a log that was compacted.
      if (follower.next === 0 && this.#log.length > 0 && !this.#isAway(nodeId)) {
        follower.next = this.#log.length;
        handlers.onSnapshot(encodeSnapshot(this.image), follower.next);
      }
      this.#deliver(follower);
    });
    return {
      close: () => {
        follower.isOpen = false;
        this.#followers.delete(follower);
      },
    };
  }

  #deliver(follower: Follower): void {
    void Promise.resolve().then(() => {
      if (!follower.isOpen || this.#isAway(follower.nodeId) || follower.next === this.#log.length) return;
      const first = follower.next;
      const entries = this.#log.slice(first).map((data, i) => ({ offset: first + i, data }));
      follower.next = this.#log.length;
      follower.handlers.onEntries(entries, follower.next);
    });
  }

  #isAway(nodeId: NodeId): boolean {
    return this.#held.has(nodeId) || this.#cut.has(nodeId);
  }

  #openSession(
    nodeId: NodeId,
    registration: BrokerRegistration,
    handlers: ControllerSessionHandlers,
  ): ControllerSession {
    const session = { incarnationId: registration.incarnationId, handlers };
    void Promise.resolve().then(() => {
      if (this.#cut.has(nodeId)) handlers.onClosed(new MillraceError('CONNECTION_FAILED'));
      else this.#answer(nodeId, handlers, () => this.#register(nodeId, registration, session));
    });
    return {
      heartbeat: (beat) => {
        void Promise.resolve().then(() => {
          if (this.#cut.has(nodeId)) return;
          this.#answer(nodeId, handlers, () => this.#beat(beat));
        });
      },
      close: () => {
        if (this.#sessions.get(nodeId) === session) this.#sessions.delete(nodeId);
      },
    };
  }

  #answer(_nodeId: NodeId, handlers: ControllerSessionHandlers, decide: () => BrokerState): void {
    try {
      handlers.onState(decide());
    } catch (error) {
      handlers.onState({ failure: failureOf(error), brokerEpoch: -1, fenced: true, mayShutDown: false });
    }
  }

  #register(nodeId: NodeId, registration: BrokerRegistration, session: Session): BrokerState {
    const { records, reply } = registerBroker(
      this.image,
      registration,
      this.#sessions.has(nodeId),
      this.#context,
    );
    this.commit(records);
    this.#sessions.set(nodeId, session);
    const brokerEpoch = reply.registered ?? this.#log.length - 1;
    return { brokerEpoch, fenced: this.image.brokers.get(nodeId)!.fenced, mayShutDown: false };
  }

  #beat(beat: BrokerHeartbeat): BrokerState {
    const { records, reply } = heartbeat(this.image, beat, this.#context);
    this.commit(records);
    return {
      brokerEpoch: beat.brokerEpoch,
      fenced: reply.fenced,
      mayShutDown: beat.wantsShutdown && reply.leaderships === 0,
    };
  }
}
