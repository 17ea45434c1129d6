/** ListOffsets: which offset is the first, the last, or as new as a time. */
import type { TopicPartition } from '@millrace/core';
import { brokerService, type ListOffsetsRequest, type PartitionOffset } from '@millrace/protocol';
import type { LeaderCall } from './leader-calls.ts';

/** An end of the log, the record with the largest timestamp, or the first record at least as new. */
export type OffsetSpec = 'earliest' | 'latest' | 'maxTimestamp' | { readonly timestampMs: number };

export interface OffsetQuery extends TopicPartition {
  readonly at: OffsetSpec;
}

export const offsetLookup: LeaderCall<OffsetQuery, ListOffsetsRequest, PartitionOffset> = {
  method: brokerService.listOffsets,
  make: (header, entries) => ({
    header,
    partitions: entries.map(({ query, topicId, leaderEpoch }) => ({
      topicId,
      partition: query.partition,
      leaderEpoch,
      timestamp: timestampOf(query.at),
    })),
  }),
};

function timestampOf(at: OffsetSpec): number {
  switch (at) {
    case 'latest':
      return -1;
    case 'earliest':
      return -2;
    case 'maxTimestamp':
      return -3;
    default:
      return Math.max(0, Math.floor(at.timestampMs));
  }
}
