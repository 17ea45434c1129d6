/** What must follow once the faults are over, each within its bound of virtual time: invariants 57 to 60, and 62 for what need not. */
import { leaderAfterHealing } from '../invariants/57-leader-after-healing.ts';
import { partitionsHaveLeaders } from '../invariants/58-partitions-have-leaders.ts';
import { replicasAreInSync } from '../invariants/59-replicas-are-in-sync.ts';
import { allCallsEnd } from '../invariants/60-all-clients-finish.ts';
import { lossesAreExplained } from '../invariants/62-losses-are-explained.ts';
import { mustComeTrue } from '../world/liveness.ts';
import { verdictOf } from '../world/verdict.ts';
import type { ClusterSimulation } from './cluster-simulation.ts';
import type { RecoveryView } from './recovery-view.ts';

/** Processes start and read their disks. */
const BOOT_MS = 3_000;
/** A connection that lost packets before the healing sends them again at growing distances, as TCP does. */
const RETRANSMIT_MS = 13_000;

export async function mustRecover(simulation: ClusterSimulation): Promise<void> {
  const { world, layout, nodes, witness, faults, crew, plan } = simulation;
  const { fetchTimeoutMs, electionTimeoutMs, sessionTimeoutMs } = layout;
  const connectMs = BOOT_MS + (plan.has('loss') ? RETRANSMIT_MS : 0);
  const view: RecoveryView = {
    layout,
    nodes,
    connectMs,
    image: () => witness.image,
    openCalls: () => crew.open,
  };
  const quorum = {
    fetchTimeoutMs,
    electionTimeoutMs,
    connectMs,
    isLed: () => nodes.some(({ node }) => node?.controller?.isActive() === true),
  };
  world.note('', 'healed');
  await faults.restartHurt(world.nowMs + leaderAfterHealing.boundMs(quorum) + sessionTimeoutMs);
  await mustComeTrue(world, leaderAfterHealing, quorum);
  await mustComeTrue(world, partitionsHaveLeaders, view);
  lossesAreExplained.judge(view, verdictOf(world, lossesAreExplained));
  await mustComeTrue(world, replicasAreInSync, view);
  await mustComeTrue(world, allCallsEnd, view);
}
