/** Invariant 41: what a leader knows of its producers is what its log says: retries are recognised, nothing else is. */
import { describeBatch, type ModelBatch, type ReplicaModel } from '../partition/partition-model.ts';
import type { PartitionInvariant } from '../partition/partition-observation.ts';

export const producerStateIsThatOfTheLog: PartitionInvariant = {
  number: 41,
  name: 'producer-state-is-that-of-the-log',
  judge(_world, violated) {
    const ofProducer = ({ log }: ReplicaModel, { producerId, producerEpoch }: ModelBatch): ModelBatch[] =>
      log.all.filter((other) => other.producerId === producerId && other.producerEpoch === producerEpoch);
    return {
      appended(replica, batches, role) {
        const [batch] = batches;
        if (role !== 'leader' || batch === undefined || batch.producerId < 0) return;
        const known = ofProducer(replica, batch);
        const twin = known.find((other) => other !== batch && other.baseSequence === batch.baseSequence);
        if (twin !== undefined) {
          violated(
            `broker ${replica.brokerId} appends ${describeBatch(batch)} of ${replica.partition.key} a second time: ${describeBatch(twin)}`,
          );
        }
        const previous = known.at(-2);
        // What told of it may be gone with the records: deleted here, and the snapshot of that cut off since.
        const isDeleted = previous !== undefined && previous.next <= replica.logStart;
        if (previous !== undefined && !isDeleted && previous.lastSequence + 1 !== batch.baseSequence) {
          violated(
            `broker ${replica.brokerId} appends ${describeBatch(batch)} of ${replica.partition.key} after ${describeBatch(previous)}`,
          );
        }
      },
      recognised(replica, batch, baseOffset) {
        const original = replica.log.at(baseOffset);
        if (baseOffset < replica.log.start) return;
        if (
          original?.base === baseOffset &&
          original.producerId === batch.producerId &&
          original.baseSequence === batch.baseSequence
        )
          return;
        violated(
          `broker ${replica.brokerId} takes ${describeBatch(batch)} of ${replica.partition.key} for a copy of ${describeBatch(original)}`,
        );
      },
      refused(replica, batch, code) {
        if (code !== 'OUT_OF_ORDER_SEQUENCE_NUMBER' && code !== 'DUPLICATE_SEQUENCE_NUMBER') return;
        const known = ofProducer(replica, batch);
        const last = known.at(-1);
        // What was deleted before this life began may have told more.
        if (last === undefined && replica.log.start > 0) return;
        const isThere = known.some(({ baseSequence }) => baseSequence === batch.baseSequence);
        const isNext = last !== undefined && last.lastSequence + 1 === batch.baseSequence;
        if (code === 'OUT_OF_ORDER_SEQUENCE_NUMBER' && (isThere || isNext)) {
          violated(
            `broker ${replica.brokerId} refuses ${describeBatch(batch)} of ${replica.partition.key} as out of order; it has ${describeBatch(last)}`,
          );
        }
        if (
          code === 'DUPLICATE_SEQUENCE_NUMBER' &&
          !isThere &&
          (known[0]?.baseSequence ?? 0) <= batch.baseSequence
        ) {
          violated(
            `broker ${replica.brokerId} takes ${describeBatch(batch)} of ${replica.partition.key} for a duplicate; it has ${describeBatch(last)}`,
          );
        }
      },
    };
  },
};
