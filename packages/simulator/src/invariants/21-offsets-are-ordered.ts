/** Invariant 21: log start <= high watermark <= log end, and what is flushed is in the log. There are no transactions yet. */
import type { PartitionInvariant } from '../partition/partition-observation.ts';

export const offsetsAreOrdered: PartitionInvariant = {
  number: 21,
  name: 'offsets-are-ordered',
  judge(_world, violated) {
    return {
      stepped({ brokerId, partition, log, logStart, highWatermark, flushed, isOffline, isBusy }) {
        // While a log is emptied to go on elsewhere, its start is ahead of its end, and nobody is served.
        if (isOffline || isBusy) return;
        const { end } = log;
        if (logStart <= highWatermark && highWatermark <= end && flushed <= end) return;
        violated(
          `broker ${brokerId} has log start ${logStart}, watermark ${highWatermark}, flushed ${flushed} and log end ${end} in ${partition.key}`,
        );
      },
    };
  },
};
