/**
 * The producer that users hold: takes records in, makes callers wait when it must, and ends in order. Batches
 * and retries are the sender's.
 */
import {
  checkTopicName,
  Deferred,
  invariant,
  MillraceError,
  type Timer,
  toMillraceError,
} from '@millrace/core';
import { wrongArgument } from '../check-arguments.ts';
import { type ProducerConfig, producerConfig } from '../client-config.ts';
import { onAbort, throwIfAborted, withLimits } from '../cluster/cancellation.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { resolveOptions } from '../resolve-options.ts';
import { type BytesLike, bytesLike, type Serializer } from '../serializers.ts';
import { AccumulatorState } from './accumulator-state.ts';
import { Delivery } from './delivery.ts';
import { FailureLedger } from './failure-ledger.ts';
import { asPartitioner, defaultPartitioner, type Partitioner } from './partitioner.ts';
import { prepareRecord, sizeOfRecord } from './prepare-record.ts';
import type {
  CloseOptions,
  ProducerOptions,
  ProducerRecord,
  RecordMetadata,
  SendOptions,
} from './producer-record.ts';
import type { PreparedRecord, WaitingSend } from './send-waiting.ts';
import { Sender } from './sender.ts';
import { TopicRoute } from './topic-route.ts';

const EXTRAS = ['partitioner', 'keySerializer', 'valueSerializer'];
const CLOSE_TIMEOUT_MS = 30_000;
const IN_FLIGHT_MAX_IDEMPOTENT = 5;

/** Sends records. Share one for the whole program: it batches across callers. */
export class Producer<K = BytesLike, V = BytesLike> implements AsyncDisposable {
  readonly #cluster: Cluster;
  readonly #config: ProducerConfig;
  readonly #partitioner: Partitioner;
  readonly #keySerializer: Serializer<K>;
  readonly #valueSerializer: Serializer<V>;
  readonly #ledger = new FailureLedger();
  readonly #accumulator: AccumulatorState;
  readonly #sender: Sender;
  readonly #routes = new Map<string, TopicRoute>();
  readonly #unsubscribe: () => void;
  readonly #onClosed: () => void;
  readonly #nowMs: () => number;
  #waitingBytes = 0;
  #sharedTimestampMs: number | undefined;
  #room: Deferred<void> | undefined;
  #blockTimer: Timer | undefined;
  #closing: Promise<void> | undefined;
  #isClosed = false;

