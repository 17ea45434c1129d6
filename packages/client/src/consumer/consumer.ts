/** The consumer that users hold: assignment, positions, and reading in order. Fetching is the fetcher's. */
import {
  Deferred,
  formatTopicPartition,
  MillraceError,
  type TopicPartition,
  toMillraceError,
} from '@millrace/core';
import {
  checkList,
  checkPartition,
  checkPartitions,
  checkTimestamp,
  checkTopics,
  offsetArgument,
  wrongArgument,
} from '../check-arguments.ts';
import { type ConsumerConfig, consumerConfig } from '../client-config.ts';
import { throwIfAborted, withLimits } from '../cluster/cancellation.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { askLeaders } from '../cluster/leader-calls.ts';
import { type OffsetSpec, offsetLookup } from '../cluster/offset-lookup.ts';
import { resolveOptions } from '../resolve-options.ts';
import type { Deserializer } from '../serializers.ts';
import type {
  ConsumerBatch,
  ConsumerOptions,
  ConsumerRecord,
  OffsetAndTimestamp,
  PollOptions,
  RequestOptions,
} from './consumer-record.ts';
import { FetchPositionState } from './fetch-position-state.ts';
import { Fetcher } from './fetcher.ts';

const EXTRAS = ['keyDeserializer', 'valueDeserializer'];

/** How a wait ends without any: never shown to anyone, and made once, because errors are costly. */
const NO_NEWS = new MillraceError('REQUEST_TIMED_OUT');

/** Reads partitions that are assigned to it. One reader at a time: `poll` and `for await` do not run concurrently. */
export class Consumer<K = Buffer, V = Buffer> implements AsyncDisposable, AsyncIterable<ConsumerBatch<K, V>> {
  readonly #cluster: Cluster;
  readonly #config: ConsumerConfig;
  readonly #keyDeserializer: Deserializer<K> | undefined;
  readonly #valueDeserializer: Deserializer<V> | undefined;
  readonly #fetcher: Fetcher<K, V>;
  /** Partitions in the order in which they are served next. */
  readonly #turns = new Set<FetchPositionState<K, V>>();
  readonly #onClosed: () => void;
  #news: Deferred<void> | undefined;
  #isReading = false;
  #isClosed = false;

  /** Made by `Millrace.consumer`. */
  constructor(cluster: Cluster, options: ConsumerOptions<K, V>, onClosed: () => void) {
    this.#cluster = cluster;
    this.#onClosed = onClosed;
    this.#config = resolveOptions(consumerConfig, options, EXTRAS);
    this.#keyDeserializer = options.keyDeserializer;
    this.#valueDeserializer = options.valueDeserializer;
    this.#fetcher = new Fetcher(cluster, this.#config, () => this.#announce());
  }

