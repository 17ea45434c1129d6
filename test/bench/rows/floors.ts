/** The bare floors by themselves; rows that are judged against others of them measure those when they run. */
import type { Row } from '../row.ts';
import { BATCH_BYTES } from './record-size.ts';

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
