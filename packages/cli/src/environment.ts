/**
 * Everything the command line takes from outside: streams, variables, time, the way to a cluster. Programs run
 * against it in tests without a process. Never reads `process` itself; `process-environment.ts` does.
 */
import type { Readable, Writable } from 'node:stream';
import type { Clock } from '@millrace/core';
import type { Connect } from './cluster-client.ts';

export interface CliEnvironment {
  readonly stdin: Readable;
  /** Data only. */
  readonly stdout: Writable;
  /** Messages, progress, questions and errors. */
  readonly stderr: Writable;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly isTerminal: { readonly stdin: boolean; readonly stdout: boolean; readonly stderr: boolean };
  readonly homeDirectory: string;
  readonly version: string;
  /** The version of Node.js, for people. */
  readonly runtime: string;
  readonly clock: Clock;
  /** Aborted by the first SIGINT or SIGTERM; `reason` is the signal's name. A second one ends the process. */
  readonly interrupted: AbortSignal;
  readonly connect: Connect;
  /** Whether a node knows the key from its configuration file. Absent: nothing is known of nodes here. */
  readonly isNodeKey?: (key: string) => boolean;
}
