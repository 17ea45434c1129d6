/** Invariant 33: what a follower appends follows on what it has, and both are what the leader of that epoch wrote there. */
import { describeBatch, type ModelBatch, type ReplicaModel } from '../partition/partition-model.ts';
import type { PartitionInvariant } from '../partition/partition-observation.ts';

interface Written {
  readonly crc: number;
  /** Offset and epoch of the batch before it; undefined if the log began there. */
  before: string | undefined;
}

export const followersArePrefixesOfTheirLeader: PartitionInvariant = {
  number: 33,
  name: 'followers-are-prefixes-of-their-leader',
  judge(_world, violated) {
    const written = new Map<string, Map<string, Written>>();
    const nameOf = ({ base, epoch }: ModelBatch): string => `${base} ${epoch}`;
    const check = (replica: ReplicaModel, batch: ModelBatch, previous: ModelBatch | undefined): void => {
      const { key } = replica.partition;
      let batches = written.get(key);
      if (batches === undefined) {
        batches = new Map();
        written.set(key, batches);
      }
      const before = previous === undefined ? undefined : nameOf(previous);
      const known = batches.get(nameOf(batch));
      if (known === undefined) {
        batches.set(nameOf(batch), { crc: batch.crc, before });
        return;
      }
      known.before ??= before;
      if (known.crc !== batch.crc) {
        violated(`broker ${replica.brokerId} has other bytes at ${describeBatch(batch)} of ${key}`);
      }
      if (before !== undefined && known.before !== before) {
        violated(
          `broker ${replica.brokerId} has ${describeBatch(previous)} before ${describeBatch(batch)} of ${key}; elsewhere it is ${known.before}`,
        );
      }
    };
    return {
      appended(replica, batches) {
        let previous = replica.log.at(batches[0]!.base - 1);
        for (const batch of batches) {
          check(replica, batch, previous);
          previous = batch;
        }
      },
      opened(replica) {
        let previous: ModelBatch | undefined;
        for (const batch of replica.log.all) {
          check(replica, batch, previous);
          previous = batch;
        }
      },
    };
  },
};
