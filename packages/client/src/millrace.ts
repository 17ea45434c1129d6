/** The way in: one cluster, one set of connections and one metadata cache for all producers, consumers and admins. */
import type { Clock, Logger, Random } from '@millrace/core';
import { MillraceError } from '@millrace/core';
import { Admin } from './admin/admin.ts';
import type { ClientConfig } from './client-config.ts';
import { Consumer } from './consumer/consumer.ts';
import type { ConsumerOptions } from './consumer/consumer-record.ts';
import { Producer } from './producer/producer.ts';
import type { CloseOptions, ProducerOptions } from './producer/producer-record.ts';
import type { BytesLike } from './serializers.ts';

/** Every number is declared, with range and default, in `clientConfig`. */
export interface MillraceOptions extends Partial<Omit<ClientConfig, 'bootstrap'>> {
  /** `host:port`, or several, as a list or separated by commas. Any node will do. */
  readonly bootstrap: string | readonly string[];
  readonly logger?: Logger;
  readonly clock?: Clock;
  readonly random?: Random;
}

const unsupported = () => new MillraceError('UNSUPPORTED_VERSION');

/** Connects on first use. Close it when done: it closes everything made from it. */
export class Millrace implements AsyncDisposable {
  constructor(_options: MillraceOptions) {}

  producer<K = BytesLike, V = BytesLike>(_options: ProducerOptions<K, V> = {}): Producer<K, V> {
    return new Producer<K, V>();
  }

  consumer<K = Buffer, V = Buffer>(_options: ConsumerOptions<K, V> = {}): Consumer<K, V> {
    return new Consumer<K, V>();
  }

  admin(): Admin {
    return new Admin();
  }

  close(_options: CloseOptions = {}): Promise<void> {
    throw unsupported();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
