/** The invariants of consumer groups, in the order of their numbers. */
import type { GroupInvariant } from '../groups/group-observation.ts';
import { committedOffsetsHaveCommitted } from './46-committed-offsets-have-committed.ts';
import { committedOffsetsLieInTheLog } from './46-committed-offsets-lie-in-the-log.ts';
import { committedOffsetsNeverGoBack } from './46-committed-offsets-never-go-back.ts';
import { oneOwnerPerPartition } from './47-one-owner-per-partition.ts';
import { acknowledgedCommitsAreReadBack } from './48-acknowledged-commits-are-read-back.ts';
import { groupsSkipNothing } from './61-groups-skip-nothing.ts';

export const GROUP_INVARIANTS: readonly GroupInvariant[] = [
  committedOffsetsHaveCommitted,
  committedOffsetsNeverGoBack,
  committedOffsetsLieInTheLog,
  oneOwnerPerPartition,
  acknowledgedCommitsAreReadBack,
  groupsSkipNothing,
];
