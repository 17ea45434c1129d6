/** On what a run was made: figures mean nothing without it. */
import { execFileSync } from 'node:child_process';
import { readFileSync, statfsSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';

const TMPFS_TYPE = 0x01021994;

export interface Machine {
  readonly cores: number;
  readonly cpu: string;
  readonly memoryBytes: number;
  readonly kernel: string;
  readonly node: string;
  readonly fileSystem: string;
  readonly loadAverage: number;
  readonly commit: string;
}

function fileSystemOf(folder: string): string {
  const mounts = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .filter(
      ([, point]) =>
        point !== undefined && (folder === point || folder.startsWith(point.replace(/\/?$/, '/'))),
    )
    .sort((a, b) => b[1]!.length - a[1]!.length);
  return mounts[0]?.[2] ?? 'unknown';
}

function commitOf(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return 'unknown';
  }
}

export function describeMachine(folder: string): Machine {
  return {
    cores: cpus().length,
    cpu: cpus()[0]?.model ?? 'unknown',
    memoryBytes: totalmem(),
    kernel: release(),
    node: process.version,
    fileSystem: fileSystemOf(folder),
    loadAverage: loadavg()[0]!,
    commit: commitOf(),
  };
}

/** A folder in memory has no fsync worth measuring. */
export function isInMemory(folder: string): boolean {
  return statfsSync(folder).type === TMPFS_TYPE;
}

/** Files and sockets that a process started from here may have open; Node.js raises the soft limit to the hard one. */
export function openFilesMax(): number {
  const line = /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
  return line?.[1] === undefined || line[1] === 'unlimited' ? Infinity : Number(line[1]);
}
