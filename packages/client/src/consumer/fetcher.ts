/**
 * Keeps assigned partitions fetched a little ahead of their reader. One stream to each leader; every partition
 * is in at most one request that counts, so a partition that wakes up never waits for another's long poll. Stops
 * asking while enough is buffered. What an answer means for a position is the position's business.
 */
import {
  formatTopicPartition,
  MillraceError,
  type NodeId,
  type Timer,
  type TopicPartition,
  toMillraceError,
} from '@millrace/core';
import type { FetchResponse, PartitionFetch, PartitionFetched } from '@millrace/protocol';
import type { ConsumerConfig } from '../client-config.ts';
import { backoffMs } from '../cluster/backoff.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { errorOfFailure } from '../cluster/failure.ts';
import { askLeadersOnce } from '../cluster/leader-calls.ts';
import { offsetLookup } from '../cluster/offset-lookup.ts';
import { FetchLink, type FetchPart, type FetchTicket } from './fetch-link.ts';
import type { FetchPositionState } from './fetch-position-state.ts';

type State<K, V> = FetchPositionState<K, V>;

/** Requests of one consumer on their way to one broker; more only arise when partitions wake up one by one. */
const REQUESTS_PER_BROKER_MAX = 16;

export class Fetcher<K, V> {
  readonly #cluster: Cluster;
  readonly #config: ConsumerConfig;
  readonly #onNews: () => void;
  readonly #states = new Map<string, State<K, V>>();
  readonly #links = new Map<NodeId, FetchLink<K, V>>();
  /** The request that counts for each partition. */
  readonly #asked = new Map<State<K, V>, FetchPart<K, V>>();
  readonly #lookingUp = new Set<State<K, V>>();
  readonly #resolving = new Set<string>();
  readonly #unsubscribe: () => void;
  #timer: Timer | undefined;
  #timerAtMs = Number.POSITIVE_INFINITY;
  #isClosed = false;

  /** `onNews` is called when there is something to take, an error to throw, or a position decided. */
  constructor(cluster: Cluster, config: ConsumerConfig, onNews: () => void) {
    this.#cluster = cluster;
    this.#config = config;
    this.#onNews = onNews;
    this.#unsubscribe = cluster.onChange(() => this.#onMetadata());
  }

  get states(): ReadonlyMap<string, State<K, V>> {
    return this.#states;
  }

  state(partition: TopicPartition): State<K, V> | undefined {
    return this.#states.get(formatTopicPartition(partition));
  }

  add(state: State<K, V>): void {
    this.#states.set(formatTopicPartition(state), state);
  }

  remove(state: State<K, V>): void {
    this.#states.delete(formatTopicPartition(state));
    this.#asked.delete(state);
  }

  /** Looks at everything after what is happening now: the assignment, a position or the buffers changed. */
  pumpSoon(): void {
    this.#wakeAt(this.#cluster.clock.nowMs());
  }

  /** Records were taken from the partition: there may be room for more. */
  drained(state: State<K, V>): void {
    const isWaiting = this.#asked.has(state) || state.bufferedBytes >= this.#config.maxPartitionFetchBytes;
    if (!isWaiting) this.pumpSoon();
  }

