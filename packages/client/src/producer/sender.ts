/**
 * Moves batches to the leaders of their partitions. One pass over the lanes decides everything that can be
 * sent now and when to look again; one timer wakes the next pass. Decisions about a single partition are its
 * queue's; this class knows brokers, time and retries.
 */

import { MillraceError, type NodeId, type Timer, toMillraceError } from '@millrace/core';
import { brokerService, type PartitionProduced, type ProduceResponse } from '@millrace/protocol';
import type { ProducerConfig } from '../client-config.ts';
import { backoffMs } from '../cluster/backoff.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { errorOfFailure, noSuchPartition } from '../cluster/failure.ts';
import type { PartitionLeader } from '../cluster/metadata-state.ts';
import type { AccumulatorState, Lane } from './accumulator-state.ts';
import { type Attempt, type AttemptPart, BrokerLink } from './broker-link.ts';
import type { ProducerIdentity } from './partition-queue-state.ts';
import { errorOfLostStream } from './produce-outcome.ts';
import type { ProducerBatch } from './producer-batch.ts';
import { type RequestDraft, SendRound, type WaitingLane } from './send-round.ts';

export interface SenderOptions {
  readonly cluster: Cluster;
  readonly config: ProducerConfig;
  readonly accumulator: AccumulatorState;
  /** A batch was closed: sticky partitioners move on. */
  readonly onBatchClosed: (topic: string, partition: number) => void;
}

/** What a request holds besides its batch. */
const FRAME_OVERHEAD_BYTES = 4_096;

const ACKS = { all: -1, '1': 1, '0': 0 } as const;

export class Sender {
  readonly #cluster: Cluster;
  readonly #config: ProducerConfig;
  readonly #accumulator: AccumulatorState;
  readonly #onBatchClosed: (topic: string, partition: number) => void;
  readonly #acks: number;
  readonly #links = new Map<NodeId, BrokerLink>();
  readonly #unsubscribe: () => void;
  readonly #letGo: () => void;
  #identity: ProducerIdentity | undefined;
  #isIdentifying = false;
  #identityFailures = 0;
  #timer: Timer | undefined;
  #timerAtMs = Number.POSITIVE_INFINITY;
  #flushes = 0;
  /** No batch expires before. */
  #nextExpiryMs = Number.POSITIVE_INFINITY;
  #isPassing = false;
  #isClosed = false;
  #lastError: MillraceError | undefined;

  constructor({ cluster, config, accumulator, onBatchClosed }: SenderOptions) {
    this.#cluster = cluster;
    this.#config = config;
    this.#accumulator = accumulator;
    this.#onBatchClosed = onBatchClosed;
    this.#acks = ACKS[config.acks];
    this.#unsubscribe = cluster.onChange(() => this.#onMetadata());
    this.#letGo = cluster.holdTopics(() => Array.from(accumulator.active, ({ topic }) => topic));
  }

