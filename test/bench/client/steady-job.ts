/** A trickle of acks=all records through faults: what a user of the cluster would notice of them. */
import { Millrace } from '@millrace/client';
import { monotonicMs, sleepMs } from '../monotonic-clock.ts';
import type { AckGap, SteadyJob, SteadyResult } from './job.ts';
import type { JobContext } from './job-context.ts';
import { Payload } from './payload.ts';

class AckTimes {
  readonly #timesMs: number[] = [];

  get count(): number {
    return this.#timesMs.length;
  }

  add(): void {
    this.#timesMs.push(monotonicMs());
  }

  /** The gap may have begun before `sinceMs`, and lasts until now if it has not ended. */
  longestGap(sinceMs: number): AckGap {
    let longest: AckGap = { gapMs: 0, acksAfter: 0 };
    let later: number = monotonicMs();
    for (let index = this.#timesMs.length - 1; index >= -1; index--) {
      const earlier = this.#timesMs[index] ?? sinceMs;
      if (later - earlier > longest.gapMs)
        longest = { gapMs: later - earlier, acksAfter: this.#timesMs.length - 1 - index };
      if (earlier <= sinceMs) break;
      later = earlier;
    }
    return longest;
  }
}

export async function runSteady(job: SteadyJob, context: JobContext): Promise<SteadyResult> {
  await using millrace = new Millrace({ bootstrap: job.bootstrap });
  const producer = millrace.producer({ acks: 'all' });
  const payload = new Payload(job.recordBytes);
  const acks = new AckTimes();
  const offsets = new Set<bigint>();
  let [sent, failed] = [0, 0];
  context.answerAckGap((sinceMs) => acks.longestGap(sinceMs));
  context.begin();
  const startedMs = performance.now();
  while (!context.stopped.aborted) {
    for (; performance.now() - startedMs >= sent * job.intervalMs; sent++) {
      producer.send({ topic: job.topic, partition: 0, value: payload.next() }).then(
        ({ offset }) => {
          acks.add();
          offsets.add(offset);
        },
        () => {
          failed += 1;
        },
      );
    }
    await sleepMs(1);
  }
  context.measured();
  await producer.flush().catch(() => undefined);
  const [end] = await millrace.admin().listOffsets([{ topic: job.topic, partition: 0, at: 'latest' }]);
  // Two records with one offset, or one beyond the end, would be acknowledged and gone.
  const held = [...offsets].filter((offset) => offset < end!.offset).length;
  return { sent, acknowledged: acks.count, failed, missing: acks.count - held };
}
