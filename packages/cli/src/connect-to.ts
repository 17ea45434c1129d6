/** Makes the client of a command. All that it is made of comes from flags, so that a fault in it is a wrong call. */
import type { MillraceOptions } from '@millrace/client';
import { MillraceError } from '@millrace/core';
import { usageError } from './cli-error.ts';
import type { ClusterClient } from './cluster-client.ts';
import type { CliEnvironment } from './environment.ts';

/** Does no I/O. @throws {CliError} USAGE */
export function connectTo({ connect }: CliEnvironment, options: MillraceOptions): ClusterClient {
  try {
    return connect(options);
  } catch (error) {
    if (!(error instanceof MillraceError) || error.code !== 'INVALID_CONFIG') throw error;
    throw usageError(error.message.replace(/^bootstrap /, '--bootstrap-server: '));
  }
}
