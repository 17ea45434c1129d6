/**
 * One cleaning of one log: maps the newest offset of each key in what is dirty, then writes every segment up to there
 * anew without what is out of date, group by group. A group takes the place of its segments in durable steps, so that a
 * crash at any of them leaves the old segments or the new one. Never holds the event loop for more than a slice.
 */
import { MillraceError } from '@millrace/core';
import { BatchView, emptiedBatch, RecordCursor, thinBatch } from '@millrace/records';
import { CleanedSegment } from './cleaned-segment.ts';
import { type CleanerPace, CleaningEnded } from './cleaner-pace.ts';
import { type DirtyRange, groupSegments, staysInLog } from './compaction-state.ts';
import { LIMITS } from './decompression-limits.ts';
import { KeyHash } from './key-hash.ts';
import type { LogConfig } from './log-config.ts';
import type { LogContents } from './log-contents.ts';
import { SWAP_SUFFIX } from './log-folder.ts';
import type { RecoveryContext } from './log-recovery.ts';
import { OFFSET_MAP_ENTRY_BYTES, OffsetMap } from './offset-map.ts';
import type { Segment } from './segment.ts';
import { segmentBatches } from './segment-batches.ts';

export interface CleanerMemory {
  /** For the keys of one pass. */
  readonly dedupeBytes: number;
  readonly loadFactor: number;
  readonly chunkBytes: number;
}

export interface CompactionTarget extends Pick<RecoveryContext, 'folder' | 'resources' | 'logger'> {
  readonly contents: LogContents;
  readonly config: LogConfig;
  /** Segments below are left alone: they are to be deleted, and of those that a power loss brought back some may be missing. */
  readonly logStartOffset: number;
  /** The log was closed, cut, or went offline: what was read of it may not be so any more. */
  readonly isEnded: () => boolean;
  /** Nothing else removes or renames files of the log meanwhile. */
  readonly exclusively: (work: () => Promise<void>) => Promise<void>;
  /** Files are half-way between old and new, and only a restart can tell: the log goes offline. */
  readonly failed: (error: unknown) => Promise<MillraceError>;
}

export interface CompactionReport {
  readonly from: number;
  /** All below is clean now. */
  readonly to: number;
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  readonly recordsBefore: number;
  readonly recordsAfter: number;
  readonly keys: number;
  readonly mapBytes: number;
  /** When the first of the tombstones that stay may go. */
  readonly deleteHorizonMs: number;
}

/** A sealed segment with where the next begins. */
interface Source {
  readonly segment: Segment;
  readonly baseOffset: number;
  readonly endOffset: number;
  readonly sizeBytes: number;
}

/** Records looked at between two rests. */
const SLICE_RECORDS = 4096;

export class CompactionPass {
  readonly #target: CompactionTarget;
  readonly #memory: CleanerMemory;
  readonly #pace: CleanerPace;
  readonly #nowMs: number;
  readonly #from: number;
  /** Records from here on are not mapped, and stay. */
  #to: number;
  readonly #map: OffsetMap;
  /** In what is mapped, of each producer that is remembered: where its last batch ends. */
  readonly #lastBatches = new Map<number, number>();
  #generation: number;
  #sliceRecords = 0;
  #sliceBytes = 0;
  #unreadable = 0;
  readonly #counts = { bytesBefore: 0, bytesAfter: 0, recordsBefore: 0, recordsAfter: 0 };
  #deleteHorizonMs = Number.POSITIVE_INFINITY;

  constructor(
    target: CompactionTarget,
    { from, to }: DirtyRange,
    memory: CleanerMemory,
    pace: CleanerPace,
    nowMs: number,
  ) {
    this.#target = target;
    this.#memory = memory;
    this.#pace = pace;
    this.#nowMs = nowMs;
    this.#from = from;
    this.#to = to;
    this.#generation = target.contents.generation;
    const { dedupeBytes, loadFactor } = memory;
    const keysMax = Math.floor((dedupeBytes / OFFSET_MAP_ENTRY_BYTES) * loadFactor);
    // No more keys than offsets.
    const entriesMax = Math.min(keysMax, Math.max(1, to - from));
    this.#map = new OffsetMap(entriesMax, loadFactor, new KeyHash(target.resources.random));
  }

