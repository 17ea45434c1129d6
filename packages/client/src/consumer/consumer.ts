/** The consumer that users hold: assignment or subscription, positions, and reading in order. */
import { MillraceError, type TopicPartition, toMillraceError } from '@millrace/core';
import {
  checkPartitions,
  checkTimestamp,
  checkTopics,
  offsetArgument,
  wrongArgument,
} from '../check-arguments.ts';
import { type ConsumerConfig, consumerConfig } from '../client-config.ts';
import { throwIfAborted, withLimits } from '../cluster/cancellation.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { OffsetSpec } from '../cluster/offset-lookup.ts';
import { checkRun, offsetsToCommit, subscriptionOf } from '../group/group-arguments.ts';
import { GroupSession } from '../group/group-session.ts';
import type {
  CommittedPartition,
  GroupCallbacks,
  OffsetCommit,
  PartitionLag,
  RunOptions,
  TopicPattern,
} from '../group/group-shapes.ts';
import { enterInside, isInside } from '../group/handler-context.ts';
import type { CloseOptions } from '../producer/producer-record.ts';
import { resolveOptions } from '../resolve-options.ts';
import { AssignedPartitions, type Taken } from './assigned-partitions.ts';
import type {
  ConsumerBatch,
  ConsumerOptions,
  ConsumerRecord,
  OffsetAndTimestamp,
  PollOptions,
  RequestOptions,
} from './consumer-record.ts';
import { HandOut } from './hand-out.ts';
import { HandlerRunner } from './handler-runner.ts';
import { committedOffsets, lagsOf, offsetsAt, offsetsForTimes } from './offset-queries.ts';

const EXTRAS = ['keyDeserializer', 'valueDeserializer'];
const CLOSE_TIMEOUT_MS = 30_000;

/**
 * Reads partitions that are assigned to it, by the program or, with a `groupId`, by its group. One reader at a time:
 * `poll`, `for await` and `run` do not run concurrently.
 *
 * In a group, progress is what the program has finished with: what it was handed before it pulls the next, or what a
 * handler of `run` has returned from. A loop that is left by `break` or an error has not finished with its batch, and
 * is handed it again.
 */
export class Consumer<K = Buffer, V = Buffer> implements AsyncDisposable, AsyncIterable<ConsumerBatch<K, V>> {
  readonly #cluster: Cluster;
  readonly #config: ConsumerConfig;
  readonly #partitions: AssignedPartitions<K, V>;
  /** Undefined without a `groupId`. */
  readonly #session: GroupSession<K, V> | undefined;
  readonly #hands: HandOut<K, V>;
  readonly #onClosed: () => void;
  #runner: HandlerRunner<K, V> | undefined;
  #running: Promise<void> | undefined;
  #isReading = false;
  #closing: Promise<void> | undefined;
  /** Somebody else hears how the closing went. */
  #isCloseAwaited = false;

