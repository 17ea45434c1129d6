/**
 * Sends commits to the group's coordinator: several requests on their way on one stream, found again when the
 * coordinator moves, each tried until its deadline. What an answer means is `commit-state.ts`'s.
 */
import { MillraceError, type Timer, type TopicPartition, toMillraceError } from '@millrace/core';
import {
  type CommitOffsetsRequest,
  type CommitOffsetsResponse,
  groupService,
  type OffsetToCommit,
} from '@millrace/protocol';
import { backoffMs } from '../cluster/backoff.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { errorOfFailure } from '../cluster/failure.ts';
import { RequestStream } from '../cluster/request-stream.ts';
import type { Address, Connection } from '../cluster/transport.ts';
import { type CommitRound, CommitState } from './commit-state.ts';

/** Who commits. Epoch -1 and no id: nobody who is a member. */
export interface Committer {
  readonly memberId: string;
  readonly memberEpoch: number;
  readonly groupInstanceId: string | undefined;
}

export interface CommitterHandlers {
  /** Of this process's life in the group, whether it is a member or not. */
  readonly senderId: string;
  identity(): Committer;
  /** A refusal that the next heartbeat explains. */
  onDoubt(): void;
}

export interface CommitCall {
  /** As of the membership; undefined for who is no member. */
  readonly incarnation: number | undefined;
  /** Offsets of topics that were deleted since they were read are left out in silence. */
  readonly mayBeGone: boolean;
  readonly timeoutMs: number;
}

interface CommitTicket {
  readonly round: CommitRound;
  readonly sentAtMs: number;
}

interface Link {
  readonly address: Address;
  readonly stream: RequestStream<CommitOffsetsRequest, CommitOffsetsResponse, CommitTicket>;
}

/** What comes after these waits, and newer offsets replace it. */
const IN_FLIGHT_MAX = 5;
/** A coordinator answers within offsets.commit.timeout.ms, 5 s, or is stuck. */
const ANSWER_MAX_MS = 10_000;
const NOBODY: Committer = { memberId: '', memberEpoch: -1, groupInstanceId: undefined };

export class OffsetCommitter {
  readonly #cluster: Cluster;
  readonly #groupId: string;
  readonly #handlers: CommitterHandlers;
  readonly #state = new CommitState();
  #sent = 0;
  #link: Link | undefined;
  #isConnecting = false;
  #failures = 0;
  #backoffUntilMs = 0;
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(cluster: Cluster, groupId: string, handlers: CommitterHandlers) {
    this.#cluster = cluster;
    this.#groupId = groupId;
    this.#handlers = handlers;
  }

  /** A life in the group begins; commits of the one before fail with `error`. */
  begin(incarnation: number, error: MillraceError): void {
    this.#state.begin(incarnation, error);
  }

