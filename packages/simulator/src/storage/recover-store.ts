/** Opens a data directory after a crash and judges every log in it by the ledgers of the time of the crash. */
import {
  type Clock,
  type Logger,
  MillraceError,
  type Random,
  randomUuid,
  SeededRandom,
  silentLogger,
} from '@millrace/core';
import {
  type FileSystem,
  LogStore,
  type PartitionLog,
  type StorageConfig,
  storageConfig,
} from '@millrace/storage';
import type { LedgerView } from './log-ledger.ts';
import { checkRecoveredLog, type RecoveredLog } from './recovered-log-check.ts';
import { StorageViolation } from './storage-invariant.ts';

export const HOME = '/data';
export const IDENTITY = {
  clusterId: 'storage-world',
  nodeId: 1,
  directoryId: randomUuid(new SeededRandom(8)),
};

/** Smaller than a configuration file may ask for, so that rare paths are common. */
export const SMALL_STORE: StorageConfig = {
  ...storageConfig.parse({}),
  'journal.file.bytes': 4096,
  'log.dir.reserve.bytes': 2000,
  'journal.max.bytes': 16_384,
  'journal.round.bytes': 2048,
  'journal.bypass.bytes': 700,
  'open.files.max': 16,
  'tail.cache.bytes': 4096,
  'tail.cache.partition.bytes': 1024,
  // Logs are compacted when the workload says so, in many small steps and with room for few keys.
  'log.cleaner.enable': false,
  'log.cleaner.io.buffer.size': 1024,
  'log.cleaner.dedupe.buffer.size': 256,
};

export interface RecoverOptions {
  readonly fileSystem: FileSystem;
  readonly clock: Clock;
  readonly random: Random;
  readonly views: readonly LedgerView[];
  /** What the crash left: what was durable (power loss), or all that was written (the process died). */
  readonly survives: 'durable' | 'written';
  /** Whether `format` had returned. */
  readonly isFormatted: boolean;
  readonly logger?: Logger;
}

export interface RecoveredStore {
  readonly store: LogStore;
  /** In the order of the views; undefined for those that are not there. */
  readonly logs: readonly (FoundLog | undefined)[];
}

export interface FoundLog {
  readonly log: PartitionLog;
  /** Undefined for one that is rightly offline and waits for its repair. */
  readonly recovered: RecoveredLog | undefined;
}

/** @throws {StorageViolation} */
export async function recoverStore(options: RecoverOptions): Promise<RecoveredStore> {
  const { fileSystem, clock, random, views, survives, logger = silentLogger } = options;
  await formatIfBlank(options);
  const store = await LogStore.open({
    path: HOME,
    fileSystem,
    clock,
    random: new SeededRandom(1),
    logger,
    config: SMALL_STORE,
    expected: IDENTITY,
  });
  const open = async (view: LedgerView) => {
    if (view.isDeleted) return undefined;
    const { topic, partition, topicId } = view;
    return await store.openPartition({ topic, partition, topicId }, view.config);
  };
  const opened: (PartitionLog | undefined)[] = [];
  if (random.uint32() % 2 === 0) opened.push(...(await Promise.all(views.map(open))));
  else for (const view of views) opened.push(await open(view));
  store.forgetUnopened();
  const logs: FoundLog[] = [];
  for (const [i, log] of opened.entries()) {
    if (log === undefined) continue;
    const view = views[i]!;
    if (log.offline?.code === 'LOG_DAMAGED' && view.mayBeDamaged) {
      logs[i] = { log, recovered: undefined };
      continue;
    }
    // A kernel that failed to sync may drop what it had not written.
    const promisedTo = survives === 'durable' || view.mayBeDamaged ? view.durableTo : view.writtenTo;
    try {
      logs[i] = { log, recovered: await checkRecoveredLog(log, view, promisedTo, random) };
    } catch (error) {
      // A read may find what the kernel dropped.
      if (!view.mayBeDamaged || log.offline?.code !== 'LOG_DAMAGED') throw error;
      logs[i] = { log, recovered: undefined };
    }
  }
  return { store, logs: views.map((_, i) => logs[i]) };
}

async function formatIfBlank({ fileSystem, isFormatted }: RecoverOptions): Promise<void> {
  if (fileSystem.statSync(`${HOME}/meta.properties`) !== undefined) return;
  if (isFormatted) {
    const notice = new MillraceError('NOT_FORMATTED');
    throw new StorageViolation(50, 'the directory was formatted and is blank', notice);
  }
  await LogStore.format(fileSystem, HOME, IDENTITY);
}
