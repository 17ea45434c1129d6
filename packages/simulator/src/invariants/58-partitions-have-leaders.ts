/** Invariant 58: within the session timeout and two seconds every partition with a live candidate has a leader. */
import { isActive, type MetadataImage, type PartitionImage } from '@millrace/metadata';
import { everyPartition, listPartitions, type RecoveryView } from '../cluster/recovery-view.ts';
import type { LivenessInvariant } from '../world/liveness.ts';

const ELECTION_MS = 2_000;

export const partitionsHaveLeaders: LivenessInvariant<RecoveryView> = {
  number: 58,
  name: 'partitions-have-leaders',
  // A broker that comes back may have to wait until its former life is over.
  boundMs: ({ connectMs, layout }) => connectMs + 2 * layout.sessionTimeoutMs + ELECTION_MS,
  holds: ({ nodes, image }) =>
    nodes.every(({ isUp, plan }) => isUp && (!plan.isBroker || isActive(image(), plan.id))) &&
    everyPartition(image(), (partition) => partition.leader !== -1 || !hasCandidate(image(), partition)),
  missing: (view) => {
    const leaderless = listPartitions(view.image(), ({ leader }) => leader === -1);
    return `${leaderless}; not up: ${namesOfDown(view)}`;
  },
};

/** Somebody alive who holds everything below the watermark. */
function hasCandidate(image: MetadataImage, { isr, elr, offline }: PartitionImage): boolean {
  return [...isr, ...elr].some((id) => isActive(image, id) && !offline.includes(id));
}

function namesOfDown({ nodes, image }: RecoveryView): string {
  const down = nodes
    .filter(({ isUp, plan }) => !isUp || (plan.isBroker && !isActive(image(), plan.id)))
    .map(({ name, isUp }) => (isUp ? `${name} (fenced)` : name));
  return down.join(', ') || 'none';
}
