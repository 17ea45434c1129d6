/**
 * A disk of the simulator: outlives the processes that use it, loses what a power loss may lose, fails and
 * stalls as it is told, and can be damaged at rest. One seed decides everything. Never touches a real disk.
 */
import { below, type Random } from '@millrace/core';
import type { FileSystem } from '@millrace/storage';
import { type CrashChoices, RandomChoices } from './crash-choices.ts';
import { type DiskFaults, type DiskOperation, NO_FAULTS } from './disk-faults.ts';
import { DiskTree } from './disk-tree.ts';
import { SimFileSystem } from './sim-file-system.ts';

export interface SimDiskOptions {
  /** Runs `run` after `delayMs` of virtual time. Default: everything completes at once. */
  readonly schedule?: (delayMs: number, run: () => void) => void;
  readonly faults?: DiskFaults;
  /** Writes beyond it fail with ENOSPC after writing what fits. May be changed later. */
  readonly capacityBytes?: number;
}

export class SimDisk {
  #tree = new DiskTree();
  #mounted: SimFileSystem | undefined;
  readonly #schedule: ((delayMs: number, run: () => void) => void) | undefined;
  faults: DiskFaults;
  capacityBytes: number;
  /** Called after each operation that changed or synced something. */
  onOperation: ((operation: DiskOperation, path: string) => void) | undefined;

  constructor({
    schedule,
    faults = NO_FAULTS,
    capacityBytes = Number.MAX_SAFE_INTEGER,
  }: SimDiskOptions = {}) {
    this.#schedule = schedule;
    this.faults = faults;
    this.capacityBytes = capacityBytes;
  }

  /**
   * The disk as one life of a process sees it. The view of the life before is dead: it changes nothing any more, finds
   * nothing, and what it waits for never comes.
   */
  mount(): FileSystem {
    this.unmount();
    this.#mounted = new SimFileSystem(this, this.#tree, this.#schedule);
    return this.#mounted;
  }

  /** The process died, however it died. What it wrote stays visible, synced or not. */
  unmount(): void {
    this.#mounted?.die();
    this.#mounted = undefined;
  }

  /** What the mounted life holds open. */
  get openPaths(): readonly string[] {
    return this.#mounted?.openPaths ?? [];
  }

  /** The power went off: each change that was not synced survives as `choices` say. @param choices or a seed's draws */
  crash(choices: CrashChoices | Random): void {
    this.unmount();
    this.#tree.crash('uint32' in choices ? new RandomChoices(choices, this.#tree.sequence) : choices);
  }

  /** Grows with every change; see RandomChoices. */
  get sequence(): number {
    return this.#tree.sequence;
  }

  /** How many changes a power loss may still undo. */
  get pendingChanges(): number {
    return this.#tree.pendingChanges;
  }

  get usedBytes(): number {
    return this.#tree.usedBytes;
  }

  /**
   * The same disk once more, unsynced changes included, without a process. Cheap: files share memory until changed.
   *
   * @param options as this disk's if absent.
   */
  copy(options?: SimDiskOptions): SimDisk {
    const { faults, capacityBytes } = this;
    const copy = new SimDisk(
      options ?? { faults, capacityBytes, ...(this.#schedule && { schedule: this.#schedule }) },
    );
    copy.#tree = this.#tree.copy();
    return copy;
  }

  /** An old copy is put back: everything written since is gone. @param image from `copy`, stays usable */
  restore(image: SimDisk): void {
    this.unmount();
    this.#tree = image.#tree.copy();
  }

  /** The disk is replaced by a blank one. */
  wipe(): void {
    this.unmount();
    this.#tree = new DiskTree();
  }

  /** All files, in lexical order. */
  paths(): string[] {
    const paths: string[] = [];
    this.#tree.eachFile((_, path) => paths.push(path));
    return paths.sort();
  }

  /** Contents of a file as programs see them; undefined if there is none. */
  get(path: string): Buffer | undefined {
    const found = this.#tree.find(path);
    return found?.kind === 'file' ? found.contents() : undefined;
  }

  /** Damage at rest: the disk answers with other bytes than were written, and says nothing. @param bit 0 to 7 */
  bitFlip(path: string, position: number, bit: number): void {
    const file = this.#tree.file(path);
    const byte = Buffer.alloc(1);
    file.read(byte, position);
    byte[0]! ^= 1 << bit;
    file.alter(byte, position);
  }

  /** A sector meant for one place was written to another: `to` holds what stands at `from`. */
  misdirect(
    from: { readonly path: string; readonly position: number },
    to: { readonly path: string; readonly position: number },
    bytes = 512,
  ): void {
    const sector = Buffer.alloc(bytes);
    const count = this.#tree.file(from.path).read(sector, from.position);
    const target = this.#tree.file(to.path);
    const room = Math.max(0, target.sizeBytes - to.position);
    target.alter(sector.subarray(0, Math.min(count, room)), to.position);
  }

  /** The kernel wrote a file back by itself, as it does sooner or later: name and contents are durable. */
  writeBack(path: string): void {
    const file = this.#tree.file(path);
    file.syncEnded(file.syncBegan());
    const directory = this.#tree.directory(path.slice(0, path.lastIndexOf('/')) || '/');
    directory.syncEnded(directory.syncBegan());
  }

  /** Damage at rest: the file ends early. */
  cutAtRest(path: string, sizeBytes: number): void {
    this.#tree.file(path).alterSize(sizeBytes);
  }

  /** Damage at rest: the file's name is gone, durably. */
  loseAtRest(path: string): void {
    this.#tree.unlink(path);
    const directory = this.#tree.directory(path.slice(0, path.lastIndexOf('/')) || '/');
    directory.syncEnded(directory.syncBegan());
  }

  /** A random byte of a random non-empty file that `isWanted`; undefined if there is none. */
  somewhere(
    random: Random,
    isWanted: (path: string) => boolean,
  ): { path: string; position: number } | undefined {
    const files: { path: string; bytes: number }[] = [];
    this.#tree.eachFile((file, path) => {
      if (file.sizeBytes > 0 && isWanted(path)) files.push({ path, bytes: file.sizeBytes });
    });
    if (files.length === 0) return undefined;
    files.sort((a, b) => (a.path < b.path ? -1 : 1));
    const { path, bytes } = files[below(random, files.length)]!;
    return { path, position: below(random, bytes) };
  }
}
