/** A node's data directory: whether it was prepared, and preparing it when that was asked for. Never formats unasked. */
import { type Clock, type Logger, MillraceError, type Random, randomUuid } from '@millrace/core';
import { type FileSystem, LogStore } from '@millrace/storage';
import type { NodeConfig } from './node-config.ts';

const IDENTITY_FILE = 'meta.properties';

export function isFormatted(fileSystem: FileSystem, path: string): boolean {
  return fileSystem.statSync(`${path}/${IDENTITY_FILE}`) !== undefined;
}

export interface DataDirectoryOptions {
  readonly fileSystem: FileSystem;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Formats an unformatted directory for this cluster, and refuses one of another cluster. */
  readonly clusterId: string | undefined;
}

/** @throws {MillraceError} NOT_FORMATTED, DIRECTORY_LOCKED, INCONSISTENT_CLUSTER_ID. */
export async function openDataDirectory(
  config: NodeConfig,
  options: DataDirectoryOptions,
): Promise<LogStore> {
  const { fileSystem, clock, random, logger, clusterId } = options;
  const path = config.properties['log.dirs'];
  const nodeId = config.properties['node.id'];
  if (!isFormatted(fileSystem, path)) {
    if (clusterId === undefined) {
      throw new MillraceError(
        'NOT_FORMATTED',
        `${path} is not formatted; run "millrace storage format", or set MILLRACE_CLUSTER_ID for a first start`,
      );
    }
    await LogStore.format(fileSystem, path, { clusterId, nodeId, directoryId: randomUuid(random) });
    logger.info({ event: 'formatted', path, clusterId }, 'formatted the data directory');
  }
  const expected = { nodeId, ...(clusterId === undefined ? {} : { clusterId }) };
  return await LogStore.open({ path, fileSystem, clock, random, logger, config: config.storage, expected });
}
