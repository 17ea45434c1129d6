/** The way in: one cluster, one set of connections and one metadata cache for all producers, consumers and admins. */
import { type Clock, type Logger, MillraceError, type Random, silentLogger } from '@millrace/core';
import { Admin } from './admin/admin.ts';
import { type ClientConfig, clientConfig } from './client-config.ts';
import { parseBootstrap } from './cluster/address.ts';
import { Cluster } from './cluster/cluster.ts';
import { rpcTransport } from './cluster/rpc-transport.ts';
import type { Transport } from './cluster/transport.ts';
import { Consumer } from './consumer/consumer.ts';
import type { ConsumerOptions } from './consumer/consumer-record.ts';
import { runOutside } from './group/handler-context.ts';
import { Producer } from './producer/producer.ts';
import type { CloseOptions, ProducerOptions } from './producer/producer-record.ts';
import { resolveOptions } from './resolve-options.ts';
import type { BytesLike } from './serializers.ts';
import { systemClock, systemRandom } from './system-clock.ts';

/** Every number is declared, with range and default, in `clientConfig`. */
export interface MillraceOptions extends Partial<Omit<ClientConfig, 'bootstrap'>> {
  /** `host:port`, or several, as a list or separated by commas. Any node will do. */
  readonly bootstrap: string | readonly string[];
  /** pino fits. Default: silence. */
  readonly logger?: Logger;
  /** For simulation: time, chance and the network. Defaults: the real ones. */
  readonly clock?: Clock;
  readonly random?: Random;
  readonly transport?: Transport;
}

const EXTRAS = ['bootstrap', 'logger', 'clock', 'random', 'transport'];

/** What this client made and closes. */
interface Child {
  close(options?: CloseOptions): Promise<void>;
  /** Inside a handler that closing waits for. */
  isCalledInside?(): boolean;
}

/** Connects on first use. Close it when done: it closes everything made from it. */
export class Millrace implements AsyncDisposable {
  readonly #cluster: Cluster;
  readonly #children = new Set<Child>();
  #closing: Promise<void> | undefined;

  /** Does no I/O. @throws {MillraceError} INVALID_CONFIG, naming every option that is wrong. */
  constructor(options: MillraceOptions) {
    if (typeof options !== 'object' || options === null)
      throw new MillraceError('INVALID_CONFIG', 'the client needs options with bootstrap');
    const {
      logger = silentLogger,
      clock = systemClock,
      random = systemRandom(),
      transport = rpcTransport,
    } = options;
    this.#cluster = new Cluster({
      bootstrap: parseBootstrap(options.bootstrap),
      config: resolveOptions(clientConfig, options, EXTRAS),
      transport,
      clock,
      random,
      logger,
    });
  }

  /** @throws {MillraceError} INVALID_CONFIG, CLOSED. */
  producer<K = BytesLike, V = BytesLike>(options: ProducerOptions<K, V> = {}): Producer<K, V> {
    const producer: Producer<K, V> = new Producer(this.#cluster, options, () =>
      this.#children.delete(producer),
    );
    return this.#adopt(producer);
  }

  /** @throws {MillraceError} INVALID_CONFIG, CLOSED. */
  consumer<K = Buffer, V = Buffer>(options: ConsumerOptions<K, V> = {}): Consumer<K, V> {
    const consumer: Consumer<K, V> = new Consumer(this.#cluster, options, () =>
      this.#children.delete(consumer),
    );
    return this.#adopt(consumer);
  }

  admin(): Admin {
    return new Admin(this.#cluster);
  }

  /**
   * Closes producers, which deliver what they can within `timeoutMs`, consumers, and then connections. Idempotent. Inside a
   * consumer's handler it cannot wait for that handler: it resolves at once.
   */
  close(options: CloseOptions = {}): Promise<void> {
    const isInside = [...this.#children].some((child) => child.isCalledInside?.() === true);
    if (this.#closing === undefined) {
      this.#closing = this.#close(options);
      this.#closing.catch(() => {});
    }
    return isInside ? Promise.resolve() : this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #adopt<T extends Child>(child: T): T {
    if (this.#closing !== undefined) throw new MillraceError('CLOSED', 'the client is closed');
    this.#children.add(child);
    return child;
  }

  async #close(options: CloseOptions): Promise<void> {
    const closing = Array.from(this.#children, (child) => {
      child.close(options).catch(() => {});
      return runOutside(() => child.close(options));
    });
    const results = await Promise.allSettled(closing);
    this.#cluster.close();
    const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    if (failures.length === 1) throw failures[0];
    if (failures.length > 1)
      throw new AggregateError(failures, 'several producers could not deliver everything');
  }
}
