/** Questions about offsets, which only the leader answers, and the deletion of records. Never moves the high watermark. */
import { type Clock, type ErrorCode, invariant, MillraceError } from '@millrace/core';
import type { MetadataImage } from '@millrace/metadata';
import {
  type DeleteRecordsRequest,
  type DeleteRecordsResponse,
  type DescribeProducersRequest,
  type DescribeProducersResponse,
  EARLIEST_TIMESTAMP,
  LATEST_TIMESTAMP,
  type ListOffsetsRequest,
  type ListOffsetsResponse,
  MAX_TIMESTAMP,
  type OffsetForLeaderEpochRequest,
  type OffsetForLeaderEpochResponse,
  type PartitionDelete,
  type PartitionDeleted,
  type PartitionEpochEnd,
  type PartitionEpochQuery,
  type PartitionOffset,
  type PartitionOffsetQuery,
  type PartitionProducers,
  type PartitionRef,
  type RequestContext,
} from './broker-api.ts';
import type { ClusterQueries } from './cluster-queries.ts';
import { type Failure, failure, failureOf } from './failure.ts';
import type { Partition } from './partition.ts';
import type { PartitionTable } from './partition-table.ts';
import { within } from './within.ts';

export interface OffsetQueriesOptions {
  readonly partitions: PartitionTable;
  readonly image: () => MetadataImage;
  readonly clock: Clock;
  readonly queries: Pick<ClusterQueries, 'timeoutOf'>;
}

/** Logs that one request has searched or cut at a time: it may name thousands. */
const READERS = 16;
const NOTHING_FOUND = { offset: -1, timestamp: -1 };

/** What a reader who goes on at `offset` would have read last: it notices by this if the log changes below it. -1 for none. */
function epochBefore({ log }: Partition, offset: number): number {
  return offset > log.logStartOffset ? log.epochAt(offset - 1) : -1;
}

export class OffsetQueries {
  readonly #options: OffsetQueriesOptions;

  constructor(options: OffsetQueriesOptions) {
    this.#options = options;
  }