  /** @throws {CleaningEnded}; {DamageFound}; the disk's errors. */
  async run(): Promise<CompactionReport> {
    await this.#mapDirty();
    const sources = this.#sources().filter(({ baseOffset }) => baseOffset < this.#to);
    for (const group of groupSegments(sources, this.#target.config.segmentBytes))
      await this.#cleanGroup(group);
    const { logger } = this.#target;
    if (this.#unreadable > 0) {
      logger.warn(
        { event: 'batches_not_cleaned', batches: this.#unreadable },
        'batches whose records cannot be read stay as they are',
      );
    }
    return {
      from: this.#from,
      to: this.#to,
      ...this.#counts,
      keys: this.#map.size,
      mapBytes: this.#map.sizeBytes,
      deleteHorizonMs: this.#deleteHorizonMs,
    };
  }

  /** Ends early, at a segment's beginning if it can, when the map is full. */
  async #mapDirty(): Promise<void> {
    let isFirst = true;
    for (const source of this.#sources()) {
      if (source.endOffset <= this.#from || source.baseOffset >= this.#to) continue;
      const fullAt = await this.#mapSegment(source.segment);
      if (fullAt !== -1) {
        this.#to = isFirst ? fullAt : source.baseOffset;
        return;
      }
      isFirst = false;
    }
  }

  /** @returns the offset of the first record that the map has no room for; -1 if it took them all. */
  async #mapSegment(segment: Segment): Promise<number> {
    const lastBatches = new Map<number, number>();
    const { producers } = this.#target.contents.side;
    for await (const batches of this.#batches(segment)) {
      for (const batch of batches) {
        const { producerId, lastOffset } = batch;
        if (lastOffset < this.#from) continue;
        const fullAt = batch.isControl ? -1 : this.#mapBatch(batch);
        if (fullAt !== -1) return fullAt;
        if (producers?.get(producerId) !== undefined) lastBatches.set(producerId, lastOffset);
        await this.#spent(batch);
      }
    }
    for (const [producerId, lastOffset] of lastBatches) this.#lastBatches.set(producerId, lastOffset);
    return -1;
  }

  #mapBatch(batch: BatchView): number {
    try {
      const records = new RecordCursor(batch, LIMITS);
      while (records.next()) {
        const { bytes, keyStart, keyEnd, offset } = records;
        if (keyStart === -1 || offset < this.#from) continue;
        if (!this.#map.put(bytes, keyStart, keyEnd, offset)) return offset;
      }
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error;
    }
    return -1;
  }

  async #cleanGroup(group: readonly Source[]): Promise<void> {
    const { resources, folder, config } = this.#target;
    const bytes = group.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    if (!(await resources.space.hasRoomFor(bytes))) {
      throw new MillraceError('DISK_FULL', `${folder}: no room to clean ${bytes} bytes`);
    }
    this.#check();
    const cleaned = new CleanedSegment(this.#target, group[0]!.baseOffset, config, this.#memory.chunkBytes);
    let isSwapped = false;
    try {
      let isChanged = group.length > 1;
      for (const { segment } of group) isChanged = (await this.#clean(segment, cleaned)) || isChanged;
      await cleaned.finish();
      // Neighbouring runs of nothing became one.
      isChanged ||= cleaned.segment.sizeBytes !== bytes;
      this.#counts.bytesBefore += bytes;
      this.#counts.bytesAfter += isChanged ? cleaned.segment.sizeBytes : bytes;
      if (isChanged) {
        await this.#target.exclusively(async () => {
          this.#check();
          isSwapped = true;
          await this.#swap(group, cleaned.segment).catch(async (error: unknown) => {
            throw await this.#target.failed(error);
          });
        });
      }
    } finally {
      if (!isSwapped) cleaned.segment.unlink();
    }
  }

  /** @returns whether anything of the segment changed. */
  async #clean(segment: Segment, cleaned: CleanedSegment): Promise<boolean> {
    let isChanged = false;
    for await (const batches of this.#batches(segment)) {
      for (const batch of batches) {
        const kept = this.#thinned(batch);
        if (kept === undefined) cleaned.skip(batch);
        else cleaned.add(kept === batch.bytes ? batch : BatchView.at(kept, 0)!);
        isChanged ||= kept === undefined ? batch.recordCount > 0 : kept !== batch.bytes;
        await this.#spent(batch);
      }
    }
    return isChanged;
  }

