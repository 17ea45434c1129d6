/**
 * Members of a consumer group that work while the cluster suffers: each commits what it has finished with, leaves and comes
 * again, and now and then takes too long. What they finished and were told is written down; `judge` compares it with what the
 * group has committed in the end.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Consumer, type ConsumerRecord, Millrace, type OffsetCommit } from '@millrace/client';
import type { ClientHistory } from '@millrace/simulator';

export interface ChaosGroupOptions {
  readonly bootstrap: readonly string[];
  readonly topic: string;
  readonly partitions: number;
  readonly members: number;
}

const GROUP = 'chaos-group';
const POLL_MS = 500;
const STAY_MS = 12_000;
const MAX_POLL_INTERVAL_MS = 4_000;
/** One batch in so many takes longer than that. */
const STALL_EVERY = 400;
const CALL_MS = 10_000;
const SHOWN_MAX = 5;

export class ChaosGroup {
  /** Errors that reached the program, by code. */
  readonly errors = new Map<string, number>();
  /** Commits that were acknowledged. */
  commits = 0;
  readonly #options: ChaosGroupOptions;
  readonly #stopped = new AbortController();
  /** By partition. */
  readonly #finished = new Map<number, Set<number>>();
  readonly #acknowledged = new Map<number, number>();
  #isCalm = false;
  #batches = 0;
  #working: Promise<void>[] = [];

  constructor(options: ChaosGroupOptions) {
    this.#options = options;
  }

  start(): void {
    this.#working = Array.from({ length: this.#options.members }, (_, index) => this.#live(index));
  }

  /** Nobody leaves or stalls any more. */
  calmDown(): void {
    this.#isCalm = true;
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await Promise.all(this.#working);
  }

  /** Whether the group is stable and has committed all that there is. */
  async isSettled(): Promise<boolean> {
    await using millrace = new Millrace({ bootstrap: this.#options.bootstrap });
    const admin = millrace.admin();
    try {
      const [info] = await admin.describeGroups([GROUP], { timeoutMs: CALL_MS });
      const lags = await admin.groupLag(GROUP, this.#partitions(), { timeoutMs: CALL_MS });
      const isRead = lags.every(({ logEnd, lag }) => lag === 0n || logEnd === 0n);
      return info!.state === 'Stable' && info!.members.length === this.#options.members && isRead;
    } catch (error) {
      this.#count(error);
      return false;
    }
  }

  /** What is wrong, in words. @param history with every record that was read in the end by `final` */
  async judge(history: ClientHistory): Promise<string[]> {
    await using millrace = new Millrace({ bootstrap: this.#options.bootstrap });
    const offsets = await millrace.admin().groupOffsets(GROUP, this.#partitions());
    return offsets.flatMap(({ partition, offset }) => {
      const committed = Number(offset ?? -1n);
      const least = this.#acknowledged.get(partition) ?? -1;
      const lost =
        committed < least ? [`${partition}: ${least} was acknowledged, ${committed} is found`] : [];
      const finished = this.#finished.get(partition);
      const skipped = history.polled
        .filter(({ consumer, partition: key }) => consumer === 'final' && key === this.#keyOf(partition))
        .flatMap(({ records }) => records.map((record) => record.offset))
        .filter((each) => each < committed && finished?.has(each) !== true);
      if (skipped.length === 0) return lost;
      const shown = skipped.slice(0, SHOWN_MAX).join(', ');
      return [...lost, `${partition}: never finished ${shown} (${skipped.length} in all) below ${committed}`];
    });
  }

  #partitions(): { topic: string; partition: number }[] {
    const { topic, partitions } = this.#options;
    return Array.from({ length: partitions }, (_, partition) => ({ topic, partition }));
  }

  #keyOf(partition: number): string {
    return `${this.#options.topic}-${partition}`;
  }

  async #live(index: number): Promise<void> {
    const { bootstrap, topic } = this.#options;
    const { signal } = this.#stopped;
    await using millrace = new Millrace({ bootstrap, requestTimeoutMs: 5_000 });
    while (!signal.aborted) {
      const consumer = millrace.consumer({
        groupId: GROUP,
        autoOffsetReset: 'earliest',
        enableAutoCommit: false,
        maxPollIntervalMs: MAX_POLL_INTERVAL_MS,
        rebalanceTimeoutMs: MAX_POLL_INTERVAL_MS,
        // One of them keeps its place in the group.
        ...(index === 0 && { groupInstanceId: 'member-0' }),
      });
      consumer.subscribe([topic]);
      await this.#work(consumer, performance.now() + STAY_MS * (1 + index));
      await consumer.close().catch((error: unknown) => this.#count(error));
    }
  }

  async #work(consumer: Consumer, untilMs: number): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted && (this.#isCalm || performance.now() < untilMs)) {
      try {
        const records = await consumer.poll({ timeoutMs: POLL_MS, signal });
        if (records.length > 0) await this.#finish(consumer, records);
      } catch (error) {
        if (signal.aborted) return;
        this.#count(error);
        await sleep(POLL_MS);
      }
    }
  }

  async #finish(consumer: Consumer, records: readonly ConsumerRecord[]): Promise<void> {
    this.#batches += 1;
    if (!this.#isCalm && this.#batches % STALL_EVERY === 0) await sleep(1.5 * MAX_POLL_INTERVAL_MS);
    const ends = new Map<number, OffsetCommit>();
    for (const { topic, partition, offset } of records) {
      const finished = this.#finished.get(partition) ?? new Set<number>();
      this.#finished.set(partition, finished.add(Number(offset)));
      ends.set(partition, { topic, partition, offset: offset + 1n });
    }
    await consumer.commit([...ends.values()], { timeoutMs: CALL_MS });
    this.commits += 1;
    for (const { partition, offset } of ends.values()) {
      this.#acknowledged.set(partition, Math.max(Number(offset), this.#acknowledged.get(partition) ?? -1));
    }
  }

  #count(error: unknown): void {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    this.errors.set(code, (this.errors.get(code) ?? 0) + 1);
  }
}
