/**
 * What a log remembers beside its batches, with the files that keep it: leader epochs and producers. `sync`
 * writes epochs down, before the recovery point passes them; what is newer is in the log's tail and in the
 * journal. After a truncation both follow the log.
 */
import type { BatchView } from '@millrace/records';
import type { LeaderEpochs } from './leader-epochs-state.ts';
import { fileNames, LEADER_EPOCHS, offsetName, offsetsOf } from './log-folder.ts';
import type { RecoveryContext } from './log-recovery.ts';
import { type LogState, recoverProducers } from './log-state-recovery.ts';
import { encodeSnapshot } from './producer-snapshot.ts';
import { ProducerState, type RememberedBatch } from './producer-state.ts';
import type { Segment } from './segment.ts';
import { formatEpochs } from './text-files.ts';
import { replaceWhole, replaceWholeDurably, syncFile } from './whole-file.ts';

/** Beside those that begin a segment. */
const SNAPSHOTS_KEPT = 2;

export class LogSideFiles {
  readonly #context: RecoveryContext;
  /** The producers of every batch since offset 0 are known, deleted batches included. */
  #knowsAll: boolean;
  readonly epochs: LeaderEpochs;
  #producers: ProducerState | undefined;
  #snapshotOffset: number;
  #syncing: Promise<void> = Promise.resolve();
  /** The file is being replaced: a second one would take its temporary file away. */
  #isReplacing = false;
  #epochsChanged: 'unwritten' | 'written' | undefined;
  /** A snapshot on stable storage; it stays until another one is. -1 for none. */
  #durableSnapshot = -1;
  /** A snapshot failed to sync: tried again it would pass for durable without its bytes (rule Q25). */
  #hasUnsyncable = false;
  /** Snapshots of what was cut are removed, but a power loss would bring them back. */
  #isRemovalUnsynced = false;

  constructor(context: RecoveryContext, state: LogState) {
    this.#context = context;
    this.epochs = state.epochs;
    this.#producers = state.producers;
    this.#snapshotOffset = state.snapshotOffset;
    // The recovery point must not pass what the file does not tell.
    if (!state.areEpochsWritten) this.#epochsChanged = 'unwritten';
    this.#knowsAll = context.logStartOffset === 0;
  }

  get producers(): ProducerState | undefined {
    return this.#producers;
  }

  /** As ProducerState.check. @param mayBeginAnywhere even where nothing was deleted. */
  checkProducer(
    batch: BatchView,
    logStartOffset: number,
    mayBeginAnywhere: boolean,
  ): RememberedBatch | undefined {
    if (batch.producerId < 0) return undefined;
    const isWholeLog = this.#knowsAll || logStartOffset === 0;
    return this.#knownProducers().check(batch, isWholeLog && !mayBeginAnywhere);
  }

  /** Notes what was appended. */
  appended(batch: BatchView, nowMs: number): void {
    const { producerId, leaderEpoch } = batch;
    if (leaderEpoch > this.epochs.lastEpoch) this.assignEpoch(leaderEpoch, batch.baseOffset);
    if (producerId < 0) return;
    this.#knownProducers().update(batch, nowMs);
  }

  /** @returns whether anything changed. */
  assignEpoch(epoch: number, startOffset: number): boolean {
    const changed = this.epochs.assign(epoch, startOffset);
    if (changed) this.#epochsChanged = 'unwritten';
    return changed;
  }

