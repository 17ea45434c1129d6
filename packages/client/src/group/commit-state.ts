/**
 * Offsets on their way to the coordinator: what to send next, and what an answer means for those who wait. Pure. A newer
 * offset of a partition replaces one that was not sent yet, and an older one never follows a newer one: a commit that
 * was told to have succeeded is what a reader of committed offsets finds, or something newer.
 */
import { formatTopicPartition, MillraceError, type TopicPartition } from '@millrace/core';
import type { OffsetToCommit } from '@millrace/protocol';

export interface CommitOptions {
  /** The life in the group that the offsets were read in; undefined for who commits without being a member. */
  readonly incarnation: number | undefined;
  readonly deadlineMs: number;
  /** Called once, with what failed. */
  readonly onSettled: (errors: readonly MillraceError[]) => void;
}

/** Somebody who waits for one or more partitions. */
interface Waiter {
  open: number;
  readonly errors: MillraceError[];
  readonly deadlineMs: number;
  readonly onSettled: (errors: readonly MillraceError[]) => void;
}

/** One partition of a commit. */
interface Entry {
  readonly key: string;
  readonly sequence: number;
  readonly offset: OffsetToCommit;
  readonly incarnation: number | undefined;
  waiters: Waiter[];
  lastError: MillraceError | undefined;
  /** Set when the partition was given up while this was under way: then it is not sent again. */
  givenUp: MillraceError | undefined;
}

interface Slot {
  pending: Entry | undefined;
  readonly flying: Set<Entry>;
  /** Of the newest commit that succeeded. */
  doneSequence: number;
}

/** One request. */
export interface CommitRound {
  readonly entries: readonly Entry[];
  readonly offsets: readonly OffsetToCommit[];
  readonly isMember: boolean;
}

/** So that a request stays far below what a server takes in one batch. */
const OFFSETS_PER_ROUND_MAX = 1_000;

export class CommitState {
  readonly #slots = new Map<string, Slot>();
  readonly #waiters = new Set<Waiter>();
  #pendingCount = 0;
  #sequence = 0;
  #incarnation: number | undefined;

