/** As fast as the C client can produce: sizes, partitions, replicas, with the page cache's promise and the disk's. */
import type { Durability, VersusRow } from '../arena.ts';
import { compare, type Figures, inPairs, type Target } from '../comparison.ts';
import { interruptedAfter, rdkafkaProducer } from '../load-tools.ts';
import { measured } from '../slices.ts';
import { bootstrapOf, type SubjectName } from '../subject.ts';
import { rdkafkaDelivery } from '../tool-output.ts';
import { RECORD_SIZES, type RecordSize, replicasText } from './record-size.ts';

const TARGETS: Readonly<Record<Durability, Target>> = {
  'page-cache': { ratio: 1, sense: 'at least' },
  durable: { ratio: 2, sense: 'at least' },
};

interface Shape {
  readonly nodes: 1 | 3;
  readonly size: RecordSize;
  readonly partitions: 1 | 100;
  readonly durability: Durability;
}

function produceRow({ nodes, size, partitions, durability }: Shape): VersusRow {
  const promise = durability === 'durable' ? 'durable, ' : '';
  const prefix = durability === 'durable' ? 'durable' : 'produce';
  return {
    name: `${prefix}-${size.bytes}-${partitions}p-${nodes}r`,
    nodes,
    async run({ tools, pairs: count, sliceMs }, arena) {
      const pairs = await arena.withTopics({ partitions, durability }, async (topics) => {
        const slice = async (side: SubjectName): Promise<Figures> => {
          const subject = arena.subject(side);
          const place = { bootstrap: bootstrapOf(subject), topic: topics[side] };
          const load = { ...place, recordBytes: size.bytes, acks: arena.acks };
          return await measured(subject, async () => {
            const delivery = rdkafkaDelivery(await interruptedAfter(rdkafkaProducer(tools, load), sliceMs));
            if (delivery.failed > 0) throw new Error(`${delivery.failed} records failed on ${side}`);
            return delivery;
          });
        };
        await inPairs(1, slice);
        return await inPairs(count, slice);
      });
      const where = `${partitions} partition${partitions === 1 ? '' : 's'}, ${replicasText(nodes)}`;
      const title = `produce ${size.text}, ${promise}${where}`;
      return [compare(pairs, 'recordsPerS', { title, unit: 'records/s', target: TARGETS[durability] })];
    },
  };
}

export const produceRows: readonly VersusRow[] = ([1, 3] as const).flatMap((nodes) =>
  (['page-cache', 'durable'] as const).flatMap((durability) =>
    RECORD_SIZES.flatMap((size) =>
      ([1, 100] as const).map((partitions) => produceRow({ nodes, size, partitions, durability })),
    ),
  ),
);
