/** What each replica here takes of the disk and how far it is behind, as administrators see it. Reads no file. */
import type { ReplicaOnDisk, TopicPartitionName } from './admin-api.ts';
import type { Partition } from './partition.ts';

/** @param asked undefined: all. A replica whose log is not open, or failed, has no size that could be told. */
export function replicasOnDisk(
  partitions: Iterable<Partition>,
  asked: readonly TopicPartitionName[] | undefined,
): ReplicaOnDisk[] {
  const names = asked && new Set(asked.map(({ topic, partition }) => `${topic}:${partition}`));
  const replicas: ReplicaOnDisk[] = [];
  for (const replica of partitions) {
    const { topic, index } = replica;
    if (!replica.isOpen || replica.offline !== undefined || names?.has(`${topic}:${index}`) === false)
      continue;
    const { log, highWatermark } = replica;
    const offsetLag = Math.max(highWatermark - log.logEndOffset, 0);
    replicas.push({ topic, partition: index, sizeBytes: log.sizeBytes, offsetLag });
  }
  return replicas;
}
