/**
 * All names and files of one simulated disk, with the space they take. Every change is synchronous and stays
 * undoable until it is synced. Knows no processes, no time and no faults.
 */
import { diskErrorCode } from '@millrace/storage';
import type { CrashChoices } from './crash-choices.ts';
import { DirectoryInode, type Inode } from './directory-inode.ts';
import { FileInode } from './file-inode.ts';

export class DiskTree {
  #root = new DirectoryInode();
  #usedBytes = 0;
  #sequence = 0;

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Grows with every change. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Undefined if nothing has that name. */
  find(path: string): Inode | undefined {
    let inode: Inode | undefined = this.#root;
    for (let from = 1; from < path.length; ) {
      let to = path.indexOf('/', from);
      if (to === -1) to = path.length;
      if (to > from) {
        if (inode?.kind !== 'directory') return undefined;
        inode = inode.get(path.slice(from, to));
        if (inode === undefined) return undefined;
      }
      from = to + 1;
    }
    return inode;
  }

  directory(path: string): DirectoryInode {
    const found = this.find(path);
    if (found?.kind !== 'directory') throw diskError('ENOENT', path);
    return found;
  }

  file(path: string): FileInode {
    const found = this.find(path);
    if (found === undefined) throw diskError('ENOENT', path);
    if (found.kind !== 'file') throw diskError('EISDIR', path);
    return found;
  }

  /** A new, empty file. */
  create(path: string): FileInode {
    const { directory, name } = this.#place(path);
    const file = new FileInode();
    directory.link(name, file, this.#sequence++);
    return file;
  }

  makeDirectory(path: string): void {
    const found = this.find(path);
    if (found?.kind === 'directory') return;
    if (found !== undefined) throw diskError('EEXIST', path);
    const at = path.lastIndexOf('/');
    if (at > 0) this.makeDirectory(path.slice(0, at));
    const { directory, name } = this.#place(path);
    directory.link(name, new DirectoryInode(), this.#sequence++);
  }

  /** Within one directory: nobody needs more. */
  rename(from: string, to: string): void {
    const source = this.#place(from);
    const target = this.#place(to);
    if (source.directory.get(source.name) === undefined) throw diskError('ENOENT', from);
    if (source.directory !== target.directory) throw diskError('EXDEV', to);
    const replaced = target.directory.get(target.name);
    if (replaced?.kind === 'directory') throw diskError('ENOTEMPTY', to);
    if (replaced !== undefined) this.#free(replaced);
    source.directory.rename(source.name, target.name, this.#sequence++);
  }

  unlink(path: string): void {
    const { directory, name } = this.#place(path);
    const found = directory.get(name);
    if (found === undefined) throw diskError('ENOENT', path);
    if (found.kind !== 'file') throw diskError('EISDIR', path);
    this.#free(found);
    directory.unlink(name, this.#sequence++);
  }

  /** With all it holds, one name after the other. A missing one is fine. */
  remove(path: string): void {
    const found = this.find(path);
    if (found === undefined) return;
    if (found.kind === 'file') {
      this.unlink(path);
      return;
    }
    for (const name of found.names()) this.remove(`${path}/${name}`);
    const { directory, name } = this.#place(path);
    directory.unlink(name, this.#sequence++);
  }

  write(file: FileInode, bytes: Buffer, position: number): void {
    const before = file.sizeBytes;
    file.write(bytes, position, this.#sequence++);
    if (file.isLinked) this.#usedBytes += file.sizeBytes - before;
  }

  truncate(file: FileInode, sizeBytes: number): void {
    const before = file.sizeBytes;
    file.truncate(sizeBytes, this.#sequence++);
    if (file.isLinked) this.#usedBytes += file.sizeBytes - before;
  }

  /** Makes everything what a power loss leaves of it. */
  crash(choices: CrashChoices): void {
    this.#root.crash(choices);
    this.#usedBytes = 0;
    this.eachFile((file) => {
      file.isLinked = true;
      this.#usedBytes += file.sizeBytes;
    });
  }

  copy(): DiskTree {
    const copy = new DiskTree();
    copy.#root = this.#root.copy(new Map());
    copy.#usedBytes = this.#usedBytes;
    copy.#sequence = this.#sequence;
    return copy;
  }

  eachFile(visit: (file: FileInode, path: string) => void): void {
    visitFiles(this.#root, '', visit);
  }

  /** Changes that a power loss may still undo. */
  get pendingChanges(): number {
    return countChanges(this.#root);
  }

  #free(inode: Inode): void {
    if (inode.kind !== 'file') return;
    inode.isLinked = false;
    this.#usedBytes -= inode.sizeBytes;
  }

  #place(path: string): { directory: DirectoryInode; name: string } {
    const at = path.lastIndexOf('/');
    return { directory: this.directory(path.slice(0, at) || '/'), name: path.slice(at + 1) };
  }
}

/** @param syscall what failed, where a real disk would say so */
export function diskError(code: string, path: string, syscall?: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code, ...(syscall && { syscall }) });
}

export function isDiskError(error: unknown): boolean {
  return diskErrorCode(error) !== undefined;
}

function visitFiles(
  directory: DirectoryInode,
  path: string,
  visit: (file: FileInode, path: string) => void,
): void {
  for (const [name, inode] of directory.entries()) {
    if (inode.kind === 'file') visit(inode, `${path}/${name}`);
    else visitFiles(inode, `${path}/${name}`, visit);
  }
}

function countChanges(directory: DirectoryInode): number {
  let count = directory.pendingChanges;
  for (const [, inode] of directory.entries()) {
    count += inode.kind === 'file' ? inode.pendingChanges : countChanges(inode);
  }
  return count;
}
