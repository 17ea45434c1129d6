/**
 * Whose a data directory is: `meta.properties`, written when it is formatted and once more when the node's metadata
 * quorum is known. Nothing here changes or guesses what it says.
 */
import { invariant, MillraceError, type NodeId } from '@millrace/core';
import type { FileSystem } from './file-system.ts';
import { storageFailure } from './storage-failure.ts';
import { formatMetaProperties, type MetaProperties, parseMetaProperties } from './text-files.ts';
import { makeDirectoryDurably, readWhole, replaceWholeDurably } from './whole-file.ts';

export type DirectoryIdentity = MetaProperties;

export interface ExpectedIdentity {
  readonly clusterId?: string;
  readonly nodeId?: NodeId;
}

const META_PROPERTIES = 'meta.properties';

/** Prepares a directory for its first use. @throws {MillraceError} INVALID_REQUEST if it is in use by a cluster already; DISK_FULL, KAFKA_STORAGE_ERROR. */
export async function formatDirectory(
  fileSystem: FileSystem,
  path: string,
  identity: DirectoryIdentity,
): Promise<void> {
  const file = `${path}/${META_PROPERTIES}`;
  try {
    await makeDirectoryDurably(fileSystem, path);
    if (fileSystem.statSync(file) !== undefined) {
      throw new MillraceError('INVALID_REQUEST', `${path} is formatted already`);
    }
    await replaceWholeDurably(fileSystem, file, formatMetaProperties(identity));
  } catch (error) {
    throw storageFailure(`${path} cannot be formatted`, error);
  }
}

/** Adds the quorum to an identity that has none. Durable once it resolves. @throws {MillraceError} DISK_FULL, KAFKA_STORAGE_ERROR */
export async function keepQuorumId(
  fileSystem: FileSystem,
  path: string,
  identity: DirectoryIdentity,
  quorumId: string,
): Promise<DirectoryIdentity> {
  invariant(identity.quorumId === undefined, 'a directory belongs to one quorum', { path, quorumId });
  const kept = { ...identity, quorumId };
  try {
    await replaceWholeDurably(fileSystem, `${path}/${META_PROPERTIES}`, formatMetaProperties(kept));
  } catch (error) {
    throw storageFailure(`${path}/${META_PROPERTIES} cannot be written`, error);
  }
  return kept;
}

/** Undefined if it is not formatted. @throws {MillraceError} KAFKA_STORAGE_ERROR if nobody can tell. */
export function readIdentity(fileSystem: FileSystem, path: string): DirectoryIdentity | undefined {
  const file = `${path}/${META_PROPERTIES}`;
  const bytes = readFile(fileSystem, file);
  const meta = bytes && parseMetaProperties(bytes.toString());
  if (bytes !== undefined && meta === undefined) {
    throw new MillraceError('KAFKA_STORAGE_ERROR', `${file} is damaged; restore its four lines`);
  }
  return meta;
}

/** @throws {MillraceError} NOT_FORMATTED */
export function checkFormatted(fileSystem: FileSystem, path: string): void {
  if (fileSystem.statSync(`${path}/${META_PROPERTIES}`) !== undefined) return;
  throw new MillraceError('NOT_FORMATTED', `${path} is not formatted; run "millrace storage format"`);
}

/** Of a formatted directory. @throws {MillraceError} INCONSISTENT_CLUSTER_ID; KAFKA_STORAGE_ERROR */
export function checkIdentity(
  fileSystem: FileSystem,
  path: string,
  expected: ExpectedIdentity | undefined,
): DirectoryIdentity {
  const meta = readIdentity(fileSystem, path)!;
  if (expected?.clusterId !== undefined && expected.clusterId !== meta.clusterId) {
    throw new MillraceError(
      'INCONSISTENT_CLUSTER_ID',
      `${path} belongs to cluster ${meta.clusterId}, this node to ${expected.clusterId}`,
    );
  }
  if (expected?.nodeId !== undefined && expected.nodeId !== meta.nodeId) {
    throw new MillraceError(
      'INCONSISTENT_CLUSTER_ID',
      `${path} belongs to node ${meta.nodeId}; this is node ${expected.nodeId}`,
    );
  }
  return meta;
}

function readFile(fileSystem: FileSystem, file: string): Buffer | undefined {
  try {
    return readWhole(fileSystem, file);
  } catch (error) {
    throw storageFailure(`${file} cannot be read`, error);
  }
}
