/**
 * When a damaged replica may be emptied, and when the controller may count on it again. Pure; never touches the log.
 *
 * A leader keeps what a follower acknowledged, and an acknowledgement may be on its way for long. So whoever was emptied
 * is reported as failed, which keeps it out of the in-sync set, until it holds all that it ever acknowledged in the leader
 * epoch, or all that the leader had committed when it last answered and so knew where the replica stands now, or until the
 * next epoch makes those acknowledgements void (P7, P9).
 */
export class RepairState {
  #acknowledged: { readonly leaderEpoch: number; readonly offset: number } | undefined;
  /** As the leader told it since; undefined before its first answer. */
  #watermark: number | undefined;
  /** It said that it is sound, and the metadata here is from before. */
  #showsOldFailure = false;

  /** Emptied, and without all that it acknowledged. */
  get isIncomplete(): boolean {
    return this.#acknowledged !== undefined;
  }

  /** @param offset no acknowledgement in `leaderEpoch` was above it. */
  emptied(leaderEpoch: number, offset: number): void {
    const before = this.#acknowledged?.leaderEpoch === leaderEpoch ? this.#acknowledged.offset : 0;
    this.#acknowledged = { leaderEpoch, offset: Math.max(before, offset) };
    this.#watermark = undefined;
  }

  /** The leader answered a fetch. */
  answered(highWatermark: number): void {
    this.#watermark = highWatermark;
  }

  /** @returns whether it is complete from now on: time to say so. */
  moved(leaderEpoch: number, flushedOffset: number, isKnownToFail: boolean): boolean {
    const due = this.#acknowledged;
    if (due === undefined) return false;
    const wanted = Math.min(due.offset, this.#watermark ?? Number.POSITIVE_INFINITY);
    if (leaderEpoch <= due.leaderEpoch && flushedOffset < wanted) return false;
    this.#acknowledged = undefined;
    this.#showsOldFailure = isKnownToFail;
    return true;
  }

  /** @param isKnownToFail the metadata that this broker has applied says that the replica's disk failed. */
  metadataChanged(isKnownToFail: boolean): void {
    if (!isKnownToFail) this.#showsOldFailure = false;
  }

  /**
   * Metadata that does not know of the failure may be older than the replica's return to the in-sync set; once it does,
   * nobody lets the replica in before it says that it is sound.
   */
  mayEmpty(isKnownToFail: boolean): boolean {
    return isKnownToFail && !this.#showsOldFailure;
  }
}
