/** Many seeds of one world over a pool of processes, summed up. Knows nothing of what a seed does. */
import { sameSeedSameTrace } from '../invariants/56-same-seed-same-trace.ts';
import type { SeedOrder, SeedResult } from './seed-worker.ts';
import type { SimulateOptions } from './simulate-options.ts';

export interface Totals {
  seeds: number;
  runs: number;
  cpuMs: number;
  realMs: number;
  virtualMs: number;
  events: number;
  acknowledged: number;
  /** Of the newest run: of a single seed, what another run of it is compared with. */
  hash: string | undefined;
  readonly counts: Map<string, number>;
  /** In how many seeds each kind of fault was there. */
  readonly faults: Map<string, number>;
  readonly failures: SeedResult[];
}

export interface CampaignPort {
  run(order: SeedOrder): Promise<SeedResult>;
  nowMs(): number;
  onSeed(totals: Totals, result: SeedResult): void;
}

export async function runCampaign(options: SimulateOptions, port: CampaignPort): Promise<Totals> {
  const totals: Totals = {
    seeds: 0,
    runs: 0,
    cpuMs: 0,
    realMs: 0,
    virtualMs: 0,
    events: 0,
    acknowledged: 0,
    hash: undefined,
    counts: new Map(),
    faults: new Map(),
    failures: [],
  };
  const startedMs = port.nowMs();
  const { firstSeed, seedCount = Number.POSITIVE_INFINITY, minutes = Number.POSITIVE_INFINITY } = options;
  let next = firstSeed;
  const isOver = (): boolean =>
    next >= firstSeed + seedCount ||
    port.nowMs() - startedMs > minutes * 60_000 ||
    (totals.failures.length > 0 && !options.keepGoing);
  const work = async (): Promise<void> => {
    while (!isOver()) {
      const result = await runOnce(orderOf(options, next++), options, port, totals);
      totals.seeds += 1;
      totals.realMs = port.nowMs() - startedMs;
      if (result.failure !== undefined) totals.failures.push(result);
      port.onSeed(totals, result);
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, options.jobs) }, work));
  return totals;
}

export function orderOf(
  { world, faults, faultsMs, clientsMax, hasGroups, hasClassic }: SimulateOptions,
  seed: number,
): SeedOrder {
  return {
    world,
    seed,
    options: {
      ...(faults && { only: faults }),
      ...(faultsMs !== undefined && { faultsMs }),
      ...(clientsMax !== undefined && { clientsMax }),
      ...(hasGroups !== undefined && { hasGroups }),
      ...(hasClassic !== undefined && { hasClassic }),
    },
  };
}

async function runOnce(
  order: SeedOrder,
  { twice }: SimulateOptions,
  port: CampaignPort,
  totals: Totals,
): Promise<SeedResult> {
  const results = await Promise.all(twice ? [port.run(order), port.run(order)] : [port.run(order)]);
  for (const result of results) add(totals, result);
  const [first, second] = results;
  if (second === undefined || first!.failure !== undefined) return first!;
  const { number, name, judge } = sameSeedSameTrace;
  let judged = first!;
  judge([first!.outcome?.hash, second.outcome?.hash], (text) => {
    const violation = `invariant ${number} ${name}: ${text}`;
    judged = { ...first!, failure: { violation, report: `seed ${order.seed}: ${violation}` } };
  });
  return judged;
}

function add(totals: Totals, { cpuMs, outcome }: SeedResult): void {
  totals.runs += 1;
  totals.cpuMs += cpuMs;
  if (outcome === undefined) return;
  totals.virtualMs += outcome.virtualMs;
  totals.events += outcome.events;
  totals.acknowledged += outcome.acknowledged;
  totals.hash = outcome.hash;
  for (const [name, count] of Object.entries(outcome.counts ?? {})) {
    totals.counts.set(name, (totals.counts.get(name) ?? 0) + count);
  }
  for (const fault of outcome.faults.split(',')) {
    totals.faults.set(fault, (totals.faults.get(fault) ?? 0) + 1);
  }
}
