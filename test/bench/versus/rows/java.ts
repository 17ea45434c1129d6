/** The same with Kafka's own perf tools, so that no figure rests on one client. */
import type { VersusRow } from '../arena.ts';
import { compare, type Figures, inPairs } from '../comparison.ts';
import { javaConsumer, javaProducer } from '../load-tools.ts';
import { measured } from '../slices.ts';
import { bootstrapOf, type SubjectName } from '../subject.ts';
import { javaConsumption, javaDelivery } from '../tool-output.ts';
import { fill } from './consume.ts';
import { replicasText } from './record-size.ts';

const RECORD_BYTES = 1024;
/** Each starts a JVM and warms it up. */
const PAIRS_MAX = 3;
const PRODUCED_PER_S = 60_000;
const CONSUMED_PER_S = 200_000;
const FASTER = { ratio: 1, sense: 'at least' } as const;

function javaProduceRow(nodes: 1 | 3): VersusRow {
  return {
    name: `java-produce-${nodes}r`,
    nodes,
    async run(measuring, arena) {
      const { tools, pairs: count, sliceMs } = measuring;
      const records = (PRODUCED_PER_S * sliceMs) / 1_000;
      const pairs = await arena.withTopics({ partitions: 1, durability: 'page-cache' }, async (topics) => {
        const slice = async (side: SubjectName): Promise<Figures> => {
          const subject = arena.subject(side);
          const place = { bootstrap: bootstrapOf(subject), topic: topics[side] };
          const load = { ...place, recordBytes: RECORD_BYTES, acks: arena.acks, records };
          const { recordsPerS } = await measured(measuring, subject, async () =>
            javaDelivery(await javaProducer(tools, load).output),
          );
          return { recordsPerS: recordsPerS! };
        };
        return await inPairs(Math.min(count, PAIRS_MAX), slice);
      });
      const title = `kafka-producer-perf-test 1 KiB, 1 partition, ${replicasText(nodes)}`;
      return [compare(pairs, 'recordsPerS', { title, unit: 'records/s', target: FASTER })];
    },
  };
}

const javaConsumeRow: VersusRow = {
  name: 'java-consume-1r',
  nodes: 1,
  async run(measuring, arena) {
    const records = (CONSUMED_PER_S * measuring.sliceMs) / 1_000;
    const pairs = await arena.withTopics({ partitions: 1, durability: 'page-cache' }, async (topics) => {
      await fill(measuring, arena, topics, { recordBytes: RECORD_BYTES, records });
      const slice = async (side: SubjectName): Promise<Figures> => {
        const load = { topic: topics[side], partitions: 1, from: 'beginning', records } as const;
        const bootstrap = bootstrapOf(arena.subject(side));
        const output = await javaConsumer(measuring.tools, { ...load, bootstrap }).output;
        return { recordsPerS: javaConsumption(output).recordsPerS };
      };
      await inPairs(1, slice);
      return await inPairs(Math.min(measuring.pairs, PAIRS_MAX), slice);
    });
    const title = 'kafka-consumer-perf-test 1 KiB, 1 partition, 1 replica';
    return [compare(pairs, 'recordsPerS', { title, unit: 'records/s', target: FASTER })];
  },
};

export const javaRows: readonly VersusRow[] = [javaProduceRow(1), javaConsumeRow, javaProduceRow(3)];
