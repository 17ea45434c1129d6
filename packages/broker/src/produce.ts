/**
 * Produce: checks each batch, appends it, and answers when `acks` is met. Everything up to the append happens
 * inside the call, so batches land in call order. Records are decompressed and walked, so that nothing is stored that
 * consumers could not read, but only so much in one turn; none is decoded unless it is of an old format or the topic
 * wants another codec.
 *
 * acks=1 is answered after the append to the leader's page cache, in both durability modes: it promises one
 * copy that survives a crash of the process, not of the machine. acks=all waits for the high watermark, which
 * in durable topics moves only over what is on stable storage of every in-sync replica.
 */
import { type ErrorCode, MillraceError } from '@millrace/core';
import type { MetadataImage, TopicConfig } from '@millrace/metadata';
import {
  BatchView,
  type CompressionCodec,
  checkBatch,
  checkProducedRecords,
  type DecompressionLimits,
  producedBatch,
} from '@millrace/records';
import type { LeaderAppend } from '@millrace/storage';
import type { AckListener } from './ack-queue.ts';
import type { PartitionProduce, PartitionProduced, ProduceRequest, ProduceResponse } from './broker-api.ts';
import type { Deadlines, Expiring } from './deadlines.ts';
import type { Defer } from './defer.ts';
import { type Failure, failure, failureOf } from './failure.ts';
import { refuseNamedAgain } from './named-once.ts';
import type { Partition } from './partition.ts';
import type { PartitionTable } from './partition-table.ts';
import { recompressed } from './recompression.ts';
import { Room } from './room.ts';
import { TurnBudget } from './turn-budget.ts';

export interface ProduceOptions {
  readonly partitions: PartitionTable;
  readonly image: () => MetadataImage;
  readonly deadlines: Deadlines;
  readonly requestTimeoutMs: number;
  readonly queuedMaxBytes: number;
  /** Appended, but not on the disk yet: grows even if nobody waits for acknowledgements. */
  readonly journalBacklogBytes: () => number;
  /** Of one batch, and of all that are decompressed in one turn; batches of very many records count too. */
  readonly decompressedMaxBytes: number;
  readonly defer: Defer;
}

type Outcome = { -readonly [K in keyof PartitionProduced]: PartitionProduced[K] };

export class Produce {
  readonly #options: ProduceOptions;
  readonly #limits: DecompressionLimits;
  readonly #turn: TurnBudget;
  readonly #room = new Room(() => this.#hasRoom());
  #queuedBytes = 0;

