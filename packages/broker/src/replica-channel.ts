/**
 * Replication between two brokers: the follower's end of the stream and the leader's. Shapes mirror
 * proto/millrace/v1/replication.proto. Only types; who connects and how is the adapter's affair.
 */
import type { MillraceError, NodeId } from '@millrace/core';
import type { PartitionRef } from './broker-api.ts';
import type { Failure } from './failure.ts';

/** How a follower reaches a leader. Connecting is lazy: `connect` returns at once and never throws. */
export interface ReplicaChannel {
  connect(endpoint: ReplicaEndpoint): ReplicaStream;
}

export interface ReplicaEndpoint {
  readonly id: NodeId;
  readonly host: string;
  readonly port: number;
}

/** Handlers are set right after `connect`, before anything else runs. `onClosed` fires at most once, not after `close`. */
export interface ReplicaStream {
  send(request: ReplicaFetchRequest): void;
  onResponse(handler: (response: ReplicaFetchResponse) => void): void;
  onClosed(handler: (error: MillraceError) => void): void;
  close(): void;
}

/**
 * The leader's end: lives as long as its stream and remembers positions. `handle` returns undefined for
 * requests with correlation id 0. One answer is owed at a time; a second request meanwhile is refused.
 */
export interface ReplicaFetchSession {
  handle(request: ReplicaFetchRequest): Promise<ReplicaFetchResponse> | undefined;
  close(): void;
}

export interface ReplicaFetchRequest {
  /** 0 only updates the session (for instance after a flush) and is not answered. */
  readonly correlationId: number;
  readonly replicaId: NodeId;
  readonly brokerEpoch: number;
  readonly maxWaitMs: number;
  readonly maxBytes: number;
  /** Partitions that are new or whose position changed; the leader remembers the rest. */
  readonly positions: readonly ReplicaPosition[];
  /** Partitions that leave the session. */
  readonly removed: readonly PartitionRef[];
}

export interface ReplicaPosition extends PartitionRef {
  readonly currentLeaderEpoch: number;
  /** The next offset wanted: the follower's log end. */
  readonly fetchOffset: number;
  /** Everything below counts as acknowledged by the follower. */
  readonly flushedOffset: number;
  /** Epoch of the record before `fetchOffset`; -1 for an empty log. */
  readonly lastFetchedEpoch: number;
  readonly logStartOffset: number;
}

export interface ReplicaFetchResponse {
  readonly correlationId: number;
  readonly failure?: Failure | undefined;
  /** Partitions with records, a changed high watermark or log start, a divergence or a failure. */
  readonly partitions: readonly ReplicaFetched[];
}

export interface ReplicaFetched extends PartitionRef {
  readonly failure?: Failure | undefined;
  readonly highWatermark: number;
  readonly logStartOffset: number;
  /** -1 unless the follower's log diverges. */
  readonly divergingEpoch: number;
  readonly divergingEndOffset: number;
  readonly leaderEpoch: number;
  /** The fetch offset that this answers. */
  readonly fetchOffset: number;
  readonly records: Buffer;
}
