/**
 * A simulated disk as one life of a process sees it. Asynchronous operations complete in virtual time. After
 * the process died nothing here changes the disk, and nothing that was under way completes.
 */
import { MillraceError } from '@millrace/core';
import type { DirectoryLock, DiskEntry, DiskFile, DiskSpace, FileSystem } from '@millrace/storage';
import type { DirectoryInode } from './directory-inode.ts';
import type { DiskFault, DiskOperation } from './disk-faults.ts';
import { type DiskTree, diskError } from './disk-tree.ts';
import { FileInode } from './file-inode.ts';
import type { SimDisk } from './sim-disk.ts';

/** As Node.js names them in its errors. */
const SYSCALLS: Record<DiskOperation, string> = {
  open: 'open',
  read: 'read',
  write: 'writev',
  truncate: 'ftruncate',
  datasync: 'fdatasync',
  rename: 'rename',
  unlink: 'unlink',
  mkdir: 'mkdir',
  syncDirectory: 'fsync',
};

export class SimFileSystem implements FileSystem {
  readonly #disk: SimDisk;
  readonly #tree: DiskTree;
  readonly #schedule: ((delayMs: number, run: () => void) => void) | undefined;
  readonly #locks = new Set<DirectoryInode>();
  readonly #open = new Set<SimFile>();
  #isDead = false;

  constructor(
    disk: SimDisk,
    tree: DiskTree,
    schedule: ((delayMs: number, run: () => void) => void) | undefined,
  ) {
    this.#disk = disk;
    this.#tree = tree;
    this.#schedule = schedule;
  }

