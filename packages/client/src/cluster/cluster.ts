/**
 * One cluster as its clients share it: connections, metadata, and calls that any node can answer. Refreshes
 * are coalesced and back off while they bring no news, however many callers ask. Never decides what a failed
 * produce or fetch means.
 */

import { setMaxListeners } from 'node:events';
import {
  type Clock,
  type ErrorCode,
  type Logger,
  MillraceError,
  type NodeId,
  type Random,
  toMillraceError,
} from '@millrace/core';
import { brokerService, type RequestHeader, type UnaryMethod } from '@millrace/protocol';
import type { ClientConfig } from '../client-config.ts';
import { backoffMs } from './backoff.ts';
import { eitherOf, pause, throwIfAborted, withLimits } from './cancellation.ts';
import { ConnectionPool } from './connection-pool.ts';
import { Coordinators } from './coordinators.ts';
import { errorOfFailure, noSuchPartition } from './failure.ts';
import { MetadataState, type TopicMetadata } from './metadata-state.ts';
import { NodeOrder } from './node-order.ts';
import { RefreshSchedule } from './refresh-schedule.ts';
import type { Address, Connection, Transport } from './transport.ts';

export interface ClusterOptions {
  readonly bootstrap: readonly Address[];
  readonly config: ClientConfig;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

export interface RequestLimits {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** What produce and fetch answers carry when they come from the wrong broker. */
interface LeaderHint {
  readonly partition: number;
  readonly currentLeaderId: number;
  readonly currentLeaderEpoch: number;
}

interface TopicOptions extends RequestLimits {
  /** A topic known to have fewer partitions is asked about again: more may have been added since. */
  readonly partitionCounts?: ReadonlyMap<string, number>;
  /** Lets the cluster create what is missing, if its `auto.create.topics.enable` is on. */
  readonly autoCreate?: boolean;
}

/** The answer to a request that changes something. */
export interface ChangeAnswer<Response> {
  readonly response: Response;
  /** An earlier attempt may have made the change: what the answer refuses may be refused because of it. */
  readonly isRepeated: boolean;
}

interface ChangeOptions<Response> extends RequestLimits {
  /** The answer if a refusal means that an earlier attempt made the change; undefined if it is a refusal. */
  readonly ownSuccess?: (refusal: MillraceError) => Promise<Response | undefined>;
}

/** Nothing was done about a request that failed so. */
const NOT_BEGUN: ReadonlySet<ErrorCode> = new Set(['CONNECTION_FAILED', 'NODE_OVERLOADED']);

/** A node that says nothing must not use up the whole limit of a request that another can answer. */
const PROBES_PER_ATTEMPT = 3;

export class Cluster {
  readonly config: ClientConfig;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metadata = new MetadataState();
  /** Of groups: who they are, and calls to them. */
  readonly coordinators = new Coordinators(this);
  readonly #bootstrap: readonly Address[];
  readonly #pool: ConnectionPool;
  readonly #schedule: RefreshSchedule;
  readonly #order = new NodeOrder();
  readonly #listeners = new Set<() => void>();
  /** Topics that refreshes ask about, and whether a missing one may be created. */
  readonly #topicsInUse = new Map<string, boolean>();
  readonly #holders = new Set<() => Iterable<string>>();
  readonly #closing = new AbortController();
  #refreshing: Promise<void> | undefined;

  constructor({ bootstrap, config, transport, clock, random, logger }: ClusterOptions) {
    this.config = config;
    this.clock = clock;
    this.random = random;
    this.logger = logger;
    this.#bootstrap = bootstrap;
    setMaxListeners(0, this.#closing.signal);
    this.#pool = new ConnectionPool(transport);
    this.#schedule = new RefreshSchedule(clock, random, config, () => {
      this.refresh().catch((error: unknown) => {
        if (this.isClosed) return;
        this.logger.warn({ event: 'metadata_refresh_failed', err: error }, 'no node answered; trying again');
        this.requestRefresh();
      });
    });
  }

  get isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  header(correlationId: number, timeoutMs: number): RequestHeader {
    return {
      correlationId,
      timeoutMs: Math.max(1, Math.ceil(timeoutMs)),
      clientId: this.config.clientId,
      clusterId: this.metadata.clusterId,
      quorumId: '',
    };
  }

  /** Called after every change of what is known. Returns what ends it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Topics named here stay in use, missing or not: somebody waits for news of them. Returns what ends it. */
  holdTopics(names: () => Iterable<string>): () => void {
    this.#holders.add(names);
    return () => {
      this.#holders.delete(names);
    };
  }

  /** Undefined while the broker is not known. */
  connectionTo(id: NodeId): Connection | undefined {
    const broker = this.metadata.brokers.get(id);
    return broker === undefined || this.isClosed ? undefined : this.#pool.to(broker);
  }

