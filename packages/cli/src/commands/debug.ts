/** `millrace debug`: looks inside files, without a server. */
import { stat } from 'node:fs/promises';
import { baseOffsetOf, type DumpEntry, dumpLogFile, isLogFile } from '@millrace/storage';
import type { Command } from 'commander';
import { CliError, notFound, usageError } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';
import { entryText, entryValue } from '../dump-text.ts';
import { EXIT } from '../exit-code.ts';
import type { OutputFormat } from '../global-options.ts';
import { toJson, toYaml } from '../plain-value.ts';
import type { Shell } from '../shell.ts';

export function debugCommand(program: Command, shell: Shell): void {
  const debug = program.command('debug').description('Look inside files, without a server.');
  debug
    .command('dump-log <file...>')
    .description(
      'Print segments, journal files, indexes, producer snapshots and checkpoints; exit code 1 if one is damaged.',
    )
    .option('-r, --records', 'with the records of each batch, keys and values included')
    .addHelpText(
      'after',
      '\nExample:\n  millrace debug dump-log data/orders-0/00000000000000000000.log --records',
    )
    .action(shell.action(dumpLogs));
}

async function dumpLogs(
  context: CommandContext,
  flags: { readonly records?: boolean },
  paths: readonly string[],
): Promise<void> {
  const { output } = context.options;
  let damaged = 0;
  for (const path of paths) await checkFile(path);
  for (const path of paths) {
    if (output === 'table' || output === 'wide') await context.stdout.write(heading(path));
    for await (const entry of dumpLogFile(path, { records: flags.records === true })) {
      context.throwIfInterrupted();
      if (entry.kind === 'damage') damaged += 1;
      await context.stdout.write(render(path, entry, output));
    }
  }
  if (damaged === 0) return;
  throw new CliError(
    'LOG_DAMAGED',
    EXIT.failed,
    `${damaged} ${damaged === 1 ? 'place is' : 'places are'} damaged`,
    'A log that was being written when its node died may end in a torn batch: recovery cuts it off at the next start.',
  );
}

/** Of several files, none is printed if one of the names is wrong. */
async function checkFile(path: string): Promise<void> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') throw notFound(`there is no file ${path}`);
    throw error;
  });
  if (found.isDirectory()) throw usageError(`${path} is a directory`, 'Name the files in it, as with *.log.');
  if (isLogFile(path)) return;
  throw usageError(
    `${path} is no file that can be dumped`,
    'There are .log, .index, .timeindex, .snapshot, .journal, *-checkpoint, partition.metadata and meta.properties.',
  );
}

function heading(path: string): string {
  const baseOffset = baseOffsetOf(path);
  const start =
    path.endsWith('.log') && baseOffset !== undefined ? `Log starting offset: ${baseOffset}\n` : '';
  return `Dumping ${path}\n${start}`;
}

function render(path: string, entry: DumpEntry, output: OutputFormat): string {
  switch (output) {
    case 'json':
      return `${toJson(entryValue(path, entry))}\n`;
    case 'yaml':
      return `---\n${toYaml(entryValue(path, entry))}`;
    case 'name':
      return entry.kind === 'batch' ? `${entry.baseOffset}\n` : '';
    default:
      return entryText(entry);
  }
}
