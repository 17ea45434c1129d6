/**
 * Notices a program that takes longer than `maxPollIntervalMs` over one record, or between two reads, and says which. One
 * timer, whatever the rate of records.
 */
import { type Clock, formatTopicPartition, type Timer } from '@millrace/core';
import type { Stall } from './group-shapes.ts';
import type { HandItem, HandState } from './hand-state.ts';

export class StallWatch {
  readonly #clock: Clock;
  readonly #limitMs: number;
  readonly #hands: HandState;
  readonly #onStalled: (stall: Stall) => void;
  #timer: Timer | undefined;
  /** Since when nobody reads; undefined while somebody does. */
  #idleSinceMs: number | undefined;

  constructor(clock: Clock, limitMs: number, hands: HandState, onStalled: (stall: Stall) => void) {
    this.#clock = clock;
    this.#limitMs = limitMs;
    this.#hands = hands;
    this.#onStalled = onStalled;
  }

  /** Watches until the next stall. Whoever begins to watch is not late yet. */
  start(): void {
    if (this.#idleSinceMs !== undefined) this.#idleSinceMs = this.#clock.nowMs();
    this.#look();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Somebody waits for records, or runs handlers. */
  reading(): void {
    this.#idleSinceMs = undefined;
  }

  idle(): void {
    this.#idleSinceMs = this.#clock.nowMs();
  }

  get isLate(): boolean {
    return this.#clock.nowMs() >= this.#dueMs;
  }

  /** What the program is slow with, for as long as it has it; undefined if nothing is in hand. */
  describe(item: HandItem): string {
    const seconds = ((this.#clock.nowMs() - item.sinceMs) / 1_000).toFixed(1);
    return `${item.holder} holds ${formatTopicPartition(item)}@${item.offset} for ${seconds} s`;
  }

  get #dueMs(): number {
    const sinceMs = Math.min(
      this.#hands.oldest?.sinceMs ?? Number.POSITIVE_INFINITY,
      this.#idleSinceMs ?? Number.POSITIVE_INFINITY,
    );
    return sinceMs + this.#limitMs;
  }

  #look(): void {
    this.stop();
    const nowMs = this.#clock.nowMs();
    const dueMs = Math.min(this.#dueMs, nowMs + this.#limitMs);
    if (this.isLate) this.#onStalled(this.#stall(nowMs));
    else this.#timer = this.#clock.schedule(dueMs - nowMs, () => this.#look());
  }

  #stall(nowMs: number): Stall {
    const item = this.#hands.oldest;
    const limit = `maxPollIntervalMs is ${this.#limitMs}`;
    if (item === undefined) {
      const heldMs = nowMs - (this.#idleSinceMs ?? nowMs);
      const message = `nothing was read for ${(heldMs / 1_000).toFixed(1)} s; ${limit}`;
      return { handler: 'poll', record: undefined, heldMs, message };
    }
    const { topic, partition, offset, holder } = item;
    return {
      handler: holder,
      record: { topic, partition, offset: BigInt(offset) },
      heldMs: nowMs - item.sinceMs,
      message: `${this.describe(item)}; ${limit}`,
    };
  }
}
