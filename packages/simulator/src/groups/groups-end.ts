/**
 * What must follow for groups once the faults are over: they come to rest with nothing left to read (61), and what they have
 * committed is read back and judged.
 */
import type { Admin, GroupLag } from '@millrace/client';
import { formatTopicPartition, sleep, type TopicPartition } from '@millrace/core';
import { codeOf } from '../cluster/client-crew.ts';
import type { ClusterSimulation } from '../cluster/cluster-simulation.ts';
import { reach } from '../world/liveness.ts';
import type { GroupPlan } from './group-plan.ts';

const LOOK_EVERY_MS = 500;
const CALL_MS = 5_000;
/** A coordinator is found and has loaded; what was fetched and not handled yet is. */
const SLACK_MS = 30_000;

/** Invariant 61: the groups are stable, all their members are there, and their lag is 0. */
export async function groupsMustSettle(simulation: ClusterSimulation): Promise<void> {
  const { world, groups } = simulation;
  if (groups === undefined) return;
  const { sessionTimeoutMs, rebalanceTimeoutMs, maxPollIntervalMs } = groups.plan;
  let missing = 'nobody was asked';
  await inProcess(simulation, 'group-operator', async (admin, pause) => {
    for (;;) {
      missing = await unsettled(simulation, admin);
      if (missing === '') return;
      await pause();
    }
  }).withinOr(sessionTimeoutMs + rebalanceTimeoutMs + 2 * maxPollIntervalMs + SLACK_MS, () =>
    world.fail(`invariant 61 groups-settle: ${missing}`),
  );
}

/** Invariants 48 and 61, from what clients read. After the last reader. */
export async function judgeGroups(simulation: ClusterSimulation): Promise<void> {
  const { groups, crew, world } = simulation;
  if (groups === undefined) return;
  const readable = new Map<string, number[]>();
  for (const { consumer, partition, records } of crew.history.polled) {
    if (consumer !== 'reader') continue;
    const offsets = readable.get(partition) ?? [];
    readable.set(partition, offsets);
    // Replicas let go of old records each by itself: a member may have met any of their starts.
    const start = crew.history.logStart(partition);
    for (const { offset } of records) if (offset >= start) offsets.push(offset);
  }
  await inProcess(simulation, 'group-reader', async (admin) => {
    for (const { groupId, topics } of groups.plan.groups) {
      const asked = partitionsOf(simulation, topics);
      const found = await admin.groupOffsets(groupId, asked, { timeoutMs: CALL_MS });
      const committed = new Map(
        found.map((each) => [formatTopicPartition(each), Number(each.offset ?? -1n)] as const),
      );
      const own = new Map([...readable].filter(([partition]) => committed.has(partition)));
      groups.watch.ended({ groupId, committed, readable: own });
    }
  }).withinOr(SLACK_MS, () =>
    world.fail('invariant 48 acknowledged-commits-are-read-back: they cannot be read'),
  );
  groups.stop();
}

/** @returns what is left to be done; empty for nothing. */
async function unsettled(simulation: ClusterSimulation, admin: Admin): Promise<string> {
  const plans = simulation.groups!.plan.groups;
  try {
    for (const plan of plans) {
      const [info] = await admin.describeGroups([plan.groupId], { timeoutMs: CALL_MS });
      const { state, members } = info!;
      const wanted = plan.members + (plan.classic?.count ?? 0);
      if (state !== 'Stable' || members.length !== wanted) {
        return `${plan.groupId} is ${state} with ${members.length} of ${wanted} members`;
      }
      const behind = await behindOf(simulation, admin, plan);
      if (behind !== undefined) return behind;
    }
    return '';
  } catch (error) {
    return codeOf(error);
  }
}

async function behindOf(
  simulation: ClusterSimulation,
  admin: Admin,
  { groupId, topics }: GroupPlan,
): Promise<string | undefined> {
  const lags = await admin.groupLag(groupId, partitionsOf(simulation, topics), { timeoutMs: CALL_MS });
  const behind = lags.find((lag) => left(lag) !== 0);
  return behind && `${groupId} has ${left(behind)} records of ${formatTopicPartition(behind)} left`;
}

/** Offsets that can still be read, and were not committed. */
function left({ committed, logStart, logEnd }: GroupLag): number {
  const from = Math.max(Number(committed ?? 0n), Number(logStart ?? 0n));
  return logEnd === null ? Number.POSITIVE_INFINITY : Math.max(0, Number(logEnd) - from);
}

function partitionsOf({ layout }: ClusterSimulation, topics: readonly string[]): TopicPartition[] {
  return layout.topics
    .filter(({ name }) => topics.includes(name))
    .flatMap(({ name: topic, partitions }) =>
      Array.from({ length: partitions }, (_, partition) => ({ topic, partition })),
    );
}

/** Something that an operator does, in a process of its own. */
function inProcess(
  { world, crew }: ClusterSimulation,
  name: string,
  work: (admin: Admin, pause: () => Promise<void>) => Promise<void>,
): { withinOr(limitMs: number, late: () => never): Promise<void> } {
  let isDone = false;
  const process = world.process(name);
  process.start(async (life) => {
    const millrace = crew.millrace(life);
    await work(millrace.admin(), () => sleep(life.clock, LOOK_EVERY_MS));
    isDone = true;
  });
  return {
    withinOr: async (limitMs, late) => {
      await reach(
        world,
        () => isDone,
        limitMs,
        () => late(),
      );
      process.kill();
    },
  };
}
