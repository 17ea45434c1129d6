/**
 * Leader epochs and producer state of a log that is whole again: from their files as far as those can be
 * trusted, the rest from the batches. A file that is missing or damaged costs a longer walk and one line.
 */
import type { BatchView } from '@millrace/records';
import { durableUpTo } from './durable-point.ts';
import { LeaderEpochs } from './leader-epochs-state.ts';
import { logDamaged } from './log-damage.ts';
import { fileNames, LEADER_EPOCHS, offsetName, offsetsOf } from './log-folder.ts';
import { endOf, locateBatch, segmentOf } from './log-locate.ts';
import { DamageFound } from './log-reader.ts';
import type { RecoveryContext } from './log-recovery.ts';
import { STOP_SCAN, scanBatches } from './log-scan.ts';
import { decodeSnapshot } from './producer-snapshot.ts';
import { ProducerState } from './producer-state.ts';
import type { Segment } from './segment.ts';
import { formatEpochs, parseEpochs } from './text-files.ts';
import { readWhole } from './whole-file.ts';

export interface LogState {
  readonly epochs: LeaderEpochs;
  /** Undefined while no batch had a producer id. */
  readonly producers: ProducerState | undefined;
  /** Newest producer snapshot on disk; -1 for none. */
  readonly snapshotOffset: number;
  /** `leader-epoch-checkpoint` holds exactly these epochs. */
  readonly areEpochsWritten: boolean;
  /** Snapshots that do not belong to the log were removed: that must be durable before the log grows past them. */
  readonly hasRemoved: boolean;
}

export async function recoverState(
  context: RecoveryContext,
  segments: readonly Segment[],
  logEndOffset: number,
): Promise<LogState> {
  const { epochs, from: epochsFrom, isRebuilt, text } = await recoverEpochs(context, segments, logEndOffset);
  // Of what lies right before the durable point the file tells even if it is deleted.
  const isWritten = !isRebuilt && epochsFrom <= durableUpTo(context);
  const epochMin = isWritten ? epochs.epochAt(epochsFrom - 1) : -1;
  let problem: string | undefined;
  if (epochsFrom < logEndOffset) {
    await visitFrom(context, segments, epochsFrom, ({ baseOffset, leaderEpoch }) => {
      // Epochs lie outside the checksum, and if they are rebuilt the file that knew them is lost or says otherwise.
      const least = isRebuilt ? epochs.lastEpoch : baseOffset >= epochsFrom ? epochMin : -1;
      if (leaderEpoch < least) problem ??= `epoch ${leaderEpoch} at offset ${baseOffset} after ${least}`;
      const isKnown = epochs.epochAt(baseOffset) === leaderEpoch;
      if (baseOffset >= epochsFrom && leaderEpoch >= 0 && !isKnown) epochs.assign(leaderEpoch, baseOffset);
    });
  }
  // A scan takes what its visitor throws for a fault of the bytes.
  if (problem !== undefined) throw logDamaged(context.folder, problem);
  assignJournalled(context, epochs, logEndOffset);
  epochs.truncateStart(Math.max(context.logStartOffset ?? 0, segments[0]!.baseOffset));
  const areEpochsWritten = (text ?? formatEpochs([])) === formatEpochs(epochs.saved);
  return { epochs, areEpochsWritten, ...(await recoverProducers(context, segments, logEndOffset)) };
}

/** From the newest sound snapshot and the batches after it. */
export async function recoverProducers(
  context: RecoveryContext,
  segments: readonly Segment[],
  logEndOffset: number,
): Promise<Pick<LogState, 'producers' | 'snapshotOffset' | 'hasRemoved'>> {
  const { producers, offset, hasRemoved } = readSnapshot(context, logEndOffset);
  const nowMs = context.resources.clock.wallMs();
  const from = Math.max(offset, segments[0]!.baseOffset);
  let damagedAt: number | undefined;
  if (from < logEndOffset) {
    await visitFrom(context, segments, from, (batch) => {
      // A header that lies about its sequences would make new batches pass for retries of it.
      if (!batch.isCrcValid()) damagedAt ??= batch.baseOffset;
      if (batch.baseOffset >= from) producers.update(batch, nowMs);
    });
  }
  if (damagedAt !== undefined) throw new DamageFound(`the batch at offset ${damagedAt} fails its checksum`);
  return { producers: producers.size > 0 ? producers : undefined, snapshotOffset: offset, hasRemoved };
}

