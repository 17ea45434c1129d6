/**
 * A summary of the topics that a group epoch was made for (KIP-1101): after a failover it tells whether they changed
 * while nobody watched. Only compared with itself; a change that it misses by chance is made up for by the next one.
 */
import type { TopicsView, TopicView } from './group-record.ts';

const FNV_PRIME = 0x01000193;
const FNV_BASIS = 0x811c9dc5;
const OTHER_BASIS = 0x9747b28c;

/**
 * Of those topics that exist, in any order. Racks count only where an assignor will look at them.
 *
 * @returns never 0, which stands for unknown.
 */
export function topicsHash(names: Iterable<string>, topics: TopicsView, withRacks: boolean): bigint {
  let high = 0;
  let low = 0;
  for (const name of names) {
    const topic = topics.byName(name);
    if (topic === undefined) continue;
    const text = textOf(topic, withRacks);
    high = (high + hashOf(text, FNV_BASIS)) >>> 0;
    low = (low + hashOf(text, OTHER_BASIS)) >>> 0;
  }
  const hash = BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low));
  return hash === 0n ? 1n : hash;
}

function textOf(topic: TopicView, withRacks: boolean): string {
  const head = `${topic.name}/${topic.topicId}/${topic.partitionCount}`;
  if (!withRacks) return head;
  const racks = Array.from({ length: topic.partitionCount }, (_, partition) =>
    [...topic.racksOf(partition)].sort().join(','),
  );
  return `${head}/${racks.join(';')}`;
}

/** FNV-1a over UTF-16 units, with a last stir: sums of raw FNV hashes of alike texts lie close together. */
function hashOf(text: string, basis: number): number {
  let hash = basis;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), FNV_PRIME);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}
