/**
 * Hands records to the program and takes note when it is finished with them, or gives them back to be handed out again.
 * Of a partition that a handler works on nothing else is handed out. What being finished is good for is the owner's.
 */
import { type Clock, Deferred, MillraceError, type TopicPartition } from '@millrace/core';
import { withLimits } from '../cluster/cancellation.ts';
import { type HandItem, HandState, type Holder } from '../group/hand-state.ts';
import type { AssignedPartitions, Taken } from './assigned-partitions.ts';

const NOT_YET = new MillraceError('REQUEST_TIMED_OUT');

export interface HandOutHandlers {
  /** The program is done with everything of the partition before `next`. */
  onFinished(partition: TopicPartition, next: number, epoch: number): void;
  /** The program let go of what it had of the partition. */
  onDropped(partition: TopicPartition): void;
}

export class HandOut<K, V> {
  readonly #clock: Clock;
  readonly #partitions: AssignedPartitions<K, V>;
  readonly #handlers: HandOutHandlers;
  readonly #state = new HandState();
  #dropped: Deferred<void> | undefined;

  constructor(clock: Clock, partitions: AssignedPartitions<K, V>, handlers: HandOutHandlers) {
    this.#clock = clock;
    this.#partitions = partitions;
    this.#handlers = handlers;
  }

  get state(): HandState {
    return this.#state;
  }

  begin({ state, batch, epochBefore, epoch }: Taken<K, V>, holder: Holder): HandItem {
    const item: HandItem = {
      topic: state.topic,
      partition: state.partition,
      holder,
      offset: batch.records[0]!.logOffset,
      epochBefore,
      next: Number(batch.nextOffset),
      epoch,
      sinceMs: this.#clock.nowMs(),
      isVoid: false,
      isCut: false,
      isBegun: false,
    };
    this.#state.take(item);
    if (holder === 'eachRecord' || holder === 'eachBatch') state.isHeldBack = true;
    return item;
  }

  /** One record of several is finished, `next` is handled now. */
  advance(item: HandItem, next: number): void {
    item.offset = next;
    item.isBegun = true;
    item.sinceMs = this.#clock.nowMs();
    if (!item.isVoid) this.#handlers.onFinished(item, next, item.epoch);
  }

  /** The program is finished with all of the item. */
  finish(item: HandItem): void {
    if (!item.isVoid) this.#handlers.onFinished(item, item.next, item.epoch);
    this.#drop(item);
  }

  /** The program is not finished with it: what is left is handed out again, if the partition is still here. */
  giveBack(item: HandItem): void {
    const state = this.#partitions.state(item);
    if (!item.isVoid && state !== undefined) {
      state.seek(item.offset, item.isBegun ? item.epoch : item.epochBefore);
      this.#partitions.pumpSoon();
    }
    this.#drop(item);
  }

  /** Whether something of the partition is in the hands of a handler. */
  isBusy(partition: TopicPartition): boolean {
    const holder = this.#state.of(partition)?.holder;
    return holder === 'eachRecord' || holder === 'eachBatch';
  }

  /** True when nothing of these is in hand any more; false after `timeoutMs`. */
  async untilFree(partitions: readonly TopicPartition[], timeoutMs: number): Promise<boolean> {
    const untilMs = this.#clock.nowMs() + timeoutMs;
    const isHeld = (partition: TopicPartition): boolean => this.#state.of(partition) !== undefined;
    while (partitions.some(isHeld)) {
      const leftMs = untilMs - this.#clock.nowMs();
      if (leftMs <= 0) return false;
      this.#dropped ??= new Deferred();
      try {
        await withLimits(this.#dropped.promise, { timeoutMs: leftMs }, this.#clock, () => NOT_YET);
      } catch {
        return !partitions.some(isHeld);
      }
    }
    return true;
  }

  #drop(item: HandItem): void {
    this.#state.drop(item);
    this.#dropped?.resolve();
    this.#dropped = undefined;
    this.#handlers.onDropped(item);
  }
}
