/** One consumer at full speed over one partition. Offsets must follow each other without a hole. */
import { type Consumer, Millrace } from '@millrace/client';
import type { ConsumeJob, ThroughputResult } from './job.ts';
import type { JobContext } from './job-context.ts';

class Reader {
  readonly #consumer: Consumer;
  readonly #endOffset: bigint;
  #expected = 0n;
  records = 0;
  bytes = 0;

  constructor(consumer: Consumer, endOffset: bigint) {
    this.#consumer = consumer;
    this.#endOffset = endOffset;
  }

  /** Reads until `untilMs` says that it is time. */
  async run(untilMs: () => number): Promise<void> {
    for await (const batch of this.#consumer) {
      if (batch.firstOffset !== this.#expected)
        throw new Error(`expected offset ${this.#expected}, got ${batch.firstOffset}`);
      for (const record of batch.records) {
        this.records += 1;
        this.bytes += record.value!.length;
      }
      this.#expected = batch.nextOffset;
      if (this.#expected >= this.#endOffset) this.#rewind();
      if (performance.now() >= untilMs()) return;
    }
  }

  #rewind(): void {
    this.#expected = 0n;
    this.#consumer.seekToBeginning();
  }
}

export async function runConsume(job: ConsumeJob, context: JobContext): Promise<ThroughputResult> {
  await using millrace = new Millrace({ bootstrap: job.bootstrap });
  const consumer = millrace.consumer({ autoOffsetReset: 'earliest' });
  const partition = { topic: job.topic, partition: 0 };
  consumer.assign([partition]);
  consumer.seekToBeginning();
  const [end] = await consumer.endOffsets([partition]);
  const reader = new Reader(consumer, end!.offset);
  const warmUntilMs = performance.now() + job.warmupMs;
  let startedMs = 0;
  let before = { records: 0, bytes: 0 };
  await reader.run(() => {
    if (startedMs === 0 && performance.now() >= warmUntilMs) {
      context.begin();
      startedMs = performance.now();
      before = { records: reader.records, bytes: reader.bytes };
    }
    return startedMs === 0 ? Number.POSITIVE_INFINITY : startedMs + job.measureMs;
  });
  const elapsedMs = performance.now() - startedMs;
  context.measured();
  const records = reader.records - before.records;
  if (reader.bytes - before.bytes !== records * job.recordBytes)
    throw new Error('records came back with other sizes than they were sent with');
  return { records, elapsedMs };
}
