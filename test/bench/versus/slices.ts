/** One slice of load on one side: so fast, at so much CPU of its servers. */
import { UsageWatch } from '../process-usage.ts';
import type { Figures } from './comparison.ts';
import { pidsOf, type Subject } from './subject.ts';
import type { Throughput } from './tool-output.ts';

/** Throughput, and what the subject's servers used while `run` lasted. */
export async function measured(subject: Subject, run: () => Promise<Throughput>): Promise<Figures> {
  const watch = new UsageWatch(pidsOf(subject));
  const { records, recordsPerS } = await run();
  const cpuS = watch.end().processes.reduce((sum, figure) => sum + figure.cpuS, 0);
  return { recordsPerS, cpuSPerMillion: (cpuS / records) * 1e6 };
}
