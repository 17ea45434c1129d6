/**
 * The coordinator on one partition of `__consumer_offsets`, for one leader epoch: loads the machine from the log, steps
 * it, appends what comes out, and lets no answer out before everything it rests on has committed. Makes no decision
 * about groups. What fails it ends it; whoever waits is answered, and the owner begins again.
 */
import { type Clock, type Logger, MillraceError, sleep, type Timer, toMillraceError } from '@millrace/core';
import {
  encodeGroupRecord,
  type GroupCoordinator,
  type GroupOutcome,
  type GroupRequestName,
  type GroupRequests,
  type RequestToken,
  type TopicsView,
} from '@millrace/groups';
import type { Deadlines } from './deadlines.ts';
import type { Defer } from './defer.ts';
import { type Failure, failure, failureOf } from './failure.ts';
import { type ReplayedCounts, replayGroupLog } from './group-log-replay.ts';
import { coordinatorFailure, refusal } from './group-refusals.ts';
import { sizeOfRequest } from './group-request-size.ts';
import { GroupTurn, sizeOfRecords, type TurnOwner } from './group-turn.ts';
import type { LeaderState } from './leader-state.ts';
import type { Partition } from './partition.ts';
import type { Slots } from './slots.ts';
import { WriteFlowState } from './write-flow-state.ts';

/** What all coordinators of a broker share. */
export interface GroupPartitionHost {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly defer: Defer;
  readonly deadlines: Deadlines;
  readonly loads: Slots;
  readonly commitTimeoutMs: number;
  readonly isJournalFull: () => boolean;
  readonly topics: () => TopicsView;
  readonly newMachine: (topics: TopicsView) => GroupCoordinator;
  /** It has closed itself. */
  failed(coordinator: GroupPartition): void;
}

interface Waiting {
  readonly resolve: (response: unknown) => void;
  readonly refuse: (failure: Failure) => void;
}

/** Appended, not committed. Followers that are this far behind have stopped. */
const UNCOMMITTED_RECORDS_MAX = 100_000;
/** While writes stand still, whoever is due waits; looked at again after this. */
const STALL_CHECK_MS = 250;
/** A tick this late means that this process stood still, and did not hear its members meanwhile. */
const TICK_LATE_MS = 1000;
const RELOAD_MIN_MS = 100;
const RELOAD_MAX_MS = 30_000;
/** What a batch takes beside its records. */
const BATCH_OVERHEAD_BYTES = 128;

export class GroupPartition implements TurnOwner {
  readonly partition: Partition;
  /** Of one epoch: another object is another epoch. */
  readonly leader: LeaderState;
  readonly #startedMs: number;
  readonly #delayMs: number;
  readonly #host: GroupPartitionHost;
  readonly #machine: GroupCoordinator;
  readonly #flow = new WriteFlowState();
  readonly #waiting = new Map<RequestToken, Waiting>();
  /** Ended, not committed; oldest first. */
  readonly #turns = new Set<GroupTurn>();
  #state: 'loading' | 'serving' | 'closed' = 'loading';
  #topics: TopicsView;
  #turn: GroupTurn | undefined;
  #nextToken = 0;
  /** Of everything appended. */
  #endOffset: number;
  #uncommittedCount = 0;
  #tickTimer: Timer | undefined;
  #tickDueMs = Number.POSITIVE_INFINITY;

  /** @param delayMs before reading begins. */
  constructor(host: GroupPartitionHost, partition: Partition, leader: LeaderState, delayMs = 0) {
    this.#delayMs = delayMs;
    this.#host = host;
    this.partition = partition;
    this.leader = leader;
    this.#startedMs = host.clock.nowMs();
    this.#topics = host.topics();
    this.#machine = host.newMachine(this.#topics);
    // Nobody else appends in this epoch, except one that failed before this one.
    this.#endOffset = partition.log.logEndOffset;
  }

  get isServing(): boolean {
    return this.#state === 'serving' && this.partition.leader === this.leader;
  }

  /** What is held, for limits and status. */
  get size(): GroupCoordinator['size'] {
    return this.#machine.size;
  }

  /** Why nothing is answered now; undefined if it is. */
  get absence(): Failure | undefined {
    if (this.isServing) return undefined;
    const isLoading = this.#state === 'loading' && this.partition.leader === this.leader;
    return failure(isLoading ? 'COORDINATOR_LOAD_IN_PROGRESS' : 'NOT_COORDINATOR');
  }

  start(): void {
    this.#load().catch((error: unknown) => this.#fail(toMillraceError(error)));
  }

