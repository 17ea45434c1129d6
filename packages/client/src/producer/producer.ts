/** The producer that users hold. */
import { MillraceError } from '@millrace/core';
import type { BytesLike } from '../serializers.ts';
import type { CloseOptions, ProducerRecord, RecordMetadata, SendOptions } from './producer-record.ts';

const unsupported = () => new MillraceError('UNSUPPORTED_VERSION');

/** Sends records. Share one for the whole program: it batches across callers. */
export class Producer<K = BytesLike, V = BytesLike> implements AsyncDisposable {
  /** No room: `send` would wait. Loops that do not await each send should await `whenReady()` then. */
  get isFull(): boolean {
    throw unsupported();
  }

  /** Resolves when there is room; at once if there is. */
  whenReady(_options?: SendOptions): Promise<void> {
    throw unsupported();
  }

  /** Resolves when the record is written as `acks` asks. Not awaiting it is safe: a failure then surfaces in `flush` or `close`. */
  send(_record: ProducerRecord<K, V>, _options?: SendOptions): Promise<RecordMetadata> {
    throw unsupported();
  }

  /** As `send` for each, in order, with back-pressure. Rejects with the first failure. */
  sendBatch(_records: Iterable<ProducerRecord<K, V>>, _options?: SendOptions): Promise<RecordMetadata[]> {
    throw unsupported();
  }

  /** Sends what waits and resolves when all of it has its result. Rejects if a record failed whose result nobody awaited. */
  flush(_options?: SendOptions): Promise<void> {
    throw unsupported();
  }

  /** Flushes within the limit, then ends. Idempotent. Rejects as `flush` does. */
  close(_options?: CloseOptions): Promise<void> {
    throw unsupported();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
