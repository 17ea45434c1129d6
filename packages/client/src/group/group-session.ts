/**
 * A consumer's place in its group: joins, takes over and gives up partitions one by one, commits progress, leaves. Gives
 * nothing up while the program still works on it, as long as the group waits; commits nothing that is not finished; and
 * partitions that do not move are never touched.
 */
import { formatTopicPartition, MillraceError, randomUuid, type TopicPartition } from '@millrace/core';
import type { OffsetToCommit } from '@millrace/protocol';
import type { ConsumerConfig } from '../client-config.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { AssignedPartitions } from '../consumer/assigned-partitions.ts';
import type { FetchPositionState } from '../consumer/fetch-position-state.ts';
import { HandOut } from '../consumer/hand-out.ts';
import { CallbackQueue } from './callback-queue.ts';
import { GroupCommits } from './group-commits.ts';
import { findStarts } from './group-positions.ts';
import type { GroupCallbacks, Stall } from './group-shapes.ts';
import { Heartbeats } from './heartbeats.ts';
import { type Held, HeldPartitions } from './held-partitions.ts';
import { type GroupPartitionKey, MembershipState, type Subscription } from './membership-state.ts';
import { MissingTopics } from './missing-topics.ts';
import { StallWatch } from './stall-watch.ts';

/** Of the rebalance timeout: a member that lets go in time is not expelled. */
const REVOKE_SHARE = 0.9;
/** For what should be quick and must not hold up what comes after. */
const PARTING_MAX_MS = 5_000;

export class GroupSession<K, V> {
  readonly hands: HandOut<K, V>;
  readonly #cluster: Cluster;
  readonly #config: ConsumerConfig;
  readonly #partitions: AssignedPartitions<K, V>;
  readonly #membership: MembershipState;
  readonly #heartbeats: Heartbeats;
  readonly #commits: GroupCommits;
  readonly #watch: StallWatch;
  readonly #calls: CallbackQueue;
  readonly #missing: MissingTopics;
  readonly #held: HeldPartitions<K, V>;
  readonly #adding = new Set<GroupPartitionKey>();
  readonly #ended = new AbortController();
  #callbacks: GroupCallbacks = {};
  #failure: MillraceError | undefined;
  #isSubscribed = false;
  #isStalled = false;
  #isDeparting = false;
  #leaving: Promise<void> = Promise.resolve();

