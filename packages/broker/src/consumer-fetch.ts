/**
 * Fetch for consumers: reads below the high watermark, waiting until there is enough. A fetch that waits costs
 * one timer and one entry at each of its partitions, is woken by the watermark, and never polls.
 */

import {
  type Clock,
  type ErrorCode,
  giveBackAll,
  type Loan,
  MillraceError,
  type Timer,
  toMillraceError,
} from '@millrace/core';
import type { MetadataImage } from '@millrace/metadata';
import type { FetchRequest, FetchResponse, PartitionFetch, PartitionFetched } from './broker-api.ts';
import type { Defer } from './defer.ts';
import { failure, failureOf } from './failure.ts';
import { divergence } from './log-divergence.ts';
import type { Partition, ReaderWatcher } from './partition.ts';
import type { PartitionTable } from './partition-table.ts';

export interface ConsumerFetchOptions {
  readonly partitions: PartitionTable;
  readonly image: () => MetadataImage;
  readonly clock: Clock;
  readonly defer: Defer;
  readonly maxBytes: number;
  readonly parkedMax: number;
  /** As BrokerLifecycle. */
  readonly isInContact: () => boolean;
}

/** Partitions read at the same time for one answer. */
const READS_AT_ONCE = 8;

const NO_RECORDS = Buffer.alloc(0);

/** Not what the caller sent: the lowest wait that is worth a timer. */
const WAIT_MIN_MS = 1;

export class ConsumerFetch {
  readonly #options: ConsumerFetchOptions;
  readonly #parked = new Set<ParkedFetch>();

  constructor(options: ConsumerFetchOptions) {
    this.#options = options;
  }

