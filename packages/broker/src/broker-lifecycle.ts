/**
 * A broker's life as the controller sees it: registration, heartbeats, fencing, controlled shutdown. Opens a new
 * session whenever the old one breaks or falls silent. Never touches a partition.
 */
import {
  type Clock,
  Deferred,
  type ErrorCode,
  type Logger,
  MillraceError,
  type NodeId,
  type Timer,
} from '@millrace/core';
import type { MetadataImage } from '@millrace/metadata';
import type { PartitionRef } from './broker-api.ts';
import type {
  BrokerEndpoint,
  BrokerState,
  ControllerChannel,
  ControllerSession,
} from './controller-channel.ts';

export interface BrokerLifecycleOptions {
  readonly nodeId: NodeId;
  readonly incarnationId: string;
  readonly directoryId: string;
  readonly endpoints: readonly BrokerEndpoint[];
  readonly rack: string;
  readonly previousBrokerEpoch: number;
  readonly controllers: Pick<ControllerChannel, 'openSession'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly heartbeatIntervalMs: number;
  readonly sessionTimeoutMs: number;
  readonly registrationTimeoutMs: number;
  /** How far metadata is applied to the replicas here. */
  readonly metadataOffset: () => number;
  readonly offlineReplicas: () => readonly PartitionRef[];
  readonly onRegistered: (brokerEpoch: number) => void;
  /** The broker can never take part: its id is taken, or it belongs to another cluster. */
  readonly onRefused: (error: MillraceError) => void;
}

/** First pause before another session is tried; it doubles up to the heartbeat interval. */
const REOPEN_MIN_MS = 20;
/** While something is due (unfencing, shutting down) heartbeats come this often. */
const EAGER_INTERVAL_MS = 20;

/** A broker that stops and finds no controller for this long stops waiting for one. */
const UNREACHABLE_MAX_MS = 1_000;
const REACH_INTERVAL_MS = 100;

const REGISTER_AGAIN: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'STALE_BROKER_EPOCH',
  'BROKER_ID_NOT_REGISTERED',
]);

export class BrokerLifecycle {
  readonly #options: BrokerLifecycleOptions;
  #session: ControllerSession | undefined;
  #brokerEpoch = -1;
  #isRegistered = false;
  #isFenced = true;
  #wantsShutdown = false;
  readonly #mayShutDown = new Deferred<void>();
  #beat: Timer | undefined;
  #reopen: Timer | undefined;
  #reopenMs = REOPEN_MIN_MS;
  #startedAtMs = 0;
  #lastSentMs = 0;
  #answeredMs = 0;
  /** When the oldest message without an answer was sent. */
  #waitingSinceMs: number | undefined;
  #unanswered = 0;
  #isClosed = false;

  constructor(options: BrokerLifecycleOptions) {
    this.#options = options;
  }

  /** -1 before the first registration. */
  get brokerEpoch(): number {
    return this.#brokerEpoch;
  }

  /** The controller has said of late that this broker takes part: else what is led here may be another's by now. */
  get isInContact(): boolean {
    const { clock, sessionTimeoutMs } = this.#options;
    return this.#isRegistered && !this.#isFenced && clock.nowMs() - this.#answeredMs < sessionTimeoutMs;
  }

  start(): void {
    this.#startedAtMs = this.#options.clock.nowMs();
    this.#open();
  }

  /** Something that a heartbeat carries changed: tell soon instead of at the next interval. */
  heartbeatSoon(): void {
    if (!this.#isRegistered || this.#isClosed) return;
    const { clock } = this.#options;
    this.#schedule(Math.max(0, this.#lastSentMs + EAGER_INTERVAL_MS - clock.nowMs()));
  }

  /** Tells at once how far metadata is applied if somebody waits for that: this broker, or one that shuts down (P15). */
  metadataApplied({ brokers }: MetadataImage): void {
    let isAwaited = this.#isFenced;
    for (const { fenced, inControlledShutdown } of brokers.values()) {
      if (inControlledShutdown && !fenced) isAwaited = true;
    }
    if (isAwaited) this.heartbeatSoon();
  }

  /** There is a controller again, or another one: a session that waits to be opened waits no longer. */
  controllerFound(): void {
    this.#reopenMs = REOPEN_MIN_MS;
    if (this.#session !== undefined || this.#reopen === undefined || this.#isClosed) return;
    this.#reopen.cancel();
    this.#open();
  }

  /** Asks to stop; resolves when the controller lets go or the time is up. Serves on meanwhile. */
  async shutDown(timeoutMs: number): Promise<void> {
    if (this.#brokerEpoch === -1) return;
    this.#wantsShutdown = true;
    this.heartbeatSoon();
    this.#giveUpUnreachable();
    const timer = this.#options.clock.schedule(timeoutMs, () => {
      this.#options.logger.warn(
        { event: 'controlled_shutdown_timed_out', timeoutMs },
        'leaderships did not move in time; stopping anyway',
      );
      this.#mayShutDown.resolve();
    });
    await this.#mayShutDown.promise;
    timer.cancel();
  }

