/** Invariant 49: bytes that fail their checksum are neither served nor appended. */
import { BatchView, splitBatches } from '@millrace/records';
import { describeBatch } from '../partition/partition-model.ts';
import type { PartitionInvariant } from '../partition/partition-observation.ts';

export const damagedBytesGoNowhere: PartitionInvariant = {
  number: 49,
  name: 'damaged-bytes-go-nowhere',
  judge(_world, violated) {
    return {
      served(replica, partition, { records }) {
        for (const view of splitBatches(records)) {
          if (!view.isCrcValid())
            violated(
              `broker ${replica?.brokerId} serves a damaged batch at ${view.baseOffset} of ${partition.key}`,
            );
        }
      },
      appended(replica, batches, role) {
        if (role === 'leader') return;
        for (const batch of batches) {
          if (BatchView.at(batch.bytes, 0)?.isCrcValid()) continue;
          violated(
            `broker ${replica.brokerId} appends the damaged ${describeBatch(batch)} of ${replica.partition.key}`,
          );
        }
      },
    };
  },
};
