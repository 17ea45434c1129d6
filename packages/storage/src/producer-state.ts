/**
 * What a partition remembers of its idempotent producers: enough to tell a retry from a new batch and a
 * gap from a beginning. Pure. Source: KIP-98, KIP-360; rules P20 and P21.
 */
import { MillraceError } from '@millrace/core';

/** Of a batch header; a BatchView fits. */
export interface ProducerBatch {
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly lastSequence: number;
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly maxTimestamp: number;
  readonly isTransactional: boolean;
  readonly isControl: boolean;
}

/** A batch that was appended. */
export interface RememberedBatch {
  readonly baseSequence: number;
  readonly lastSequence: number;
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly timestamp: number;
}

export interface ProducerEntry {
  readonly producerId: number;
  epoch: number;
  /** Oldest first, at most five: as many as a producer may have in flight. */
  batches: RememberedBatch[];
  /**
   * How many sequences of this epoch, up to the newest, are known to have been appended. Infinity for an entry of a
   * snapshot, which does not tell where the producer began.
   */
  sequencesKnown: number;
  /** When a batch came last, by this node's clock. */
  lastSeenMs: number;
  coordinatorEpoch: number;
  /** First offset of the open transaction; -1 for none. */
  currentTxnFirstOffset: number;
}

const BATCHES_REMEMBERED = 5;
const SEQUENCES = 2 ** 31;

export class ProducerState {
  readonly #idsMax: number;
  /** In order of last use. */
  readonly #entries = new Map<number, ProducerEntry>();
  /** A producer that is not known may have written here before. */
  #hasForgotten = false;

  constructor(idsMax: number) {
    this.#idsMax = idsMax;
  }

  get hasForgotten(): boolean {
    return this.#hasForgotten;
  }

  get size(): number {
    return this.#entries.size;
  }

  entries(): IterableIterator<ProducerEntry> {
    return this.#entries.values();
  }

  get(producerId: number): ProducerEntry | undefined {
    return this.#entries.get(producerId);
  }

  /**
   * What a leader asks before it appends: the earlier append if this batch is a retry of it, else undefined.
   *
   * @param beginsAtZero a producer that is not known begins with sequence 0: its first batch may have been refused, and
   * one sent right behind it must not overtake it. Else it may begin anywhere, and with any epoch (KIP-360): the log
   * that knew it may be gone. Never asked of a producer that may have been forgotten.
   * @throws {MillraceError} INVALID_PRODUCER_EPOCH from a fenced producer; OUT_OF_ORDER_SEQUENCE_NUMBER if batches
   * are missing before this one, or if it lies before all that is known of the producer; DUPLICATE_SEQUENCE_NUMBER if
   * it was appended so long ago that its offset is forgotten: never for one that may not have been appended.
   */
  check(batch: ProducerBatch, beginsAtZero: boolean): RememberedBatch | undefined {
    const { producerId, producerEpoch, baseSequence, lastSequence } = batch;
    if (producerId < 0) return undefined;
    const entry = this.#entries.get(producerId);
    if (entry === undefined) {
      if (baseSequence > 0 && beginsAtZero && !this.#hasForgotten) throw outOfOrder(batch, 0);
      return undefined;
    }
    if (producerEpoch < entry.epoch) {
      throw new MillraceError(
        'INVALID_PRODUCER_EPOCH',
        `producer ${producerId} has epoch ${entry.epoch} now; the batch has ${producerEpoch}`,
      );
    }
    if (producerEpoch > entry.epoch || entry.batches.length === 0) {
      if (baseSequence === 0) return undefined;
      throw outOfOrder(batch, 0);
    }
    const retried = entry.batches.find(
      (known) => known.baseSequence === baseSequence && known.lastSequence === lastSequence,
    );
    if (retried !== undefined) return retried;
    const newest = entry.batches.at(-1)!.lastSequence;
    const expected = (newest + 1) % SEQUENCES;
    if (baseSequence === expected) return undefined;
    // Sequences wrap, so "behind" means the shorter way round.
    const behind = (newest - lastSequence + SEQUENCES) % SEQUENCES;
    const sequencesBack = ((newest - baseSequence + SEQUENCES) % SEQUENCES) + 1;
    if (behind < SEQUENCES / 2 && sequencesBack <= entry.sequencesKnown) {
      throw new MillraceError(
        'DUPLICATE_SEQUENCE_NUMBER',
        `sequences ${baseSequence} to ${lastSequence} of producer ${producerId} were appended before`,
      );
    }
    throw outOfOrder(batch, expected);
  }

  /** Notes an appended batch. Never refuses: what is in the log has happened. */
  update(batch: ProducerBatch, nowMs: number): void {
    const { producerId, producerEpoch } = batch;
    if (producerId < 0) return;
    const entry = this.#entries.get(producerId) ?? newEntry(producerId, producerEpoch);
    if (entry.epoch !== producerEpoch) {
      entry.epoch = producerEpoch;
      entry.batches = [];
      entry.sequencesKnown = 0;
    }
    entry.lastSeenMs = nowMs;
    if (batch.isControl) {
      entry.currentTxnFirstOffset = -1;
    } else {
      if (entry.batches.length === BATCHES_REMEMBERED) entry.batches.shift();
      entry.batches.push({
        baseSequence: batch.baseSequence,
        lastSequence: batch.lastSequence,
        baseOffset: batch.baseOffset,
        lastOffset: batch.lastOffset,
        timestamp: batch.maxTimestamp,
      });
      entry.sequencesKnown += ((batch.lastSequence - batch.baseSequence + SEQUENCES) % SEQUENCES) + 1;
      if (batch.isTransactional && entry.currentTxnFirstOffset === -1) {
        entry.currentTxnFirstOffset = batch.baseOffset;
      }
    }
    this.restore(entry);
  }

  /** Puts an entry in as the one used last, and forgets the one unused longest if there are too many. */
  restore(entry: ProducerEntry): void {
    this.#entries.delete(entry.producerId);
    this.#entries.set(entry.producerId, entry);
    if (this.#entries.size <= this.#idsMax) return;
    for (const oldest of this.#entries.values()) {
      if (oldest.currentTxnFirstOffset !== -1) continue;
      this.#entries.delete(oldest.producerId);
      this.#hasForgotten = true;
      return;
    }
  }

  /** Forgets producers not heard of for `expirationMs`, unless a transaction of theirs is open. */
  expire(nowMs: number, expirationMs: number): void {
    for (const entry of this.#entries.values()) {
      if (entry.lastSeenMs + expirationMs <= nowMs && entry.currentTxnFirstOffset === -1) {
        this.#entries.delete(entry.producerId);
        this.#hasForgotten = true;
      }
    }
  }

  /** Takes the place of `earlier`, of the same log. */
  replaces(earlier: ProducerState): void {
    this.#hasForgotten ||= earlier.hasForgotten;
  }
}

function newEntry(producerId: number, epoch: number): ProducerEntry {
  return {
    producerId,
    epoch,
    batches: [],
    sequencesKnown: 0,
    lastSeenMs: 0,
    coordinatorEpoch: -1,
    currentTxnFirstOffset: -1,
  };
}

function outOfOrder(
  { producerId, producerEpoch, baseSequence }: ProducerBatch,
  expected: number,
): MillraceError {
  return new MillraceError(
    'OUT_OF_ORDER_SEQUENCE_NUMBER',
    `producer ${producerId} epoch ${producerEpoch}: sequence ${baseSequence} came where ${expected} was due`,
  );
}
