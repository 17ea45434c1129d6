/** The command line of `npm run simulate`. */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { type FaultClass, parseFaultClasses } from '../world/fault-plan.ts';
import { isWorldName, WORLD_NAMES, type WorldName } from './worlds.ts';

export interface SimulateOptions {
  readonly world: WorldName;
  readonly firstSeed: number;
  /** Undefined: until the minutes are over. */
  readonly seedCount: number | undefined;
  readonly minutes: number | undefined;
  readonly faults: readonly FaultClass[] | undefined;
  readonly faultsMs: number | undefined;
  readonly clientsMax: number | undefined;
  readonly jobs: number;
  readonly trace: boolean;
  readonly shrink: boolean;
  readonly twice: boolean;
  readonly keepGoing: boolean;
  readonly json: string | undefined;
}

export const SIMULATE_HELP = `npm run simulate -- [options]

  --world NAME      ${WORLD_NAMES.join(', ')} (default: cluster)
  --seed N          the first seed (default: 1)
  --seeds N         how many (default: 1; with --minutes: as many as it takes)
  --minutes M       no seed begins after this time
  --faults a,b      exactly these kinds of fault; all, none (default: each seed draws its own)
  --fault-ms N      virtual length of the phase with faults
  --clients N       at most so many clients
  --jobs N          processes (default: one for each core)
  --twice           runs each seed twice, in two processes, and compares the hashes of everything that happened
  --keep-going      reports a failure and goes on with the next seed
  --shrink          looks for a smaller failure: fewer kinds of fault, then less time, then fewer clients
  --trace           prints every event of the seed
  --json FILE       writes what was found to a file as well

npm run simulate -- --mutants [NAMES | COUNT | all] [--seeds-max N] [--jobs N]

  takes guards out of the code, one at a time, and shows which seed misses each of them

Exit code 0 if every seed kept every invariant, 1 if one did not or a mutant survived, 2 if the options are wrong.
`;

/** @throws {RangeError | TypeError} naming what is wrong. @returns undefined if help was asked for. */
export function parseSimulateOptions(args: readonly string[]): SimulateOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      world: { type: 'string', default: 'cluster' },
      seed: { type: 'string' },
      seeds: { type: 'string' },
      minutes: { type: 'string' },
      faults: { type: 'string' },
      'fault-ms': { type: 'string' },
      clients: { type: 'string' },
      jobs: { type: 'string' },
      twice: { type: 'boolean', default: false },
      'keep-going': { type: 'boolean', default: false },
      shrink: { type: 'boolean', default: false },
      trace: { type: 'boolean', default: false },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  if (!isWorldName(values.world))
    throw new RangeError(`no such world: ${values.world}; there are ${WORLD_NAMES.join(', ')}`);
  const minutes = number('minutes', values.minutes);
  const seeds = number('seeds', values.seeds);
  return {
    world: values.world,
    firstSeed: number('seed', values.seed) ?? 1,
    seedCount: seeds ?? (minutes === undefined ? 1 : undefined),
    minutes,
    faults: values.faults === undefined ? undefined : parseFaultClasses(values.faults),
    faultsMs: number('fault-ms', values['fault-ms']),
    clientsMax: number('clients', values.clients),
    jobs: values.trace ? 1 : (number('jobs', values.jobs) ?? availableParallelism()),
    trace: values.trace,
    shrink: values.shrink,
    twice: values.twice,
    keepGoing: values['keep-going'],
    json: values.json,
  };
}

function number(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < 0)
    throw new RangeError(`--${name}=${text} is no number`);
  return value;
}
