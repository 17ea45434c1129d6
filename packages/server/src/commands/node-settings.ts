/** Where a node's settings come from, weakest first: the file, the environment, `-X` on the command line. */
import { readFile } from 'node:fs/promises';
import { type CommandContext, notFound } from '@millrace/cli';
import { MillraceError } from '@millrace/core';
import { environmentProperties } from '../environment-properties.ts';
import { isNodeKey, type NodeConfig, parseNodeConfig, withoutAliases } from '../node-config.ts';
import { parseProperties } from '../properties-file.ts';

/** @throws {MillraceError} INVALID_CONFIG for an unreadable file or wrong settings; {CliError} NOT_FOUND without the file. */
export async function readNodeConfig(context: CommandContext, file: string | undefined): Promise<NodeConfig> {
  const fromFile = file === undefined ? {} : parseProperties(await readText(file));
  return parseNodeConfig({
    ...withoutAliases(fromFile),
    ...withoutAliases(environmentProperties(context.environment.env, isNodeKey)),
    ...withoutAliases(context.options.properties),
  });
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw notFound(`there is no file ${file}`);
    throw new MillraceError('INVALID_CONFIG', `cannot read ${file}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