  /** The life in the group that commits are accepted from. Those of an earlier one fail with `error`. */
  begin(incarnation: number, error: MillraceError): void {
    this.#incarnation = incarnation;
    for (const slot of this.#slots.values()) {
      const { pending } = slot;
      if (pending === undefined || !this.#isPast(pending)) continue;
      this.#unpend(slot);
      this.#fail(pending, error);
    }
    this.#sweep();
  }

  /**
   * The member lets go of these partitions. What is under way may still arrive in time; sent again, with the epoch that the
   * member has by then, it would replace what the next owner has committed.
   */
  giveUp(partitions: readonly TopicPartition[], error: MillraceError): void {
    for (const partition of partitions) {
      const slot = this.#slots.get(formatTopicPartition(partition));
      if (slot === undefined) continue;
      const { pending } = slot;
      this.#unpend(slot);
      if (pending !== undefined) this.#fail(pending, error);
      for (const entry of slot.flying) entry.givenUp = error;
    }
    this.#sweep();
  }

  get hasPending(): boolean {
    return this.#pendingCount > 0;
  }

  get isIdle(): boolean {
    return this.#slots.size === 0;
  }

  /** When somebody has waited long enough. */
  get nextDeadlineMs(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { deadlineMs } of this.#waiters) next = Math.min(next, deadlineMs);
    return next;
  }

  submit(offsets: readonly OffsetToCommit[], options: CommitOptions): void {
    const { incarnation, deadlineMs, onSettled } = options;
    const newest = new Map(offsets.map((offset) => [formatTopicPartition(offset), offset]));
    const waiter: Waiter = { open: newest.size, errors: [], deadlineMs, onSettled };
    if (waiter.open === 0) onSettled([]);
    else this.#waiters.add(waiter);
    for (const [key, offset] of newest) {
      const sequence = ++this.#sequence;
      const entry: Entry = {
        key,
        sequence,
        offset,
        incarnation,
        waiters: [waiter],
        lastError: undefined,
        givenUp: undefined,
      };
      this.#pend(entry);
    }
  }

  /** The next request, in the order of the commits; undefined if there is none to send. */
  take(): CommitRound | undefined {
    const entries: Entry[] = [];
    let isMember: boolean | undefined;
    for (const slot of this.#slots.values()) {
      const { pending } = slot;
      if (pending === undefined) continue;
      isMember ??= pending.incarnation !== undefined;
      if (isMember !== (pending.incarnation !== undefined)) continue;
      this.#unpend(slot);
      slot.flying.add(pending);
      entries.push(pending);
      if (entries.length === OFFSETS_PER_ROUND_MAX) break;
    }
    if (entries.length === 0) return undefined;
    return { entries, offsets: entries.map(({ offset }) => offset), isMember: isMember! };
  }

  /** The coordinator has answered; `errorOf` says what it refused, by position. True if anything is to be sent again. */
  answered(round: CommitRound, errorOf: (at: number) => MillraceError | undefined): boolean {
    let isRepeated = false;
    round.entries.forEach((entry, at) => {
      const slot = this.#slots.get(entry.key)!;
      slot.flying.delete(entry);
      const error = errorOf(at);
      if (error === undefined) {
        slot.doneSequence = Math.max(slot.doneSequence, entry.sequence);
        this.#settle(entry.waiters, undefined);
      } else if (this.#retry(slot, entry, error)) isRepeated = true;
    });
    this.#sweep();
    return isRepeated;
  }

  /** Who has waited long enough is told why; what nobody waits for any more is not sent again. */
  expire(nowMs: number): void {
    for (const slot of this.#slots.values()) {
      for (const entry of [...slot.flying, ...(slot.pending === undefined ? [] : [slot.pending])]) {
        const late = entry.waiters.filter(({ deadlineMs }) => deadlineMs <= nowMs);
        if (late.length === 0) continue;
        entry.waiters = entry.waiters.filter((waiter) => !late.includes(waiter));
        const text = `offset ${entry.offset.offset} of ${entry.key} was not committed in time`;
        const cause = entry.lastError;
        this.#settle(late, cause ?? new MillraceError('REQUEST_TIMED_OUT', text));
        if (entry === slot.pending && entry.waiters.length === 0) this.#unpend(slot);
      }
    }
    this.#sweep();
  }

  /** Nothing will be sent any more. */
  close(error: MillraceError): void {
    for (const slot of this.#slots.values()) {
      for (const entry of [...slot.flying, ...(slot.pending === undefined ? [] : [slot.pending])]) {
        this.#fail(entry, error);
      }
    }
    this.#slots.clear();
    this.#pendingCount = 0;
  }

  #pend(entry: Entry): void {
    const slot = this.#slots.get(entry.key) ?? { pending: undefined, flying: new Set(), doneSequence: 0 };
    this.#slots.set(entry.key, slot);
    if (slot.pending === undefined) this.#pendingCount++;
    else entry.waiters = [...slot.pending.waiters, ...entry.waiters];
    slot.pending = entry;
  }

  #unpend(slot: Slot): void {
    if (slot.pending !== undefined) this.#pendingCount--;
    slot.pending = undefined;
  }

  /** True if the entry waits to be sent again. */
  #retry(slot: Slot, entry: Entry, error: MillraceError): boolean {
    if (slot.doneSequence > entry.sequence) {
      this.#settle(entry.waiters, undefined);
      return false;
    }
    if (!isPassing(error) || this.#isPast(entry) || entry.givenUp !== undefined) {
      this.#fail(entry, entry.givenUp ?? error);
      return false;
    }
    const newer = slot.pending ?? [...slot.flying].findLast(({ sequence }) => sequence > entry.sequence);
    if (newer !== undefined) {
      newer.waiters.push(...entry.waiters);
      return slot.pending !== undefined;
    }
    entry.lastError = error;
    if (entry.waiters.length === 0) return false;
    this.#pend(entry);
    return true;
  }

  #isPast({ incarnation }: Entry): boolean {
    return incarnation !== undefined && incarnation !== this.#incarnation;
  }

  #fail(entry: Entry, error: MillraceError): void {
    this.#settle(entry.waiters, error);
    entry.waiters = [];
  }

  #settle(waiters: readonly Waiter[], error: MillraceError | undefined): void {
    for (const waiter of waiters) {
      if (error !== undefined && !waiter.errors.includes(error)) waiter.errors.push(error);
      if (--waiter.open > 0) continue;
      this.#waiters.delete(waiter);
      waiter.onSettled(waiter.errors);
    }
  }

  #sweep(): void {
    for (const [key, { pending, flying }] of this.#slots) {
      if (pending === undefined && flying.size === 0) this.#slots.delete(key);
    }
  }
}

/**
 * STALE_MEMBER_EPOCH: the newest epoch is on its way in the answer to a heartbeat. UNKNOWN_TOPIC_ID: coordinators only
 * learn, so the topic that was read is gone for good.
 */
function isPassing(error: MillraceError): boolean {
  if (error.code === 'UNKNOWN_TOPIC_ID') return false;
  return error.retriable || error.code === 'STALE_MEMBER_EPOCH';
}