  /** Into the page cache; `sync` does it if nobody else does. */
  writeEpochs(): void {
    // Whoever replaces the file goes on with it.
    this.#epochsChanged = 'unwritten';
    if (this.#isReplacing) return;
    const { folder, resources } = this.#context;
    replaceWhole(resources.fileSystem, `${folder}/${LEADER_EPOCHS}`, formatEpochs(this.epochs.saved));
    this.#epochsChanged = 'written';
  }

  /** Producer state as of `endOffset`, the log end; older snapshots that nothing needs go. */
  takeSnapshot(endOffset: number, segments: readonly Segment[]): void {
    if (this.#snapshotOffset === endOffset || endOffset === segments[0]!.baseOffset) return;
    const { folder, resources } = this.#context;
    const path = `${folder}/${offsetName(endOffset)}.snapshot`;
    replaceWhole(resources.fileSystem, path, encodeSnapshot(this.#producers?.entries() ?? []));
    this.#snapshotOffset = endOffset;
    const bases = new Set(segments.map(({ baseOffset }) => baseOffset));
    const others = this.#snapshots().filter(
      (offset) => !bases.has(offset) && offset !== this.#durableSnapshot,
    );
    for (const offset of others.slice(0, -SNAPSHOTS_KEPT)) this.#removeSnapshot(offset);
  }

  /** One after the other: they share the name of a temporary file. */
  sync(): Promise<void> {
    this.#syncing = this.#syncing.catch(() => undefined).then(() => this.#syncNow());
    return this.#syncing;
  }

  async #syncNow(): Promise<void> {
    const { folder, resources } = this.#context;
    const changed = this.#epochsChanged;
    if (changed === undefined && !this.#isRemovalUnsynced) return;
    this.#epochsChanged = undefined;
    const path = `${folder}/${LEADER_EPOCHS}`;
    // With the name: an older file below the recovery point would pass for a damaged log.
    if (changed === 'unwritten') {
      await this.#replaceEpochs(path);
    } else {
      if (changed === 'written') await syncFile(resources.fileSystem, path);
      await resources.fileSystem.syncDirectory(folder);
    }
    this.#isRemovalUnsynced = false;
  }

  async #replaceEpochs(path: string): Promise<void> {
    this.#isReplacing = true;
    try {
      await replaceWholeDurably(this.#context.resources.fileSystem, path, formatEpochs(this.epochs.saved));
    } finally {
      this.#isReplacing = false;
    }
    // What changed meanwhile.
    if (this.#epochsChanged !== undefined) this.writeEpochs();
  }

  /** The log ends at `endOffset` now. */
  async truncated(endOffset: number, segments: readonly Segment[]): Promise<void> {
    if (this.epochs.truncateEnd(endOffset)) this.writeEpochs();
    this.#removeSnapshotsAfter(endOffset);
    this.#snapshotOffset = Math.min(this.#snapshotOffset, this.#snapshots().at(-1) ?? -1);
    if (this.#producers === undefined) return;
    const { producers } = await recoverProducers(this.#context, segments, endOffset);
    const rebuilt = producers ?? this.#noProducers();
    rebuilt.replaces(this.#producers);
    this.#producers = rebuilt;
    if (this.#snapshotOffset === -1 && segments[0]!.baseOffset > 0) this.#knowsAll = false;
  }

  /** Drops epochs that began at the log end and hold no record. @returns whether there were any. */
  forgetEmptyEpochs(endOffset: number): boolean {
    const changed = this.epochs.truncateEnd(endOffset);
    if (changed) this.writeEpochs();
    return changed;
  }

  /** Nothing of the log is left. */
  cleared(): void {
    this.epochs.clear();
    this.writeEpochs();
    this.#removeSnapshotsAfter(-1);
    this.#snapshotOffset = -1;
    this.#producers = undefined;
    this.#knowsAll = false;
  }

  /**
   * Batches below `offset` are about to go: what they tell of producers is on stable storage first, in a snapshot of
   * them or of later ones. Else a power loss could leave neither, and a late retry would be appended again.
   */
  async keepProducers(offset: number, endOffset: number, segments: readonly Segment[]): Promise<void> {
    if (this.#producers === undefined || this.#durableSnapshot >= offset) return;
    if (this.#hasUnsyncable) this.#snapshotOffset = -1;
    if (this.#snapshotOffset < offset) this.takeSnapshot(endOffset, segments);
    const isUsable = (snapshot: number): boolean => snapshot >= (this.#hasUnsyncable ? endOffset : offset);
    const kept = this.#snapshots().find(isUsable);
    if (kept === undefined) return;
    const { folder, resources } = this.#context;
    try {
      await syncFile(resources.fileSystem, `${folder}/${offsetName(kept)}.snapshot`);
      await resources.fileSystem.syncDirectory(folder);
    } catch (error) {
      this.#hasUnsyncable = true;
      throw error;
    }
    this.#hasUnsyncable = false;
    this.#durableSnapshot = kept;
  }

  /** The log begins at `startOffset` now. Producers stay: a retry may come after its batch was deleted. */
  startMoved(startOffset: number, firstBaseOffset: number): void {
    // The file still tells the same of a log that begins there, and may be all that does: it is not put at risk now.
    if (this.epochs.truncateStart(startOffset)) this.#epochsChanged ??= 'unwritten';
    const older = this.#snapshots().filter((offset) => offset < firstBaseOffset);
    const isNeeded = (offset: number): boolean =>
      offset === this.#snapshotOffset || offset === this.#durableSnapshot;
    for (const offset of older) if (!isNeeded(offset)) this.#removeSnapshot(offset);
  }

  #knownProducers(): ProducerState {
    this.#producers ??= this.#noProducers();
    return this.#producers;
  }

  #noProducers(): ProducerState {
    return new ProducerState(this.#context.resources.producerIdsMax);
  }

  #snapshots(): number[] {
    const { folder, resources } = this.#context;
    return offsetsOf(fileNames(resources.fileSystem, folder), '.snapshot');
  }

  #removeSnapshotsAfter(endOffset: number): void {
    for (const offset of this.#snapshots()) {
      if (offset <= endOffset) continue;
      this.#removeSnapshot(offset);
      this.#isRemovalUnsynced = true;
    }
  }

  #removeSnapshot(offset: number): void {
    if (offset === this.#durableSnapshot) this.#durableSnapshot = -1;
    const { folder, resources } = this.#context;
    resources.fileSystem.unlinkSync(`${folder}/${offsetName(offset)}.snapshot`);
  }
}
