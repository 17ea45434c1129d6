/** Records that cannot enter a batch yet, in order: for want of room or of metadata. Pure. */
import type { MillraceError } from '@millrace/core';
import type { RecordHeader } from '@millrace/records';
import type { Delivery } from './delivery.ts';

/** A record ready for a batch, all but its partition decided. */
export interface PreparedRecord {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly RecordHeader[];
  readonly partition: number | undefined;
  readonly timestamp: number;
}

export interface WaitingSend {
  readonly record: PreparedRecord;
  readonly delivery: Delivery;
  readonly sizeBytes: number;
  readonly deadlineMs: number;
  isGivenUp: boolean;
}

/** First in, first out, without moving what remains. */
export class SendWaiting {
  #items: (WaitingSend | undefined)[] = [];
  #head = 0;
  #bytes = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  get bytes(): number {
    return this.#bytes;
  }

  peek(): WaitingSend | undefined {
    return this.#items[this.#head];
  }

  push(send: WaitingSend): void {
    this.#items.push(send);
    this.#bytes += send.sizeBytes;
  }

  shift(): WaitingSend | undefined {
    const send = this.#items[this.#head];
    if (send === undefined) return undefined;
    this.#items[this.#head++] = undefined;
    this.#bytes -= send.sizeBytes;
    if (this.#head === this.#items.length) {
      this.#items = [];
      this.#head = 0;
    }
    return send;
  }

  /** Those that wait now, oldest first. */
  *[Symbol.iterator](): Generator<WaitingSend> {
    for (let i = this.#head; i < this.#items.length; i++) yield this.#items[i]!;
  }

  failAll(error: MillraceError): void {
    for (let send = this.shift(); send !== undefined; send = this.shift()) send.delivery.fail(error);
  }
}
