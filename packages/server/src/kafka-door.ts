/**
 * A Kafka listener of a node: takes its port when the node does, and lets clients in once there is a broker that
 * serves. A client that comes too early or too late finds the door shut and tries another node, as it would with Kafka.
 */
import type { BrokerApi } from '@millrace/broker';
import type { Clock, Logger, Random } from '@millrace/core';
import {
  KafkaListener,
  type KafkaListenerConfig,
  kafkaRequestHandler,
  type RequestTurns,
} from '@millrace/kafka-api';

export interface KafkaDoorOptions {
  /** Name of the listener, as in `listeners`. */
  readonly listener: string;
  readonly config: KafkaListenerConfig;
  /** The same for all doors of the node. */
  readonly turns: RequestTurns;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

export class KafkaDoor {
  readonly #options: KafkaDoorOptions;
  readonly #listener: KafkaListener;
  #broker: BrokerApi | undefined;
  #handle: ReturnType<typeof kafkaRequestHandler> | undefined;

  constructor(options: KafkaDoorOptions) {
    this.#options = options;
    this.#listener = new KafkaListener({
      ...options,
      // No connection is taken before there is a broker.
      handle: (frame, connection, memory) => this.#handle!(frame, connection, memory),
      produceRoom: () => this.#broker!.produceRoom(),
    });
    this.#listener.setServing(false);
  }

  /** @returns the port. @throws {MillraceError} ADDRESS_IN_USE or CONNECTION_FAILED */
  listen(host: string, port: number): Promise<number> {
    return this.#listener.listen(host, port);
  }

  /** Whose use cases the door leads to; clients are let in with `setServing`. */
  leadTo(broker: BrokerApi): void {
    const { config, clock, random, logger } = this.#options;
    this.#broker = broker;
    this.#handle = kafkaRequestHandler({
      broker,
      clock,
      random,
      logger,
      fetchSessionSlots: config['max.incremental.fetch.session.cache.slots'],
    });
  }

  setServing(isServing: boolean): void {
    this.#listener.setServing(isServing && this.#broker !== undefined);
  }

  drain(graceMs: number): Promise<void> {
    return this.#listener.drain(graceMs);
  }

  /** Ends every connection at once. */
  close(): void {
    this.#listener.close();
  }
}
