/**
 * One assigned partition: where it is read, what was fetched and not handed out yet. Pure: told what was
 * answered, it says what to ask next. An answer to a question that is no longer asked changes nothing.
 *
 * Two positions: `position` is the next record for the user, the fetch offset runs ahead of it by what is
 * buffered. Both carry the leader epoch of the record before them, so that the leader notices if the log was cut
 * beneath the reader (KIP-320, KIP-595).
 */
import { MillraceError } from '@millrace/core';
import type { PartitionFetched } from '@millrace/protocol';
import { BatchView, forEachRecord } from '@millrace/records';
import type { OffsetSpec } from '../cluster/offset-lookup.ts';
import { FetchedBatch, FetchedRecord, type RecordSource } from './fetched-record.ts';

/** What a user without a position wants. */
export type ResetPolicy = 'earliest' | 'latest' | 'none';

/** Fetched batches of the log, in order. */
interface Chunk {
  readonly views: BatchView[];
  readonly highWatermark: number;
}

export class FetchPositionState<K, V> {
  readonly topic: string;
  readonly partition: number;
  isPaused = false;
  /** Whoever assigns partitions lets nothing of this one be handed out now. */
  isHeldBack = false;
  /** Nothing is asked before; monotonic. */
  backoffUntilMs = 0;
  failures = 0;
  /** Newest leader epoch heard of: only a newer one is news. */
  failedEpoch = -1;
  /** The topic that positions belong to: one created again under its name is another one. */
  topicId = '';
  /** Whoever assigned this topic decides what comes after it. */
  #isBound = false;
  /** To be thrown at the user, once. */
  error: MillraceError | undefined;
  readonly #source: RecordSource<K, V>;
  readonly #policy: ResetPolicy;
  /** Changes with every decision about the position: tells old answers from current ones. */
  #generation = 0;
  #start: OffsetSpec | undefined;
  /** A lookup of the log's start must not send the reader back before this. */
  #floor: { readonly offset: number; readonly epoch: number } | undefined;
  #position: number | undefined;
  #positionEpoch = -1;
  #fetchOffset = 0;
  #fetchEpoch = -1;
  #chunks: Chunk[] = [];
  #bufferedBytes = 0;
  #decoded: FetchedRecord<K, V>[] = [];
  #decodedAt = 0;
  /** Where reading goes on when the decoded records are handed out. */
  #decodedEnd = 0;
  #decodedEpoch = -1;
  #highWatermark = 0;

  constructor(source: RecordSource<K, V>, policy: ResetPolicy) {
    this.topic = source.topic;
    this.partition = source.partition;
    this.#source = source;
    this.#policy = policy;
    if (policy !== 'none') this.#start = policy;
  }

  get generation(): number {
    return this.#generation;
  }

  /** From now on only this topic is read, and none that gets its name later. */
  bind(topicId: string): void {
    this.topicId = topicId;
    this.#isBound = true;
  }

  get isBound(): boolean {
    return this.#isBound;
  }

  /** The next offset for the user; undefined until decided. */
  get position(): number | undefined {
    return this.#position;
  }

  /** Leader epoch of the record before the position; -1 unknown. */
  get positionEpoch(): number {
    return this.#positionEpoch;
  }

  get isHandedOut(): boolean {
    return !this.isPaused && !this.isHeldBack;
  }

