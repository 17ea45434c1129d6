/**
 * What `send` returns: a promise of one record's result that costs next to nothing until somebody asks. The
 * batch holds the result for all its records; a real promise is made only when `then` is called. So a result
 * that nobody awaits is never an unhandled rejection. Its failure is kept in the ledger instead.
 */
import { Deferred, type MillraceError } from '@millrace/core';
import { onAbort } from '../cluster/cancellation.ts';
import type { FailureLedger } from './failure-ledger.ts';
import { type BatchResult, type BatchSplit, type ProducerBatch, partOf } from './producer-batch.ts';
import type { RecordMetadata } from './producer-record.ts';

type Fulfilled<T, R> = ((value: T) => R | PromiseLike<R>) | null | undefined;
type Rejected<R> = ((reason: unknown) => R | PromiseLike<R>) | null | undefined;

export class Delivery implements Promise<RecordMetadata> {
  readonly [Symbol.toStringTag] = 'Delivery';
  #batch: ProducerBatch | undefined;
  #index = 0;
  #timestamp = 0;
  #wait: DeliveryWait | undefined;
  #isObserved = false;
  #signal: AbortSignal | undefined;

  /** Of a record that is in a batch. */
  static of(batch: ProducerBatch, index: number, timestamp: number): Delivery {
    const delivery = new Delivery();
    delivery.enter(batch, index, timestamp);
    return delivery;
  }

  /** Of a record that waits for room or metadata. */
  static waiting(ledger: FailureLedger): Delivery {
    const delivery = new Delivery();
    delivery.#wait = new DeliveryWait(ledger);
    return delivery;
  }

  static failed(error: MillraceError, ledger: FailureLedger): Delivery {
    const delivery = Delivery.waiting(ledger);
    delivery.fail(error);
    return delivery;
  }

  enter(batch: ProducerBatch, index: number, timestamp: number): void {
    this.#batch = batch;
    this.#index = index;
    this.#timestamp = timestamp;
    this.#wait?.enter(batch, index);
  }

  /** Whoever asks for the result stops waiting for it when the signal aborts. */
  limit(signal: AbortSignal): void {
    this.#signal = signal;
  }

  /** The record never gets into a batch. */
  fail(error: MillraceError): void {
    this.#wait?.fail(error);
  }

  /** Resolves when the record is in a batch or has failed. */
  whenEntered(): Promise<void> {
    return this.#wait?.whenOver() ?? Promise.resolve();
  }

  // biome-ignore lint/suspicious/noThenProperty: this class is a promise
  then<A = RecordMetadata, B = never>(
    onFulfilled?: Fulfilled<RecordMetadata, A>,
    onRejected?: Rejected<B>,
  ): Promise<A | B> {
    if (!this.#isObserved) {
      this.#isObserved = true;
      if (this.#batch !== undefined) this.#batch.observe(this.#index);
      else this.#wait!.observe();
    }
    const result = this.#batch?.settled() ?? this.#wait!.settled();
    return this.#untilAborted(result).then((value) => {
      if (value.split !== undefined) {
        this.#follow(value.split);
        return this.then(onFulfilled, onRejected) as Promise<A>;
      }
      const metadata = this.#metadata(value);
      return onFulfilled ? onFulfilled(metadata) : (metadata as A);
    }, onRejected);
  }

  catch<B = never>(onRejected?: Rejected<B>): Promise<RecordMetadata | B> {
    return this.then(undefined, onRejected);
  }

  finally(onFinally?: (() => void) | null): Promise<RecordMetadata> {
    return this.then().finally(onFinally);
  }

  #untilAborted<T>(result: Promise<T>): Promise<T> {
    const signal = this.#signal;
    if (signal === undefined || this.#batch?.isDone) return result;
    return new Promise((resolve, reject) => {
      const stopListening = onAbort(signal, reject);
      result.then(resolve, reject).finally(stopListening);
    });
  }

  /** The batch was split: the result is with the part that has the record. */
  #follow(split: BatchSplit): void {
    if (this.#batch !== split.whole) return;
    [this.#batch, this.#index] = partOf(split, this.#index);
  }

  #metadata({ baseOffset, logAppendTimeMs }: BatchResult): RecordMetadata {
    const { topic, partition } = this.#batch!;
    return {
      topic,
      partition,
      offset: baseOffset < 0 ? -1n : BigInt(baseOffset + this.#index),
      timestamp: logAppendTimeMs >= 0 ? logAppendTimeMs : this.#timestamp,
    };
  }
}

/** The time between `send` and a batch. */
class DeliveryWait {
  readonly #ledger: FailureLedger;
  readonly #entered = new Deferred<ProducerBatch>();
  #isObserved = false;
  #error: MillraceError | undefined;

  constructor(ledger: FailureLedger) {
    this.#ledger = ledger;
    this.#entered.promise.catch(() => {});
  }

  enter(batch: ProducerBatch, index: number): void {
    if (this.#isObserved) batch.observe(index);
    this.#entered.resolve(batch);
  }

  fail(error: MillraceError): void {
    if (this.#error !== undefined) return;
    this.#error = error;
    if (!this.#isObserved) this.#ledger.add(1, error);
    this.#entered.reject(error);
  }

  observe(): void {
    this.#isObserved = true;
    if (this.#error !== undefined) this.#ledger.forgive();
  }

  async settled(): Promise<BatchResult> {
    const batch = await this.#entered.promise;
    return await batch.settled();
  }

  async whenOver(): Promise<void> {
    await this.#entered.promise.catch(() => {});
  }
}
