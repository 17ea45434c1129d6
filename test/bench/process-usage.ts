/**
 * What processes cost, from /proc: CPU between two moments and memory at its peak, each process by its role. Also what
 * everybody else on the machine used meanwhile, since a figure taken on a busy machine says little.
 */
import { readFileSync } from 'node:fs';

/** Linux reports CPU time to users in hundredths of a second on every architecture. */
const TICKS_PER_S = 100;

export interface ProcessFigure {
  readonly role: string;
  readonly cpuS: number;
  readonly rssBytes: number;
  /** Since the process began. */
  readonly peakRssBytes: number;
}

export interface UsageReport {
  readonly elapsedS: number;
  readonly processes: readonly ProcessFigure[];
  /** Average number of cores that other programs kept busy. */
  readonly othersCores: number;
}

/** User and system time of all threads, in seconds. */
function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The command name before the last parenthesis may contain anything; fields 14 and 15 follow it as 11 and 12.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S;
}

/** Resident now and at most, in bytes. */
export function memoryOf(pid: number): { rssBytes: number; peakRssBytes: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const bytesOf = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) * 1024;
  return { rssBytes: bytesOf('VmRSS'), peakRssBytes: bytesOf('VmHWM') };
}

/** Seconds that all cores together were busy since boot. */
function machineBusyS(): number {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = readFileSync('/proc/stat', 'utf8')
    .split('\n', 1)[0]!
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return (user + nice + system + irq + softirq) / TICKS_PER_S;
}

/** Measures from its making to `end`. */
export class UsageWatch {
  readonly #pids: ReadonlyMap<string, number>;
  readonly #startedMs = performance.now();
  readonly #machineS = machineBusyS();
  readonly #cpuS: ReadonlyMap<string, number>;

  constructor(pids: ReadonlyMap<string, number>) {
    this.#pids = pids;
    this.#cpuS = new Map([...pids].map(([role, pid]) => [role, cpuSecondsOf(pid)]));
  }

  end(): UsageReport {
    const elapsedS = (performance.now() - this.#startedMs) / 1000;
    const processes = [...this.#pids].map(([role, pid]) => ({
      role,
      cpuS: cpuSecondsOf(pid) - this.#cpuS.get(role)!,
      ...memoryOf(pid),
    }));
    const oursS = processes.reduce((sum, { cpuS }) => sum + cpuS, 0);
    return {
      elapsedS,
      processes,
      othersCores: Math.max(0, machineBusyS() - this.#machineS - oursS) / elapsedS,
    };
  }
}

/** The largest share of one core that any of the processes used. */
export function busiestShare({ processes, elapsedS }: UsageReport): number {
  return Math.max(...processes.map(({ cpuS }) => cpuS / elapsedS));
}
