/**
 * One replica on this broker: joins its log with what metadata says about it. As leader it appends, counts
 * acknowledgements and wakes whoever waits; as follower it takes what the leader sends. Synchronous except for
 * truncation and repair, during which newer metadata waits. Never talks to another broker.
 */
import {
  type Clock,
  type ErrorCode,
  formatTopicPartition,
  invariant,
  type Logger,
  type MillraceError,
  type NodeId,
  type TopicId,
} from '@millrace/core';
import { isInternalTopic, type PartitionImage, type TopicConfig } from '@millrace/metadata';
import type { EpochEndOffset, LeaderAppend, LogConfig, PartitionLog } from '@millrace/storage';
import { AckQueue } from './ack-queue.ts';
import { failure } from './failure.ts';
import {
  type FollowerPosition,
  type IsrAnswer,
  type IsrOutcome,
  type IsrProposal,
  LeaderState,
} from './leader-state.ts';
import { RepairState } from './repair-state.ts';

/** The broker around a partition. One object for all partitions, so that none needs closures of its own. */
export interface PartitionHost {
  readonly nodeId: NodeId;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly lagTimeMaxMs: number;
  brokerEpoch(): number;
  isEligible(brokerId: NodeId, brokerEpoch: number): boolean;
  isrProposed(partition: Partition, proposal: IsrProposal): void;
  /** More of a replica's log is on stable storage. */
  flushed(partition: Partition): void;
  /** Role, leader, epoch or disk changed. */
  roleChanged(partition: Partition): void;
  /** `isFailed` changed. */
  failureChanged(partition: Partition): void;
}

/** A follower's fetch position at its leader. Called on every append and move of the watermark: must be cheap. */
export interface FollowerWatcher {
  appended(): void;
  watermarkMoved(): void;
}

/** A consumer's fetch that waits. Called inside an append: may only take note. */
export interface ReaderWatcher {
  wake(): void;
}

const NOT_LEADER = failure('NOT_LEADER_OR_FOLLOWER');

export class Partition {
  readonly topicId: TopicId;
  readonly topic: string;
  readonly index: number;
  /** Written by a coordinator only. */
  readonly isInternal: boolean;
  readonly acks = new AckQueue();
  /** Replication sessions that hold a position here. Owned by the sessions. */
  readonly followers: FollowerWatcher[] = [];
  /** Parked consumer fetches. Owned by the fetches. */
  readonly readers = new Set<ReaderWatcher>();
  #appendedBytes = 0;
  #committedBytes = 0;
  readonly #host: PartitionHost;
  #image: PartitionImage;
  #config: TopicConfig;
  #log: PartitionLog | undefined;
  #leader: LeaderState | undefined;
  #appliedEpoch = -1;
  #isBusy = false;
  readonly #repair = new RepairState();
  #isClosed = false;
  /** Why there is no log. */
  #openFailure: MillraceError | undefined;

  constructor(host: PartitionHost, topic: string, image: PartitionImage, config: TopicConfig) {
    this.#host = host;
    this.topic = topic;
    this.topicId = image.topicId;
    this.index = image.partition;
    this.isInternal = isInternalTopic(topic);
    this.#image = image;
    this.#config = config;
  }

  /** The newest that metadata says; roles follow it as soon as the log is free. */
  get image(): PartitionImage {
    return this.#image;
  }

  /** @throws {InvariantError} before the log is open. */
  get log(): PartitionLog {
    invariant(this.#log !== undefined, 'the log is open', { partition: this.name });
    return this.#log;
  }

  get isOpen(): boolean {
    return this.#log !== undefined;
  }

  get name(): string {
    return formatTopicPartition({ topic: this.topic, partition: this.index });
  }

  get leader(): LeaderState | undefined {
    return this.#leader;
  }

  get offline(): MillraceError | undefined {
    return this.#log?.offline ?? this.#openFailure;
  }

  /** The controller must not count on this replica: it is offline, or was emptied and lacks what it acknowledged. */
  get isFailed(): boolean {
    return this.offline !== undefined || this.#repair.isIncomplete;
  }

  /** Follows a leader in the epoch of `image`, and its log is free to take records. */
  get isFollowing(): boolean {
    const { leader } = this.#image;
    return this.#isSettled && leader !== -1 && leader !== this.#host.nodeId;
  }

  /** Metadata made this replica leader, but its log is not open or not free yet. */
  get isBecomingLeader(): boolean {
    return (
      this.#image.leader === this.#host.nodeId &&
      this.#leader === undefined &&
      this.offline === undefined &&
      !this.#isClosed
    );
  }

  get highWatermark(): number {
    return this.#leader?.highWatermark ?? this.#log?.highWatermark ?? 0;
  }

  get #isSettled(): boolean {
    return (
      !this.#isClosed &&
      !this.#isBusy &&
      this.#log !== undefined &&
      this.#log.offline === undefined &&
      this.#appliedEpoch === this.#image.leaderEpoch
    );
  }

