/** As fast as the C client can read what is in the page cache. */
import type { Arena, Measuring, VersusRow } from '../arena.ts';
import { compare, type Figures, inPairs } from '../comparison.ts';
import { rdkafkaConsumer, rdkafkaProducer } from '../load-tools.ts';
import { measured } from '../slices.ts';
import { bootstrapOf, type SubjectName } from '../subject.ts';
import { rdkafkaConsumption } from '../tool-output.ts';
import { RECORD_SIZES, type RecordSize } from './record-size.ts';

/** So that a slice lasts about as long as it should. */
const RECORDS_PER_S = { 100: 2_000_000, 1024: 400_000 } as const;

/** So many records in both topics, each acknowledged by every replica. */
export async function fill(
  { tools }: Measuring,
  arena: Arena,
  topics: Readonly<Record<SubjectName, string>>,
  load: { readonly recordBytes: number; readonly records: number },
): Promise<void> {
  for (const side of ['Millrace', 'Kafka'] as const) {
    const place = { bootstrap: bootstrapOf(arena.subject(side)), topic: topics[side] };
    await rdkafkaProducer(tools, { ...place, ...load, acks: -1 }).output.catch((error: unknown) => {
      throw new Error(`filling ${topics[side]} on ${side}: ${String(error)}`);
    });
  }
}

function consumeRow(nodes: 1 | 3, size: RecordSize, partitions: 1 | 100): VersusRow {
  return {
    name: `consume-${size.bytes}-${partitions}p-${nodes}r`,
    nodes,
    async run(measuring, arena) {
      const records = Math.round((RECORDS_PER_S[size.bytes] * measuring.sliceMs) / 1_000);
      const topic = { partitions, durability: 'page-cache' } as const;
      const pairs = await arena.withTopics(topic, async (topics) => {
        await fill(measuring, arena, topics, { recordBytes: size.bytes, records });
        const slice = async (side: SubjectName): Promise<Figures> => {
          const subject = arena.subject(side);
          const place = { bootstrap: bootstrapOf(subject), topic: topics[side], partitions };
          return await measured(measuring, subject, async () => {
            const consumer = rdkafkaConsumer(measuring.tools, { ...place, from: 'beginning', records });
            return rdkafkaConsumption(await consumer.output);
          });
        };
        await inPairs(1, slice);
        return await inPairs(measuring.pairs, slice);
      });
      const where = `${partitions} partition${partitions === 1 ? '' : 's'}`;
      const title = `consume ${size.text} from page cache, ${where}, ${nodes} replica${nodes === 1 ? '' : 's'}`;
      return [
        compare(pairs, 'recordsPerS', { title, unit: 'records/s', target: { ratio: 1, sense: 'at least' } }),
      ];
    },
  };
}

export const consumeRows: readonly VersusRow[] = ([1, 3] as const).flatMap((nodes) =>
  RECORD_SIZES.flatMap((size) =>
    (nodes === 1 ? ([1, 100] as const) : ([1] as const)).map((partitions) =>
      consumeRow(nodes, size, partitions),
    ),
  ),
);
