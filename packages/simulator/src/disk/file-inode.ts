/**
 * One file of the simulated disk: what programs see of it, and how to undo every change that a power loss may
 * still undo. Appends cost one copy, because what they cover needs no undoing. Knows no names and no time.
 */
import type { CrashChoices, WriteFate } from './crash-choices.ts';

interface FileChange {
  readonly kind: 'write' | 'truncation';
  readonly sequence: number;
  /** Of the write; the new size for a truncation. */
  readonly position: number;
  /** Of the write; 0 for a truncation. */
  length: number;
  readonly sizeBefore: number;
  /** Contents from `position` on that the change replaced or cut. */
  readonly replaced: Buffer | undefined;
  /** After a failed sync: `lost` is never written, however often the file is synced again. */
  settled: 'no' | 'lost' | 'durable';
}

const NOTHING = Buffer.alloc(0);
const FIRST_CAPACITY_BYTES = 64;
/** More pending appends than this are taken together: a tear splits them anyway. */
const CHANGES_APART_MAX = 32;

export class FileInode {
  readonly kind = 'file';
  /** Zeros from `sizeBytes` on. */
  #bytes: Buffer = NOTHING;
  /** Another inode reads the same buffer. */
  #isShared = false;
  #sizeBytes = 0;
  #changes: FileChange[] = [];
  /** How many changes went durable and were forgotten. */
  #forgotten = 0;
  /** No change before it takes in another: a sync covers it. */
  #coveredUpTo = 0;
  /** Has a name, and so counts as used space. */
  isLinked = true;

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  get pendingChanges(): number {
    return this.#changes.length;
  }

  /** @returns how many bytes there were. */
  read(target: Buffer, position: number): number {
    const end = Math.min(position + target.length, this.#sizeBytes);
    if (end <= position) return 0;
    this.#bytes.copy(target, 0, position, end);
    return end - position;
  }

  contents(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#sizeBytes));
  }

  write(bytes: Buffer, position: number, sequence: number): void {
    if (bytes.length === 0) return;
    const sizeBefore = this.#sizeBytes;
    const last = this.#changes.at(-1);
    if (
      last !== undefined &&
      this.#mayTakeIn(last) &&
      position === last.position &&
      bytes.length === last.length
    ) {
      // The same place once more: only the newest contents matter.
    } else if (
      last !== undefined &&
      this.#mayTakeIn(last) &&
      position === sizeBefore &&
      this.#isAppend(last)
    ) {
      last.length += bytes.length;
    } else {
      const replacedEnd = Math.min(position + bytes.length, sizeBefore);
      const replaced =
        replacedEnd > position ? Buffer.from(this.#bytes.subarray(position, replacedEnd)) : undefined;
      const { length } = bytes;
      this.#changes.push({
        kind: 'write',
        sequence,
        position,
        length,
        sizeBefore,
        replaced,
        settled: 'no',
      });
    }
    this.#put(bytes, position);
  }

