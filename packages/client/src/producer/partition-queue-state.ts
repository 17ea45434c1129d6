/**
 * Batches of one partition in the order of their records: one open, some closed, some in flight. Keeps the
 * sequence of an idempotent producer. Pure: told what happened, it says what may be sent.
 *
 * Order is kept by two rules: what failed goes back in its old place, and nothing is sent while a failure or a
 * change of leader leaves older batches unanswered elsewhere.
 */
import { invariant, MillraceError, type NodeId } from '@millrace/core';
import { isRefusal, judge } from './produce-outcome.ts';
import type { BatchResult, ProducerBatch } from './producer-batch.ts';

/** A producer id and the epoch that came with it. */
export interface ProducerIdentity {
  readonly producerId: number;
  readonly producerEpoch: number;
}

/** Sequences are int32 and start again at 0. */
const SEQUENCE_MODULUS = 2 ** 31;
const EPOCH_MAX = 32_767;

interface InFlight {
  readonly batch: ProducerBatch;
  readonly leaderId: NodeId;
}

export class PartitionQueueState {
  readonly topic: string;
  readonly partition: number;
  readonly #isIdempotent: boolean;
  #nextPlace = 0;
  #open: ProducerBatch | undefined;
  #closed: ProducerBatch[] = [];
  #inFlight: InFlight[] = [];
  #identity: ProducerIdentity | undefined;
  #nextSequence = 0;
  /** A sequence was used up by a batch that may be missing from the log: the next one starts a new epoch. */
  #needsRenewal = false;
  #isRetrying = false;

  constructor(topic: string, partition: number, isIdempotent: boolean) {
    this.topic = topic;
    this.partition = partition;
    this.#isIdempotent = isIdempotent;
  }

  get open(): ProducerBatch | undefined {
    return this.#open;
  }

  get closedCount(): number {
    return this.#closed.length;
  }

  get inFlightCount(): number {
    return this.#inFlight.length;
  }

  /** Nothing waits and nothing is in flight. */
  get isEmpty(): boolean {
    return this.#open === undefined && this.#closed.length === 0 && this.#inFlight.length === 0;
  }

  /** Sending needs `identify` first. */
  get needsIdentity(): boolean {
    return this.#isIdempotent && this.#identity === undefined;
  }

