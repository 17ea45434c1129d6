/**
 * The disk of a controller, as far as Raft is concerned: what LevelRaftStore keeps, without LevelDB. Writes are
 * atomic and survive a power loss in order, from the first that was not yet durable up to any other. Outlives
 * the processes that open it.
 */
import { below, invariant, MillraceError, type Random } from '@millrace/core';
import { MemoryRaftStore, type RaftStore, type RaftStoreWrite } from '@millrace/metadata-quorum';
import type { DurableState, Snapshot } from '@millrace/raft';
import { type DiskFaults, NO_FAULTS } from './disk-faults.ts';
import { diskError } from './disk-tree.ts';

type Change = (store: MemoryRaftStore) => void;

export interface SimRaftDiskOptions {
  readonly schedule?: (delayMs: number, run: () => void) => void;
  readonly faults?: DiskFaults;
}

export class SimRaftDisk {
  readonly #schedule: ((delayMs: number, run: () => void) => void) | undefined;
  faults: DiskFaults;
  #durable = new MemoryRaftStore();
  /** Written and not durable; oldest first. */
  #pending: Change[] = [];
  #mounted: SimRaftStore | undefined;
  #damage: string | undefined;

  constructor({ schedule, faults = NO_FAULTS }: SimRaftDiskOptions = {}) {
    this.#schedule = schedule;
    this.faults = faults;
  }

  /** The store as one life of a process sees it; that of the life before is dead. */
  mount(): SimRaftStore {
    this.unmount();
    this.#mounted = new SimRaftStore({
      write: (change) => this.#write(change),
      load: () => this.#load(),
    });
    return this.#mounted;
  }

  /** The process died; what it wrote is in the page cache and so survives. */
  unmount(): void {
    this.#mounted?.die();
    this.#mounted = undefined;
    this.#settle(this.#pending.length);
  }

  /** The power went off: a random number of writes that were not durable survive, the earliest first. */
  crash(random: Random): void {
    this.#mounted?.die();
    this.#mounted = undefined;
    this.#settle(below(random, this.#pending.length + 1));
    this.#pending = [];
  }

  /** Bits rot: whoever loads it is told that it is damaged, as LevelRaftStore tells. */
  damage(what = 'a value fails its checksum'): void {
    this.#damage = what;
  }

  wipe(): void {
    this.unmount();
    this.#durable = new MemoryRaftStore();
    this.#damage = undefined;
  }

  async #load(): Promise<DurableState> {
    const fault = this.faults.fault('read', 'raft', 0);
    if (fault !== undefined && fault !== 'stuck') throw diskError(fault.code, 'raft');
    if (this.#damage !== undefined) {
      throw new MillraceError('LOG_DAMAGED', `the metadata log on this node is damaged: ${this.#damage}`);
    }
    invariant(this.#pending.length === 0, 'a store is loaded before it is written');
    return await this.#durable.load();
  }

  /** Durable when it resolves; a failed one may or may not be found after a crash. */
  async #write(change: Change): Promise<void> {
    this.#pending.push(change);
    const fault = this.faults.fault('datasync', 'raft', 0);
    if (fault === 'stuck') return await new Promise<never>(() => {});
    const delayMs = this.faults.delayMs('datasync', 0);
    if (delayMs > 0 && this.#schedule !== undefined) {
      const schedule = this.#schedule;
      await new Promise<void>((resolve) => schedule(delayMs, resolve));
    }
    if (fault !== undefined) throw diskError(fault.code, 'raft');
    this.#settle(this.#pending.indexOf(change) + 1);
  }

  #settle(count: number): void {
    for (const change of this.#pending.splice(0, count)) change(this.#durable);
  }
}

interface RaftDiskPort {
  write(change: Change): Promise<void>;
  load(): Promise<DurableState>;
}

export class SimRaftStore implements RaftStore {
  readonly #disk: RaftDiskPort;
  #isDead = false;

  constructor(disk: RaftDiskPort) {
    this.#disk = disk;
  }

  load(): Promise<DurableState> {
    return this.#alive(() => this.#disk.load());
  }

  write(write: RaftStoreWrite): Promise<void> {
    return this.#alive(() => this.#disk.write((store) => void store.write(write)));
  }

  saveSnapshot(snapshot: Snapshot, compactTo: number, compactTerm: number): Promise<void> {
    return this.#alive(() =>
      this.#disk.write((store) => void store.saveSnapshot(snapshot, compactTo, compactTerm)),
    );
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  die(): void {
    this.#isDead = true;
  }

  /** Nothing that a dead process waits for ever comes. */
  async #alive<T>(use: () => Promise<T>): Promise<T> {
    const never = new Promise<never>(() => {});
    if (this.#isDead) return await never;
    try {
      const result = await use();
      return this.#isDead ? await never : result;
    } catch (error) {
      if (this.#isDead) return await never;
      throw error;
    }
  }
}
