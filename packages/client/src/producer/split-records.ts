/** A finished batch taken apart into builders of a size, in the order of its records. Pure. Sizes are uncompressed. */
import { invariant } from '@millrace/core';
import { BatchBuilder, BatchView, forEachRecord } from '@millrace/records';

/** At least two; each has at most `partBytes`, unless it is a single record that is larger. */
export function splitRecords(bytes: Buffer, sizeBytes: number, partBytes: number): BatchBuilder[] {
  const view = BatchView.at(bytes, 0);
  invariant(view !== undefined && view.recordCount > 1, 'only batches of several records are split');
  const parts: BatchBuilder[] = [];
  const begin = (): BatchBuilder => {
    const part = new BatchBuilder({ codec: view.codec, capacityBytes: partBytes });
    parts.push(part);
    return part;
  };
  let part = begin();
  forEachRecord(
    view,
    ({ timestamp, key, value, headers }) => {
      if (part.tryAppend(timestamp, key, value, headers) >= 0) return;
      part = begin();
      part.tryAppend(timestamp, key, value, headers);
    },
    { maxDecompressedBytes: sizeBytes },
  );
  return parts;
}
