/**
 * How many files and connections a process may have is the operating system's to say (`ulimit -n`). A node that goes
 * beyond it would take logs for failed and close connections without a word: it keeps to less, and says so.
 */
import { readFileSync } from 'node:fs';
import type { NodeConfig } from './node-config.ts';

/** For everything that is neither a log nor a connection: metadata, journal, indexes for a moment, the runtime. */
const OTHER_FILES = 200;
/** Of what is left, logs take half at most: connections need the other. */
const LOGS_SHARE = 0.5;
const LOG_FILES_MIN = 16;

/** What is true of this process; undefined where the system does not say, and infinite for no limit. */
export function openFileLimit(readLimits = readProcLimits): number | undefined {
  // Node.js has raised the soft limit to the hard one by now.
  const limit = /^Max open files\s+(\S+)/m.exec(readLimits())?.[1];
  if (limit === undefined) return undefined;
  return limit === 'unlimited' ? Infinity : Number(limit);
}

function readProcLimits(): string {
  try {
    return readFileSync('/proc/self/limits', 'utf8');
  } catch {
    // Not Linux.
    return '';
  }
}

/** A configuration that fits, and what to tell whoever runs the node if that is less than was configured. */
export function fittedToFiles(
  config: NodeConfig,
  limit: number | undefined,
): { readonly config: NodeConfig; readonly warning: string | undefined } {
  const logFilesWanted = config.storage['open.files.max'];
  const connectionsWanted = config.rpc['max.connections'];
  const needed = logFilesWanted + connectionsWanted + OTHER_FILES;
  if (limit === undefined || needed <= limit) return { config, warning: undefined };
  const room = Math.max(0, limit - OTHER_FILES);
  const logFiles = Math.min(logFilesWanted, Math.max(LOG_FILES_MIN, Math.floor(room * LOGS_SHARE)));
  const connections = Math.min(connectionsWanted, Math.max(1, room - logFiles));
  return {
    config: Object.freeze({
      ...config,
      storage: { ...config.storage, 'open.files.max': logFiles },
      rpc: { ...config.rpc, 'max.connections': connections },
    }),
    warning:
      `the system lets this process have ${limit} files open (ulimit -n), and ${needed} would be needed: ` +
      `it takes ${connections} connections (max.connections is ${connectionsWanted}) and keeps ${logFiles} log files open ` +
      `(open.files.max is ${logFilesWanted}); raise the limit to have more`,
  };
}
