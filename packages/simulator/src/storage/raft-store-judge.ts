/**
 * What a damaged metadata store does when it opens: it must refuse, or load exactly what was there. Waits for no close
 * before it tells of other contents: LevelDB may end the process by then, and that would pass for a refusal.
 */
import { isDeepStrictEqual } from 'node:util';
import { MillraceError } from '@millrace/core';
import { LevelRaftStore } from '@millrace/metadata-quorum';
import type { DurableState, HardState } from '@millrace/raft';
import type { FlipOutcome } from './flip-campaign.ts';

export interface JudgeOrder {
  /** Of the damaged store. */
  readonly path: string;
  /** What was there before the damage. */
  readonly expected: DurableState;
  /** What LevelDB wrote anew on the way must be sound as well. */
  readonly isOpenedTwice: boolean;
}

export interface Verdict {
  readonly outcome: FlipOutcome;
  /** Of a violation and of an end of the process. */
  readonly reason?: string;
}

export type RaftStoreJudge = (order: JudgeOrder) => Promise<Verdict>;

/** Never throws. After a violation the store may still be open: nothing else can be judged in this process. */
export async function judgeRaftStore({ path, expected, isOpenedTwice }: JudgeOrder): Promise<Verdict> {
  try {
    await open(path, expected);
    if (isOpenedTwice) await open(path, expected, expected.hardState);
    return { outcome: 'harmless' };
  } catch (error) {
    if (error instanceof MillraceError && error.code === 'LOG_DAMAGED') return { outcome: 'detected' };
    return { outcome: 'violation', reason: textOf(error) };
  }
}

/** @param rewritten a write that changes nothing */
async function open(path: string, expected: DurableState, rewritten?: HardState): Promise<void> {
  const store = await LevelRaftStore.open(path);
  let hasOtherContents = false;
  const load = async (): Promise<void> => {
    const state = await store.load();
    hasOtherContents = !isDeepStrictEqual(state, expected);
    if (hasOtherContents) throw new Error('other contents were loaded without a word');
  };
  try {
    await load();
    if (rewritten === undefined) return;
    await store.write({ hardState: rewritten });
    await load();
  } finally {
    if (!hasOtherContents) await store.close();
  }
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${textOf(error.cause)}`;
}
