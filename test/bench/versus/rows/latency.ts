/** End to end at the same fixed rate on both sides, half of what the slower one can: quantiles of every record's way. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { sleepMs } from '../../monotonic-clock.ts';
import { formatNumber } from '../../table.ts';
import type { Arena, Durability, Measuring, VersusRow } from '../arena.ts';
import { compare, type Figures, inPairs, type Target } from '../comparison.ts';
import { interruptedAfter, rdkafkaConsumer, rdkafkaProducer } from '../load-tools.ts';
import { produceSlice, untilWritten } from '../slices.ts';
import { quantile } from '../statistics.ts';
import { bootstrapOf, type SubjectName } from '../subject.ts';
import { rdkafkaLatenciesMs } from '../tool-output.ts';
import { replicasText } from './record-size.ts';

const RECORD_BYTES = 1024;
const RATE_SHARE = 0.5;
/** Above it the one core of the clients, which keep time by spinning, would be what is measured. */
const RATE_MAX = 5_000;
const SETTLE_MS = 700;
const DRAIN_MS = 500;
/** Of the records, at the start of each slice. */
const DROPPED_SHARE = 0.2;
/** Quantiles need more records than a rate does. */
const SLICE_FACTOR = 2;

interface Flow {
  readonly topic: string;
  readonly recordsPerS: number;
}

async function latencySlice(
  measuring: Measuring,
  arena: Arena,
  side: SubjectName,
  { topic, recordsPerS }: Flow,
): Promise<Figures> {
  const { tools, sliceMs, folder } = measuring;
  const place = { bootstrap: bootstrapOf(arena.subject(side)), topic };
  const own = await mkdtemp(join(folder, 'latency-'));
  try {
    await untilWritten(measuring);
    const file = join(own, 'us');
    const more = ['-l', '-A', file];
    await using consumer = rdkafkaConsumer(tools, { ...place, partitions: 1, from: 'end', more });
    await sleepMs(SETTLE_MS);
    const load = { ...place, recordBytes: RECORD_BYTES, acks: arena.acks, recordsPerS };
    await using producer = rdkafkaProducer(tools, { ...load, more: ['-l'] });
    await interruptedAfter(producer, sliceMs * SLICE_FACTOR);
    await interruptedAfter(consumer, DRAIN_MS);
    const all = rdkafkaLatenciesMs(await readFile(file, 'utf8'));
    const counted = all.slice(Math.floor(all.length * DROPPED_SHARE));
    if (counted.length === 0) throw new Error(`no record came through on ${side}`);
    return {
      p50Ms: quantile(counted, 0.5),
      p99Ms: quantile(counted, 0.99),
      p999Ms: quantile(counted, 0.999),
    };
  } finally {
    await rm(own, { recursive: true, force: true });
  }
}

function latencyRow(nodes: 1 | 3, durability: Durability): VersusRow {
  return {
    name: `latency-${durability === 'durable' ? 'durable-' : ''}${nodes}r`,
    nodes,
    async run(measuring, arena) {
      let rate = 0;
      const pairs = await arena.withTopics({ partitions: 1, durability }, async (topics) => {
        const fastest = async (side: SubjectName): Promise<number> =>
          (await produceSlice(measuring, arena, side, { topic: topics[side], recordBytes: RECORD_BYTES }))
            .recordsPerS!;
        const slower = Math.min(await fastest('Millrace'), await fastest('Kafka'));
        rate = Math.floor(Math.min(slower * RATE_SHARE, RATE_MAX));
        const slice = async (side: SubjectName): Promise<Figures> =>
          await latencySlice(measuring, arena, side, { topic: topics[side], recordsPerS: rate });
        await inPairs(1, slice);
        return await inPairs(measuring.pairs, slice);
      });
      const promise = durability === 'durable' ? 'durable, ' : '';
      const what = `1 KiB, 1 partition, ${promise}${replicasText(nodes)}, ${formatNumber(rate)} records/s`;
      const line = (name: string, quantileText: string, target?: Target) =>
        compare(pairs, name, {
          title: `end-to-end ${quantileText}, ${what}`,
          unit: 'ms',
          ...(target ? { target } : {}),
        });
      return [
        line('p50Ms', 'p50'),
        line('p99Ms', 'p99', { ratio: 1, sense: 'at most' }),
        line('p999Ms', 'p99.9'),
      ];
    },
  };
}

export const latencyRows: readonly VersusRow[] = ([1, 3] as const).flatMap((nodes) =>
  (['page-cache', 'durable'] as const).map((durability) => latencyRow(nodes, durability)),
);
