/**
 * What a leader knows of its followers in one leader epoch, and what follows from it: the high watermark and
 * who is in sync. Rules P4, P7, P9, P11 of Kafka's replication with eligible leader replicas (KIP-497, KIP-841,
 * KIP-903, KIP-966). Pure: events in, decisions out; never reads a clock, a log or the network.
 *
 * "Acknowledged" is a follower's flushed offset: its log end for durability=page-cache, the end of what is on
 * stable storage for durability=fsync. A replica that fetches but cannot flush is not in sync.
 */
import { type ErrorCode, invariant, type NodeId } from '@millrace/core';
import type { PartitionImage } from '@millrace/metadata';

/** Whether a broker may be in an ISR now: registered with this epoch, not fenced, not shutting down, disk sound. */
export type ReplicaEligibility = (brokerId: NodeId, brokerEpoch: number) => boolean;

export interface LeaderStart {
  readonly self: NodeId;
  readonly selfBrokerEpoch: () => number;
  readonly image: PartitionImage;
  /** The log end when the epoch began. */
  readonly epochStartOffset: number;
  /** Of its own log, as it stands when asked. */
  readonly flushedOffset: () => number;
  readonly highWatermark: number;
  readonly minInSyncReplicas: number;
  readonly lagTimeMaxMs: number;
  readonly isEligible: ReplicaEligibility;
  readonly nowMs: number;
}

/** Where the leader's own log stands when an event arrives. */
export interface LeaderLog {
  readonly flushedOffset: number;
  readonly logEndOffset: number;
}

export interface FollowerPosition {
  readonly acknowledgedOffset: number;
  readonly logStartOffset: number;
  readonly brokerEpoch: number;
}

/** A change of the ISR for the controller to decide on. */
export interface IsrProposal {
  readonly leaderEpoch: number;
  readonly partitionEpoch: number;
  readonly isr: readonly { readonly brokerId: NodeId; readonly brokerEpoch: number }[];
}

export interface IsrAnswer {
  readonly failure: ErrorCode | undefined;
  readonly leaderEpoch: number;
  readonly partitionEpoch: number;
  readonly isr: readonly NodeId[];
}

/** What became of a proposal: retry it, or nothing more to do until metadata or followers move. */
export type IsrOutcome = 'adopted' | 'rolledBack' | 'retry' | 'awaitMetadata';

interface Follower {
  readonly id: NodeId;
  brokerEpoch: number;
  /** -1 until it fetched in this leader epoch: it then holds the high watermark back. */
  acknowledgedOffset: number;
  logStartOffset: number;
  lastCaughtUpMs: number;
  /** Reaching `markOffset` proves that the follower was caught up at `markMs`. */
  markOffset: number;
  markMs: number;
  inIsr: boolean;
  inMaximalIsr: boolean;
  /** Set when the controller refused it: no new proposal before. */
  refusedUntilMs: number;
}

/** How long a refused follower is not proposed again, unless its broker changes meanwhile. */
export const REFUSAL_MS = 500;

export class LeaderState {
  readonly leaderEpoch: number;
  readonly epochStartOffset: number;
  readonly #self: NodeId;
  readonly #selfBrokerEpoch: () => number;
  readonly #flushedOffset: () => number;
  readonly #isEligible: ReplicaEligibility;
  readonly #lagTimeMaxMs: number;
  #followers: readonly Follower[];
  #partitionEpoch: number;
  #isr: readonly NodeId[];
  #maximalIsrSize: number;
  #pending: IsrProposal | undefined;
  #highWatermark: number;
  #minInSyncReplicas: number;
  /** Elected uncleanly, and the controller has not heard yet that the loss is dealt with. */
  #isRecovering: boolean;