  truncate(sizeBytes: number, sequence: number): void {
    const sizeBefore = this.#sizeBytes;
    const replaced =
      sizeBytes < sizeBefore ? Buffer.from(this.#bytes.subarray(sizeBytes, sizeBefore)) : undefined;
    this.#changes.push({
      kind: 'truncation',
      sequence,
      position: sizeBytes,
      length: 0,
      sizeBefore,
      replaced,
      settled: 'no',
    });
    this.#resize(sizeBytes);
  }

  /** @returns what to hand to `syncEnded`. */
  syncBegan(): number {
    this.#coveredUpTo = this.#forgotten + this.#changes.length;
    return this.#coveredUpTo;
  }

  /** Everything before `upTo` is durable. */
  syncEnded(upTo: number): void {
    const count = upTo - this.#forgotten;
    if (count <= 0) return;
    if (this.#changes.some(({ settled }) => settled === 'lost')) {
      for (const change of this.#changes.slice(0, count)) {
        if (change.settled === 'no') change.settled = 'durable';
      }
      return;
    }
    this.#changes = count === this.#changes.length ? [] : this.#changes.slice(count);
    this.#forgotten = upTo;
  }

  /**
   * The kernel marks the pages clean although they are not on the disk: no later sync writes them.
   *
   * @param isEvicted readers see the old contents from now on, too.
   */
  syncFailed(upTo: number, isEvicted: boolean): void {
    const covered = this.#changes.slice(0, Math.max(0, upTo - this.#forgotten));
    // Those of earlier syncs are on the disk, or lost before.
    const lost = covered.filter(({ settled }) => settled === 'no');
    for (const change of lost) change.settled = 'lost';
    if (!isEvicted) return;
    for (const { kind, position, length, replaced } of lost.reverse()) {
      if (kind === 'truncation') continue;
      this.#own(this.#sizeBytes);
      this.#bytes.fill(0, position, Math.min(position + length, this.#sizeBytes));
      replaced?.copy(this.#bytes, position, 0, Math.max(0, this.#sizeBytes - position));
    }
  }

  /** Makes the file what a power loss leaves of it. */
  crash(choices: CrashChoices): void {
    const changes = this.#changes;
    if (changes.length === 0) return;
    this.#changes = [];
    this.#forgotten = 0;
    this.#coveredUpTo = 0;
    const fates = changes.map((change) => fateOf(change, choices));
    if (fates.every((fate) => fate === 'whole')) return;
    this.#own(this.#sizeBytes);
    const written: (Buffer | undefined)[] = [];
    for (let i = changes.length - 1; i >= 0; i--) {
      const { kind, position, length } = changes[i]!;
      if (kind === 'write' && fates[i] !== 'dropped') {
        written[i] = Buffer.from(this.#bytes.subarray(position, position + length));
      }
      this.#undo(changes[i]!);
    }
    for (const [i, change] of changes.entries()) this.#redo(change, fates[i]!, written[i]);
  }

  /** Shares memory with this one until either is changed. */
  copy(): FileInode {
    const copy = new FileInode();
    copy.#bytes = this.#bytes;
    copy.#sizeBytes = this.#sizeBytes;
    copy.#isShared = true;
    this.#isShared = true;
    if (this.#changes.length > 0) {
      copy.#changes = this.#changes.map((change) => ({ ...change }));
      copy.#coveredUpTo = this.#coveredUpTo;
    }
    copy.#forgotten = this.#forgotten;
    copy.isLinked = this.isLinked;
    return copy;
  }

  /** Changes what is at rest: durable, and nobody was told. */
  alter(bytes: Buffer, position: number): void {
    this.#put(bytes, position);
  }

  /** As `alter`, of the size. */
  alterSize(sizeBytes: number): void {
    this.#resize(sizeBytes);
  }

  #mayTakeIn({ kind, settled }: FileChange): boolean {
    return (
      kind === 'write' &&
      settled === 'no' &&
      this.#changes.length > CHANGES_APART_MAX &&
      this.#forgotten + this.#changes.length > this.#coveredUpTo
    );
  }

  #isAppend({ position, length, sizeBefore }: FileChange): boolean {
    return position === sizeBefore && position + length === this.#sizeBytes;
  }

  #undo({ kind, position, sizeBefore, replaced }: FileChange): void {
    if (kind === 'write') this.#resize(sizeBefore);
    else if (sizeBefore > position) this.#own(sizeBefore);
    this.#sizeBytes = sizeBefore;
    replaced?.copy(this.#bytes, position);
  }

  #redo({ kind, position, length }: FileChange, fate: WriteFate, written: Buffer | undefined): void {
    if (fate === 'dropped') return;
    if (kind === 'truncation') {
      this.#resize(position);
      return;
    }
    if (fate === 'whole') {
      this.#put(written!, position);
      return;
    }
    const { sectorBytes, growsFully } = fate;
    const end = position + length;
    if (growsFully && end > this.#sizeBytes) this.#resize(end);
    const first = Math.floor(position / sectorBytes);
    for (let sector = first; sector * sectorBytes < end; sector++) {
      if (!fate.keepsSector(sector - first)) continue;
      const from = Math.max(position, sector * sectorBytes);
      const to = Math.min(end, (sector + 1) * sectorBytes);
      this.#put(written!.subarray(from - position, to - position), from);
    }
  }

  #put(bytes: Buffer, position: number): void {
    const end = position + bytes.length;
    this.#own(end);
    bytes.copy(this.#bytes, position);
    if (end > this.#sizeBytes) this.#sizeBytes = end;
  }

  #resize(sizeBytes: number): void {
    if (sizeBytes === this.#sizeBytes) return;
    this.#own(sizeBytes);
    if (sizeBytes < this.#sizeBytes) this.#bytes.fill(0, sizeBytes, this.#sizeBytes);
    this.#sizeBytes = sizeBytes;
  }

  /** A buffer of its own with room for `sizeBytes`. */
  #own(sizeBytes: number): void {
    const has = this.#bytes.length;
    if (has >= sizeBytes && !this.#isShared) return;
    const capacity =
      has >= sizeBytes
        ? Math.max(sizeBytes, this.#sizeBytes)
        : Math.max(sizeBytes, 2 * has, FIRST_CAPACITY_BYTES);
    const bytes = Buffer.alloc(capacity);
    this.#bytes.copy(bytes, 0, 0, this.#sizeBytes);
    this.#bytes = bytes;
    this.#isShared = false;
  }
}

function fateOf(change: FileChange, choices: CrashChoices): WriteFate {
  const { kind, sequence, length, settled } = change;
  if (settled !== 'no') return settled === 'lost' ? 'dropped' : 'whole';
  if (kind === 'write') return choices.fateOf({ sequence, bytes: length });
  return choices.keepsTruncation(sequence) ? 'whole' : 'dropped';
}