  /** Without a controller nobody can take over, and there is nothing to wait for. */
  #giveUpUnreachable(sinceMs = this.#options.clock.nowMs()): void {
    const { clock, logger } = this.#options;
    clock.schedule(REACH_INTERVAL_MS, () => {
      if (this.#isClosed) return;
      const nowMs = clock.nowMs();
      if (!this.#isRegistered && nowMs - sinceMs >= UNREACHABLE_MAX_MS) {
        logger.warn(
          { event: 'controller_unreachable' },
          'no controller answers; stopping without handing over',
        );
        this.#mayShutDown.resolve();
        return;
      }
      this.#giveUpUnreachable(this.#isRegistered ? nowMs : sinceMs);
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#beat?.cancel();
    this.#reopen?.cancel();
    this.#session?.close();
    this.#session = undefined;
  }

  #open(): void {
    const { nodeId, controllers } = this.#options;
    const { incarnationId, directoryId, endpoints, rack, previousBrokerEpoch } = this.#options;
    this.#isRegistered = false;
    this.#unanswered = 0;
    this.#sent();
    const session = controllers.openSession(
      {
        brokerId: nodeId,
        incarnationId,
        directoryId,
        endpoints,
        rack,
        previousBrokerEpoch,
        metadataOffset: this.#options.metadataOffset(),
        offline: this.#options.offlineReplicas(),
      },
      {
        onState: (state) => {
          if (this.#session === session) this.#answered(state);
        },
        onClosed: (error) => {
          if (this.#session === session) this.#failed(error);
        },
      },
    );
    this.#session = session;
    this.#schedule(this.#options.sessionTimeoutMs);
  }

  #sent(): void {
    this.#lastSentMs = this.#options.clock.nowMs();
    this.#waitingSinceMs ??= this.#lastSentMs;
    this.#unanswered += 1;
  }

  #answered(state: BrokerState): void {
    this.#unanswered -= 1;
    this.#waitingSinceMs = this.#unanswered > 0 ? this.#options.clock.nowMs() : undefined;
    if (state.failure !== undefined) {
      this.#failed(new MillraceError(state.failure.code, state.failure.message));
      return;
    }
    this.#answeredMs = this.#options.clock.nowMs();
    this.#reopenMs = REOPEN_MIN_MS;
    if (!this.#isRegistered) this.#registered(state.brokerEpoch);
    if (state.fenced !== this.#isFenced) {
      this.#isFenced = state.fenced;
      this.#options.logger.info(
        { event: state.fenced ? 'broker_fenced' : 'broker_unfenced', brokerEpoch: this.#brokerEpoch },
        state.fenced ? 'the controller fenced this broker' : 'this broker takes part',
      );
    }
    if (this.#wantsShutdown && state.mayShutDown) this.#mayShutDown.resolve();
    const { heartbeatIntervalMs } = this.#options;
    const isEager = this.#isFenced || this.#wantsShutdown;
    this.#schedule(isEager ? Math.min(EAGER_INTERVAL_MS, heartbeatIntervalMs) : heartbeatIntervalMs);
  }

  #registered(brokerEpoch: number): void {
    this.#isRegistered = true;
    if (brokerEpoch === this.#brokerEpoch) return;
    this.#brokerEpoch = brokerEpoch;
    this.#options.logger.info({ event: 'broker_registered', brokerEpoch }, 'registered with the controller');
    this.#options.onRegistered(brokerEpoch);
  }

  #failed(error: MillraceError): void {
    const waitedMs = this.#options.clock.nowMs() - this.#startedAtMs;
    // A restarted broker may meet its former life, whose session lasts on or whose last request was late; a taken id
    // stays taken.
    const isPatient = waitedMs < this.#options.registrationTimeoutMs;
    const isTaken = error.code === 'DUPLICATE_BROKER_REGISTRATION' && !isPatient;
    if (isTaken || error.code === 'INCONSISTENT_CLUSTER_ID') {
      this.close();
      this.#options.onRefused(error);
      return;
    }
    if (REGISTER_AGAIN.has(error.code)) this.#reopenMs = REOPEN_MIN_MS;
    this.#lost(error);
  }

  #lost(error: MillraceError): void {
    if (this.#isClosed) return;
    const { logger, clock, heartbeatIntervalMs } = this.#options;
    // Once for each loss: the tries that follow fail for the same reason until there is a controller again.
    const fields = { event: 'controller_session_lost', code: error.code, reason: error.message };
    if (this.#isRegistered) logger.warn(fields, 'lost the controller; looking for it');
    else logger.debug(fields, 'no controller yet; looking for it');
    this.#session?.close();
    this.#session = undefined;
    this.#isRegistered = false;
    this.#waitingSinceMs = undefined;
    this.#beat?.cancel();
    this.#reopen?.cancel();
    this.#reopen = clock.schedule(this.#reopenMs, () => this.#open());
    this.#reopenMs = Math.min(this.#reopenMs * 2, Math.max(heartbeatIntervalMs, REOPEN_MIN_MS));
  }

  #schedule(delayMs: number): void {
    this.#beat?.cancel();
    this.#beat = this.#options.clock.schedule(delayMs, () => this.#tick());
  }

  #tick(): void {
    const { clock, sessionTimeoutMs, heartbeatIntervalMs, nodeId, incarnationId } = this.#options;
    if (this.#waitingSinceMs !== undefined && clock.nowMs() - this.#waitingSinceMs >= sessionTimeoutMs) {
      this.#lost(new MillraceError('REQUEST_TIMED_OUT', 'the controller does not answer'));
      return;
    }
    this.#schedule(heartbeatIntervalMs);
    if (!this.#isRegistered || this.#session === undefined) return;
    this.#sent();
    this.#session.heartbeat({
      brokerId: nodeId,
      incarnationId,
      brokerEpoch: this.#brokerEpoch,
      metadataOffset: this.#options.metadataOffset(),
      wantsShutdown: this.#wantsShutdown,
      offline: this.#options.offlineReplicas(),
    });
  }
}
