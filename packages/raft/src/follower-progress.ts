/**
 * What a leader knows of one follower, and how far it may send ahead.
 *
 * `probe`: one append at a time until the logs are known to agree. `replicate`: appends are sent ahead,
 * `inflightMaxAppends` of them. `snapshot`: the log no longer reaches back far enough.
 * In every mode `match < next`, and `match` never goes back while the directory stays the same.
 */
import { invariant, type NodeId } from '@millrace/core';
import type { Snapshot } from './durable-state.ts';

export interface FollowerProgress {
  readonly id: NodeId;
  /** Whose acknowledgements these are. */
  readonly directoryId: string;
  /** Whether they count; false for a directory outside the voter set. */
  voter: boolean;
  mode: 'probe' | 'replicate' | 'snapshot';
  /** Known to be durable there and equal to the leader's log. */
  match: number;
  /** The entry to send next. */
  next: number;
  /** Last index of each append that is not answered, ascending. */
  inflight: number[];
  /** Probe: one is under way. */
  probing: boolean;
  /** Snapshot: the one being sent, even if a newer one was saved meanwhile, and the next byte to send. */
  snapshot: Snapshot | undefined;
  snapshotPosition: number;
  /** When anything of the current term last came from it. */
  lastContactMs: number;
  /** When it last held everything that was committed at that time; -Infinity for never. */
  lastCaughtUpMs: number;
  /** A commit index of the past: who acknowledges it now had caught up with that moment. */
  goal: { readonly index: number; readonly setMs: number } | undefined;
  /** The newest heartbeat round that it answered. */
  ackedRound: number;
}

export function newProgress(
  voter: { readonly id: NodeId; readonly directoryId: string; readonly voter: boolean },
  next: number,
  nowMs: number,
): FollowerProgress {
  invariant(next >= 1, 'the first entry has index 1', { next });
  return {
    ...voter,
    mode: 'probe',
    match: 0,
    next,
    inflight: [],
    probing: false,
    snapshot: undefined,
    snapshotPosition: 0,
    lastContactMs: nowMs,
    lastCaughtUpMs: Number.NEGATIVE_INFINITY,
    goal: undefined,
    ackedRound: 0,
  };
}

/** Starts over from `next`, one append at a time. */
export function probeFrom(progress: FollowerProgress, next: number): void {
  progress.mode = 'probe';
  progress.next = Math.max(progress.match + 1, next);
  progress.inflight = [];
  progress.probing = false;
  progress.snapshot = undefined;
  invariant(progress.next > progress.match, 'what matches is not sent again', {
    next: progress.next,
    match: progress.match,
  });
}

/**
 * After each answer, with the present commit index. Under steady load a follower is always a little behind: it had
 * caught up with the moment whose commit index it acknowledges now (rounds, thesis §4.2.1; Kafka's lastCaughtUpTime).
 */
export function noteCatchUp(progress: FollowerProgress, commitIndex: number, nowMs: number): void {
  const { goal, match } = progress;
  if (match >= commitIndex) progress.lastCaughtUpMs = nowMs;
  else if (goal !== undefined && match < goal.index) return;
  else if (goal !== undefined) progress.lastCaughtUpMs = Math.max(progress.lastCaughtUpMs, goal.setMs);
  progress.goal = { index: commitIndex, setMs: nowMs };
}

/** Takes an acknowledgement; true if it said something new. */
export function acknowledge(progress: FollowerProgress, index: number): boolean {
  const isNews = index > progress.match;
  progress.match = Math.max(progress.match, index);
  progress.next = Math.max(progress.next, progress.match + 1);
  progress.inflight = progress.inflight.filter((last) => last > index);
  invariant(progress.next > progress.match, 'what matches is not sent again', {
    next: progress.next,
    match: progress.match,
  });
  return isNews;
}
