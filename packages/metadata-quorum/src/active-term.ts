/**
 * What the active controller does by itself during one leadership: fences the dead, completes what a predecessor left
 * half done, gives leadership back. Owns the one periodic timer of the controller; ends with the leadership.
 */
import { type Clock, type Logger, MillraceError, type NodeId, SECOND_MS, type Timer } from '@millrace/core';
import {
  alterConfigs,
  CLUSTER_RESOURCE,
  configOverrides,
  type DecisionContext,
  electLeaderless,
  fenceBroker,
  type MetadataImage,
  type MetadataRecord,
  RECORDED_IN_METADATA,
  rebalanceLeaders,
} from '@millrace/metadata';
import { BrokerLivenessState } from './broker-liveness-state.ts';
import type { ControllerConfig } from './controller-config.ts';

export interface ActiveTermOptions {
  readonly term: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly config: ControllerConfig;
  readonly context: DecisionContext;
  /** For decisions. */
  readonly image: () => MetadataImage;
  /** Decides and proposes; settles after commit. */
  readonly run: (decide: (image: MetadataImage) => readonly MetadataRecord[]) => Promise<void>;
  /** When Raft connections broke, by node; also from before this term. */
  readonly peerDisconnects: ReadonlyMap<NodeId, number>;
}

/** Fine enough for a disconnect grace of 100 ms, coarse enough to cost nothing. */
const TICK_MS = 50;
/** Kafka's bound: a rebalance must not flood the brokers. */
const REBALANCE_MAX_PARTITIONS = 1000;
/** A Raft connection that broke longer ago than this has nothing to do with the change of controller. */
const RECENT_DISCONNECT_MS = 5 * SECOND_MS;

export class ActiveTerm {
  readonly liveness: BrokerLivenessState;
  readonly #options: ActiveTermOptions;
  #timer: Timer | undefined;
  #nextRebalanceMs: number;
  #nextUncleanMs: number;

  constructor(options: ActiveTermOptions) {
    const { clock, config, peerDisconnects, image } = options;
    const nowMs = clock.nowMs();
    this.#options = options;
    this.liveness = new BrokerLivenessState(
      {
        sessionTimeoutMs: config['broker.session.timeout.ms'],
        disconnectGraceMs: config['broker.disconnect.grace.ms'],
        firstContactMs: config['broker.first.contact.ms'],
      },
      nowMs,
    );
    this.#nextRebalanceMs = nowMs + this.#rebalanceIntervalMs();
    this.#nextUncleanMs = nowMs + config['unclean.leader.election.interval.ms'];
    for (const [nodeId, atMs] of peerDisconnects) {
      if (nowMs - atMs < RECENT_DISCONNECT_MS) this.peerDisconnected(nodeId);
    }
    const { offset, brokers } = image();
    for (const { id, brokerEpoch, inControlledShutdown } of brokers.values()) {
      if (inControlledShutdown) this.liveness.shuttingDown(id, brokerEpoch, offset, nowMs);
    }
    options.logger.info(
      { event: 'controller_active', term: options.term, offset },
      'this node is the active controller',
    );
    // Not inside the quorum's callback: what is proposed there would come before the quorum has finished its step.
    this.#timer = clock.schedule(0, () => this.#begin());
  }

  end(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** See `Controller.peerDisconnected`. */
  peerDisconnected(nodeId: NodeId): void {
    const broker = this.#options.image().brokers.get(nodeId);
    if (broker !== undefined) this.liveness.peerDisconnected(broker, this.#options.clock.nowMs());
  }

  #begin(): void {
    this.#propose('record the defaults', (image) => this.#recordDefaults(image));
    this.#electLeaderless();
    this.#tick();
  }

  #tick(): void {
    this.#timer = this.#options.clock.schedule(TICK_MS, () => this.#tick());
    const { clock, config, context } = this.#options;
    const nowMs = clock.nowMs();
    this.#fenceDue(nowMs);
    if (nowMs >= this.#nextRebalanceMs) {
      this.#nextRebalanceMs = nowMs + this.#rebalanceIntervalMs();
      if (config['auto.leader.rebalance.enable']) {
        const percent = config['leader.imbalance.per.broker.percentage'];
        this.#propose('rebalance leaders', (image) =>
          rebalanceLeaders(image, percent, REBALANCE_MAX_PARTITIONS, context),
        );
      }
    }
    if (nowMs >= this.#nextUncleanMs) {
      this.#nextUncleanMs = nowMs + config['unclean.leader.election.interval.ms'];
      this.#electLeaderless();
    }
  }

  #fenceDue(nowMs: number): void {
    const { logger, context, image } = this.#options;
    for (const { broker, reason } of this.liveness.due(image(), nowMs)) {
      const { id: brokerId, brokerEpoch } = broker;
      logger.warn({ event: 'broker_fenced', brokerId, brokerEpoch, reason }, 'broker is fenced');
      this.#propose('fence a broker', (current) => {
        const now = current.brokers.get(brokerId);
        return now?.brokerEpoch === brokerEpoch ? fenceBroker(current, now, context) : [];
      });
    }
  }

  #electLeaderless(): void {
    const { context } = this.#options;
    this.#propose('elect missing leaders', (image) => electLeaderless(image, context));
  }

  /** Settings that must be the same for everyone come from the file of the first controller that has them in its file. */
  #recordDefaults(image: MetadataImage): readonly MetadataRecord[] {
    const { context } = this.#options;
    const recorded = configOverrides(image, CLUSTER_RESOURCE);
    const changes = Object.entries(context.scope.fileTexts ?? {})
      .filter(([name]) => RECORDED_IN_METADATA.has(name) && !recorded.has(name))
      .map(([name, value]) => ({ resource: CLUSTER_RESOURCE, name, value }));
    return alterConfigs(image, { changes }, context).records;
  }

  #propose(what: string, decide: (image: MetadataImage) => readonly MetadataRecord[]): void {
    this.#options.run(decide).catch((error: unknown) => {
      // Programmer errors must not be eaten: without a handler they end the process.
      if (!(error instanceof MillraceError)) throw error;
      const { logger, term } = this.#options;
      logger.warn(
        { event: 'controller_retries', term, code: error.code },
        `could not ${what}, will try again`,
      );
    });
  }

  #rebalanceIntervalMs(): number {
    return this.#options.config['leader.imbalance.check.interval.seconds'] * SECOND_MS;
  }
}
