/**
 * Records of one partition on their way, from the first `send` to the result. Knows its bytes, its place in
 * the producer's sequence and who waits for it; never when or where it is sent.
 */
import { Deferred, invariant, type MillraceError } from '@millrace/core';
import type { BatchBuilder, BatchProducer, RecordHeader } from '@millrace/records';
import { restampBatch } from './batch-stamp.ts';
import type { FailureLedger } from './failure-ledger.ts';
import { splitRecords } from './split-records.ts';

/** What the leader said about a written batch. */
export interface BatchResult {
  /** -1 if unknown. */
  readonly baseOffset: number;
  /** -1 unless the topic stamps records on append. */
  readonly logAppendTimeMs: number;
  /** Set when the batch was too large and went on as smaller ones. */
  readonly split?: BatchSplit;
}

export interface BatchSplit {
  readonly whole: ProducerBatch;
  readonly parts: readonly ProducerBatch[];
}

export interface ProducerBatchOptions {
  readonly topic: string;
  readonly partition: number;
  readonly builder: BatchBuilder;
  /** Monotonic time of the first record. */
  readonly createdAtMs: number;
  readonly deadlineMs: number;
  readonly ledger: FailureLedger;
  /** Called once, when there is a result of either kind. */
  readonly onDone: (batch: ProducerBatch) => void;
  /** The batch is about to be done because others carry its records on. */
  readonly onSplit: (parts: readonly ProducerBatch[]) => void;
}

export class ProducerBatch {
  readonly topic: string;
  readonly partition: number;
  readonly createdAtMs: number;
  readonly deadlineMs: number;
  /** Where it stands among the batches of its partition; rises in the order of their records. */
  place = 0;
  /** Times it was sent. */
  attempts = 0;
  /** Some attempt ended without word whether the batch was written. */
  mayBeWritten = false;
  /** Identity and sequence it carries; undefined until first sent, and again after a reset. */
  stamp: BatchProducer | undefined;
  /** Counts the batches of its partition that were given a sequence; the same when it is sent again. */
  stampNumber = 0;
  readonly #options: ProducerBatchOptions;
  /** Let go with the result: callers may keep their deliveries, and with them this batch, for long. */
  #builder: BatchBuilder | undefined;
  #recordCount = 0;
  #sizeBytes = 0;
  #bytes: Buffer | undefined;
  #settled: Deferred<BatchResult> | undefined;
  #result: BatchResult | undefined;
  #error: MillraceError | undefined;
  /** Records whose result somebody asked for. */
  #observed: Set<number> | undefined;
  /** How far the next batch's place is: what the parts of this one share. */
  #span = 1;

  constructor(options: ProducerBatchOptions) {
    const { topic, partition, builder, createdAtMs, deadlineMs } = options;
    this.topic = topic;
    this.partition = partition;
    this.createdAtMs = createdAtMs;
    this.deadlineMs = deadlineMs;
    this.#options = options;
    this.#builder = builder;
    this.#recordCount = builder.recordCount;
    this.#sizeBytes = builder.sizeBytes;
  }

  get recordCount(): number {
    return this.#recordCount;
  }

  /** Uncompressed. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  get isDone(): boolean {
    return this.#result !== undefined || this.#error !== undefined;
  }

  /** Index of the record in the batch, or -1 if it does not fit. */
  tryAppend(
    timestamp: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers: readonly RecordHeader[],
  ): number {
    const builder = this.#builder!;
    const index = builder.tryAppend(timestamp, key, value, headers);
    if (index >= 0) {
      this.#recordCount = index + 1;
      this.#sizeBytes = builder.sizeBytes;
    }
    return index;
  }

  /** The bytes to send, carrying `stamp`. Built, compressed and checksummed on the first call. */
  encode(): Buffer {
    if (this.#bytes === undefined) {
      this.#bytes = this.#builder!.build(this.stamp);
    } else if (this.stamp !== undefined) restampBatch(this.#bytes, this.stamp);
    return this.#bytes;
  }

  succeed(result: BatchResult): void {
    if (this.isDone) return;
    this.#result = result;
    // Only an answer tells the offset, and whoever answers has read all of it. Other attempts may still lie in some buffer.
    if (result.baseOffset >= 0 && this.attempts === 1) this.#builder?.release();
    this.#letGo();
    this.#settled?.resolve(result);
  }

  fail(error: MillraceError): void {
    if (this.isDone) return;
    this.#error = error;
    this.#letGo();
    this.#options.ledger.add(this.recordCount - (this.#observed?.size ?? 0), error);
    this.#settled?.reject(error);
  }

  /** One record's caller asks for the result, for the first time: a failure is theirs to handle. */
  observe(index: number): void {
    const split = this.#result?.split;
    if (split !== undefined) {
      const [part, at] = partOf(split, index);
      part.observe(at);
      return;
    }
    this.#observed ??= new Set();
    this.#observed.add(index);
    if (this.#error !== undefined) this.#options.ledger.forgive();
  }

  /** Resolves when there is a result of either kind. */
  async whenDone(): Promise<void> {
    const result = await this.settled().catch(() => undefined);
    if (result?.split !== undefined) await Promise.all(result.split.parts.map((part) => part.whenDone()));
  }

  /** Goes on as batches of at most `partBytes` each, uncompressed. Only if it is surely not written. */
  split(partBytes: number): readonly ProducerBatch[] {
    invariant(!this.mayBeWritten, 'only a batch that is not written is split', { topic: this.topic });
    const builders = splitRecords(this.encode(), this.#sizeBytes, partBytes);
    const parts = builders.map((builder) => new ProducerBatch({ ...this.#options, builder }));
    parts.forEach((part, i) => {
      part.#span = this.#span / parts.length;
      part.place = this.place + i * part.#span;
    });
    const split = { whole: this, parts };
    for (const index of this.#observed ?? []) {
      const [part, at] = partOf(split, index);
      part.observe(at);
    }
    this.#options.onSplit(parts);
    this.succeed({ baseOffset: -1, logAppendTimeMs: -1, split });
    return parts;
  }

  /** Resolves with the result. */
  settled(): Promise<BatchResult> {
    if (this.#settled === undefined) {
      this.#settled = new Deferred();
      // Whoever asked has the promise derived from this one; this one must not count as unhandled.
      this.#settled.promise.catch(() => {});
      if (this.#result !== undefined) this.#settled.resolve(this.#result);
      else if (this.#error !== undefined) this.#settled.reject(this.#error);
    }
    return this.#settled.promise;
  }

  #letGo(): void {
    this.#bytes = undefined;
    this.#builder = undefined;
    this.#options.onDone(this);
  }

  /** Forgets the stamp: the batch is to be sent as if for the first time. */
  unstamp(): void {
    invariant(!this.mayBeWritten, 'a batch that may be written keeps its sequence', { topic: this.topic });
    this.stamp = undefined;
  }
}

/** The part that has the record, and its index there. */
export function partOf({ parts }: BatchSplit, index: number): readonly [ProducerBatch, number] {
  let at = index;
  for (const part of parts) {
    if (at < part.recordCount) return [part, at];
    at -= part.recordCount;
  }
  throw new RangeError(`the batch has no record ${index}`);
}
