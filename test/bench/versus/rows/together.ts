/** A consumer at the tail while the producer does what it can: what comes out at the far end. */

import { sleepMs } from '../../monotonic-clock.ts';
import type { VersusRow } from '../arena.ts';
import { compare, type Figures, inPairs } from '../comparison.ts';
import { interruptedAfter, rdkafkaConsumer, rdkafkaProducer } from '../load-tools.ts';
import { measured } from '../slices.ts';
import { bootstrapOf, type SubjectName } from '../subject.ts';
import { rdkafkaConsumption, rdkafkaDelivery } from '../tool-output.ts';
import { replicasText } from './record-size.ts';

const RECORD_BYTES = 1024;
/** The consumer stands at the end of its partition before anything is produced. */
const SETTLE_MS = 500;
/** And may fetch what was acknowledged last. */
const DRAIN_MS = 200;

function togetherRow(nodes: 1 | 3): VersusRow {
  return {
    name: `together-${RECORD_BYTES}-1p-${nodes}r`,
    nodes,
    async run(measuring, arena) {
      const { tools, pairs: count, sliceMs } = measuring;
      const pairs = await arena.withTopics({ partitions: 1, durability: 'page-cache' }, async (topics) => {
        const slice = async (side: SubjectName): Promise<Figures> => {
          const subject = arena.subject(side);
          const place = { bootstrap: bootstrapOf(subject), topic: topics[side] };
          await using consumer = rdkafkaConsumer(tools, { ...place, partitions: 1, from: 'end' });
          await sleepMs(SETTLE_MS);
          return await measured(measuring, subject, async () => {
            const producer = rdkafkaProducer(tools, {
              ...place,
              recordBytes: RECORD_BYTES,
              acks: arena.acks,
            });
            const { records: acknowledged, failed } = rdkafkaDelivery(
              await interruptedAfter(producer, sliceMs),
            );
            if (failed > 0) throw new Error(`${failed} records failed on ${side}`);
            const { records } = rdkafkaConsumption(await interruptedAfter(consumer, DRAIN_MS));
            return { records, recordsPerS: (Math.min(records, acknowledged) * 1_000) / sliceMs };
          });
        };
        await inPairs(1, slice);
        return await inPairs(count, slice);
      });
      const title = `produce and consume 1 KiB together, 1 partition, ${replicasText(nodes)}`;
      return [
        compare(pairs, 'recordsPerS', { title, unit: 'records/s', target: { ratio: 1, sense: 'at least' } }),
      ];
    },
  };
}

export const togetherRows: readonly VersusRow[] = [togetherRow(1), togetherRow(3)];