  /** Where the cluster is looked for first. */
  get bootstrap(): readonly Address[] {
    return this.#bootstrap;
  }

  /** To one address and no other, whoever answers there. @throws {MillraceError} CLOSED */
  connectionAt(address: Address): Connection {
    if (this.isClosed) throw new MillraceError('CLOSED');
    return this.#pool.to(address);
  }

  /** Refreshes ask about these as well. */
  learnTopics(names: readonly string[]): void {
    for (const name of names) if (!this.#topicsInUse.has(name)) this.#topicsInUse.set(name, false);
  }

  /** Asks for newer metadata, soon. Any number of callers cost one request. */
  requestRefresh(): void {
    if (!this.isClosed) this.#schedule.request();
  }

  /** Metadata too old to trust is refreshed in the background. */
  refreshIfOld(): void {
    if (this.#schedule.ageMs() > this.config.metadataMaxAgeMs) this.requestRefresh();
  }

  /** A broker that refused a request may have named the leader it knows. */
  learnLeader(topicId: string, hint: LeaderHint, { code }: MillraceError): void {
    if (code !== 'NOT_LEADER_OR_FOLLOWER' && code !== 'FENCED_LEADER_EPOCH') return;
    const { partition, currentLeaderId, currentLeaderEpoch } = hint;
    if (!this.metadata.applyLeader(topicId, partition, currentLeaderId, currentLeaderEpoch)) return;
    if (!this.metadata.brokers.has(currentLeaderId)) this.requestRefresh();
    this.#changed();
  }

  /** Metadata of these topics, asking for what is missing. @throws {MillraceError} why a topic cannot be had. */
  async topics(names: readonly string[], options: TopicOptions = {}): Promise<TopicMetadata[]> {
    const { timeoutMs = this.config.requestTimeoutMs, signal, autoCreate = false, partitionCounts } = options;
    const isMissing = (name: string): boolean =>
      (this.metadata.topic(name)?.partitions.length ?? -1) < (partitionCounts?.get(name) ?? 0);
    const startMs = this.clock.nowMs();
    for (let attempt = 0; ; attempt++) {
      throwIfAborted(signal);
      const missing = names.filter(isMissing);
      if (missing.length === 0) return names.map((name) => this.metadata.topic(name)!);
      for (const name of missing) this.#topicsInUse.set(name, autoCreate);
      const elapsedMs = this.clock.nowMs() - startMs;
      const waitMs = backoffMs(attempt, this.config, this.random);
      try {
        await this.refresh({ timeoutMs: Math.max(1, timeoutMs - elapsedMs), ...(signal && { signal }) });
      } catch (error) {
        // No node answered for as long as one request may take; whoever asks may have more time than that.
        const isOver = this.clock.nowMs() - startMs + waitMs >= timeoutMs;
        if (isOver || this.isClosed || !toMillraceError(error).retriable) throw error;
        await pause(this.clock, waitMs, signal);
        continue;
      }
      const failure = this.#firstFailure(missing.filter(isMissing), partitionCounts);
      if (failure === undefined) continue;
      const limitMs = Math.min(timeoutMs, this.config.missingTopicTimeoutMs);
      if (!failure.retriable || this.clock.nowMs() - startMs + waitMs > limitMs) {
        this.#giveUp(missing);
        throw failure;
      }
      await pause(this.clock, waitMs, signal);
    }
  }

  /** Asks now. Callers at the same time share one request. @throws {MillraceError} if no node answers in time. */
  refresh(limits: RequestLimits = {}): Promise<void> {
    const { timeoutMs = this.config.requestTimeoutMs, signal } = limits;
    this.#refreshing ??= this.#refreshOnce().finally(() => {
      this.#refreshing = undefined;
    });
    return withLimits(this.#refreshing, { timeoutMs, ...(signal && { signal }) }, this.clock, () =>
      this.#noNodeAnswered(undefined),
    );
  }

  /**
   * A question that any node can answer: asks them in turn, each for a while, then again after a pause, while the
   * failure is retriable and there is time. @throws {MillraceError} the last failure.
   */
  async callAnyNode<Request, Response>(
    method: UnaryMethod<Request, Response>,
    make: (header: RequestHeader) => Request,
    options: RequestLimits = {},
  ): Promise<Response> {
    const answer = await this.#askAround(method, make, options, this.attemptTimeoutMs);
    return answer.response;
  }

  /**
   * A change that any node can pass on. As `callAnyNode`, but a node that was reached has all the time there is: a change
   * takes as long as it takes, and to ask twice is to do it twice. @throws {MillraceError} the last failure.
   */
  changeByAnyNode<Request, Response>(
    method: UnaryMethod<Request, Response>,
    make: (header: RequestHeader) => Request,
    options: ChangeOptions<Response> = {},
  ): Promise<ChangeAnswer<Response>> {
    return this.#askAround(method, make, options, Number.POSITIVE_INFINITY);
  }