  /** `owner` marks the surroundings of callbacks. */
  constructor(cluster: Cluster, config: ConsumerConfig, partitions: AssignedPartitions<K, V>, owner: object) {
    this.#cluster = cluster;
    this.#config = config;
    this.#partitions = partitions;
    const memberId = randomUuid(cluster.random);
    this.#membership = new MembershipState({
      memberId,
      groupInstanceId: config.groupInstanceId || undefined,
      rackId: config.rack || undefined,
      serverAssignor: config.serverAssignor || undefined,
      rebalanceTimeoutMs: config.rebalanceTimeoutMs,
    });
    this.hands = new HandOut(cluster.clock, partitions, {
      onFinished: (partition, next, epoch) => this.#commits.progress.finished(partition, next, epoch),
      onDropped: (partition) => this.#onDropped(partition),
    });
    this.#watch = new StallWatch(cluster.clock, config.maxPollIntervalMs, this.hands.state, (stall) =>
      this.#onStalled(stall),
    );
    this.#missing = new MissingTopics(cluster, config.groupId);
    this.#calls = new CallbackQueue(owner, cluster.clock, config.rebalanceTimeoutMs);
    this.#heartbeats = new Heartbeats(cluster, config.groupId, this.#membership, {
      reason: () => this.#slowness(),
      onAssignment: () => this.#reconcile(),
      onAnswered: () => this.#partitions.announce(),
      onFenced: (error) => void this.#rejoin(error),
      onFailed: (error) => this.#fail(error),
      onInstanceInUse: (error) => this.#callbacks.onError?.(error),
    });
    const handlers = {
      senderId: memberId,
      identity: () => this.#identity(),
      onDoubt: () => this.#doubt(),
    };
    this.#commits = new GroupCommits(cluster, config, handlers, (error) => this.#callbacks.onError?.(error));
    this.#held = new HeldPartitions(partitions, this.hands, this.#commits.progress);
    this.#watch.idle();
  }

  /** False while this member cannot know that the group still counts on it: nothing is handed out then. */
  get isSure(): boolean {
    return !this.#membership.isOverdue(this.#cluster.clock.nowMs());
  }

  /** Whether a callback of the program is under way. */
  get isCalling(): boolean {
    return this.#calls.isRunning;
  }

  assignment(): TopicPartition[] {
    return this.#held.all().filter(({ isReady }) => isReady);
  }

  // ---- membership ---------------------------------------------------------------------------------------------------

  /** Joins, or goes on with another subscription: what both name stays as it is. */
  subscribe(subscription: Subscription, callbacks: GroupCallbacks): void {
    this.#callbacks = callbacks;
    this.#failure = undefined;
    this.#isSubscribed = true;
    this.#membership.subscribe(subscription);
    void this.#missing.warn(subscription.topics);
    if (this.#membership.phase !== 'out') this.#heartbeats.beatSoon();
    else if (!this.#isStalled) void this.#join();
    this.#commits.start();
  }

  /** Leaves the group, and may subscribe again. @throws as `close`. */
  async unsubscribe(timeoutMs: number): Promise<void> {
    if (!this.#isSubscribed) return;
    this.#isSubscribed = false;
    await this.#depart('unsubscribed', timeoutMs);
    this.#isDeparting = false;
  }

  /**
   * Waits for what is in hand, commits what is finished, leaves; all within `timeoutMs`.
   *
   * @throws {MillraceError} why the last progress could not be committed: others will begin before it.
   */
  async close(timeoutMs: number): Promise<void> {
    try {
      await this.#depart('', timeoutMs);
    } finally {
      this.#isSubscribed = false;
      this.#watch.stop();
      this.#heartbeats.close();
      this.#ended.abort();
      this.#commits.close();
    }
  }

  async #join(): Promise<void> {
    await this.#leaving;
    if (!this.#isSubscribed || this.#isDeparting || this.#membership.phase !== 'out') return;
    this.#membership.join();
    const text = 'the member left the group, or was fenced, before the commit';
    this.#commits.begin(this.#membership.incarnation, new MillraceError('FENCED_MEMBER_EPOCH', text));
    this.#watch.start();
    this.#heartbeats.beatSoon();
  }

  /** The group went on without this member: what it held may be others' by now. */
  async #rejoin(error: MillraceError): Promise<void> {
    await this.#lose(error);
    await this.#join();
  }

  /** Everything held is held no more. */
  #lose(error: MillraceError): Promise<void> {
    this.#membership.leave();
    this.#commits.begin(this.#membership.incarnation, error);
    const gone = this.#held.all();
    const lost = gone.filter(({ isToldOff }) => !isToldOff);
    for (const held of gone) this.hands.state.lose(held);
    this.#held.remove(gone);
    this.#partitions.announce();
    return this.#calls.call(
      this.#callbacks.onLost,
      lost.filter(({ isReady }) => isReady),
    );
  }

  #fail(error: MillraceError): void {
    void this.#lose(error);
    this.#isSubscribed = false;
    this.#failure = error;
    this.#partitions.announce();
  }

  #identity() {
    const { identity, epoch } = this.#membership;
    return { memberId: identity.memberId, memberEpoch: epoch, groupInstanceId: identity.groupInstanceId };
  }

  /** A refusal that only the coordinator's next answer explains. */
  #doubt(): void {
    this.#membership.doubt();
    this.#heartbeats.beatSoon();
  }

  /** For the history of the group: which handler keeps a partition from moving. */
  #slowness(): string {
    for (const held of this.#held.all()) {
      const item = held.isLeaving ? this.hands.state.of(held) : undefined;
      if (item !== undefined)
        return `has to give up ${formatTopicPartition(item)}, but ${this.#watch.describe(item)}`;
    }
    return '';
  }

  // ---- taking over and giving up ------------------------------------------------------------------------------------

  /** Sets off whatever leads from what is held to what is meant for the member; what is under way goes on. */
  #reconcile(): void {
    const { target } = this.#membership;
    if (target === undefined || this.#isDeparting) return;
    const leaving = this.#held
      .all()
      .filter(({ key, isReady, isLeaving }) => isReady && !isLeaving && !target.has(key));
    if (leaving.length > 0) void this.#revoke(leaving);
    const wanted = [...target].filter((key) => !this.#held.has(key) && !this.#adding.has(key));
    const free = wanted.filter((key) => !this.#membership.isLettingGo(key));
    if (free.length > 0) void this.#takeOver(free);
    if (free.length < wanted.length) this.#reconcileLater(wanted);
  }

  async #takeOver(keys: readonly GroupPartitionKey[]): Promise<void> {
    const { incarnation } = this.#membership;
    for (const key of keys) this.#adding.add(key);
    this.#membership.hold(keys);
    const isPast = (): boolean => incarnation !== this.#membership.incarnation || this.#isDeparting;
    try {
      const found = await findStarts(this.#cluster, this.#config.groupId, keys, {
        identity: () => this.#identity(),
        isPast: () => isPast() || !keys.some((key) => this.#membership.target?.has(key)),
        onDoubt: () => this.#doubt(),
        signal: this.#ended.signal,
      });
      const gained = isPast() ? [] : this.#add(found);
      if (gained.length === 0) return;
      this.#partitions.pumpSoon();
      await this.#calls.call(this.#callbacks.onAssigned, gained);
      if (isPast()) return;
      for (const held of gained) this.#held.ready(held);
      this.#partitions.announce();
    } finally {
      for (const key of keys) this.#adding.delete(key);
      if (!isPast()) this.#tookOver(keys);
    }
  }

  /** What was not taken over is given back, and what is not meant for the member any more is given up. */
  #tookOver(keys: readonly GroupPartitionKey[]): void {
    this.#membership.letGo(keys.filter((key) => !this.#held.has(key)));
    this.#heartbeats.beatSoon();
    if (keys.some((key) => this.#held.has(key) && !this.#membership.target?.has(key))) this.#reconcile();
    else this.#reconcileLater(keys);
  }

  /** What could not be taken over yet is tried again. */
  #reconcileLater(keys: readonly GroupPartitionKey[]): void {
    const { target, incarnation } = this.#membership;
    const isOpen = keys.some((key) => this.#held.has(key) !== (target?.has(key) ?? false));
    if (!isOpen || this.#ended.signal.aborted) return;
    this.#cluster.clock.schedule(this.#cluster.config.retryBackoffMaxMs, () => {
      if (incarnation === this.#membership.incarnation) this.#reconcile();
    });
  }

  /** Without those that are not meant for the member any more. */
  #add(found: Awaited<ReturnType<typeof findStarts>>): Held<K, V>[] {
    const { target } = this.#membership;
    return found.flatMap(([named, start]) =>
      target!.has(named.key) ? (this.#held.add(named, start) ?? []) : [],
    );
  }

  /** Gives partitions up when the program has finished with what it has of them, or the group waits no longer. */
  async #revoke(leaving: readonly Held<K, V>[]): Promise<void> {
    const { incarnation } = this.#membership;
    const deadlineMs = this.#cluster.clock.nowMs() + this.#config.rebalanceTimeoutMs * REVOKE_SHARE;
    const leftMs = (): number => Math.max(1, deadlineMs - this.#cluster.clock.nowMs());
    this.#held.retain(leaving);
    await this.hands.untilFree(leaving, leftMs());
    if (incarnation !== this.#membership.incarnation || this.#isDeparting) return;
    await this.#partWith(leaving, leftMs).catch((error: unknown) => this.#commits.report(error));
    if (incarnation !== this.#membership.incarnation || this.#isDeparting) return;
    await this.#commits.settled(leftMs());
    if (incarnation !== this.#membership.incarnation || this.#isDeparting) return;
    this.#commits.giveUp(leaving);
    this.#held.remove(leaving);
    this.#membership.letGo(leaving.map(({ key }) => key));
    this.#heartbeats.beatSoon();
    this.#reconcile();
  }

  /** Commits their progress and tells the program; what is still in hand is lost to it. @throws why it was not committed. */
  async #partWith(leaving: readonly Held<K, V>[], leftMs: () => number): Promise<void> {
    const stuck = leaving.filter((held) => this.hands.state.of(held) !== undefined);
    for (const held of stuck) this.hands.state.lose(held);
    let failure: unknown;
    if (this.#config.enableAutoCommit) {
      await this.#commits.commitProgress(leaving, leftMs()).catch((error: unknown) => {
        failure = error;
      });
    }
    const untold = leaving.filter(({ isReady, isToldOff }) => isReady && !isToldOff);
    for (const held of leaving) held.isToldOff = true;
    await this.#calls.call(
      this.#callbacks.onRevoked,
      untold.filter((held) => !stuck.includes(held)),
    );
    await this.#calls.call(
      this.#callbacks.onLost,
      untold.filter((held) => stuck.includes(held)),
    );
    if (failure !== undefined) throw failure;
  }

  async #depart(reason: string, timeoutMs: number): Promise<void> {
    const deadlineMs = this.#cluster.clock.nowMs() + timeoutMs;
    const leftMs = (): number => Math.max(1, deadlineMs - this.#cluster.clock.nowMs());
    this.#isDeparting = true;
    this.#commits.stop();
    this.#watch.stop();
    const leaving = this.#held.all();
    this.#held.retain(leaving);
    await this.hands.untilFree(leaving, timeoutMs);
    let failure: unknown;
    await this.#partWith(leaving, leftMs).catch((error: unknown) => {
      failure = error;
    });
    await this.#commits.settled();
    // Who is told of the leave may give them to others at once.
    this.#held.remove(leaving);
    await this.#leave(reason, true, leftMs());
    if (failure !== undefined) throw failure;
  }

  #leave(reason: string, forAWhile: boolean, timeoutMs: number): Promise<void> {
    if (this.#membership.phase === 'out') return this.#leaving;
    const farewell = this.#membership.farewell(reason, forAWhile);
    this.#membership.leave();
    this.#leaving = this.#heartbeats.leave(farewell, Math.min(timeoutMs, PARTING_MAX_MS));
    return this.#leaving;
  }

  // ---- the program's pace -------------------------------------------------------------------------------------------

  /** Somebody waits for records. @throws why the group does not take the member, or what a callback threw. */
  reading(): void {
    if (this.#failure !== undefined) throw this.#failure;
    this.#calls.throwError();
    this.#watch.reading();
    this.#resume();
  }

  /** Nobody does any more. */
  idle(): void {
    this.#watch.idle();
  }

  /** The reader comes back: it has finished with what it had. */
  finishRead(): void {
    for (const item of this.hands.state.read()) this.hands.finish(item);
  }

  /** The reader went away in the middle. */
  giveBackRead(): void {
    for (const item of this.hands.state.read()) this.hands.giveBack(item);
    this.#partitions.pumpSoon();
  }

  /** The program wants to go on elsewhere: what it has in hand is not how far it is. */
  sought(states: readonly FetchPositionState<K, V>[]): void {
    this.#held.sought(states);
    this.onNews();
  }

  /** Positions may have been decided without the group having one. */
  onNews(): void {
    const begun = this.#held.takeDecided();
    // Another member would look for the newest record later, and skip what came in between.
    if (begun.length > 0 && this.#config.autoOffsetReset === 'latest')
      this.#commits.commitProgressSoon(begun);
  }

  #onDropped(partition: TopicPartition): void {
    const state = this.#partitions.state(partition);
    if (state !== undefined && !this.#held.isRetained(state)) state.isHeldBack = false;
    this.#resume();
    this.#partitions.announce();
  }

  #onStalled(stall: Stall): void {
    if (this.#membership.phase === 'out' || this.#isDeparting) return;
    this.#isStalled = true;
    const { record, heldMs, handler } = stall;
    const { logger } = this.#cluster;
    const about = { event: 'consumer_stalled', groupId: this.#config.groupId, handler, ...record, heldMs };
    logger.warn(about, `left the group for as long as this lasts: ${stall.message}`);
    this.#callbacks.onStalled?.(stall);
    void this.#leaveStalled(stall.message);
  }

  async #leaveStalled(message: string): Promise<void> {
    const { incarnation } = this.#membership;
    if (this.#config.enableAutoCommit) {
      await this.#commits
        .commitProgress(undefined, PARTING_MAX_MS)
        .catch((error: unknown) => this.#commits.report(error));
    }
    if (incarnation !== this.#membership.incarnation || this.#isDeparting) return;
    const left = this.#leave(message, false, PARTING_MAX_MS);
    await this.#lose(new MillraceError('FENCED_MEMBER_EPOCH', message));
    await left;
    this.#resume();
  }

  /** The program is back: so is the member. */
  #resume(): void {
    if (!this.#isStalled || this.#watch.isLate || this.#membership.phase !== 'out') return;
    this.#isStalled = false;
    void this.#join();
  }

  // ---- commits ------------------------------------------------------------------------------------------------------

  /**
   * Commits these, or all that the program has finished with; what a reader was handed counts, since it says so.
   *
   * @throws {MillraceError} FENCED_MEMBER_EPOCH for partitions that were lost, what the coordinator refused, or the last
   * failure at the time limit.
   */
  async commit(offsets: readonly OffsetToCommit[] | undefined, timeoutMs: number): Promise<void> {
    if (this.#ended.signal.aborted) throw new MillraceError('CLOSED', 'the consumer is closed');
    if (offsets === undefined) {
      const isLost = this.hands.state.read().some(({ isVoid }) => isVoid);
      this.finishRead();
      await this.#commits.commitProgress(undefined, timeoutMs);
      if (isLost)
        throw new MillraceError('FENCED_MEMBER_EPOCH', 'what was read is of partitions that were lost');
      return;
    }
    const isMember = this.#isSubscribed;
    const asked = isMember ? this.#held.identified(offsets) : offsets;
    await this.#commits.commit(asked, { isMember, mayBeGone: false }, timeoutMs);
  }

  /** What failed in the background is told to `onError`. */
  report(error: unknown): void {
    this.#commits.report(error);
  }

  /** The first offset that is not finished, of partitions that are assigned. */
  progressOf(partition: TopicPartition): number | undefined {
    return this.#commits.progress.nextOf(partition);
  }
}
