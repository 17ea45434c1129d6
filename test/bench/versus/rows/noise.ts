/** Each side against itself: what differs here is noise, and a smaller difference elsewhere says nothing. */
import type { VersusRow } from '../arena.ts';
import { compare, type Figures, inPairs } from '../comparison.ts';
import { produceSlice } from '../slices.ts';
import type { SubjectName } from '../subject.ts';

const RECORD_BYTES = 1024;

function noiseRow(side: SubjectName): VersusRow {
  return {
    name: `noise-${side.toLowerCase()}`,
    nodes: 1,
    async run(measuring, arena) {
      const pairs = await arena.withTopics({ partitions: 1, durability: 'page-cache' }, async (topics) => {
        const slice = async (): Promise<Figures> =>
          await produceSlice(measuring, arena, side, { topic: topics[side], recordBytes: RECORD_BYTES });
        await slice();
        return await inPairs(measuring.pairs, slice);
      });
      const title = `A/A: ${side} against itself, produce 1 KiB, 1 partition, 1 replica`;
      return [compare(pairs, 'recordsPerS', { title, unit: 'records/s' })];
    },
  };
}

export const noiseRows: readonly VersusRow[] = [noiseRow('Millrace'), noiseRow('Kafka')];
