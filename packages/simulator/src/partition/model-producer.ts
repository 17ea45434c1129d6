/**
 * A producer as rule P20 wants it: sequences, several batches in flight, the same batch again after every doubt, in order,
 * through failovers. Writes down what it was told; knows nothing of the brokers' insides.
 */
import type { ProduceResponse } from '@millrace/broker';
import { below, MillraceError, type SeededRandom } from '@millrace/core';
import { buildBatch } from '@millrace/records';
import type { ClientHistory, Sent } from '../history/client-history.ts';
import { exponential } from '../world/exponential.ts';
import type { BrokerClient, KnownLeader } from './broker-client.ts';
import type { ProducerPlan } from './partition-plan.ts';

export interface ProducerHost {
  readonly history: ClientHistory;
  /** Never given out twice. */
  nextProducerId(): number;
  /** Records of the partition were given up lawfully: sequences may have gone with them. */
  mayHaveLost(key: string): boolean;
  /** Leaders may not know a producer whose batches were deleted. */
  mayForgetProducers(key: string): boolean;
  fail(text: string): never;
}

interface Pending {
  readonly index: number;
  readonly bytes: Buffer;
  readonly sents: readonly Sent[];
  readonly bornMs: number;
  attempt: number;
  isInFlight: boolean;
  /** Everything before it was acknowledged when this attempt was sent: a leader must have that, or know this batch. */
  wasHead: boolean;
  mayBeAppended: boolean;
}

const RECORDS_MAX = 3;
const PAYLOADS = [0, 20, 120];
/** Whoever hears one of these may be sure that this attempt changed nothing. */
const DEFINITE = new Set([
  'NOT_ENOUGH_REPLICAS',
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
  'CONNECTION_FAILED',
]);
const RETRIED = new Set([
  ...DEFINITE,
  'NOT_LEADER_OR_FOLLOWER',
  'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
  'REQUEST_TIMED_OUT',
  'NETWORK_EXCEPTION',
  'KAFKA_STORAGE_ERROR',
  'DISK_FULL',
  'NODE_OVERLOADED',
  'NODE_NOT_SERVING',
  'UNKNOWN_TOPIC_ID',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'LOG_DAMAGED',
]);

/** One producer's way into one partition. */
class Lane {
  readonly key: string;
  readonly #topicId: string;
  readonly #partition: number;
  readonly #producer: ModelProducer;
  #queue: Pending[] = [];
  #producerId: number;
  #sequence = 0;
  #nextIndex = 0;
  #known: KnownLeader | undefined;
  #backoffUntilMs = 0;
  isOver = false;

  constructor(producer: ModelProducer, topicId: string, partition: number) {
    this.#producer = producer;
    this.#topicId = topicId;
    this.#partition = partition;
    this.key = `${topicId}-${partition}`;
    this.#producerId = producer.newId();
  }

  get isIdle(): boolean {
    return this.#queue.length === 0;
  }

