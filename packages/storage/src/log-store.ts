/** One data directory. (Signatures first; the body follows.) */
import type { Clock, Logger, MillraceError, NodeId, Random } from '@millrace/core';
import type { FileSystem } from './file-system.ts';
import type { LogConfig } from './log-config.ts';
import type { PartitionId, PartitionLog } from './partition-log.ts';
import type { StorageConfig } from './storage-config.ts';

export interface LogStoreOptions {
  readonly path: string;
  readonly fileSystem: FileSystem;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly config: StorageConfig;
  readonly expected?: { readonly clusterId?: string; readonly nodeId?: NodeId };
}

export interface DirectoryIdentity {
  readonly clusterId: string;
  readonly nodeId: NodeId;
  readonly directoryId: string;
}

export declare class LogStore {
  static format(fileSystem: FileSystem, path: string, identity: DirectoryIdentity): Promise<void>;
  static open(options: LogStoreOptions): Promise<LogStore>;
  readonly path: string;
  readonly clusterId: string;
  readonly nodeId: NodeId;
  readonly directoryId: string;
  /** From the marker of a clean shutdown, or -1. */
  readonly previousBrokerEpoch: number;
  /** Called once when the durable path of the whole node fails. */
  onFailure: ((error: MillraceError) => void) | undefined;
  /** Bytes of durable appends that wait for the disk; the bound is journal.queue.bytes. */
  get journalBacklogBytes(): number;
  listPartitions(): PartitionId[];
  openPartition(id: PartitionId, config: LogConfig): Promise<PartitionLog>;
  deletePartition(log: PartitionLog): Promise<void>;
  /** Call when every partition that metadata assigns to this node is open: journal entries of others are dropped. */
  forgetUnopened(): void;
  setBrokerEpoch(epoch: number): void;
  /** Everything appended so far is on stable storage afterwards. */
  flush(): Promise<void>;
  close(options: { readonly clean: boolean }): Promise<void>;
}
