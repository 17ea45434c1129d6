/**
 * Records of one partition on their way, from the first `send` to the result. Knows its bytes, its place in
 * the producer's sequence and who waits for it; never when or where it is sent.
 */
import { Deferred, invariant, type MillraceError } from '@millrace/core';
import type { BatchBuilder, BatchProducer, RecordHeader } from '@millrace/records';
import { restampBatch } from './batch-stamp.ts';
import type { FailureLedger } from './failure-ledger.ts';

/** What the leader said about a written batch. */
export interface BatchResult {
  /** -1 if unknown. */
  readonly baseOffset: number;
  /** -1 unless the topic stamps records on append. */
  readonly logAppendTimeMs: number;
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
}

export class ProducerBatch {
  readonly topic: string;
  readonly partition: number;
  readonly createdAtMs: number;
  readonly deadlineMs: number;
  /** Times it was sent. */
  attempts = 0;
  /** Some attempt ended without word whether the batch was written. */
  mayBeWritten = false;
  /** Identity and sequence it carries; undefined until first sent, and again after a reset. */
  stamp: BatchProducer | undefined;
  readonly #ledger: FailureLedger;
  readonly #onDone: (batch: ProducerBatch) => void;
  /** Let go once the bytes exist: callers may keep their deliveries, and with them this batch, for long. */
  #builder: BatchBuilder | undefined;
  #recordCount = 0;
  #sizeBytes = 0;
  #bytes: Buffer | undefined;
  #settled: Deferred<BatchResult> | undefined;
  #result: BatchResult | undefined;
  #error: MillraceError | undefined;
  #observers = 0;

  constructor({ topic, partition, builder, createdAtMs, deadlineMs, ledger, onDone }: ProducerBatchOptions) {
    this.topic = topic;
    this.partition = partition;
    this.createdAtMs = createdAtMs;
    this.deadlineMs = deadlineMs;
    this.#builder = builder;
    this.#ledger = ledger;
    this.#onDone = onDone;
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
    this.#ledger.add(this.recordCount - this.#observers, error);
    this.#settled?.reject(error);
  }

  /** One record's caller asks for the result, for the first time: a failure is theirs to handle. */
  observe(): void {
    this.#observers++;
    if (this.#error !== undefined) this.#ledger.forgive();
  }

  /** Resolves when there is a result of either kind. */
  async whenDone(): Promise<void> {
    await this.settled().catch(() => {});
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
    this.#onDone(this);
  }

  /** Forgets the stamp: the batch is to be sent as if for the first time. */
  unstamp(): void {
    invariant(!this.mayBeWritten, 'a batch that may be written keeps its sequence', { topic: this.topic });
    this.stamp = undefined;
  }
}
