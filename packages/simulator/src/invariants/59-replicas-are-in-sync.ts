/** Invariant 59: within 30 seconds every replica of a partition that is led is in sync. */
import type { PartitionImage } from '@millrace/metadata';
import { everyPartition, listPartitions, type RecoveryView } from '../cluster/recovery-view.ts';
import type { LivenessInvariant } from '../world/liveness.ts';

export const ISR_WITHIN_MS = 30_000;

export const replicasAreInSync: LivenessInvariant<RecoveryView> = {
  number: 59,
  name: 'replicas-are-in-sync',
  boundMs: () => ISR_WITHIN_MS,
  holds: ({ image, nodes }) => everyPartition(image(), isWhole) && nodes.every(({ isUp }) => isUp),
  missing: ({ image, nodes }) => {
    const down = nodes.filter(({ isUp }) => !isUp).map(({ name }) => name);
    const missing = listPartitions(image(), (partition) => !isWhole(partition));
    return `${missing}; not up: ${down.join(', ') || 'none'}`;
  },
};

function isWhole({ isr, replicas, leader }: PartitionImage): boolean {
  return leader === -1 || isr.length === replicas.length;
}