  constructor(options: ProduceOptions) {
    this.#options = options;
    const { decompressedMaxBytes, defer } = options;
    this.#turn = new TurnBudget(decompressedMaxBytes, defer, () => this.#room.look());
    this.#limits = {
      maxDecompressedBytes: decompressedMaxBytes,
      spent: (bytes) => this.#turn.spend(bytes),
    };
  }

  handle(request: ProduceRequest): Promise<ProduceResponse> {
    const { acks, partitions } = request;
    if (acks !== 0 && acks !== 1 && acks !== -1) {
      return refuse('INVALID_REQUIRED_ACKS', `acks=${acks} is none of 0, 1 and -1 (all)`);
    }
    if (this.#queuedBytes >= 2 * this.#options.queuedMaxBytes) return refuse('NODE_OVERLOADED');
    try {
      refuseNamedAgain(this.#options.partitions, partitions);
    } catch (error) {
      return Promise.resolve({ partitions: [], failure: failureOf(error) });
    }
    const outcomes: Outcome[] = [];
    let pending: PendingProduce | undefined;
    for (let i = 0; i < partitions.length; i++) {
      const entry = partitions[i]!;
      const partition = this.#options.partitions.get(entry.topicId, entry.partition);
      const outcome = blank(entry);
      outcomes.push(outcome);
      const requiredOffset = this.#append(outcome, entry, partition, acks);
      if (requiredOffset === undefined) continue;
      pending ??= new PendingProduce(outcomes, (bytes) => this.#release(bytes));
      pending.waitFor(partition!, i, requiredOffset, entry.records.length);
    }
    if (pending === undefined) return Promise.resolve({ partitions: outcomes });
    this.#queuedBytes += pending.bytes;
    pending.complete(this.#options.deadlines, request.timeoutMs || this.#options.requestTimeoutMs);
    return pending.promise;
  }

  room(): Promise<void> | undefined {
    return this.#room.wait();
  }

  /** The journal has caught up by some. */
  flushed(): void {
    this.#room.look();
  }

  #hasRoom(): boolean {
    const { queuedMaxBytes, journalBacklogBytes } = this.#options;
    if (this.#turn.isSpent) return false;
    return this.#queuedBytes < queuedMaxBytes && journalBacklogBytes() * 2 < queuedMaxBytes;
  }

  #release(bytes: number): void {
    this.#queuedBytes -= bytes;
    this.#room.look();
  }

  /** @returns the watermark to wait for, or undefined if the outcome is final. */
  #append(
    outcome: Outcome,
    entry: PartitionProduce,
    partition: Partition | undefined,
    acks: number,
  ): number | undefined {
    const fault = partition === undefined ? this.#absence(entry) : partition.leaderFault(entry.leaderEpoch);
    if (partition === undefined || fault !== undefined) {
      outcome.failure = failure(fault ?? 'NOT_LEADER_OR_FOLLOWER');
      this.#pointToLeader(outcome, entry);
      return undefined;
    }
    if (partition.isInternal) {
      outcome.failure = failure(
        'INVALID_TOPIC_EXCEPTION',
        `${partition.topic} is internal: nobody produces to it`,
      );
      return undefined;
    }
    let result: LeaderAppend;
    try {
      const batch = this.#checked(entry, partition);
      if (acks === -1 && !partition.leader!.hasEnoughReplicas) {
        outcome.failure = failure('NOT_ENOUGH_REPLICAS');
        return undefined;
      }
      result = partition.append(batch, entry.mayBeginAnywhere);
    } catch (error) {
      outcome.failure = failureOf(error);
      return acks === -1 ? uncommittedDuplicate(outcome.failure, partition) : undefined;
    }
    outcome.baseOffset = result.baseOffset;
    outcome.logAppendTimeMs = result.logAppendTimeMs;
    outcome.logStartOffset = partition.log.logStartOffset;
    // A duplicate, too, is answered only when the original is committed (P6).
    const required = result.lastOffset + 1;
    return acks === -1 && partition.highWatermark < required ? required : undefined;
  }

  /** The batch to store. @throws {MillraceError} if a producer may not write it. */
  #checked(entry: PartitionProduce, partition: Partition): Buffer {
    const { config } = partition;
    const { formats } = entry;
    // Of what was left when the batch's turn came: what it costs itself is no reason to refuse it.
    const { isSpent } = this.#turn;
    if (isSpent && formats !== undefined) throw forNowTooMuch();
    const limits = this.#limits;
    // The batch that came, or that what came becomes.
    const records = formats === undefined ? entry.records : producedBatch(entry.records, formats, limits);
    const maxBytes = config['max.message.bytes'];
    if (records.length > maxBytes) {
      throw new MillraceError(
        'MESSAGE_TOO_LARGE',
        `the batch has ${records.length} bytes; max.message.bytes is ${maxBytes}`,
      );
    }
    const view = BatchView.at(records, 0);
    if (view === undefined) throw new MillraceError('CORRUPT_MESSAGE', 'the batch is cut short');
    if (view.sizeBytes !== records.length) {
      throw new MillraceError('INVALID_RECORD', 'exactly one batch is expected for each partition');
    }
    checkBatch(view, limits);
    if (view.isTransactional) throw new MillraceError('INVALID_REQUEST', 'transactions are not supported');
    const codec = storedCodec(view, config);
    const isPlain = view.codecId === 0 && codec === 'none';
    if (isSpent && !isPlain) throw forNowTooMuch();
    const needsKeys = config['cleanup.policy'].includes('compact');
    const plain = checkProducedRecords(view, limits, { needsKeys });
    if (codec === view.codec) return records;
    this.#turn.spend(plain.length);
    return recompressed(view, plain, codec);
  }

  #absence({ topicId, partition }: PartitionProduce): ErrorCode {
    const topic = this.#options.image().topics.get(topicId);
    if (topic === undefined) return 'UNKNOWN_TOPIC_ID';
    return topic.partitions[partition] === undefined
      ? 'UNKNOWN_TOPIC_OR_PARTITION'
      : 'NOT_LEADER_OR_FOLLOWER';
  }

  #pointToLeader(outcome: Outcome, { topicId, partition }: PartitionProduce): void {
    const known = this.#options.image().topics.get(topicId)?.partitions[partition];
    if (known === undefined) return;
    outcome.currentLeaderId = known.leader;
    outcome.currentLeaderEpoch = known.leaderEpoch;
  }
}