  /** What has to be looked up before anything can be fetched. */
  get start(): OffsetSpec | undefined {
    return this.#position === undefined ? this.#start : undefined;
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  get hasRecords(): boolean {
    return this.#decodedAt < this.#decoded.length || this.#chunks.length > 0;
  }

  /** What to fetch next, with the epoch of the record before it. */
  get fetchFrom(): { readonly offset: number; readonly epoch: number } | undefined {
    return this.#position === undefined ? undefined : { offset: this.#fetchOffset, epoch: this.#fetchEpoch };
  }

  /** Without a position and without a policy to find one. */
  get isLost(): boolean {
    return this.#position === undefined && this.#start === undefined;
  }

  seek(offset: number, epoch = -1): void {
    this.#forgetFetched();
    this.#start = undefined;
    this.#floor = undefined;
    this.#position = offset;
    this.#positionEpoch = epoch;
    this.#fetchOffset = offset;
    this.#fetchEpoch = epoch;
  }

  /** To be looked up when next read. */
  seekTo(start: OffsetSpec): void {
    this.#forgetFetched();
    this.#floor = undefined;
    this.#position = undefined;
    this.#start = start;
  }

  /** The answer to a lookup begun in this generation. `epoch` is the leader epoch that came with it, or -1. */
  found(generation: number, offset: number, epoch: number): void {
    if (generation !== this.#generation) return;
    const floor = this.#floor;
    if (floor !== undefined && offset < floor.offset) this.seek(floor.offset, floor.epoch);
    else this.seek(offset, epoch);
  }

  /**
   * An answer to a fetch begun in this generation. `checkCrc` off trusts the network and the disk.
   *
   * @throws {MillraceError} CORRUPT_MESSAGE if what follows is damaged; the position stays before it.
   */
  fetched(generation: number, answer: PartitionFetched, checkCrc: boolean): void {
    if (generation !== this.#generation || this.#position === undefined) return;
    const views: BatchView[] = [];
    let at = 0;
    try {
      for (
        let view = BatchView.at(answer.records, 0);
        view !== undefined;
        view = BatchView.at(answer.records, at)
      ) {
        at += view.sizeBytes;
        if (view.lastOffset < this.#fetchOffset) continue;
        this.#check(view, checkCrc);
        views.push(view);
        this.#fetchOffset = view.nextOffset;
        this.#fetchEpoch = view.leaderEpoch;
        this.#bufferedBytes += view.sizeBytes;
      }
      if (views.length === 0 && answer.records.length > 0) throw new Error('no whole batch was answered');
    } catch (error) {
      // What came before the damage is good; the next fetch begins at the damage and reports it.
      if (views.length === 0) throw this.#corrupt(error);
    }
    if (views.length > 0) this.#chunks.push({ views, highWatermark: answer.highWatermark });
  }

  /**
   * The log was cut: what the reader saw ends at `endOffset` in `epoch`. Buffered records are dropped. True if
   * even records that the user has seen are gone; reading then goes on at the cut.
   */
  truncated(endOffset: number, epoch: number): boolean {
    const position = this.#position ?? endOffset;
    if (position <= endOffset) {
      this.seek(position, Math.min(this.#positionEpoch, epoch));
      return false;
    }
    if (this.#policy === 'none') {
      this.#forgetFetched();
      this.error = new MillraceError(
        'OFFSET_OUT_OF_RANGE',
        `${this.#name}: records up to ${position} were read, but after an unclean election the log ends at ${endOffset}; seek to go on`,
      );
      this.#position = undefined;
      return true;
    }
    this.seek(endOffset, epoch);
    return true;
  }

  /**
   * The offset asked for is not in the log, which begins at `logStartOffset`. Who fell behind the start goes on there;
   * if another broker leads by then that has not heard of the deletion, all it has from the reader's position on.
   */
  outOfRange(generation: number, logStartOffset: number): void {
    if (generation !== this.#generation) return;
    const offset = this.#fetchOffset;
    if (this.#policy !== 'none') {
      const floor = { offset: this.#position ?? offset, epoch: this.#positionEpoch };
      this.seekTo(this.#policy);
      if (this.#policy === 'earliest' && offset < logStartOffset) this.#floor = floor;
      return;
    }
    this.#forgetFetched();
    this.#position = undefined;
    const text = `${this.#name}: offset ${offset} is not in the log and autoOffsetReset is none; seek to go on`;
    this.error = new MillraceError('OFFSET_OUT_OF_RANGE', text);
  }

  /** The topic was deleted and created again: nothing of it has been read yet. */
  recreated(topicId: string): void {
    this.topicId = topicId;
    if (this.#policy !== 'none') {
      this.seekTo('earliest');
      return;
    }
    this.#forgetFetched();
    this.#position = undefined;
    const text = `${this.#name}: the topic was deleted and created again and autoOffsetReset is none; seek to go on`;
    this.error = new MillraceError('OFFSET_OUT_OF_RANGE', text);
  }

  /** The user is told; asking again may help. */
  fail(error: MillraceError): void {
    this.error = error;
  }

  /** Hands the error out, once, if there is one. */
  takeError(): MillraceError | undefined {
    const { error } = this;
    this.error = undefined;
    return error ?? (this.isLost ? this.#noPosition() : undefined);
  }

  /** The next records, at most `maxRecords`. @throws {MillraceError} for a batch that cannot be decoded; it stays next. */
  take(maxRecords: number): FetchedBatch<K, V> | undefined {
    while (this.#decodedAt === this.#decoded.length) {
      const chunk = this.#chunks[0];
      if (chunk === undefined) return undefined;
      this.#decode(chunk.views.shift()!);
      if (chunk.views.length === 0) this.#chunks.shift();
      this.#highWatermark = chunk.highWatermark;
    }
    const end = Math.min(this.#decodedAt + maxRecords, this.#decoded.length);
    const isWhole = this.#decodedAt === 0 && end === this.#decoded.length;
    const records = isWhole ? this.#decoded : this.#decoded.slice(this.#decodedAt, end);
    const nextOffset =
      end === this.#decoded.length ? this.#decodedEnd : this.#decoded[end - 1]!.logOffset + 1;
    this.#decodedAt = end;
    this.#position = nextOffset;
    this.#positionEpoch = this.#decodedEpoch;
    if (end === this.#decoded.length) this.#dropDecoded();
    return new FetchedBatch({
      source: this.#source,
      records,
      nextOffset,
      highWatermark: this.#highWatermark,
    });
  }

  #decode(view: BatchView): void {
    this.#bufferedBytes -= view.sizeBytes;
    const from = this.#position!;
    const source = this.#source;
    const decoded: FetchedRecord<K, V>[] = [];
    try {
      if (!view.isControl) {
        forEachRecord(view, (log) => {
          if (log.offset >= from) decoded.push(new FetchedRecord(source, log));
        });
      }
    } catch (error) {
      this.seek(from, this.#positionEpoch);
      throw error;
    }
    this.#decoded = decoded;
    this.#decodedAt = 0;
    this.#decodedEnd = view.nextOffset;
    this.#decodedEpoch = view.leaderEpoch;
    if (decoded.length === 0) {
      this.#position = view.nextOffset;
      this.#positionEpoch = view.leaderEpoch;
    }
  }

  #dropDecoded(): void {
    this.#decoded = [];
    this.#decodedAt = 0;
  }

  #forgetFetched(): void {
    this.#generation++;
    this.#chunks = [];
    this.#bufferedBytes = 0;
    this.#dropDecoded();
    this.error = undefined;
    this.failures = 0;
    this.backoffUntilMs = 0;
  }

  #check(view: BatchView, checkCrc: boolean): void {
    if (checkCrc && !view.isCrcValid()) throw new Error(`the batch at ${view.baseOffset} fails its checksum`);
    if (view.leaderEpoch < this.#fetchEpoch) {
      throw new Error(`leader epoch ${view.leaderEpoch} follows ${this.#fetchEpoch}`);
    }
  }

  #corrupt(error: unknown): MillraceError {
    const reason = error instanceof Error ? error.message : String(error);
    const text = `${this.#name}, offset ${this.#fetchOffset}: ${reason}`;
    return new MillraceError('CORRUPT_MESSAGE', text, { cause: error });
  }

  #noPosition(): MillraceError {
    return new MillraceError(
      'NO_OFFSET_FOR_PARTITION',
      `${this.#name} has no position and autoOffsetReset is none; seek to an offset first`,
    );
  }

  get #name(): string {
    return `${this.topic}-${this.partition}`;
  }
}