  async handle(request: FetchRequest, signal?: AbortSignal): Promise<FetchResponse> {
    const { clock, defer, parkedMax } = this.#options;
    const deadlineMs = clock.nowMs() + request.maxWaitMs;
    for (;;) {
      if (signal?.aborted) throw new MillraceError('CANCELLED');
      // Noted before the read: what is committed while the disk is read must not be slept over.
      const before = this.#committed(request);
      const result = await this.#read(request);
      const remainingMs = deadlineMs - clock.nowMs();
      const isFinal = result.isUrgent || result.bytes >= request.minBytes || remainingMs < WAIT_MIN_MS;
      if (isFinal || this.#parked.size >= parkedMax) {
        return { partitions: this.#complete(request, result.answers) };
      }
      if (request.lent !== undefined) giveBackAll(request.lent);
      if (this.#committed(request) !== before) continue;
      request.reserve?.(0);
      const parked = new ParkedFetch(clock, defer, request.minBytes - result.bytes);
      this.#parked.add(parked);
      try {
        await parked.wait(this.#watched(request), remainingMs, signal);
      } finally {
        this.#parked.delete(parked);
      }
    }
  }

  /** Wakes everybody, for instance because the broker closes. */
  releaseAll(): void {
    for (const parked of this.#parked) parked.release();
  }

  #watched({ partitions }: FetchRequest): Partition[] {
    return partitions
      .map(({ topicId, partition }) => this.#options.partitions.get(topicId, partition))
      .filter((partition) => partition !== undefined);
  }

  /** A number that grows whenever one of the partitions commits something or changes its role. */
  #committed({ partitions }: FetchRequest): number {
    let sum = 0;
    for (const { topicId, partition } of partitions) {
      const found = this.#options.partitions.get(topicId, partition);
      if (found !== undefined) sum += found.highWatermark + found.image.partitionEpoch;
    }
    return sum;
  }

  async #read(request: FetchRequest): Promise<ReadResult> {
    const entries = request.partitions;
    const answers: (PartitionFetched | undefined)[] = new Array(entries.length);
    const result = { answers, bytes: 0, isUrgent: false };
    const { allowed, isCurbed } = this.#roomFor(request);
    let room = allowed;
    const take = (index: number, answer: PartitionFetched): void => {
      if (answer.failure === undefined && answer.records.length === 0) return;
      answers[index] = answer;
      result.bytes += answer.records.length;
      room -= answer.records.length;
      if (answer.failure !== undefined) result.isUrgent = true;
    };
    let reads: Promise<void>[] = [];
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i]!;
      const partition = this.#options.partitions.get(entry.topicId, entry.partition);
      const news = this.#newsOf(entry, partition);
      // What is answered without a read takes no time and no room.
      if (news !== undefined) {
        answers[i] = this.#answer(entry, partition, news);
        // A failure or a divergence must not wait for bytes.
        result.isUrgent = true;
        continue;
      }
      const isFirst = result.bytes === 0;
      if (entry.fetchOffset >= partition!.highWatermark || (room <= 0 && !isFirst)) continue;
      const limits = { maxBytes: room, minOneBatch: isFirst, lent: request.lent };
      const read = this.#readOne(entry, partition!, limits).then((answer) => {
        take(i, answer);
        // No batch fits what is left. To try that with everybody would cost more than was read so far.
        if (answer.records.length === 0 && limits.maxBytes < entry.partitionMaxBytes) room = 0;
      });
      reads.push(read);
      // One by one while room is short, so that the limit holds; the first batch may exceed it.
      const isRoomy = !isFirst && room >= entry.partitionMaxBytes * READS_AT_ONCE;
      if (isRoomy && reads.length < READS_AT_ONCE) continue;
      await (reads.length === 1 ? reads[0] : Promise.all(reads));
      reads = [];
    }
    if (reads.length > 0) await Promise.all(reads);
    // Waiting for more than there is room for would be in vain.
    if (isCurbed && result.bytes > 0) result.isUrgent = true;
    return result;
  }

  #roomFor({ maxBytes, partitions, reserve }: FetchRequest): { allowed: number; isCurbed: boolean } {
    const most = Math.min(maxBytes, this.#options.maxBytes);
    if (reserve === undefined) return { allowed: most, isCurbed: false };
    const asked = partitions.reduce((sum, { partitionMaxBytes }) => sum + Math.max(0, partitionMaxBytes), 0);
    const wanted = Math.max(0, Math.min(most, asked));
    const allowed = reserve(wanted);
    return { allowed, isCurbed: allowed < wanted };
  }

  /** What is answered of what was found: in full, or only the news. */
  #complete(
    { partitions, isFull }: FetchRequest,
    found: readonly (PartitionFetched | undefined)[],
  ): PartitionFetched[] {
    const answers: PartitionFetched[] = [];
    for (let i = 0; i < partitions.length; i++) {
      const entry = partitions[i]!;
      const answer = found[i];
      if (answer !== undefined) answers.push(answer);
      else if (isFull) {
        answers.push(this.#answer(entry, this.#options.partitions.get(entry.topicId, entry.partition), {}));
      }
    }
    return answers;
  }

  /** What the reader must hear instead of records; undefined if it may read. */
  #newsOf(entry: PartitionFetch, partition: Partition | undefined): Answer | undefined {
    const fault = partition === undefined ? this.#absence(entry) : partition.leaderFault(entry.leaderEpoch);
    if (partition === undefined || fault !== undefined) return { fault: fault ?? 'NOT_LEADER_OR_FOLLOWER' };
    const { log } = partition;
    const { fetchOffset, lastFetchedEpoch } = entry;
    // The reader has read what a later leader wrote: a leader that was replaced unheard must not call that cut off.
    if (lastFetchedEpoch > partition.image.leaderEpoch) return { fault: 'UNKNOWN_LEADER_EPOCH' };
    if (lastFetchedEpoch >= 0 && fetchOffset >= log.logStartOffset) {
      try {
        const diverging = divergence(log, lastFetchedEpoch, fetchOffset);
        if (diverging !== undefined) return { diverging };
      } catch (error) {
        return { fault: toMillraceError(error).code };
      }
    }
    if (fetchOffset < log.logStartOffset) return { fault: 'OFFSET_OUT_OF_RANGE' };
    if (fetchOffset <= log.logEndOffset) return undefined;
    // Replaced unheard, it would send a reader who has read on with a later leader back to the beginning.
    return { fault: this.#options.isInContact() ? 'OFFSET_OUT_OF_RANGE' : 'NOT_LEADER_OR_FOLLOWER' };
  }

  async #readOne(
    entry: PartitionFetch,
    partition: Partition,
    { maxBytes: room, ...options }: ReadLimits,
  ): Promise<PartitionFetched> {
    try {
      const maxBytes = Math.min(entry.partitionMaxBytes, Math.max(room, 0));
      const { fetchOffset } = entry;
      const records = await partition.log.read(fetchOffset, maxBytes, partition.highWatermark, options);
      return this.#answer(entry, partition, { records });
    } catch (error) {
      const answer = this.#answer(entry, partition, {});
      return { ...answer, failure: failureOf(error) };
    }
  }

  #absence({ topicId, partition }: PartitionFetch): ErrorCode {
    const topic = this.#options.image().topics.get(topicId);
    if (topic === undefined) return 'UNKNOWN_TOPIC_ID';
    return topic.partitions[partition] === undefined
      ? 'UNKNOWN_TOPIC_OR_PARTITION'
      : 'NOT_LEADER_OR_FOLLOWER';
  }

  #answer(
    { topicId, partition: index }: PartitionFetch,
    partition: Partition | undefined,
    { fault, diverging, records = NO_RECORDS }: Answer,
  ): PartitionFetched {
    const log = partition?.isOpen ? partition.log : undefined;
    const highWatermark = partition?.highWatermark ?? -1;
    const known = this.#options.image().topics.get(topicId)?.partitions[index];
    return {
      topicId,
      partition: index,
      failure: fault === undefined ? undefined : failure(fault),
      highWatermark,
      lastStableOffset: highWatermark,
      logStartOffset: log?.logStartOffset ?? -1,
      divergingEpoch: diverging?.epoch ?? -1,
      divergingEndOffset: diverging?.endOffset ?? -1,
      currentLeaderId: known?.leader ?? -1,
      currentLeaderEpoch: known?.leaderEpoch ?? -1,
      records,
    };
  }
}

