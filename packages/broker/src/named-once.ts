/**
 * A request that names a partition again and again has a node do the same work as often, for a few bytes each. No
 * client needs that: it is refused before anything of it is done. What is not here costs next to nothing.
 */
import { MillraceError } from '@millrace/core';
import type { PartitionRef } from './broker-api.ts';
import type { Partition } from './partition.ts';
import type { PartitionTable } from './partition-table.ts';

/** @throws {MillraceError} INVALID_REQUEST if two of `refs` are the same partition of this broker. */
export function refuseNamedAgain(table: PartitionTable, refs: readonly PartitionRef[]): void {
  if (refs.length < 2) return;
  const seen = new Set<Partition>();
  for (const { topicId, partition: index } of refs) {
    const partition = table.get(topicId, index);
    if (partition === undefined) continue;
    if (seen.has(partition)) {
      throw new MillraceError('INVALID_REQUEST', `partition ${index} of ${partition.topic} is named twice`);
    }
    seen.add(partition);
  }
}
