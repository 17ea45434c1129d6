/** The command line of `npm run simulate`. */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { type FaultClass, parseFaultClasses } from '../world/fault-plan.ts';
import { JOBS, type NumberRange, numberOption, SEEDS } from './number-option.ts';
import { isWorldName, WORLD_CHOICES, WORLD_NAMES, type WorldChoices, type WorldName } from './worlds.ts';

export interface SimulateOptions {
  readonly world: WorldName;
  readonly firstSeed: number;
  /** Undefined: until the minutes are over. */
  readonly seedCount: number | undefined;
  readonly minutes: number | undefined;
  readonly faults: readonly FaultClass[] | undefined;
  readonly faultsMs: number | undefined;
  readonly clientsMax: number | undefined;
  readonly hasGroups: boolean | undefined;
  readonly hasClassic: boolean | undefined;
  readonly jobs: number;
  readonly trace: boolean;
  readonly shrink: boolean;
  readonly twice: boolean;
  readonly keepGoing: boolean;
  readonly json: string | undefined;
}

export const SIMULATE_HELP = `npm run simulate -- [options]

  --world NAME      ${WORLD_NAMES.join(', ')} (default: cluster)
  --seed N          the first seed, ${SEEDS.least} to ${SEEDS.most} (default: 1)
  --seeds N         how many (default: 1; with --minutes: as many as it takes)
  --minutes M       no seed begins after this time
  --faults a,b      exactly these kinds of fault; all, none (default: each seed draws its own)
  --fault-ms N      virtual length of the phase with faults
  --clients N       at most so many clients (partition, cluster)
  --groups on|off   with or without groups of consumers (cluster; default: each seed draws it)
  --classic on|off  with or without members of the classic protocol (cluster, commits; default: each seed draws it)
  --jobs N          processes (default: one for each core)
  --twice           runs each seed twice, in two processes, and compares the hashes of everything that happened
  --keep-going      reports a failure and goes on with the next seed
  --shrink          looks for a smaller failure: fewer kinds of fault, then less time, then fewer clients
  --trace           prints every event of one seed
  --json FILE       writes what was found to a file as well

npm run simulate -- --world exhaustive [--states N] [--help for the rest]

  every state that three voters can come to, as far as the limits reach, instead of one way through them

npm run simulate -- --mutants [NAMES | COUNT | all] [--seeds-max N] [--jobs N]

  takes guards out of the code, one at a time, and shows which seed misses each of them

Exit code 0 if every seed kept every invariant, 1 if one did not or a mutant survived, 2 if the options are wrong.
`;

const SEED_COUNT: NumberRange = { least: 1, most: SEEDS.most };
const MINUTES: NumberRange = { least: 0.01, most: 100_000, mayBeFraction: true };
const FAULTS_MS: NumberRange = { least: 0, most: 3_600_000 };
const CLIENTS: NumberRange = { least: 1, most: 1_000 };

/** One seed in this very process has no campaign around it. */
const NOT_WITH_TRACE = ['seeds', 'minutes', 'jobs', 'twice', 'keep-going', 'shrink', 'json'] as const;

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
      groups: { type: 'string' },
      classic: { type: 'string' },
      jobs: { type: 'string' },
      twice: { type: 'boolean' },
      'keep-going': { type: 'boolean' },
      shrink: { type: 'boolean' },
      trace: { type: 'boolean', default: false },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const { world } = values;
  if (!isWorldName(world))
    throw new RangeError(`no such world: ${world}; there are ${WORLD_NAMES.join(', ')}`);
  refuse(values, notIn(WORLD_CHOICES[world]), `means nothing in the world ${world}`);
  if (values.trace) refuse(values, NOT_WITH_TRACE, 'means nothing with --trace');
  const number = (
    name: 'seed' | 'seeds' | 'minutes' | 'fault-ms' | 'clients' | 'jobs',
    range: NumberRange,
  ) => (values[name] === undefined ? undefined : numberOption(`--${name}`, values[name], range));
  const firstSeed = number('seed', SEEDS) ?? 1;
  const minutes = number('minutes', MINUTES);
  const seeds = number('seeds', { ...SEED_COUNT, most: Math.max(1, SEEDS.most - firstSeed + 1) });
  return {
    world,
    firstSeed,
    seedCount: seeds ?? (minutes === undefined ? 1 : undefined),
    minutes,
    faults:
      values.faults === undefined ? undefined : parseFaultClasses(values.faults, WORLD_CHOICES[world].faults),
    faultsMs: number('fault-ms', FAULTS_MS),
    clientsMax: number('clients', CLIENTS),
    hasGroups: values.groups === undefined ? undefined : isOn('groups', values.groups),
    hasClassic: values.classic === undefined ? undefined : isOn('classic', values.classic),
    jobs: values.trace ? 1 : (number('jobs', JOBS) ?? availableParallelism()),
    trace: values.trace,
    shrink: values.shrink ?? false,
    twice: values.twice ?? false,
    keepGoing: values['keep-going'] ?? false,
    json: values.json,
  };
}

/** What would be ignored is refused: whoever asked for it would believe that it was done. */
function refuse(values: object, names: readonly string[], why: string): void {
  const named = names.find((name) => (values as Record<string, unknown>)[name] !== undefined);
  if (named !== undefined) throw new RangeError(`--${named} ${why}`);
}

function notIn({ faults, hasFaultsMs, hasClients, hasGroups, hasClassic }: WorldChoices): string[] {
  return [
    ...(faults.length > 0 ? [] : ['faults']),
    ...(hasFaultsMs ? [] : ['fault-ms', 'shrink']),
    ...(hasClients ? [] : ['clients']),
    ...(hasGroups ? [] : ['groups']),
    ...(hasClassic ? [] : ['classic']),
  ];
}

function isOn(option: string, text: string): boolean {
  if (text !== 'on' && text !== 'off') throw new RangeError(`--${option} ${text}: must be on or off`);
  return text === 'on';
}