  async #askAround<Request, Response>(
    method: UnaryMethod<Request, Response>,
    make: (header: RequestHeader) => Request,
    { timeoutMs = this.config.requestTimeoutMs, signal, ownSuccess }: ChangeOptions<Response>,
    attemptTimeoutMs: number,
  ): Promise<ChangeAnswer<Response>> {
    const deadlineMs = this.clock.nowMs() + timeoutMs;
    const both = signal && eitherOf(signal, this.#closing.signal);
    const ended = both?.signal ?? this.#closing.signal;
    let last: MillraceError | undefined;
    let isRepeated = false;
    try {
      for (let attempt = 0; ; attempt++) {
        for (const node of this.#nodes()) {
          this.#throwIfOver(signal);
          const leftMs = Math.min(attemptTimeoutMs, deadlineMs - this.clock.nowMs());
          if (leftMs <= 0) throw this.#noNodeAnswered(last);
          try {
            const request = make(this.header(0, leftMs));
            const connection = this.#pool.to(node);
            const response = await connection.unary(method, request, { timeoutMs: leftMs, signal: ended });
            this.#order.answered(node);
            return { response, isRepeated };
          } catch (error) {
            this.#throwIfOver(signal);
            last = toMillraceError(error);
            if (!last.retriable) {
              const response = isRepeated ? await ownSuccess?.(last) : undefined;
              if (response === undefined) throw last;
              return { response, isRepeated };
            }
            this.#order.failed(node);
            isRepeated ||= !NOT_BEGUN.has(last.code);
          }
        }
        const waitMs = backoffMs(attempt, this.config, this.random);
        if (this.clock.nowMs() + waitMs >= deadlineMs) throw this.#noNodeAnswered(last);
        await pause(this.clock, waitMs, ended).catch(() => this.#throwIfOver(signal));
      }
    } finally {
      both?.release();
    }
  }

  /** How long to wait for one node when another could be asked instead. */
  get attemptTimeoutMs(): number {
    return this.config.stallProbeMs * PROBES_PER_ATTEMPT;
  }

  close(): void {
    if (this.isClosed) return;
    this.#closing.abort();
    this.#schedule.close();
    this.#listeners.clear();
    this.#pool.close();
  }

  async #refreshOnce(): Promise<void> {
    const names = [...this.#topicsInUse.keys()];
    if (names.length === 0) return;
    const allowAutoCreate = names.some(
      (name) => this.#topicsInUse.get(name) === true && this.metadata.topic(name) === undefined,
    );
    this.#schedule.began();
    const request = this.callAnyNode(brokerService.describeTopics, (header) => ({
      header,
      names,
      topicIds: [],
      allowAutoCreate,
    }));
    const response = await request.catch((error: unknown) => {
      this.#schedule.failed();
      throw error;
    });
    const hasChanged = this.metadata.apply(response);
    this.#schedule.ended(hasChanged);
    this.#pool.keepOnly([...this.metadata.brokers.values(), ...this.#bootstrap]);
    this.#changed();
  }

  /** Known live brokers, then the bootstrap addresses: known brokers may all be gone. */
  #nodes(): Address[] {
    const live = [...this.metadata.brokers.values()].filter((broker) => !broker.fenced);
    return this.#order.arrange([...live, ...this.#bootstrap]);
  }

  #firstFailure(
    missing: readonly string[],
    partitionCounts: ReadonlyMap<string, number> | undefined,
  ): MillraceError | undefined {
    const name = missing[0];
    if (name === undefined) return undefined;
    const failure = this.metadata.failureOf(name);
    if (failure !== undefined) return errorOfFailure(failure, `topic ${name}`);
    const known = this.metadata.topic(name);
    if (known !== undefined)
      return noSuchPartition(name, partitionCounts!.get(name)! - 1, known.partitions.length);
    return new MillraceError('UNKNOWN_TOPIC_OR_PARTITION', `topic ${name} is not known to the cluster`);
  }

  #throwIfOver(signal: AbortSignal | undefined): void {
    throwIfAborted(signal);
    if (this.isClosed) throw new MillraceError('CLOSED');
  }

  #noNodeAnswered(last: MillraceError | undefined): MillraceError {
    if (last !== undefined && last.code !== 'CONNECTION_FAILED') return last;
    const asked = this.#nodes()
      .map(({ host, port }) => `${host}:${port}`)
      .join(', ');
    return new MillraceError('CONNECTION_FAILED', `no node answered (asked ${asked})`, { cause: last });
  }

  #giveUp(missing: readonly string[]): void {
    const held = new Set(Array.from(this.#holders, (names) => [...names()]).flat());
    for (const name of missing) {
      if (this.metadata.topic(name) !== undefined) continue;
      if (held.has(name)) this.#topicsInUse.set(name, false);
      else this.#topicsInUse.delete(name);
    }
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
