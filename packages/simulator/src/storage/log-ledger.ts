/**
 * What a careful client knows of one log: every batch it appended, what it was promised to be durable, and
 * which contents a crash at this moment may leave. The model that recovery is judged by; never asks the log.
 */
import { type BatchProducer, BatchView } from '@millrace/records';
import type { LogConfig } from '@millrace/storage';

/** One batch as it was appended, or as it was found after a restart. */
export interface BatchFact {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly epoch: number;
  /** Of its first record, as it was appended. */
  readonly timestamp: number;
  /** As it stands in the log. */
  readonly bytes: Buffer;
  readonly producer: BatchProducer | undefined;
}

/** Of a batch that is about to be appended. */
export function factOf(bytes: Buffer, baseOffset: number, epoch: number): BatchFact {
  const view = BatchView.at(bytes, 0)!;
  const { producerId, producerEpoch, baseSequence, baseTimestamp: timestamp } = view;
  const lastOffset = baseOffset + view.lastOffsetDelta;
  const producer = producerId < 0 ? undefined : { producerId, producerEpoch, baseSequence };
  return { baseOffset, lastOffset, epoch, timestamp, bytes, producer };
}

/** One sequence of batches that the log may hold a part of. */
interface History {
  readonly batches: readonly BatchFact[];
  readonly count: number;
  /**
   * Batches before those, wholly below the log start when the log was found. Nobody reads them, but their segment may be
   * there still: then compaction may put one empty batch in the place of the last of them and of what follows.
   */
  readonly below: readonly BatchFact[];
}

/** The ledger at one moment, kept while the log goes on. */
export interface LedgerView {
  readonly topic: string;
  readonly partition: number;
  readonly topicId: string;
  readonly config: LogConfig;
  /** False while it is being created, and once it is being deleted. */
  readonly isThere: boolean;
  readonly isDeleted: boolean;
  readonly histories: readonly History[];
  /** All below survives a power loss. */
  readonly durableTo: number;
  /** All below survives the death of the process. */
  readonly writtenTo: number;
  /** The log start lies between them. */
  readonly startMin: number;
  readonly startMax: number;
  readonly highWatermarkMax: number;
  readonly epochMax: number;
  /** Below, records may be gone of which a newer one has the key. */
  readonly compactedTo: number;
  /** The disk failed in its folder, and not for want of space: it may wait for its repair, offline, instead of serving what it kept. */
  readonly mayBeDamaged: boolean;
}

export class LogLedger {
  readonly topic: string;
  readonly partition: number;
  readonly topicId: string;
  config: LogConfig;
  isThere = false;
  isDeleted = false;
  /** Of the log as it is; `#before` while a truncation is under way. */
  #batches: BatchFact[] = [];
  #below: readonly BatchFact[] = [];
  #before: History | undefined;
  durableTo = 0;
  startMin = 0;
  startMax = 0;
  highWatermarkMax = 0;
  epochMax = -1;
  /** Since the ledger knows these batches. */
  #isCompacted = false;
  mayBeDamaged = false;
  /** From here on an append failed, and nobody knows what is left of it. */
  #failedFrom = Number.MAX_SAFE_INTEGER;
  /** Grows when the end is cut: promises of the time before count no more. */
  generation = 0;

  constructor(topic: string, partition: number, topicId: string, config: LogConfig) {
    this.topic = topic;
    this.partition = partition;
    this.topicId = topicId;
    this.config = config;
  }

  get endOffset(): number {
    const last = this.#batches.at(-1);
    return last === undefined ? this.startMin : last.lastOffset + 1;
  }

  get batches(): readonly BatchFact[] {
    return this.#batches;
  }

  /** Before the append is tried: a crash inside it may leave the batch. */
  appending(fact: BatchFact): void {
    this.#batches.push(fact);
    this.epochMax = Math.max(this.epochMax, fact.epoch);
  }

  /** The newest append failed. @param isOnline and nothing of it was taken: the log goes on without it. */
  appendFailed(batches: number, isOnline: boolean): void {
    const from = this.#batches.length - batches;
    this.#failedFrom = Math.min(this.#failedFrom, this.#batches[from]?.baseOffset ?? this.#failedFrom);
    if (!isOnline) return;
    this.#batches.length = from;
    this.#failedFrom = Number.MAX_SAFE_INTEGER;
  }

  /** The log promised that all below `offset` is durable. */
  promised(offset: number): void {
    this.durableTo = Math.max(this.durableTo, Math.min(offset, this.endOffset));
  }

  /** A truncation begins that will end the log at `offset` or before it. */
  cutting(offset: number): void {
    this.#before = this.#current();
    this.#batches = this.#batches.filter(({ lastOffset }) => lastOffset < offset);
    this.durableTo = Math.min(this.durableTo, this.#batches.length === 0 ? 0 : this.endOffset);
    this.generation++;
  }

  /** Everything goes; the log will begin at `offset`. */
  restarting(offset: number): void {
    this.#before = this.#current();
    this.#batches = [];
    this.#below = [];
    this.durableTo = 0;
    this.startMin = Math.min(this.startMin, offset);
    this.startMax = Number.MAX_SAFE_INTEGER;
    this.generation++;
  }

  cut(): void {
    this.#before = undefined;
  }

  restarted(offset: number): void {
    this.#before = undefined;
    this.#failedFrom = Number.MAX_SAFE_INTEGER;
    this.startMin = offset;
    this.startMax = offset;
    this.highWatermarkMax = Math.max(this.highWatermarkMax, offset);
  }

  startMoving(offset: number): void {
    this.startMax = Math.max(this.startMax, offset);
  }

  startMoved(offset: number): void {
    this.startMin = Math.max(this.startMin, offset);
  }

  /** Compaction begins; nobody knows when it has ended. */
  compacting(): void {
    this.#isCompacted = true;
  }

  /** After a restart: the log is what was found of it, all durable. */
  found(batches: readonly BatchFact[], startOffset: number, endOffset: number): void {
    const known = this.#before ?? this.#current();
    const firstOffset = batches[0]?.baseOffset ?? startOffset;
    this.#below = [...known.below, ...known.batches].filter(({ lastOffset }) => lastOffset < firstOffset);
    this.#batches = [...batches];
    this.#before = undefined;
    this.#failedFrom = Number.MAX_SAFE_INTEGER;
    this.startMin = startOffset;
    this.startMax = startOffset;
    this.durableTo = endOffset;
    this.#isCompacted = false;
    this.generation++;
  }

  view(): LedgerView {
    const { topic, partition, topicId, config, isThere, isDeleted } = this;
    const current = this.#current();
    return {
      topic,
      partition,
      topicId,
      config,
      isThere,
      isDeleted,
      histories: this.#before === undefined ? [current] : [current, this.#before],
      durableTo: this.durableTo,
      writtenTo: this.#before === undefined ? Math.min(this.endOffset, this.#failedFrom) : this.durableTo,
      startMin: this.startMin,
      startMax: this.startMax,
      highWatermarkMax: this.highWatermarkMax,
      epochMax: this.epochMax,
      compactedTo: this.#isCompacted ? this.highWatermarkMax : 0,
      mayBeDamaged: this.mayBeDamaged,
    };
  }

  #current(): History {
    return { batches: this.#batches, count: this.#batches.length, below: this.#below };
  }
}
