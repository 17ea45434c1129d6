/** Invariants 27, 28, 29, 36 of the design's reference, checked on images. For tests and simulations; never repairs anything. */
import { invariant } from '@millrace/core';
import type { DecisionContext } from '../decide/decision.ts';
import { topicConfigOf } from '../effective-config.ts';
import { isActive, type MetadataImage, type PartitionImage, partitionOf, partitionsOf } from '../image.ts';
import { type MetadataRecord, NO_LEADER } from '../record.ts';

/** @throws {InvariantError} naming the partition that breaks one. */
export function checkInvariants(
  before: MetadataImage,
  after: MetadataImage,
  records: readonly MetadataRecord[],
  context: DecisionContext,
): void {
  for (const partition of partitionsOf(after)) {
    const minInsync = topicConfigOf(after, partition.topicId, context.scope)['min.insync.replicas'];
    checkSets(after, partition, Math.min(minInsync, partition.replicas.length));
    const earlier = partitionOf(before, partition.topicId, partition.partition);
    if (earlier !== undefined && earlier !== partition) checkEpochs(earlier, partition);
  }
  for (const record of records) {
    if (record.kind !== 'partitionChanged' || record.leader === undefined || record.leader === NO_LEADER)
      continue;
    const earlier = partitionOf(before, record.topicId, record.partition);
    const wasEligible = earlier?.isr.includes(record.leader) || earlier?.elr.includes(record.leader);
    invariant(wasEligible || record.unclean === true, 'an unclean election is reported', { record });
    if (record.unclean !== true) continue;
    const config = topicConfigOf(after, record.topicId, context.scope);
    const wasLastKnown = earlier?.isr.length === 0 && earlier.elr.length === 0;
    const isReturn = config.durability === 'page-cache' && wasLastKnown;
    const isAllowed = config['unclean.leader.election.enable'] || isReturn;
    invariant(isAllowed, 'an unclean election is configured, or brings back the last known', { record });
  }
}

function checkSets(image: MetadataImage, partition: PartitionImage, enough: number): void {
  const { replicas, isr, elr, lastKnownElr, offline, leader, recovering } = partition;
  const state = { ...partition };
  invariant(
    isr.every((id) => replicas.includes(id)),
    'ISR is among the replicas',
    state,
  );
  invariant(
    elr.every((id) => replicas.includes(id)),
    'ELR is among the replicas',
    state,
  );
  invariant(!elr.some((id) => isr.includes(id)), 'ISR and ELR are disjoint', state);
  invariant(
    !lastKnownElr.some((id) => isr.includes(id) || elr.includes(id)),
    'last known have no standing',
    state,
  );
  invariant(leader === NO_LEADER || isr.includes(leader), 'the leader is in sync', state);
  invariant(elr.length === 0 || isr.length < enough, 'ELR is empty while the ISR is large enough', state);
  invariant(!recovering || isr.length <= 1, 'a recovering partition has no followers in sync', state);
  for (const id of isr) invariant(isActive(image, id), 'no fenced broker is in sync', { ...state, id });
  invariant(!isr.some((id) => offline.includes(id)), 'no offline replica is in sync', state);
}

function checkEpochs(before: PartitionImage, after: PartitionImage): void {
  const state = { before, after };
  invariant(after.partitionEpoch > before.partitionEpoch, 'a change raises the partition epoch', state);
  invariant(after.leaderEpoch >= before.leaderEpoch, 'the leader epoch never falls', state);
  const sameLeader = after.leader === before.leader;
  invariant(sameLeader || after.leaderEpoch > before.leaderEpoch, 'a new leader has a new epoch', state);
}
