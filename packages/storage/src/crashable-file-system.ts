/**
 * A disk in memory that can lose what was not synced, fail, or die between two operations. Names are durable
 * at once; contents when the file is synced. For tests: never part of a running node.
 */
import type { DirectoryLock, DiskEntry, DiskFile, DiskSpace, FileSystem } from './file-system.ts';
import { diskError, MemoryFileSystem } from './memory-file-system.ts';
import { readWhole } from './whole-file.ts';

export type DiskOperation =
  | 'open'
  | 'write'
  | 'truncate'
  | 'datasync'
  | 'rename'
  | 'unlink'
  | 'mkdir'
  | 'syncDirectory';

interface Contents {
  synced: Buffer;
}

export class CrashableFileSystem implements FileSystem {
  readonly #inner = new MemoryFileSystem();
  readonly #contents = new Map<string, Contents>();
  #isDead = false;
  /** Operations that change something, so far. */
  operations = 0;
  /** The disk dies instead of doing this many operations and one more. */
  diesAfter = Number.MAX_SAFE_INTEGER;
  /** Throws to make an operation fail; for a write, a number lets only so many bytes through before ENOSPC. */
  fault: ((operation: DiskOperation, path: string) => number | undefined) | undefined;

  /** What a restart finds. @param keep chooses contents between those that were synced and those last written. */
  crash(
    keep: (path: string, synced: Buffer, written: Buffer) => Buffer = (_, synced) => synced,
  ): CrashableFileSystem {
    const disk = new CrashableFileSystem();
    const copy = (directory: string): void => {
      for (const { name, isDirectory } of this.#inner.readdirSync(directory)) {
        const path = `${directory === '/' ? '' : directory}/${name}`;
        if (isDirectory) {
          disk.#inner.mkdirSync(path);
          copy(path);
        } else {
          disk.put(path, keep(path, this.#contents.get(path)!.synced, readWhole(this.#inner, path)!));
        }
      }
    };
    copy('/');
    return disk;
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  /** Contents of a file, or undefined. */
  get(path: string): Buffer | undefined {
    return readWhole(this.#inner, path);
  }

  /** Replaces a file's contents, durably. */
  put(path: string, bytes: Buffer): void {
    const file = this.#inner.openSync(path, { create: true });
    file.truncateSync(0);
    file.writeSync([bytes], 0);
    file.closeSync();
    this.#contents.set(path, { synced: Buffer.from(bytes) });
  }

  /** All files, by path. */
  paths(): string[] {
    return [...this.#contents.keys()].sort();
  }

  openSync(path: string, options?: { readonly create?: boolean }): DiskFile {
    const isNew = this.#inner.statSync(path) === undefined;
    if (isNew && options?.create) this.#before('open', path);
    const file = this.#inner.openSync(path, options);
    if (isNew) this.#contents.set(path, { synced: Buffer.alloc(0) });
    return new CrashableFile(file, this.#contents.get(path)!, (operation) => this.#before(operation, path));
  }

  readdirSync(path: string): DiskEntry[] {
    return this.#inner.readdirSync(path);
  }

  mkdirSync(path: string): void {
    this.#before('mkdir', path);
    this.#inner.mkdirSync(path);
  }

  renameSync(from: string, to: string): void {
    this.#before('rename', to);
    this.#inner.renameSync(from, to);
    for (const [path, contents] of [...this.#contents]) {
      if (path !== from && !path.startsWith(`${from}/`)) continue;
      this.#contents.delete(path);
      this.#contents.set(to + path.slice(from.length), contents);
    }
  }

  unlinkSync(path: string): void {
    this.#before('unlink', path);
    this.#inner.unlinkSync(path);
    this.#contents.delete(path);
  }

  removeSync(path: string): void {
    this.#before('unlink', path);
    this.#inner.removeSync(path);
    for (const name of [...this.#contents.keys()]) {
      if (name === path || name.startsWith(`${path}/`)) this.#contents.delete(name);
    }
  }

  statSync(path: string): { sizeBytes: number; isDirectory: boolean } | undefined {
    return this.#inner.statSync(path);
  }

  async space(path: string): Promise<DiskSpace> {
    return await this.#inner.space(path);
  }

  async syncDirectory(path: string): Promise<void> {
    this.#before('syncDirectory', path);
    await this.#inner.syncDirectory(path);
  }

  async lock(directory: string): Promise<DirectoryLock> {
    return await this.#inner.lock(directory);
  }

  #before(operation: DiskOperation, path: string): number | undefined {
    if (this.operations >= this.diesAfter) this.#isDead = true;
    if (this.#isDead) throw diskError('EIO', `${path} (the disk is dead)`);
    this.operations++;
    return this.fault?.(operation, path);
  }
}

class CrashableFile implements DiskFile {
  readonly path: string;
  readonly #inner: DiskFile;
  readonly #contents: Contents;
  readonly #before: (operation: DiskOperation) => number | undefined;

  constructor(inner: DiskFile, contents: Contents, before: (operation: DiskOperation) => number | undefined) {
    this.path = inner.path;
    this.#inner = inner;
    this.#contents = contents;
    this.#before = before;
  }

  read(target: Buffer, position: number): Promise<number> {
    return this.#inner.read(target, position);
  }

  readSync(target: Buffer, position: number): number {
    return this.#inner.readSync(target, position);
  }

  writeSync(buffers: readonly Buffer[], position: number): void {
    const bytesMax = this.#before('write');
    if (bytesMax === undefined) {
      this.#inner.writeSync(buffers, position);
      return;
    }
    this.#inner.writeSync([Buffer.concat(buffers).subarray(0, bytesMax)], position);
    throw diskError('ENOSPC', this.path);
  }

  async write(buffers: readonly Buffer[], position: number): Promise<void> {
    this.writeSync(buffers, position);
  }

  truncateSync(sizeBytes: number): void {
    this.#before('truncate');
    this.#inner.truncateSync(sizeBytes);
  }

  sizeSync(): number {
    return this.#inner.sizeSync();
  }

  async datasync(): Promise<void> {
    this.#before('datasync');
    const bytes = Buffer.alloc(this.#inner.sizeSync());
    this.#inner.readSync(bytes, 0);
    this.#contents.synced = bytes;
  }

  closeSync(): void {
    this.#inner.closeSync();
  }
}
