/** What every committed decision about a partition must satisfy: invariants 27 to 29, 36 and 38, as the metadata log tells them. */
import { type MetadataImage, type PartitionImage, topicConfigOf } from '@millrace/metadata';
import type { ClusterLayout } from './cluster-layout.ts';
import type { Decided } from './metadata-witness.ts';

export function judgeDecision(
  { before, after, image, isJump }: Decided,
  { settings }: ClusterLayout,
  violated: (text: string) => never,
): void {
  const config = topicConfigOf(image, after.topicId, { fileTexts: settings });
  const what = describe(after);
  const fail = (invariant: string): never => violated(`invariant ${invariant}: ${what}`);
  const { isr, elr, replicas, leader } = after;
  if (!isr.every((id) => replicas.includes(id))) fail('27 in-sync-sets-are-sound, ISR outside the replicas');
  if (leader !== -1 && !isr.includes(leader)) fail('27 in-sync-sets-are-sound, leader outside the ISR');
  if (isr.some((id) => elr.includes(id))) fail('27 in-sync-sets-are-sound, ISR and ELR overlap');
  const minimum = Math.min(config['min.insync.replicas'], replicas.length);
  if (isr.length >= minimum && elr.length > 0) fail('27 in-sync-sets-are-sound, ELR beside a full ISR');
  const inactive = isr.filter((id) => !isActiveIn(image, id));
  if (inactive.length > 0 && leader !== -1) fail(`28 no-fenced-broker-in-isr, ${inactive}`);
  if (before === undefined || isJump) return;
  if (after.partitionEpoch !== before.partitionEpoch + 1)
    fail(`29 epochs-count-changes, after ${describe(before)}`);
  const leaderSteps = after.leaderEpoch - before.leaderEpoch;
  if (leaderSteps < 0) fail(`29 epochs-count-changes, after ${describe(before)}`);
  const wasElectable = [...before.isr, ...before.elr].includes(leader);
  const mayBeUnclean = config['unclean.leader.election.enable'] || config.durability === 'page-cache';
  if (leader !== -1 && leader !== before.leader && !wasElectable && !mayBeUnclean) {
    fail(`36 unclean-elections-only-as-configured, after ${describe(before)}`);
  }
}

function isActiveIn(image: MetadataImage, id: number): boolean {
  const broker = image.brokers.get(id);
  return broker !== undefined && !broker.fenced;
}

export function describe(partition: PartitionImage): string {
  const { topicId, partition: index, leader, leaderEpoch, partitionEpoch, isr, elr, replicas } = partition;
  return `${topicId}-${index} epoch ${partitionEpoch}, leader ${leader} in ${leaderEpoch}, ISR [${isr}], ELR [${elr}], replicas [${replicas}]`;
}