  /** Made by `Millrace.producer`. */
  constructor(cluster: Cluster, options: ProducerOptions<K, V>, onClosed: () => void) {
    this.#cluster = cluster;
    this.#onClosed = onClosed;
    this.#config = resolveOptions(producerConfig, options, EXTRAS);
    this.#partitioner = asPartitioner(options.partitioner ?? defaultPartitioner(cluster.random));
    this.#keySerializer = options.keySerializer ?? (bytesLike as Serializer<unknown> as Serializer<K>);
    this.#valueSerializer = options.valueSerializer ?? (bytesLike as Serializer<unknown> as Serializer<V>);
    this.#nowMs = () => cluster.clock.nowMs();
    this.#accumulator = new AccumulatorState({
      batchSize: this.#config.batchSize,
      bufferMemory: this.#config.bufferMemory,
      deliveryTimeoutMs: this.#config.deliveryTimeoutMs,
      codec: this.#config.compression,
      isIdempotent: isIdempotent(this.#config, options),
      ledger: this.#ledger,
      onReleased: () => this.#onReleased(),
    });
    this.#sender = new Sender({
      cluster,
      config: this.#config,
      accumulator: this.#accumulator,
      onBatchClosed: (topic, partition) => this.#onBatchClosed(topic, partition),
    });
    this.#unsubscribe = cluster.onChange(() => this.#onMetadata());
  }

  /** No room: `send` would wait. Loops that do not await each send should await `whenReady()` then. */
  get isFull(): boolean {
    return this.#accumulator.isFull || this.#waitingBytes * 2 > this.#config.bufferMemory;
  }

  /** Resolves when there is room, at once if there is. Rejects when the producer closes. */
  async whenReady({ signal }: SendOptions = {}): Promise<void> {
    throwIfAborted(signal);
    while (this.isFull) {
      this.#room ??= new Deferred();
      await withLimits(
        this.#room.promise,
        signal === undefined ? {} : { signal },
        this.#cluster.clock,
        closed,
      );
    }
    if (this.#isClosed) throw closed();
  }

  /**
   * Resolves when the record is written as `acks` asks. Not awaiting it is safe: nothing is thrown, and a failure
   * surfaces in the next `flush` or in `close`.
   *
   * When the buffer is full the promise simply takes longer; beyond `bufferMemory` of such sends it rejects at once.
   *
   * Rejects with a MillraceError: BUFFER_EXHAUSTED, SERIALIZATION_FAILED, UNKNOWN_TOPIC_OR_PARTITION,
   * MESSAGE_TOO_LARGE, REQUEST_TIMED_OUT (not acknowledged in time: it may or may not be written), CANCELLED, CLOSED,
   * or what the broker answered.
   */
  send(record: ProducerRecord<K, V>, options?: SendOptions): Promise<RecordMetadata> {
    try {
      if (options?.signal !== undefined) return this.#sendCancellable(record, options.signal);
      return this.#accept(record).delivery;
    } catch (error) {
      const isRecord = typeof record === 'object' && record !== null;
      const failure = isRecord ? toMillraceError(error) : wrongArgument('record', 'an object', record);
      return Delivery.failed(failure, this.#ledger);
    }
  }

  /** As `send` for each, in order, waiting for room in between. Rejects with the first failure. */
  async sendBatch(
    records: Iterable<ProducerRecord<K, V>>,
    options: SendOptions = {},
  ): Promise<RecordMetadata[]> {
    if (typeof records?.[Symbol.iterator] !== 'function')
      throw wrongArgument('records', 'a list or another iterable', records);
    const deliveries: Promise<RecordMetadata>[] = [];
    for (const record of records) {
      if (this.isFull) await this.whenReady(options);
      deliveries.push(this.send(record));
    }
    const all = Promise.all(deliveries);
    const { signal } = options;
    return signal === undefined ? all : withLimits(all, { signal }, this.#cluster.clock, closed);
  }

  /**
   * Sends what waits, without lingering, and resolves when all of it has its result. Rejects if records failed
   * since the last flush whose results nobody had asked for.
   */
  async flush({ signal }: SendOptions = {}): Promise<void> {
    throwIfAborted(signal);
    await withLimits(this.#drain(), signal === undefined ? {} : { signal }, this.#cluster.clock, closed);
    this.#ledger.settle();
  }

  /**
   * Takes no more records, sends what waits for at most `timeoutMs` and gives up the rest. Idempotent. Rejects as
   * `flush` does.
   */
  close({ timeoutMs = CLOSE_TIMEOUT_MS }: CloseOptions = {}): Promise<void> {
    if (this.#closing === undefined) {
      this.#closing = this.#close(timeoutMs);
      this.#closing.catch(() => {});
    }
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #accept(record: ProducerRecord<K, V>): Accepted {
    if (this.#isClosed) throw closed();
    const route = this.#routes.get(record.topic) ?? this.#createRoute(record.topic);
    const prepared = prepareRecord(record, this.#keySerializer, this.#valueSerializer, this.#timestampMs());
    const mustWait =
      route.waiting.length > 0 || this.#accumulator.isFull || !route.canPlace(prepared, this.#nowMs);
    if (mustWait) return this.#wait(route, prepared);
    return { delivery: this.#append(route, prepared, undefined), waiting: undefined };
  }

  /** Records sent in one go share a look at the clock: it would cost a sixth of the producer's time. */
  #timestampMs(): number {
    if (this.#sharedTimestampMs === undefined) {
      this.#sharedTimestampMs = this.#cluster.clock.wallMs();
      queueMicrotask(() => {
        this.#sharedTimestampMs = undefined;
      });
    }
    return this.#sharedTimestampMs;
  }

  #append(route: TopicRoute, record: PreparedRecord, delivery: Delivery | undefined): Delivery {
    const lane = route.laneFor(record);
    const hadOpen = lane.queue.open !== undefined;
    const { timestamp, key, value, headers } = record;
    const appended = this.#accumulator.append(lane, this.#nowMs, timestamp, key, value, headers, delivery);
    if (appended.isNew) this.#sender.noticeBatch(lane, hadOpen);
    return appended.delivery;
  }

  #sendCancellable(record: ProducerRecord<K, V>, signal: AbortSignal): Promise<RecordMetadata> {
    throwIfAborted(signal);
    const { delivery, waiting } = this.#accept(record);
    delivery.limit(signal);
    if (waiting !== undefined) {
      const stopListening = onAbort(signal, () => {
        waiting.isGivenUp = true;
      });
      void delivery.whenEntered().then(stopListening);
    }
    return delivery;
  }

  #createRoute(topic: string): TopicRoute {
    checkTopicName(topic);
    const route = new TopicRoute(topic, this.#partitioner, this.#accumulator);
    route.metadata = this.#cluster.metadata.topic(topic);
    this.#routes.set(topic, route);
    return route;
  }

  #wait(route: TopicRoute, record: PreparedRecord): Accepted {
    const sizeBytes = sizeOfRecord(record);
    const { bufferMemory, maxBlockMs } = this.#config;
    if (sizeBytes > bufferMemory) {
      const text = `a record of ${sizeBytes} bytes does not fit bufferMemory=${bufferMemory}`;
      throw new MillraceError('MESSAGE_TOO_LARGE', text);
    }
    if (this.#waitingBytes + sizeBytes > bufferMemory) {
      const text = `bufferMemory=${bufferMemory} is full and as much again waits; await send or whenReady()`;
      throw new MillraceError('BUFFER_EXHAUSTED', text);
    }
    const delivery = Delivery.waiting(this.#ledger);
    const deadlineMs = this.#nowMs() + maxBlockMs;
    const waiting: WaitingSend = { record, delivery, sizeBytes, deadlineMs, isGivenUp: false };
    route.waiting.push(waiting);
    this.#waitingBytes += sizeBytes;
    if (route.waiting.length === 1 && !route.canPlace(record, this.#nowMs)) this.#resolve(route);
    this.#armBlockTimer();
    return { delivery, waiting };
  }

  /** The partitioner is the user's: what it throws here concerns no record. */
  #onBatchClosed(topic: string, partition: number): void {
    try {
      this.#partitioner.batchClosed?.(topic, partition);
    } catch (error) {
      this.#cluster.logger.warn(
        { event: 'partitioner_failed', topic, partition, err: error },
        'batchClosed threw',
      );
    }
  }

  /** Asks the cluster about a topic for as long as a send may wait. */
  #resolve(route: TopicRoute): void {
    if (route.isResolving) return;
    route.isResolving = true;
    const partition = route.waiting.peek()?.record.partition ?? -1;
    const request = this.#cluster.topics([route.topic], {
      timeoutMs: this.#config.maxBlockMs,
      autoCreate: true,
      partitionCounts: new Map([[route.topic, partition + 1]]),
    });
    request.then(
      ([metadata]) => {
        route.isResolving = false;
        route.metadata = metadata;
        this.#admit(route);
      },
      (error: unknown) => {
        route.isResolving = false;
        route.metadata = this.#cluster.metadata.topic(route.topic);
        if (route.metadata !== undefined) {
          route.deniedUntilMs = this.#nowMs() + this.#cluster.config.missingTopicTimeoutMs;
          this.#admit(route);
          return;
        }
        this.#waitingBytes -= route.waiting.bytes;
        route.waiting.failAll(toMillraceError(error));
        this.#announceRoom();
      },
    );
  }

  /** Lets waiting sends in, as far as there is room. */
  #admit(route: TopicRoute): void {
    while (!this.#accumulator.isFull) {
      const send = route.waiting.peek();
      if (send === undefined) break;
      if (!route.canPlace(send.record, this.#nowMs)) {
        this.#resolve(route);
        break;
      }
      route.waiting.shift();
      this.#waitingBytes -= send.sizeBytes;
      if (send.isGivenUp) {
        // Whoever gave it up need not be told by a flush.
        send.delivery.catch(() => {});
        send.delivery.fail(new MillraceError('CANCELLED'));
        continue;
      }
      try {
        this.#append(route, send.record, send.delivery);
      } catch (error) {
        send.delivery.fail(toMillraceError(error));
      }
    }
    this.#announceRoom();
  }

  #onReleased(): void {
    if (this.#waitingBytes > 0) {
      for (const route of this.#routes.values()) {
        if (route.waiting.length > 0) this.#admit(route);
      }
    }
    this.#announceRoom();
  }

  #announceRoom(): void {
    if (this.isFull || this.#room === undefined) return;
    this.#room.resolve();
    this.#room = undefined;
  }

  #onMetadata(): void {
    for (const route of this.#routes.values()) {
      const known = this.#cluster.metadata.topic(route.topic);
      const hasFailed = this.#cluster.metadata.failureOf(route.topic) !== undefined;
      if (known !== undefined || hasFailed) route.metadata = known;
      if (route.waiting.length > 0) this.#admit(route);
    }
  }

  #armBlockTimer(): void {
    if (this.#blockTimer !== undefined) return;
    let earliestMs = Number.POSITIVE_INFINITY;
    for (const { waiting } of this.#routes.values()) {
      earliestMs = Math.min(earliestMs, waiting.peek()?.deadlineMs ?? earliestMs);
    }
    if (earliestMs === Number.POSITIVE_INFINITY) return;
    this.#blockTimer = this.#cluster.clock.schedule(earliestMs - this.#nowMs(), () => {
      this.#blockTimer = undefined;
      this.#failBlocked();
      this.#armBlockTimer();
    });
  }

  #failBlocked(): void {
    const nowMs = this.#nowMs();
    const { maxBlockMs, bufferMemory } = this.#config;
    for (const route of this.#routes.values()) {
      const { waiting, topic } = route;
      for (let send = waiting.peek(); send !== undefined && send.deadlineMs <= nowMs; send = waiting.peek()) {
        waiting.shift();
        this.#waitingBytes -= send.sizeBytes;
        const isPlaceable = route.canPlace(send.record, this.#nowMs);
        const text = isPlaceable
          ? `bufferMemory=${bufferMemory} stayed full for maxBlockMs=${maxBlockMs}`
          : `no metadata of topic ${topic} within maxBlockMs=${maxBlockMs}`;
        send.delivery.fail(new MillraceError(isPlaceable ? 'BUFFER_EXHAUSTED' : 'REQUEST_TIMED_OUT', text));
      }
    }
    this.#announceRoom();
  }

  /** Until everything that was sent before has its result. */
  async #drain(): Promise<void> {
    this.#sender.beginFlush();
    try {
      const entering: Promise<void>[] = [];
      for (const { waiting } of this.#routes.values()) {
        for (const { delivery } of waiting) entering.push(delivery.whenEntered());
      }
      await Promise.all(entering);
      await Promise.all(Array.from(this.#accumulator.pending, (batch) => batch.whenDone()));
      await this.#sender.written();
    } finally {
      this.#sender.endFlush();
    }
  }

  async #close(timeoutMs: number): Promise<void> {
    this.#isClosed = true;
    const deadlineMs = this.#nowMs() + timeoutMs;
    const givenUp = new MillraceError(
      'CLOSED',
      `the producer closed and gave up what was not acknowledged within ${timeoutMs} ms`,
    );
    try {
      await withLimits(this.#drain(), { timeoutMs }, this.#cluster.clock, () => givenUp);
    } catch (error) {
      invariant(error === givenUp, 'draining only ends early by the time limit', { error: String(error) });
    }
    this.#unsubscribe();
    this.#blockTimer?.cancel();
    for (const { waiting } of this.#routes.values()) waiting.failAll(givenUp);
    this.#waitingBytes = 0;
    const leftMs = Math.max(0, deadlineMs - this.#nowMs());
    await withLimits(
      this.#sender.close(givenUp),
      { timeoutMs: leftMs },
      this.#cluster.clock,
      () => givenUp,
    ).catch(() => {});
    this.#onClosed();
    this.#announceRoom();
    this.#ledger.settle();
  }
}

interface Accepted {
  readonly delivery: Delivery;
  readonly waiting: WaitingSend | undefined;
}

function closed(): MillraceError {
  return new MillraceError('CLOSED', 'the producer is closed');
}

function isIdempotent(config: ProducerConfig, options: { readonly idempotence?: boolean }): boolean {
  const { idempotence, acks, maxInFlight } = config;
  const reasons = [
    acks !== 'all' && `acks=${acks}`,
    maxInFlight > IN_FLIGHT_MAX_IDEMPOTENT && `maxInFlight=${maxInFlight}`,
  ].filter((reason) => reason !== false);
  if (!idempotence || reasons.length === 0) return idempotence;
  if (options.idempotence === true || acks === 'all') {
    const text = `producer: idempotence needs acks=all and maxInFlight of at most ${IN_FLIGHT_MAX_IDEMPOTENT}, not ${reasons.join(', ')}`;
    throw new MillraceError('INVALID_CONFIG', text);
  }
  return false;
}
