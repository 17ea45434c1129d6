/** What a partition's segment files hold, read from the simulated disk itself: no code of the storage has a say in it. */
import { BatchView } from '@millrace/records';
import type { SimDisk } from '../disk/sim-disk.ts';
import { type ModelBatch, modelBatch } from './partition-model.ts';

/** Whole batches between the two offsets, in order. Stops at the first bytes that are none. */
export function batchesOnDisk(disk: SimDisk, folder: string, start: number, end: number): ModelBatch[] {
  const segments = disk.paths().filter((path) => path.startsWith(`${folder}/`) && path.endsWith('.log'));
  const batches: ModelBatch[] = [];
  for (const path of segments) {
    const bytes = disk.get(path)!;
    let position = 0;
    for (;;) {
      const view = batchAt(bytes, position);
      if (view === undefined || view.nextOffset > end) break;
      if (view.nextOffset > start) batches.push(modelBatch(view));
      position += view.sizeBytes;
    }
  }
  return batches;
}

function batchAt(bytes: Buffer, position: number): BatchView | undefined {
  try {
    const view = BatchView.at(bytes, position);
    return view?.lastOffsetDelta !== undefined && view.lastOffsetDelta >= 0 ? view : undefined;
  } catch {
    return undefined;
  }
}
