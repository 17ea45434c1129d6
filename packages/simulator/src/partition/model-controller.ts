/**
 * The controller of a partition world: one process that decides with production's decision functions and commits at once
 * to a log that survives it. It is late, loses answers, fences live brokers, forgets old entries, and restarts. Stands in for
 * the quorum and its Controller, which have worlds of their own.
 */

import type { BrokerHeartbeat, BrokerRegistration, BrokerState } from '@millrace/broker';
import { failureOf } from '@millrace/broker';
import { below, MillraceError, type NodeId, type SeededRandom, unit } from '@millrace/core';
import {
  type AlterPartitionsRequest,
  type AlterPartitionsResponse,
  allocateProducerIds,
  alterConfigs,
  alterPartitions,
  applyRecords,
  createTopics,
  type Decision,
  type DecisionContext,
  deleteTopics,
  electLeaderless,
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
import type { SimLife } from '../world/sim-process.ts';
import type { World } from '../world/world.ts';
import { answering } from './calls.ts';
import { alterationFault, unfencingFault } from './decision-check.ts';
import type { MessageStreams, StreamEnd, StreamHandlers } from './message-streams.ts';

export const CONTROLLER = 'controller';

export interface ControllerLimits {
  readonly sessionTimeoutMs: number;
  readonly disconnectGraceMs: number;
  readonly firstContactMs: number;
  /** How often partitions without a leader are looked at. */
  readonly electionIntervalMs: number;
}

/** What goes wrong at the controller, until healed. Chances are for one message. */
export interface ControllerTroubles {
  readonly lostAnswers: number;
  /** An answer comes this late at most. */
  readonly answerMaxMs: number;
  /** Metadata comes this late at most; mostly it comes at once. */
  readonly lagMaxMs: number;
  /** Live brokers are fenced this often. 0: never. */
  readonly fenceMeanMs: number;
}

const NO_TROUBLES: ControllerTroubles = {
  lostAnswers: 0,
  answerMaxMs: 0,
  lagMaxMs: 0,
  fenceMeanMs: 0,
};

interface Session {
  readonly brokerEpoch: number;
  lastContactMs: number;
  isContacted: boolean;
  disconnectedAtMs: number | undefined;
  connection: object | undefined;
  metadataOffset: number;
  shutdownOffset: number | undefined;
}

interface Follower {
  readonly end: StreamEnd;
  next: number;
  isDue: boolean;
}

export type ControllerHello =
  | { readonly kind: 'session' }
  | { readonly kind: 'metadata'; readonly from: number }
  | 'requests';

const TICK_MS = 100;

export class ModelController {
  /** Committed; survives the controller's lives. */
  image: MetadataImage = emptyImage;
  troubles = NO_TROUBLES;
  readonly #entries: Buffer[] = [];
  #firstEntry = 0;
  readonly #world: World;
  readonly #streams: MessageStreams;
  readonly #limits: ControllerLimits;
  readonly #context: DecisionContext;
  readonly #random: SeededRandom;
  readonly #onCommit: (image: MetadataImage, records: readonly MetadataRecord[]) => void;
  #sessions = new Map<NodeId, Session>();
  #followers = new Set<Follower>();
  #activeSinceMs = 0;

  constructor(
    world: World,
    streams: MessageStreams,
    limits: ControllerLimits,
    onCommit: (image: MetadataImage, records: readonly MetadataRecord[]) => void,
  ) {
    this.#world = world;
    this.#streams = streams;
    this.#limits = limits;
    this.#onCommit = onCommit;
    this.#random = world.streams.workload.fork();
    this.#context = {
      random: world.streams.workload.fork(),
      limits: { partitionsPerRequest: 1000, partitionsPerCluster: 10_000, topicsPerRequest: 100 },
      scope: {},
    };
  }

  get #nowMs(): number {
    return this.#world.nowMs;
  }

  start(): void {
    this.#world.process(CONTROLLER).start((life) => {
      this.#sessions = new Map();
      this.#followers = new Set();
      this.#activeSinceMs = this.#nowMs;
      this.#streams.listen(life, (end, hello, from) =>
        this.#accept(life, end, hello as ControllerHello, from),
      );
      this.#tick(life, this.#nowMs + this.#limits.electionIntervalMs);
    });
  }

  /** Decides and commits for a caller that has no network: the world's own administrator. */
  run<Reply>(decide: (image: MetadataImage, context: DecisionContext) => Decision<Reply>): Reply {
    const { records, reply } = decide(this.image, this.#context);
    this.commit(records);
    return reply;
  }

  commit(records: readonly MetadataRecord[]): void {
    if (records.length === 0) return;
    const { offset } = this.image;
    this.#entries.push(encodeRecords(records));
    this.image = applyRecords(this.image, records, offset).image;
    this.#onCommit(this.image, records);
    for (const follower of this.#followers) this.#deliverLater(follower);
    if (below(this.#random, 20) === 0) this.#compact();
  }

  /** Takes back its oldest entries: who needs them gets a snapshot. */
  #compact(): void {
    const keep = below(this.#random, 4);
    this.#entries.splice(0, Math.max(0, this.#entries.length - keep));
    this.#firstEntry = this.image.offset - this.#entries.length;
  }

  #accept(life: SimLife, end: StreamEnd, hello: ControllerHello, _from: string): StreamHandlers {
    if (hello === 'requests') return answering(end, (method, body) => this.#request(life, end, method, body));
    return hello.kind === 'session' ? this.#session(life, end) : this.#follow(life, end, hello.from);
  }

  #request(life: SimLife, end: StreamEnd, method: string, body: unknown): Promise<unknown> | undefined {
    const decide = REQUESTS[method];
    if (decide === undefined) return Promise.reject(new MillraceError('INVALID_REQUEST'));
    const random = this.#random;
    const isLost = unit(random) < this.troubles.lostAnswers;
    // Some requests never reach the decision, some answers never leave.
    if (isLost && below(random, 2) === 0) return undefined;
    let reply: unknown;
    let failure: unknown;
    const before = this.image;
    try {
      reply = this.run((image, context) => decide(image, body as never, context));
      if (method === 'alterPartitions') {
        this.#judge(
          alterationFault(before, body as AlterPartitionsRequest, reply as AlterPartitionsResponse),
        );
      }
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error;
      failure = error;
    }
    if (isLost) {
      if (below(random, 2) === 0) end.close();
      return undefined;
    }
    return new Promise((resolve, reject) => {
      this.#world.schedule(
        this.#answerDelayMs(),
        () => (failure === undefined ? resolve(reply) : reject(failure)),
        life,
      );
    });
  }

  #judge(fault: string | undefined): void {
    if (fault !== undefined) this.#world.fail(fault);
  }

  #answerDelayMs(): number {
    const { answerMaxMs } = this.troubles;
    return answerMaxMs === 0 || below(this.#random, 3) > 0 ? 0 : unit(this.#random) ** 3 * answerMaxMs;
  }

  #session(life: SimLife, end: StreamEnd): StreamHandlers {
    let brokerId: NodeId | undefined;
    let brokerEpoch = -1;
    const answer = (decide: () => BrokerState): void => {
      let state: BrokerState;
      try {
        state = decide();
      } catch (error) {
        if (!(error instanceof MillraceError)) throw error;
        state = { failure: failureOf(error), brokerEpoch: -1, fenced: true, mayShutDown: false };
      }
      end.send(state);
    };
    return {
      onMessage: (message) => {
        if (brokerId === undefined) {
          const registration = message as BrokerRegistration;
          brokerId = registration.brokerId;
          answer(() => {
            const state = this.#register(registration, end);
            brokerEpoch = state.brokerEpoch;
            return state;
          });
        } else {
          answer(() => this.#beat(message as BrokerHeartbeat, end));
        }
      },
      onClosed: () => {
        if (!life.isCurrent || brokerId === undefined) return;
        const session = this.#sessions.get(brokerId);
        if (session?.connection === end && session.brokerEpoch === brokerEpoch) {
          session.disconnectedAtMs ??= this.#nowMs;
        }
      },
    };
  }

  #register(registration: BrokerRegistration, connection: object): BrokerState {
    const { brokerId } = registration;
    const known = this.image.brokers.get(brokerId);
    const isLive = known !== undefined && this.#isLive(brokerId, known.brokerEpoch);
    const { offset } = this.image;
    const { registered } = this.run((image, context) => registerBroker(image, registration, isLive, context));
    const brokerEpoch = registered ?? offset;
    this.#contact(brokerId, brokerEpoch, -1, connection);
    return { brokerEpoch, fenced: this.image.brokers.get(brokerId)!.fenced, mayShutDown: false };
  }

  #beat(beat: BrokerHeartbeat, connection: object): BrokerState {
    const { brokerId, brokerEpoch, metadataOffset, wantsShutdown } = beat;
    const decision = heartbeat(this.image, beat, this.#context);
    this.#contact(brokerId, brokerEpoch, metadataOffset, connection);
    const before = this.image;
    this.commit(decision.records);
    this.#judge(unfencingFault(before, this.image, beat));
    const { fenced, inControlledShutdown, leaderships } = decision.reply;
    const session = this.#sessions.get(brokerId)!;
    if (inControlledShutdown) session.shutdownOffset ??= this.image.offset;
    const mayShutDown = wantsShutdown && leaderships === 0 && (fenced || this.#everyoneKnows(session));
    return { brokerEpoch, fenced, mayShutDown };
  }

  #everyoneKnows({ shutdownOffset = Number.POSITIVE_INFINITY }: Session): boolean {
    for (const { id, fenced, inControlledShutdown } of this.image.brokers.values()) {
      if (fenced || inControlledShutdown) continue;
      if ((this.#sessions.get(id)?.metadataOffset ?? -1) < shutdownOffset) return false;
    }
    return true;
  }

  #contact(brokerId: NodeId, brokerEpoch: number, metadataOffset: number, connection: object): void {
    const known = this.#sessions.get(brokerId);
    if (known !== undefined && known.brokerEpoch > brokerEpoch) return;
    const isSame = known?.brokerEpoch === brokerEpoch;
    this.#sessions.set(brokerId, {
      brokerEpoch,
      lastContactMs: this.#nowMs,
      isContacted: true,
      disconnectedAtMs: undefined,
      connection,
      metadataOffset: Math.max(metadataOffset, isSame ? known.metadataOffset : -1),
      shutdownOffset: isSame ? known.shutdownOffset : undefined,
    });
  }

  #isLive(brokerId: NodeId, brokerEpoch: number): boolean {
    const session = this.#sessions.get(brokerId);
    if (session === undefined || session.brokerEpoch !== brokerEpoch) return false;
    const isSilent = this.#nowMs - session.lastContactMs >= this.#limits.sessionTimeoutMs;
    return session.isContacted && session.disconnectedAtMs === undefined && !isSilent;
  }

  #tick(life: SimLife, nextElectionMs: number): void {
    const nowMs = this.#nowMs;
    for (const broker of this.image.brokers.values()) {
      if (!broker.fenced && this.#isDue(broker.id, broker.brokerEpoch)) {
        this.commit(fenceBroker(this.image, broker, this.#context));
      }
    }
    const isElecting = nowMs >= nextElectionMs;
    if (isElecting) this.commit(electLeaderless(this.image, this.#context));
    this.#meddle();
    const next = isElecting ? nowMs + this.#limits.electionIntervalMs : nextElectionMs;
    this.#world.schedule(TICK_MS, () => this.#tick(life, next), life);
  }

  #isDue(brokerId: NodeId, brokerEpoch: number): boolean {
    const { sessionTimeoutMs, disconnectGraceMs, firstContactMs } = this.#limits;
    const nowMs = this.#nowMs;
    const session = this.#sessions.get(brokerId);
    if (session === undefined || session.brokerEpoch !== brokerEpoch) {
      return nowMs - this.#activeSinceMs >= Math.min(firstContactMs, sessionTimeoutMs);
    }
    if (nowMs - session.lastContactMs >= sessionTimeoutMs) return true;
    return session.disconnectedAtMs !== undefined && nowMs - session.disconnectedAtMs >= disconnectGraceMs;
  }

  /** What the real one does for reasons of its own: fences in error, gives leaderships back. */
  #meddle(): void {
    const { fenceMeanMs } = this.troubles;
    if (fenceMeanMs === 0 || unit(this.#random) * fenceMeanMs >= TICK_MS) return;
    const live = [...this.image.brokers.values()].filter(({ fenced }) => !fenced);
    const victim = live[below(this.#random, live.length + 1)];
    if (victim !== undefined) this.commit(fenceBroker(this.image, victim, this.#context));
    else this.run((image, context) => electLeaders(image, { election: 'preferred' }, context));
  }

  #follow(life: SimLife, end: StreamEnd, from: number): StreamHandlers {
    const follower: Follower = { end, next: from, isDue: false };
    this.#followers.add(follower);
    this.#world.schedule(0, () => this.#deliver(follower), life);
    return { onMessage: () => {}, onClosed: () => this.#followers.delete(follower) };
  }

  #deliverLater(follower: Follower): void {
    if (follower.isDue) return;
    follower.isDue = true;
    const { lagMaxMs } = this.troubles;
    const lagMs = lagMaxMs === 0 || below(this.#random, 4) > 0 ? 0 : unit(this.#random) ** 3 * lagMaxMs;
    this.#world.schedule(lagMs, () => this.#deliver(follower), follower.end.life);
  }

  #deliver(follower: Follower): void {
    follower.isDue = false;
    const { end, next } = follower;
    const { offset } = this.image;
    if (!end.isOpen || next >= offset) return;
    follower.next = offset;
    if (next < this.#firstEntry) {
      end.send({ snapshot: encodeSnapshot(this.image), nextOffset: offset });
      return;
    }
    const entries = this.#entries
      .slice(next - this.#firstEntry)
      .map((data, i) => ({ offset: next + i, data }));
    end.send({ entries, nextOffset: offset });
  }
}

type Decide = (image: MetadataImage, request: never, context: DecisionContext) => Decision<unknown>;

const REQUESTS: Readonly<Record<string, Decide>> = {
  alterPartitions,
  allocateProducerIds,
  createTopics,
  deleteTopics,
  alterConfigs,
  electLeaders,
};
