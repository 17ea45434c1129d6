/** One slice of load on one side: so fast, at so much CPU of its servers. */
import { UsageWatch } from '../process-usage.ts';
import type { Arena, Measuring } from './arena.ts';
import type { Figures } from './comparison.ts';
import { interruptedAfter, rdkafkaProducer } from './load-tools.ts';
import { bootstrapOf, pidsOf, type Subject, type SubjectName } from './subject.ts';
import { rdkafkaDelivery, type Throughput } from './tool-output.ts';

/** Throughput, and what the subject's servers used while `run` lasted. */
export async function measured(subject: Subject, run: () => Promise<Throughput>): Promise<Figures> {
  const watch = new UsageWatch(pidsOf(subject));
  const { records, recordsPerS } = await run();
  const cpuS = watch.end().processes.reduce((sum, figure) => sum + figure.cpuS, 0);
  return { recordsPerS, cpuSPerMillion: (cpuS / records) * 1e6 };
}

/** As fast as the C client produces. @throws {Error} if a record failed. */
export async function produceSlice(
  { tools, sliceMs }: Measuring,
  arena: Arena,
  side: SubjectName,
  what: { readonly topic: string; readonly recordBytes: number },
): Promise<Figures> {
  const subject = arena.subject(side);
  const producer = { ...what, bootstrap: bootstrapOf(subject), acks: arena.acks };
  return await measured(subject, async () => {
    const delivery = rdkafkaDelivery(await interruptedAfter(rdkafkaProducer(tools, producer), sliceMs));
    if (delivery.failed > 0) throw new Error(`${delivery.failed} records failed on ${side}`);
    return delivery;
  });
}
