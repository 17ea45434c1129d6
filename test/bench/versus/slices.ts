/** One slice of load on one side: so fast, at so much CPU of its servers. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { UsageWatch } from '../process-usage.ts';
import type { Arena, Measuring } from './arena.ts';
import type { Figures } from './comparison.ts';
import { interruptedAfter, rdkafkaProducer } from './load-tools.ts';
import { bootstrapOf, pidsOf, type Subject, type SubjectName } from './subject.ts';
import { rdkafkaDelivery, type Throughput } from './tool-output.ts';

const execute = promisify(execFile);

/**
 * Returns once the disk has what was written before, whoever wrote it: otherwise a slice would pay for the one before
 * it, and one that fills the page cache would be held up by the operating system.
 */
export async function untilWritten({ folder }: Measuring): Promise<void> {
  await execute('sync', ['-f', folder]);
}

/** Throughput, and what the subject's servers used while `run` lasted. */
export async function measured(
  measuring: Measuring,
  subject: Subject,
  run: () => Promise<Throughput>,
): Promise<Figures> {
  await untilWritten(measuring);
  const watch = new UsageWatch(pidsOf(subject));
  const { records, recordsPerS } = await run();
  const cpuS = watch.end().processes.reduce((sum, figure) => sum + figure.cpuS, 0);
  return { recordsPerS, cpuSPerMillion: (cpuS / records) * 1e6 };
}

/** As fast as the C client produces. @throws {Error} if a record failed. */
export async function produceSlice(
  measuring: Measuring,
  arena: Arena,
  side: SubjectName,
  what: { readonly topic: string; readonly recordBytes: number },
): Promise<Figures> {
  const subject = arena.subject(side);
  const producer = { ...what, bootstrap: bootstrapOf(subject), acks: arena.acks };
  return await measured(measuring, subject, async () => {
    const tool = rdkafkaProducer(measuring.tools, producer);
    const delivery = rdkafkaDelivery(await interruptedAfter(tool, measuring.sliceMs));
    if (delivery.failed > 0) throw new Error(`${delivery.failed} records failed on ${side}`);
    return delivery;
  });
}
