/** The partition of a group, by the numbers of Java's String.hashCode. */
import { expect, test } from 'vitest';
import { groupPartitionOf } from './group-hash.ts';

test.each([
  ['hello', 99_162_322],
  ['my-group', -1_906_497_762],
  ['console-consumer-12345', 158_455_506],
  ['ü', 252],
])('%s is where Kafka has it', (groupId, hashCode) => {
  expect(groupPartitionOf(groupId, 50)).toBe(Math.abs(hashCode) % 50);
});

test('the hash that has no positive twin counts as 0', () => {
  expect(groupPartitionOf('polygenelubricants', 50)).toBe(0);
});
