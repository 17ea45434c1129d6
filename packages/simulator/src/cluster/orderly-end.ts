/**
 * After all is judged every node stops as an operator would stop it, and nothing that it opened may be left: no call
 * without an answer (53), no file, timer or connection (55).
 */
import { everyCallEnds } from '../invariants/53-every-call-ends.ts';
import { nothingIsLeftOpen } from '../invariants/55-nothing-is-left-open.ts';
import { reach } from '../world/liveness.ts';
import { verdictOf } from '../world/verdict.ts';
import type { ClusterSimulation } from './cluster-simulation.ts';

/** Controlled shutdown waits for leaders to move, which the last nodes cannot. */
const CLOSE_WITHIN_MS = 60_000;
/** What was on its way when a node closed arrives, or is given up: lost packets come again at growing distances. */
const QUIET_AFTER_MS = 20_000;

export async function endInOrder({ world, nodes, rpc }: ClusterSimulation): Promise<void> {
  const closing = new Set(nodes);
  for (const node of nodes) {
    node.closeOnly().then(
      () => closing.delete(node),
      (error: unknown) => world.fail(`invariant 55 nodes-close: ${node.name}: ${String(error)}`, error),
    );
  }
  const late = (): string => [...closing].map(({ name }) => name).join(', ');
  await reach(
    world,
    () => closing.size === 0,
    CLOSE_WITHIN_MS,
    () => `invariant 55 nodes-close: ${late()} do not`,
  );
  await world.run(world.nowMs + QUIET_AFTER_MS);
  everyCallEnds.judge(rpc.openCalls(), true, verdictOf(world, everyCallEnds));
  const violated = verdictOf(world, nothingIsLeftOpen);
  for (const { name, disk, process } of nodes) {
    const closed = {
      name,
      openPaths: disk.openPaths,
      peers: rpc.peersOf(name),
      pendingEvents: world.pendingOf(process.life!),
    };
    nothingIsLeftOpen.judge(closed, violated);
  }
}
