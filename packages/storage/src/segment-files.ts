/**
 * The files of one segment by name: how they are renamed together, and that nobody reaches them once the segment is
 * removed. What has their names then may be another segment's.
 */
import { type DiskFile, missingFile } from './file-system.ts';
import { offsetName } from './log-folder.ts';
import type { LogResources } from './log-resources.ts';
import type { OpenFile } from './open-files.ts';

type SegmentFileResources = Pick<LogResources, 'fileSystem' | 'files'>;

const ENDINGS = ['.log', '.index', '.timeindex', '.txnindex'] as const;

export class SegmentFiles {
  readonly folder: string;
  /** Path without an ending. */
  readonly stem: string;
  readonly #resources: SegmentFileResources;
  /** Of the names while the segment is about to take the place of others. */
  #suffix: string;
  #isRemoved = false;
  #open: OpenFile | undefined;

  constructor(folder: string, baseOffset: number, resources: SegmentFileResources, suffix: string) {
    this.folder = folder;
    this.stem = `${folder}/${offsetName(baseOffset)}`;
    this.#resources = resources;
    this.#suffix = suffix;
  }

  path(ending: string): string {
    return this.stem + ending + this.#suffix;
  }

  get isRemoved(): boolean {
    return this.#isRemoved;
  }

  /** @throws ENOENT of a segment that was removed. */
  checkThere(): void {
    if (this.#isRemoved) throw missingFile(this.path('.log'));
  }

  /** The log, open. Valid until the caller yields, unless held. @throws ENOENT */
  log(): OpenFile {
    const open = this.#open;
    if (open !== undefined && !open.isClosed) {
      open.isRecent = true;
      return open;
    }
    this.checkThere();
    this.#open = this.#resources.files.open(this.path('.log'));
    return this.#open;
  }

  /** Runs `use` while the log cannot be closed. */
  async withLog<T>(use: (file: DiskFile) => Promise<T>): Promise<T> {
    const open = this.log();
    open.hold();
    try {
      return await use(open.disk);
    } finally {
      open.drop();
    }
  }

  /** Renames the files so that they are gone after a restart; returns their new names. */
  remove(suffix: string): string[] {
    const removed: string[] = [];
    for (const path of this.#forget()) {
      const renamed = this.#withSuffix(path, suffix);
      this.#resources.fileSystem.renameSync(path, renamed);
      removed.push(renamed);
    }
    this.#isRemoved = true;
    return removed;
  }

  /** Gives the files this suffix instead of the one they have, the log last. */
  rename(suffix: string): void {
    for (const path of this.#forget().reverse()) {
      this.#resources.fileSystem.renameSync(path, this.#withSuffix(path, suffix));
    }
    this.#suffix = suffix;
  }

  unlink(): void {
    for (const path of this.#forget()) this.#resources.fileSystem.unlinkSync(path);
    this.#isRemoved = true;
  }

  /** @returns the paths of those that are there. */
  #forget(): string[] {
    this.#resources.files.forget(this.path('.log'));
    this.#open = undefined;
    const { fileSystem } = this.#resources;
    return ENDINGS.map((ending) => this.path(ending)).filter(
      (path) => fileSystem.statSync(path) !== undefined,
    );
  }

  #withSuffix(path: string, suffix: string): string {
    return path.slice(0, path.length - this.#suffix.length) + suffix;
  }
}
