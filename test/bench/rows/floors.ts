/** The bare floors by themselves; rows that are judged against others of them measure those when they run. */
import { KiB } from '@millrace/core';
import type { Row } from '../row.ts';

/** Batches as the producer sends them when it is never idle. */
const BATCH_BYTES = 512 * KiB;

export const floorRow: Row = {
  name: 'floors',
  async run({ floors }) {
    floors.sync();
    floors.append(BATCH_BYTES);
    await floors.bytesPerS('tcpUp', BATCH_BYTES);
    await floors.bytesPerS('grpcUp', BATCH_BYTES);
    return [];
  },
};
