/**
 * Records on a schedule, whatever becomes of the ones before. Latency counts from the time at which a record was due:
 * otherwise a stall would hide the records that it kept from being sent.
 */
import { Millrace } from '@millrace/client';
import { Histogram } from '../histogram.ts';
import { sleepMs } from '../monotonic-clock.ts';
import type { FixedRateJob, FixedRateResult } from './job.ts';
import type { JobContext } from './job-context.ts';
import { Payload } from './payload.ts';

const TICK_MS = 1;

export async function runFixedRate(job: FixedRateJob, context: JobContext): Promise<FixedRateResult> {
  await using millrace = new Millrace({ bootstrap: job.bootstrap });
  const producer = millrace.producer({ acks: 'all' });
  const payload = new Payload(job.recordBytes);
  const [latency, sendDelay] = [new Histogram(), new Histogram()];
  const startedMs = performance.now();
  const warmRecords = Math.floor((job.warmupMs * job.recordsPerS) / 1000);
  const allRecords = Math.floor(((job.warmupMs + job.measureMs) * job.recordsPerS) / 1000);
  const dueMs = (index: number): number => startedMs + (index / job.recordsPerS) * 1000;
  let sent = 0;
  let begun = false;
  let failure: unknown;
  const send = (index: number): void => {
    const scheduledMs = dueMs(index);
    if (begun) sendDelay.record(performance.now() - scheduledMs);
    const record = { topic: job.topic, partition: index % job.partitions, value: payload.next() };
    const counts = begun;
    producer.send(record).then(
      () => {
        if (counts) latency.record(performance.now() - scheduledMs);
      },
      (error: unknown) => {
        failure = error;
      },
    );
  };
  while (sent < allRecords) {
    const due = Math.min(allRecords, Math.floor(((performance.now() - startedMs) * job.recordsPerS) / 1000));
    while (sent < due) {
      if (!begun && sent >= warmRecords) {
        begun = true;
        context.begin();
      }
      send(sent++);
    }
    if (failure) throw failure;
    await sleepMs(TICK_MS);
  }
  const elapsedMs = performance.now() - startedMs - job.warmupMs;
  context.measured();
  await producer.flush();
  return {
    records: allRecords - warmRecords,
    elapsedMs,
    latency: latency.summary(),
    sendDelay: sendDelay.summary(),
  };
}
