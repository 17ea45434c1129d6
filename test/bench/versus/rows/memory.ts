/** Resident memory of all servers after the same load; whoever ran other rows before has them behind it too. */
import { sleepMs } from '../../monotonic-clock.ts';
import { memoryOf } from '../../process-usage.ts';
import type { VersusRow } from '../arena.ts';
import { compare, type Figures, inPairs } from '../comparison.ts';
import { KAFKA_HEAP } from '../kafka-subject.ts';
import { produceSlice } from '../slices.ts';
import { pidsOf, type SubjectName } from '../subject.ts';

const RECORD_BYTES = 1024;
/** A server that has been warm for long changes little. */
const PAIRS_MAX = 2;
const SETTLE_MS = 1_000;

function memoryRow(nodes: 1 | 3): VersusRow {
  return {
    name: `memory-${nodes}r`,
    nodes,
    async run(measuring, arena) {
      const pairs = await arena.withTopics({ partitions: 100, durability: 'page-cache' }, async (topics) => {
        const slice = async (side: SubjectName): Promise<Figures> => {
          await produceSlice(measuring, arena, side, { topic: topics[side], recordBytes: RECORD_BYTES });
          await sleepMs(SETTLE_MS);
          const pids = [...pidsOf(arena.subject(side)).values()];
          return { rssMb: pids.reduce((sum, pid) => sum + memoryOf(pid).rssBytes / 1e6, 0) };
        };
        return await inPairs(Math.min(measuring.pairs, PAIRS_MAX), slice);
      });
      const servers = nodes === 1 ? 'one server' : `${nodes} servers together`;
      const title = `resident memory after load, ${servers} (heap of the JVM ${KAFKA_HEAP})`;
      return [compare(pairs, 'rssMb', { title, unit: 'MB', target: { ratio: 0.5, sense: 'at most' } })];
    },
  };
}

export const memoryRows: readonly VersusRow[] = [memoryRow(1), memoryRow(3)];
