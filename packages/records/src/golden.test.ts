/**
 * Batches as Kafka's Java client 3.9.1 wrote them (`testdata/*.hex`), each with the same four records: nulls, an
 * empty key, headers, a timestamp before the first one, a key beyond ASCII.
 */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  BatchView,
  buildBatch,
  type CompressionCodec,
  checkBatch,
  checkRecords,
  decodeRecords,
  type LogRecord,
} from './index.ts';

const LIMITS = { maxDecompressedBytes: 1024 };

const RECORDS: readonly LogRecord[] = [
  { offset: 0, timestamp: 1700000000000, key: Buffer.from('k1'), value: Buffer.from('value-1'), headers: [] },
  {
    offset: 1,
    timestamp: 1700000000005,
    key: null,
    value: Buffer.from('value-2'),
    headers: [
      { key: 'trace', value: Buffer.from([1, 2]) },
      { key: 'none', value: null },
    ],
  },
  { offset: 2, timestamp: 1699999999990, key: Buffer.alloc(0), value: null, headers: [] },
  {
    offset: 3,
    timestamp: 1700000086400,
    key: Buffer.from('clé'),
    value: Buffer.alloc(300, 'x'),
    headers: [],
  },
];

function golden(name: string): Buffer {
  const text = readFileSync(new URL(`../testdata/${name}.hex`, import.meta.url), 'utf8');
  return Buffer.from(text.replace(/\s/g, ''), 'hex');
}

test.each([
  ['plain', 'none'],
  ['idempotent', 'none'],
  ['gzip', 'gzip'],
  ['snappy', 'snappy'],
  ['lz4', 'lz4'],
  ['zstd', 'zstd'],
] as [string, CompressionCodec][])('the Java client’s %s batch is accepted and read', (name, codec) => {
  const bytes = golden(name);
  const view = BatchView.at(bytes, 0)!;
  checkBatch(view, LIMITS);
  checkRecords(view, LIMITS);
  expect(view.sizeBytes).toBe(bytes.length);
  expect(view.codec).toBe(codec);
  expect(decodeRecords(view, LIMITS)).toEqual(RECORDS);
});

test('an uncompressed batch is byte for byte the Java client’s', () => {
  expect(buildBatch(RECORDS).toString('hex')).toBe(golden('plain').toString('hex'));
});

test('an idempotent producer’s batch is byte for byte the Java client’s', () => {
  const producer = { producerId: 4294967299, producerEpoch: 7, baseSequence: 2147483646 };
  expect(buildBatch(RECORDS, { producer }).toString('hex')).toBe(golden('idempotent').toString('hex'));
});

test('every header field of the idempotent batch is read', () => {
  const view = BatchView.at(golden('idempotent'), 0)!;
  expect({
    baseOffset: view.baseOffset,
    lastOffset: view.lastOffset,
    nextOffset: view.nextOffset,
    leaderEpoch: view.leaderEpoch,
    timestampType: view.timestampType,
    isTransactional: view.isTransactional,
    isControl: view.isControl,
    baseTimestamp: view.baseTimestamp,
    maxTimestamp: view.maxTimestamp,
    producerId: view.producerId,
    producerEpoch: view.producerEpoch,
    baseSequence: view.baseSequence,
    lastSequence: view.lastSequence,
    recordCount: view.recordCount,
  }).toEqual({
    baseOffset: 0,
    lastOffset: 3,
    nextOffset: 4,
    leaderEpoch: -1,
    timestampType: 'create',
    isTransactional: false,
    isControl: false,
    baseTimestamp: 1700000000000,
    maxTimestamp: 1700000086400,
    producerId: 4294967299,
    producerEpoch: 7,
    baseSequence: 2147483646,
    lastSequence: 1,
    recordCount: 4,
  });
});
