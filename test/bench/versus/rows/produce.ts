/** As fast as the C client can produce: sizes, partitions, replicas, with the page cache's promise and the disk's. */
import type { Durability, VersusRow } from '../arena.ts';
import { compare, type Figures, inPairs, type Target } from '../comparison.ts';
import { produceSlice } from '../slices.ts';
import type { SubjectName } from '../subject.ts';
import { RECORD_SIZES, type RecordSize, replicasText } from './record-size.ts';

const TARGETS: Readonly<Record<Durability, Target>> = {
  'page-cache': { ratio: 1, sense: 'at least' },
  durable: { ratio: 2, sense: 'at least' },
};

/** Three hundred logs take longer to come into being than one. */
const MANY_WARMUP_SLICES = 3;

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
    async run(measuring, arena) {
      const pairs = await arena.withTopics({ partitions, durability }, async (topics) => {
        const slice = async (side: SubjectName): Promise<Figures> =>
          await produceSlice(measuring, arena, side, { topic: topics[side], recordBytes: size.bytes });
        await inPairs(partitions === 1 ? 1 : MANY_WARMUP_SLICES, slice);
        return await inPairs(measuring.pairs, slice);
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
      ([1, 100] as const)
        .filter((partitions) => durability === 'page-cache' || partitions === 1 || size.bytes === 1024)
        .map((partitions) => produceRow({ nodes, size, partitions, durability })),
    ),
  ),
);