/** @returns also the offset from which on batches must be asked; the end of the log if they need not. */
async function recoverEpochs(
  context: RecoveryContext,
  segments: readonly Segment[],
  logEndOffset: number,
): Promise<{ epochs: LeaderEpochs; from: number; isRebuilt: boolean; text: string | undefined }> {
  const { folder, resources, logger, wasClean } = context;
  const firstOffset = segments[0]!.baseOffset;
  // Epochs are written down before the durable point passes them; later ones are found in the batches.
  const from = wasClean ? logEndOffset : Math.max(firstOffset, Math.min(durableUpTo(context), logEndOffset));
  const text = readWhole(resources.fileSystem, `${folder}/${LEADER_EPOCHS}`)?.toString();
  const isNoneDue = text === undefined && from === firstOffset;
  const entries = isNoneDue ? [] : parseEpochs(text ?? '');
  if (entries !== undefined) {
    const known = new LeaderEpochs(entries.filter(({ startOffset }) => startOffset <= logEndOffset));
    if (await agreesWithLog(context, segments, known, from))
      return { epochs: known, from, isRebuilt: false, text };
    if (text === formatEpochs(entries)) await checkBatchEpochs(context, segments, known, from);
  }
  logger.warn(
    { event: 'leader_epochs_rebuilt', folder },
    'leader-epoch-checkpoint is missing or damaged: it is rebuilt from the log',
  );
  return { epochs: new LeaderEpochs(), from: firstOffset, isRebuilt: true, text };
}

/**
 * Below `writtenUpTo` the file and the batches said the same once, and the file is what was written: it has a checksum,
 * which the epochs of batches lie outside of. Only of batches before its first epoch it need not tell.
 *
 * @throws {MillraceError} LOG_DAMAGED if a batch says otherwise.
 */
async function checkBatchEpochs(
  context: RecoveryContext,
  segments: readonly Segment[],
  known: LeaderEpochs,
  writtenUpTo: number,
): Promise<void> {
  const from = known.entries[0]?.startOffset ?? writtenUpTo;
  let problem: string | undefined;
  await visitFrom(context, segments, from, ({ baseOffset, lastOffset, leaderEpoch }) => {
    const epoch = known.epochAt(lastOffset);
    if (lastOffset < from || lastOffset >= writtenUpTo || leaderEpoch === epoch) return;
    problem ??= `the batch at offset ${baseOffset} has epoch ${leaderEpoch} instead of ${epoch}`;
  });
  if (problem !== undefined) throw logDamaged(context.folder, problem);
}

/** Every epoch must begin where the log says it does. The last may have no batch yet. */
async function agreesWithLog(
  { config, logStartOffset }: RecoveryContext,
  segments: readonly Segment[],
  epochs: LeaderEpochs,
  writtenUpTo: number,
): Promise<boolean> {
  const end = segments.at(-1)!.nextOffset;
  const probes = epochs.entries.map(({ startOffset }) => startOffset);
  // The batches before each start must be of an earlier epoch; the newest that
  // the file covers tells whether its last epoch is there.
  for (const offset of [...probes, ...probes.map((start) => start - 1), writtenUpTo - 1]) {
    if (offset < segments[0]!.baseOffset || offset >= end) continue;
    const segment = segmentOf(segments, offset)!;
    const wasLoaded = segment.isLoaded;
    await segment.load(config);
    const found = await locateBatch(segment, offset);
    if (!wasLoaded) segment.unload();
    if (found === undefined || found.leaderEpoch !== epochs.epochAt(offset)) return false;
    const isStart =
      found.baseOffset === offset || offset <= Math.max(logStartOffset ?? 0, segments[0]!.baseOffset);
    if (!isStart && probes.includes(offset)) return false;
  }
  return true;
}

