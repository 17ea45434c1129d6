/**
 * Where records become batches: one lane for each partition, one budget of memory for all. The hot path of
 * `send`. Pure: the caller says what time it is.
 */
import { BatchBuilder, type CompressionCodec, type RecordHeader } from '@millrace/records';
import { ReusedBatchMemory } from './batch-memory.ts';
import { Delivery } from './delivery.ts';
import type { FailureLedger } from './failure-ledger.ts';
import { PartitionQueueState } from './partition-queue-state.ts';
import { ProducerBatch } from './producer-batch.ts';

export interface AccumulatorOptions {
  readonly batchSize: number;
  readonly bufferMemory: number;
  readonly deliveryTimeoutMs: number;
  readonly codec: CompressionCodec;
  readonly isIdempotent: boolean;
  readonly ledger: FailureLedger;
  /** Memory came free. */
  readonly onReleased: () => void;
}

/** A partition's queue and what sending it has taught. */
export interface Lane {
  readonly topic: string;
  readonly partition: number;
  readonly queue: PartitionQueueState;
  /** Nothing is sent before; monotonic. */
  backoffUntilMs: number;
  /** Failed attempts in a row. */
  failures: number;
  /** Leader epoch of the last failed attempt: a newer one ends the backoff. */
  failedEpoch: number;
  /** Records in the open batch when the sender last looked: one that no longer grows need not linger. */
  seenRecords: number;
  /** Largest batch to begin: smaller than configured once the topic has refused one. */
  batchSizeMax: number;
  /** Since when the cluster says that there is no such topic; monotonic, Infinity if it does not. */
  missingSinceMs: number;
}

/** Of `bufferMemory`: batches come and go a few at a time. */
const IDLE_SHARE = 8;

export class AccumulatorState {
  readonly #options: AccumulatorOptions;
  readonly #memory: ReusedBatchMemory;
  /** Lanes with anything in them, the longest unserved first. */
  readonly #active = new Set<Lane>();
  readonly #pending = new Set<ProducerBatch>();
  #usedBytes = 0;

  constructor(options: AccumulatorOptions) {
    this.#options = options;
    this.#memory = new ReusedBatchMemory(options.bufferMemory / IDLE_SHARE);
  }

  get isFull(): boolean {
    return this.#usedBytes >= this.#options.bufferMemory;
  }

  get active(): ReadonlySet<Lane> {
    return this.#active;
  }

  /** Batches without a result. */
  get pending(): ReadonlySet<ProducerBatch> {
    return this.#pending;
  }

  createLane(topic: string, partition: number): Lane {
    return {
      topic,
      partition,
      queue: new PartitionQueueState(topic, partition, this.#options.isIdempotent),
      backoffUntilMs: 0,
      failures: 0,
      failedEpoch: -1,
      seenRecords: 0,
      batchSizeMax: this.#options.batchSize,
      missingSinceMs: Number.POSITIVE_INFINITY,
    };
  }

  /** Copies the record into the lane's open batch, beginning one if it must. Only while not full. */
  append(
    lane: Lane,
    nowMs: () => number,
    timestamp: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers: readonly RecordHeader[],
    delivery: Delivery | undefined,
  ): Appended {
    const { queue } = lane;
    let batch = queue.open;
    let before = 0;
    let index = -1;
    if (batch !== undefined) {
      before = batch.sizeBytes;
      index = batch.tryAppend(timestamp, key, value, headers);
    }
    const isNew = index < 0;
    if (isNew) {
      queue.seal();
      batch = this.#newBatch(lane, nowMs(), batch !== undefined);
      before = 0;
      index = batch.tryAppend(timestamp, key, value, headers);
      queue.begin(batch);
      lane.seenRecords = 0;
      this.#pending.add(batch);
      this.#active.add(lane);
    }
    this.#usedBytes += batch!.sizeBytes - before;
    if (delivery === undefined) return { delivery: Delivery.of(batch!, index, timestamp), isNew };
    delivery.enter(batch!, index, timestamp);
    return { delivery, isNew };
  }

  /** The lane was served: others go first next time. */
  moveToBack(lane: Lane): void {
    this.#active.delete(lane);
    this.#active.add(lane);
  }

  /** The lane has nothing left. */
  retire(lane: Lane): void {
    this.#active.delete(lane);
  }

  /** After a full batch probably comes another one: if there is room at hand, it is not made bit by bit. */
  #newBatch(lane: Lane, nowMs: number, isFollowUp: boolean): ProducerBatch {
    const { codec, deliveryTimeoutMs, ledger } = this.#options;
    const capacityBytes = lane.batchSizeMax;
    const expected = isFollowUp && this.#memory.has(capacityBytes) ? { expectedBytes: capacityBytes } : {};
    return new ProducerBatch({
      topic: lane.topic,
      partition: lane.partition,
      builder: new BatchBuilder({ codec, capacityBytes, memory: this.#memory, ...expected }),
      createdAtMs: nowMs,
      deadlineMs: nowMs + deliveryTimeoutMs,
      ledger,
      onDone: (batch) => {
        this.#pending.delete(batch);
        this.#usedBytes -= batch.sizeBytes;
        this.#options.onReleased();
      },
      onSplit: (parts) => {
        for (const part of parts) {
          this.#pending.add(part);
          this.#usedBytes += part.sizeBytes;
        }
      },
    });
  }
}

interface Appended {
  readonly delivery: Delivery;
  /** A batch was begun, and perhaps one closed: the sender has something to look at. */
  readonly isNew: boolean;
}