  /**
   * Resolves when the coordinator has all of them, or something newer. @throws {MillraceError} what the coordinator
   * refused, or the last failure at the deadline.
   */
  commit(
    offsets: readonly OffsetToCommit[],
    { incarnation, mayBeGone, timeoutMs }: CommitCall,
  ): Promise<void> {
    if (this.#isClosed) return Promise.reject(new MillraceError('CLOSED', 'the consumer is closed'));
    return new Promise((resolve, reject) => {
      this.#state.submit(offsets, {
        incarnation,
        deadlineMs: this.#cluster.clock.nowMs() + timeoutMs,
        onSettled: (all) => {
          const errors = mayBeGone ? all.filter(({ code }) => code !== 'UNKNOWN_TOPIC_ID') : all;
          if (errors.length === 0) resolve();
          else reject(oneOf(errors));
        },
      });
      this.#pump();
    });
  }

  /** As of the state. */
  giveUp(partitions: readonly TopicPartition[], error: MillraceError): void {
    this.#state.giveUp(partitions, error);
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    void this.#link?.stream.close();
    this.#link = undefined;
    this.#state.close(new MillraceError('CLOSED', 'the consumer is closed'));
  }

  #pump(): void {
    if (this.#isClosed) return;
    const nowMs = this.#cluster.clock.nowMs();
    this.#state.expire(nowMs);
    const oldest = this.#link?.stream.oldest;
    if (oldest !== undefined && nowMs >= oldest.sentAtMs + ANSWER_MAX_MS) {
      this.#dropLink(new MillraceError('REQUEST_TIMED_OUT', 'the coordinator did not answer a commit'));
    }
    if (this.#state.hasPending && nowMs >= this.#backoffUntilMs) {
      if (this.#link === undefined) void this.#connect();
      else this.#send(this.#link, nowMs);
    }
    this.#arm();
  }

  #send({ stream }: Link, nowMs: number): void {
    while (stream.inFlight < IN_FLIGHT_MAX && stream.canSend) {
      const round = this.#state.take();
      if (round === undefined) return;
      const identity = round.isMember ? this.#handlers.identity() : NOBODY;
      stream.send(
        { round, sentAtMs: nowMs },
        (correlationId) => ({
          header: this.#cluster.header(correlationId, ANSWER_MAX_MS),
          groupId: this.#groupId,
          ...identity,
          sequence: { senderId: this.#handlers.senderId, number: ++this.#sent },
          offsets: [...round.offsets],
        }),
        true,
      );
    }
  }

  #onAnswer({ round }: CommitTicket, { failure, offsets }: CommitOffsetsResponse): void {
    const whole = failure === undefined ? undefined : errorOfFailure(failure, `group ${this.#groupId}`);
    let last = whole;
    const isRepeated = this.#state.answered(round, (at) => {
      const part = offsets[at]?.failure;
      const error = whole ?? (part === undefined ? undefined : errorOfFailure(part, round.entries[at]!.key));
      last = error ?? last;
      return error;
    });
    if (isRepeated) this.#backOff();
    else if (last === undefined) this.#failures = 0;
    if (last !== undefined) this.#learn(last);
    this.#pump();
  }

  /** What a refusal tells about the coordinator, and about the member. */
  #learn(error: MillraceError): void {
    switch (error.code) {
      case 'STALE_MEMBER_EPOCH':
      case 'UNKNOWN_MEMBER_ID':
      case 'FENCED_MEMBER_EPOCH':
      case 'FENCED_INSTANCE_ID':
        this.#handlers.onDoubt();
        break;
      case 'UNKNOWN_TOPIC_ID':
        this.#cluster.logger.info(
          { event: 'topic_gone', groupId: this.#groupId, err: error },
          'offsets of a topic that was deleted were not committed',
        );
        this.#cluster.requestRefresh();
        break;
      default: {
        const link = this.#link;
        if (link !== undefined && this.#cluster.coordinators.learn(this.#groupId, link.address, error)) {
          this.#dropLink(error);
        }
      }
    }
  }

  #onLost(tickets: readonly CommitTicket[], error: MillraceError): void {
    for (const { round } of tickets) this.#state.answered(round, () => error);
    if (tickets.length > 0) this.#backOff();
  }

  #dropLink(error: MillraceError): void {
    const link = this.#link;
    if (link === undefined) return;
    this.#link = undefined;
    this.#cluster.coordinators.forget(this.#groupId, link.address);
    link.stream.reset(error);
  }

  #backOff(): void {
    const { clock, config, random } = this.#cluster;
    this.#backoffUntilMs = clock.nowMs() + backoffMs(this.#failures++, config, random);
  }

  async #connect(): Promise<void> {
    if (this.#isConnecting) return;
    this.#isConnecting = true;
    try {
      const { coordinators } = this.#cluster;
      const connection = await coordinators.connectionTo(this.#groupId, {
        timeoutMs: this.#cluster.attemptTimeoutMs,
      });
      const address = coordinators.addressOf(this.#groupId);
      if (address !== undefined && !this.#isClosed) this.#link = this.#linkTo(address, connection);
    } catch (error) {
      const failure = toMillraceError(error);
      const round = failure.retriable ? undefined : this.#state.take();
      if (round !== undefined) this.#state.answered(round, () => failure);
      this.#backOff();
    } finally {
      this.#isConnecting = false;
    }
    this.#pump();
  }

  #linkTo(address: Address, connection: Connection): Link {
    const stream = new RequestStream<CommitOffsetsRequest, CommitOffsetsResponse, CommitTicket>(
      connection,
      groupService.commitOffsets,
      {
        onAnswer: (ticket, response) => this.#onAnswer(ticket, response),
        onLost: (tickets, error) => {
          if (this.#link?.stream === stream) {
            this.#link = undefined;
            this.#cluster.coordinators.forget(this.#groupId, address);
          }
          this.#onLost(tickets, error);
          this.#pump();
        },
        onRoom: () => this.#pump(),
      },
    );
    return { address, stream };
  }

  #arm(): void {
    this.#timer?.cancel();
    if (this.#state.isIdle) return;
    const nowMs = this.#cluster.clock.nowMs();
    const oldest = this.#link?.stream.oldest;
    const answerByMs = oldest === undefined ? Number.POSITIVE_INFINITY : oldest.sentAtMs + ANSWER_MAX_MS;
    const retryAtMs =
      this.#state.hasPending && this.#backoffUntilMs > nowMs
        ? this.#backoffUntilMs
        : Number.POSITIVE_INFINITY;
    const atMs = Math.min(this.#state.nextDeadlineMs, answerByMs, retryAtMs);
    if (atMs === Number.POSITIVE_INFINITY) return;
    this.#timer = this.#cluster.clock.schedule(Math.max(1, atMs - nowMs), () => this.#pump());
  }
}

/** One error for all, with the code of the one that lasts the longest. */
function oneOf(errors: readonly MillraceError[]): MillraceError {
  const [first] = errors;
  if (errors.length === 1) return first!;
  const { code } = errors.find(({ retriable }) => !retriable) ?? first!;
  const cause = new AggregateError(errors);
  return new MillraceError(code, errors.map(({ message }) => message).join('; '), { cause });
}
