/** Pages of topics: every partition is shown once, whatever fits into a page and whatever was deleted meanwhile. */
import type { TopicDescription } from '@millrace/broker';
import { expect, test } from 'vitest';
import { pageOf, type TopicCursor } from './topic-pages.ts';

function topic(name: string, count: number): TopicDescription {
  const lists = { replicas: [1], isr: [1], elr: [], lastKnownElr: [] };
  const partitions = Array.from({ length: count }, (_, partition) => ({
    ...lists,
    partition,
    leaderId: 1,
    leaderEpoch: 0,
    partitionEpoch: 0,
  }));
  return { topicId: name, name, internal: false, partitions };
}

test.each([1, 2, 3, 4, 100])('every partition is on one page if a page has room for %i', (limit) => {
  const all = [topic('b', 3), topic('a', 2), topic('c', 0), topic('d', 1)];
  const seen: string[] = [];
  let cursor: TopicCursor | null | undefined = null;
  while (cursor !== undefined) {
    const page = pageOf(all, cursor, limit);
    const shown = page.topics.flatMap(({ name, partitions }) => partitions.map((p) => name + p.partition));
    expect(shown.length).toBeLessThanOrEqual(limit);
    seen.push(...shown);
    cursor = page.next;
  }
  expect(seen).toEqual(['a0', 'a1', 'b0', 'b1', 'b2', 'd0']);
});

test('a cursor at a topic that was deleted goes on with the next one, from its beginning', () => {
  const page = pageOf([topic('a', 1), topic('c', 2)], { topicName: 'b', partitionIndex: 1 }, 10);
  expect(page.topics.map(({ name, partitions }) => [name, partitions.length])).toEqual([['c', 2]]);
});