  /** A lane got a new batch; if it had one before, that one is closed now. */
  noticeBatch(lane: Lane, isFollowUp: boolean): void {
    const { queue } = lane;
    this.#nextExpiryMs = Math.min(this.#nextExpiryMs, queue.open!.deadlineMs);
    if (isFollowUp) {
      this.#onBatchClosed(lane.topic, lane.partition);
      this.#pass();
      return;
    }
    const leader = this.#leaderOf(lane);
    const link = leader && this.#links.get(leader.leaderId);
    const nowMs = queue.open!.createdAtMs;
    if (leader === undefined || link === undefined) this.#wakeAt(nowMs);
    else if (link.inFlight === 0) this.#wakeAt(nowMs);
    else if (this.#hasRoom(link)) this.#wakeAt(this.#readyAtMs(lane, leader, link, nowMs));
  }

  /** Looks at everything after what is happening now. */
  wakeSoon(): void {
    this.#wakeAt(this.#cluster.clock.nowMs());
  }

  /** While flushes run, no batch lingers. */
  beginFlush(): void {
    this.#flushes++;
    this.wakeSoon();
  }

  endFlush(): void {
    this.#flushes--;
  }

  /** Resolves when the network has what nobody will acknowledge; at once with acks. */
  async written(): Promise<void> {
    if (this.#acks === 0) await Promise.all(Array.from(this.#links.values(), (link) => link.written()));
  }

  /** Fails what is left. Resolves when the brokers have what nobody will acknowledge. */
  async close(error: MillraceError): Promise<void> {
    this.#isClosed = true;
    this.#unsubscribe();
    this.#letGo();
    this.#timer?.cancel();
    const ended = Array.from(this.#links.values(), (link) => link.close());
    this.#links.clear();
    for (const lane of [...this.#accumulator.active]) {
      lane.queue.abandon(error);
      this.#accumulator.retire(lane);
    }
    if (this.#acks === 0) await Promise.all(ended);
  }

  #wakeAt(atMs: number): void {
    if (this.#isClosed || atMs >= this.#timerAtMs) return;
    this.#timer?.cancel();
    this.#timerAtMs = atMs;
    this.#timer = this.#cluster.clock.schedule(atMs - this.#cluster.clock.nowMs(), () => {
      this.#timerAtMs = Number.POSITIVE_INFINITY;
      this.#pass();
    });
  }

  /** Sends all that may go and arms the timer for the rest. */
  #pass(): void {
    if (this.#isClosed) return;
    if (this.#isPassing) {
      this.wakeSoon();
      return;
    }
    this.#isPassing = true;
    const nowMs = this.#cluster.clock.nowMs();
    let round: SendRound;
    try {
      this.#checkRequests(nowMs);
      if (nowMs >= this.#nextExpiryMs) this.#expire(nowMs);
      do {
        round = this.#sendOnce(nowMs);
      } while (round.hasMore);
    } finally {
      this.#isPassing = false;
    }
    this.#wakeAt(Math.min(round.nextReadyMs, this.#nextExpiryMs, this.#nextCheckMs()));
    this.#cluster.refreshIfOld();
  }

  /** Sends at most one batch of each lane, in one request for each leader. */
  #sendOnce(nowMs: number): SendRound {
    const round = new SendRound();
    let needsIdentity = false;
    for (const lane of [...this.#accumulator.active]) {
      const { queue } = lane;
      queue.settleGap();
      if (queue.isEmpty) {
        this.#accumulator.retire(lane);
        continue;
      }
      const leader = this.#leaderOf(lane);
      const link = leader && this.#linkTo(leader.leaderId);
      if (leader === undefined || link === undefined) {
        this.#cluster.requestRefresh();
        continue;
      }
      queue.addressTo(this.#cluster.metadata.topic(lane.topic)!.topicId);
      const request = round.requests.get(link);
      if (request === undefined && !this.#hasRoom(link)) continue;
      const readyMs = this.#readyAtMs(lane, leader, link, nowMs);
      if (readyMs > nowMs) {
        round.waiting.push({ lane, leader, link, readyMs });
      } else if (queue.needsIdentity && !this.#identify(lane)) {
        needsIdentity = true;
      } else if (request !== undefined && (link.isCareful || !this.#fits(request, lane))) {
        round.hasMore = true;
      } else {
        this.#take(lane, leader, link, round);
        this.#accumulator.moveToBack(lane);
      }
    }
    for (const waiting of round.waiting) this.#takeAlong(waiting, round, nowMs);
    if (needsIdentity) this.#requestIdentity();
    for (const [link, { parts }] of round.requests) this.#send(link, parts, nowMs);
    return round;
  }

  /**
   * Batches linger together at their leader: when the first one's time is over, the others go with it. A thousand
   * partitions with a record each are then one request in a linger time, and not one in every turn.
   */
  #takeAlong({ lane, leader, link, readyMs }: WaitingLane, round: SendRound, nowMs: number): void {
    const request = round.requests.get(link);
    const isLingering = Number.isFinite(readyMs) && lane.backoffUntilMs <= nowMs && !lane.queue.needsIdentity;
    if (request?.hasLingered && isLingering && !link.isCareful && this.#fits(request, lane)) {
      this.#take(lane, leader, link, round);
      this.#accumulator.moveToBack(lane);
    } else {
      round.lookAgainAt(this.#nextLookMs(lane, link, readyMs, nowMs));
    }
  }

  /** When to look at a lane that is not ready: at an idle broker's, after a turn of the event loop, to see if it grew. */
  #nextLookMs(lane: Lane, link: BrokerLink, readyMs: number, nowMs: number): number {
    const { open } = lane.queue;
    const isIdle = link.inFlight === 0 && lane.backoffUntilMs <= nowMs && Number.isFinite(readyMs);
    if (!isIdle || open === undefined) return readyMs;
    lane.seenRecords = open.recordCount;
    return nowMs;
  }

  #hasRoom(link: BrokerLink): boolean {
    return link.canSend && link.inFlight < (link.isCareful ? 1 : this.#config.maxInFlight);
  }

  #fits({ sizeBytes }: RequestDraft, { queue }: Lane): boolean {
    return sizeBytes + queue.nextSizeBytes <= this.#config.maxRequestSize;
  }

  /** Adds the lane's next batch to the request for its leader. */
  #take(lane: Lane, leader: PartitionLeader, link: BrokerLink, round: SendRound): void {
    const { queue } = lane;
    const hasLingered = queue.closedCount === 0;
    if (hasLingered) this.#seal(lane);
    const { topicId } = this.#cluster.metadata.topic(lane.topic)!;
    const batch = queue.take(leader.leaderId);
    if (queue.closedCount > 0 || (queue.open !== undefined && this.#flushes > 0)) round.hasMore = true;
    else if (queue.open !== undefined) {
      round.lookAgainAt(queue.open.createdAtMs + this.#config.lingerMs);
    }
    const { leaderEpoch } = leader;
    const part = { lane, batch, topicId, leaderEpoch, isAbandoned: false };
    const limitBytes = this.#config.frameMaxBytes - FRAME_OVERHEAD_BYTES;
    if (batch.sizeBytes > limitBytes && batch.encode().length > limitBytes) {
      const text = `${lane.topic}-${lane.partition}: ${batch.sizeBytes} bytes do not fit frameMaxBytes=${this.#config.frameMaxBytes}`;
      this.#onFailed(part, new MillraceError('MESSAGE_TOO_LARGE', text));
      round.hasMore = true;
      return;
    }
    round.requestTo(link).add(part, hasLingered);
  }

  #seal(lane: Lane): void {
    lane.queue.seal();
    this.#onBatchClosed(lane.topic, lane.partition);
  }

  #send(link: BrokerLink, parts: readonly AttemptPart[], nowMs: number): void {
    const attempt: Attempt = { link, parts, sentAtMs: nowMs, isProbed: false };
    const expectsAnswer = this.#acks !== 0;
    try {
      link.send(
        attempt,
        (correlationId) => ({
          header: this.#cluster.header(correlationId, this.#config.requestTimeoutMs),
          acks: this.#acks,
          partitions: parts.map(({ lane, batch, topicId, leaderEpoch }) => ({
            topicId,
            partition: lane.partition,
            leaderEpoch,
            records: batch.encode(),
          })),
        }),
        expectsAnswer,
      );
    } catch (error) {
      this.#onAllFailed(attempt, toMillraceError(error));
      return;
    }
    if (expectsAnswer) return;
    for (const { lane, batch } of parts) lane.queue.written(batch, { baseOffset: -1, logAppendTimeMs: -1 });
  }

  #onAnswer(attempt: Attempt, { failure, partitions }: ProduceResponse): void {
    if (failure !== undefined) {
      this.#onAllFailed(attempt, errorOfFailure(failure));
      return;
    }
    attempt.parts.forEach((part, i) => {
      if (part.isAbandoned) return;
      const isAnswer = (answer: PartitionProduced | undefined): boolean =>
        answer?.partition === part.lane.partition && answer.topicId === part.topicId;
      const answer = isAnswer(partitions[i]) ? partitions[i] : partitions.find(isAnswer);
      if (answer === undefined) {
        this.#onFailed(part, new MillraceError('UNKNOWN_SERVER_ERROR', 'the answer lacks the partition'));
      } else if (answer.failure === undefined) {
        part.lane.failures = 0;
        part.lane.queue.written(part.batch, answer);
      } else {
        const error = errorOfFailure(answer.failure, `${part.lane.topic}-${part.lane.partition}`);
        this.#onFailed(part, error);
        this.#cluster.learnLeader(part.topicId, answer, error);
      }
    });
    this.#pass();
  }

  #onAllFailed({ parts }: Attempt, error: MillraceError): void {
    for (const part of parts) if (!part.isAbandoned) this.#onFailed(part, error);
    this.wakeSoon();
  }

  /** The stream ended. Whose fault it is, and what was written before, is only known of a batch that was alone on it. */
  #onLost(attempts: readonly Attempt[], error: MillraceError): void {
    const isTooLarge = error.code === 'MESSAGE_TOO_LARGE';
    const isAlone = attempts.length === 1 && attempts[0]!.parts.length === 1;
    for (const attempt of attempts) {
      for (const { batch } of isTooLarge ? attempt.parts : []) {
        if (isAlone) attempt.link.convict(batch);
        else attempt.link.suspect(batch);
      }
      this.#onAllFailed(attempt, isTooLarge && isAlone ? error : errorOfLostStream(error));
    }
    this.wakeSoon();
  }

  #onFailed({ lane, batch, leaderEpoch }: AttemptPart, error: MillraceError): void {
    this.#lastError = error;
    const outcome = lane.queue.failed(batch, error);
    lane.batchSizeMax = Math.min(lane.batchSizeMax, lane.queue.sizeMaxBytes);
    const isRetried = outcome !== 'failed';
    const level = isRetried ? 'debug' : 'warn';
    this.#cluster.logger[level](
      { event: 'produce_failed', topic: lane.topic, partition: lane.partition, err: error, isRetried },
      isRetried ? 'a batch is sent again' : 'a batch failed',
    );
    const { config, clock, random } = this.#cluster;
    lane.failedEpoch = leaderEpoch;
    if (outcome === 'again') lane.backoffUntilMs = clock.nowMs() + backoffMs(lane.failures++, config, random);
    if (error.staleMetadata) this.#cluster.requestRefresh();
  }

