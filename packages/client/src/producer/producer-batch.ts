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
  /** Set when the batch was too large and went on as two. */
  readonly split?: BatchSplit;
}

export interface BatchSplit {
  readonly whole: ProducerBatch;
  readonly halves: readonly [ProducerBatch, ProducerBatch];
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
  /** The batch is about to be done because two others carry its records on. */
  readonly onSplit: (halves: readonly ProducerBatch[]) => void;
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
  readonly #options: ProducerBatchOptions;
  /** Let go once the bytes exist: callers may keep their deliveries, and with them this batch, for long. */
  #builder: BatchBuilder | undefined;
  #recordCount = 0;
  #sizeBytes = 0;
  #bytes: Buffer | undefined;
  #settled: Deferred<BatchResult> | undefined;
  #result: BatchResult | undefined;
  #error: MillraceError | undefined;
  /** Records whose result somebody asked for. */
  #observed: Set<number> | undefined;
  /** How far the next batch's place is: what two halves share. */
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
      this.#builder = undefined;
    } else if (this.stamp !== undefined) restampBatch(this.#bytes, this.stamp);
    return this.#bytes;
  }

  succeed(result: BatchResult): void {
    if (this.isDone) return;
    this.#result = result;
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
      const [half, at] = halfOf(split, index);
      half.observe(at);
      return;
    }
    this.#observed ??= new Set();
    this.#observed.add(index);
    if (this.#error !== undefined) this.#options.ledger.forgive();
  }

  /** Resolves when there is a result of either kind. */
  async whenDone(): Promise<void> {
    const result = await this.settled().catch(() => undefined);
    if (result?.split !== undefined) await Promise.all(result.split.halves.map((half) => half.whenDone()));
  }

  /** Goes on as two batches with half of the records each. Only after it was encoded, and surely not written. */
  split(): readonly [ProducerBatch, ProducerBatch] {
    invariant(this.#bytes !== undefined && !this.mayBeWritten, 'only a refused batch is split', {
      topic: this.topic,
    });
    const builders = splitRecords(this.#bytes, this.#sizeBytes);
    const make = (builder: BatchBuilder): ProducerBatch => new ProducerBatch({ ...this.#options, builder });
    const halves = [make(builders[0]), make(builders[1])] as const;
    halves.forEach((half, i) => {
      half.#span = this.#span / 2;
      half.place = this.place + i * half.#span;
    });
    const split = { whole: this, halves };
    for (const index of this.#observed ?? []) {
      const [half, at] = halfOf(split, index);
      half.observe(at);
    }
    this.#options.onSplit(halves);
    this.succeed({ baseOffset: -1, logAppendTimeMs: -1, split });
    return halves;
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

/** The half that has the record, and its index there. */
export function halfOf(
  { halves: [first, second] }: BatchSplit,
  index: number,
): readonly [ProducerBatch, number] {
  return index < first.recordCount ? [first, index] : [second, index - first.recordCount];
}
