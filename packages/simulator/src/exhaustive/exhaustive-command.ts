/** `npm run simulate -- --world exhaustive [--states N] …`: reads options, searches, and prints what was found. */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { QuorumStates } from './quorum-states.ts';
import { DEFAULT_LIMITS, type SearchFound, type SearchOptions, searchQuorums } from './search-quorums.ts';
import { Way } from './starting-points.ts';
import { productionReplica } from './voter-life.ts';

export const EXHAUSTIVE_STATES = 1_000_000;

const { timeouts, heartbeats, losses, crashes, proposals } = DEFAULT_LIMITS.budget;
const DEFAULT_BUDGET = [timeouts, heartbeats, losses, crashes, proposals].join(', ');

export const EXHAUSTIVE_HELP = `npm run simulate -- --world exhaustive [options]

  --states N        ends with so many distinct states (default: ${EXHAUSTIVE_STATES})
  --epochs N        nobody stands for a later epoch (default: ${DEFAULT_LIMITS.budget.epochMax})
  --in-flight N     messages on one link (default: ${DEFAULT_LIMITS.perLinkMax})
  --timeouts N, --heartbeats N, --losses N, --crashes N, --proposals N
                    how often each may happen on one path (default: ${DEFAULT_BUDGET})
  --script FILE     takes the steps of a file that an earlier search printed, one a line
`;

/** @returns the exit code: 1 if an invariant was broken. @throws {RangeError | TypeError} naming what is wrong. */
export function exhaustiveCommand(args: readonly string[], nowMs: () => number): number {
  const { values } = parseArgs({
    args: [...args],
    options: {
      world: { type: 'string' },
      states: { type: 'string' },
      epochs: { type: 'string' },
      'in-flight': { type: 'string' },
      timeouts: { type: 'string' },
      heartbeats: { type: 'string' },
      losses: { type: 'string' },
      crashes: { type: 'string' },
      proposals: { type: 'string' },
      script: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(EXHAUSTIVE_HELP);
    return 0;
  }
  if (values.script !== undefined) return replay(readFileSync(values.script, 'utf8'));
  const of = (name: Exclude<keyof typeof values, 'help'>, otherwise: number, most: number): number =>
    count(name, values[name], otherwise, most);
  const { perLinkMax, budget } = DEFAULT_LIMITS;
  return search(
    {
      statesMax: of('states', EXHAUSTIVE_STATES, 2 ** 28),
      perLinkMax: of('in-flight', perLinkMax, 100),
      budget: {
        timeouts: of('timeouts', budget.timeouts, 15),
        heartbeats: of('heartbeats', budget.heartbeats, 15),
        losses: of('losses', budget.losses, 15),
        crashes: of('crashes', budget.crashes, 15),
        proposals: of('proposals', budget.proposals, 12),
        epochMax: of('epochs', budget.epochMax, 14),
      },
    },
    nowMs,
  );
}

/** @returns the exit code. */
export function search(options: SearchOptions, nowMs: () => number): number {
  const startedMs = nowMs();
  const seconds = (): number => (nowMs() - startedMs) / 1_000;
  const found = searchQuorums({
    ...options,
    onProgress: (sums) => {
      if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${progressLine(sums, seconds())}`);
    },
  });
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  console.log(summaryOf(options, found, seconds()));
  return found.violation === undefined ? 0 : 1;
}

function progressLine({ states, depth, steps, localStates }: SearchFound, seconds: number): string {
  const each = Math.round(states / Math.max(0.001, seconds));
  return `exhaustive: ${states} distinct states in ${seconds.toFixed(1)} s, ${each} states/s, all within ${depth} steps of a starting point, ${steps} steps taken, ${localStates} states of one voter`;
}

function summaryOf(options: SearchOptions, found: SearchFound, seconds: number): string {
  const { timeouts, heartbeats, losses, crashes, proposals, epochMax } = options.budget;
  const { isComplete, messages, epochs, committed, violation } = found;
  const lines = [
    progressLine(found, seconds),
    `  3 voters, ${epochMax} epochs, ${options.perLinkMax} messages on a link, ${timeouts} timeouts, ${heartbeats} heartbeats, ${losses} losses, ${crashes} crashes, ${proposals} proposals`,
    `  ${messages} different messages, ${epochs} epochs led, ${committed} records committed, ${isComplete ? 'nothing is left within these limits' : 'more states lie beyond'}`,
  ];
  if (violation === undefined) return [...lines, 'every state keeps every invariant'].join('\n');
  return [
    ...lines,
    '',
    `violated:  ${violation.text}`,
    'steps (replay: --world exhaustive --script FILE with these lines):',
    ...violation.path,
  ].join('\n');
}

function replay(script: string): number {
  const way = new Way(new QuorumStates({ perLinkMax: 100 }, productionReplica));
  for (const line of script.split('\n')) {
    if (line.trim() === '') continue;
    way.follow(line);
    if (way.violation === undefined) continue;
    console.log(`violated:  ${way.violation}\nby:        ${line}`);
    return 1;
  }
  console.log(`${way.path.length} steps, and every state keeps every invariant`);
  return 0;
}

function count(name: string, text: string | undefined, otherwise: number, most: number): number {
  const value = text === undefined ? otherwise : Number(text);
  if (!Number.isInteger(value) || value < 0 || value > most)
    throw new RangeError(`--${name}=${text} is no number from 0 to ${most}`);
  return value;
}
