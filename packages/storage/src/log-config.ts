/** What one partition's log needs to know of its topic's configuration, as numbers. Never parses texts: the broker derives it. */
import { DAY_MS, GiB, HOUR_MS, KiB, MiB } from '@millrace/core';

export interface LogConfig {
  /** A segment is rolled before it would grow beyond this. */
  readonly segmentBytes: number;
  /** A segment is rolled when its oldest record is this old. */
  readonly segmentMs: number;
  /** Up to this much is taken off `segmentMs`, so that partitions do not roll together. */
  readonly segmentJitterMs: number;
  readonly indexIntervalBytes: number;
  readonly segmentIndexBytes: number;
  /** -1: no limit. */
  readonly retentionMs: number;
  /** -1: no limit. */
  readonly retentionBytes: number;
  /** Of each key only the newest record is kept. Independent of retention. */
  readonly isCompacted: boolean;
  /** Share of the log's bytes, 0 to 1. */
  readonly minCleanableDirtyRatio: number;
  readonly minCompactionLagMs: number;
  readonly maxCompactionLagMs: number;
  /** How long tombstones stay once a cleaner has seen them. */
  readonly deleteRetentionMs: number;
  readonly maxMessageBytes: number;
  readonly timestampType: 'create' | 'append';
  readonly timestampBeforeMaxMs: number;
  readonly timestampAfterMaxMs: number;
  /** `fsync`: flushed means on stable storage. `page-cache`: flushed means written. */
  readonly durability: 'fsync' | 'page-cache';
  readonly fileDeleteDelayMs: number;
  readonly producerIdExpirationMs: number;
}

/** Kafka's defaults, durable. */
export const DEFAULT_LOG_CONFIG: LogConfig = Object.freeze({
  segmentBytes: GiB,
  segmentMs: 7 * DAY_MS,
  segmentJitterMs: 0,
  indexIntervalBytes: 4 * KiB,
  segmentIndexBytes: 10 * MiB,
  retentionMs: 7 * DAY_MS,
  retentionBytes: -1,
  isCompacted: false,
  minCleanableDirtyRatio: 0.5,
  minCompactionLagMs: 0,
  maxCompactionLagMs: Number.MAX_SAFE_INTEGER,
  deleteRetentionMs: DAY_MS,
  maxMessageBytes: MiB + 12,
  timestampType: 'create',
  timestampBeforeMaxMs: Number.MAX_SAFE_INTEGER,
  timestampAfterMaxMs: HOUR_MS,
  durability: 'fsync',
  fileDeleteDelayMs: 60_000,
  producerIdExpirationMs: DAY_MS,
});
