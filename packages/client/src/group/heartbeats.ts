/**
 * A member's heartbeats: one at a time, in order, on timers that no handler can delay. Says what the membership says and
 * tells what comes back. Never decides what to do about an assignment.
 */
import { MillraceError, type Timer, toMillraceError } from '@millrace/core';
import { type ConsumerGroupHeartbeatResponse, groupService } from '@millrace/protocol';
import { backoffMs } from '../cluster/backoff.ts';
import { withLimits } from '../cluster/cancellation.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { HeartbeatBody, MembershipState, SentHeartbeat } from './membership-state.ts';

export interface HeartbeatHandlers {
  /** What slows the member; empty for nothing. */
  reason(): string;
  onAssignment(): void;
  /** An answer came; the epoch may be another. */
  onAnswered(): void;
  /** The coordinator knows the member no more, or another time's: everything is lost. */
  onFenced(error: MillraceError): void;
  onFailed(error: MillraceError): void;
  /** Somebody else has the place of this instance. Told once; the attempts go on. */
  onInstanceInUse(error: MillraceError): void;
}

/** A coordinator that was reached but is stuck must not cost a session. */
const ATTEMPT_MAX_MS = 10_000;

export class Heartbeats {
  readonly #cluster: Cluster;
  readonly #groupId: string;
  readonly #state: MembershipState;
  readonly #handlers: HeartbeatHandlers;
  readonly #ended = new AbortController();
  #timer: Timer | undefined;
  #timerAtMs = Number.POSITIVE_INFINITY;
  #beating: Promise<void> | undefined;
  #failures = 0;
  #isInstanceInUse = false;

  constructor(cluster: Cluster, groupId: string, state: MembershipState, handlers: HeartbeatHandlers) {
    this.#cluster = cluster;
    this.#groupId = groupId;
    this.#state = state;
    this.#handlers = handlers;
  }

  /** There is something to say. One that is under way is followed by another. */
  beatSoon(): void {
    this.#beatIn(0);
  }

  /**
   * Leaves the group, after the heartbeat under way: one that comes later would be a member that nobody knows of. Tries
   * for at most `timeoutMs`; then the session ends by itself.
   */
  async leave(farewell: HeartbeatBody, timeoutMs: number): Promise<void> {
    this.#disarm();
    const deadlineMs = this.#cluster.clock.nowMs() + timeoutMs;
    const { clock } = this.#cluster;
    const tooLate = (): MillraceError => new MillraceError('REQUEST_TIMED_OUT');
    if (this.#beating !== undefined) {
      await withLimits(this.#beating, { timeoutMs: timeoutMs / 2 }, clock, tooLate).catch(() => {});
    }
    const leftMs = Math.max(1, deadlineMs - this.#cluster.clock.nowMs());
    const call = { method: groupService.consumerGroupHeartbeat, make: this.#make(() => farewell) };
    try {
      await this.#cluster.coordinators.call(this.#groupId, call, { timeoutMs: leftMs });
    } catch (error) {
      const { code } = toMillraceError(error);
      if (code === 'UNKNOWN_MEMBER_ID' || code === 'FENCED_INSTANCE_ID') return;
      this.#cluster.logger.warn(
        { event: 'group_leave_failed', groupId: this.#groupId, err: error },
        'the group was not told of the leave; the session ends by itself',
      );
    }
  }

  /** No more heartbeats. */
  close(): void {
    this.#disarm();
    this.#ended.abort();
  }

  #beatIn(delayMs: number): void {
    const atMs = this.#cluster.clock.nowMs() + delayMs;
    if (this.#ended.signal.aborted || this.#state.phase === 'out' || atMs >= this.#timerAtMs) return;
    this.#disarm();
    this.#timerAtMs = atMs;
    this.#timer = this.#cluster.clock.schedule(delayMs, () => {
      this.#timerAtMs = Number.POSITIVE_INFINITY;
      this.#beat();
    });
  }

  #disarm(): void {
    this.#timer?.cancel();
    this.#timerAtMs = Number.POSITIVE_INFINITY;
  }

  #beat(): void {
    if (this.#beating !== undefined || this.#state.phase === 'out') return;
    this.#beating = this.#beatOnce().finally(() => {
      this.#beating = undefined;
      if (this.#timerAtMs !== Number.POSITIVE_INFINITY) return;
      this.#beatIn(this.#nextDelayMs());
    });
  }

  #nextDelayMs(): number {
    if (this.#failures > 0) return backoffMs(this.#failures, this.#cluster.config, this.#cluster.random);
    return this.#state.hasNews ? 0 : this.#state.heartbeatIntervalMs;
  }

  async #beatOnce(): Promise<void> {
    let sent = this.#next();
    let isFirst = true;
    const next = (): HeartbeatBody => {
      // What an attempt without an answer has said may be known or not: the next one says everything.
      if (!isFirst) this.#state.unanswered(sent);
      isFirst = false;
      sent = this.#next();
      return sent.body;
    };
    let response: ConsumerGroupHeartbeatResponse;
    try {
      response = await this.#cluster.coordinators.call(
        this.#groupId,
        {
          method: groupService.consumerGroupHeartbeat,
          make: this.#make(next),
          attemptTimeoutMs: ATTEMPT_MAX_MS,
        },
        { signal: this.#ended.signal },
      );
    } catch (error) {
      this.#onRefused(sent, toMillraceError(error));
      return;
    }
    this.#failures = 0;
    this.#isInstanceInUse = false;
    const hasAssignment = this.#state.answered(sent, response);
    this.#handlers.onAnswered();
    if (hasAssignment) this.#handlers.onAssignment();
  }

  #next(): SentHeartbeat {
    return this.#state.nextHeartbeat(this.#handlers.reason(), this.#cluster.clock.nowMs());
  }

  #onRefused(sent: SentHeartbeat, error: MillraceError): void {
    const { logger } = this.#cluster;
    const about = { groupId: this.#groupId, memberId: sent.body.memberId, err: error };
    switch (this.#state.refused(sent, error)) {
      case 'ignore':
        return;
      case 'rejoin':
        this.#failures = 0;
        logger.warn({ event: 'group_member_fenced', ...about }, 'the group went on without this member');
        this.#handlers.onFenced(error);
        return;
      case 'fail':
        logger.error({ event: 'group_member_failed', ...about }, 'the group does not take this member');
        this.#handlers.onFailed(error);
        return;
      case 'wait':
        this.#beatIn(this.#state.heartbeatIntervalMs);
        if (this.#isInstanceInUse) return;
        this.#isInstanceInUse = true;
        logger.warn(
          { event: 'group_instance_in_use', ...about },
          'waiting until the other member of this instance has left or its session has ended',
        );
        this.#handlers.onInstanceInUse(error);
        return;
      case 'retry':
        this.#failures++;
        logger.warn({ event: 'heartbeat_failed', ...about }, 'no coordinator answered; trying again');
    }
  }

  #make(body: () => HeartbeatBody) {
    return (header: Parameters<typeof groupService.consumerGroupHeartbeat.request.encode>[0]['header']) => ({
      header,
      groupId: this.#groupId,
      ...body(),
    });
  }
}
