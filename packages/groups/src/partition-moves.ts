/** Who let go of a partition last and when, so that the history can tell where partitions came from. Memory only. */
import type { TopicId } from '@millrace/core';
import type { DescribedAssignment } from './group-api.ts';
import { partitionsCounted, spanText } from './group-history.ts';
import type { TopicsView } from './group-record.ts';
import { listOf, type PartitionSet, sizeOf } from './topic-partitions.ts';

interface Release {
  readonly from: string;
  readonly atMs: number;
}

/** Former holders that a cause names; the rest are counted. */
const NAMED_MAX = 3;

export class PartitionMoves {
  readonly #releases = new Map<TopicId, Map<number, Release>>();

  released(set: PartitionSet, from: string, nowMs: number): void {
    for (const [topicId, partitions] of set) {
      let releases = this.#releases.get(topicId);
      if (releases === undefined) {
        releases = new Map();
        this.#releases.set(topicId, releases);
      }
      for (const partition of partitions) releases.set(partition, { from, atMs: nowMs });
    }
  }

  /** How the partitions came to their new holder, in words. */
  taken(set: PartitionSet, nowMs: number): string {
    const from = new Set<string>();
    let longestMs = 0;
    let moved = 0;
    for (const [topicId, partitions] of set) {
      const releases = this.#releases.get(topicId);
      for (const partition of partitions) {
        const release = releases?.get(partition);
        if (release === undefined) continue;
        releases!.delete(partition);
        moved++;
        from.add(release.from);
        longestMs = Math.max(longestMs, nowMs - release.atMs);
      }
    }
    if (moved === 0) return `${partitionsCounted(sizeOf(set))} that nobody had before`;
    const names = [...from];
    const rest = names.length > NAMED_MAX ? ` and ${names.length - NAMED_MAX} more` : '';
    const fresh = moved < sizeOf(set) ? `, ${sizeOf(set) - moved} that nobody had before` : '';
    const were = moved === 1 ? 'it was' : 'they were';
    return `${partitionsCounted(moved)} from ${names.slice(0, NAMED_MAX).join(', ')}${rest}, ${spanText(longestMs)} after ${were} let go${fresh}`;
  }

  forgetTopics(exists: (topicId: TopicId) => boolean): void {
    for (const topicId of this.#releases.keys()) if (!exists(topicId)) this.#releases.delete(topicId);
  }
}

export function describedSet(set: PartitionSet, topics: TopicsView): readonly DescribedAssignment[] {
  return listOf(set).map(({ topicId, partitions }) => ({
    topic: topics.byId(topicId)?.name ?? '',
    topicId,
    partitions,
  }));
}
