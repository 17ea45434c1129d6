/** One log in a new directory on the real disk, for those who look at its files or measure it. Removes nothing. */
import { type Clock, type Random, silentLogger } from '@millrace/core';
import {
  DEFAULT_LOG_CONFIG,
  type LogConfig,
  LogStore,
  NodeFileSystem,
  type PartitionLog,
  storageConfig,
} from '@millrace/storage';

export interface NewLogOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** What differs from the log's defaults. */
  readonly log?: Partial<LogConfig>;
  /** What differs from the store's defaults, by the names that operators use. */
  readonly store?: Readonly<Record<string, string>>;
}

/** Partition 0 of `topic`, alone in the directory `path`. Whoever asked closes the store. */
export async function newLog(
  path: string,
  topic: string,
  { clock, random, log = {}, store: settings = {} }: NewLogOptions,
): Promise<{ readonly store: LogStore; readonly log: PartitionLog }> {
  const fileSystem = new NodeFileSystem();
  const identity = {
    clusterId: 'dGVzdC1vZi1vbmUtbG9nAA',
    nodeId: 1,
    directoryId: 'ZGlyZWN0b3J5LTAwMDAwMQ',
  };
  await LogStore.format(fileSystem, path, identity);
  const config = storageConfig.parse(settings);
  const store = await LogStore.open({ path, fileSystem, clock, random, logger: silentLogger, config });
  const partition = { topic, partition: 0, topicId: 'dG9waWMtMDAwMDAwMDAwMQ' };
  return { store, log: await store.openPartition(partition, { ...DEFAULT_LOG_CONFIG, ...log }) };
}
