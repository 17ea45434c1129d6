/** Which core runs what: servers on the first, clients on the second, so that neither takes time from the other. */
import { execFileSync } from 'node:child_process';
import { cpus } from 'node:os';

const SERVER_CORE = '0';
const CLIENT_CORE = '1';

export const ON_SERVER_CORE = ['taskset', '-c', SERVER_CORE] as const;
export const ON_CLIENT_CORE = ['taskset', '-c', CLIENT_CORE] as const;

/** Why processes cannot be pinned here; undefined if they can. */
export function lackOfPinning(): string | undefined {
  if (cpus().length < 2) return 'two cores are needed, one for the servers and one for the client';
  try {
    execFileSync('taskset', ['-c', SERVER_CORE, 'true'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'taskset is not usable here';
  }
}