  /** The next one in the same epoch after this one failed: it begins a little later, and later each time. */
  successor(): GroupPartition {
    const livedMs = this.#host.clock.nowMs() - this.#startedMs;
    const delayMs = livedMs > RELOAD_MAX_MS ? 0 : Math.min(2 * this.#delayMs, RELOAD_MAX_MS);
    return new GroupPartition(this.#host, this.partition, this.leader, Math.max(delayMs, RELOAD_MIN_MS));
  }

  /** Steps the machine inside the call. */
  serve<N extends GroupRequestName>(
    name: N,
    request: GroupRequests[N]['request'],
  ): Promise<GroupRequests[N]['response']> {
    const fault = this.absence ?? this.#sizeFault(name, request) ?? this.#writeFault();
    if (fault !== undefined) return Promise.resolve(refusal(name, request, fault));
    const token = this.#nextToken++;
    const answered = new Promise<GroupRequests[N]['response']>((resolve) => {
      this.#waiting.set(token, {
        resolve: resolve as Waiting['resolve'],
        refuse: (reason) => resolve(refusal(name, request, reason)),
      });
    });
    this.#run(() => this.#machine.step(name, token, request, this.#nowMs), token);
    return answered;
  }

  /** The machine as it is; the answer leaves once that has committed. */
  read<T>(look: (machine: GroupCoordinator) => T, refuse: (reason: Failure) => T): Promise<T> {
    const fault = this.absence;
    if (fault !== undefined) return Promise.resolve(refuse(fault));
    const token = this.#nextToken++;
    const answered = new Promise<T>((resolve) => {
      const waiting = { resolve: resolve as Waiting['resolve'], refuse: (r: Failure) => resolve(refuse(r)) };
      this.#waiting.set(token, waiting);
    });
    this.#run(() => ({ records: [], answers: [{ token, response: look(this.#machine) as never }] }), token);
    return answered;
  }

  /** What the machine says of committed state: nothing is waited for. */
  readCommitted<T>(look: (machine: GroupCoordinator) => T, refuse: (reason: Failure) => T): T {
    const fault = this.absence;
    if (fault !== undefined) return refuse(fault);
    try {
      return look(this.#machine);
    } catch (error) {
      const reason = toMillraceError(error);
      this.#fail(reason);
      return refuse(coordinatorFailure(reason));
    }
  }

  topicsChanged(): void {
    const topics = this.#host.topics();
    if (!this.isServing || topics === this.#topics || this.#writeFault() !== undefined) {
      // Told later: by the load, or by the check that a stall is over.
      this.#armTick();
      return;
    }
    this.#topics = topics;
    this.#run(() => this.#machine.topicsChanged(topics, this.#nowMs));
  }

  /** Leadership is gone, the broker ends, or the log failed. Whoever waits hears `reason`. */
  close(reason: Failure): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#tickTimer?.cancel();
    for (const turn of this.#turns) {
      turn.takeAnswers();
      turn.isSettled = true;
    }
    this.#turns.clear();
    this.#turn = undefined;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { refuse } of waiting) refuse(reason);
  }

  turnAcknowledged(turn: GroupTurn): void {
    // Otherwise leadership was lost, which is told separately.
    if (this.partition.highWatermark >= turn.endOffset) this.#advance();
  }

  turnExpired(turn: GroupTurn): void {
    const late = failure('REQUEST_TIMED_OUT');
    for (const { token } of turn.takeAnswers()) this.#take(token)?.refuse(late);
    if (turn.hasRecords) return;
    this.#turns.delete(turn);
    turn.isSettled = true;
    this.partition.acks.forgetSettled();
  }

  /** The machine's time, in whole milliseconds: durations out of it go onto the wire. */
  get #nowMs(): number {
    return Math.floor(this.#host.clock.nowMs());
  }

