/**
 * Invariant 46, first part: a coordinator shows the committed offsets of a group as its log tells them up to its watermark,
 * and nothing that lies above; one that is over shows and decides nothing.
 */
import { formatTopicPartition } from '@millrace/core';
import type { GroupInvariant } from '../groups/group-observation.ts';

export const committedOffsetsHaveCommitted: GroupInvariant = {
  number: 46,
  name: 'committed-offsets-have-committed',
  judge({ truth }, violated) {
    return {
      advanced(coordinator, offset) {
        const highWatermark = coordinator.highWatermark();
        if (highWatermark === undefined || offset <= highWatermark) return;
        violated(
          `the coordinator on ${coordinator.nodeId} takes ${offset} for committed, the watermark is ${highWatermark}`,
        );
      },
      stepped(coordinator, { name, request }) {
        if (coordinator.isOver())
          violated(
            `the coordinator on ${coordinator.nodeId} is over and takes ${name} of ${request.groupId}`,
          );
      },
      shown(coordinator, { groupId }, { offsets }) {
        if (coordinator.isOver())
          violated(`the coordinator on ${coordinator.nodeId} is over and shows offsets of ${groupId}`);
        for (const { topic, partition, offset } of offsets) {
          const key = formatTopicPartition({ topic, partition });
          const committed = truth.committedBelow(groupId, key, coordinator.committedTo) ?? -1;
          if (committed === offset) continue;
          violated(
            `${groupId} is shown ${offset} of ${key} by ${coordinator.nodeId}, which has committed ${committed}`,
          );
        }
      },
    };
  },
};
