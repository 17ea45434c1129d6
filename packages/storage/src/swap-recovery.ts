/**
 * Ends what a cleaning was doing when the process died. A `.cleaned` segment may be anything and goes. A `.swap` one is
 * whole and takes the place of every segment that begins within it: some of those may be gone already, so there is no
 * way back. May be interrupted at any step, and then begins again.
 */
import type { BatchView } from '@millrace/records';
import { logDamaged } from './log-damage.ts';
import { CLEANED_SUFFIX, offsetName, offsetsOf, SWAP_SUFFIX } from './log-folder.ts';
import type { RecoveryContext } from './log-recovery.ts';
import { scanBatches } from './log-scan.ts';

const ENDINGS = ['.index', '.timeindex', '.txnindex', '.log'] as const;

/** @returns whether names changed. @throws {MillraceError} LOG_DAMAGED, before anything is removed. */
export async function finishSwaps(context: RecoveryContext, names: readonly string[]): Promise<boolean> {
  const { folder, resources, logger } = context;
  const { fileSystem } = resources;
  for (const name of names.filter((other) => other.endsWith(CLEANED_SUFFIX))) {
    fileSystem.unlinkSync(`${folder}/${name}`);
  }
  const swaps = offsetsOf(
    names
      .filter((name) => name.endsWith(`.log${SWAP_SUFFIX}`))
      .map((name) => name.slice(0, -SWAP_SUFFIX.length)),
    '.log',
  );
  for (const baseOffset of swaps) {
    const swap = `${folder}/${offsetName(baseOffset)}.log${SWAP_SUFFIX}`;
    const endOffset = await endOfSwap(context, swap, baseOffset);
    const old = offsetsOf(names, '.log').filter((offset) => offset >= baseOffset && offset < endOffset);
    for (const offset of old) removeSegment(context, offset);
    // Gone for good, before the name that tells of it goes.
    await fileSystem.syncDirectory(folder);
    fileSystem.renameSync(swap, swap.slice(0, -SWAP_SUFFIX.length));
    await fileSystem.syncDirectory(folder);
    logger.info(
      { event: 'swap_finished', baseOffset, endOffset, replaced: old.length },
      'a cleaned segment took the place of those that it was written for',
    );
  }
  // Indexes of a segment that has its name already, or of none: they are rebuilt.
  const others = names.filter((name) => name.endsWith(SWAP_SUFFIX) && !name.endsWith(`.log${SWAP_SUFFIX}`));
  for (const name of others) fileSystem.unlinkSync(`${folder}/${name}`);
  return swaps.length > 0;
}

async function endOfSwap(
  { folder, resources }: RecoveryContext,
  path: string,
  baseOffset: number,
): Promise<number> {
  const file = resources.fileSystem.openSync(path);
  let expected = baseOffset;
  try {
    const { fault, position } = await scanBatches(file, 0, file.sizeSync(), (batch: BatchView) => {
      if (batch.baseOffset !== expected || batch.lastOffsetDelta < 0) return `offset ${expected} is missing`;
      if (!batch.isCrcValid()) return `the batch at offset ${expected} does not match its checksum`;
      expected = batch.nextOffset;
      return undefined;
    });
    if (fault !== undefined) throw logDamaged(folder, `${path} is damaged at byte ${position}: ${fault}`);
  } finally {
    file.closeSync();
  }
  return expected;
}

function removeSegment({ folder, resources }: RecoveryContext, baseOffset: number): void {
  for (const ending of ENDINGS) {
    const path = `${folder}/${offsetName(baseOffset)}${ending}`;
    if (resources.fileSystem.statSync(path) !== undefined) resources.fileSystem.unlinkSync(path);
  }
}