  /** Replaces the assignment. Partitions that stay keep their positions and what was fetched of them. */
  assign(partitions: readonly TopicPartition[]): void {
    this.#throwIfClosed();
    checkPartitions('partitions', partitions);
    const wanted = new Set(partitions.map(formatTopicPartition));
    for (const [key, state] of [...this.#fetcher.states]) {
      if (wanted.has(key)) continue;
      this.#fetcher.remove(state);
      this.#turns.delete(state);
    }
    for (const { topic, partition } of partitions) {
      if (this.#fetcher.state({ topic, partition }) !== undefined) continue;
      const source = {
        topic,
        partition,
        keyDeserializer: this.#keyDeserializer,
        valueDeserializer: this.#valueDeserializer,
      };
      const state = new FetchPositionState<K, V>(source, this.#config.autoOffsetReset);
      this.#fetcher.add(state);
      this.#turns.add(state);
    }
    this.#fetcher.pumpSoon();
    this.#announce();
  }

  /**
   * Assigns every partition that the topics have now, and returns them.
   *
   * @throws {MillraceError} UNKNOWN_TOPIC_OR_PARTITION, CONNECTION_FAILED, CANCELLED.
   */
  async assignTopics(
    topics: readonly string[],
    options: RequestOptions = {},
  ): Promise<readonly TopicPartition[]> {
    this.#throwIfClosed();
    checkTopics('topics', topics);
    const known = await this.#cluster.topics(topics, options);
    const partitions = known.flatMap(({ name, partitions }) =>
      partitions.map((_, i) => ({ topic: name, partition: i })),
    );
    this.assign(partitions);
    return partitions;
  }

  assignment(): readonly TopicPartition[] {
    return Array.from(this.#fetcher.states.values(), nameOf);
  }

  /** The next record read is the first one at or after `offset`. @throws {MillraceError} INVALID_REQUEST if not assigned. */
  seek(partition: TopicPartition, offset: bigint | number): void {
    this.#assigned(partition).seek(offsetArgument('offset', offset));
    this.#fetcher.pumpSoon();
  }

  /** Of all assigned partitions unless some are given; looked up when next read. */
  seekToBeginning(partitions?: readonly TopicPartition[]): void {
    this.#seekTo('earliest', partitions);
  }

  /** Of all assigned partitions unless some are given; looked up when next read. */
  seekToEnd(partitions?: readonly TopicPartition[]): void {
    this.#seekTo('latest', partitions);
  }

  /** To the first record that is at least as new; to the end if none is. */
  seekToTimestamp(timestampMs: number, partitions?: readonly TopicPartition[]): void {
    checkTimestamp('timestampMs', timestampMs);
    this.#seekTo({ timestampMs }, partitions);
  }

  /**
   * The offset that is read next; asks the cluster if that is not decided yet.
   *
   * @throws {MillraceError} NO_OFFSET_FOR_PARTITION, INVALID_REQUEST if not assigned, REQUEST_TIMED_OUT, CANCELLED.
   */
  async position(partition: TopicPartition, options: RequestOptions = {}): Promise<bigint> {
    const { timeoutMs = this.#cluster.config.requestTimeoutMs, signal } = options;
    const deadlineMs = this.#cluster.clock.nowMs() + timeoutMs;
    this.#fetcher.pumpSoon();
    for (;;) {
      this.#throwIfClosed();
      const state = this.#assigned(partition);
      if (state.position !== undefined) return BigInt(state.position);
      const error = state.takeError();
      if (error !== undefined) throw error;
      await this.#untilNews(deadlineMs - this.#cluster.clock.nowMs(), signal);
      if (this.#cluster.clock.nowMs() >= deadlineMs) throw new MillraceError('REQUEST_TIMED_OUT');
    }
  }

  /** Stops reading these, or all assigned. Positions stay, and so does what was fetched. */
  pause(partitions?: readonly TopicPartition[]): void {
    for (const state of this.#these(partitions)) state.isPaused = true;
    this.#fetcher.pumpSoon();
  }

  resume(partitions?: readonly TopicPartition[]): void {
    for (const state of this.#these(partitions)) state.isPaused = false;
    this.#fetcher.pumpSoon();
    this.#announce();
  }

  paused(): readonly TopicPartition[] {
    return Array.from(this.#fetcher.states.values())
      .filter(({ isPaused }) => isPaused)
      .map(nameOf);
  }

  /** For each query, in order: the first record at least as new as `timestampMs`, or null. */
  async offsetsForTimes<Q extends TopicPartition & { readonly timestampMs: number }>(
    queries: readonly Q[],
    options: RequestOptions = {},
  ): Promise<(TopicPartition & { readonly found: OffsetAndTimestamp | null })[]> {
    checkPartitions('queries', queries);
    queries.forEach(({ timestampMs }, i) => {
      checkTimestamp(`queries[${i}].timestampMs`, timestampMs);
    });
    const asked = queries.map(({ topic, partition, timestampMs }) => ({
      topic,
      partition,
      at: { timestampMs },
    }));
    const answers = await askLeaders(this.#cluster, asked, offsetLookup, options);
    return asked.map(({ topic, partition }, i) => {
      const { offset, timestamp } = answers[i]!;
      return { topic, partition, found: offset < 0 ? null : { offset: BigInt(offset), timestamp } };
    });
  }

  /** The first offset of each, in order. */
  beginningOffsets(
    partitions: readonly TopicPartition[],
    options: RequestOptions = {},
  ): Promise<(TopicPartition & { readonly offset: bigint })[]> {
    return this.#offsetsAt('earliest', partitions, options);
  }

  /** High watermarks: the offset that the next record visible to readers will have, of each, in order. */
  endOffsets(
    partitions: readonly TopicPartition[],
    options: RequestOptions = {},
  ): Promise<(TopicPartition & { readonly offset: bigint })[]> {
    return this.#offsetsAt('latest', partitions, options);
  }

  /**
   * The next records, of one partition or several; at most `maxRecords`. Empty after `timeoutMs`, and when the
   * consumer closes.
   *
   * @throws {MillraceError} OFFSET_OUT_OF_RANGE or NO_OFFSET_FOR_PARTITION without a reset policy, CORRUPT_MESSAGE,
   * UNKNOWN_TOPIC_OR_PARTITION, CANCELLED. Trouble that passes is waited out instead.
   */
  async poll(options: PollOptions = {}): Promise<ConsumerRecord<K, V>[]> {
    const { maxRecords = this.#config.maxPollRecords, timeoutMs, signal } = options;
    if (!(maxRecords >= 1)) throw wrongArgument('maxRecords', 'at least 1', maxRecords);
    const first = await this.#next(maxRecords, timeoutMs, signal);
    if (first === undefined) return [];
    const records: ConsumerRecord<K, V>[] = [...first.records];
    while (records.length < maxRecords) {
      const more = this.#takeReady(maxRecords - records.length);
      if (more === undefined) break;
      for (const record of more.records) records.push(record);
    }
    return records;
  }

  /** Batches as they arrive. Ends when the consumer closes. @throws as `poll`; the consumer stays usable. */
  async *batches({
    signal,
  }: {
    readonly signal?: AbortSignal;
  } = {}): AsyncGenerator<ConsumerBatch<K, V>, void> {
    for (;;) {
      const batch = this.#isClosed
        ? undefined
        : await this.#next(this.#config.maxPollRecords, undefined, signal);
      if (batch === undefined) return;
      yield batch;
    }
  }

  [Symbol.asyncIterator](): AsyncGenerator<ConsumerBatch<K, V>, void> {
    return this.batches();
  }

  /** Ends a running loop. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#fetcher.close();
    this.#turns.clear();
    this.#onClosed();
    this.#announce();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Undefined after the time limit, and when closed. */
  async #next(
    maxRecords: number,
    timeoutMs: number | undefined,
    signal: AbortSignal | undefined,
  ): Promise<ConsumerBatch<K, V> | undefined> {
    this.#throwIfClosed();
    if (this.#isReading)
      throw new MillraceError('INVALID_REQUEST', 'another read of this consumer is under way');
    const deadlineMs = this.#cluster.clock.nowMs() + (timeoutMs ?? Number.POSITIVE_INFINITY);
    this.#isReading = true;
    try {
      for (;;) {
        throwIfAborted(signal);
        const batch = this.#takeOne(maxRecords);
        const leftMs = deadlineMs - this.#cluster.clock.nowMs();
        if (batch !== undefined || this.#isClosed || leftMs <= 0) return batch;
        await this.#untilNews(leftMs, signal);
      }
    } finally {
      this.#isReading = false;
    }
  }

  /** What the next partition in turn has; without any records, the first error. */
  #takeOne(maxRecords: number): ConsumerBatch<K, V> | undefined {
    const batch = this.#takeReady(maxRecords);
    if (batch !== undefined) return batch;
    for (const state of this.#turns) {
      const error = state.isPaused ? undefined : state.takeError();
      if (error === undefined) continue;
      this.#fetcher.pumpSoon();
      throw error;
    }
    return undefined;
  }

  /** Records of the next partition in turn that has some. What cannot be decoded waits as that partition's error. */
  #takeReady(maxRecords: number): ConsumerBatch<K, V> | undefined {
    for (const state of this.#turns) {
      if (state.isPaused || !state.hasRecords) continue;
      try {
        const batch = state.take(maxRecords);
        this.#fetcher.drained(state);
        if (batch === undefined) continue;
        this.#turns.delete(state);
        this.#turns.add(state);
        return batch;
      } catch (error) {
        state.fail(toMillraceError(error));
      }
    }
    return undefined;
  }

  #announce(): void {
    this.#news?.resolve();
    this.#news = undefined;
  }

  async #untilNews(timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
    this.#news ??= new Deferred();
    const limits = {
      ...(Number.isFinite(timeoutMs) && { timeoutMs: Math.max(0, timeoutMs) }),
      ...(signal && { signal }),
    };
    try {
      await withLimits(this.#news.promise, limits, this.#cluster.clock, () => NO_NEWS);
    } catch (error) {
      if (error !== NO_NEWS) throw error;
    }
  }

  #seekTo(start: OffsetSpec, partitions: readonly TopicPartition[] | undefined): void {
    for (const state of this.#these(partitions)) state.seekTo(start);
    this.#fetcher.pumpSoon();
  }

  async #offsetsAt(
    at: OffsetSpec,
    partitions: readonly TopicPartition[],
    options: RequestOptions,
  ): Promise<(TopicPartition & { readonly offset: bigint })[]> {
    checkPartitions('partitions', partitions);
    const queries = partitions.map(({ topic, partition }) => ({ topic, partition, at }));
    const answers = await askLeaders(this.#cluster, queries, offsetLookup, options);
    return queries.map(({ topic, partition }, i) => ({
      topic,
      partition,
      offset: BigInt(answers[i]!.offset),
    }));
  }

  #these(partitions: readonly TopicPartition[] | undefined): FetchPositionState<K, V>[] {
    if (partitions === undefined) return [...this.#fetcher.states.values()];
    checkList('partitions', partitions);
    return partitions.map((partition) => this.#assigned(partition));
  }

  #assigned(partition: TopicPartition): FetchPositionState<K, V> {
    checkPartition('partition', partition);
    const state = this.#fetcher.state(partition);
    if (state !== undefined) return state;
    throw new MillraceError(
      'INVALID_REQUEST',
      `${formatTopicPartition(partition)} is not assigned to this consumer`,
    );
  }

  #throwIfClosed(): void {
    if (this.#isClosed) throw new MillraceError('CLOSED', 'the consumer is closed');
  }
}

function nameOf({ topic, partition }: TopicPartition): TopicPartition {
  return { topic, partition };
}
