/** One record at a time from `send` to the hands of a consumer that waits for it, as Kafka's EndToEndLatency does. */
import { Millrace } from '@millrace/client';
import { Histogram } from '../histogram.ts';
import type { EndToEndJob, EndToEndResult } from './job.ts';
import type { JobContext } from './job-context.ts';
import { Payload } from './payload.ts';

/** Longer than any healthy round trip: without it a lost record would hang the run. */
const RECORD_TIMEOUT_MS = 30_000;

export async function runEndToEnd(job: EndToEndJob, context: JobContext): Promise<EndToEndResult> {
  await using millrace = new Millrace({ bootstrap: job.bootstrap });
  const producer = millrace.producer({ acks: 'all' });
  const consumer = millrace.consumer();
  const payload = new Payload(job.recordBytes);
  const partition = { topic: job.topic, partition: 0 };
  consumer.assign([partition]);
  consumer.seekToEnd();
  await consumer.position(partition);
  let [acknowledged, consumed] = [new Histogram(), new Histogram()];
  const one = async (): Promise<void> => {
    const value = payload.next();
    const arrival = consumer.poll({ maxRecords: 1, timeoutMs: RECORD_TIMEOUT_MS });
    const sentMs = performance.now();
    const [, [record]] = await Promise.all([
      producer.send({ topic: job.topic, value }).then(() => acknowledged.record(performance.now() - sentMs)),
      arrival.then((records) => {
        consumed.record(performance.now() - sentMs);
        return records;
      }),
    ]);
    if (!record?.value?.equals(value)) throw new Error('another record came back than was sent');
  };
  const runFor = async (ms: number): Promise<number> => {
    const untilMs = performance.now() + ms;
    let count = 0;
    for (; performance.now() < untilMs; count++) await one();
    return count;
  };
  await runFor(job.warmupMs);
  [acknowledged, consumed] = [new Histogram(), new Histogram()];
  context.begin();
  const startedMs = performance.now();
  const records = await runFor(job.measureMs);
  const elapsedMs = performance.now() - startedMs;
  context.measured();
  return { records, elapsedMs, acknowledged: acknowledged.summary(), consumed: consumed.summary() };
}
