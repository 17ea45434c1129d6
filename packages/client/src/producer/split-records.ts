/** A finished batch taken apart into two builders with half of its records each. Pure. `sizeBytes` is uncompressed. */
import { invariant } from '@millrace/core';
import { BatchBuilder, BatchView, forEachRecord } from '@millrace/records';

export function splitRecords(bytes: Buffer, sizeBytes: number): [BatchBuilder, BatchBuilder] {
  const view = BatchView.at(bytes, 0);
  invariant(view !== undefined && view.recordCount > 1, 'only batches of several records are split');
  const options = { codec: view.codec, capacityBytes: Number.MAX_SAFE_INTEGER };
  const halves: [BatchBuilder, BatchBuilder] = [new BatchBuilder(options), new BatchBuilder(options)];
  const firstCount = Math.ceil(view.recordCount / 2);
  let at = 0;
  forEachRecord(
    view,
    ({ timestamp, key, value, headers }) => {
      halves[at++ < firstCount ? 0 : 1].tryAppend(timestamp, key, value, headers);
    },
    { maxDecompressedBytes: sizeBytes },
  );
  return halves;
}
