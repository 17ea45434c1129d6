/**
 * The disk as an interface: what storage needs of a file system, and no more, so that a deterministic
 * disk with faults can stand in for it. Writes go to the page cache and return at once; reads of data and
 * everything that waits for the medium are asynchronous. Nothing here retries or hides a failed write.
 *
 * Failures are errors with a `code` as in Node.js: ENOENT, EEXIST, ENOSPC, EIO …
 */

/** An open file. Positions and sizes are bytes. */
export interface DiskFile {
  readonly path: string;
  /** Fills `target` from `position`; the result is smaller than `target.length` only at the end of the file. */
  read(target: Buffer, position: number): Promise<number>;
  readSync(target: Buffer, position: number): number;
  /** Writes all of `buffers` back to back or throws; after a throw any part may have been written. */
  writeSync(buffers: readonly Buffer[], position: number): void;
  /** As `writeSync`, off the event loop. The caller awaits it before it writes or syncs the same file again. */
  write(buffers: readonly Buffer[], position: number): Promise<void>;
  truncateSync(sizeBytes: number): void;
  sizeSync(): number;
  /** Resolves when everything written before the call, and the size, is on stable storage. */
  datasync(): Promise<void>;
  closeSync(): void;
}

export interface DiskEntry {
  readonly name: string;
  readonly isDirectory: boolean;
}

/** Bytes. */
export interface DiskSpace {
  readonly totalBytes: number;
  /** What this process may still write: less than what nobody has used where the system keeps some for itself. */
  readonly usableBytes: number;
}

/** Held until released or until the process dies, however it dies. */
export interface DirectoryLock {
  release(): Promise<void>;
}

export interface FileSystem {
  /** Opens for reading and writing. `create` makes an empty file where there is none. @throws ENOENT */
  openSync(path: string, options?: { readonly create?: boolean }): DiskFile;
  /** Names in lexical order. @throws ENOENT */
  readdirSync(path: string): DiskEntry[];
  /** Makes the directory and its parents; an existing one is fine. */
  mkdirSync(path: string): void;
  /** Replaces `to` in one step. */
  renameSync(from: string, to: string): void;
  /** @throws ENOENT */
  unlinkSync(path: string): void;
  /** Removes a directory with all it holds; a missing one is fine. */
  removeSync(path: string): void;
  /** undefined if nothing has that name. */
  statSync(path: string): { readonly sizeBytes: number; readonly isDirectory: boolean } | undefined;
  /** Of the disk that holds `path`. @throws ENOENT */
  space(path: string): Promise<DiskSpace>;
  /** Makes creations, renames and removals in a directory durable. */
  syncDirectory(path: string): Promise<void>;
  /** Takes the directory for this process. @throws {MillraceError} DIRECTORY_LOCKED */
  lock(directory: string): Promise<DirectoryLock>;
}

/** The `code` of a file system failure; undefined for errors of any other kind. */
export function diskErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** As the disk says it of a name that is not there. */
export function missingFile(path: string): Error {
  return Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' });
}
