/** Scratch. */
import { crashSeed, newCrashReport } from './crash-campaign.ts';
const from = Number(process.argv[2] ?? 1), to = Number(process.argv[3] ?? 3);
const report = newCrashReport();
const started = process.hrtime.bigint();
for (let seed = from; seed <= to; seed++) await crashSeed(seed, report, process.argv[4] === undefined ? undefined : Number(process.argv[4]));
const seconds = Number(process.hrtime.bigint() - started) / 1e9;
const kinds = new Map<string, { count: number; first: string }>();
for (const { seed, state, error } of report.failures) {
  const message = String((error as Error).message).replace(/\d+/g, 'N') + ((error as Error).cause ? ' <- ' + String((error as Error).cause).replace(/\d+/g, 'N') : '');
  const kind = kinds.get(message);
  if (kind) kind.count++;
  else kinds.set(message, { count: 1, first: `${seed}/${state}: ${(error as Error).message} ${(error as Error).cause ?? ''}` + (process.argv[4] ? (error as Error).stack : '') });
}
for (const [message, { count, first }] of [...kinds].sort((a, b) => b[1].count - a[1].count).slice(0, 15)) console.log(count, message, '\n    ', first);
console.log({ ...report, failures: report.failures.length }, seconds.toFixed(1), (report.states / seconds).toFixed(0) + '/s');