  produce(): void {
    const { random, name, host, client, plan } = this.#producer;
    if (this.isOver || this.#queue.length > 20) return;
    const count = 1 + below(random, RECORDS_MAX);
    const values = Array.from({ length: count }, () => this.#producer.nextValue());
    // Without sequences nothing keeps a late batch from coming after its followers: each is a producer of its own.
    const sender = plan.isIdempotent
      ? `${name}/${this.#producerId}`
      : `${name}/${this.#producerId}/${this.#nextIndex}`;
    const sents = values.map((value) => host.history.send(sender, this.key, value));
    const payload = PAYLOADS[below(random, PAYLOADS.length)]!;
    const timestamp = client.life.clock.wallMs();
    const records = values.map((value) => ({ value: Buffer.from(value.padEnd(payload, '.')), timestamp }));
    const producer = { producerId: this.#producerId, producerEpoch: 0, baseSequence: this.#sequence };
    const bytes = buildBatch(records, plan.isIdempotent ? { producer } : {});
    this.#sequence += count;
    const bornMs = client.life.clock.nowMs();
    const index = this.#nextIndex++;
    this.#queue.push({
      index,
      bytes,
      sents,
      bornMs,
      attempt: 0,
      isInFlight: false,
      wasHead: false,
      mayBeAppended: false,
    });
    this.pump();
  }

  /** Sends what may be sent; gives up what is too old. */
  pump(): void {
    const { client, plan } = this.#producer;
    const nowMs = client.life.clock.nowMs();
    const head = this.#queue[0];
    if (head === undefined) return;
    if (nowMs - head.bornMs > plan.deliveryTimeoutMs && !head.isInFlight) {
      this.#abandon();
      return;
    }
    if (nowMs < this.#backoffUntilMs) return;
    const unanswered = plan.acks === 0 ? Number.POSITIVE_INFINITY : 1;
    const window = plan.isIdempotent ? plan.inFlightMax : unanswered;
    for (const pending of [...this.#queue]) {
      if (pending.index >= head.index + window) return;
      if (!pending.isInFlight && !this.#send(pending)) return;
    }
  }

  #send(pending: Pending): boolean {
    const { client, plan, random } = this.#producer;
    this.#known ??= client.leaderOf(this.#topicId, this.#partition);
    if (this.#known === undefined) {
      this.isOver = true;
      this.#abandon();
      return false;
    }
    const { leader, leaderEpoch } = this.#known;
    if (leader === -1) {
      this.#backOff();
      return false;
    }
    pending.isInFlight = true;
    pending.wasHead = this.#queue[0] === pending;
    pending.attempt += 1;
    const { attempt } = pending;
    const timeoutMs = 300 + below(random, 1500);
    const request = {
      acks: plan.acks,
      timeoutMs,
      clientId: this.#producer.name,
      partitions: [
        {
          topicId: this.#topicId,
          partition: this.#partition,
          leaderEpoch: below(random, 4) === 0 ? -1 : leaderEpoch,
          records: Buffer.from(pending.bytes),
        },
      ],
    };
    const answer = client.call<ProduceResponse>(leader, 'produce', request, timeoutMs + 500);
    if (plan.acks === 0) {
      answer.catch(() => {});
      this.#queue.shift();
      return true;
    }
    answer.then(
      ({ failure, partitions: [answered] }) => {
        if (failure !== undefined) this.#failed(pending, attempt, failure.code);
        else if (answered!.failure !== undefined) this.#failed(pending, attempt, answered!.failure.code);
        else this.#succeeded(pending, answered!.baseOffset);
      },
      (error: unknown) => {
        if (!(error instanceof MillraceError)) throw error;
        this.#failed(pending, attempt, error.code);
      },
    );
    return true;
  }

  #succeeded(pending: Pending, baseOffset: number): void {
    const at = this.#queue.indexOf(pending);
    if (at === -1) return;
    this.#queue.splice(at, 1);
    // acks=1 promises one copy, which a failover may lose.
    if (this.#producer.plan.acks === -1) {
      pending.sents.forEach((sent, i) => {
        sent.outcome = 'acknowledged';
        sent.offset = baseOffset === -1 ? -1 : baseOffset + i;
      });
    }
    this.pump();
  }

  #failed(pending: Pending, attempt: number, code: string): void {
    const { host, plan } = this.#producer;
    if (!DEFINITE.has(code)) pending.mayBeAppended = true;
    if (!this.#queue.includes(pending) || pending.attempt !== attempt) return;
    if (code === 'DUPLICATE_SEQUENCE_NUMBER' && pending.mayBeAppended) {
      // As the SDK does: it is there, and nobody remembers where.
      this.#succeeded(pending, -1);
      return;
    }
    if (!RETRIED.has(code))
      host.fail(
        `a producer was told ${code} of ${this.key}, producer ${this.#producerId}, acks ${plan.acks}`,
      );
    pending.isInFlight = false;
    this.#known = undefined;
    if (!plan.isIdempotent || (pending.wasHead && code === 'OUT_OF_ORDER_SEQUENCE_NUMBER')) {
      const isExcused = host.mayHaveLost(this.key) || host.mayForgetProducers(this.key);
      if (plan.isIdempotent && plan.acks === -1 && !isExcused) {
        host.fail(
          `invariant 41 producer-state-is-that-of-the-log: ${code} for the oldest batch without an acknowledgement in ${this.key}`,
        );
      }
      if (plan.isIdempotent) this.#abandon();
      else this.#drop(pending);
      return;
    }
    this.#backOff();
  }

  #drop(pending: Pending): void {
    if (!pending.mayBeAppended) for (const sent of pending.sents) sent.outcome = 'refused';
    this.#queue = this.#queue.filter((other) => other !== pending);
    this.#backOff();
  }

  /** Starts over as another producer: what is on its way may or may not arrive. */
  #abandon(): void {
    for (const pending of this.#queue) {
      if (pending.isInFlight || pending.mayBeAppended) continue;
      for (const sent of pending.sents) sent.outcome = 'refused';
    }
    this.#queue = [];
    this.#producerId = this.#producer.newId();
    this.#sequence = 0;
  }

  #backOff(): void {
    const { client, random } = this.#producer;
    const waitMs = 20 + below(random, 100);
    this.#known = undefined;
    this.#backoffUntilMs = client.life.clock.nowMs() + waitMs;
    client.life.clock.schedule(waitMs + 1, () => this.pump());
  }
}

export class ModelProducer {
  readonly name: string;
  readonly client: BrokerClient;
  readonly host: ProducerHost;
  readonly plan: ProducerPlan;
  readonly random: SeededRandom;
  readonly #lanes = new Map<string, Lane>();
  #values = 0;
  #isStopped = false;

  constructor(name: string, client: BrokerClient, host: ProducerHost, plan: ProducerPlan) {
    this.name = name;
    this.client = client;
    this.host = host;
    this.plan = plan;
    this.random = client.life.random;
  }

  start(): void {
    const { clock } = this.client.life;
    const next = (): void => {
      if (this.#isStopped) return;
      this.#produce();
      clock.schedule(exponential(this.random, this.plan.intervalMeanMs), next);
    };
    next();
  }

  stop(): void {
    this.#isStopped = true;
  }

  /** Nothing waits for an answer, but for partitions that are excused. */
  isIdle(isExcused: (key: string) => boolean): boolean {
    for (const lane of this.#lanes.values()) if (!lane.isIdle && !isExcused(lane.key)) return false;
    return true;
  }

  newId(): number {
    return this.host.nextProducerId();
  }

  nextValue(): string {
    return `${this.name}.${this.#values++}`;
  }

  #produce(): void {
    const topics = [...this.client.image().topics.values()];
    const topic = topics[below(this.random, topics.length)];
    if (topic === undefined) return;
    const partition = below(this.random, topic.partitions.length);
    const key = `${topic.id}-${partition}`;
    let lane = this.#lanes.get(key);
    if (lane === undefined) {
      lane = new Lane(this, topic.id, partition);
      this.#lanes.set(key, lane);
    }
    lane.produce();
  }
}
