/**
 * Pushes the lines of an input through a producer, as fast as the cluster takes them, and accounts for every one of
 * them: what was read is acknowledged or counted as failed. Stops reading at the first failure, since what follows
 * would only fail later. Holds no more than the producer's buffer and one chunk.
 */
import { addAbortSignal, type Readable } from 'node:stream';
import type { ProducerRecord } from '@millrace/client';
import { Deferred } from '@millrace/core';
import type { ProducerClient } from './cluster-client.ts';
import { LineSplitter } from './line-splitter.ts';

export interface ProduceTally {
  /** Lines handed to the producer. */
  readonly sent: number;
  readonly acknowledged: number;
  readonly failed: number;
  /** Of the lines sent. */
  readonly bytes: number;
  readonly acknowledgedBytes: number;
  /** Why the first line failed, or why reading stopped. */
  readonly firstError: unknown;
  readonly interrupted: boolean;
}

/** Longest line, in bytes; far above any `max.message.bytes`. */
const LINE_BYTES_MAX = 64 * 1024 * 1024;

export class ProduceRun {
  readonly #producer: ProducerClient;
  /** @throws {CliError} if the line cannot be made into a record. */
  readonly #recordOf: (line: Buffer, lineNumber: number) => ProducerRecord;
  #sent = 0;
  #acknowledged = 0;
  #failed = 0;
  #bytes = 0;
  #acknowledgedBytes = 0;
  #firstError: unknown;
  readonly #failure = new AbortController();
  #drained: Deferred<void> | undefined;

  constructor(producer: ProducerClient, recordOf: (line: Buffer, lineNumber: number) => ProducerRecord) {
    this.#producer = producer;
    this.#recordOf = recordOf;
  }

  /** The count so far, for progress. */
  get tally(): Omit<ProduceTally, 'interrupted'> {
    return {
      sent: this.#sent,
      acknowledged: this.#acknowledged,
      failed: this.#failed,
      bytes: this.#bytes,
      acknowledgedBytes: this.#acknowledgedBytes,
      firstError: this.#firstError,
    };
  }

  /** Resolves when every line read has its result. Aborting `signal` ends the reading, not the sending. */
  async run(input: Readable, signal: AbortSignal): Promise<ProduceTally> {
    // A failure must also end a read that waits for the next line, which may never come.
    const stop = AbortSignal.any([signal, this.#failure.signal]);
    try {
      if (!stop.aborted) await this.#readAll(addAbortSignal(stop, input), stop);
    } catch (error) {
      if (!stop.aborted) this.#firstError ??= error;
    }
    await this.#settle();
    return { ...this.tally, interrupted: signal.aborted };
  }

  async #readAll(input: Readable, stop: AbortSignal): Promise<void> {
    const splitter = new LineSplitter(LINE_BYTES_MAX);
    for await (const chunk of input as AsyncIterable<Buffer | string>) {
      for (const line of splitter.split(typeof chunk === 'string' ? Buffer.from(chunk) : chunk)) {
        if (this.#producer.isFull) await this.#producer.whenReady({ signal: stop });
        if (stop.aborted) return;
        this.#send(line);
      }
    }
    const rest = splitter.rest();
    if (rest !== undefined && !stop.aborted) this.#send(rest);
  }

  #send(line: Buffer): void {
    const record = this.#recordOf(line, this.#sent + 1);
    this.#sent += 1;
    const { length } = line;
    this.#bytes += length;
    this.#producer.send(record).then(() => this.#onAcknowledged(length), this.#onFailed);
  }

  async #settle(): Promise<void> {
    // Failures of single lines are counted where they happen; flush repeats them.
    await this.#producer.flush().catch(() => {});
    if (this.#acknowledged + this.#failed === this.#sent) return;
    this.#drained = new Deferred();
    await this.#drained.promise;
  }

  #onAcknowledged(bytes: number): void {
    this.#acknowledged += 1;
    this.#acknowledgedBytes += bytes;
    this.#checkDrained();
  }

  readonly #onFailed = (error: unknown): void => {
    this.#failed += 1;
    this.#firstError ??= error;
    this.#failure.abort();
    this.#checkDrained();
  };

  #checkDrained(): void {
    if (this.#drained && this.#acknowledged + this.#failed === this.#sent) this.#drained.resolve();
  }
}
