/**
 * The segment that a cleaning writes in place of others: batches as they stay, and one empty batch for each run of
 * batches that are gone. So a compacted log is as dense as any other: every offset lies in a batch, a reader who stands
 * where nothing is left moves on, followers copy it as it is, and a batch that was lost never passes for one removed.
 */
import { BatchView, emptyBatch } from '@millrace/records';
import type { LogConfig } from './log-config.ts';
import { CLEANED_SUFFIX } from './log-folder.ts';
import type { RecoveryContext } from './log-recovery.ts';
import { Segment } from './segment.ts';

interface Gap {
  readonly baseOffset: number;
  lastOffset: number;
  readonly leaderEpoch: number;
}

export class CleanedSegment {
  readonly segment: Segment;
  readonly #config: LogConfig;
  readonly #chunkBytes: number;
  #gap: Gap | undefined;
  #pending: BatchView[] = [];
  #pendingBytes = 0;

  constructor(
    { folder, resources, logger }: Pick<RecoveryContext, 'folder' | 'resources' | 'logger'>,
    baseOffset: number,
    config: LogConfig,
    chunkBytes: number,
  ) {
    this.segment = Segment.create(folder, baseOffset, resources, logger, CLEANED_SUFFIX);
    this.#config = config;
    this.#chunkBytes = chunkBytes;
  }

  /** @param batch follows what was added or skipped last. */
  add(batch: BatchView): void {
    this.#closeGap();
    this.#write(batch);
  }

  /** Leaves a batch out. Runs end with an epoch, so that each epoch still begins where it did. */
  skip({ baseOffset, lastOffset, leaderEpoch }: BatchView): void {
    if (this.#gap?.leaderEpoch === leaderEpoch) {
      this.#gap.lastOffset = lastOffset;
      return;
    }
    this.#closeGap();
    this.#gap = { baseOffset, lastOffset, leaderEpoch };
  }

  /** All of it is on stable storage when this resolves. */
  async finish(): Promise<void> {
    this.#closeGap();
    this.#flush();
    this.segment.seal();
    await this.segment.sync();
    this.segment.unload();
  }

  #closeGap(): void {
    const gap = this.#gap;
    this.#gap = undefined;
    if (gap !== undefined) this.#write(BatchView.at(emptyBatch(gap), 0)!);
  }

  #write(batch: BatchView): void {
    this.#pending.push(batch);
    this.#pendingBytes += batch.sizeBytes;
    if (this.#pendingBytes >= this.#chunkBytes) this.#flush();
  }

  #flush(): void {
    if (this.#pending.length === 0) return;
    this.segment.write(Buffer.concat(this.#pending.map(({ bytes }) => bytes)));
    for (const batch of this.#pending) this.segment.added(batch, this.#config.indexIntervalBytes);
    this.#pending = [];
    this.#pendingBytes = 0;
  }
}
