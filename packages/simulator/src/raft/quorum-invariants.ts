/** What is promised of a metadata quorum, by number (reliability.md section 5). 18, 57 and 60 are judged by the simulation at its end. */
import { oneLeaderPerEpoch } from '../invariants/01-one-leader-per-epoch.ts';
import { oneVotePerEpoch } from '../invariants/02-one-vote-per-epoch.ts';
import { epochNeverDecreases } from '../invariants/03-epoch-never-decreases.ts';
import { highWatermarkNeverDecreases } from '../invariants/04-high-watermark-never-decreases.ts';
import { committedIsDurableOnAMajority } from '../invariants/05-committed-is-durable-on-a-majority.ts';
import { sameOffsetAndEpochSameBytes } from '../invariants/06-same-offset-and-epoch-same-bytes.ts';
import { logMatching } from '../invariants/07-log-matching.ts';
import { leaderHoldsAllCommitted } from '../invariants/08-leader-holds-all-committed.ts';
import { noCommittedRecordIsTruncated } from '../invariants/09-no-committed-record-is-truncated.ts';
import { olderEpochsCommitWithAnOwnRecord } from '../invariants/10-older-epochs-commit-with-an-own-record.ts';
import { appliedCommittedWritten } from '../invariants/11-applied-committed-written.ts';
import { nothingLeavesBeforeItIsDurable } from '../invariants/12-nothing-leaves-before-it-is-durable.ts';
import { voterSetsChangeOneAtATime } from '../invariants/13-voter-sets-change-one-at-a-time.ts';
import { votersChangeInOrder } from '../invariants/13-voters-change-in-order.ts';
import { unknownDirectoriesNeverCount } from '../invariants/14-unknown-directories-never-count.ts';
import { snapshotsAreCommittedState } from '../invariants/15-snapshots-are-committed-state.ts';
import { equalOffsetsEqualState } from '../invariants/16-equal-offsets-equal-state.ts';
import { noServiceWithoutAMajority } from '../invariants/17-no-service-without-a-majority.ts';
import { readsFollowARoundOfTheirOwn } from '../invariants/18-reads-follow-a-round-of-their-own.ts';
import { aResignedLeaderStaysResigned } from '../invariants/19-a-resigned-leader-stays-resigned.ts';
import { anEpochBeginsWithAMajority } from '../invariants/20-an-epoch-begins-with-a-majority.ts';
import { preVotesChangeNothing } from '../invariants/20-pre-votes-change-nothing.ts';
import type { QuorumInvariant } from './quorum-observation.ts';

/** 1.5 times the fetch timeout of simulated quorums. */
const CHECK_QUORUM_MS = 900;
const FETCH_TIMEOUT_MS = 600;

/** Those that need no more than what the disks are asked to hold and hold, and where each voter stands. */
export const WATCHED_QUORUM_INVARIANTS: readonly QuorumInvariant[] = [
  oneLeaderPerEpoch,
  oneVotePerEpoch,
  epochNeverDecreases,
  highWatermarkNeverDecreases,
  committedIsDurableOnAMajority,
  sameOffsetAndEpochSameBytes,
  logMatching,
  leaderHoldsAllCommitted,
  noCommittedRecordIsTruncated,
  olderEpochsCommitWithAnOwnRecord,
  appliedCommittedWritten,
  voterSetsChangeOneAtATime,
  aResignedLeaderStaysResigned,
];

export const QUORUM_INVARIANTS: readonly QuorumInvariant[] = [
  ...WATCHED_QUORUM_INVARIANTS,
  nothingLeavesBeforeItIsDurable,
  votersChangeInOrder,
  unknownDirectoriesNeverCount,
  snapshotsAreCommittedState,
  equalOffsetsEqualState,
  noServiceWithoutAMajority(CHECK_QUORUM_MS),
  readsFollowARoundOfTheirOwn,
  preVotesChangeNothing,
  anEpochBeginsWithAMajority(FETCH_TIMEOUT_MS),
];
