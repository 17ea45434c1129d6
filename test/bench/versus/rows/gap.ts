/** kill -9 of a partition's leader under a slow steady flow: the longest that a record waited to be acknowledged. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from '../../bench-cluster.ts';
import { sleepMs } from '../../monotonic-clock.ts';
import type { Arena, Measuring, VersusRow } from '../arena.ts';
import { compare, type Figures, inPairs } from '../comparison.ts';
import { interruptedAfter, rdkafkaProducer } from '../load-tools.ts';
import {
  bootstrapOf,
  metadataOf,
  type RunningNode,
  type Subject,
  type SubjectName,
  untilWhole,
} from '../subject.ts';
import { rdkafkaDelivery, rdkafkaLatenciesMs } from '../tool-output.ts';

const RECORD_BYTES = 100;
const RECORDS_PER_S = 200;
/** Killing costs half a minute on the side that notices late. */
const PAIRS_MAX = 3;
const STEADY_MS = 2_000;
/** From the new leader's election to the end of the flow: the client has found it by then. */
const RECOVERY_MS = 6_000;

async function leaderOf(address: string, topic: string): Promise<number> {
  return (await metadataOf(address, topic)).topics[0]!.partitions[0]!.leaderId;
}

/** Waits until another node leads, as one that lives sees it. */
async function untilLedByAnother(subject: Subject, topic: string, killed: RunningNode): Promise<void> {
  const living = subject.nodes.find(({ id }) => id !== killed.id)!;
  await until(`${subject.name} has another leader`, async () => {
    const leader = await leaderOf(living.address, topic);
    return leader >= 0 && leader !== killed.id;
  });
}

async function gapSlice({ tools, folder }: Measuring, arena: Arena, side: SubjectName, topic: string) {
  const subject = arena.subject(side);
  const own = await mkdtemp(join(folder, 'gap-'));
  try {
    const file = join(own, 'us');
    const load = { bootstrap: bootstrapOf(subject), topic, recordBytes: RECORD_BYTES, acks: -1 } as const;
    const more = ['-l', '-A', file];
    await using producer = rdkafkaProducer(tools, { ...load, recordsPerS: RECORDS_PER_S, more });
    await sleepMs(STEADY_MS);
    const leader = await leaderOf(subject.nodes[0]!.address, topic);
    const node = subject.nodes.find(({ id }) => id === leader)!;
    await node.end('SIGKILL');
    await untilLedByAnother(subject, topic, node);
    const { failed } = rdkafkaDelivery(await interruptedAfter(producer, RECOVERY_MS));
    if (failed > 0) throw new Error(`${failed} records failed on ${side}`);
    await node.start();
    await untilWhole(subject, topic);
    const waits = rdkafkaLatenciesMs(await readFile(file, 'utf8'));
    return { gapMs: waits.reduce((longest, wait) => Math.max(longest, wait), 0) };
  } finally {
    await rm(own, { recursive: true, force: true });
  }
}

/** Last in its arena: what it leaves behind has restarted. */
export const gapRow: VersusRow = {
  name: 'gap-3r',
  nodes: 3,
  async run(measuring, arena) {
    const pairs = await arena.withTopics({ partitions: 1, durability: 'page-cache' }, async (topics) => {
      const slice = async (side: SubjectName): Promise<Figures> =>
        await gapSlice(measuring, arena, side, topics[side]);
      return await inPairs(Math.min(measuring.pairs, PAIRS_MAX), slice);
    });
    const title = 'longest wait for an acknowledgement around kill -9 of the leader, 3 replicas, acks=all';
    return [compare(pairs, 'gapMs', { title, unit: 'ms', target: { ratio: 0.3, sense: 'at most' } })];
  },
};
