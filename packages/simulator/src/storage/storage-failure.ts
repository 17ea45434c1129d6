/** What a world of storage throws: the violation, and the command that shows the one state which broke it. */
import { SimulationFailure } from '../world/simulation-failure.ts';

const COMMAND = 'node packages/simulator/dist/storage/storage-main.js';

/** `replay`: the arguments of `storage-main`. */
export function storageFailure(
  seed: number,
  violation: string,
  replay: string,
  cause: unknown,
): SimulationFailure {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const facts = { seed, atMs: 0, eventCount: 0, process: '', last: new Map() };
  const text = `${violation}: ${reason} (that state alone: ${COMMAND} ${replay})`;
  return new SimulationFailure(text, facts, { cause });
}
