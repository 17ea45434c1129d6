/** The command line of `npm run bench -- --versus kafka`. */
import { parseArgs } from 'node:util';

export interface VersusOptions {
  readonly only: readonly string[] | undefined;
  readonly seconds: number;
  readonly pairs: number;
  readonly json: string | undefined;
}

export const VERSUS_USAGE = `npm run bench -- --versus kafka [options]

  --only ROW,ROW   only these rows; a name that ends in * stands for all that begin so
  --pairs N        how often each side is measured, in turns (default 4)
  --seconds N      how long each slice of load lasts (default 2)
  --json FILE      also writes everything as JSON
  --list           names the rows

With the defaults it takes about twenty minutes. The first run also fetches and builds Kafka's jars and librdkafka.`;

const inRange = (name: string, text: string, lowest: number, highest: number): number => {
  const value = Number(text);
  if (!(value >= lowest && value <= highest)) {
    throw new Error(`--${name} takes a number from ${lowest} to ${highest}`);
  }
  return value;
};

function chosen(pattern: string, rowNames: readonly string[]): readonly string[] {
  const names = pattern.endsWith('*')
    ? rowNames.filter((name) => name.startsWith(pattern.slice(0, -1)))
    : rowNames.filter((name) => name === pattern);
  if (names.length === 0) throw new Error(`no such row: ${pattern}; rows: ${rowNames.join(', ')}`);
  return names;
}

/** @returns undefined if the rows are only to be listed. @throws {Error} naming what is wrong with the arguments. */
export function parseVersusOptions(
  args: readonly string[],
  rowNames: readonly string[],
): VersusOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      versus: { type: 'string' },
      only: { type: 'string' },
      pairs: { type: 'string', default: '4' },
      seconds: { type: 'string', default: '2' },
      json: { type: 'string' },
      list: { type: 'boolean', default: false },
    },
  });
  if (values.versus !== 'kafka') throw new Error('--versus takes kafka');
  if (values.list) return undefined;
  return {
    only: values.only?.split(',').flatMap((pattern) => chosen(pattern.trim(), rowNames)),
    pairs: Math.floor(inRange('pairs', values.pairs, 1, 100)),
    seconds: inRange('seconds', values.seconds, 1, 120),
    json: values.json,
  };
}
