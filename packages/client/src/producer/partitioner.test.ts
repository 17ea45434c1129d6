/** Keyed records land where Java's client puts them; keyless ones stick or take turns, and avoid partitions without a leader. */
import { SeededRandom } from '@millrace/core';
import { describe, expect, test } from 'vitest';
import {
  defaultPartitioner,
  type PartitionerInput,
  partitionOfKey,
  roundRobinPartitioner,
} from './partitioner.ts';

const input = (
  key: string | null,
  partitionCount: number,
  isAvailable = (_partition: number) => true,
): PartitionerInput => ({
  topic: 't',
  key: key === null ? null : Buffer.from(key),
  value: null,
  partitionCount,
  isAvailable,
});

describe('partitioners', () => {
  // murmur2 of these strings is published with Kafka's own tests (UtilsTest); the partition is its low 31 bits modulo 10.
  test.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ])('the key %j goes where Kafka puts it', (key, murmur) => {
    expect(partitionOfKey(Buffer.from(key), 10)).toBe((murmur & 0x7fffffff) % 10);
    expect(defaultPartitioner(new SeededRandom(1)).partition(input(key, 10))).toBe(
      (murmur & 0x7fffffff) % 10,
    );
  });

  test('the default one sticks until a batch is closed, then moves on', () => {
    const partitioner = defaultPartitioner(new SeededRandom(7));
    const first = partitioner.partition(input(null, 50));
    for (let i = 0; i < 20; i++) expect(partitioner.partition(input(null, 50))).toBe(first);
    const seen = new Set<number>();
    for (let i = 0; i < 200; i++) {
      const current = partitioner.partition(input(null, 50));
      seen.add(current);
      partitioner.batchClosed?.('t', current);
    }
    expect(seen.size).toBeGreaterThan(30);
  });

  test('partitions without a leader are avoided, unless there is no other', () => {
    for (const partitioner of [defaultPartitioner(new SeededRandom(3)), roundRobinPartitioner()]) {
      for (let i = 0; i < 20; i++) {
        expect(partitioner.partition(input(null, 4, (partition) => partition === 2))).toBe(2);
        partitioner.batchClosed?.('t', 2);
      }
      expect(partitioner.partition(input(null, 4, () => false))).toBeLessThan(4);
    }
  });

  test('round robin takes turns and still follows keys', () => {
    const partitioner = roundRobinPartitioner();
    expect(Array.from({ length: 5 }, () => partitioner.partition(input(null, 3)))).toEqual([0, 1, 2, 0, 1]);
    expect(partitioner.partition(input('abc', 10))).toBe(479470107 % 10);
  });
});
