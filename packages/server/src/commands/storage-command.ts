/** `millrace storage`: prepares and shows data directories. A server never formats one unless told to. */
import { CliError, EXIT, type ExitCode, type ProgramExtension, usageError } from '@millrace/cli';
import { systemRandom } from '@millrace/client';
import { randomUuid } from '@millrace/core';
import { type DirectoryIdentity, LogStore, NodeFileSystem } from '@millrace/storage';
import { checkClusterId, checkDirectory } from '../data-directory.ts';
import { readNodeConfig } from './node-settings.ts';

export const storageCommand: ProgramExtension = (program, shell) => {
  const storage = program.command('storage').description('Prepare data directories.');

  storage
    .command('format')
    .description('Prepare the data directory of a node.')
    .requiredOption(
      '--cluster-id <id>',
      'the same on every node; make one with "millrace storage random-uuid"',
    )
    .option('--config <file>', 'server.properties to read')
    .option('--ignore-formatted', 'succeed if the directory is formatted already')
    .addHelpText(
      'after',
      '\nExample:\n  millrace storage format --cluster-id "$(millrace storage random-uuid)" --config server.properties',
    )
    .action(
      shell.action<{ clusterId: string; config?: string; ignoreFormatted?: boolean }>(
        async (context, options): Promise<ExitCode> => {
          checkClusterId('--cluster-id', options.clusterId, usageError);
          const { properties } = await readNodeConfig(context, options.config);
          const path = properties['log.dirs'];
          const identity = {
            clusterId: options.clusterId,
            nodeId: properties['node.id'],
            directoryId: randomUuid(systemRandom()),
          };
          const fileSystem = new NodeFileSystem();
          checkDirectory('log.dirs', fileSystem, path);
          const present = LogStore.readIdentity(fileSystem, path);
          if (present !== undefined) {
            if (!options.ignoreFormatted || !isSameNode(present, identity)) throw inUse(path, present);
            context.note(`${path} is formatted already.`);
            return EXIT.ok;
          }
          await LogStore.format(fileSystem, path, identity);
          await context.show({
            value: { path, ...identity },
            text: () => `Formatted ${path} for node ${identity.nodeId} of cluster ${identity.clusterId}.\n`,
            names: () => [identity.directoryId],
          });
          return EXIT.ok;
        },
      ),
    );

  storage
    .command('random-uuid')
    .description('Print a random id, for a cluster.')
    .addHelpText('after', '\nExample:\n  millrace storage random-uuid')
    .action(
      shell.action(async (context) => {
        const id = randomUuid(systemRandom());
        await context.show({ value: { id }, text: () => `${id}\n`, names: () => [id] });
      }),
    );
};

function isSameNode(a: DirectoryIdentity, b: DirectoryIdentity): boolean {
  return a.clusterId === b.clusterId && a.nodeId === b.nodeId;
}

function inUse(path: string, { clusterId, nodeId }: DirectoryIdentity): CliError {
  return new CliError(
    'FORMATTED_ALREADY',
    EXIT.conflict,
    `${path} is formatted already: it belongs to node ${nodeId} of cluster ${clusterId}`,
    'Choose another directory in log.dirs. With --ignore-formatted a directory of this very node is fine.',
  );
}
