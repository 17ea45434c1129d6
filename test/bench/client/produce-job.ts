/** The producer at full speed. Records are counted when acknowledged, and the partition must hold them all at the end. */
import { Millrace, type Producer } from '@millrace/client';
import { Histogram } from '../histogram.ts';
import type { FillJob, ProduceJob, ProduceResult, ThroughputResult } from './job.ts';
import type { JobContext } from './job-context.ts';
import { Payload } from './payload.ts';

/** Results are in order within the one partition, so that every so many are enough to count all. */
const SAMPLE_EVERY = 64;
/** Sends between two turns of the event loop. */
const BURST = 512;

class Sender {
  readonly #producer: Producer;
  readonly #topic: string;
  readonly #payload: Payload;
  histogram = new Histogram();
  sent = 0;
  acknowledged = 0;
  #failure: unknown;

  constructor(producer: Producer, topic: string, recordBytes: number) {
    this.#producer = producer;
    this.#topic = topic;
    this.#payload = new Payload(recordBytes);
  }

  /** Sends until `more` says no. */
  async run(more: () => boolean): Promise<void> {
    while (more()) {
      for (let count = 0; count < BURST; count++) this.#send();
      if (this.#failure) throw this.#failure;
      if (this.#producer.isFull) await this.#producer.whenReady();
      else await new Promise(setImmediate);
    }
  }

  #send(): void {
    const result = this.#producer.send({ topic: this.#topic, value: this.#payload.next() });
    this.sent += 1;
    if (this.sent % SAMPLE_EVERY !== 0) {
      // Failures of these come out of `flush`.
      void result;
      return;
    }
    const [position, sentMs] = [this.sent, performance.now()];
    result.then(
      () => {
        this.acknowledged = position;
        this.histogram.record(performance.now() - sentMs);
      },
      (error: unknown) => {
        this.#failure = error;
      },
    );
  }
}

async function expectEnd(millrace: Millrace, topic: string, records: number): Promise<void> {
  const [listed] = await millrace.admin().listOffsets([{ topic, partition: 0, at: 'latest' }]);
  if (Number(listed!.offset) !== records)
    throw new Error(`${records} records sent, the partition holds ${listed!.offset}`);
}

export async function runProduce(job: ProduceJob, context: JobContext): Promise<ProduceResult> {
  await using millrace = new Millrace({ bootstrap: job.bootstrap });
  const producer = millrace.producer({ acks: job.acks });
  const sender = new Sender(producer, job.topic, job.recordBytes);
  const runFor = async (ms: number): Promise<void> => {
    const untilMs = performance.now() + ms;
    await sender.run(() => performance.now() < untilMs);
  };
  await runFor(job.warmupMs);
  sender.histogram = new Histogram();
  context.begin();
  const [startedMs, before] = [performance.now(), sender.acknowledged];
  await runFor(job.measureMs);
  const [elapsedMs, records] = [performance.now() - startedMs, sender.acknowledged - before];
  context.measured();
  const latency = sender.histogram.summary();
  await producer.flush();
  await expectEnd(millrace, job.topic, sender.sent);
  return { records, elapsedMs, latency };
}

export async function runFill(job: FillJob, context: JobContext): Promise<ThroughputResult> {
  await using millrace = new Millrace({ bootstrap: job.bootstrap });
  const producer = millrace.producer({ acks: 1 });
  const sender = new Sender(producer, job.topic, job.recordBytes);
  context.begin();
  const startedMs = performance.now();
  await sender.run(() => sender.sent < job.records);
  await producer.flush();
  const elapsedMs = performance.now() - startedMs;
  context.measured();
  await expectEnd(millrace, job.topic, sender.sent);
  return { records: sender.sent, elapsedMs };
}