  constructor(start: LeaderStart) {
    const { image } = start;
    this.leaderEpoch = image.leaderEpoch;
    this.epochStartOffset = start.epochStartOffset;
    this.#self = start.self;
    this.#selfBrokerEpoch = start.selfBrokerEpoch;
    this.#flushedOffset = start.flushedOffset;
    this.#isEligible = start.isEligible;
    this.#lagTimeMaxMs = start.lagTimeMaxMs;
    this.#partitionEpoch = image.partitionEpoch;
    this.#isr = image.isr;
    this.#maximalIsrSize = image.isr.length;
    this.#highWatermark = start.highWatermark;
    this.#minInSyncReplicas = start.minInSyncReplicas;
    this.#isRecovering = image.recovering;
    this.#followers = [];
    this.#adopt(image.replicas, image.isr, start.nowMs);
  }

  get highWatermark(): number {
    return this.#highWatermark;
  }

  get partitionEpoch(): number {
    return this.#partitionEpoch;
  }

  /** As committed by the controller. */
  get isr(): readonly NodeId[] {
    return this.#isr;
  }

  get pending(): IsrProposal | undefined {
    return this.#pending;
  }

  /** Committed members and those proposed: a proposal may be in force before its answer arrives (KIP-497). */
  get maximalIsr(): readonly NodeId[] {
    const joining = this.#followers.filter((follower) => follower.inMaximalIsr && !follower.inIsr);
    return [...this.#isr, ...joining.map((follower) => follower.id)];
  }

  /** `min.insync.replicas`, but never more than there are replicas. */
  get minInSyncReplicas(): number {
    return Math.min(this.#minInSyncReplicas, this.#followers.length + 1);
  }

  setMinInSyncReplicas(count: number): void {
    this.#minInSyncReplicas = count;
  }

  /** Enough committed members to accept acks=all and to move the high watermark. */
  get hasEnoughReplicas(): boolean {
    return this.#isr.length >= this.minInSyncReplicas;
  }

  get hasEnoughMaximalReplicas(): boolean {
    return this.#maximalIsrSize >= this.minInSyncReplicas;
  }

  get isUnderReplicated(): boolean {
    return this.#isr.length < this.#followers.length + 1;
  }

  /** P7: before this, a former leader may have shown its readers a higher watermark. */
  get isHighWatermarkMonotonic(): boolean {
    return this.#highWatermark >= this.epochStartOffset;
  }

  /**
   * A follower whose log was found to be a prefix of the leader's stands here. Positions of an older life of
   * the broker are ignored. Call `advanceHighWatermark` and `proposeExpansion` afterwards.
   */
  followerMoved(brokerId: NodeId, position: FollowerPosition, logEndOffset: number, nowMs: number): void {
    const follower = this.#follower(brokerId);
    if (follower === undefined || position.brokerEpoch < follower.brokerEpoch) return;
    follower.brokerEpoch = position.brokerEpoch;
    const acknowledged = Math.min(position.acknowledgedOffset, logEndOffset);
    follower.acknowledgedOffset = acknowledged;
    follower.logStartOffset = position.logStartOffset;
    if (acknowledged >= logEndOffset) {
      follower.lastCaughtUpMs = nowMs;
    } else if (acknowledged >= follower.markOffset) {
      follower.lastCaughtUpMs = Math.max(follower.lastCaughtUpMs, follower.markMs);
    } else {
      return;
    }
    follower.markOffset = logEndOffset;
    follower.markMs = nowMs;
  }

  /** P4. @returns whether it moved. */
  advanceHighWatermark(log: LeaderLog, nowMs: number): boolean {
    if (this.#isr.length < this.minInSyncReplicas) return false;
    let offset = log.flushedOffset;
    for (const follower of this.#followers) {
      if (follower.acknowledgedOffset >= offset) continue;
      if (follower.inMaximalIsr || this.#mayJoin(follower, log.logEndOffset, nowMs)) {
        offset = follower.acknowledgedOffset;
      }
    }
    if (offset <= this.#highWatermark) return false;
    this.#highWatermark = offset;
    return true;
  }

  /** P9: the ISR with this follower, if it may join now. The proposal is pending from here on. */
  proposeExpansion(brokerId: NodeId, logEndOffset: number, nowMs: number): IsrProposal | undefined {
    const follower = this.#follower(brokerId);
    if (follower === undefined || follower.inMaximalIsr || !this.#mayPropose) return undefined;
    if (!this.#mayJoin(follower, logEndOffset, nowMs) || nowMs < follower.refusedUntilMs) return undefined;
    follower.inMaximalIsr = true;
    this.#maximalIsrSize += 1;
    return this.#propose((other) => other.inIsr || other === follower);
  }

  /** P9 for everybody who waits: after a broker or the watermark changed. Joins all who may in one proposal. */
  proposeExpansions(logEndOffset: number, nowMs: number): IsrProposal | undefined {
    if (!this.#mayPropose || !this.isUnderReplicated) return undefined;
    const joining = this.#followers.filter(
      (follower) =>
        !follower.inIsr && nowMs >= follower.refusedUntilMs && this.#mayJoin(follower, logEndOffset, nowMs),
    );
    if (joining.length === 0) return undefined;
    for (const follower of joining) follower.inMaximalIsr = true;
    this.#maximalIsrSize = this.#isr.length + joining.length;
    return this.#propose((other) => other.inIsr || joining.includes(other));
  }

  /**
   * After an unclean election: tells the controller that the loss is dealt with, once what this leader began with is on
   * its disk. From then on it counts as a member that holds everything, also when it comes back from a crash (P8).
   * Call it after a flush, and again later: an answer may be a refusal that had to do with something else.
   */
  proposeRecovered(): IsrProposal | undefined {
    if (!this.#isRecovering || !this.#mayPropose) return undefined;
    return this.#propose((follower) => follower.inIsr);
  }

  /** P9: the ISR without members that lag. They count until the controller confirms. Call it periodically. */
  proposeShrink(logEndOffset: number, nowMs: number): IsrProposal | undefined {
    let isLagging = false;
    for (const follower of this.#followers) {
      if (follower.acknowledgedOffset >= logEndOffset) {
        follower.lastCaughtUpMs = nowMs;
        follower.markOffset = logEndOffset;
        follower.markMs = nowMs;
      } else if (follower.inIsr && this.#lags(follower, nowMs)) {
        isLagging = true;
      }
    }
    if (!isLagging || !this.#mayPropose) return undefined;
    return this.#propose(
      (follower) =>
        follower.inIsr && !(follower.acknowledgedOffset < logEndOffset && this.#lags(follower, nowMs)),
    );
  }

  /** P11. Call `advanceHighWatermark` afterwards: the ISR may have changed. */
  answered(proposal: IsrProposal, answer: IsrAnswer, nowMs: number): IsrOutcome {
    if (answer.failure === undefined) {
      const isNewest = answer.partitionEpoch >= this.#partitionEpoch;
      if (answer.leaderEpoch !== this.leaderEpoch || !isNewest) return 'awaitMetadata';
      this.#partitionEpoch = answer.partitionEpoch;
      // Every proposal says so.
      this.#isRecovering = false;
      this.#adopt(undefined, answer.isr, nowMs);
      return 'adopted';
    }
    if (this.#pending !== proposal) return 'awaitMetadata';
    switch (answer.failure) {
      case 'INELIGIBLE_REPLICA':
        this.#rollBack(nowMs);
        return 'rolledBack';
      case 'INVALID_UPDATE_VERSION':
      case 'FENCED_LEADER_EPOCH':
      case 'INVALID_REQUEST':
      case 'UNKNOWN_TOPIC_OR_PARTITION':
      case 'UNKNOWN_TOPIC_ID':
        return 'awaitMetadata';
      default:
        // Unknown outcome: it may have been applied, so its additions keep counting.
        return 'retry';
    }
  }

  /** Committed metadata of this leader epoch. @returns whether it was news. */
  metadataChanged(image: PartitionImage, nowMs: number): boolean {
    invariant(image.leaderEpoch === this.leaderEpoch, 'another epoch is another state', {
      epoch: this.leaderEpoch,
      other: image.leaderEpoch,
    });
    if (image.partitionEpoch <= this.#partitionEpoch) return false;
    this.#partitionEpoch = image.partitionEpoch;
    this.#isRecovering = image.recovering;
    this.#adopt(image.replicas, image.isr, nowMs);
    return true;
  }

  /** A broker's standing changed: refusals that rested on the old one are void. */
  brokerChanged(brokerId: NodeId): void {
    const follower = this.#follower(brokerId);
    if (follower !== undefined) follower.refusedUntilMs = 0;
  }

  /** One proposal at a time, and none that ends the recovery too early. */
  get #mayPropose(): boolean {
    if (this.#pending !== undefined) return false;
    return !this.#isRecovering || this.#flushedOffset() >= this.epochStartOffset;
  }

  #follower(brokerId: NodeId): Follower | undefined {
    for (const follower of this.#followers) if (follower.id === brokerId) return follower;
    return undefined;
  }

  /**
   * At the watermark, in this epoch, on a broker that counts, and keeping up: without the last, a follower that
   * was removed for its lag would be let in again while the watermark stands still for want of replicas.
   * The watermark waits for whoever may join, or it could run ahead of the follower for ever.
   */
  #mayJoin(follower: Follower, logEndOffset: number, nowMs: number): boolean {
    return (
      follower.acknowledgedOffset >= this.#highWatermark &&
      follower.acknowledgedOffset >= this.epochStartOffset &&
      (follower.acknowledgedOffset >= logEndOffset || !this.#lags(follower, nowMs)) &&
      this.#isEligible(follower.id, follower.brokerEpoch)
    );
  }

  #lags(follower: Follower, nowMs: number): boolean {
    return nowMs - follower.lastCaughtUpMs > this.#lagTimeMaxMs;
  }

  #propose(stays: (follower: Follower) => boolean): IsrProposal {
    const members = this.#followers
      .filter(stays)
      .map(({ id, brokerEpoch }) => ({ brokerId: id, brokerEpoch }));
    this.#pending = {
      leaderEpoch: this.leaderEpoch,
      partitionEpoch: this.#partitionEpoch,
      isr: [{ brokerId: this.#self, brokerEpoch: this.#selfBrokerEpoch() }, ...members],
    };
    return this.#pending;
  }

  #rollBack(nowMs: number): void {
    for (const follower of this.#followers) {
      if (follower.inMaximalIsr && !follower.inIsr) follower.refusedUntilMs = nowMs + REFUSAL_MS;
      follower.inMaximalIsr = follower.inIsr;
    }
    this.#maximalIsrSize = this.#isr.length;
    this.#pending = undefined;
  }

  #adopt(replicas: readonly NodeId[] | undefined, isr: readonly NodeId[], nowMs: number): void {
    this.#isr = isr;
    this.#maximalIsrSize = isr.length;
    this.#pending = undefined;
    if (replicas !== undefined) {
      this.#followers = replicas
        .filter((id) => id !== this.#self)
        .map((id) => this.#follower(id) ?? newFollower(id, isr.includes(id) ? nowMs : -Infinity));
    }
    for (const follower of this.#followers) {
      follower.inIsr = isr.includes(follower.id);
      follower.inMaximalIsr = follower.inIsr;
    }
  }
}

/** Members of an ISR start with the benefit of the doubt: as if they had been caught up just now. */
function newFollower(id: NodeId, lastCaughtUpMs: number): Follower {
  return {
    id,
    brokerEpoch: -1,
    acknowledgedOffset: -1,
    logStartOffset: 0,
    lastCaughtUpMs,
    markOffset: -1,
    markMs: -Infinity,
    inIsr: false,
    inMaximalIsr: false,
    refusedUntilMs: 0,
  };
}
