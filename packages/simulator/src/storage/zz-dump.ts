/** Scratch. */
import { crashSeed, newCrashReport } from './crash-campaign.ts';
import { StorageWorkload } from './storage-workload.ts';
import { SimDisk } from '../disk/sim-disk.ts';
const [seed, state] = [Number(process.argv[2]), Number(process.argv[3])];
const report = newCrashReport();
const orig = SimDisk.prototype.crash;
let on = false;
(globalThis as any).dump = (disk: SimDisk, what: string) => {
  console.log('--', what);
  for (const p of disk.paths()) { const b = disk.get(p)!; console.log(p, b.length, /checkpoint|metadata$|prop/.test(p) ? JSON.stringify(b.toString()) : ''); }
};
await crashSeed(seed, report, state);
for (const f of report.failures) console.log(f.seed, f.state, f.error);
