/** What the benchmark's client process can be told to do, and what it answers. Everything here crosses a process border. */
import type { LatencySummary } from '../histogram.ts';

interface ClusterJob {
  readonly bootstrap: string;
  readonly topic: string;
  readonly recordBytes: number;
}

interface TimedJob extends ClusterJob {
  readonly warmupMs: number;
  readonly measureMs: number;
}

/** Sends as fast as the producer takes records. */
export interface ProduceJob extends TimedJob {
  readonly kind: 'produce';
  readonly acks: 'all' | 0 | 1;
}

/** Sends that many records and no more. */
export interface FillJob extends ClusterJob {
  readonly kind: 'fill';
  readonly records: number;
}

/** Reads one partition from its beginning, and again when it ends. */
export interface ConsumeJob extends TimedJob {
  readonly kind: 'consume';
}

/** One record at a time: sent, acknowledged and consumed before the next. */
export interface EndToEndJob extends TimedJob {
  readonly kind: 'endToEnd';
}

/** Sends on a schedule that never waits for answers. */
export interface FixedRateJob extends TimedJob {
  readonly kind: 'fixedRate';
  readonly recordsPerS: number;
  readonly partitions: number;
}

/** Sends a record every few milliseconds until told to stop, and can say how long acknowledgements stayed away. */
export interface SteadyJob extends ClusterJob {
  readonly kind: 'steady';
  readonly intervalMs: number;
}

/** Members of consumer groups, all of one coordinator, join at once and then send heartbeats on a schedule. */
export interface MembersJob {
  readonly kind: 'members';
  readonly bootstrap: string;
  readonly groups: number;
  readonly membersPerGroup: number;
  /** Every group subscribes to all of them. */
  readonly topics: readonly string[];
  /** Of all topics together. */
  readonly partitions: number;
  readonly heartbeatsPerS: number;
  readonly measureMs: number;
}

/** Commits of one offset each, by groups of one coordinator that have no members. */
export interface CommitJob {
  readonly kind: 'commits';
  readonly bootstrap: string;
  readonly groups: number;
  readonly topic: string;
  readonly partitions: number;
  /** Undefined: as fast as they are answered. */
  readonly commitsPerS: number | undefined;
  readonly warmupMs: number;
  readonly measureMs: number;
}

/** Produce requests with acks=1 over Kafka connections to the one node that leads every partition. */
export interface KafkaLoadJob extends TimedJob {
  readonly kind: 'kafkaLoad';
  readonly partitions: number;
  readonly connections: number;
  /** Each to a partition of its own, so no more than there are. */
  readonly batchesPerRequest: number;
  readonly recordsPerBatch: number;
  /** Of a load as fast as it is answered. */
  readonly inFlightPerConnection: number;
  /** Undefined: as fast as they are answered. */
  readonly requestsPerS: number | undefined;
}

export type Job =
  | ProduceJob
  | FillJob
  | ConsumeJob
  | EndToEndJob
  | FixedRateJob
  | SteadyJob
  | MembersJob
  | CommitJob
  | KafkaLoadJob;

export interface ThroughputResult {
  /** In the measured time. */
  readonly records: number;
  readonly elapsedMs: number;
}

export interface ProduceResult extends ThroughputResult {
  /** From `send` to its result, so with the time in the producer's own queue. */
  readonly latency: LatencySummary;
}

export interface FixedRateResult extends ThroughputResult {
  /** From the time at which each record was due. */
  readonly latency: LatencySummary;
  /** How late the client itself was to send. */
  readonly sendDelay: LatencySummary;
}

export interface EndToEndResult extends ThroughputResult {
  readonly acknowledged: LatencySummary;
  readonly consumed: LatencySummary;
}

export interface SteadyResult {
  readonly sent: number;
  readonly acknowledged: number;
  readonly failed: number;
  /** Acknowledged records that the partition does not hold. */
  readonly missing: number;
}

export interface MembersResult {
  /** From the first join until every partition of every group is held, and everybody knows it. */
  readonly stableMs: number;
  /** Sent until then. */
  readonly stableBeats: number;
  /** Answered in the measured time. */
  readonly heartbeats: number;
  readonly elapsedMs: number;
  readonly latency: LatencySummary;
}

export interface CommitResult {
  /** Acknowledged in the measured time. */
  readonly commits: number;
  readonly failed: number;
  readonly elapsedMs: number;
  /** From when each was due. */
  readonly latency: LatencySummary;
}

export interface KafkaLoadResult extends ThroughputResult {
  /** Answered in the measured time. */
  readonly requests: number;
  /** Until every connection was there. */
  readonly openedMs: number;
  /** From when each request was sent, or was due. */
  readonly latency: LatencySummary;
}

export interface JobResults {
  readonly produce: ProduceResult;
  readonly fill: ThroughputResult;
  readonly consume: ThroughputResult;
  readonly endToEnd: EndToEndResult;
  readonly fixedRate: FixedRateResult;
  readonly steady: SteadyResult;
  readonly members: MembersResult;
  readonly commits: CommitResult;
  readonly kafkaLoad: KafkaLoadResult;
}

/** The longest time without an acknowledgement since `sinceMs` of the machine's monotonic clock. */
export interface AckGap {
  readonly gapMs: number;
  /** Acknowledgements after that gap. */
  readonly acksAfter: number;
}

export type ToClient =
  | { readonly kind: 'job'; readonly job: Job }
  | { readonly kind: 'ackGap'; readonly sinceMs: number }
  | { readonly kind: 'stop' };

/** `begin` and `measured` frame the time in which CPU is counted. */
export type FromClient =
  | { readonly kind: 'begin' }
  | { readonly kind: 'measured' }
  | { readonly kind: 'ackGap'; readonly gap: AckGap }
  | { readonly kind: 'done'; readonly result: JobResults[keyof JobResults] }
  | { readonly kind: 'failed'; readonly message: string };
