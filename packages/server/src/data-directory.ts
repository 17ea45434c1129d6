/** A node's data directory: whether it was prepared, and preparing it when that was asked for. Never formats unasked. */
import { dirname } from 'node:path';
import { type Clock, type Logger, MillraceError, type Random, randomUuid } from '@millrace/core';
import { diskErrorCode, type FileSystem, LogStore } from '@millrace/storage';
import type { NodeConfig } from './node-config.ts';

const IDENTITY_FILE = 'meta.properties';
const CLUSTER_ID = /^[A-Za-z0-9_-]{22}$/;

export function isFormatted(fileSystem: FileSystem, path: string): boolean {
  return fileSystem.statSync(`${path}/${IDENTITY_FILE}`) !== undefined;
}

/**
 * @param source where it was given, for people.
 * @throws what `failure` makes, MillraceError INVALID_CONFIG by default, unless it is a uuid as Kafka writes it.
 */
export function checkClusterId(source: string, clusterId: string, failure = invalidConfig): void {
  if (CLUSTER_ID.test(clusterId)) return;
  throw failure(
    `${source}=${clusterId} must be 22 characters of base64url; "millrace storage random-uuid" makes one`,
  );
}

function invalidConfig(message: string): Error {
  return new MillraceError('INVALID_CONFIG', message);
}

/**
 * @param source where it was given, for people.
 * @throws what `failure` makes if the path, or something on its way, is no directory. A missing one is fine.
 */
export function checkDirectory(
  source: string,
  fileSystem: FileSystem,
  path: string,
  failure = invalidConfig,
): void {
  const fault = directoryFault(fileSystem, path);
  if (fault !== undefined) throw failure(`${source}=${path} ${fault}`);
}

function directoryFault(fileSystem: FileSystem, path: string): string | undefined {
  try {
    const found = fileSystem.statSync(path);
    if (found !== undefined) return found.isDirectory ? undefined : 'names a file, not a directory';
    // Some versions of Node.js say of a path through a file only that nothing is there.
    const parent = dirname(path);
    return parent === path || directoryFault(fileSystem, parent) === undefined
      ? undefined
      : 'leads through a file';
  } catch (error) {
    if (diskErrorCode(error) === 'ENOTDIR') return 'leads through a file';
    return `cannot be used: ${(error as Error).message}`;
  }
}

export interface DataDirectoryOptions {
  readonly fileSystem: FileSystem;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Formats an unformatted directory for this cluster, and refuses one of another cluster. */
  readonly clusterId: string | undefined;
}

/** @throws {MillraceError} INVALID_CONFIG, NOT_FORMATTED, DIRECTORY_LOCKED, INCONSISTENT_CLUSTER_ID. */
export async function openDataDirectory(
  config: NodeConfig,
  options: DataDirectoryOptions,
): Promise<LogStore> {
  const { fileSystem, clock, random, logger, clusterId } = options;
  const path = config.properties['log.dirs'];
  const nodeId = config.properties['node.id'];
  if (clusterId !== undefined) checkClusterId('clusterId', clusterId);
  checkDirectory('log.dirs', fileSystem, path);
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
