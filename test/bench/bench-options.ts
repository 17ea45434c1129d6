/** The command line of `npm run bench`. */
import { parseArgs } from 'node:util';

export interface BenchOptions {
  readonly json: string | undefined;
  readonly only: readonly string[] | undefined;
  readonly seconds: number;
  readonly quick: boolean;
}

export const USAGE = `npm run bench -- [options]

  --only ROW,ROW   only these rows, and those they are judged against
  --seconds N      how long each throughput row measures after its warm-up (default 10; 3 with --quick)
  --quick          fewer repetitions and smaller amounts: shows that everything runs, not how fast it is
  --json FILE      also writes everything as JSON
  --list           names the rows
  --versus kafka   side by side with Apache Kafka, under its own clients; \`--versus kafka --help\` for its options`;

/** @returns undefined if the rows are only to be listed. @throws {Error} naming what is wrong with the arguments. */
export function parseBenchOptions(
  args: readonly string[],
  rowNames: readonly string[],
): BenchOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: 'string' },
      only: { type: 'string' },
      seconds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
    },
  });
  if (values.list) return undefined;
  const only = values.only?.split(',').map((name) => name.trim());
  const unknown = only?.filter((name) => !rowNames.includes(name)) ?? [];
  if (unknown.length > 0) throw new Error(`no such row: ${unknown.join(', ')}; rows: ${rowNames.join(', ')}`);
  const seconds = Number(values.seconds ?? (values.quick ? 3 : 10));
  if (!(seconds >= 1 && seconds <= 600)) throw new Error('--seconds takes a number from 1 to 600');
  return { json: values.json, only, seconds, quick: values.quick };
}