  /** Made by `Millrace.consumer`. */
  constructor(cluster: Cluster, options: ConsumerOptions<K, V>, onClosed: () => void) {
    this.#cluster = cluster;
    this.#onClosed = onClosed;
    this.#config = resolveOptions(consumerConfig, options, EXTRAS);
    this.#partitions = new AssignedPartitions(cluster, this.#config, options, {
      onNews: () => this.#session?.onNews(),
      mayHandOut: () => this.#session?.isSure ?? true,
    });
    if (this.#config.groupId === '' && this.#config.groupInstanceId !== '')
      throw new MillraceError('INVALID_CONFIG', 'consumer: groupInstanceId needs a groupId');
    if (this.#config.groupId !== '') {
      this.#session = new GroupSession(cluster, this.#config, this.#partitions, this);
    }
    this.#hands =
      this.#session?.hands ??
      new HandOut(cluster.clock, this.#partitions, {
        onFinished: () => {},
        onDropped: (item) => this.#handOutAgain(item),
      });
  }

  /**
   * Joins the group, in the background, with these topics or with all that match. Called again it changes the
   * subscription; partitions of topics that stay are not touched.
   *
   * @throws {MillraceError} INVALID_REQUEST without a `groupId`. Why the group does not take the member (such as
   * UNSUPPORTED_ASSIGNOR or INVALID_REGULAR_EXPRESSION) is thrown at the reader.
   */
  subscribe(topics: readonly string[] | TopicPattern, callbacks: GroupCallbacks = {}): void {
    this.#throwIfClosed();
    this.#group('subscribe').subscribe(subscriptionOf(topics), callbacks);
  }

  /** Finishes what is in hand, commits, leaves the group; `subscribe` joins again. @throws as `close`. */
  async unsubscribe({ timeoutMs = CLOSE_TIMEOUT_MS }: CloseOptions = {}): Promise<void> {
    const session = this.#group('unsubscribe');
    if (this.isCalledInside()) throw inside('unsubscribe');
    this.#giveBackPolled();
    await session.unsubscribe(timeoutMs);
  }

  /** Replaces the assignment. Partitions that stay keep their positions and what was fetched of them. */
  assign(partitions: readonly TopicPartition[]): void {
    this.#throwIfClosed();
    if (this.#session !== undefined) {
      throw new MillraceError(
        'INVALID_REQUEST',
        'the group assigns the partitions: use subscribe, or no groupId',
      );
    }
    checkPartitions('partitions', partitions);
    this.#partitions.replace(partitions);
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
    const assigned = this.#session?.assignment() ?? [...this.#partitions.states.values()];
    return assigned.map(nameOf);
  }

  /** The next record read is the first one at or after `offset`. @throws {MillraceError} INVALID_REQUEST if not assigned. */
  seek(partition: TopicPartition, offset: bigint | number): void {
    const state = this.#partitions.assigned(partition);
    state.seek(offsetArgument('offset', offset));
    this.#session?.sought([state]);
    this.#partitions.pumpSoon();
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
    this.#partitions.pumpSoon();
    for (;;) {
      this.#throwIfClosed();
      const state = this.#partitions.assigned(partition);
      if (state.position !== undefined) return BigInt(state.position);
      const error = state.takeError();
      if (error !== undefined) throw error;
      await this.#partitions.untilNews(deadlineMs - this.#cluster.clock.nowMs(), signal);
      if (this.#cluster.clock.nowMs() >= deadlineMs) throw new MillraceError('REQUEST_TIMED_OUT');
    }
  }

  /** Stops reading these, or all assigned. Positions stay, and so does what was fetched. */
  pause(partitions?: readonly TopicPartition[]): void {
    for (const state of this.#partitions.these(partitions)) state.isPaused = true;
    this.#partitions.pumpSoon();
  }

  resume(partitions?: readonly TopicPartition[]): void {
    for (const state of this.#partitions.these(partitions)) state.isPaused = false;
    this.#partitions.pumpSoon();
    this.#partitions.announce();
  }

  paused(): readonly TopicPartition[] {
    return Array.from(this.#partitions.states.values())
      .filter(({ isPaused }) => isPaused)
      .map(nameOf);
  }

  /** For each query, in order: the first record at least as new as `timestampMs`, or null. */
  offsetsForTimes<Q extends TopicPartition & { readonly timestampMs: number }>(
    queries: readonly Q[],
    options: RequestOptions = {},
  ): Promise<(TopicPartition & { readonly found: OffsetAndTimestamp | null })[]> {
    return offsetsForTimes(this.#cluster, queries, options);
  }

  /** The first offset of each, in order. */
  beginningOffsets(
    partitions: readonly TopicPartition[],
    options: RequestOptions = {},
  ): Promise<(TopicPartition & { readonly offset: bigint })[]> {
    return offsetsAt(this.#cluster, 'earliest', partitions, options);
  }

  /** High watermarks: the offset that the next record visible to readers will have, of each, in order. */
  endOffsets(
    partitions: readonly TopicPartition[],
    options: RequestOptions = {},
  ): Promise<(TopicPartition & { readonly offset: bigint })[]> {
    return offsetsAt(this.#cluster, 'latest', partitions, options);
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
    if (this.#session !== undefined) enterInside(this);
    const first = await this.#next(maxRecords, timeoutMs, signal, 'poll');
    if (first === undefined) return [];
    const records: ConsumerRecord<K, V>[] = [...first.records];
    while (records.length < maxRecords) {
      const more = this.#partitions.takeReady(maxRecords - records.length);
      if (more === undefined) break;
      for (const record of this.#handOut(more, 'poll').records) records.push(record);
    }
    return records;
  }

  /** Batches as they arrive. Ends when the consumer closes. @throws as `poll`; the consumer stays usable. */
  async *batches({
    signal,
  }: {
    readonly signal?: AbortSignal;
  } = {}): AsyncGenerator<ConsumerBatch<K, V>, void> {
    try {
      for (;;) {
        if (this.#session !== undefined) enterInside(this);
        else if (this.#closing !== undefined) return;
        const batch = await this.#next(this.#config.maxPollRecords, undefined, signal, 'loop');
        if (batch === undefined) return;
        yield batch;
      }
    } finally {
      this.#session?.giveBackRead();
    }
  }

  [Symbol.asyncIterator](): AsyncGenerator<ConsumerBatch<K, V>, void> {
    return this.batches();
  }

  /**
   * Calls a handler for each record, or each batch, until the consumer closes or `signal` aborts: every partition in order,
   * up to `concurrency` partitions at the same time. Ends when what is in hand is finished.
   *
   * @throws what a handler throws, when the others in hand are finished: the consumer stays usable and goes on with the
   * very record. Otherwise as `poll`.
   */
  async run(options: RunOptions<K, V>): Promise<void> {
    checkRun(options);
    this.#throwIfClosed();
    this.#throwIfRead();
    const runner = new HandlerRunner(
      {
        cluster: this.#cluster,
        partitions: this.#partitions,
        hands: this.#hands,
        maxRecords: this.#config.maxPollRecords,
        owner: this,
        check: () => this.#session?.reading(),
      },
      options,
    );
    this.#runner = runner;
    const running = runner.run().finally(() => {
      this.#runner = undefined;
      this.#session?.idle();
    });
    this.#running = running.catch(() => {});
    await running;
    if (this.#isCloseAwaited) await this.#closing?.catch(() => {});
    else await this.#closing;
  }

  /**
   * Resolves when the coordinator has the offsets. Without any: of all that the program has finished with; with `poll`
   * and `for await` that is all it was handed, since it says so.
   *
   * @throws {MillraceError} FENCED_MEMBER_EPOCH for partitions that were lost, OFFSET_METADATA_TOO_LARGE,
   * REQUEST_TIMED_OUT or what else stood in the way until the time limit, CANCELLED.
   */
  async commit(offsets?: readonly OffsetCommit[], options: RequestOptions = {}): Promise<void> {
    const { timeoutMs = this.#cluster.config.requestTimeoutMs, signal } = options;
    throwIfAborted(signal);
    const session = this.#group('commit');
    const list = offsets === undefined ? undefined : offsetsToCommit(offsets);
    const commit = session.commit(list, timeoutMs);
    await (signal === undefined
      ? commit
      : withLimits(commit, { signal }, this.#cluster.clock, () => new MillraceError('CANCELLED')));
  }

  /** As `commit`, without waiting. What fails is told to `onError`, else to that of `subscribe`. */
  commitSoon(offsets?: readonly OffsetCommit[], onError?: (error: MillraceError) => void): void {
    const session = this.#group('commitSoon');
    this.commit(offsets).catch((error: unknown) => {
      if (onError === undefined) session.report(error);
      else onError(toMillraceError(error));
    });
  }

  /** What the group has committed, of each, in order. @throws {MillraceError} the last failure at the time limit. */
  async committed(
    partitions: readonly TopicPartition[],
    options: RequestOptions = {},
  ): Promise<CommittedPartition[]> {
    this.#group('committed');
    checkPartitions('partitions', partitions);
    return committedOffsets(this.#cluster, this.#config.groupId, partitions, options);
  }

  /**
   * How far behind the program is: of assigned partitions by what it has finished with, of others by what the group has
   * committed. All assigned ones unless some are given.
   */
  async lag(partitions?: readonly TopicPartition[], options: RequestOptions = {}): Promise<PartitionLag[]> {
    const session = this.#group('lag');
    const asked = partitions ?? this.assignment();
    const ends = await this.endOffsets(asked, options);
    const unknown = asked.filter((partition) => session.progressOf(partition) === undefined);
    const committed = await this.committed(unknown, options);
    return lagsOf(ends, (partition) => session.progressOf(partition), committed);
  }

  /**
   * Ends a running loop. In a group: waits for what is in hand, commits what is finished, gives the partitions up and
   * leaves, all within `timeoutMs`. Idempotent. Called inside a handler or a loop it cannot wait for that very handler:
   * it resolves at once, and the loop or `run` ends when the closing has.
   *
   * @throws {MillraceError} why the last progress could not be committed.
   */
  close({ timeoutMs = CLOSE_TIMEOUT_MS }: CloseOptions = {}): Promise<void> {
    if (this.#closing === undefined) {
      this.#giveBackPolled();
      this.#closing = this.#close(timeoutMs);
      this.#closing.catch((error: unknown) => this.#session?.report(error));
    }
    if (this.isCalledInside()) return Promise.resolve();
    this.#isCloseAwaited = true;
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Who has polled and ends it will not come back for more. */
  #giveBackPolled(): void {
    if (isInside(this) && !this.isCalledInside()) this.#session?.giveBackRead();
  }

  async #close(timeoutMs: number): Promise<void> {
    this.#runner?.stop();
    this.#partitions.announce();
    try {
      if (this.#session !== undefined) await this.#session.close(timeoutMs);
      else if (this.#running !== undefined && !this.isCalledInside()) {
        await withLimits(this.#running, { timeoutMs }, this.#cluster.clock, tooLate).catch(() => {});
      }
    } finally {
      this.#partitions.close();
      this.#onClosed();
    }
  }

  /** Undefined after the time limit, and when closed. */
  async #next(
    maxRecords: number,
    timeoutMs: number | undefined,
    signal: AbortSignal | undefined,
    holder: 'loop' | 'poll',
  ): Promise<ConsumerBatch<K, V> | undefined> {
    if (this.#closing === undefined || this.#session === undefined) this.#throwIfClosed();
    this.#throwIfRead();
    const deadlineMs = this.#cluster.clock.nowMs() + (timeoutMs ?? Number.POSITIVE_INFINITY);
    this.#isReading = true;
    this.#session?.finishRead();
    try {
      for (;;) {
        throwIfAborted(signal);
        if (this.#closing !== undefined) {
          await this.#closing.catch(() => {});
          return undefined;
        }
        this.#session?.reading();
        const taken = this.#partitions.takeOne(maxRecords);
        if (taken !== undefined) return this.#handOut(taken, holder);
        const leftMs = deadlineMs - this.#cluster.clock.nowMs();
        if (leftMs <= 0) return undefined;
        await this.#partitions.untilNews(leftMs, signal);
      }
    } finally {
      this.#isReading = false;
      this.#session?.idle();
    }
  }

  #handOut(taken: Taken<K, V>, holder: 'loop' | 'poll'): ConsumerBatch<K, V> {
    this.#session?.hands.begin(taken, holder);
    return taken.batch;
  }

  /** What a handler has let go of can be handed out again. */
  #handOutAgain(item: TopicPartition): void {
    const state = this.#partitions.state(item);
    if (state !== undefined) state.isHeldBack = false;
    this.#partitions.announce();
  }

  /** Whether the caller works on something that closing would have to wait for: a handler, a loop, a callback. */
  isCalledInside(): boolean {
    if (!isInside(this)) return false;
    const isAtWork = [...this.#hands.state.items()].some(({ holder }) => holder !== 'poll');
    return isAtWork || this.#session?.isCalling === true;
  }

  #seekTo(start: OffsetSpec, partitions: readonly TopicPartition[] | undefined): void {
    const states = this.#partitions.these(partitions);
    for (const state of states) state.seekTo(start);
    this.#session?.sought(states);
    this.#partitions.pumpSoon();
  }

  #group(method: string): GroupSession<K, V> {
    if (this.#session !== undefined) return this.#session;
    throw new MillraceError('INVALID_REQUEST', `${method} needs a consumer with a groupId`);
  }

  #throwIfRead(): void {
    if (this.#isReading || this.#runner !== undefined)
      throw new MillraceError('INVALID_REQUEST', 'another read of this consumer is under way');
  }

  #throwIfClosed(): void {
    if (this.#closing !== undefined) throw new MillraceError('CLOSED', 'the consumer is closed');
  }
}

function nameOf({ topic, partition }: TopicPartition): TopicPartition {
  return { topic, partition };
}

function inside(method: string): MillraceError {
  return new MillraceError('INVALID_REQUEST', `${method} inside a handler would wait for that handler`);
}

function tooLate(): MillraceError {
  return new MillraceError('REQUEST_TIMED_OUT');
}
