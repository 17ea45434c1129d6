/**
 * What the journal of the run before still holds for logs that are offline since the start, when this run needs the
 * space. As of a log that goes offline later, it is given up; never before a restart is told not to take the log for whole.
 */
import type { Logger } from '@millrace/core';
import type { JournalReplay } from './journal-replay.ts';
import { markDamaged } from './log-damage.ts';
import type { LogResources } from './log-resources.ts';
import type { PartitionLog } from './partition-log.ts';

/** @returns false if something must be kept for now. */
export async function giveUpReplay(
  replay: JournalReplay,
  directory: string,
  logs: Iterable<PartitionLog>,
  resources: LogResources,
  logger: Logger,
): Promise<boolean> {
  for (const { topic, partition, topicId, offline, isUnknown } of logs) {
    if (offline === undefined) continue;
    const isDamaged = offline.code === 'LOG_DAMAGED' && isUnknown;
    // A repair is under way, and the mark would be found in the new folder.
    if (offline.code === 'LOG_DAMAGED' && !isDamaged) return false;
    if (!isDamaged && replay.entriesOf(topicId, partition).length === 0) continue;
    const folder = `${directory}/${topic}-${partition}`;
    if (!(await markDamaged({ folder, resources, logger }, offline.message))) return false;
  }
  replay.forgetAll();
  logger.warn(
    { event: 'journal_replay_given_up' },
    'the journal needs its space: what it held for logs that are offline since the start is given up',
  );
  return true;
}
