/**
 * A bounded set of open files, shared by all logs of a store: opened on first use, closed when others need
 * the room. A file is never closed between `hold` and `drop`, so asynchronous work on it is safe.
 */
import { MillraceError } from '@millrace/core';
import type { DiskFile, FileSystem } from './file-system.ts';

export class OpenFile {
  readonly disk: DiskFile;
  /** Set on each use, cleared when the clock hand passes. */
  isRecent = true;
  isClosed = false;
  #holds = 0;
  #isUnwanted = false;

  constructor(disk: DiskFile) {
    this.disk = disk;
  }

  get isHeld(): boolean {
    return this.#holds > 0;
  }

  hold(): void {
    this.#holds++;
  }

  drop(): void {
    this.#holds--;
    if (this.#isUnwanted && this.#holds === 0) this.#close();
  }

  /** Closes now, or as soon as nobody holds it. */
  discard(): void {
    this.#isUnwanted = true;
    if (this.#holds === 0) this.#close();
  }

  #close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.disk.closeSync();
  }
}

export class OpenFiles {
  readonly #fileSystem: FileSystem;
  readonly #filesMax: number;
  /** In clock order: the hand is at the first. */
  readonly #files = new Map<string, OpenFile>();
  #isClosed = false;

  constructor(fileSystem: FileSystem, filesMax: number) {
    this.#fileSystem = fileSystem;
    this.#filesMax = filesMax;
  }

  /** Valid until the caller next yields, unless held. @throws ENOENT unless `create`; NODE_NOT_SERVING after `close`. */
  open(path: string, options?: { readonly create?: boolean }): OpenFile {
    const found = this.#files.get(path);
    if (found !== undefined) {
      found.isRecent = true;
      return found;
    }
    // A read that was under way when the store was closed: nobody would close what it opens.
    if (this.#isClosed) throw new MillraceError('NODE_NOT_SERVING', 'the store is closed');
    if (this.#files.size >= this.#filesMax) this.#makeRoom();
    const file = new OpenFile(this.#fileSystem.openSync(path, options));
    this.#files.set(path, file);
    return file;
  }

  /** Before the path is renamed or removed. */
  forget(path: string): void {
    this.#files.get(path)?.discard();
    this.#files.delete(path);
  }

  /** Before the folder is renamed: whoever opened a path in it then, an open that failed halfway too, must not write to files that went with it. */
  forgetFolder(folder: string): void {
    for (const path of this.#files.keys()) if (path.startsWith(`${folder}/`)) this.forget(path);
  }

  close(): void {
    this.#isClosed = true;
    for (const file of this.#files.values()) file.discard();
    this.#files.clear();
  }

  /** Second chance: files used since the hand last passed stay; held ones always do. */
  #makeRoom(): void {
    let steps = 2 * this.#files.size;
    for (const [path, file] of this.#files) {
      if (steps-- === 0) return;
      this.#files.delete(path);
      if (!file.isRecent && !file.isHeld) {
        file.discard();
        return;
      }
      file.isRecent = false;
      this.#files.set(path, file);
    }
  }
}