  close(): void {
    this.#isClosed = true;
    this.#unsubscribe();
    this.#timer?.cancel();
    for (const link of this.#links.values()) link.close();
    this.#links.clear();
    this.#states.clear();
    this.#asked.clear();
  }

  #wakeAt(atMs: number): void {
    if (this.#isClosed || atMs >= this.#timerAtMs) return;
    this.#timer?.cancel();
    this.#timerAtMs = atMs;
    this.#timer = this.#cluster.clock.schedule(atMs - this.#cluster.clock.nowMs(), () => {
      this.#timerAtMs = Number.POSITIVE_INFINITY;
      this.#pump();
    });
  }

  /** Asks for all that may be asked for and arms the timer for the rest. */
  #pump(): void {
    if (this.#isClosed) return;
    const nowMs = this.#cluster.clock.nowMs();
    const hasRoom = this.#bufferedBytes() < this.#config.prefetchMaxBytes;
    const lookups: State<K, V>[] = [];
    const requests = new Map<FetchLink<K, V>, FetchPart<K, V>[]>();
    let wakeAtMs = this.#checkRequests(nowMs);
    for (const state of this.#states.values()) {
      if (state.error !== undefined || state.isLost || !this.#hasMetadata(state)) continue;
      if (state.backoffUntilMs > nowMs) {
        wakeAtMs = Math.min(wakeAtMs, state.backoffUntilMs);
      } else if (state.start !== undefined) {
        if (!this.#lookingUp.has(state)) lookups.push(state);
      } else if (hasRoom) {
        this.#plan(state, requests);
      }
    }
    if (lookups.length > 0) this.#lookUp(lookups);
    for (const [link, parts] of requests) this.#send(link, parts, nowMs);
    if (requests.size > 0) wakeAtMs = Math.min(wakeAtMs, nowMs + this.#probeMs);
    this.#wakeAt(wakeAtMs);
    this.#cluster.refreshIfOld();
  }

  /** What the reader can take: what waits for a paused partition must not keep the others from being fetched. */
  #bufferedBytes(): number {
    let total = 0;
    for (const state of this.#states.values()) if (!state.isPaused) total += state.bufferedBytes;
    return total;
  }

  /** Adds the partition to the request for its leader, if it should be fetched now. */
  #plan(state: State<K, V>, requests: Map<FetchLink<K, V>, FetchPart<K, V>[]>): void {
    const isEnough = state.bufferedBytes >= this.#config.maxPartitionFetchBytes;
    if (state.isPaused || isEnough || this.#asked.has(state)) return;
    const leader = this.#cluster.metadata.leaderOf(state.topic, state.partition);
    const link = leader && leader.leaderId >= 0 ? this.#linkTo(leader.leaderId) : undefined;
    if (leader === undefined || link === undefined) {
      this.#cluster.requestRefresh();
      return;
    }
    if (!link.canSend || link.inFlight >= REQUESTS_PER_BROKER_MAX) return;
    const { topicId } = this.#cluster.metadata.topic(state.topic)!;
    const part = { state, topicId, leaderEpoch: leader.leaderEpoch, generation: state.generation };
    const parts = requests.get(link);
    if (parts === undefined) requests.set(link, [part]);
    else parts.push(part);
  }

  #send(link: FetchLink<K, V>, parts: readonly FetchPart<K, V>[], nowMs: number): void {
    const { fetchMaxWaitMs, fetchMinBytes, fetchMaxBytes, maxPartitionFetchBytes } = this.#config;
    for (const part of parts) this.#asked.set(part.state, part);
    const partitions: PartitionFetch[] = parts.map(({ state, topicId, leaderEpoch }) => ({
      topicId,
      partition: state.partition,
      leaderEpoch,
      fetchOffset: state.fetchFrom!.offset,
      partitionMaxBytes: maxPartitionFetchBytes,
      lastFetchedEpoch: state.fetchFrom!.epoch,
    }));
    const timeoutMs = fetchMaxWaitMs + this.#cluster.config.requestTimeoutMs;
    link.send({ parts, sentAtMs: nowMs, isProbed: false }, (correlationId) => ({
      header: this.#cluster.header(correlationId, timeoutMs),
      maxWaitMs: fetchMaxWaitMs,
      minBytes: fetchMinBytes,
      maxBytes: fetchMaxBytes,
      partitions,
    }));
  }

  #onAnswer(ticket: FetchTicket<K, V>, { failure, partitions }: FetchResponse): void {
    if (failure !== undefined) {
      this.#onLost([ticket], errorOfFailure(failure));
      return;
    }
    const answers = new Map(partitions.map((answer) => [`${answer.topicId}-${answer.partition}`, answer]));
    for (const part of ticket.parts) {
      // The partition has been asked for again since, or is not assigned any more.
      if (this.#asked.get(part.state) !== part) continue;
      this.#asked.delete(part.state);
      const answer = answers.get(`${part.topicId}-${part.state.partition}`);
      if (answer !== undefined) this.#take(part, answer);
      else part.state.failures = 0;
    }
    this.#pump();
    this.#onNews();
  }

  #take({ state, topicId, generation }: FetchPart<K, V>, answer: PartitionFetched): void {
    if (generation !== state.generation) return;
    if (answer.failure !== undefined) {
      const error = errorOfFailure(answer.failure, formatTopicPartition(state));
      this.#cluster.learnLeader(topicId, answer, error);
      if (error.code === 'OFFSET_OUT_OF_RANGE') state.outOfRange(generation, answer.logStartOffset);
      else this.#onFailed(state, error);
      return;
    }
    state.failures = 0;
    if (answer.divergingEpoch >= 0) {
      this.#onDiverged(state, answer);
      return;
    }
    try {
      state.fetched(generation, answer, this.#config.checkCrcs);
    } catch (error) {
      state.fail(toMillraceError(error));
    }
  }

  #onDiverged(state: State<K, V>, { divergingEndOffset, divergingEpoch }: PartitionFetched): void {
    const position = state.position;
    const wasRead = state.truncated(divergingEndOffset, divergingEpoch);
    const { topic, partition } = state;
    this.#cluster.logger.warn(
      { event: 'log_truncated', topic, partition, position, divergingEndOffset, divergingEpoch },
      wasRead ? 'records that were read are gone after an unclean election' : 'fetched records were replaced',
    );
  }

  #onLost(tickets: readonly FetchTicket<K, V>[], error: MillraceError): void {
    for (const { parts } of tickets) {
      for (const part of parts) {
        if (this.#asked.get(part.state) !== part) continue;
        this.#asked.delete(part.state);
        this.#onFailed(part.state, error);
      }
    }
    this.pumpSoon();
  }

  /** Trouble that passes is waited out; the user is told only of what does not. */
  #onFailed(state: State<K, V>, error: MillraceError): void {
    const { clock, config, random, logger } = this.#cluster;
    // A leader that does not answer may not be the leader any more.
    if (error.staleMetadata || error.code === 'REQUEST_TIMED_OUT') this.#cluster.requestRefresh();
    if (!error.retriable) {
      state.fail(error);
      this.#onNews();
      return;
    }
    const { topic, partition } = state;
    logger.debug({ event: 'fetch_failed', topic, partition, err: error }, 'a fetch is tried again');
    state.backoffUntilMs = clock.nowMs() + backoffMs(state.failures++, config, random);
    this.#wakeAt(state.backoffUntilMs);
  }

  #lookUp(states: readonly State<K, V>[]): void {
    const begun = states.map((state) => ({ state, generation: state.generation }));
    for (const state of states) this.#lookingUp.add(state);
    const queries = states.map(({ topic, partition, start }) => ({ topic, partition, at: start! }));
    const limits = { timeoutMs: this.#cluster.attemptTimeoutMs };
    void this.#finishLookUp(begun, askLeadersOnce(this.#cluster, queries, offsetLookup, limits));
  }

  async #finishLookUp(
    begun: readonly { readonly state: State<K, V>; readonly generation: number }[],
    asked: ReturnType<typeof askLeadersOnce<never, never, OffsetAnswer>>,
  ): Promise<void> {
    const results = await asked;
    if (this.#isClosed) return;
    const endless: State<K, V>[] = [];
    begun.forEach(({ state, generation }, i) => {
      this.#lookingUp.delete(state);
      const result = results[i]!;
      if (result instanceof MillraceError) {
        if (generation === state.generation) this.#onFailed(state, result);
      } else if (result.offset >= 0) state.found(generation, result.offset, result.leaderEpoch);
      else if (generation === state.generation) endless.push(state);
    });
    // No record is as new as asked: the next one will be.
    for (const state of endless) state.seekTo('latest');
    this.#onNews();
    this.#pump();
  }

  /** Follows partitions whose leader moved, without waiting for the old one's answer. */
  #onMetadata(): void {
    for (const [state, part] of this.#asked) {
      const leader = this.#cluster.metadata.leaderOf(state.topic, state.partition);
      if (leader !== undefined && leader.leaderEpoch > part.leaderEpoch) this.#asked.delete(state);
    }
    for (const state of this.#states.values()) state.backoffUntilMs = this.#afterNews(state);
    for (const [id, link] of this.#links) {
      if (this.#cluster.connectionTo(id) === link.connection) continue;
      this.#links.delete(id);
      link.reset(new MillraceError('NETWORK_EXCEPTION', `broker ${id} has left or moved`));
    }
    this.pumpSoon();
  }

  #afterNews(state: State<K, V>): number {
    const leader = this.#cluster.metadata.leaderOf(state.topic, state.partition);
    const isNew = leader !== undefined && leader.leaderId >= 0 && leader.leaderEpoch > state.failedEpoch;
    if (leader !== undefined) state.failedEpoch = Math.max(state.failedEpoch, leader.leaderEpoch);
    return isNew ? 0 : state.backoffUntilMs;
  }

  /** Whether the partition can be asked about; finds out if that is not known. */
  #hasMetadata(state: State<K, V>): boolean {
    const { topic, partition } = state;
    const known = this.#cluster.metadata.topic(topic);
    if (known === undefined || partition >= known.partitions.length) {
      this.#resolve(topic);
      return false;
    }
    if (state.topicId === '') state.topicId = known.topicId;
    if (state.topicId !== known.topicId) {
      // The metadata may also be the older one: what is assigned is told by others.
      if (state.isBound) {
        this.#cluster.requestRefresh();
        return false;
      }
      state.recreated(known.topicId);
      this.#onNews();
    }
    return state.error === undefined;
  }

  #resolve(topic: string): void {
    if (this.#resolving.has(topic)) return;
    this.#resolving.add(topic);
    const ofTopic = (): State<K, V>[] =>
      Array.from(this.#states.values()).filter((state) => state.topic === topic);
    const partitionCount = Math.max(...ofTopic().map(({ partition }) => partition)) + 1;
    this.#cluster.topics([topic], { partitionCounts: new Map([[topic, partitionCount]]) }).then(
      () => {
        this.#resolving.delete(topic);
        this.pumpSoon();
      },
      (error: unknown) => {
        this.#resolving.delete(topic);
        if (this.#isClosed) return;
        const known = this.#cluster.metadata.topic(topic)?.partitions.length ?? 0;
        for (const state of ofTopic()) if (state.partition >= known) state.fail(toMillraceError(error));
        this.#onNews();
        this.pumpSoon();
      },
    );
  }

  /** How long an answer may take before the others are asked who leads. */
  get #probeMs(): number {
    return this.#config.fetchMaxWaitMs + this.#cluster.config.stallProbeMs;
  }

  /** Looks into silence. Returns when to look again. */
  #checkRequests(nowMs: number): number {
    const limitMs = this.#config.fetchMaxWaitMs + this.#cluster.config.requestTimeoutMs;
    let nextMs = Number.POSITIVE_INFINITY;
    for (const link of [...this.#links.values()]) {
      const oldest = link.oldest;
      if (oldest === undefined) continue;
      // Added up as `nextMs` is: a difference may round to just below the limit, and the look would repeat for ever.
      if (nowMs >= oldest.sentAtMs + limitMs) {
        link.reset(new MillraceError('REQUEST_TIMED_OUT', `broker ${link.id} did not answer a fetch`));
        this.#cluster.requestRefresh();
        continue;
      }
      if (nowMs >= oldest.sentAtMs + this.#probeMs && !oldest.isProbed) {
        oldest.isProbed = true;
        this.#cluster.requestRefresh();
      }
      nextMs = Math.min(nextMs, oldest.sentAtMs + (oldest.isProbed ? limitMs : this.#probeMs));
    }
    return nextMs;
  }

  #linkTo(id: NodeId): FetchLink<K, V> | undefined {
    const known = this.#links.get(id);
    if (known !== undefined) return known;
    const connection = this.#cluster.connectionTo(id);
    if (connection === undefined) return undefined;
    const link = new FetchLink<K, V>(id, connection, {
      onAnswer: (ticket, response) => this.#onAnswer(ticket, response),
      onLost: (tickets, error) => this.#onLost(tickets, error),
      onRoom: () => this.pumpSoon(),
    });
    this.#links.set(id, link);
    return link;
  }
}

interface OffsetAnswer {
  readonly topicId: string;
  readonly partition: number;
  readonly offset: number;
  readonly leaderEpoch: number;
}