  async #load(): Promise<void> {
    const { clock, loads } = this.#host;
    if (this.#delayMs > 0) await sleep(clock, this.#delayMs);
    const counts = await loads.run(() => this.#replay());
    // What a former leader appended counts only when this one has committed it.
    await this.#committedUpTo(this.#endOffset);
    if (this.absence?.code !== 'COORDINATOR_LOAD_IN_PROGRESS') return;
    this.#state = 'serving';
    this.#noteLoaded(counts);
    this.#machine.committed(this.#endOffset);
    this.#run(() => this.#machine.loaded(this.#nowMs));
    this.topicsChanged();
    this.#armTick();
  }

  async #replay(): Promise<ReplayedCounts> {
    if (this.#state === 'closed') return { records: 0, skipped: 0 };
    return await replayGroupLog({
      log: this.partition.log,
      endOffset: this.#endOffset,
      clock: this.#host.clock,
      isWanted: () => this.#state !== 'closed',
      replay: (offset, record) => this.#machine.replay(offset, record),
    });
  }

  async #committedUpTo(offset: number): Promise<void> {
    if (this.partition.highWatermark >= offset || this.#state === 'closed') return;
    await new Promise<void>((resolve) => {
      this.partition.acks.wait(offset, { isSettled: false, acknowledged: () => resolve() }, 0);
    });
  }

  #noteLoaded({ records, skipped }: ReplayedCounts): void {
    const { clock, logger } = this.#host;
    const { groups } = this.#machine.size;
    const tookMs = Math.round(clock.nowMs() - this.#startedMs);
    const fields = { event: 'coordinator_loaded', partition: this.partition.name, records, groups, tookMs };
    if (records > 0) logger.info(fields, 'the coordinator knows its groups');
    if (skipped > 0) {
      logger.warn(
        { event: 'records_skipped', partition: this.partition.name, skipped },
        'records of kinds that this version does not know were passed over',
      );
    }
  }

  /** One call of the machine, with what follows from it. `token` names the request that it is made for. */
  #run(call: () => GroupOutcome, token?: RequestToken): void {
    let outcome: GroupOutcome;
    try {
      outcome = call();
    } catch (error) {
      this.#fail(toMillraceError(error), token);
      return;
    }
    const { records, answers } = outcome;
    if (records.length > 0 && !this.#add(records, token)) return;
    // A request that only waits may be due for something, and no turn ends to look at that.
    if (records.length + answers.length === 0) this.#armTick();
    if (answers.length === 0) return;
    const turn = this.#openTurn();
    for (const answer of answers) turn.answer(answer);
  }

  /** @returns false if the records cannot be written: the machine is ahead of the log then, and was dropped. */
  #add(records: GroupOutcome['records'], token: RequestToken | undefined): boolean {
    let encoded: ReturnType<typeof encodeGroupRecord>[];
    let bytes: number;
    try {
      encoded = records.map(encodeGroupRecord);
      bytes = sizeOfRecords(encoded);
      this.#checkSize(bytes);
    } catch (error) {
      this.#fail(toMillraceError(error), token);
      return false;
    }
    if (this.#turn?.hasRoomFor(bytes) === false) this.#endTurn();
    if (this.#state === 'closed') return false;
    this.#openTurn().add(records, encoded, this.#host.clock.wallMs());
    this.#uncommittedCount += records.length;
    return true;
  }

  /** What no batch could hold is refused before the machine runs ahead of the log with it. */
  #sizeFault<N extends GroupRequestName>(name: N, request: GroupRequests[N]['request']): Failure | undefined {
    if (sizeOfRequest(name, request) <= this.#batchBytesMax) return undefined;
    return failure(name === 'offsetCommit' ? 'INVALID_COMMIT_OFFSET_SIZE' : 'MESSAGE_TOO_LARGE');
  }

  #checkSize(bytes: number): void {
    if (bytes <= this.#batchBytesMax) return;
    const text = `a change takes ${bytes} bytes in the log of groups, at most ${this.#batchBytesMax} are allowed`;
    throw new MillraceError('MESSAGE_TOO_LARGE', text);
  }

  get #batchBytesMax(): number {
    return this.partition.config['max.message.bytes'] - BATCH_OVERHEAD_BYTES;
  }

  #openTurn(): GroupTurn {
    if (this.#turn === undefined) {
      const turn = new GroupTurn(this);
      this.#turn = turn;
      this.#host.defer(() => {
        if (this.#turn === turn) this.#endTurn();
      });
    }
    return this.#turn;
  }

  /** Appends what the turn wrote. Its answers wait for that, or for what was appended before. */
  #endTurn(): void {
    const turn = this.#turn;
    if (turn === undefined) return;
    this.#turn = undefined;
    if (this.partition.leader !== this.leader) {
      this.#fail(new MillraceError('NOT_LEADER_OR_FOLLOWER'));
      return;
    }
    if (turn.hasRecords && !this.#append(turn)) return;
    const { deadlines, commitTimeoutMs } = this.#host;
    turn.endOffset = this.#endOffset;
    turn.endedMs = this.#nowMs;
    this.#turns.add(turn);
    if (this.partition.highWatermark >= turn.endOffset) {
      this.#advance();
    } else {
      turn.expireAfter(deadlines, commitTimeoutMs);
      this.partition.acks.wait(turn.endOffset, turn, 0);
    }
    this.#armTick();
  }

  #append(turn: GroupTurn): boolean {
    try {
      const { baseOffset, lastOffset } = this.partition.append(turn.batch());
      this.#machine.appended(turn.records, baseOffset);
      this.#endOffset = lastOffset + 1;
    } catch (error) {
      this.#fail(toMillraceError(error));
    }
    return this.#state !== 'closed';
  }

  /** The watermark has moved: the machine hears it first, then whoever waited, in the order of the turns. */
  #advance(): void {
    if (this.#state === 'closed') return;
    const committed = Math.min(this.partition.highWatermark, this.#endOffset);
    this.#machine.committed(committed);
    for (const turn of this.#turns) {
      if (turn.endOffset > committed) break;
      this.#turns.delete(turn);
      turn.isSettled = true;
      this.#uncommittedCount -= turn.records.length;
      for (const { token, response } of turn.takeAnswers()) this.#take(token)?.resolve(response);
    }
  }

  #take(token: RequestToken): Waiting | undefined {
    const waiting = this.#waiting.get(token);
    this.#waiting.delete(token);
    return waiting;
  }

  /** Why the machine must not be stepped now: what it decided could not be written. */
  #writeFault(): Failure | undefined {
    const nowMs = this.#nowMs;
    const fault = this.#logFault(this.#host.isJournalFull());
    const [oldest] = this.#turns;
    const facts = { isWritable: fault === undefined, waitingSinceMs: oldest?.endedMs };
    if (this.#flow.observe(facts, nowMs) === 'resumed') this.#machine.resumed(nowMs);
    return fault;
  }

  #logFault(isJournalFull: boolean): Failure | undefined {
    if (!this.leader.hasEnoughReplicas) {
      const text = 'the log of groups has fewer in-sync replicas than min.insync.replicas';
      return failure('COORDINATOR_NOT_AVAILABLE', text);
    }
    if (isJournalFull || this.#uncommittedCount >= UNCOMMITTED_RECORDS_MAX) return failure('NODE_OVERLOADED');
    return undefined;
  }

  /** For the next time that something is due, and not before. An earlier timer is left to find that out. */
  #armTick(): void {
    if (!this.isServing) return;
    const isBehind = this.#host.topics() !== this.#topics;
    const dueMs = isBehind ? this.#nowMs + STALL_CHECK_MS : this.#machine.nextTickMs();
    if (dueMs < this.#tickDueMs) this.#tickAt(dueMs);
  }

  #tickAt(dueMs: number): void {
    const { clock } = this.#host;
    this.#tickTimer?.cancel();
    this.#tickDueMs = dueMs;
    // Rounded up: a clock with fractions would otherwise fire a hair too early for ever.
    const delayMs = Math.max(1, Math.ceil(dueMs - clock.nowMs()));
    this.#tickTimer = clock.schedule(delayMs, () => this.#tick());
  }

  #tick(): void {
    const nowMs = this.#nowMs;
    const lateMs = nowMs - this.#tickDueMs;
    this.#tickDueMs = Number.POSITIVE_INFINITY;
    if (!this.isServing) return;
    const fault = this.#writeFault();
    if (fault !== undefined || this.#flow.isStalled) {
      this.#tickAt(nowMs + STALL_CHECK_MS);
      return;
    }
    if (lateMs >= TICK_LATE_MS) this.#machine.resumed(nowMs);
    this.topicsChanged();
    if (this.isServing && this.#machine.nextTickMs() <= nowMs) this.#run(() => this.#machine.tick(nowMs));
    this.#armTick();
  }

  /** The machine cannot go on: what it holds is not what the log says, or soon will not be. */
  #fail(error: MillraceError, token?: RequestToken): void {
    if (this.#state === 'closed') return;
    const hasLed = this.partition.leader === this.leader;
    if (hasLed) {
      const fields = { event: 'coordinator_failed', partition: this.partition.name, err: error };
      this.#host.logger.error(fields, 'the coordinator is dropped and loaded again');
    }
    if (token !== undefined && error.code === 'MESSAGE_TOO_LARGE') {
      this.#take(token)?.refuse(failureOf(error));
    }
    this.close(hasLed ? coordinatorFailure(error) : failure('NOT_COORDINATOR'));
    this.#host.failed(this);
  }
}
