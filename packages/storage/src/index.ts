/** Partition logs on disk: segments, indexes, recovery, group commit through one journal per node. */
export type { CompactionReport } from './compaction-pass.ts';
export type { DirectoryIdentity } from './directory-identity.ts';
export type { BatchEntry, DumpEntry } from './dump-entry.ts';
export { baseOffsetOf, type DumpOptions, dumpLogFile, isLogFile } from './dump-file.ts';
export {
  type DirectoryLock,
  type DiskEntry,
  type DiskFile,
  type DiskSpace,
  diskErrorCode,
  type FileSystem,
} from './file-system.ts';
export type { LeaderAppend } from './incoming-batches.ts';
export type { EpochEndOffset } from './leader-epochs-state.ts';
export { DEFAULT_LOG_CONFIG, type LogConfig } from './log-config.ts';
export { LogStore, type LogStoreOptions } from './log-store.ts';
export type { TimestampOffset } from './log-timestamps.ts';
export { MemoryFileSystem, type MemoryFileSystemOptions } from './memory-file-system.ts';
export { NodeFileSystem } from './node-file-system.ts';
export type { PartitionId } from './partition-id.ts';
export { PartitionLog } from './partition-log.ts';
export { type StorageConfig, storageConfig } from './storage-config.ts';
