/** Runs seeds of the partition world: `node packages/simulator/dist/partition/main.js [first seed] [seeds] [--faults a,b] [--trace]`. */
import { parseFaultClasses } from '../world/fault-plan.ts';
import { formatTraced, SimulationFailure } from '../world/simulation-failure.ts';
import { replayCommand, simulatePartition } from './simulate-partition.ts';

const args = process.argv.slice(2);
const flag = (name: string): string | undefined => {
  const at = args.indexOf(name);
  return at === -1 ? undefined : (args[at + 1] ?? '');
};
const first = Number(args[0] ?? 1);
const count = Number(args[1] ?? 1);
const faults = flag('--faults');
const options = faults === undefined ? {} : { only: parseFaultClasses(faults) };
const isTraced = args.includes('--trace');
const before = process.cpuUsage();
let [events, virtualMs, failures, acknowledged] = [0, 0, 0, 0];
for (let seed = first; seed < first + count; seed++) {
  try {
    const outcome = await simulatePartition(seed, {
      ...options,
      onWorld: ({ world }) => {
        if (isTraced)
          world.trace.printTo((process, event) => console.log(process.padEnd(12), formatTraced(event)));
      },
    });
    events += outcome.events;
    virtualMs += outcome.virtualMs;
    acknowledged += outcome.acknowledged;
    if (count <= 5) console.log(JSON.stringify(outcome));
  } catch (error) {
    failures += 1;
    if (!(error instanceof SimulationFailure)) {
      console.log(`seed ${seed}`);
      throw error;
    }
    console.log(count > 5 ? error.message : error.report());
    if (count <= 5) console.log(replayCommand(error, options));
  }
}
const { user, system } = process.cpuUsage(before);
const cpuMs = (user + system) / 1000;
console.log(
  `${count} seeds, ${failures} failures, ${(cpuMs / count).toFixed(0)} ms CPU a seed, ${events} events, ` +
    `${Math.round((events / cpuMs) * 1000)} a second, ${(virtualMs / 1000 / count).toFixed(1)} virtual s a seed ` +
    `(${(virtualMs / cpuMs).toFixed(0)}x), ${acknowledged} acknowledged`,
);
