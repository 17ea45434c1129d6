/**
 * Real processes under real faults: producers and consumers go on while nodes are killed, paused, cut off, slowed down
 * and robbed of their disks; then everything heals, and the clients' own history is judged. A group of consumers commits what
 * it has finished with: it must skip nothing, and find what was acknowledged.
 *
 * CHAOS_SECONDS (60), CHAOS_RUNS (3), CHAOS_SEED (of the date; printed), CHAOS_FAULTS (names, separated by commas): see
 * test/README.md.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Millrace } from '@millrace/client';
import { below, SeededRandom, shuffled } from '@millrace/core';
import { ANOMALIES, findAnomalies } from '@millrace/simulator';
import { afterEach, expect, test } from 'vitest';
import { ChaosClients } from './chaos-clients.ts';
import { ChaosCluster } from './chaos-cluster.ts';
import { CHAOS_FAULTS, type ChaosFault } from './chaos-faults.ts';
import { ChaosGroup } from './chaos-group.ts';
import { chaosOptions } from './chaos-options.ts';

const OPTIONS = chaosOptions(process.env, Date.now());

const TOPIC = 'chaos';
const PARTITIONS = 6;
const FAULT_MIN_MS = 1_000;
const FAULT_SPREAD_MS = 4_000;
const CALM_MIN_MS = 500;
const CALM_SPREAD_MS = 3_000;
const RECOVERY_MAX_MS = 90_000;
const SHOWN_ANOMALIES_MAX = 20;
/** What all runs together must have acknowledged; they reach about twice as many. */
const ACKNOWLEDGED_LEAST = 100_000;

let running: ChaosCluster | undefined;
let acknowledged = 0;

// A test that ran out of time goes on by itself: its cluster must not.
afterEach(() => running?.close());

function say(text: string): void {
  process.stderr.write(`  chaos: ${text}\n`);
}

/** A subset, so that some runs are free of each kind of fault: a swarm finds more than the same mixture every time. */
function faultsOf(cluster: ChaosCluster, random: SeededRandom): ChaosFault[] {
  const possible = CHAOS_FAULTS.filter((fault) => {
    const reason = fault.unavailable(cluster);
    if (reason !== undefined) say(`without ${fault.name}: ${reason}`);
    return reason === undefined && (OPTIONS.faults?.includes(fault.name) ?? true);
  });
  if (OPTIONS.faults !== undefined) return possible;
  return shuffled(random, possible).slice(0, Math.ceil(possible.length / 2) + 1);
}

async function suffer(cluster: ChaosCluster, random: SeededRandom): Promise<void> {
  const faults = faultsOf(cluster, random);
  say(`faults: ${faults.map(({ name }) => name).join(', ')}`);
  if (faults.length === 0) throw new Error('none of the faults that were asked for can happen here');
  const endsAtMs = performance.now() + OPTIONS.seconds * 1_000;
  while (performance.now() < endsAtMs && !cluster.isClosed) {
    await sleep(CALM_MIN_MS + below(random, CALM_SPREAD_MS));
    const fault = await faults[below(random, faults.length)]!.begin(cluster, random);
    const lastsMs = FAULT_MIN_MS + below(random, FAULT_SPREAD_MS);
    say(`${fault.text}, for ${lastsMs} ms`);
    await sleep(lastsMs);
    await fault.heal();
  }
}

test.each(Array.from({ length: OPTIONS.runs }, (_, run) => OPTIONS.seed + run))(
  'seed %i: after all faults every acknowledged record is there once and in order, and a group has skipped none',
  async (seed) => {
    await using cluster = await ChaosCluster.start();
    running = cluster;
    const { bootstrap } = cluster;
    await using millrace = new Millrace({ bootstrap });
    await millrace.admin().createTopic({ name: TOPIC, partitions: PARTITIONS, replicationFactor: 3 });
    const clients = new ChaosClients({
      bootstrap,
      topic: TOPIC,
      partitions: PARTITIONS,
      producers: 3,
      consumers: 2,
      recordsPerSecond: 1_500,
    });
    const group = new ChaosGroup({ bootstrap, topic: TOPIC, partitions: PARTITIONS, members: 3 });
    clients.start();
    group.start();
    await suffer(cluster, new SeededRandom(seed));

    group.calmDown();
    await clients.stopProducing();
    await expect.poll(() => cluster.isHealthy(), { timeout: RECOVERY_MAX_MS, interval: 1_000 }).toBe(true);
    await expect.poll(() => group.isSettled(), { timeout: RECOVERY_MAX_MS, interval: 1_000 }).toBe(true);
    const read = await clients.readToEnd();
    const groupFaults = await group.judge(clients.history);
    await Promise.all([clients.stopConsuming(), group.stop()]);

    const { history, errors } = clients;
    const anomalies = findAnomalies(history, { isReadToEnd: true });
    const counts = ANOMALIES.map(
      (kind) => `${anomalies.filter((each) => each.kind === kind).length} ${kind}`,
    );
    say(
      `seed ${seed}: ${history.sent.length} sent, ${history.acknowledged} acknowledged, ${read} read at the end, ` +
        `${history.polled.length} polls; errors told: ${JSON.stringify(Object.fromEntries(errors))}`,
    );
    say(`seed ${seed}: ${counts.join(', ')}`);
    const told = JSON.stringify(Object.fromEntries(group.errors));
    say(`seed ${seed}: ${group.commits} commits of a group; errors told: ${told}`);
    expect(groupFaults).toEqual([]);
    expect(group.commits).toBeGreaterThan(0);
    expect(anomalies.slice(0, SHOWN_ANOMALIES_MAX)).toEqual([]);
    expect(history.acknowledged).toBeGreaterThan(0);
    acknowledged += history.acknowledged;
  },
  (OPTIONS.seconds + 330) * 1_000,
);

test.runIf(OPTIONS.isFull)(`all runs together acknowledged ${ACKNOWLEDGED_LEAST} records or more`, () => {
  say(`${acknowledged} acknowledged in all runs`);
  expect(acknowledged).toBeGreaterThanOrEqual(ACKNOWLEDGED_LEAST);
});
