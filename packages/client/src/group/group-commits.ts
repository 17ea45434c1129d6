/**
 * A member's commits: what the program has finished with, at an interval or when asked; and what it says itself. Offsets
 * read in one life in the group are never committed in another.
 */
import { MillraceError, type Timer, type TopicPartition, toMillraceError } from '@millrace/core';
import type { OffsetToCommit } from '@millrace/protocol';
import type { ConsumerConfig } from '../client-config.ts';
import { withLimits } from '../cluster/cancellation.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { type CommitterHandlers, OffsetCommitter } from './offset-committer.ts';
import { ProgressState } from './progress-state.ts';

export class GroupCommits {
  readonly progress = new ProgressState();
  readonly #cluster: Cluster;
  readonly #config: ConsumerConfig;
  readonly #committer: OffsetCommitter;
  readonly #onError: (error: MillraceError) => void;
  readonly #underWay = new Set<Promise<void>>();
  #incarnation = 0;
  #timer: Timer | undefined;
  #isAutoCommitting = false;

  /** `onError` hears of what was done in the background and failed. */
  constructor(
    cluster: Cluster,
    config: ConsumerConfig,
    handlers: CommitterHandlers,
    onError: (error: MillraceError) => void,
  ) {
    this.#cluster = cluster;
    this.#config = config;
    this.#onError = onError;
    this.#committer = new OffsetCommitter(cluster, config.groupId, handlers);
  }

  /** A life in the group begins; commits of the one before fail with `error`. */
  begin(incarnation: number, error: MillraceError): void {
    this.#incarnation = incarnation;
    this.#committer.begin(incarnation, error);
  }

  /** Commits progress at an interval from now on, if that is wanted. */
  start(): void {
    this.stop();
    if (!this.#config.enableAutoCommit) return;
    this.#timer = this.#cluster.clock.schedule(this.#config.autoCommitIntervalMs, () => {
      void this.#autoCommit();
      this.start();
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** When those under way have ended, well or not; or when the time is up. */
  async settled(timeoutMs?: number): Promise<void> {
    const { clock } = this.#cluster;
    const limits = timeoutMs === undefined ? {} : { timeoutMs };
    await withLimits(Promise.all(this.#underWay), limits, clock, tooLate).catch(() => {});
  }

  /** Commits of these partitions are not sent again: they are about to be others'. */
  giveUp(partitions: readonly TopicPartition[]): void {
    const text = 'the partition was given up before the commit succeeded';
    this.#committer.giveUp(partitions, new MillraceError('FENCED_MEMBER_EPOCH', text));
  }

  close(): void {
    this.stop();
    this.#committer.close();
  }

  /** What the program has finished with, of all partitions or of some. @throws as `commit`. */
  async commitProgress(
    partitions?: readonly TopicPartition[],
    timeoutMs: number = this.#cluster.config.requestTimeoutMs,
  ): Promise<void> {
    const offsets = this.progress.uncommitted(partitions);
    if (offsets.length > 0) await this.commit(offsets, { isMember: true, mayBeGone: true }, timeoutMs);
  }

  /** The same in the background, as far as that is done by itself. */
  commitProgressSoon(partitions?: readonly TopicPartition[]): void {
    if (!this.#config.enableAutoCommit) return;
    this.commitProgress(partitions).catch((error: unknown) => this.report(error));
  }

  /**
   * `mayBeGone`: progress in a topic that was deleted meanwhile means nothing to anyone.
   *
   * @throws {MillraceError} what the coordinator refused, or the last failure at the time limit.
   */
  async commit(
    offsets: readonly OffsetToCommit[],
    { isMember, mayBeGone }: { readonly isMember: boolean; readonly mayBeGone: boolean },
    timeoutMs: number,
  ): Promise<void> {
    const incarnation = this.#incarnation;
    const sent = this.#committer.commit(offsets, {
      incarnation: isMember ? incarnation : undefined,
      mayBeGone,
      timeoutMs,
    });
    const settled = sent.catch(() => {});
    this.#underWay.add(settled);
    void settled.then(() => this.#underWay.delete(settled));
    await sent;
    if (incarnation === this.#incarnation) this.progress.committed(offsets);
  }

  report(error: unknown): void {
    const { groupId } = this.#config;
    this.#cluster.logger.warn({ event: 'commit_failed', groupId, err: error }, 'progress was not committed');
    this.#onError(toMillraceError(error));
  }

  async #autoCommit(): Promise<void> {
    if (this.#isAutoCommitting) return;
    this.#isAutoCommitting = true;
    await this.commitProgress().catch((error: unknown) => this.report(error));
    this.#isAutoCommitting = false;
  }
}

function tooLate(): MillraceError {
  return new MillraceError('REQUEST_TIMED_OUT');
}
