/**
 * Room kept back on the disk of a data directory: a file of real blocks, given up when the disk is full, so that what
 * shares the disk with the logs (the metadata store, checkpoints, snapshots) can still write. From then on logs and
 * journal must not grow: they would eat what was kept for the others. Never retries a write.
 */
import { type Clock, type Logger, MillraceError } from '@millrace/core';
import { FilePreparation } from './file-preparation.ts';
import type { FileSystem } from './file-system.ts';
import { storageFailure } from './storage-failure.ts';

export interface SpaceReserveOptions {
  readonly fileSystem: FileSystem;
  readonly directory: string;
  /** 0 for none. */
  readonly sizeBytes: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

const FILE_NAME = 'disk-reserve';
const FULL = 'the disk was full; what is free is kept for metadata until a restart';

export class SpaceReserve {
  readonly #options: SpaceReserveOptions;
  readonly #path: string;
  #isThere: boolean;
  #isGivenUp = false;
  #isClosed = false;
  #preparation: FilePreparation | undefined;
  #keeping: Promise<void> | undefined;

  /** Adopts the file of an earlier run. */
  constructor(options: SpaceReserveOptions) {
    this.#options = options;
    this.#path = `${options.directory}/${FILE_NAME}`;
    this.#isThere = options.fileSystem.statSync(this.#path) !== undefined;
  }

  /** Makes the file unless it is there, in the background of whatever else the disk does. Never fails. */
  keep(): Promise<void> {
    this.#keeping ??= this.#keep();
    return this.#keeping;
  }

  /** Gives the reserve up if the error says that the disk is full. */
  noticed(error: unknown): void {
    if (!this.#isThere || this.#isGivenUp) return;
    if (storageFailure('', error).code === 'DISK_FULL') this.#giveUp('the disk is full');
  }

  /** Why logs and journal must not grow any more. */
  get failure(): MillraceError | undefined {
    if (!this.#isGivenUp) return undefined;
    return new MillraceError('DISK_FULL', `${this.#options.directory}: ${FULL}`);
  }

  /** Before a log or the journal takes more of the disk. @param what would grow. @throws ENOSPC after the reserve was given up. */
  checkGrowth(what: string): void {
    if (!this.#isGivenUp) return;
    throw Object.assign(new Error(`ENOSPC: ${what}: ${FULL}`), { code: 'ENOSPC' });
  }

  /** Whether a file of this size may be made ahead without filling the disk. */
  async hasRoomFor(bytes: number): Promise<boolean> {
    const { fileSystem, directory, sizeBytes } = this.#options;
    if (this.#isGivenUp) return false;
    const { usableBytes } = await fileSystem.space(directory);
    return usableBytes >= bytes + sizeBytes;
  }

  /** What is being made is removed. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#preparation?.stop();
    this.#keeping ??= Promise.resolve();
    await this.#keeping;
  }

  async #keep(): Promise<void> {
    const { fileSystem, directory, sizeBytes, clock, logger } = this.#options;
    try {
      if (fileSystem.statSync(this.#path)?.sizeBytes === sizeBytes) return;
      if (this.#isThere) fileSystem.unlinkSync(this.#path);
      this.#isThere = false;
      if (sizeBytes === 0) return;
      const { usableBytes } = await fileSystem.space(directory);
      if (usableBytes < sizeBytes) {
        this.#giveUp(`${usableBytes} bytes are free, less than log.dir.reserve.bytes`);
        return;
      }
      if (this.#isClosed) return;
      this.#isThere = true;
      this.#preparation = new FilePreparation({ fileSystem, clock, path: this.#path, sizeBytes });
      if (!(await this.#preparation.done)) this.#remove();
    } catch (error) {
      this.noticed(error);
      if (!this.#isGivenUp) this.#remove();
      logger.warn({ event: 'disk_reserve_failed', err: error }, 'no disk space is kept back');
    }
  }

  #giveUp(why: string): void {
    this.#isGivenUp = true;
    this.#preparation?.stop();
    this.#remove();
    this.#options.logger.error(
      { event: 'disk_full', directory: this.#options.directory },
      `${why}: logs take no more until there is room and the node restarts; metadata lives on what was kept back`,
    );
  }

  #remove(): void {
    this.#isThere = false;
    try {
      const { fileSystem } = this.#options;
      if (fileSystem.statSync(this.#path) !== undefined) fileSystem.unlinkSync(this.#path);
    } catch {
      // The disk has failed for more than want of space; the next start finds the file.
    }
  }
}
