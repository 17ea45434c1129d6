/** The `millrace` command in a process: everything of the CLI, and the commands that run and prepare nodes. */
import { processEnvironment, runProgram } from '@millrace/cli';
import { devCommand } from './commands/dev-command.ts';
import { serverCommand } from './commands/server-command.ts';
import { storageCommand } from './commands/storage-command.ts';
import { isNodeKey } from './node-config.ts';
import { VERSION } from './version.ts';

/** Runs the command line of this process and ends it with the command's exit code. */
export async function main(): Promise<void> {
  const environment = { ...processEnvironment(VERSION), isNodeKey };
  // A node that `millrace dev` started ends in order when that is gone.
  if (process.connected) process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  const exitCode = await runProgram(process.argv.slice(2), environment, [
    serverCommand,
    devCommand,
    storageCommand,
  ]);
  process.exit(exitCode);
}
