/** The promises about partitions that a partition world checks, in the order of their numbers. */
import type { PartitionInvariant } from '../partition/partition-observation.ts';

export const PARTITION_INVARIANTS: readonly PartitionInvariant[] = [];