/** A request of which at least one batch waits for its replicas. */
class PendingProduce implements AckListener, Expiring {
  readonly promise: Promise<ProduceResponse>;
  readonly #outcomes: Outcome[];
  readonly #released: (bytes: number) => void;
  #resolve!: (response: ProduceResponse) => void;
  /** By index of the outcome; undefined where nothing is waited for any more. */
  readonly #waiting: (Partition | undefined)[] = [];
  // One is the request itself, until all its batches are appended.
  #waitingCount = 1;
  #bytes = 0;
  #isSettled = false;
  #deadlines: Deadlines | undefined;
  #slice = 0;

  constructor(outcomes: Outcome[], released: (bytes: number) => void) {
    this.#outcomes = outcomes;
    this.#released = released;
    this.promise = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  get isSettled(): boolean {
    return this.#isSettled;
  }

  get bytes(): number {
    return this.#bytes;
  }

  waitFor(partition: Partition, index: number, offset: number, bytes: number): void {
    this.#waiting[index] = partition;
    this.#waitingCount += 1;
    this.#bytes += bytes;
    partition.acks.wait(offset, this, index);
  }

  /** Every batch is appended: from here on the request may be answered, at the latest after `delayMs`. */
  complete(deadlines: Deadlines, delayMs: number): void {
    this.#deadlines = deadlines;
    this.#slice = deadlines.add(this, delayMs);
    this.#done();
  }

  acknowledged(index: number, fault: Failure | undefined): void {
    this.#waiting[index] = undefined;
    if (fault !== undefined) this.#fail(index, fault);
    this.#done();
  }

  expired(): void {
    this.#waiting.forEach((partition, index) => {
      if (partition === undefined) return;
      const isShort = partition.leader !== undefined && !partition.leader.hasEnoughMaximalReplicas;
      this.#fail(index, failure(isShort ? 'NOT_ENOUGH_REPLICAS_AFTER_APPEND' : 'REQUEST_TIMED_OUT'));
    });
    this.#settle();
    for (const partition of this.#waiting) partition?.acks.forgetSettled();
  }

  #fail(index: number, fault: Failure): void {
    const outcome = this.#outcomes[index]!;
    outcome.failure = fault;
    outcome.baseOffset = -1;
  }

  #done(): void {
    this.#waitingCount -= 1;
    if (this.#waitingCount === 0) this.#settle();
  }

  #settle(): void {
    this.#isSettled = true;
    this.#deadlines?.remove(this, this.#slice);
    this.#released(this.#bytes);
    this.#resolve({ partitions: this.#outcomes });
  }
}

/** Producers take this failure for a success, so it waits as that would (P6). The original is somewhere in the log. */
function uncommittedDuplicate({ code }: Failure, { highWatermark, log }: Partition): number | undefined {
  if (code !== 'DUPLICATE_SEQUENCE_NUMBER' || highWatermark >= log.logEndOffset) return undefined;
  return log.logEndOffset;
}

function storedCodec({ codec }: BatchView, { 'compression.type': wanted }: TopicConfig): CompressionCodec {
  if (wanted === 'producer') return codec;
  return wanted === 'uncompressed' ? 'none' : wanted;
}

/** Never of the first batch of a request: it was held back until there was room. Nor of what is not compressed. */
function forNowTooMuch(): MillraceError {
  return new MillraceError('NODE_OVERLOADED', 'other batches of the request took all time to decompress');
}

function blank({ topicId, partition }: PartitionProduce): Outcome {
  return {
    topicId,
    partition,
    failure: undefined,
    baseOffset: -1,
    logAppendTimeMs: -1,
    logStartOffset: -1,
    currentLeaderId: -1,
    currentLeaderEpoch: -1,
  };
}

function refuse(code: ErrorCode, message?: string): Promise<ProduceResponse> {
  return Promise.resolve({ partitions: [], failure: failure(code, message) });
}
