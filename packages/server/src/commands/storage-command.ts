/** `millrace storage`: prepares and shows data directories. A server never formats one unless told to. */
import { EXIT, type ExitCode, type ProgramExtension } from '@millrace/cli';
import { systemRandom } from '@millrace/client';
import { MillraceError, randomUuid } from '@millrace/core';
import { LogStore, NodeFileSystem } from '@millrace/storage';
import { isFormatted } from '../data-directory.ts';
import { readNodeConfig } from './node-settings.ts';

const UUID = /^[A-Za-z0-9_-]{22}$/;

export const storageCommand: ProgramExtension = (program, shell) => {
  const storage = program.command('storage').description('prepare data directories');

  storage
    .command('format')
    .description('prepare the data directory of a node')
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
          const { properties } = await readNodeConfig(context, options.config);
          if (!UUID.test(options.clusterId)) {
            throw new MillraceError(
              'INVALID_REQUEST',
              `cluster id "${options.clusterId}" is not 22 characters of base64url`,
            );
          }
          const path = properties['log.dirs'];
          const identity = {
            clusterId: options.clusterId,
            nodeId: properties['node.id'],
            directoryId: randomUuid(systemRandom()),
          };
          const fileSystem = new NodeFileSystem();
          if (options.ignoreFormatted && isFormatted(fileSystem, path)) {
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
    .description('print a random id, for a cluster')
    .action(
      shell.action(async (context) => {
        const id = randomUuid(systemRandom());
        await context.show({ value: { id }, text: () => `${id}\n`, names: () => [id] });
      }),
    );
};
