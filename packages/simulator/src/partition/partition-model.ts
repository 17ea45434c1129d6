/**
 * All that is true of partitions, whether any broker knows it: what each replica's log holds, what is committed, which
 * losses were allowed. Kept from observations alone; brokers' own opinions do not enter.
 */
import type { NodeId } from '@millrace/core';
import type { PartitionImage, TopicConfig } from '@millrace/metadata';
import type { BatchView } from '@millrace/records';

/** A batch as it stands in some log. */
export interface ModelBatch {
  readonly base: number;
  /** The first offset after it. */
  readonly next: number;
  readonly epoch: number;
  readonly crc: number;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly lastSequence: number;
  /** Whole, as the log took it. */
  readonly bytes: Buffer;
}

export function modelBatch(view: BatchView): ModelBatch {
  const { baseOffset: base, nextOffset: next, leaderEpoch: epoch, crc, producerId } = view;
  const { producerEpoch, baseSequence, lastSequence, bytes } = view;
  return { base, next, epoch, crc, producerId, producerEpoch, baseSequence, lastSequence, bytes };
}

export function sameBatch(a: ModelBatch | undefined, b: ModelBatch | undefined): boolean {
  return a !== undefined && b !== undefined && a.base === b.base && a.epoch === b.epoch && a.crc === b.crc;
}

export function describeBatch(batch: ModelBatch | undefined): string {
  if (batch === undefined) return 'nothing';
  const { base, next, epoch, producerId, baseSequence } = batch;
  return `${base}-${next - 1} of epoch ${epoch} (producer ${producerId}, sequence ${baseSequence})`;
}

/** Batches in order of offset; dense in any log. */
export class BatchList {
  #batches: ModelBatch[] = [];
  #start = 0;

  get all(): readonly ModelBatch[] {
    return this.#batches;
  }

  get last(): ModelBatch | undefined {
    return this.#batches.at(-1);
  }

  /** Of the first batch, or where the next one goes. */
  get start(): number {
    return this.#batches[0]?.base ?? this.#start;
  }

  get end(): number {
    return this.#batches.at(-1)?.next ?? this.#start;
  }

  push(batch: ModelBatch): void {
    this.#batches.push(batch);
  }

  reset(start: number, batches: ModelBatch[] = []): void {
    this.#start = start;
    this.#batches = batches;
  }

  cut(end: number): void {
    let count = this.#batches.length;
    if (count === 0) this.#start = Math.min(this.#start, end);
    while (count > 0 && this.#batches[count - 1]!.next > end) count -= 1;
    if (count === this.#batches.length) return;
    if (count === 0) this.#start = Math.min(this.#batches[0]!.base, end);
    this.#batches.length = count;
  }

  /** The index of the batch that holds `offset`, or of the first one after it. */
  indexOf(offset: number): number {
    let [low, high] = [0, this.#batches.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#batches[middle]!.next <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  at(offset: number): ModelBatch | undefined {
    const found = this.#batches[this.indexOf(offset)];
    return found !== undefined && found.base <= offset ? found : undefined;
  }

  from(offset: number): readonly ModelBatch[] {
    return this.#batches.slice(this.indexOf(offset));
  }
}

/** One replica in one life of its broker. */
export interface ReplicaModel {
  readonly partition: PartitionModel;
  readonly brokerId: NodeId;
  readonly life: number;
  readonly log: BatchList;
  logStart: number;
  highWatermark: number;
  flushed: number;
  /** Of the log's epoch cache: the last one assigned. */
  lastEpoch: number;
  leaderEpoch: number | undefined;
  /** While it leads. */
  isr: readonly NodeId[];
  maximalIsr: readonly NodeId[];
  leaderPartitionEpoch: number;
  /** As this broker's metadata says. */
  seenEpoch: number;
  /** Or what it holds is not known. */
  isOffline: boolean;
  /** Neither leads nor follows, as while its log is being cut or replaced. */
  isBusy: boolean;
  waitingAcks: number;
  /** Right now, not as of the last event. */
  flushedNow(): number;
  endOffset(): number;
  epochAt(offset: number): number;
  /** The whole epoch cache. */
  epochStarts(): readonly { readonly epoch: number; readonly startOffset: number }[];
  endOffsetForEpoch(epoch: number): { readonly epoch: number; readonly endOffset: number };
}

/** One partition of one topic id. */
export class PartitionModel {
  readonly key: string;
  readonly topic: string;
  readonly index: number;
  image: PartitionImage;
  config: TopicConfig;
  isDeleted = false;
  /** Its durability was page-cache once. */
  hadPageCache: boolean;
  /**
   * The true committed log: what some leader's watermark passed. Keeps what retention deletes; has a gap where, after a
   * lawful loss, a leader's log began above its end.
   */
  readonly committed = new BatchList();
  /** No lawful log start is above this one. */
  logStartMax = 0;
  /** Replicas that run now, by broker. */
  readonly replicas = new Map<NodeId, ReplicaModel>();
  /** In-sync replicas by partition epoch. */
  readonly isrs = new Map<number, readonly NodeId[]>();
  /** A replica began with a log whose beginning was deleted: it takes an unknown producer's batches as they come. */
  mayForgetProducers = false;
  /** Replicas that were begun anew, and where: they never had the batches below, which were deleted before they came. */
  readonly begunAt = new Map<NodeId, number>();
  /** Offsets of committed records that were committed before, deleted, and sent again to a leader that could not know. */
  readonly repeated = new Set<number>();
  /** What is due next in the committed log, by producer. */
  readonly sequences = new Map<string, number>();
  /** Leaders of older epochs know nothing of the loss that was allowed at the beginning of this one. */
  lossEpoch = -1;
  /** A loss was allowed in this epoch, and its leader has not begun yet. */
  isLossDue = false;
  /** Where the log of the uncleanly elected leader ended when it began. */
  recoveredEnd = -1;
  /** How often records were given up lawfully. */
  losses = 0;

  constructor(key: string, topic: string, image: PartitionImage, config: TopicConfig) {
    this.key = key;
    this.topic = topic;
    this.index = image.partition;
    this.image = image;
    this.config = config;
    this.hadPageCache = config.durability === 'page-cache';
  }

  get minInSyncReplicas(): number {
    return Math.min(this.config['min.insync.replicas'], this.image.replicas.length);
  }

  /**
   * More may be lost with the leader that was elected uncleanly: it has not said yet that its disk holds what it began
   * with, and a watermark that has moved since would say the same.
   */
  get mayLoseMore(): boolean {
    return this.image.recovering && this.committed.end <= this.recoveredEnd;
  }

  /** A leader of before a lawful loss: what it says counts no more. */
  isOutdated(leaderEpoch: number): boolean {
    return leaderEpoch < this.lossEpoch || (this.isLossDue && leaderEpoch <= this.lossEpoch);
  }
}
