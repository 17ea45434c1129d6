/**
 * The promises about partitions that a partition world checks, in the order of their numbers. 38 is not among them: replicas
 * cannot be reassigned. 42 to 45 are of transactions, which there are none of.
 */
import type { PartitionInvariant } from '../partition/partition-observation.ts';
import { offsetsAreOrdered } from './21-offsets-are-ordered.ts';
import { whatWasReadStays } from './22-what-was-read-stays.ts';
import { acknowledgedIsReplicated } from './23-acknowledged-is-replicated.ts';
import { electableReplicasHoldAllCommitted } from './24-electable-replicas-hold-all-committed.ts';
import { maximalIsrHoldsEveryMember } from './25-maximal-isr-holds-every-member.ts';
import { fewReplicasCommitNothing } from './26-few-replicas-commit-nothing.ts';
import { standingsAgree } from './27-standings-agree.ts';
import { onlyActiveBrokersAreInSync } from './28-only-active-brokers-are-in-sync.ts';
import { epochsGrow } from './29-epochs-grow.ts';
import { oneLeaderPerLeaderEpoch } from './30-one-leader-per-leader-epoch.ts';
import { aFencedLeaderAcknowledgesNothingThatCanBeLost } from './31-a-fenced-leader-acknowledges-nothing-that-can-be-lost.ts';
import { theEpochCacheIsThatOfTheLog } from './32-the-epoch-cache-is-that-of-the-log.ts';
import { followersArePrefixesOfTheirLeader } from './33-followers-are-prefixes-of-their-leader.ts';
import { replicasAreAlike } from './34-replicas-are-alike.ts';
import { offsetsAreDense } from './35-offsets-are-dense.ts';
import { uncleanElectionsAreReported } from './36-unclean-elections-are-reported.ts';
import { whoJoinsHasCaughtUp } from './37-who-joins-has-caught-up.ts';
import { eachBatchStandsOnce } from './39-each-batch-stands-once.ts';
import { producersKeepTheirOrder } from './40-producers-keep-their-order.ts';
import { producerStateIsThatOfTheLog } from './41-producer-state-is-that-of-the-log.ts';
import { damagedBytesGoNowhere } from './49-damaged-bytes-go-nowhere.ts';
import { queuesAreBounded } from './52-queues-are-bounded.ts';

export const PARTITION_INVARIANTS: readonly PartitionInvariant[] = [
  offsetsAreOrdered,
  whatWasReadStays,
  acknowledgedIsReplicated,
  electableReplicasHoldAllCommitted,
  maximalIsrHoldsEveryMember,
  fewReplicasCommitNothing,
  standingsAgree,
  onlyActiveBrokersAreInSync,
  epochsGrow,
  oneLeaderPerLeaderEpoch,
  aFencedLeaderAcknowledgesNothingThatCanBeLost,
  theEpochCacheIsThatOfTheLog,
  followersArePrefixesOfTheirLeader,
  replicasAreAlike,
  offsetsAreDense,
  uncleanElectionsAreReported,
  whoJoinsHasCaughtUp,
  eachBatchStandsOnce,
  producersKeepTheirOrder,
  producerStateIsThatOfTheLog,
  damagedBytesGoNowhere,
  queuesAreBounded,
];
