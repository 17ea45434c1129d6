/** What a producer notices when the process that leads its partition is gone from one moment to the next. */
import type { NodeId } from '@millrace/core';
import { BenchCluster } from '../bench-cluster.ts';
import { BenchClient } from '../client/bench-client.ts';
import { median } from '../histogram.ts';
import { monotonicMs, sleepMs } from '../monotonic-clock.ts';
import type { Bench, Row, RowResult } from '../row.ts';

const KILLS = 10;
const QUICK_KILLS = 2;
const INTERVAL_MS = 2;
/** Time for trouble to show before the killed node returns. */
const WATCH_MS = 4_000;
const SETTLE_MS = 1_500;
const OUTAGE_MAX_MS = 60_000;

interface Kill {
  readonly gapMs: number;
  /** The longest gap while the killed node returned and caught up. */
  readonly returnGapMs: number;
  readonly ledMetadata: boolean;
}

async function untilAcknowledged(client: BenchClient<'steady'>, sinceMs: number): Promise<number> {
  for (;;) {
    await sleepMs(WATCH_MS);
    const { gapMs, acksAfter } = await client.ackGap(sinceMs);
    if (acksAfter > 0) return gapMs;
    if (monotonicMs() - sinceMs > OUTAGE_MAX_MS) throw new Error('no acknowledgement for a minute');
  }
}

async function killOnce(cluster: BenchCluster, client: BenchClient<'steady'>): Promise<Kill> {
  const leader: NodeId = await cluster.leaderOf('bench');
  const ledMetadata = (await cluster.admin.describeCluster()).controllerId === leader;
  const node = cluster.processes.node(leader);
  const killedMs = monotonicMs();
  await node.end('SIGKILL');
  const gapMs = await untilAcknowledged(client, killedMs);
  const returnedMs = monotonicMs();
  await node.start();
  await cluster.untilInSync(['bench']);
  await sleepMs(SETTLE_MS);
  const { gapMs: returnGapMs } = await client.ackGap(returnedMs);
  return { gapMs, returnGapMs, ledMetadata };
}

async function measure(bench: Bench): Promise<RowResult> {
  const kills: Kill[] = [];
  let healthyGapMs = 0;
  const { result, usage } = await BenchCluster.run(bench, 3, async (cluster) => {
    await cluster.createTopic({ name: 'bench', partitions: 1, replicationFactor: 3 });
    const job = { kind: 'steady', topic: 'bench', recordBytes: 100, intervalMs: INTERVAL_MS } as const;
    const client = BenchClient.start({ ...job, bootstrap: cluster.bootstrap }, new Map());
    await client.begun;
    await sleepMs(SETTLE_MS);
    const healthyMs = monotonicMs();
    await sleepMs(SETTLE_MS);
    healthyGapMs = (await client.ackGap(healthyMs)).gapMs;
    for (let count = bench.quick ? QUICK_KILLS : KILLS; count > 0; count--) {
      const kill = await killOnce(cluster, client);
      kills.push(kill);
      bench.say(
        `kill ${kills.length}: ${kill.gapMs.toFixed(0)} ms${kill.ledMetadata ? ' (it led the metadata quorum too)' : ''}`,
      );
    }
    client.stop();
    return await client.done();
  });
  const gapsMs = kills.map(({ gapMs }) => gapMs);
  const [middleMs, longestMs] = [median(gapsMs), Math.max(...gapsMs)];
  return {
    title: `kill -9 of a leader ${kills.length} times: median gap without acks`,
    figure: { value: middleMs, unit: 'ms' },
    floor: { name: 'longest gap without faults', value: healthyGapMs, unit: 'ms' },
    reach: {
      text: `median 1,000 ms, none over 3,000 (max ${longestMs.toFixed(0)})`,
      met: middleMs <= 1000 && longestMs <= 3000 && result.missing === 0,
    },
    details: {
      'max ms': longestMs,
      'gaps ms': gapsMs.map((gap) => gap.toFixed(0)).join(' '),
      'of them led metadata': kills.map(({ ledMetadata }) => (ledMetadata ? 'y' : 'n')).join(''),
      'return max ms': Math.max(...kills.map(({ returnGapMs }) => returnGapMs)),
      ...result,
    },
    usage,
  };
}

export const killLeaderRow: Row = {
  name: 'kill-leader',
  run: async (bench) => [await measure(bench)],
};