  /** What stays of a batch: its own bytes if all does, undefined if nothing does. */
  #thinned(batch: BatchView): Buffer | undefined {
    this.#counts.recordsBefore += batch.recordCount;
    if (batch.isControl) return batch.bytes;
    const isNeeded = batch.producerId >= 0 && this.#mayBeLastOfProducer(batch);
    if (batch.recordCount === 0) return isNeeded ? batch.bytes : undefined;
    const kept = this.#withoutOld(batch);
    if (kept === undefined) return isNeeded ? emptiedBatch(batch) : undefined;
    this.#counts.recordsAfter += BatchView.at(kept, 0)!.recordCount;
    return kept;
  }

  #withoutOld(batch: BatchView): Buffer | undefined {
    const { deleteHorizonMs } = batch;
    const laterHorizonMs = this.#nowMs + this.#target.config.deleteRetentionMs;
    let keepsTombstone = false;
    const keeps = (record: RecordCursor): boolean => {
      const { bytes, keyStart, keyEnd, offset, hasValue } = record;
      const newest = keyStart === -1 ? -1 : this.#map.get(bytes, keyStart, keyEnd);
      const stays = offset >= this.#to || staysInLog(record, newest, deleteHorizonMs, this.#nowMs);
      keepsTombstone ||= stays && !hasValue;
      return stays;
    };
    try {
      const kept = thinBatch(batch, { keeps, deleteHorizonMs: laterHorizonMs, limits: LIMITS });
      if (keepsTombstone) {
        this.#deleteHorizonMs = Math.min(this.#deleteHorizonMs, deleteHorizonMs ?? laterHorizonMs);
      }
      return kept;
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error;
      this.#unreadable++;
      return batch.bytes;
    }
  }

  /**
   * Of the producers that are remembered each has its last batch below the end of the cleaning: what follows may still
   * be lost or cut, and then the log alone tells where they were. Whether a batch that was cleaned before is the last
   * one there shows only when the producer's next one is cleaned, too; until then it stays.
   */
  #mayBeLastOfProducer({ producerId, lastOffset }: BatchView): boolean {
    const known = this.#target.contents.side.producers?.get(producerId)?.batches.at(-1);
    if (known === undefined) return false;
    const lastMapped = this.#lastBatches.get(producerId);
    if (lastMapped !== undefined && lastOffset < this.#to) return lastOffset === lastMapped;
    return known.lastOffset >= this.#to || lastOffset === known.lastOffset;
  }

  /**
   * The durable name with `.swap` decides: from then on recovery removes the old segments and takes the new one. It
   * stays until they are gone for good; else one of them could come back beside the segment that holds its records.
   */
  async #swap(group: readonly Source[], cleaned: Segment): Promise<void> {
    const { contents, resources, folder, config } = this.#target;
    const { fileSystem } = resources;
    const old = group.map(({ segment }) => segment);
    const { endOffset } = group.at(-1)!;
    cleaned.rename(SWAP_SUFFIX);
    await fileSystem.syncDirectory(folder);
    const removed = contents.replace(old, cleaned, endOffset);
    this.#generation = contents.generation;
    await fileSystem.syncDirectory(folder);
    cleaned.rename('');
    await fileSystem.syncDirectory(folder);
    resources.removeLater(removed, config.fileDeleteDelayMs);
  }

  #sources(): Source[] {
    const { contents, logStartOffset } = this.#target;
    const { all } = contents.segments;
    const sources = all.slice(0, -1).map((segment, i) => ({
      segment,
      baseOffset: segment.baseOffset,
      endOffset: all[i + 1]!.baseOffset,
      sizeBytes: segment.sizeBytes,
    }));
    return sources.filter(({ endOffset }) => endOffset > logStartOffset);
  }

  async *#batches(segment: Segment): AsyncGenerator<readonly BatchView[], void, undefined> {
    const { side } = this.#target.contents;
    const chunks = segmentBatches(segment, this.#memory.chunkBytes, (offset) => side.epochs.epochAt(offset));
    try {
      for await (const batches of chunks) {
        this.#check();
        yield batches;
      }
    } catch (error) {
      // What was read may have been cut or deleted meanwhile.
      this.#check();
      throw error;
    }
  }

  async #spent({ recordCount, sizeBytes }: BatchView): Promise<void> {
    this.#sliceRecords += recordCount;
    this.#sliceBytes += sizeBytes;
    if (this.#sliceRecords < SLICE_RECORDS && this.#sliceBytes < this.#memory.chunkBytes) return;
    const bytes = this.#sliceBytes;
    this.#sliceRecords = 0;
    this.#sliceBytes = 0;
    await this.#pace.spent(bytes);
    this.#check();
  }

  #check(): void {
    this.#pace.check();
    const { contents, isEnded } = this.#target;
    if (isEnded() || contents.generation !== this.#generation) throw new CleaningEnded();
  }
}
