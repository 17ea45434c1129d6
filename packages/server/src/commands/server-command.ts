/** `millrace server`: one node in this process, until a signal or a fatal failure ends it. */
import { EXIT, type ExitCode, type ProgramExtension } from '@millrace/cli';
import { Deferred } from '@millrace/core';
import { createLogger } from '../create-logger.ts';
import { checkClusterId } from '../data-directory.ts';
import { favourYoungCollections } from '../garbage-collection.ts';
import { MillraceNode } from '../millrace-node.ts';
import { fittedToFiles, openFileLimit } from '../open-file-limit.ts';
import { readNodeConfig } from './node-settings.ts';

export const serverCommand: ProgramExtension = (program, shell) => {
  program
    .command('server')
    .description('Run a node: broker, controller or both.')
    .option('--config <file>', 'server.properties to read')
    .addHelpText(
      'after',
      `
Settings come from the file, then MILLRACE_* (node.id is MILLRACE_NODE_ID), then -X key=value.
MILLRACE_CLUSTER_ID with an empty data directory formats it for a first start.

Example:
  millrace server --config server.properties -X node.id=2`,
    )
    .action(
      shell.action<{ config?: string }>(async (context, { config: file }): Promise<ExitCode> => {
        favourYoungCollections();
        const { config, warning } = fittedToFiles(await readNodeConfig(context, file), openFileLimit());
        const logger = createLogger(config.properties['log.level'], { node: config.properties['node.id'] });
        if (warning !== undefined) logger.warn({ event: 'open_files_limited' }, warning);
        const clusterId = context.environment.env.MILLRACE_CLUSTER_ID;
        if (clusterId) checkClusterId('MILLRACE_CLUSTER_ID', clusterId);
        const failed = new Deferred<Error>();
        const node = await MillraceNode.bind(config, {
          logger,
          ...(clusterId ? { firstStartClusterId: clusterId } : {}),
          onFatal: (error) => failed.resolve(error),
        });
        const end = Promise.race([failed.promise, interruption(context.interrupted)]);
        const ended = await Promise.race([end, node.run(config.voters).then(() => end)]);
        if (ended === undefined) {
          logger.info({ event: 'stopping', signal: String(context.interrupted.reason) }, 'stopping in order');
          await node.close();
          logger.info({ event: 'stopped' }, 'stopped');
          return EXIT.ok;
        }
        logger.fatal({ event: 'node_failed', err: ended }, 'the node cannot go on');
        await node.abandon();
        return EXIT.failed;
      }),
    );
};

function interruption(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}
