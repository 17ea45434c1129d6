/**
 * Runs a handler over what a consumer reads: each partition in order, several partitions at a time. A handler that throws
 * stops the run, and nothing after its record counts as finished.
 */
import { MillraceError } from '@millrace/core';
import { backoffMs } from '../cluster/backoff.ts';
import { onAbort, pause } from '../cluster/cancellation.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { RunOptions } from '../group/group-shapes.ts';
import type { HandItem } from '../group/hand-state.ts';
import { runInside } from '../group/handler-context.ts';
import type { AssignedPartitions, Taken } from './assigned-partitions.ts';
import type { HandOut } from './hand-out.ts';

export interface RunnerParts<K, V> {
  readonly cluster: Cluster;
  readonly partitions: AssignedPartitions<K, V>;
  readonly hands: HandOut<K, V>;
  readonly maxRecords: number;
  /** Marks the surroundings of handlers. */
  readonly owner: object;
  /** @throws what ends the run. */
  readonly check: () => void;
}

export class HandlerRunner<K, V> {
  readonly #parts: RunnerParts<K, V>;
  readonly #options: RunOptions<K, V>;
  readonly #running = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | undefined;
  #isStopping = false;

  constructor(parts: RunnerParts<K, V>, options: RunOptions<K, V>) {
    this.#parts = parts;
    this.#options = options;
  }

  /** Nothing more is handed out; `run` ends when what is in hand is finished. */
  stop(): void {
    this.#isStopping = true;
    for (const item of this.#parts.hands.state.items()) item.isCut = true;
    this.#parts.partitions.announce();
  }

  /** Resolves when stopped. @throws what the handler threw, or what a reader would have been told. */
  async run(): Promise<void> {
    const { partitions, maxRecords, hands, check } = this.#parts;
    const { concurrency = 1, signal, eachBatch } = this.#options;
    const holder = eachBatch === undefined ? 'eachRecord' : 'eachBatch';
    const stopListening = onAbort(signal, () => this.stop());
    try {
      while (!this.#isStopping) {
        check();
        const taken = this.#running.size < concurrency ? partitions.takeOne(maxRecords) : undefined;
        if (taken === undefined) await partitions.untilNews(Number.POSITIVE_INFINITY, undefined);
        else this.#start(taken, hands.begin(taken, holder));
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      stopListening();
      await Promise.all(this.#running);
    }
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #start(taken: Taken<K, V>, item: HandItem): void {
    const running = this.#handle(taken, item)
      .then(
        (isFinished) => {
          if (isFinished) this.#parts.hands.finish(item);
          else this.#parts.hands.giveBack(item);
        },
        (error: unknown) => {
          this.#note(item, error);
          this.#parts.hands.giveBack(item);
          this.#fail(error);
        },
      )
      .finally(() => {
        this.#running.delete(running);
        this.#parts.partitions.announce();
      });
    this.#running.add(running);
  }

  /** True if the handler is through with all of it. */
  async #handle({ batch }: Taken<K, V>, item: HandItem): Promise<boolean> {
    const { eachBatch, eachRecord } = this.#options;
    if (eachBatch !== undefined) {
      return this.#call(() => eachBatch(batch), item);
    }
    const { records } = batch;
    for (const [i, record] of records.entries()) {
      if (!(await this.#call(() => eachRecord(record), item))) return false;
      const after = records[i + 1];
      if (after === undefined) return true;
      this.#parts.hands.advance(item, after.logOffset);
      if (this.#mustLetGo(item)) return false;
    }
    return true;
  }

  /** Again after failures, as often as that is wanted; false if the item has to be let go of before it went well. */
  async #call(handler: () => unknown, item: HandItem): Promise<boolean> {
    const { cluster, owner } = this.#parts;
    const { retries = 0 } = this.#options;
    for (let attempt = 0; ; attempt++) {
      try {
        await runInside(owner, handler);
        return true;
      } catch (error) {
        if (attempt >= retries) throw error;
        const { topic, partition, offset } = item;
        cluster.logger.warn(
          { event: 'handler_failed', topic, partition, offset, attempt, err: error },
          'the handler is called again with the same item',
        );
        await pause(cluster.clock, backoffMs(attempt, cluster.config, cluster.random), undefined);
        if (this.#mustLetGo(item)) return false;
      }
    }
  }

  /** What is left of the item is not the handler's, or not now. */
  #mustLetGo(item: HandItem): boolean {
    return item.isCut || item.isVoid || !this.#parts.partitions.isOpen;
  }

  #note({ topic, partition, offset, holder }: HandItem, error: unknown): void {
    this.#parts.cluster.logger.error(
      { event: 'handler_failed', topic, partition, offset, holder, err: error },
      'the handler threw: the run ends',
    );
  }

  #fail(error: unknown): void {
    // A partition that was lost meanwhile is another member's: its failure is told all the same.
    this.#failure ??= {
      error: error ?? new MillraceError('UNKNOWN_SERVER_ERROR', 'the handler threw nothing'),
    };
    this.stop();
  }
}
