/**
 * A disk in memory, for embedded clusters and tests. Every write is durable at once and nothing fails except
 * for want of space. Never touches the real disk.
 */
import { MillraceError } from '@millrace/core';
import type { DirectoryLock, DiskEntry, DiskFile, DiskSpace, FileSystem } from './file-system.ts';

export interface MemoryFileSystemOptions {
  /** Writes beyond it fail with ENOSPC after writing what fits, as a disk does. */
  readonly capacityBytes?: number;
}

export class MemoryFileSystem implements FileSystem {
  readonly #files = new Map<string, MemoryBlob>();
  /** Each directory with the names in it, so that listing one does not walk the whole disk. */
  readonly #directories = new Map<string, Set<string>>([['/', new Set()]]);
  readonly #locks = new Set<string>();
  readonly #space: Space;

  constructor({ capacityBytes = Number.MAX_SAFE_INTEGER }: MemoryFileSystemOptions = {}) {
    this.#space = { capacityBytes, usedBytes: 0 };
  }

  openSync(path: string, { create = false }: { readonly create?: boolean } = {}): DiskFile {
    const name = normal(path);
    let blob = this.#files.get(name);
    if (blob === undefined) {
      if (!create) throw diskError('ENOENT', path);
      blob = new MemoryBlob(this.#space);
      this.#addName(name);
      this.#files.set(name, blob);
    }
    return new MemoryFile(path, blob);
  }

  readdirSync(path: string): DiskEntry[] {
    const directory = normal(path);
    const names = this.#directories.get(directory);
    if (names === undefined) throw diskError('ENOENT', path);
    return [...names]
      .sort()
      .map((name) => ({ name, isDirectory: this.#directories.has(join(directory, name)) }));
  }

  mkdirSync(path: string): void {
    const name = normal(path);
    if (this.#directories.has(name)) return;
    if (this.#files.has(name)) throw diskError('EEXIST', path);
    this.mkdirSync(parentOf(name));
    this.#addName(name);
    this.#directories.set(name, new Set());
  }

  renameSync(from: string, to: string): void {
    const [source, target] = [normal(from), normal(to)];
    const blob = this.#files.get(source);
    if (blob !== undefined) {
      if (this.#files.has(target)) this.unlinkSync(to);
      this.#addName(target);
      this.#removeName(source);
      this.#files.delete(source);
      this.#files.set(target, blob);
      return;
    }
    const names = this.#directories.get(source);
    if (names === undefined) throw diskError('ENOENT', from);
    if (this.#directories.has(target)) throw diskError('ENOTEMPTY', to);
    this.mkdirSync(target);
    for (const name of [...names]) this.renameSync(join(source, name), join(target, name));
    this.#removeName(source);
    this.#directories.delete(source);
  }

  unlinkSync(path: string): void {
    const name = normal(path);
    const blob = this.#files.get(name);
    if (blob === undefined) throw diskError('ENOENT', path);
    this.#files.delete(name);
    this.#removeName(name);
    blob.unlinked();
  }

  removeSync(path: string): void {
    const name = normal(path);
    if (this.#files.has(name)) {
      this.unlinkSync(path);
      return;
    }
    const names = this.#directories.get(name);
    if (names === undefined) return;
    for (const child of [...names]) this.removeSync(join(name, child));
    this.#removeName(name);
    this.#directories.delete(name);
  }

  statSync(path: string): { sizeBytes: number; isDirectory: boolean } | undefined {
    const name = normal(path);
    const blob = this.#files.get(name);
    if (blob !== undefined) return { sizeBytes: blob.sizeBytes, isDirectory: false };
    return this.#directories.has(name) ? { sizeBytes: 0, isDirectory: true } : undefined;
  }

  async space(path: string): Promise<DiskSpace> {
    if (this.statSync(path) === undefined) throw diskError('ENOENT', path);
    const { capacityBytes, usedBytes } = this.#space;
    return { totalBytes: capacityBytes, usableBytes: capacityBytes - usedBytes };
  }

  async syncDirectory(path: string): Promise<void> {
    if (!this.#directories.has(normal(path))) throw diskError('ENOENT', path);
  }

  async lock(directory: string): Promise<DirectoryLock> {
    const name = normal(directory);
    if (!this.#directories.has(name)) throw diskError('ENOENT', directory);
    if (this.#locks.has(name)) {
      throw new MillraceError('DIRECTORY_LOCKED', `the data directory ${directory} is in use`);
    }
    this.#locks.add(name);
    return {
      release: async () => {
        this.#locks.delete(name);
      },
    };
  }

  #addName(path: string): void {
    const names = this.#directories.get(parentOf(path));
    if (names === undefined) throw diskError('ENOENT', path);
    names.add(path.slice(path.lastIndexOf('/') + 1));
  }

  #removeName(path: string): void {
    this.#directories.get(parentOf(path))?.delete(path.slice(path.lastIndexOf('/') + 1));
  }
}

interface Space {
  readonly capacityBytes: number;
  usedBytes: number;
}

const PAGE_BYTES = 64 * 1024;
const FIRST_PAGE_BYTES = 256;

/** Contents in pages, so that growing copies little; the first page grows, so that small files stay small. */
class MemoryBlob {
  readonly #pages: Buffer[] = [];
  readonly #space: Space;
  #sizeBytes = 0;
  #isUnlinked = false;

  constructor(space: Space) {
    this.#space = space;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  read(target: Buffer, position: number): number {
    const end = Math.min(position + target.length, this.#sizeBytes);
    let at = position;
    while (at < end) {
      const page = Math.floor(at / PAGE_BYTES);
      const within = at % PAGE_BYTES;
      const count = Math.min(end - at, PAGE_BYTES - within);
      this.#pages[page]!.copy(target, at - position, within, within + count);
      at += count;
    }
    return Math.max(0, end - position);
  }

  write(bytes: Buffer, position: number): void {
    const { capacityBytes, usedBytes } = this.#space;
    const room = capacityBytes - usedBytes + this.#sizeBytes - position;
    const fits = Math.max(0, Math.min(bytes.length, room));
    if (position + fits > this.#sizeBytes) this.resize(position + fits);
    let done = 0;
    while (done < fits) {
      const at = position + done;
      const within = at % PAGE_BYTES;
      const count = Math.min(fits - done, PAGE_BYTES - within);
      bytes.copy(this.#pages[Math.floor(at / PAGE_BYTES)]!, within, done, done + count);
      done += count;
    }
    if (fits < bytes.length) throw diskError('ENOSPC', 'memory');
  }

  resize(sizeBytes: number): void {
    if (!this.#isUnlinked) this.#space.usedBytes += sizeBytes - this.#sizeBytes;
    const pageCount = Math.ceil(sizeBytes / PAGE_BYTES);
    if (sizeBytes < this.#sizeBytes) {
      this.#pages.length = pageCount;
      // What a later growth uncovers must read as zeros.
      this.#pages.at(-1)?.fill(0, sizeBytes - (pageCount - 1) * PAGE_BYTES);
    } else {
      this.#grow(sizeBytes, pageCount);
    }
    this.#sizeBytes = sizeBytes;
  }

  unlinked(): void {
    this.#isUnlinked = true;
    this.#space.usedBytes -= this.#sizeBytes;
  }

  #grow(sizeBytes: number, pageCount: number): void {
    const first = this.#pages[0];
    const firstBytes = first?.length ?? 0;
    if (sizeBytes > firstBytes && firstBytes < PAGE_BYTES) {
      let length = Math.max(firstBytes, FIRST_PAGE_BYTES);
      while (length < sizeBytes && length < PAGE_BYTES) length *= 2;
      const grown = Buffer.alloc(length);
      first?.copy(grown);
      this.#pages[0] = grown;
    }
    while (this.#pages.length < pageCount) this.#pages.push(Buffer.alloc(PAGE_BYTES));
  }
}

class MemoryFile implements DiskFile {
  readonly path: string;
  readonly #blob: MemoryBlob;
  #isClosed = false;

  constructor(path: string, blob: MemoryBlob) {
    this.path = path;
    this.#blob = blob;
  }

  async read(target: Buffer, position: number): Promise<number> {
    return this.readSync(target, position);
  }

  readSync(target: Buffer, position: number): number {
    this.#checkOpen();
    return this.#blob.read(target, position);
  }

  writeSync(buffers: readonly Buffer[], position: number): void {
    this.#checkOpen();
    let at = position;
    for (const bytes of buffers) {
      this.#blob.write(bytes, at);
      at += bytes.length;
    }
  }

  async write(buffers: readonly Buffer[], position: number): Promise<void> {
    this.writeSync(buffers, position);
  }

  truncateSync(sizeBytes: number): void {
    this.#checkOpen();
    this.#blob.resize(sizeBytes);
  }

  sizeSync(): number {
    this.#checkOpen();
    return this.#blob.sizeBytes;
  }

  async datasync(): Promise<void> {
    this.#checkOpen();
  }

  closeSync(): void {
    this.#checkOpen();
    this.#isClosed = true;
  }

  /** A real descriptor may belong to another file by now; here the mistake shows. */
  #checkOpen(): void {
    if (this.#isClosed) throw diskError('EBADF', this.path);
  }
}

export function diskError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}

function normal(path: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  return `/${parts.join('/')}`;
}

function join(directory: string, name: string): string {
  return directory === '/' ? `/${name}` : `${directory}/${name}`;
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}
