/**
 * Producers and consumers that work while the cluster suffers, and write down all that they were told. They judge
 * nothing; a client that fails is replaced by a new one under a new name.
 */
import { type Consumer, type ConsumerBatch, Millrace, type Producer } from '@millrace/client';
import { ClientHistory } from '@millrace/simulator';

export interface ChaosClientsOptions {
  readonly bootstrap: readonly string[];
  readonly topic: string;
  readonly partitions: number;
  readonly producers: number;
  readonly consumers: number;
  readonly recordsPerSecond: number;
}

const TICK_MS = 20;
const IN_FLIGHT_MAX = 2_000;
const PADDING = 'x'.repeat(100);
const DELIVERY_TIMEOUT_MS = 20_000;

export class ChaosClients {
  readonly history = new ClientHistory();
  /** Errors that reached the program, by code. */
  readonly errors = new Map<string, number>();
  readonly #options: ChaosClientsOptions;
  readonly #stopProducers = new AbortController();
  readonly #stopConsumers = new AbortController();
  #working: Promise<void>[] = [];
  #reading: Promise<void>[] = [];

  constructor(options: ChaosClientsOptions) {
    this.#options = options;
  }

  start(): void {
    const { producers, consumers } = this.#options;
    this.#working = Array.from({ length: producers }, (_, index) => this.#produce(`p${index + 1}`));
    this.#reading = Array.from({ length: consumers }, (_, index) => this.#consume(`c${index + 1}`));
  }

  /** Ends the producers; every send is settled afterwards. */
  async stopProducing(): Promise<void> {
    this.#stopProducers.abort();
    await Promise.all(this.#working);
  }

  async stopConsuming(): Promise<void> {
    this.#stopConsumers.abort();
    await Promise.all(this.#reading);
  }

  /** A new consumer reads every partition to where it ends now. Resolves with the number of records. */
  async readToEnd(): Promise<number> {
    const { bootstrap, topic } = this.#options;
    await using millrace = new Millrace({ bootstrap });
    const partitions = this.#partitions();
    const ends = await millrace
      .admin()
      .listOffsets(partitions.map(({ partition }) => ({ topic, partition, at: 'latest' as const })));
    const open = new Map(ends.map(({ partition, offset }) => [partition, offset]));
    for (const [partition, end] of open) if (end === 0n) open.delete(partition);
    await using consumer = millrace.consumer({ autoOffsetReset: 'earliest' });
    consumer.assign(partitions);
    let count = 0;
    for await (const batch of consumer) {
      this.#record('final', batch);
      count += batch.records.length;
      const end = open.get(batch.partition);
      if (end !== undefined && batch.nextOffset >= end) open.delete(batch.partition);
      if (open.size === 0) break;
    }
    return count;
  }

  #partitions(): { topic: string; partition: number }[] {
    const { topic, partitions } = this.#options;
    return Array.from({ length: partitions }, (_, partition) => ({ topic, partition }));
  }

  async #produce(name: string): Promise<void> {
    const { bootstrap, recordsPerSecond, producers, partitions } = this.#options;
    const { signal } = this.#stopProducers;
    const perTick = Math.ceil((recordsPerSecond / producers / 1_000) * TICK_MS);
    await using millrace = new Millrace({ bootstrap, requestTimeoutMs: 5_000 });
    await using producer = millrace.producer({ deliveryTimeoutMs: DELIVERY_TIMEOUT_MS });
    const waiting = new Set<Promise<void>>();
    for (let number = 0; !signal.aborted; ) {
      for (let i = 0; i < perTick && waiting.size < IN_FLIGHT_MAX; i++, number++) {
        const sending = this.#send(producer, name, number, number % partitions);
        waiting.add(sending);
        void sending.then(() => waiting.delete(sending));
      }
      await new Promise((resolve) => setTimeout(resolve, TICK_MS));
    }
    await Promise.all(waiting);
  }

  async #send(producer: Producer, name: string, number: number, partition: number): Promise<void> {
    const { topic } = this.#options;
    const id = `${name}-${number}`;
    const sent = this.history.send(name, `${topic}-${partition}`, id);
    try {
      const { offset } = await producer.send({ topic, partition, value: `${id} ${PADDING}` });
      sent.outcome = 'acknowledged';
      sent.offset = Number(offset);
    } catch (error) {
      this.#count(error);
    }
  }

  async #consume(name: string): Promise<void> {
    const { bootstrap } = this.#options;
    const { signal } = this.#stopConsumers;
    await using millrace = new Millrace({ bootstrap, requestTimeoutMs: 5_000 });
    for (let life = 1; !signal.aborted; life++) {
      await using consumer: Consumer = millrace.consumer({ autoOffsetReset: 'earliest' });
      try {
        consumer.assign(this.#partitions());
        for await (const batch of consumer.batches({ signal })) this.#record(`${name}.${life}`, batch);
      } catch (error) {
        if (!signal.aborted) this.#count(error);
      }
    }
  }

  #record(consumer: string, { topic, partition, records }: ConsumerBatch): void {
    const read = records.map(({ offset, value }) => ({
      offset: Number(offset),
      value: value?.toString().split(' ', 1)[0] ?? '',
    }));
    this.history.poll(consumer, `${topic}-${partition}`, read);
  }

  #count(error: unknown): void {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    this.errors.set(code, (this.errors.get(code) ?? 0) + 1);
  }
}