  /** Of the oldest batch without a result; Infinity if there is none. */
  get deadlineMs(): number {
    let earliest = Number.POSITIVE_INFINITY;
    for (const { batch } of this.#inFlight)
      if (!batch.isDone) earliest = Math.min(earliest, batch.deadlineMs);
    const waiting = this.#closed[0] ?? this.#open;
    return waiting === undefined ? earliest : Math.min(earliest, waiting.deadlineMs);
  }

  /** Every batch that has no result yet. */
  batches(): ProducerBatch[] {
    const all = [...this.#inFlight.map(({ batch }) => batch), ...this.#closed];
    if (this.#open !== undefined) all.push(this.#open);
    return all.filter((batch) => !batch.isDone);
  }

  begin(batch: ProducerBatch): void {
    invariant(this.#open === undefined, 'one batch is open at a time', { topic: this.topic });
    batch.place = this.#nextPlace++;
    this.#open = batch;
  }

  /** Closes the open batch, if there is one. */
  seal(): void {
    if (this.#open === undefined) return;
    this.#closed.push(this.#open);
    this.#open = undefined;
  }

  /** Whether a closed or open batch may go to this leader now. */
  maySendTo(leaderId: NodeId): boolean {
    if (this.#inFlight.length === 0) return true;
    if (this.#isRetrying || this.#needsRenewal) return false;
    return this.#inFlight.every((entry) => entry.leaderId === leaderId);
  }

  identify(identity: ProducerIdentity): void {
    this.#identity = identity;
    this.#nextSequence = 0;
  }

  /** Once nothing is in flight, closes a gap in the sequence by starting a new epoch. */
  settleGap(): void {
    if (this.#needsRenewal && this.#inFlight.length === 0) this.#renew();
  }

  /** Takes the oldest closed batch for sending and stamps it. */
  take(leaderId: NodeId): ProducerBatch {
    const batch = this.#closed.shift();
    const mayTake = !this.needsIdentity && !this.#needsRenewal && this.maySendTo(leaderId);
    invariant(batch !== undefined && mayTake, 'batches of a partition are sent in order', {
      topic: this.topic,
    });
    if (this.#isIdempotent && batch.stamp === undefined) this.#stamp(batch);
    batch.attempts++;
    this.#inFlight.push({ batch, leaderId });
    if (this.#isRetrying && !this.#closed.some((waiting) => waiting.attempts > 0)) this.#isRetrying = false;
    return batch;
  }

  /** Leaders that have batches of this partition in flight. */
  leadersInFlight(): Set<NodeId> {
    return new Set(this.#inFlight.map(({ leaderId }) => leaderId));
  }

  written(batch: ProducerBatch, result: BatchResult): void {
    this.#land(batch);
    batch.succeed(result);
  }

  /** The attempt failed, or its outcome is unknown. Returns whether the batch will be sent again. */
  failed(batch: ProducerBatch, error: MillraceError): boolean {
    this.#land(batch);
    if (error.code === 'MESSAGE_TOO_LARGE' && batch.recordCount > 1 && !batch.mayBeWritten && !batch.isDone) {
      this.#split(batch);
      return true;
    }
    const facts = {
      isIdempotent: this.#isIdempotent,
      mayBeWritten: batch.mayBeWritten,
      isBehindGap: this.#needsRenewal || this.#hasOlderThan(batch),
    };
    const verdict = judge(error, facts);
    if (!isRefusal(error)) batch.mayBeWritten = true;
    if (verdict === 'duplicate') {
      batch.succeed({ baseOffset: -1, logAppendTimeMs: -1 });
      return false;
    }
    if (verdict === 'fail' || batch.isDone) {
      this.#leaveGap(batch);
      batch.fail(error);
      return false;
    }
    if (verdict === 'renew') this.#needsRenewal = true;
    this.#isRetrying = true;
    this.#putBack(batch);
    return true;
  }

  /** Fails what has waited too long. Batches in flight fail too, but keep their place until they are answered. */
  expire(nowMs: number, error: (batch: ProducerBatch) => MillraceError): void {
    for (const { batch } of this.#inFlight) if (nowMs >= batch.deadlineMs) batch.fail(error(batch));
    const isLate = (batch: ProducerBatch): boolean => nowMs >= batch.deadlineMs;
    for (const batch of this.#closed) {
      if (!isLate(batch)) continue;
      batch.fail(error(batch));
      this.#leaveGap(batch);
    }
    this.#closed = this.#closed.filter((batch) => !isLate(batch));
    if (this.#open !== undefined && isLate(this.#open)) {
      this.#open.fail(error(this.#open));
      this.#open = undefined;
    }
  }

  /** Fails everything. The queue is not used again. */
  abandon(error: MillraceError): void {
    for (const batch of this.batches()) batch.fail(error);
    this.#open = undefined;
    this.#closed = [];
    this.#inFlight = [];
  }

  #stamp(batch: ProducerBatch): void {
    const { producerId, producerEpoch } = this.#identity!;
    batch.stamp = { producerId, producerEpoch, baseSequence: this.#nextSequence };
    this.#nextSequence = (this.#nextSequence + batch.recordCount) % SEQUENCE_MODULUS;
  }

  /** A batch that was given a sequence will not be written under it, or nobody knows. */
  #leaveGap(batch: ProducerBatch): void {
    if (batch.stamp !== undefined) this.#needsRenewal = true;
  }

  /**
   * Starts a new epoch for this partition: brokers then refuse whatever of the old
   * epoch is still under way. What may have been written under the old one cannot be sent anew, so it fails.
   */
  #renew(): void {
    this.#needsRenewal = false;
    this.#nextSequence = 0;
    const identity = this.#identity;
    if (identity !== undefined) {
      const producerEpoch = identity.producerEpoch + 1;
      this.#identity = producerEpoch > EPOCH_MAX ? undefined : { ...identity, producerEpoch };
    }
    for (const batch of this.#closed) {
      if (batch.mayBeWritten) batch.fail(unknownOutcome(batch));
      else batch.unstamp();
    }
    this.#closed = this.#closed.filter((batch) => !batch.isDone);
  }

  /** The topic takes smaller batches only: two halves take the batch's place. */
  #split(batch: ProducerBatch): void {
    this.#leaveGap(batch);
    this.#isRetrying = true;
    for (const half of batch.split()) this.#putBack(half);
  }

  #land(batch: ProducerBatch): void {
    this.#inFlight = this.#inFlight.filter((entry) => entry.batch !== batch);
  }

  #putBack(batch: ProducerBatch): void {
    const at = this.#closed.findIndex(({ place }) => place > batch.place);
    this.#closed.splice(at < 0 ? this.#closed.length : at, 0, batch);
  }

  #hasOlderThan(batch: ProducerBatch): boolean {
    const isOlder = ({ place }: ProducerBatch): boolean => place < batch.place;
    return this.#closed.some(isOlder) || this.#inFlight.some((entry) => isOlder(entry.batch));
  }
}

function unknownOutcome({ topic, partition }: ProducerBatch): MillraceError {
  return new MillraceError(
    'REQUEST_TIMED_OUT',
    `an earlier batch of ${topic}-${partition} failed before this one was answered; it may or may not be written`,
  );
}
