/** Runs a search, or the steps that one printed, and prints what was found. */
import { readFileSync } from 'node:fs';
import { QuorumStates } from './quorum-states.ts';
import { type SearchFound, type SearchOptions, searchQuorums } from './search-quorums.ts';
import { STARTING_POINTS, Way } from './starting-points.ts';
import { productionReplica } from './voter-life.ts';

/** @param nowMs from anywhere. @returns whether every state kept every invariant. */
export function runExhaustive(options: SearchOptions, nowMs: () => number): boolean {
  const startedMs = nowMs();
  const seconds = (): number => (nowMs() - startedMs) / 1_000;
  const { isTTY } = process.stderr;
  const found = searchQuorums({
    ...options,
    onProgress: (sums) => {
      if (isTTY) process.stderr.write(`\r\x1b[K${progressLine(sums, seconds())}`);
    },
  });
  if (isTTY) process.stderr.write('\r\x1b[K');
  console.log(summaryOf(options, found, seconds()));
  return found.violation === undefined;
}

function progressLine({ states, depths, steps }: SearchFound, seconds: number): string {
  const each = Math.round(states / Math.max(0.001, seconds));
  return `exhaustive: ${states} distinct states in ${seconds.toFixed(1)} s, ${each} states/s, depths ${depths.join(', ')}, ${steps} steps taken`;
}

function summaryOf(options: SearchOptions, found: SearchFound, seconds: number): string {
  const { timeouts, heartbeats, losses, crashes, proposals, epochMax } = options.budget;
  const { isComplete, localStates, messages, epochs, committed, depths, violation } = found;
  const points = (options.startingPoints ?? STARTING_POINTS).length;
  const lines = [
    progressLine(found, seconds),
    `  3 voters, ${epochMax} epochs, ${options.perLinkMax} messages on a link;` +
      ` at most on a path: timeouts ${timeouts}, crashes ${crashes}, proposals ${proposals}, heartbeats ${heartbeats}, losses to make room ${losses}`,
    `  ${localStates} states of one voter, ${messages} messages, ${epochs} epochs led, ${committed} records committed`,
  ];
  const reach = isComplete
    ? '  nothing is left within these limits'
    : `  complete from each of ${points} situations to so many steps, as more timeouts, crashes and proposals are allowed: ${depths.join(', ')}; more states lie beyond`;
  if (violation === undefined) return [...lines, reach, 'every state keeps every invariant'].join('\n');
  return [
    ...lines,
    '',
    `violated:  ${violation.text}`,
    'replay:    npm run simulate -- --world exhaustive --script FILE, with these lines in the file:',
    ...violation.path,
  ].join('\n');
}

/** @returns whether they kept every invariant. @throws {RangeError} for a step that cannot happen. */
export function replayScript(file: string): boolean {
  const way = new Way(new QuorumStates({ perLinkMax: 100 }, productionReplica));
  const steps = readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  for (const step of steps) {
    way.follow(step);
    if (way.violation === undefined) continue;
    console.log(`violated:  ${way.violation}\nby:        ${step}`);
    return false;
  }
  console.log(`${steps.length} steps, and every state keeps every invariant`);
  return true;
}
