/** What all logs of one store share. */
import { BufferPool, type Clock, type Random } from '@millrace/core';
import type { FileSystem } from './file-system.ts';
import type { Journal } from './journal.ts';
import type { OpenFiles } from './open-files.ts';
import { ReadAheadRoom } from './read-ahead.ts';
import type { SpaceReserve } from './space-reserve.ts';
import type { StorageConfig } from './storage-config.ts';
import { TailCache } from './tail-cache.ts';

export interface LogResources {
  readonly fileSystem: FileSystem;
  readonly clock: Clock;
  readonly random: Random;
  readonly files: OpenFiles;
  readonly tailCache: TailCache;
  readonly readAheadRoom: ReadAheadRoom;
  readonly readBuffers: BufferPool;
  readonly journal: Journal;
  readonly space: SpaceReserve;
  readonly producerIdsMax: number;
  readonly checksReads: boolean;
  readonly damagedFoldersMax: number;
  /** Writes recovery points and log start offsets down durably. */
  checkpoint(): Promise<void>;
  /** Something that the periodic checkpoint writes has changed. */
  checkpointLater(): void;
  /** Removes these files `delayMs` from now. */
  removeLater(paths: readonly string[], delayMs: number): void;
}

/** Memory that logs share to answer readers from. */
export function readMemory(
  config: StorageConfig,
  clock: Clock,
): Pick<LogResources, 'tailCache' | 'readAheadRoom' | 'readBuffers'> {
  const readBuffers = new BufferPool({ bytesMax: config['read.buffers.bytes'] });
  return {
    readBuffers,
    tailCache: new TailCache({
      bytesMax: config['tail.cache.bytes'],
      logBytesMax: config['tail.cache.partition.bytes'],
      readBuffers,
    }),
    readAheadRoom: new ReadAheadRoom({ clock, bytesMax: config['read.ahead.bytes'] }),
  };
}
