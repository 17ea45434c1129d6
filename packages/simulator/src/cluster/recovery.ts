/** What must follow once the faults are over, each within its bound of virtual time: invariants 57 to 60, and 62 for what need not. */
import { isActive, type MetadataImage, type PartitionImage, partitionsOf } from '@millrace/metadata';
import type { ClusterSimulation } from './cluster-simulation.ts';
import { reach } from './cluster-simulation.ts';

/** Processes start and read their disks. */
const BOOT_MS = 3_000;
/** A connection that lost packets before the healing sends them again at growing distances, as TCP does. */
const RETRANSMIT_MS = 13_000;
const ISR_WITHIN_MS = 30_000;
/** The longest delivery timeout of a producer, and the longest call. */
const CLIENTS_WITHIN_MS = 60_000;

export async function mustRecover(simulation: ClusterSimulation): Promise<void> {
  const { world, layout, nodes, witness, faults, crew } = simulation;
  const { fetchTimeoutMs, electionTimeoutMs, sessionTimeoutMs } = layout;
  const connectMs = BOOT_MS + (simulation.plan.has('loss') ? RETRANSMIT_MS : 0);
  world.note('', 'healed');
  const leaderMs = connectMs + 2 * (fetchTimeoutMs + electionTimeoutMs);
  await faults.restartHurt(world.nowMs + leaderMs + sessionTimeoutMs);
  const leads = (): boolean => nodes.some(({ node }) => node?.controller?.isActive() === true);
  await reach(world, leads, leaderMs, 'invariant 57 leader-after-healing: no controller leads');
  const areUp = (): boolean =>
    nodes.every(({ isUp, plan }) => isUp && (!plan.isBroker || isActive(witness.image, plan.id)));
  const led = (partition: PartitionImage): boolean =>
    partition.leader !== -1 || !hasCandidate(witness.image, partition);
  // A broker that comes back may have to wait until its former life is over.
  await reach(
    world,
    () => areUp() && every(witness.image, led),
    connectMs + 2 * sessionTimeoutMs + 2_000,
    () => {
      const leaderless = list(simulation, ({ leader }) => leader === -1);
      return `invariant 58 partitions-have-leaders: ${leaderless}; not up: ${namesOfDown(simulation)}`;
    },
  );
  const lost = list(simulation, ({ leader, topicId }) => leader === -1 && isStrict(simulation, topicId));
  if (lost !== '')
    world.fail(`invariant 62 losses-are-explained: the faults leave a copy, yet nobody may lead ${lost}`);
  const inSync = ({ isr, replicas, leader }: PartitionImage): boolean =>
    leader === -1 || isr.length === replicas.length;
  await reach(
    world,
    () => every(witness.image, inSync) && nodes.every(({ isUp }) => isUp),
    ISR_WITHIN_MS,
    () => {
      const down = nodes.filter(({ isUp }) => !isUp).map(({ name }) => name);
      const missing = list(simulation, (partition) => !inSync(partition));
      return `invariant 59 replicas-are-in-sync: ${missing}; not up: ${down.join(', ') || 'none'}`;
    },
  );
  await reach(
    world,
    () => crew.open === 0,
    CLIENTS_WITHIN_MS,
    () => {
      return `invariant 60 all-clients-finish: ${crew.open} calls without an answer`;
    },
  );
}

function namesOfDown({ nodes, witness }: ClusterSimulation): string {
  const down = nodes
    .filter(({ isUp, plan }) => !isUp || (plan.isBroker && !isActive(witness.image, plan.id)))
    .map(({ name, isUp }) => (isUp ? `${name} (fenced)` : name));
  return down.join(', ') || 'none';
}

/** Somebody alive who holds everything below the watermark. */
function hasCandidate(image: MetadataImage, { isr, elr, offline }: PartitionImage): boolean {
  return [...isr, ...elr].some((id) => isActive(image, id) && !offline.includes(id));
}

function isStrict({ witness, layout }: ClusterSimulation, topicId: string): boolean {
  const name = witness.image.topics.get(topicId)?.name;
  return [...layout.topics, ...(layout.internalTopics ?? [])].some(
    (topic) => topic.name === name && topic.isStrict,
  );
}

function every(image: MetadataImage, holds: (partition: PartitionImage) => boolean): boolean {
  for (const partition of partitionsOf(image)) if (!holds(partition)) return false;
  return true;
}

function list({ witness }: ClusterSimulation, isMeant: (partition: PartitionImage) => boolean): string {
  const texts: string[] = [];
  for (const { name, partitions } of witness.image.topics.values()) {
    for (const partition of partitions) {
      if (!isMeant(partition)) continue;
      const { partition: index, leader, isr, elr, lastKnownElr, offline, replicas } = partition;
      texts.push(
        `${name}-${index} (leader ${leader}, ISR [${isr}], ELR [${elr}], last known [${lastKnownElr}], offline [${offline}], replicas [${replicas}])`,
      );
    }
  }
  return texts.join('; ');
}
