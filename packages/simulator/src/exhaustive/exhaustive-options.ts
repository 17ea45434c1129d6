/** The command line of `npm run simulate -- --world exhaustive`. */
import { parseArgs } from 'node:util';
import { type NumberRange, numberOption } from '../simulate/number-option.ts';
import { DEFAULT_LIMITS, type SearchOptions } from './search-quorums.ts';

export type ExhaustiveOptions = SearchOptions & {
  /** A file with steps to take instead. */
  readonly script: string | undefined;
};

export const EXHAUSTIVE_STATES = 1_000_000;

const { perLinkMax, budget } = DEFAULT_LIMITS;

export const EXHAUSTIVE_HELP = `npm run simulate -- --world exhaustive [options]

  --states N        ends with so many distinct states (default: ${EXHAUSTIVE_STATES})
  --epochs N        nobody stands for a later epoch (default: ${budget.epochMax})
  --in-flight N     messages on one link (default: ${perLinkMax})
  --timeouts N      on one path, as all that follow (default: ${budget.timeouts})
  --crashes N       (default: ${budget.crashes})
  --proposals N     (default: ${budget.proposals})
  --heartbeats N    besides those that begin an epoch (default: ${budget.heartbeats})
  --losses N        of messages that make room for others (default: ${budget.losses}); any number is never received
  --script FILE     takes the steps that an earlier search printed, one a line

Exit code 0 if every state kept every invariant, 1 if one did not, 2 if the options are wrong.
`;

const STATES: NumberRange = { least: 1, most: 2 ** 27 };
const EPOCHS: NumberRange = { least: 1, most: 14 };
const IN_FLIGHT: NumberRange = { least: 1, most: 100 };
const TIMES: NumberRange = { least: 0, most: 12 };

/** @throws {RangeError | TypeError} naming what is wrong. @returns undefined if help was asked for. */
export function parseExhaustiveOptions(args: readonly string[]): ExhaustiveOptions | undefined {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      world: text,
      states: text,
      epochs: text,
      'in-flight': text,
      timeouts: text,
      heartbeats: text,
      losses: text,
      crashes: text,
      proposals: text,
      script: text,
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const number = (
    name: Exclude<keyof typeof values, 'help'>,
    range: NumberRange,
    otherwise: number,
  ): number => {
    const given = values[name];
    return given === undefined ? otherwise : numberOption(`--${name}`, given, range);
  };
  return {
    statesMax: number('states', STATES, EXHAUSTIVE_STATES),
    perLinkMax: number('in-flight', IN_FLIGHT, perLinkMax),
    budget: {
      timeouts: number('timeouts', TIMES, budget.timeouts),
      heartbeats: number('heartbeats', TIMES, budget.heartbeats),
      losses: number('losses', TIMES, budget.losses),
      crashes: number('crashes', TIMES, budget.crashes),
      proposals: number('proposals', TIMES, budget.proposals),
      epochMax: number('epochs', EPOCHS, budget.epochMax),
    },
    script: values.script,
  };
}
