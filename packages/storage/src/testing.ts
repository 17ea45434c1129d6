/** What the tests of this package share: small batches, small settings, a store on any disk. Never part of a running node. */
import { type Clock, type Logger, ManualClock, randomUuid, SeededRandom, silentLogger } from '@millrace/core';
import {
  type BatchProducer,
  buildBatch,
  type CompressionCodec,
  decodeRecords,
  type LogRecord,
  splitBatches,
} from '@millrace/records';
import type { FileSystem } from './file-system.ts';
import { DEFAULT_LOG_CONFIG, type LogConfig } from './log-config.ts';
import { LogStore } from './log-store.ts';
import type { PartitionLog } from './partition-log.ts';
import { storageConfig } from './storage-config.ts';

export const HOME = '/data';
/** Each topic its own. */
export function topicIdOf(topic: string): string {
  return randomUuid(new SeededRandom(Buffer.from(topic).reduce((sum, byte) => sum * 31 + byte, 7)));
}

export const TOPIC_ID = topicIdOf('t');
export const CLUSTER = {
  clusterId: 'test-cluster',
  nodeId: 1,
  directoryId: randomUuid(new SeededRandom(8)),
};

/** Segments of a few batches, an index entry every second one. */
export const SMALL: LogConfig = {
  ...DEFAULT_LOG_CONFIG,
  segmentBytes: 600,
  indexIntervalBytes: 100,
  timestampAfterMaxMs: Number.MAX_SAFE_INTEGER,
  retentionMs: -1,
};

export interface StoreOptions {
  readonly clock?: Clock;
  readonly logger?: Logger;
  readonly config?: Record<string, string>;
  readonly path?: string;
}

/** Formats the directory if nobody has. */
export async function openStore(fileSystem: FileSystem, options: StoreOptions = {}): Promise<LogStore> {
  const { path = HOME, clock = new ManualClock(), logger = silentLogger, config = {} } = options;
  if (fileSystem.statSync(`${path}/meta.properties`) === undefined)
    await LogStore.format(fileSystem, path, CLUSTER);
  return await LogStore.open({
    path,
    fileSystem,
    clock,
    random: new SeededRandom(1),
    logger,
    config: storageConfig.parse({ 'journal.file.bytes': '65536', 'journal.max.bytes': '262144', ...config }),
  });
}

export async function openLog(
  store: LogStore,
  config: LogConfig = SMALL,
  topic = 't',
  partition = 0,
): Promise<PartitionLog> {
  return await store.openPartition({ topic, partition, topicId: topicIdOf(topic) }, config);
}

export interface BatchOptions {
  readonly count?: number;
  readonly timestamp?: number;
  readonly bytes?: number;
  readonly producer?: BatchProducer;
}

/** `count` records whose values begin with `text`. */
export function batchOf(
  text: string,
  { count = 1, timestamp = 1000, bytes = 20, producer }: BatchOptions = {},
): Buffer {
  const records = Array.from({ length: count }, (_, i) => ({
    timestamp: timestamp + i,
    key: null,
    value: Buffer.from(`${text}/${i}`.padEnd(bytes, '.')),
  }));
  return Buffer.from(buildBatch(records, producer === undefined ? {} : { producer }));
}

/** The values of all records from the log's start to its end, without padding. */
export async function contentsOf(log: PartitionLog): Promise<string[]> {
  const values: string[] = [];
  let offset = log.logStartOffset;
  while (offset < log.logEndOffset) {
    const bytes = await log.read(offset, 500, log.logEndOffset);
    for (const batch of splitBatches(bytes)) {
      for (const record of decodeRecords(batch)) {
        if (record.offset < offset) continue;
        values.push(Buffer.from(record.value!).toString().replace(/\.+$/, ''));
        offset = record.offset + 1;
      }
    }
  }
  return values;
}

/** One record a key; a null value is a tombstone. */
export type KeyedRecord = readonly [key: string, value: string | null];

/** Small segments that compaction may clean at once. */
export const COMPACTED: LogConfig = {
  ...SMALL,
  isCompacted: true,
  minCleanableDirtyRatio: 0,
  fileDeleteDelayMs: 0,
};

export function keyedBatch(
  records: readonly KeyedRecord[],
  options: {
    readonly timestamp?: number;
    readonly producer?: BatchProducer;
    readonly codec?: CompressionCodec;
  } = {},
): Buffer {
  const { timestamp = 1000, producer, codec } = options;
  const inputs = records.map(([key, value], i) => ({
    timestamp: timestamp + i,
    key: Buffer.from(key),
    value: value === null ? null : Buffer.from(value),
  }));
  return Buffer.from(buildBatch(inputs, { ...(producer && { producer }), ...(codec && { codec }) }));
}

/** Every record that is left, by offset. */
export async function recordsOf(log: PartitionLog): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  let offset = log.logStartOffset;
  while (offset < log.logEndOffset) {
    const views = splitBatches(await log.read(offset, 500, log.logEndOffset));
    if (views.length === 0) throw new Error(`nothing is read at ${offset}`);
    for (const view of views) {
      if (view.baseOffset > offset) throw new Error(`the log has a hole at ${offset}`);
      records.push(...decodeRecords(view).filter((record) => record.offset >= log.logStartOffset));
      offset = view.nextOffset;
    }
  }
  return records;
}

/** What a reader from the beginning ends up with. */
export async function valuesOf(log: PartitionLog): Promise<Map<string, string>> {
  const values = new Map<string, string>();
  for (const { key, value } of await recordsOf(log)) {
    if (value === null) values.delete(String(key));
    else values.set(String(key), String(value));
  }
  return values;
}

/** Lets time pass until `promise` is settled. */
export async function passing<T>(clock: ManualClock, promise: Promise<T>): Promise<T> {
  let isSettled = false;
  const settle = (): void => {
    isSettled = true;
  };
  promise.then(settle, settle);
  for (let i = 0; i < 100_000 && !isSettled; i++) {
    for (let hop = 0; hop < 20 && !isSettled; hop++) await Promise.resolve();
    if (!isSettled) clock.advance(1);
  }
  return await promise;
}
