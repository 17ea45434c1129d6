/** Names in a data directory, as Kafka has them. Only names; what files hold is told elsewhere. */
import type { FileSystem } from './file-system.ts';

export const PARTITION_METADATA = 'partition.metadata';
export const LEADER_EPOCHS = 'leader-epoch-checkpoint';
/** Present while a log must not be trusted: its file failed to sync. Holds the reason. */
export const DAMAGE_MARK = 'damaged';
export const DELETED_SUFFIX = '.deleted';
/** A segment that a cleaner is writing. */
export const CLEANED_SUFFIX = '.cleaned';
/** One that is on stable storage and takes the place of all segments that begin within it. */
export const SWAP_SUFFIX = '.swap';
export const DELETED_FOLDER_SUFFIX = '-delete';
const DAMAGED_FOLDER_SUFFIX = '-damaged';
export const STRAY_FOLDER_SUFFIX = '-stray';

export function offsetName(offset: number): string {
  return String(offset).padStart(20, '0');
}

/** Offsets of the files with this suffix, ascending. */
export function offsetsOf(names: readonly string[], suffix: '.log' | '.snapshot'): number[] {
  return names
    .filter((name) => name.length === 20 + suffix.length && name.endsWith(suffix))
    .map((name) => Number(name.slice(0, 20)))
    .filter(Number.isSafeInteger)
    .sort((a, b) => a - b);
}

/** `orders-3` back into its parts; undefined for folders of any other kind. */
export function parseFolderName(name: string): { topic: string; partition: number } | undefined {
  const match = /^([a-zA-Z0-9._-]{1,249})-(0|[1-9]\d{0,8})$/.exec(name);
  return match === null ? undefined : { topic: match[1]!, partition: Number(match[2]) };
}

export function fileNames(fileSystem: FileSystem, folder: string): string[] {
  return fileSystem
    .readdirSync(folder)
    .filter(({ isDirectory }) => !isDirectory)
    .map(({ name }) => name);
}

/** Where damaged folders of this partition were put for the operator, oldest first. */
export function damagedFolders(fileSystem: FileSystem, folder: string): string[] {
  return damagedNumbers(fileSystem, folder).map((number) => damagedName(folder, number));
}

/** The name for the next one. */
export function folderAside(fileSystem: FileSystem, folder: string): string {
  return damagedName(folder, (damagedNumbers(fileSystem, folder).at(-1) ?? -1) + 1);
}

function damagedName(folder: string, number: number): string {
  return `${folder}.${number}${DAMAGED_FOLDER_SUFFIX}`;
}

function damagedNumbers(fileSystem: FileSystem, folder: string): number[] {
  const slash = folder.lastIndexOf('/');
  const stem = `${folder.slice(slash + 1)}.`;
  return fileSystem
    .readdirSync(folder.slice(0, slash) || '/')
    .filter(({ name }) => name.startsWith(stem) && name.endsWith(DAMAGED_FOLDER_SUFFIX))
    .map(({ name }) => name.slice(stem.length, -DAMAGED_FOLDER_SUFFIX.length))
    .filter((number) => /^\d{1,9}$/.test(number))
    .map(Number)
    .sort((a, b) => a - b);
}

/** Without a byte in any segment. */
export function isEmptyFolder(fileSystem: FileSystem, folder: string): boolean {
  const logs = offsetsOf(fileNames(fileSystem, folder), '.log');
  return logs.every((offset) => {
    const path = `${folder}/${String(offset).padStart(20, '0')}.log`;
    return (fileSystem.statSync(path)?.sizeBytes ?? 0) === 0;
  });
}

/** The first name of this kind that nothing has yet. */
export function freeName(fileSystem: FileSystem, stem: string, suffix: string): string {
  for (let i = 0; ; i++) {
    const name = `${stem}.${i}${suffix}`;
    if (fileSystem.statSync(name) === undefined) return name;
  }
}
