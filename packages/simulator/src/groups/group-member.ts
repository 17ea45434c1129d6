/**
 * A member's day: subscribes, reads, takes its time with what it read, commits after that in one of several ways, leaves and
 * comes again. What it was given, has finished with and was told is written down.
 */
import { type Consumer, type ConsumerRecord, string } from '@millrace/client';
import {
  below,
  formatTopicPartition,
  type SeededRandom,
  sleep,
  type TopicPartition,
  unit,
} from '@millrace/core';
import { codeOf } from '../cluster/client-crew.ts';
import { exponential } from '../world/exponential.ts';
import type { SimLife } from '../world/sim-process.ts';
import type { GroupCrew } from './group-crew.ts';
import type { Holder } from './group-observation.ts';
import type { GroupPlan } from './group-plan.ts';

const POLL_MS = 500;
const FAILURE_PAUSE_MS = 200;
const STAY_MEAN_MS = 15_000;
const CLOSE_MS = 4_000;
const COMMIT_MS = 5_000;
/** With what is in hand, mostly. */
const WORK_MEAN_MS = 15;
const STALL_SHARE = 0.01;

type CommitWay = 'offsets' | 'progress' | 'soon' | 'by itself';
const COMMIT_WAYS: readonly CommitWay[] = ['offsets', 'offsets', 'progress', 'soon', 'by itself'];

export class GroupMember implements Holder {
  readonly groupId: string;
  readonly clientId: string;
  readonly since = new Map<string, number>();
  readonly #crew: GroupCrew;
  readonly #life: SimLife;
  readonly #random: SeededRandom;
  readonly #plan: GroupPlan;
  readonly #way: CommitWay;
  readonly #consumer: Consumer<Buffer, string>;
  readonly #close: () => Promise<void>;
  /** How far it has come with each partition since it was given it. */
  readonly #ends = new Map<string, TopicPartition & { readonly offset: number }>();
  /** Partitions of which a commit failed: as careful programs do, it tries again when there is nothing else to do. */
  readonly #owed = new Set<string>();
  #isOver = false;

  constructor(
    crew: GroupCrew,
    life: SimLife,
    plan: GroupPlan,
    name: string,
    random: SeededRandom,
    groupInstanceId: string | undefined,
  ) {
    this.#crew = crew;
    this.#life = life;
    this.#plan = plan;
    this.#random = random;
    this.groupId = plan.groupId;
    this.clientId = crew.nextClientId(name);
    this.#way = COMMIT_WAYS[below(random, COMMIT_WAYS.length)]!;
    const millrace = crew.crew.millrace(life, this.clientId);
    this.#close = () => millrace.close();
    this.#consumer = millrace.consumer<Buffer, string>({
      groupId: plan.groupId,
      ...(groupInstanceId !== undefined && { groupInstanceId }),
      autoOffsetReset: 'earliest',
      valueDeserializer: string,
      enableAutoCommit: this.#way === 'by itself',
      autoCommitIntervalMs: [300, 2_000][below(random, 2)]!,
      maxPollIntervalMs: crew.plan.maxPollIntervalMs,
      rebalanceTimeoutMs: crew.plan.rebalanceTimeoutMs,
      maxPollRecords: [1, 5, 500][below(random, 3)]!,
      fetchMaxWaitMs: 500,
      serverAssignor: (['', 'uniform', 'range'] as const)[below(random, 3)]!,
    });
  }

  get isOver(): boolean {
    return this.#isOver || !this.#life.isCurrent;
  }

  believes(partition: string): boolean {
    return (
      !this.isOver && this.#consumer.assignment().some((each) => formatTopicPartition(each) === partition)
    );
  }

  /** From its first join to its leaving. */
  async live(): Promise<void> {
    const { clock } = this.#life;
    const untilMs = clock.nowMs() + exponential(this.#random, STAY_MEAN_MS);
    this.#consumer.subscribe(this.#plan.topics, {
      onAssigned: (partitions) => this.#given(partitions),
      onError: (error) => this.#life.note('group error', error.code),
    });
    while (this.#crew.isCalm || clock.nowMs() < untilMs) {
      try {
        const records = await this.#consumer.poll({ timeoutMs: POLL_MS });
        if (records.length > 0) await this.#handle(records);
        else await this.#settleDebts();
      } catch (error) {
        this.#life.note('group poll failed', codeOf(error));
        await sleep(clock, FAILURE_PAUSE_MS);
      }
    }
    await this.#leave();
  }

  #given(partitions: readonly TopicPartition[]): void {
    const { watch } = this.#crew;
    const keys = partitions.map(formatTopicPartition);
    const { truth } = watch;
    // What reaches it after it was thrown out was given to it before.
    const removals = truth.removalsOf(this.clientId) - (truth.isOut(this.clientId) ? 1 : 0);
    for (const key of keys) {
      this.since.set(key, removals);
      this.#ends.delete(key);
      this.#owed.delete(key);
    }
    this.#life.note('given', keys.join(' '));
    watch.given(this, keys, this.#crew.othersOf(this));
  }

  async #handle(records: readonly ConsumerRecord<Buffer, string>[]): Promise<void> {
    const { clock } = this.#life;
    const { watch, plan, counts } = this.#crew;
    await sleep(clock, exponential(this.#random, WORK_MEAN_MS));
    if (!this.#crew.isCalm && unit(this.#random) < STALL_SHARE) {
      await sleep(clock, 2 * plan.maxPollIntervalMs * unit(this.#random));
    }
    const ends = new Map<string, TopicPartition & { readonly offset: number }>();
    for (const { topic, partition, offset } of records) {
      const key = formatTopicPartition({ topic, partition });
      counts['member records'] += 1;
      watch.processed(this.groupId, key, Number(offset));
      ends.set(key, { topic, partition, offset: Number(offset) + 1 });
    }
    for (const [partition, end] of ends) this.#ends.set(partition, end);
    await this.#commit(ends);
  }

  async #commit(ends: ReadonlyMap<string, TopicPartition & { readonly offset: number }>): Promise<void> {
    const { groupId, clientId } = this;
    try {
      if (this.#way === 'by itself') return;
      if (this.#way === 'soon') {
        this.#consumer.commitSoon([...ends.values()], (error) => this.#owe(ends, error));
        return;
      }
      const offsets = this.#way === 'offsets' ? [...ends.values()] : undefined;
      await this.#consumer.commit(offsets, { timeoutMs: COMMIT_MS });
    } catch (error) {
      this.#owe(ends, error);
      return;
    }
    for (const partition of ends.keys()) this.#owed.delete(partition);
    this.#crew.counts['member commits'] += 1;
    for (const [partition, { offset }] of ends) {
      this.#crew.watch.acknowledged({ groupId, clientId, partition, offset });
    }
  }

  #owe(ends: ReadonlyMap<string, unknown>, error: unknown): void {
    this.#life.note('commit failed', codeOf(error));
    for (const partition of ends.keys()) this.#owed.add(partition);
  }

  async #settleDebts(): Promise<void> {
    const debts = [...this.#ends].filter(
      ([partition]) => this.#owed.has(partition) && this.believes(partition),
    );
    this.#owed.clear();
    if (debts.length > 0) await this.#commit(new Map(debts));
  }

  async #leave(): Promise<void> {
    try {
      await this.#consumer.close({ timeoutMs: CLOSE_MS });
    } catch (error) {
      this.#life.note('leaving failed', codeOf(error));
    }
    this.#isOver = true;
    await this.#close();
    await sleep(this.#life.clock, exponential(this.#random, 1_000));
  }
}