interface ReadResult {
  /** By place in the request; nothing where there is no news. */
  readonly answers: readonly (PartitionFetched | undefined)[];
  readonly bytes: number;
  readonly isUrgent: boolean;
}

interface ReadLimits {
  readonly maxBytes: number;
  readonly minOneBatch: boolean;
  readonly lent: Loan[] | undefined;
}

interface Answer {
  readonly fault?: ErrorCode;
  readonly diverging?: { readonly epoch: number; readonly endOffset: number };
  readonly records?: Buffer;
}

/** One fetch asleep. Wakes when its partitions may hold what is missing, when time is up, or when it is given up. */
class ParkedFetch implements ReaderWatcher {
  readonly #clock: Clock;
  readonly #defer: Defer;
  readonly #missingBytes: number;
  #partitions: readonly Partition[] = [];
  #startBytes = 0;
  #epochs = 0;
  #timer: Timer | undefined;
  #resolve: (() => void) | undefined;
  #isWaking = false;

  constructor(clock: Clock, defer: Defer, missingBytes: number) {
    this.#clock = clock;
    this.#defer = defer;
    this.#missingBytes = missingBytes;
  }

  async wait(partitions: readonly Partition[], waitMs: number, signal?: AbortSignal): Promise<void> {
    this.#partitions = partitions;
    this.#startBytes = partitions.reduce((sum, partition) => sum + partition.committedBytes, 0);
    this.#epochs = this.#leaderEpochs();
    const onAbort = (): void => this.release();
    signal?.addEventListener('abort', onAbort, { once: true });
    for (const partition of partitions) partition.readers.add(this);
    try {
      await new Promise<void>((resolve) => {
        this.#resolve = resolve;
        this.#timer = this.#clock.schedule(waitMs, resolve);
      });
    } finally {
      this.#timer?.cancel();
      signal?.removeEventListener('abort', onAbort);
      for (const partition of partitions) partition.readers.delete(this);
    }
    if (signal?.aborted) throw new MillraceError('CANCELLED');
  }

  /** Partitions that commit in the same event share one wake-up. */
  wake(): void {
    if (this.#isWaking) return;
    this.#isWaking = true;
    this.#defer(() => {
      this.#isWaking = false;
      if (this.#isWorthReading()) this.release();
    });
  }

  release(): void {
    this.#resolve?.();
  }

  /** Appended bytes bound committed ones from above: if they do not suffice, a read would be wasted. */
  #isWorthReading(): boolean {
    if (this.#leaderEpochs() !== this.#epochs) return true;
    return this.#missingBytes <= 1 || this.#appendedBytes() - this.#startBytes >= this.#missingBytes;
  }

  #appendedBytes(): number {
    return this.#partitions.reduce((sum, partition) => sum + partition.appendedBytes, 0);
  }

  #leaderEpochs(): number {
    return this.#partitions.reduce(
      (sum, partition) => sum + (partition.leader === undefined ? 0 : 1 + partition.leader.leaderEpoch),
      0,
    );
  }
}
