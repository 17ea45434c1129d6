/** The data directory as administrators see it: its disk, what has failed, what replicas take. Never waits long for a disk. */
import { type Clock, MillraceError } from '@millrace/core';
import type { DiskSpace, LogStore } from '@millrace/storage';
import type { LogDirectory, ReplicaOnDisk } from './admin-api.ts';
import { failureOf } from './failure.ts';
import { within } from './within.ts';

/** A disk that takes longer to tell its size counts as failed: whoever asks waits for an answer. */
const MEASURE_LIMIT_MS = 5_000;
const UNKNOWN: DiskSpace = { totalBytes: -1, usableBytes: -1 };

export async function describeLogDirectory(
  store: Pick<LogStore, 'path' | 'space' | 'failure'>,
  replicas: readonly ReplicaOnDisk[],
  clock: Clock,
): Promise<LogDirectory> {
  let space: DiskSpace | undefined;
  let failure: unknown;
  const measured = store.space().then(
    (told) => {
      space = told;
    },
    (error: unknown) => {
      failure = error;
    },
  );
  await within(clock, MEASURE_LIMIT_MS, measured);
  if (space === undefined) failure ??= new MillraceError('KAFKA_STORAGE_ERROR', 'the disk does not answer');
  failure = store.failure ?? failure;
  return {
    path: store.path,
    failure: failure === undefined ? undefined : failureOf(failure),
    ...(space ?? UNKNOWN),
    replicas,
  };
}