  /** Files that this life holds open, once for each handle. */
  get openPaths(): string[] {
    return Array.from(this.#open, ({ path }) => path).sort();
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  die(): void {
    this.#isDead = true;
  }

  openSync(path: string, { create = false }: { readonly create?: boolean } = {}): DiskFile {
    const name = normal(path);
    if (this.#isDead) return new SimFile(this, path, new FileInode());
    let inode = this.#tree.find(name);
    if (inode === undefined) {
      if (!create) throw diskError('ENOENT', path);
      this.before('open', path, 0);
      inode = this.#tree.create(name);
      this.after('open', path);
    }
    if (inode.kind !== 'file') throw diskError('EISDIR', path);
    const file = new SimFile(this, path, inode);
    this.#open.add(file);
    return file;
  }

  closed(file: SimFile): void {
    this.#open.delete(file);
  }

  readdirSync(path: string): DiskEntry[] {
    if (this.#isDead) return [];
    const directory = this.#tree.directory(normal(path));
    return directory
      .names()
      .map((name) => ({ name, isDirectory: directory.get(name)!.kind === 'directory' }));
  }

  mkdirSync(path: string): void {
    const name = normal(path);
    if (this.#isDead || this.#tree.find(name)?.kind === 'directory') return;
    this.before('mkdir', path, 0);
    this.#tree.makeDirectory(name);
    this.after('mkdir', path);
  }

  renameSync(from: string, to: string): void {
    if (this.#isDead) return;
    this.before('rename', to, 0);
    this.#tree.rename(normal(from), normal(to));
    this.after('rename', to);
  }

  unlinkSync(path: string): void {
    if (this.#isDead) return;
    this.before('unlink', path, 0);
    this.#tree.unlink(normal(path));
    this.after('unlink', path);
  }

  removeSync(path: string): void {
    if (this.#isDead) return;
    this.before('unlink', path, 0);
    this.#tree.remove(normal(path));
    this.after('unlink', path);
  }

  statSync(path: string): { sizeBytes: number; isDirectory: boolean } | undefined {
    const inode = this.#isDead ? undefined : this.#tree.find(normal(path));
    if (inode === undefined) return undefined;
    return inode.kind === 'file'
      ? { sizeBytes: inode.sizeBytes, isDirectory: false }
      : { sizeBytes: 0, isDirectory: true };
  }

  async space(path: string): Promise<DiskSpace> {
    if (this.#isDead) return await never();
    if (this.#tree.find(normal(path)) === undefined) throw diskError('ENOENT', path);
    return { totalBytes: this.#disk.capacityBytes, usableBytes: this.roomBytes };
  }

  get roomBytes(): number {
    return Math.max(0, this.#disk.capacityBytes - this.#tree.usedBytes);
  }

  async syncDirectory(path: string): Promise<void> {
    if (this.#isDead) return await never();
    const directory = this.#tree.directory(normal(path));
    const upTo = directory.syncBegan();
    await this.wait('syncDirectory', path, 0);
    if (this.#isDead) return await never();
    directory.syncEnded(upTo);
    this.after('syncDirectory', path);
  }

  async lock(directory: string): Promise<DirectoryLock> {
    if (this.#isDead) return await never();
    const inode = this.#tree.directory(normal(directory));
    if (this.#locks.has(inode)) {
      throw new MillraceError('DIRECTORY_LOCKED', `the data directory ${directory} is in use`);
    }
    this.#locks.add(inode);
    return {
      release: async () => {
        this.#locks.delete(inode);
      },
    };
  }

  /** @throws what the faults say. */
  before(operation: DiskOperation, path: string, bytes: number): void {
    const fault = this.faultOf(operation, path, bytes);
    if (fault !== undefined) throw diskError(fault.code, path, SYSCALLS[operation]);
  }

  /** For operations that cannot be stuck. */
  faultOf(operation: DiskOperation, path: string, bytes: number): DiskFault | undefined {
    const fault = this.#disk.faults.fault(operation, path, bytes);
    return fault === 'stuck' ? undefined : fault;
  }

  after(operation: DiskOperation, path: string): void {
    this.#disk.onOperation?.(operation, path);
  }

  /** Virtual time passes; then the operation may fail. Never returns to a dead process. */
  async wait(
    operation: DiskOperation,
    path: string,
    bytes: number,
    failed?: (fault: DiskFault) => void,
  ): Promise<void> {
    if (this.#isDead) return await never();
    const { faults } = this.#disk;
    const fault = faults.fault(operation, path, bytes);
    if (fault === 'stuck') return await never();
    const delayMs = faults.delayMs(operation, bytes);
    if (delayMs > 0 && this.#schedule !== undefined) {
      const schedule = this.#schedule;
      await new Promise<void>((resolve) => schedule(delayMs, resolve));
    }
    if (this.#isDead) return await never();
    if (fault === undefined) return;
    failed?.(fault);
    throw diskError(fault.code, path, SYSCALLS[operation]);
  }

  write(file: FileInode, path: string, buffers: readonly Buffer[], position: number): void {
    const bytes = buffers.reduce((sum, buffer) => sum + buffer.length, 0);
    const fault = this.faultOf('write', path, bytes);
    const growth = Math.max(0, position + bytes - file.sizeBytes);
    const room = this.roomBytes;
    const isFull = growth > room && file.isLinked;
    const allowed = Math.min(
      fault === undefined ? bytes : (fault.bytesDone ?? 0),
      isFull ? bytes - growth + room : bytes,
    );
    const whole = buffers.length === 1 ? buffers[0]! : Buffer.concat(buffers, bytes);
    this.#tree.write(file, allowed === bytes ? whole : whole.subarray(0, Math.max(0, allowed)), position);
    this.after('write', path);
    if (fault !== undefined) throw diskError(fault.code, path, SYSCALLS.write);
    if (isFull) throw diskError('ENOSPC', path, SYSCALLS.write);
  }

  truncate(file: FileInode, path: string, sizeBytes: number): void {
    this.before('truncate', path, 0);
    this.#tree.truncate(file, sizeBytes);
    this.after('truncate', path);
  }
}

class SimFile implements DiskFile {
  readonly path: string;
  readonly #view: SimFileSystem;
  readonly #inode: FileInode;
  #isClosed = false;

  constructor(view: SimFileSystem, path: string, inode: FileInode) {
    this.#view = view;
    this.path = path;
    this.#inode = inode;
  }

  async read(target: Buffer, position: number): Promise<number> {
    this.#checkOpen();
    await this.#view.wait('read', this.path, target.length);
    if (this.#view.isDead) return await never();
    return this.#inode.read(target, position);
  }

  readSync(target: Buffer, position: number): number {
    this.#checkOpen();
    if (!this.#view.isDead) this.#view.before('read', this.path, target.length);
    return this.#inode.read(target, position);
  }

  writeSync(buffers: readonly Buffer[], position: number): void {
    this.#checkOpen();
    if (!this.#view.isDead) this.#view.write(this.#inode, this.path, buffers, position);
  }

  /** The bytes arrive when it completes: who changes or syncs them before that has not kept to the contract. */
  async write(buffers: readonly Buffer[], position: number): Promise<void> {
    this.#checkOpen();
    await this.#view.wait('write', this.path, 0);
    if (this.#view.isDead) return await never();
    this.#view.write(this.#inode, this.path, buffers, position);
  }

  truncateSync(sizeBytes: number): void {
    this.#checkOpen();
    if (!this.#view.isDead) this.#view.truncate(this.#inode, this.path, sizeBytes);
  }

  sizeSync(): number {
    this.#checkOpen();
    return this.#inode.sizeBytes;
  }

  async datasync(): Promise<void> {
    this.#checkOpen();
    const upTo = this.#inode.syncBegan();
    await this.#view.wait('datasync', this.path, 0, ({ isEvicted = false }) =>
      this.#inode.syncFailed(upTo, isEvicted),
    );
    if (this.#view.isDead) return await never();
    this.#inode.syncEnded(upTo);
    this.#view.after('datasync', this.path);
  }

  closeSync(): void {
    this.#checkOpen();
    this.#isClosed = true;
    this.#view.closed(this);
  }

  /** A real descriptor may belong to another file by now; here the mistake shows. */
  #checkOpen(): void {
    if (this.#isClosed) throw diskError('EBADF', this.path);
  }
}

/** Each its own: one promise for all would keep every waiter of every seed alive. */
function never(): Promise<never> {
  return new Promise<never>(() => {});
}

/** Most paths are in normal form already. */
function normal(path: string): string {
  if (path.startsWith('/') && !path.includes('//') && !path.endsWith('/') && !path.includes('/.'))
    return path;
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  return `/${parts.join('/')}`;
}
