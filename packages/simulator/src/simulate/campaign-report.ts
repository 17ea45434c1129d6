/** What people read of a campaign: a line of progress, totals at the end, and of a failure everything needed to see it again. */
import { execFileSync } from 'node:child_process';
import type { Totals } from './campaign.ts';
import type { SeedOrder, SeedResult } from './seed-worker.ts';

/** `cluster: 120 of 1000 seeds, 2.0 virtual h, 130x real time a core, 210 k events/s, 12 k acknowledged, 0 failed`. */
export function progressLine(world: string, totals: Totals, seedCount: number | undefined): string {
  const { seeds, virtualMs, cpuMs, events, acknowledged, failures, realMs } = totals;
  const of = seedCount === undefined ? '' : ` of ${seedCount}`;
  const speed = cpuMs === 0 ? 0 : Math.round(virtualMs / cpuMs);
  const eventsPerSecond = cpuMs === 0 ? 0 : Math.round(events / cpuMs);
  return (
    `${world}: ${seeds}${of} seeds in ${Math.round(realMs / 1_000)} s, ${(virtualMs / 3_600_000).toFixed(1)} virtual h, ` +
    `${speed}x real time a core, ${eventsPerSecond} k events/s, ${acknowledged} acknowledged, ${failures.length} failed`
  );
}

/** Totals, one a line. */
export function summary(world: string, totals: Totals, seedCount: number | undefined): string {
  const { cpuMs, runs, counts, faults, seeds, hash } = totals;
  const list = (map: ReadonlyMap<string, number>): string =>
    [...map].map(([name, count]) => `${name} ${count}`).join(', ');
  return [
    progressLine(world, totals, seedCount),
    `  ${runs} runs, ${(cpuMs / Math.max(1, runs)).toFixed(0)} ms of processor time each`,
    ...(counts.size > 0 ? [`  ${list(counts)}`] : []),
    ...(seeds === 1 && hash !== undefined ? [`  hash of everything that happened: ${hash}`] : []),
    ...(seeds > 1 && faults.size > 0 ? [`  seeds with each kind of fault: ${list(faults)}`] : []),
  ].join('\n');
}

/** The command that runs the same seed in the same way. */
export function replayCommand({ world, seed, options }: SeedOrder): string {
  const { only, faultsMs, clientsMax, hasGroups, hasClassic } = options;
  return [
    `npm run simulate -- --world ${world} --seed ${seed}`,
    ...(only === undefined ? [] : [`--faults ${only.length === 0 ? 'none' : only.join(',')}`]),
    ...(faultsMs === undefined ? [] : [`--fault-ms ${faultsMs}`]),
    ...(clientsMax === undefined ? [] : [`--clients ${clientsMax}`]),
    ...(hasGroups === undefined ? [] : [`--groups ${hasGroups ? 'on' : 'off'}`]),
    ...(hasClassic === undefined ? [] : [`--classic ${hasClassic ? 'on' : 'off'}`]),
  ].join(' ');
}

export function failureReport(order: SeedOrder, { failure }: SeedResult, commit: string): string {
  return [
    '',
    failure?.report ?? '',
    '',
    `seed:      ${order.seed}`,
    `commit:    ${commit}`,
    `violated:  ${failure?.violation}`,
    `replay:    ${replayCommand(order)}`,
    '',
  ].join('\n');
}

/** Of the checkout that this runs in. */
export function commitNow(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty', '--abbrev=12'], {
      encoding: 'utf8',
    }).trim();
  } catch {
    return 'unknown';
  }
}
