/** Which partition of `__consumer_offsets` holds a group. As Kafka computes it: tools of both must agree. */

/** Kafka's `Utils.abs(groupId.hashCode()) % partitionCount`. */
export function groupPartitionOf(groupId: string, partitionCount: number): number {
  let hash = 0;
  for (let i = 0; i < groupId.length; i++) hash = (Math.imul(hash, 31) + groupId.charCodeAt(i)) | 0;
  // The one number whose absolute value is no int32 counts as 0.
  return (hash === -(2 ** 31) ? 0 : Math.abs(hash)) % partitionCount;
}