  async list(request: ListOffsetsRequest): Promise<ListOffsetsResponse> {
    const { partitions } = request;
    return {
      partitions: await this.#inTime(
        request,
        partitions,
        (query) => this.#faultOf(query, query.leaderEpoch),
        (query) => this.#list(query),
        noOffset,
      ),
    };
  }

  async epochEnds({ partitions }: OffsetForLeaderEpochRequest): Promise<OffsetForLeaderEpochResponse> {
    return { partitions: partitions.map((query) => this.#epochEnd(query)) };
  }

  /** What is not done in time goes on; the answer says REQUEST_TIMED_OUT. */
  async deleteRecords(request: DeleteRecordsRequest): Promise<DeleteRecordsResponse> {
    const { partitions } = request;
    return {
      partitions: await this.#inTime(
        request,
        partitions,
        (entry) => this.#faultOf(entry, -1),
        (entry) => this.#delete(entry),
        notDeleted,
      ),
    };
  }

  /** A disk may take as long as it likes; an answer may not. What is refused at once costs neither time nor memory. */
  async #inTime<Entry extends PartitionRef, Answer>(
    request: RequestContext,
    entries: readonly Entry[],
    faultOf: (entry: Entry) => ErrorCode | undefined,
    answer: (entry: Entry) => Promise<Answer>,
    failed: (entry: Entry, fault: Failure) => Answer,
  ): Promise<Answer[]> {
    const { clock, queries } = this.#options;
    const answers: (Answer | undefined)[] = [];
    const asked: number[] = [];
    entries.forEach((entry, i) => {
      const fault = faultOf(entry);
      answers.push(fault === undefined ? undefined : failed(entry, failure(fault)));
      if (fault === undefined) asked.push(i);
    });
    let next = 0;
    const reader = async (): Promise<void> => {
      while (next < asked.length) {
        const i = asked[next++]!;
        const entry = entries[i]!;
        answers[i] = await answer(entry).catch((error: unknown) => failed(entry, failureOf(error)));
      }
    };
    const readers = Array.from({ length: Math.min(READERS, asked.length) }, reader);
    await within(
      clock,
      queries.timeoutOf(request),
      Promise.all(readers).then(() => {}),
    );
    // The caller has its answer: nothing more is looked up for it.
    next = asked.length;
    return entries.map((entry, i) => answers[i] ?? failed(entry, failure('REQUEST_TIMED_OUT')));
  }

  async producers({ partitions }: DescribeProducersRequest): Promise<DescribeProducersResponse> {
    return { partitions: partitions.map((entry) => this.#producers(entry)) };
  }

  #producers({ topicId, partition: index }: PartitionRef): PartitionProducers {
    const partition = this.#options.partitions.get(topicId, index);
    if (partition === undefined || !partition.isOpen) {
      return { topicId, partition: index, failure: failure(this.#absence(topicId, index)), producers: [] };
    }
    const producers = Array.from(partition.log.producers(), ({ producerId, epoch, batches }) => {
      const { lastSequence = -1, timestamp: lastTimestamp = -1 } = batches.at(-1) ?? {};
      return { producerId, producerEpoch: epoch, lastSequence, lastTimestamp };
    });
    return { topicId, partition: index, producers };
  }

  async #list(query: PartitionOffsetQuery): Promise<PartitionOffset> {
    const { topicId, partition: index } = query;
    const partition = this.#leader(query, query.leaderEpoch);
    const { offset, timestamp } = await this.#find(partition, query.timestamp);
    return { topicId, partition: index, offset, timestamp, leaderEpoch: epochBefore(partition, offset) };
  }

  async #find(partition: Partition, timestamp: number): Promise<{ offset: number; timestamp: number }> {
    const { log } = partition;
    if (timestamp === EARLIEST_TIMESTAMP) return { offset: log.logStartOffset, timestamp: -1 };
    requireMonotonicWatermark(partition);
    const { highWatermark } = partition;
    switch (timestamp) {
      case LATEST_TIMESTAMP:
        return { offset: highWatermark, timestamp: -1 };
      case MAX_TIMESTAMP:
        return committed(await log.maxTimestampOffset(), highWatermark);
      default:
        if (timestamp < 0) throw new MillraceError('INVALID_REQUEST', `no such time: ${timestamp}`);
        return committed(await log.offsetForTimestamp(timestamp), highWatermark);
    }
  }

  #epochEnd(query: PartitionEpochQuery): PartitionEpochEnd {
    const { topicId, partition: index } = query;
    try {
      const fault = this.#faultOf(query, query.currentLeaderEpoch);
      if (fault !== undefined) {
        return { topicId, partition: index, failure: failure(fault), leaderEpoch: -1, endOffset: -1 };
      }
      const partition = this.#leader(query, query.currentLeaderEpoch);
      requireMonotonicWatermark(partition);
      const { epoch, endOffset } = partition.log.endOffsetForEpoch(query.leaderEpoch);
      return { topicId, partition: index, leaderEpoch: epoch, endOffset };
    } catch (error) {
      return { topicId, partition: index, failure: failureOf(error), leaderEpoch: -1, endOffset: -1 };
    }
  }

  async #delete(entry: PartitionDelete): Promise<PartitionDeleted> {
    const { topicId, partition: index } = entry;
    const partition = this.#leader(entry, -1);
    if (partition.isInternal) {
      throw new MillraceError('INVALID_TOPIC_EXCEPTION', `${partition.topic} is internal: its records stay`);
    }
    const { log, highWatermark } = partition;
    const before = entry.beforeOffset === -1 ? highWatermark : entry.beforeOffset;
    if (before < 0 || before > highWatermark) {
      throw new MillraceError(
        'OFFSET_OUT_OF_RANGE',
        before < 0
          ? `${before} is no offset; -1 stands for the high watermark`
          : `offset ${before} is beyond the high watermark ${highWatermark}`,
      );
    }
    if (before > log.logStartOffset) {
      await log.deleteRecordsBefore(before);
      partition.announceLogStart();
    }
    return { topicId, partition: index, lowWatermark: log.logStartOffset };
  }

  #leader({ topicId, partition: index }: PartitionRef, epoch: number): Partition {
    const fault = this.#faultOf({ topicId, partition: index }, epoch);
    if (fault !== undefined) throw new MillraceError(fault);
    const partition = this.#options.partitions.get(topicId, index);
    invariant(partition !== undefined, 'a partition without a fault is here', { topicId, index });
    return partition;
  }

  #faultOf({ topicId, partition: index }: PartitionRef, epoch: number): ErrorCode | undefined {
    const partition = this.#options.partitions.get(topicId, index);
    return partition === undefined ? this.#absence(topicId, index) : partition.leaderFault(epoch);
  }

  #absence(topicId: string, index: number): ErrorCode {
    const topic = this.#options.image().topics.get(topicId);
    if (topic === undefined) return 'UNKNOWN_TOPIC_ID';
    return topic.partitions[index] === undefined ? 'UNKNOWN_TOPIC_OR_PARTITION' : 'NOT_LEADER_OR_FOLLOWER';
  }
}

function noOffset({ topicId, partition }: PartitionRef, fault: Failure): PartitionOffset {
  return { topicId, partition, failure: fault, offset: -1, timestamp: -1, leaderEpoch: -1 };
}

function notDeleted({ topicId, partition }: PartitionRef, fault: Failure): PartitionDeleted {
  return { topicId, partition, failure: fault, lowWatermark: -1 };
}

/** P7. @throws {MillraceError} OFFSET_NOT_AVAILABLE while the leader may know less than its readers saw. */
function requireMonotonicWatermark(partition: Partition): void {
  if (partition.leader?.isHighWatermarkMonotonic !== true) throw new MillraceError('OFFSET_NOT_AVAILABLE');
}

/** What is not committed yet does not exist for readers. */
function committed(
  found: { readonly offset: number; readonly timestamp: number } | undefined,
  highWatermark: number,
): { offset: number; timestamp: number } {
  return found !== undefined && found.offset < highWatermark ? found : NOTHING_FOUND;
}