  /** A new leader is news worth more than a backoff, or than an answer that does not come. */
  #onMetadata(): void {
    const nowMs = this.#cluster.clock.nowMs();
    for (const lane of this.#accumulator.active) {
      const leader = this.#leaderOf(lane);
      if (leader !== undefined && leader.leaderEpoch > lane.failedEpoch) lane.backoffUntilMs = 0;
      this.#checkTopic(lane, nowMs);
    }
    for (const link of this.#links.values()) {
      for (const { parts, sentAtMs } of link.attempts()) {
        if (nowMs - sentAtMs >= this.#cluster.config.stallProbeMs) this.#abandonMoved(link, parts);
      }
    }
    for (const [id, link] of this.#links) {
      if (this.#cluster.connectionTo(id) === link.connection) continue;
      this.#links.delete(id);
      link.reset(new MillraceError('NETWORK_EXCEPTION', `broker ${id} has left or moved`));
    }
    this.wakeSoon();
  }

  /** The cluster may take a moment to learn of a topic; after that the lane is given up. */
  #checkTopic(lane: Lane, nowMs: number): void {
    const failure = this.#absenceOf(lane);
    lane.missingSinceMs =
      failure === undefined ? Number.POSITIVE_INFINITY : Math.min(lane.missingSinceMs, nowMs);
    if (failure === undefined || nowMs - lane.missingSinceMs < this.#cluster.config.missingTopicTimeoutMs)
      return;
    lane.queue.abandon(failure);
  }

  #absenceOf({ topic, partition }: Lane): MillraceError | undefined {
    const failure = this.#cluster.metadata.failureOf(topic);
    if (failure !== undefined) return errorOfFailure(failure, `topic ${topic}`);
    const count = this.#cluster.metadata.topic(topic)?.partitions.length ?? Number.POSITIVE_INFINITY;
    return partition < count ? undefined : noSuchPartition(topic, partition, count);
  }