/** Leaderships that began without a batch are only in the journal. */
function assignJournalled(context: RecoveryContext, epochs: LeaderEpochs, logEndOffset: number): void {
  const { replay, topicId, partition } = context;
  for (const { header } of replay?.entriesOf(topicId, partition) ?? []) {
    if (header.kind !== 'epoch' || header.leaderEpoch <= epochs.lastEpoch) continue;
    if (header.baseOffset === logEndOffset) epochs.assign(header.leaderEpoch, header.baseOffset);
  }
}

function readSnapshot(
  { folder, resources, logger }: RecoveryContext,
  logEndOffset: number,
): { producers: ProducerState; offset: number; hasRemoved: boolean } {
  const nowMs = resources.clock.wallMs();
  const producers = new ProducerState(resources.producerIdsMax);
  const offsets = offsetsOf(fileNames(resources.fileSystem, folder), '.snapshot').reverse();
  let hasRemoved = false;
  for (const offset of offsets) {
    const path = `${folder}/${offsetName(offset)}.snapshot`;
    if (offset <= logEndOffset) {
      const entries = decodeSnapshot(readWhole(resources.fileSystem, path) ?? Buffer.alloc(0), nowMs);
      if (entries !== undefined) {
        for (const entry of entries) producers.restore(entry);
        return { producers, offset, hasRemoved };
      }
      logger.warn(
        { event: 'producer_snapshot_rebuilt', path },
        'a producer snapshot is damaged: the state is rebuilt from the log',
      );
    }
    resources.fileSystem.unlinkSync(path);
    hasRemoved = true;
  }
  return { producers, offset: -1, hasRemoved };
}

/**
 * Headers of all batches from the one that holds `offset` on. Segments that are deleted go name by name, and after a
 * power loss any of them may be there again: of those below the log start some may be missing.
 *
 * @throws {DamageFound} if any other batch is: of half of them epochs would begin too late, a retry would pass for new, and
 * what is new for a gap.
 */
async function visitFrom(
  { config, logStartOffset = 0 }: Pick<RecoveryContext, 'config' | 'logStartOffset'>,
  segments: readonly Segment[],
  offset: number,
  visit: (batch: BatchView) => void,
): Promise<void> {
  const first = Math.max(
    0,
    segments.findLastIndex(({ baseOffset }) => baseOffset <= offset),
  );
  const from = Math.max(offset, segments[first]!.baseOffset);
  let next = from;
  const visitDense = (batch: BatchView): void => {
    if (batch.baseOffset > next || (next > from && batch.baseOffset < next)) return;
    next = batch.nextOffset;
    visit(batch);
  };
  for (const segment of segments.slice(first)) {
    if (segment.baseOffset <= logStartOffset) next = Math.max(next, segment.baseOffset);
    if (segment.isEmpty || (segment.isLoaded && segment.nextOffset <= offset)) continue;
    const wasLoaded = segment.isLoaded;
    await segment.load(config);
    const isAstray = await visitSegment(segment, offset, visitDense);
    if (isAstray) {
      await segment.rebuild(config, 'the offset index');
      await visitSegment(segment, offset, visitDense);
    }
    if (!wasLoaded) segment.unload();
  }
  if (next < endOf(segments)) throw new DamageFound(`no batch can be read at offset ${next}`);
}

/** @returns whether the index led to no batch, or past batches that were to be visited; then none was. */
async function visitSegment(
  segment: Segment,
  offset: number,
  visit: (batch: BatchView) => void,
): Promise<boolean> {
  const start = segment.positionBefore(offset);
  let isAstray = false;
  const end = await segment.withFile((file) =>
    scanBatches(file, start, segment.sizeBytes, (batch, position) => {
      isAstray ||= position === start && start > 0 && batch.baseOffset > Math.max(offset, segment.baseOffset);
      if (isAstray) return STOP_SCAN;
      if (batch.lastOffset >= offset) visit(batch);
      return undefined;
    }),
  );
  return isAstray || (end.fault !== undefined && end.position === start && start > 0);
}
