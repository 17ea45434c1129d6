/** Everyone who depends on who leads is told of each change, by the quorum and by the controller on it. */
import { expect, test } from 'vitest';
import { ControllerScenario } from './testing/controller-scenario.ts';
import { QuorumCluster } from './testing/quorum-cluster.ts';

test('every node is told of each leader it learns of, and that it lost it', async () => {
  const cluster = await QuorumCluster.start(3);
  const leader = await cluster.electLeader();
  const first = leader.status().nodeId;
  await cluster.runUntil(() => cluster.members.every(({ leaders }) => leaders.at(-1) === first));
  await cluster.kill(first);
  const others = cluster.members.filter(({ id }) => id !== first);
  const second = (): number | undefined => others.find(({ quorum }) => quorum?.isLeader())?.id;
  await cluster.runUntil(() => second() !== undefined);
  await cluster.runUntil(() => others.every(({ leaders }) => leaders.at(-1) === second()));
  for (const { leaders } of others) expect(leaders).toEqual([first, undefined, second()]);
  await cluster.close();
});

test('a controller tells when it becomes active, when it is not any more, and when it closes', async () => {
  const { controller, quorum } = await ControllerScenario.start();
  const seen: boolean[] = [];
  const unsubscribe = controller.onLeaderChange(() => seen.push(controller.isActive()));
  quorum.elect();
  expect(seen.at(-1)).toBe(true);
  quorum.lose();
  expect(seen.at(-1)).toBe(false);
  quorum.elect();
  expect(seen.at(-1)).toBe(true);
  await controller.close();
  expect(seen.at(-1)).toBe(false);
  unsubscribe();
});
