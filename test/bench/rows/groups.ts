/** What consumer groups cost the node that coordinates them all: members, their heartbeats, and commits. */
import { BenchCluster } from '../bench-cluster.ts';
import { runJob } from '../client/bench-client.ts';
import type { CommitJob, MembersResult } from '../client/job.ts';
import { sleepMs } from '../monotonic-clock.ts';
import { memoryOf, type ProcessFigure, type UsageReport, UsageWatch } from '../process-usage.ts';
import type { Bench, Row, RowResult } from '../row.ts';

const GROUPS = 100;
const QUICK_GROUPS = 10;
const MEMBERS_PER_GROUP = 10;
const TOPICS = 10;
const PARTITIONS_PER_TOPIC = 100;
const PARTITIONS = TOPICS * PARTITIONS_PER_TOPIC;
const HEARTBEATS_PER_S = 1_000;
const COMMITS_PER_S = 10_000;
/** Of what is reached as fast as possible, if that is less than the target. */
const SUSTAINED_SHARE = 0.8;
const IDLE_MS = 3_000;
/** One partition of offsets: one node coordinates everything and can be measured alone. */
const PROPERTIES = { 'offsets.topic.num.partitions': '1' };
/** A commit makes the topic of offsets. */
const FIRST_GROUP = 'first';

const names = Array.from({ length: TOPICS }, (_, index) => `topic-${index}`);

function coordinatorIn({ processes }: UsageReport, role: string): ProcessFigure {
  return processes.find((process) => process.role === role)!;
}

async function prepare(cluster: BenchCluster): Promise<string> {
  await cluster.admin.createTopics(
    names.map((name) => ({ name, partitions: PARTITIONS_PER_TOPIC, replicationFactor: 1 })),
  );
  await cluster.admin.alterGroupOffsets(FIRST_GROUP, [{ topic: names[0]!, partition: 0, offset: 0 }]);
  await cluster.untilInSync([...names, '__consumer_offsets']);
  await cluster.settled();
  return `node ${await cluster.leaderOf('__consumer_offsets')}`;
}

async function measureMembers(bench: Bench, cluster: BenchCluster, role: string): Promise<RowResult[]> {
  const groups = bench.quick ? QUICK_GROUPS : GROUPS;
  const pid = cluster.servers.get(role)!;
  const idle = new UsageWatch(cluster.servers);
  await sleepMs(IDLE_MS);
  const idleFigure = idle.end();
  const idleShare = coordinatorIn(idleFigure, role).cpuS / idleFigure.elapsedS;
  const before = memoryOf(pid);
  const { result, usage } = await runJob(
    {
      kind: 'members',
      bootstrap: cluster.bootstrap,
      groups,
      membersPerGroup: MEMBERS_PER_GROUP,
      topics: names,
      partitions: PARTITIONS,
      heartbeatsPerS: HEARTBEATS_PER_S,
      measureMs: bench.measureMs,
    },
    cluster.servers,
  );
  const listed = await cluster.admin.listGroups({ states: ['Stable'] });
  const members = groups * MEMBERS_PER_GROUP;
  const about = `${members} members in ${groups} groups, each of all ${PARTITIONS} partitions`;
  const coordinator = coordinatorIn(usage, role);
  return [
    {
      title: `groups: ${about}: all join at once, until stable`,
      figure: { value: result.stableMs, unit: 'ms' },
      reach: { text: `${groups} groups are Stable`, met: listed.length === groups },
      details: {
        'heartbeats until then': result.stableBeats,
        'coordinator MB before': before.rssBytes / 1e6,
        'coordinator MB with them': coordinator.rssBytes / 1e6,
        'KB per member': (coordinator.rssBytes - before.rssBytes) / 1e3 / members,
      },
    },
    heartbeatRow(result, usage, coordinator, idleShare),
  ];
}

function heartbeatRow(
  { heartbeats, elapsedMs, latency }: MembersResult,
  usage: UsageReport,
  coordinator: ProcessFigure,
  idleShare: number,
): RowResult {
  return {
    title: `groups: coordinator's node for 1,000 heartbeats, ${HEARTBEATS_PER_S} a second`,
    figure: { value: (coordinator.cpuS / heartbeats) * 1e6, unit: 'ms of CPU' },
    details: {
      'heartbeats/s': (heartbeats / elapsedMs) * 1000,
      'without what it uses at idle ms': ((coordinator.cpuS - idleShare * usage.elapsedS) / heartbeats) * 1e6,
      'idle % of a core': idleShare * 100,
      'p50 ms': latency.p50Ms,
      'p99 ms': latency.p99Ms,
      'max ms': latency.maxMs,
    },
    usage,
    records: heartbeats,
  };
}

async function measureCommits(bench: Bench, cluster: BenchCluster): Promise<RowResult[]> {
  const job: CommitJob = {
    kind: 'commits',
    bootstrap: cluster.bootstrap,
    groups: GROUPS,
    topic: names[0]!,
    partitions: PARTITIONS_PER_TOPIC,
    commitsPerS: undefined,
    warmupMs: bench.warmupMs,
    measureMs: bench.measureMs,
  };
  const fastest = await commitRow(job, cluster, 'as fast as they are answered, 500 in flight');
  const sustained = Math.min(COMMITS_PER_S, Math.round(fastest.figure.value * SUSTAINED_SHARE));
  return [
    fastest,
    await commitRow({ ...job, commitsPerS: sustained }, cluster, `${sustained} a second on a schedule`),
  ];
}

async function commitRow(job: CommitJob, cluster: BenchCluster, how: string): Promise<RowResult> {
  const { result, usage } = await runJob(job, cluster.servers);
  const { commits, failed, elapsedMs, latency } = result;
  const perS = (commits / elapsedMs) * 1000;
  return {
    title: `groups: commits of one offset each, ${job.groups} groups, 3 replicas, ${how}`,
    figure: { value: perS, unit: 'commits/s' },
    reach: { text: `${COMMITS_PER_S} commits/s`, met: perS >= COMMITS_PER_S * 0.99 && failed === 0 },
    details: {
      'p50 ms': latency.p50Ms,
      'p99 ms': latency.p99Ms,
      'p99.9 ms': latency.p999Ms,
      'max ms': latency.maxMs,
      refused: failed,
    },
    usage,
    records: commits,
  };
}

async function measure(bench: Bench): Promise<readonly RowResult[]> {
  return await BenchCluster.run(
    bench,
    3,
    async (cluster) => {
      const role = await prepare(cluster);
      const members = await measureMembers(bench, cluster, role);
      return [...members, ...(await measureCommits(bench, cluster))];
    },
    PROPERTIES,
  );
}

export const groupsRow: Row = { name: 'groups', run: measure };
