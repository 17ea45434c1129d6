/**
 * Batches of one partition in the order of their records: one open, some closed, some in flight. Keeps the
 * sequence of an idempotent producer. Pure: told what happened, it says what may be sent.
 *
 * Order is kept by three rules: what failed goes back in its old place; nothing is sent while a failure or a
 * change of leader leaves older batches unanswered elsewhere; and the first batch of a producer id and epoch travels
 * alone, because only a broker that has it can tell that a later one came too early.
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
/** Of each producer, by a broker: with their offsets, so that a retry of any of them is answered as the first try was. */
const BATCHES_REMEMBERED = 5;

/** What becomes of a batch whose attempt failed. */
export type AfterFailure =
  | 'failed'
  /** Sent again, in time. */
  | 'again'
  /** Sent again, perhaps in parts; waiting would change nothing. */
  | 'atOnce';

interface Gap {
  /** Of the oldest batch that left it. */
  readonly place: number;
  /** Nothing in it is in the log. */
  readonly isCertain: boolean;
  readonly cause: MillraceError;
}

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
  /** The leader has a batch of this identity: it refuses what comes too early. */
  #isEstablished = false;
  /** A sequence was used up by a batch that may be missing from the log: what is new waits for a new epoch. */
  #gap: Gap | undefined;
  #isRetrying = false;
  #stampCount = 0;
  /** The topic that the sequence belongs to; empty until the first batch is sent. */
  #topicId = '';
  /** Differs from it while batches are still under way to a topic that was deleted. */
  #nextTopicId = '';
  /** Larger batches of several records, uncompressed, are taken apart before they are sent. */
  #sizeMaxBytes = Number.POSITIVE_INFINITY;

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

  /** Uncompressed, of the batch that goes next; 0 if there is none. */
  get nextSizeBytes(): number {
    return (this.#closed[0] ?? this.#open)?.sizeBytes ?? 0;
  }

  /** Nothing waits and nothing is in flight. */
  get isEmpty(): boolean {
    return this.#open === undefined && this.#closed.length === 0 && this.#inFlight.length === 0;
  }

  /** Largest batch worth beginning, uncompressed; Infinity unless one was too large. */
  get sizeMaxBytes(): number {
    return this.#sizeMaxBytes;
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
    if (this.#isRetrying || this.#gap !== undefined || this.#nextTopicId !== this.#topicId) return false;
    if (this.#isIdempotent && !(this.#isEstablished && this.#isOldestRemembered())) return false;
    return this.#inFlight.every((entry) => entry.leaderId === leaderId);
  }

  identify(identity: ProducerIdentity): void {
    this.#identity = identity;
    this.#nextSequence = 0;
    this.#isEstablished = false;
  }

  /**
   * Once nothing is in flight, closes a gap in the sequence by starting a new epoch. Before that, a batch that may be
   * written already is sent under its old sequence: the answer tells what became of it.
   */
  settleGap(): void {
    if (this.#gap === undefined || this.#inFlight.length > 0) return;
    if (!this.#closed[0]?.mayBeWritten) this.#renew();
  }

  /**
   * The topic that batches go to from now on. One created anew under its name knows no sequence, and nothing of what
   * was sent to the old one is in it.
   */
  addressTo(topicId: string): void {
    this.#nextTopicId = topicId;
    if (topicId === this.#topicId || this.#inFlight.length > 0) return;
    const isAnother = this.#topicId !== '';
    this.#topicId = topicId;
    if (!isAnother) return;
    for (const batch of this.#closed) batch.mayBeWritten = false;
    this.#renew();
  }

  /** Takes the oldest closed batch for sending and stamps it. */
  take(leaderId: NodeId): ProducerBatch {
    this.#fitFirst();
    const batch = this.#closed.shift();
    const isClear = this.#gap === undefined || batch?.mayBeWritten === true;
    const mayTake = !this.needsIdentity && isClear && this.maySendTo(leaderId);
    invariant(batch !== undefined && mayTake, 'batches of a partition are sent in order', {
      topic: this.topic,
    });
    if (this.#isIdempotent && batch.stamp === undefined) this.#stamp(batch);
    batch.attempts++;
    this.#inFlight.push({ batch, leaderId });
    if (this.#isRetrying && !this.#closed.some((waiting) => waiting.attempts > 0)) this.#isRetrying = false;
    return batch;
  }

  written(batch: ProducerBatch, result: BatchResult): void {
    this.#land(batch);
    this.#establish(batch);
    batch.succeed(result);
  }

  /** The attempt failed, or its outcome is unknown. */
  failed(batch: ProducerBatch, error: MillraceError): AfterFailure {
    this.#land(batch);
    if (error.code === 'MESSAGE_TOO_LARGE' && batch.recordCount > 1 && !batch.mayBeWritten && !batch.isDone) {
      this.#split(batch, error);
      return 'atOnce';
    }
    const isBehindGap = this.#gap !== undefined && this.#gap.place < batch.place;
    const verdict = judge(error, {
      isIdempotent: this.#isIdempotent,
      mayBeWritten: batch.mayBeWritten,
      isBehindUnanswered: this.#hasOlderThan(batch),
      gapBefore: isBehindGap ? (this.#gap!.isCertain ? 'certain' : 'uncertain') : 'none',
    });
    if (!isRefusal(error)) batch.mayBeWritten = true;
    if (verdict === 'duplicate') {
      this.#establish(batch);
      batch.succeed({ baseOffset: -1, logAppendTimeMs: -1 });
      return 'failed';
    }
    if (verdict === 'fail' || verdict === 'doubt' || batch.isDone) {
      batch.fail(verdict === 'doubt' ? unknownOutcome(batch, this.#gap!.cause) : error);
      this.#leaveGap(batch, error);
      return 'failed';
    }
    if (verdict === 'unwritten') batch.mayBeWritten = false;
    if (verdict === 'renew') this.#leaveGap(batch, error);
    this.#isRetrying = true;
    this.#putBack(batch);
    // What was refused for the gap's sake waits for the gap alone.
    return isBehindGap && !error.retriable ? 'atOnce' : 'again';
  }

  /** Fails what has waited too long. Batches in flight fail too, but keep their place until they are answered. */
  expire(nowMs: number, error: (batch: ProducerBatch) => MillraceError): void {
    for (const { batch } of this.#inFlight) if (nowMs >= batch.deadlineMs) batch.fail(error(batch));
    const isLate = (batch: ProducerBatch): boolean => nowMs >= batch.deadlineMs;
    for (const batch of this.#closed) {
      if (!isLate(batch)) continue;
      const tooLate = error(batch);
      batch.fail(tooLate);
      this.#leaveGap(batch, tooLate);
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
    batch.stampNumber = this.#stampCount++;
    this.#nextSequence = (this.#nextSequence + batch.recordCount) % SEQUENCE_MODULUS;
  }

  /** A batch that was given a sequence will not be written under it, or nobody knows. */
  #leaveGap({ stamp, place, mayBeWritten }: ProducerBatch, cause: MillraceError): void {
    if (stamp === undefined) return;
    const known = this.#gap;
    const isFirst = known === undefined || place < known.place;
    this.#gap = {
      place: isFirst ? place : known.place,
      isCertain: !mayBeWritten && (known?.isCertain ?? true),
      cause: isFirst ? cause : known.cause,
    };
  }

  /**
   * Starts a new epoch for this partition: brokers then refuse whatever of the old epoch is still under way. The
   * first batch that waits is certainly not in the log; so no later one is, which brokers take only in sequence.
   */
  #renew(): void {
    this.#gap = undefined;
    this.#nextSequence = 0;
    this.#isEstablished = false;
    const identity = this.#identity;
    if (identity !== undefined) {
      const producerEpoch = identity.producerEpoch + 1;
      this.#identity = producerEpoch > EPOCH_MAX ? undefined : { ...identity, producerEpoch };
    }
    for (const batch of this.#closed) {
      batch.mayBeWritten = false;
      batch.unstamp();
    }
  }

  /** One answer may be lost while others come: what is sent meanwhile must not make the broker forget that one. */
  #isOldestRemembered(): boolean {
    return this.#stampCount - this.#inFlight[0]!.batch.stampNumber < BATCHES_REMEMBERED;
  }

  #establish({ stamp }: ProducerBatch): void {
    const identity = this.#identity;
    if (stamp?.producerId === identity?.producerId && stamp?.producerEpoch === identity?.producerEpoch)
      this.#isEstablished = true;
  }

  /** The topic takes smaller batches only: parts of half the size take the batch's place, and will of the next ones. */
  #split(batch: ProducerBatch, cause: MillraceError): void {
    this.#leaveGap(batch, cause);
    this.#isRetrying = true;
    this.#sizeMaxBytes = Math.min(this.#sizeMaxBytes, Math.ceil(batch.sizeBytes / 2));
    for (const part of batch.split(this.#sizeMaxBytes)) this.#putBack(part);
  }

  /** One look saves the refusals that every batch closed before the topic's limit was felt would meet. */
  #fitFirst(): void {
    const first = this.#closed[0];
    if (first === undefined || first.sizeBytes <= this.#sizeMaxBytes || first.recordCount === 1) return;
    if (first.stamp !== undefined || first.mayBeWritten) return;
    this.#closed.splice(0, 1, ...first.split(this.#sizeMaxBytes));
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

function unknownOutcome({ topic, partition }: ProducerBatch, cause: MillraceError): MillraceError {
  return new MillraceError(
    'REQUEST_TIMED_OUT',
    `an earlier batch of ${topic}-${partition} failed before this one was answered, so it may or may not be written: ${cause.message}`,
    { cause },
  );
}
