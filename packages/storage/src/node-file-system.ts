/** The real disk. (Signatures first; the body follows.) */
import type { FileSystem } from './file-system.ts';

export declare class NodeFileSystem implements FileSystem {
  openSync: FileSystem['openSync'];
  readdirSync: FileSystem['readdirSync'];
  mkdirSync: FileSystem['mkdirSync'];
  renameSync: FileSystem['renameSync'];
  unlinkSync: FileSystem['unlinkSync'];
  removeSync: FileSystem['removeSync'];
  statSync: FileSystem['statSync'];
  syncDirectory: FileSystem['syncDirectory'];
  lock: FileSystem['lock'];
}
