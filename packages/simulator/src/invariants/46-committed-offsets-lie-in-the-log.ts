/** Invariant 46, third part: nobody has read what is not there, so no committed offset lies above the log end. */
import { formatTopicPartition } from '@millrace/core';
import type { GroupInvariant } from '../groups/group-observation.ts';

export const committedOffsetsLieInTheLog: GroupInvariant = {
  number: 46,
  name: 'committed-offsets-lie-in-the-log',
  judge(world, violated) {
    return {
      committed({ record }) {
        if (record.kind !== 'offset' || record.value === undefined) return;
        const end = world.logEndOf(record.topic, record.partition);
        if (end === undefined || record.value.offset <= end) return;
        violated(
          `${record.groupId} commits ${record.value.offset} of ${formatTopicPartition(record)}, which ends at ${end}`,
        );
      },
    };
  },
};