  #abandonMoved(link: BrokerLink, parts: readonly AttemptPart[]): void {
    for (const part of parts) {
      const leader = this.#leaderOf(part.lane);
      const hasMoved =
        leader !== undefined && leader.leaderId !== link.id && leader.leaderEpoch > part.leaderEpoch;
      const { topicId } = this.#cluster.metadata.topic(part.lane.topic) ?? part;
      if (part.isAbandoned || (!hasMoved && topicId === part.topicId)) continue;
      part.isAbandoned = true;
      this.#onFailed(part, new MillraceError('NETWORK_EXCEPTION', `broker ${link.id} does not answer`));
      part.lane.backoffUntilMs = 0;
    }
  }

  /** Silence first makes the client ask who leads now; later it ends the stream, so that nothing of it can land. */
  #checkRequests(nowMs: number): void {
    const { stallProbeMs } = this.#cluster.config;
    for (const link of [...this.#links.values()]) {
      const oldest = link.oldest;
      if (oldest === undefined) continue;
      // Added up as `#nextCheckMs` does: a difference may round to just below the limit, and the look would repeat for ever.
      if (nowMs >= oldest.sentAtMs + this.#answerLimitMs) {
        const text = `broker ${link.id} did not answer within ${this.#config.requestTimeoutMs} ms`;
        link.reset(new MillraceError('REQUEST_TIMED_OUT', text));
        this.#cluster.requestRefresh();
      } else if (nowMs >= oldest.sentAtMs + stallProbeMs && !oldest.isProbed) {
        oldest.isProbed = true;
        this.#cluster.requestRefresh();
      }
    }
  }

  /** The broker's own limit, and time for its answer to arrive. */
  get #answerLimitMs(): number {
    return this.#config.requestTimeoutMs + this.#cluster.config.stallProbeMs;
  }

  /** Fails batches past their deadline and notes the next one. */
  #expire(nowMs: number): void {
    this.#nextExpiryMs = Number.POSITIVE_INFINITY;
    for (const { queue } of this.#accumulator.active) {
      if (nowMs >= queue.deadlineMs) queue.expire(nowMs, (batch) => this.#tooLate(batch));
      this.#nextExpiryMs = Math.min(this.#nextExpiryMs, queue.deadlineMs);
    }
  }

  #tooLate({ topic, partition }: ProducerBatch): MillraceError {
    const cause = this.#lastError;
    const reason = cause === undefined ? '' : `; the last failure was: ${cause.message}`;
    const text = `${topic}-${partition}: no acknowledgement within ${this.#config.deliveryTimeoutMs} ms${reason}`;
    return new MillraceError('REQUEST_TIMED_OUT', text, { cause });
  }

  #readyAtMs(lane: Lane, leader: PartitionLeader, link: BrokerLink, nowMs: number): number {
    const { queue } = lane;
    if (!queue.maySendTo(leader.leaderId)) return Number.POSITIVE_INFINITY;
    if (lane.backoffUntilMs > nowMs) return lane.backoffUntilMs;
    if (queue.closedCount > 0) return nowMs;
    if (queue.open === undefined) return Number.POSITIVE_INFINITY;
    const lingerEndMs = queue.open.createdAtMs + this.#config.lingerMs;
    if (this.#flushes > 0 || lingerEndMs <= nowMs) return nowMs;
    return link.inFlight === 0 && lane.seenRecords === queue.open.recordCount ? nowMs : lingerEndMs;
  }

  /** When the oldest unanswered request of some broker is due for a look. */
  #nextCheckMs(): number {
    let nextMs = Number.POSITIVE_INFINITY;
    for (const { oldest } of this.#links.values()) {
      if (oldest === undefined) continue;
      const limitMs = oldest.isProbed ? this.#answerLimitMs : this.#cluster.config.stallProbeMs;
      nextMs = Math.min(nextMs, oldest.sentAtMs + limitMs);
    }
    return nextMs;
  }

  #leaderOf({ topic, partition }: Lane): PartitionLeader | undefined {
    const leader = this.#cluster.metadata.leaderOf(topic, partition);
    return leader === undefined || leader.leaderId < 0 ? undefined : leader;
  }

  /** Links whose broker has left or moved are dropped when metadata changes. */
  #linkTo(id: NodeId): BrokerLink | undefined {
    const known = this.#links.get(id);
    if (known !== undefined) return known;
    const connection = this.#cluster.connectionTo(id);
    if (connection === undefined) return undefined;
    const link = new BrokerLink(id, connection, {
      onAnswer: (attempt, response) => this.#onAnswer(attempt, response),
      onLost: (attempts, error) => this.#onLost(attempts, error),
      onRoom: () => this.wakeSoon(),
    });
    this.#links.set(id, link);
    return link;
  }

  #identify(lane: Lane): boolean {
    if (this.#identity === undefined) return false;
    lane.queue.identify(this.#identity);
    return true;
  }

  #requestIdentity(): void {
    if (this.#isIdentifying) return;
    this.#isIdentifying = true;
    const { clock, config, random } = this.#cluster;
    const request = this.#cluster.callAnyNode(brokerService.initProducerId, (header) => ({ header }));
    request.then(
      ({ producerId, producerEpoch }) => {
        this.#isIdentifying = false;
        this.#identityFailures = 0;
        this.#identity = { producerId, producerEpoch };
        this.wakeSoon();
      },
      (error: unknown) => {
        this.#lastError = toMillraceError(error);
        if (this.#isClosed) return;
        this.#cluster.logger.warn(
          { event: 'producer_id_failed', err: error },
          'no producer id yet; asking again',
        );
        clock.schedule(backoffMs(this.#identityFailures++, config, random), () => {
          this.#isIdentifying = false;
          this.wakeSoon();
        });
      },
    );
  }
}
