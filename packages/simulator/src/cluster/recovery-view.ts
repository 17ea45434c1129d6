/** What the promises about recovery see of a cluster whose faults are over, and words for its partitions. */
import { type MetadataImage, type PartitionImage, partitionsOf } from '@millrace/metadata';
import type { ClusterLayout } from './cluster-layout.ts';
import type { ClusterNode } from './cluster-node.ts';

export interface RecoveryView {
  readonly layout: ClusterLayout;
  readonly nodes: readonly ClusterNode[];
  /** Until every process runs again and packets that were lost have come. */
  readonly connectMs: number;
  /** The newest that is committed. */
  image(): MetadataImage;
  /** Of clients, without an answer so far. */
  openCalls(): number;
}

export function everyPartition(image: MetadataImage, holds: (partition: PartitionImage) => boolean): boolean {
  for (const partition of partitionsOf(image)) if (!holds(partition)) return false;
  return true;
}

export function listPartitions(
  image: MetadataImage,
  isMeant: (partition: PartitionImage) => boolean,
): string {
  const texts: string[] = [];
  for (const { name, partitions } of image.topics.values()) {
    for (const partition of partitions) {
      if (!isMeant(partition)) continue;
      const { partition: index, leader, isr, elr, lastKnownElr, offline, replicas } = partition;
      texts.push(
        `${name}-${index} (leader ${leader}, ISR [${isr}], ELR [${elr}], last known [${lastKnownElr}], offline [${offline}], replicas [${replicas}])`,
      );
    }
  }
  return texts.join('; ');
}
