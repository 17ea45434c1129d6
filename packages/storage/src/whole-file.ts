/** Small files read and replaced whole. A reader sees the old contents or the new ones, never a mixture. */
import type { DiskFile, FileSystem } from './file-system.ts';

/** undefined if there is no such file. */
export function readWhole(fileSystem: FileSystem, path: string): Buffer | undefined {
  const stat = fileSystem.statSync(path);
  if (stat === undefined || stat.isDirectory) return undefined;
  return withFile(fileSystem, path, false, (file) => {
    const bytes = Buffer.allocUnsafe(stat.sizeBytes);
    return bytes.subarray(0, file.readSync(bytes, 0));
  });
}

/** Into the page cache only: a crash of the machine may leave an empty file. */
export function replaceWhole(fileSystem: FileSystem, path: string, contents: string | Buffer): void {
  const temporary = `${path}.tmp`;
  withFile(fileSystem, temporary, true, (file) => write(file, contents));
  fileSystem.renameSync(temporary, path);
}

/** On stable storage, name included, once it resolves. */
export async function replaceWholeDurably(
  fileSystem: FileSystem,
  path: string,
  contents: string | Buffer,
): Promise<void> {
  const temporary = `${path}.tmp`;
  const file = fileSystem.openSync(temporary, { create: true });
  try {
    write(file, contents);
    await file.datasync();
  } finally {
    file.closeSync();
  }
  fileSystem.renameSync(temporary, path);
  await fileSystem.syncDirectory(parentOf(path));
}

/** Makes the directory and its parents, each with its name on stable storage. */
export async function makeDirectoryDurably(fileSystem: FileSystem, path: string): Promise<void> {
  const missing: string[] = [];
  for (let at = path; fileSystem.statSync(at) === undefined; at = parentOf(at)) missing.push(at);
  fileSystem.mkdirSync(path);
  for (const made of missing) await fileSystem.syncDirectory(parentOf(made));
}

export async function syncFile(fileSystem: FileSystem, path: string): Promise<void> {
  const file = fileSystem.openSync(path);
  try {
    await file.datasync();
  } finally {
    file.closeSync();
  }
}

export function withFile<T>(
  fileSystem: FileSystem,
  path: string,
  create: boolean,
  use: (file: DiskFile) => T,
): T {
  const file = fileSystem.openSync(path, { create });
  try {
    return use(file);
  } finally {
    file.closeSync();
  }
}

function parentOf(path: string): string {
  const at = path.lastIndexOf('/');
  return at === -1 ? '.' : path.slice(0, at) || '/';
}

function write(file: DiskFile, contents: string | Buffer): void {
  const bytes = typeof contents === 'string' ? Buffer.from(contents) : contents;
  // On ext4 a needless truncation would have the file written out at once.
  if (file.sizeSync() > 0) file.truncateSync(0);
  file.writeSync([bytes], 0);
}
