/**
 * The partitions that a consumer reads now: who is served next, waiting for news, finding one by name. Who assigns them,
 * and what it means to have read something, is decided elsewhere.
 */
import {
  Deferred,
  formatTopicPartition,
  MillraceError,
  type TopicPartition,
  toMillraceError,
} from '@millrace/core';
import { checkList, checkPartition } from '../check-arguments.ts';
import type { ConsumerConfig } from '../client-config.ts';
import { withLimits } from '../cluster/cancellation.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { ConsumerOptions } from './consumer-record.ts';
import { FetchPositionState } from './fetch-position-state.ts';
import type { FetchedBatch } from './fetched-record.ts';
import { Fetcher } from './fetcher.ts';

/** How a wait ends without any: never shown to anyone, and made once, because errors are costly. */
const NO_NEWS = new MillraceError('REQUEST_TIMED_OUT');

/** Records of one partition, and what they were taken from. */
export interface Taken<K, V> {
  readonly state: FetchPositionState<K, V>;
  readonly batch: FetchedBatch<K, V>;
  /** Leader epochs before the first record, and of the last. */
  readonly epochBefore: number;
  readonly epoch: number;
}

export class AssignedPartitions<K, V> {
  readonly #cluster: Cluster;
  readonly #config: ConsumerConfig;
  readonly #deserializers: Pick<ConsumerOptions<K, V>, 'keyDeserializer' | 'valueDeserializer'>;
  readonly #fetcher: Fetcher<K, V>;
  readonly #mayHandOut: () => boolean;
  /** Partitions in the order in which they are served next. */
  readonly #turns = new Set<FetchPositionState<K, V>>();
  #news: Deferred<void> | undefined;

  /**
   * `onNews`: records came, or an error, or a position was decided. `mayHandOut` is asked whenever something is about to
   * be handed out, since a process that was stopped wakes up anywhere; `announce` tells that the answer may be another.
   */
  constructor(
    cluster: Cluster,
    config: ConsumerConfig,
    deserializers: Pick<ConsumerOptions<K, V>, 'keyDeserializer' | 'valueDeserializer'>,
    { onNews, mayHandOut }: { readonly onNews: () => void; readonly mayHandOut: () => boolean },
  ) {
    this.#mayHandOut = mayHandOut;
    this.#cluster = cluster;
    this.#config = config;
    this.#deserializers = deserializers;
    this.#fetcher = new Fetcher(cluster, config, () => {
      onNews();
      this.announce();
    });
  }

  get states(): ReadonlyMap<string, FetchPositionState<K, V>> {
    return this.#fetcher.states;
  }

  state(partition: TopicPartition): FetchPositionState<K, V> | undefined {
    return this.#fetcher.state(partition);
  }

  /** Replaces all. Partitions that stay keep their positions and what was fetched of them. */
  replace(partitions: readonly TopicPartition[]): void {
    const wanted = new Set(partitions.map(formatTopicPartition));
    for (const [key, state] of [...this.#fetcher.states]) if (!wanted.has(key)) this.remove(state);
    for (const partition of partitions) if (this.state(partition) === undefined) this.add(partition);
    this.pumpSoon();
    this.announce();
  }

  add({ topic, partition }: TopicPartition): FetchPositionState<K, V> {
    const { keyDeserializer, valueDeserializer } = this.#deserializers;
    const source = { topic, partition, keyDeserializer, valueDeserializer };
    const state = new FetchPositionState<K, V>(source, this.#config.autoOffsetReset);
    this.#fetcher.add(state);
    this.#turns.add(state);
    return state;
  }

  remove(state: FetchPositionState<K, V>): void {
    this.#fetcher.remove(state);
    this.#turns.delete(state);
  }

  /** @throws {MillraceError} INVALID_REQUEST if it is not assigned. */
  assigned(partition: TopicPartition): FetchPositionState<K, V> {
    checkPartition('partition', partition);
    const state = this.#fetcher.state(partition);
    if (state !== undefined) return state;
    throw new MillraceError(
      'INVALID_REQUEST',
      `${formatTopicPartition(partition)} is not assigned to this consumer`,
    );
  }

  /** All, or these. @throws as `assigned`. */
  these(partitions: readonly TopicPartition[] | undefined): FetchPositionState<K, V>[] {
    if (partitions === undefined) return [...this.#fetcher.states.values()];
    checkList('partitions', partitions);
    return partitions.map((partition) => this.assigned(partition));
  }

  /** Whether records, and errors, are handed out now. */
  get isOpen(): boolean {
    return this.#mayHandOut();
  }

  /** What the next partition in turn has; without any records, throws the first error. */
  takeOne(maxRecords: number): Taken<K, V> | undefined {
    if (!this.isOpen) return undefined;
    const taken = this.takeReady(maxRecords);
    if (taken !== undefined) return taken;
    for (const state of this.#turns) {
      const error = state.isHandedOut ? state.takeError() : undefined;
      if (error === undefined) continue;
      this.pumpSoon();
      throw error;
    }
    return undefined;
  }

  /** Records of the next partition in turn that has some. What cannot be decoded waits as that partition's error. */
  takeReady(maxRecords: number): Taken<K, V> | undefined {
    if (!this.isOpen) return undefined;
    for (const state of this.#turns) {
      if (!state.isHandedOut || !state.hasRecords) continue;
      const { positionEpoch } = state;
      try {
        const batch = state.take(maxRecords);
        this.#fetcher.drained(state);
        if (batch === undefined) continue;
        this.#turns.delete(state);
        this.#turns.add(state);
        return { state, batch, epochBefore: positionEpoch, epoch: state.positionEpoch };
      } catch (error) {
        state.fail(toMillraceError(error));
      }
    }
    return undefined;
  }

  /** The assignment, a position or the buffers changed. */
  pumpSoon(): void {
    this.#fetcher.pumpSoon();
  }

  /** Wakes who waits for news. */
  announce(): void {
    this.#news?.resolve();
    this.#news = undefined;
  }

  /** Returns after `timeoutMs` as well. @throws {MillraceError} CANCELLED */
  async untilNews(timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
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

  close(): void {
    this.#fetcher.close();
    this.#turns.clear();
    this.announce();
  }
}
