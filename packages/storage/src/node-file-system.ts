/**
 * The real disk. Loops over short counts (a full disk writes part of what it was given before it says
 * ENOSPC) and never retries after an error: what to trust then is the caller's decision.
 */
import fs from 'node:fs';
import { dirname, join } from 'node:path';
import { lockDirectory } from './directory-lock.ts';
import {
  type DirectoryLock,
  type DiskEntry,
  type DiskFile,
  type DiskSpace,
  diskErrorCode,
  type FileSystem,
} from './file-system.ts';

export class NodeFileSystem implements FileSystem {
  openSync(path: string, { create = false }: { readonly create?: boolean } = {}): DiskFile {
    const flags = fs.constants.O_RDWR | (create ? fs.constants.O_CREAT : 0);
    return new NodeFile(path, fs.openSync(path, flags, 0o644));
  }

  readdirSync(path: string): DiskEntry[] {
    return fs
      .readdirSync(path, { withFileTypes: true })
      .map((entry) => ({ name: entry.name, isDirectory: entry.isDirectory() }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  mkdirSync(path: string): void {
    // Step by step: `recursive` of Node 20 never returns where a parent is there but takes no folder, as /proc.
    try {
      makeDirectory(path);
    } catch (error) {
      const parent = dirname(path);
      if (diskErrorCode(error) !== 'ENOENT' || parent === path) throw error;
      this.mkdirSync(parent);
      makeDirectory(path);
    }
  }

  renameSync(from: string, to: string): void {
    fs.renameSync(from, to);
  }

  unlinkSync(path: string): void {
    fs.unlinkSync(path);
  }

  removeSync(path: string): void {
    fs.rmSync(path, { recursive: true, force: true });
  }

  statSync(path: string): { sizeBytes: number; isDirectory: boolean } | undefined {
    const found = fs.statSync(path, { throwIfNoEntry: false });
    return found && { sizeBytes: found.size, isDirectory: found.isDirectory() };
  }

  async space(path: string): Promise<DiskSpace> {
    const { blocks, bavail, bsize } = await fs.promises.statfs(path);
    // Disks that somebody else keeps for us may say that they have no end.
    const bytesOf = (count: number): number => Math.min(count * bsize, Number.MAX_SAFE_INTEGER);
    return { totalBytes: bytesOf(blocks), usableBytes: bytesOf(bavail) };
  }

  async syncDirectory(path: string): Promise<void> {
    const handle = await fs.promises.open(path, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }

  async lock(directory: string): Promise<DirectoryLock> {
    if (!fs.existsSync(directory)) {
      throw Object.assign(new Error(`ENOENT: no such directory ${directory}`), { code: 'ENOENT' });
    }
    return await lockDirectory(join(directory, '.lock'));
  }
}

class NodeFile implements DiskFile {
  readonly path: string;
  readonly #fd: number;

  constructor(path: string, fd: number) {
    this.path = path;
    this.#fd = fd;
  }

  async read(target: Buffer, position: number): Promise<number> {
    let filled = 0;
    while (filled < target.length) {
      const count = await this.#readOnce(target, filled, position + filled);
      if (count === 0) break;
      filled += count;
    }
    return filled;
  }

  readSync(target: Buffer, position: number): number {
    let filled = 0;
    while (filled < target.length) {
      const count = fs.readSync(this.#fd, target, filled, target.length - filled, position + filled);
      if (count === 0) break;
      filled += count;
    }
    return filled;
  }

  writeSync(buffers: readonly Buffer[], position: number): void {
    let rest = buffers;
    let at = position;
    while (rest.length > 0) {
      const first = rest[0]!;
      const count =
        rest.length === 1
          ? fs.writeSync(this.#fd, first, 0, first.length, at)
          : fs.writevSync(this.#fd, rest, at);
      at += count;
      rest = afterBytes(rest, count);
    }
  }

  async write(buffers: readonly Buffer[], position: number): Promise<void> {
    let rest = buffers;
    let at = position;
    while (rest.length > 0) {
      const count = await this.#writeOnce(rest, at);
      at += count;
      rest = afterBytes(rest, count);
    }
  }

  truncateSync(sizeBytes: number): void {
    fs.ftruncateSync(this.#fd, sizeBytes);
  }

  sizeSync(): number {
    return fs.fstatSync(this.#fd).size;
  }

  datasync(): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.fdatasync(this.#fd, (error) => (error ? reject(error) : resolve()));
    });
  }

  closeSync(): void {
    fs.closeSync(this.#fd);
  }

  #readOnce(target: Buffer, offset: number, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.read(this.#fd, target, offset, target.length - offset, position, (error, count) =>
        error ? reject(error) : resolve(count),
      );
    });
  }

  #writeOnce(buffers: readonly Buffer[], position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.writev(this.#fd, buffers, position, (error, count) => (error ? reject(error) : resolve(count)));
    });
  }
}

/** One folder whose parent is there; one that exists is fine. */
function makeDirectory(path: string): void {
  try {
    fs.mkdirSync(path);
  } catch (error) {
    const isThere = fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
    if (!isThere) throw error;
  }
}

/** What is left of `buffers` after their first `count` bytes. */
function afterBytes(buffers: readonly Buffer[], count: number): readonly Buffer[] {
  let skip = count;
  let index = 0;
  while (index < buffers.length && skip >= buffers[index]!.length) {
    skip -= buffers[index]!.length;
    index++;
  }
  if (index === buffers.length) return [];
  // A write that makes no progress must not loop for ever.
  if (count === 0) throw Object.assign(new Error('EIO: nothing was written'), { code: 'EIO' });
  const rest = buffers.slice(index);
  rest[0] = rest[0]!.subarray(skip);
  return rest;
}