  /** Bytes appended since this object exists. With `committedBytes` it bounds what a waiting reader gained. */
  get appendedBytes(): number {
    return this.#appendedBytes;
  }

  /** Of `appendedBytes`, how many were below the high watermark when it last met the log end. */
  get committedBytes(): number {
    return this.#committedBytes;
  }

  opened(log: PartitionLog): void {
    this.#log = log;
    if (this.#isClosed) return;
    log.onFlushed(() => this.#flushed());
    log.onOffline = (error) => this.#wentOffline(error);
    if (log.offline !== undefined) this.#wentOffline(log.offline);
    else this.#settle();
  }

  /** There is no log, and the disk is to blame: offline until the node is started again. */
  openFailed(error: MillraceError): void {
    this.#openFailure = error;
    if (!this.#isClosed) this.#wentOffline(error);
  }

  metadataChanged(image: PartitionImage): void {
    if (image.leaderEpoch < this.#image.leaderEpoch) return;
    this.#image = image;
    this.#repair.metadataChanged(this.#isKnownToFail);
    this.#settle();
    this.#noteRepair();
  }

  /** The topic's settings in force. */
  get config(): TopicConfig {
    return this.#config;
  }

  configChanged(config: TopicConfig, logConfig: LogConfig): void {
    this.#config = config;
    this.#log?.setConfig(logConfig);
    this.#leader?.setMinInSyncReplicas(config['min.insync.replicas']);
    this.#advance();
  }

  /** Why this replica cannot serve as leader now; undefined if it can. `epoch` is the caller's view, -1 for none. */
  leaderFault(epoch: number): ErrorCode | undefined {
    const current = this.#image.leaderEpoch;
    if (epoch !== -1 && epoch !== current) {
      return epoch < current ? 'FENCED_LEADER_EPOCH' : 'UNKNOWN_LEADER_EPOCH';
    }
    if (this.offline !== undefined) return 'KAFKA_STORAGE_ERROR';
    return this.#leader === undefined ? 'NOT_LEADER_OR_FOLLOWER' : undefined;
  }

  /** Leader only: `leaderFault` is undefined. @throws {MillraceError} as the log does; nothing is appended then. */
  append(batch: Buffer, mayBeginAnywhere = false): LeaderAppend {
    const leader = this.#leader;
    invariant(leader !== undefined, 'only a leader appends', { partition: this.name });
    const result = this.log.appendAsLeader(batch, leader.leaderEpoch, mayBeginAnywhere);
    if (!result.duplicate) {
      this.#appendedBytes += batch.length;
      for (const follower of this.followers) follower.appended();
      this.#advance();
    }
    return result;
  }

  /** A follower whose log is a prefix of ours stands at `position`. Only with positions of this leader epoch. */
  followerMoved(brokerId: NodeId, position: FollowerPosition): void {
    const leader = this.#leader;
    if (leader === undefined) return;
    const { clock } = this.#host;
    leader.followerMoved(brokerId, position, this.log.logEndOffset, clock.nowMs());
    this.#advance();
    if (leader.isUnderReplicated) {
      this.#propose(leader.proposeExpansion(brokerId, this.log.logEndOffset, clock.nowMs()));
    }
  }

  /** The replica holds everything below our watermark: it could not have moved, or been ours, otherwise (P4, P13). */
  reliesOn(brokerId: NodeId): boolean {
    return this.#image.elr.includes(brokerId) || this.#leader?.maximalIsr.includes(brokerId) === true;
  }

  /** Periodic: who lags, who may join. */
  checkIsr(): void {
    const leader = this.#leader;
    if (leader === undefined) return;
    const nowMs = this.#host.clock.nowMs();
    const { logEndOffset } = this.log;
    const change = leader.proposeShrink(logEndOffset, nowMs) ?? leader.proposeExpansions(logEndOffset, nowMs);
    this.#propose(change ?? leader.proposeRecovered());
    // Time alone can end the wait for a follower that might have joined.
    this.#advance();
  }

  /** Leader: the log start moved; followers hear of it with their next answer. */
  announceLogStart(): void {
    for (const follower of this.followers) follower.watermarkMoved();
  }

  /** A broker was fenced, unfenced or registered: followers on it may join now. */
  brokerChanged(brokerId: NodeId): void {
    const leader = this.#leader;
    if (leader === undefined || !leader.isUnderReplicated) return;
    leader.brokerChanged(brokerId);
    this.#expand(leader);
    this.#advance();
  }

  isrAnswered(proposal: IsrProposal, answer: IsrAnswer): IsrOutcome {
    const leader = this.#leader;
    if (leader === undefined || leader.leaderEpoch !== proposal.leaderEpoch) return 'awaitMetadata';
    const outcome = leader.answered(proposal, answer, this.#host.clock.nowMs());
    this.#advance();
    if (outcome === 'adopted') this.#expand(leader);
    return outcome;
  }

  /**
   * Follower only, in the epoch that the records were fetched in.
   * @throws {MillraceError} CORRUPT_MESSAGE and the like: nothing was appended.
   */
  appendFetched(records: Buffer): void {
    invariant(this.isFollowing, 'only a follower takes records', { partition: this.name });
    this.log.appendAsFollower(records);
    this.#appendedBytes += records.length;
  }

  /** What the leader says of its watermark and log start, as far as our log reaches. */
  followLeader(highWatermark: number, logStartOffset: number): void {
    const { log } = this;
    const watermark = Math.min(highWatermark, log.logEndOffset);
    // What is committed stays committed, even if a new leader has yet to learn how far that reaches (P7).
    if (watermark > log.highWatermark) log.setHighWatermark(watermark);
    const start = Math.min(logStartOffset, log.highWatermark);
    if (start > log.logStartOffset) {
      log.deleteRecordsBefore(start).catch((error: unknown) => {
        this.#host.logger.warn(
          { event: 'log_start_failed', partition: this.name, err: error },
          'records that the leader deleted stay',
        );
      });
    }
    this.#repair.answered(highWatermark);
    this.#noteRepair();
  }

  /**
   * P17: cuts what the leader of this epoch does not have. Metadata waits meanwhile. At its log start the leader's word
   * ends: what we hold below may be anything, and is deleted there.
   */
  async truncate(diverging: EpochEndOffset, leaderLogStart: number): Promise<void> {
    const { log } = this;
    const own = log.endOffsetForEpoch(diverging.epoch);
    const target = own.epoch === -1 ? diverging.endOffset : Math.min(diverging.endOffset, own.endOffset);
    if (target < log.highWatermark) {
      this.#host.logger.error(
        { event: 'committed_truncated', partition: this.name, target, highWatermark: log.highWatermark },
        'the leader lacks records below the high watermark; they are given up',
      );
      log.setHighWatermark(Math.max(target, 0));
    }
    const isWhole = target === log.logEndOffset && own.epoch === diverging.epoch;
    if (isWhole && own.epoch === log.lastEpoch && target === log.highWatermark) {
      // All of it was committed, and what it tells of producers still holds: only the records go.
      await this.#exclusively(() => log.deleteRecordsBefore(target));
      return;
    }
    // All that differs may be leaderships that wrote nothing.
    const isSame = isWhole && own.epoch !== log.lastEpoch;
    const isAllDeletedThere = !isSame && target <= leaderLogStart && log.logStartOffset < leaderLogStart;
    // The leader never had our start, or surely not what we deleted right below it: begin where it does, or that is missing.
    const deletedEpoch = target === diverging.endOffset ? log.epochAt(target - 1) : -1;
    const isForeignBelow = leaderLogStart < target && deletedEpoch !== -1 && deletedEpoch !== diverging.epoch;
    const isForeign = target < log.logStartOffset || (target === log.logStartOffset && isForeignBelow);
    if (isAllDeletedThere || isForeign) await this.restartAt(leaderLogStart);
    else await this.#exclusively(() => log.truncateTo(target));
  }

  /** The leader's log begins above our end, or ours is empty elsewhere: begin again where it begins. */
  async restartAt(offset: number): Promise<void> {
    await this.#exclusively(() => this.log.truncateFullyAndStartAt(offset));
  }

  /** Gives up a damaged log and begins an empty one, to be filled by the leader. */
  async repair(): Promise<void> {
    this.#host.logger.warn(
      { event: 'repair_started', partition: this.name },
      'the damaged replica is fetched again',
    );
    this.#repair.emptied(this.#image.leaderEpoch, this.log.flushedOffset);
    await this.#exclusively(() => this.log.resetForRepair(0));
    this.#noteRepair();
  }

  /** Damaged, not relied on by anybody, and another replica leads. */
  get canBeRepaired(): boolean {
    const { leader, isr, elr } = this.#image;
    const self = this.#host.nodeId;
    return (
      this.#log?.offline?.code === 'LOG_DAMAGED' &&
      this.#repair.mayEmpty(this.#isKnownToFail) &&
      !this.#isBusy &&
      leader !== -1 &&
      leader !== self &&
      !isr.includes(self) &&
      !elr.includes(self)
    );
  }

  #noteRepair(): void {
    if (!this.#repair.isIncomplete || this.offline !== undefined) return;
    const { leaderEpoch } = this.#image;
    if (this.#repair.moved(leaderEpoch, this.log.flushedOffset, this.#isKnownToFail)) {
      this.#host.failureChanged(this);
    }
  }

  /** The metadata that this broker has applied says that the replica's disk failed. */
  get #isKnownToFail(): boolean {
    return this.#image.offline.includes(this.#host.nodeId);
  }

  /** No more service from here on; whoever waits is answered. The log stays open. */
  close(): void {
    this.#isClosed = true;
    this.#resign();
  }

  /** Adopts the role that `image` gives, unless the log is busy or away. */
  #settle(): void {
    if (this.#isClosed || this.#isBusy || this.#log === undefined || this.#log.offline !== undefined) return;
    const image = this.#image;
    const isNewEpoch = image.leaderEpoch !== this.#appliedEpoch;
    const leads = image.leader === this.#host.nodeId;
    if (isNewEpoch || !leads) this.#resign();
    this.#appliedEpoch = image.leaderEpoch;
    if (leads && isNewEpoch) this.#lead(this.#log);
    else if (this.#leader?.metadataChanged(image, this.#host.clock.nowMs())) this.#expand(this.#leader);
    this.#advance();
    if (isNewEpoch) this.#host.roleChanged(this);
  }

  #lead(log: PartitionLog): void {
    const host = this.#host;
    const image = this.#image;
    const epochStartOffset = log.logEndOffset;
    try {
      if (log.lastEpoch !== image.leaderEpoch) log.assignEpoch(image.leaderEpoch, epochStartOffset);
    } catch (error) {
      // The log reports its failing disk through onOffline; a leader without a recorded epoch must not serve.
      host.logger.error({ event: 'lead_failed', partition: this.name, err: error }, 'cannot lead');
      return;
    }
    this.#leader = new LeaderState({
      self: host.nodeId,
      selfBrokerEpoch: () => host.brokerEpoch(),
      image,
      epochStartOffset,
      flushedOffset: () => log.flushedOffset,
      highWatermark: log.highWatermark,
      minInSyncReplicas: this.#config['min.insync.replicas'],
      lagTimeMaxMs: host.lagTimeMaxMs,
      // A replica whose disk failed cannot join, and the watermark must not wait for it.
      isEligible: (id, epoch) => host.isEligible(id, epoch) && !this.#image.offline.includes(id),
      nowMs: host.clock.nowMs(),
    });
    this.#propose(this.#leader.proposeRecovered());
  }

  #resign(): void {
    const wasLeader = this.#leader !== undefined;
    this.#leader = undefined;
    if (!wasLeader) return;
    this.acks.failAll(NOT_LEADER);
    for (const reader of this.readers) reader.wake();
  }

  /** Leader: moves the watermark if it may move, and wakes whom that concerns. */
  #advance(): void {
    const leader = this.#leader;
    if (leader === undefined) return;
    const { log } = this;
    if (!leader.advanceHighWatermark(log, this.#host.clock.nowMs())) return;
    const { highWatermark } = leader;
    log.setHighWatermark(highWatermark);
    if (highWatermark === log.logEndOffset) this.#committedBytes = this.#appendedBytes;
    if (this.acks.size > 0) {
      const outcome = leader.hasEnoughMaximalReplicas
        ? undefined
        : failure('NOT_ENOUGH_REPLICAS_AFTER_APPEND');
      this.acks.complete(highWatermark, outcome);
    }
    for (const follower of this.followers) follower.watermarkMoved();
    for (const reader of this.readers) reader.wake();
  }

  #flushed(): void {
    this.#advance();
    this.#propose(this.#leader?.proposeRecovered());
    this.#noteRepair();
    if (!this.#isClosed) this.#host.flushed(this);
  }

  #wentOffline(error: MillraceError): void {
    this.#host.logger.error(
      { event: 'replica_offline', partition: this.name, code: error.code },
      'the replica is offline: its disk or its files failed',
    );
    this.#appliedEpoch = -1;
    this.#leader = undefined;
    this.acks.failAll(failure('KAFKA_STORAGE_ERROR', error.message));
    for (const reader of this.readers) reader.wake();
    this.#host.roleChanged(this);
  }

  #propose(proposal: IsrProposal | undefined): void {
    if (proposal !== undefined) this.#host.isrProposed(this, proposal);
  }

  /**
   * Proposes whoever may join now. Needed after each end of a proposal: a follower that came to stand in sync while
   * one was pending was passed over, and on an idle partition it does not move again.
   */
  #expand(leader: LeaderState): void {
    this.#propose(leader.proposeExpansions(this.log.logEndOffset, this.#host.clock.nowMs()));
  }

  async #exclusively(operation: () => Promise<void>): Promise<void> {
    invariant(!this.#isBusy, 'one change of the log at a time', { partition: this.name });
    this.#isBusy = true;
    // Taken up afresh afterwards, whatever the epoch is then.
    this.#appliedEpoch = -1;
    try {
      await operation();
    } finally {
      this.#isBusy = false;
      this.#settle();
    }
  }
}
