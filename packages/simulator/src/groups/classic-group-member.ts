/**
 * A day of a member of the classic protocol: joins by Kafka's own requests, reads what it was given, takes its time with it,
 * commits after that, leaves or falls silent and comes again. Reads by the SDK, which knows nothing of the group.
 */
import { type Consumer, type ConsumerRecord, string } from '@millrace/client';
import {
  below,
  formatTopicPartition,
  MillraceError,
  type SeededRandom,
  sleep,
  type TopicPartition,
  unit,
} from '@millrace/core';
import { ClassicClient, type CommittedPartition } from '../classic/classic-client.ts';
import { bringBefore, ClassicHolder } from '../classic/classic-holder.ts';
import { type ClassicTerms, drawSpeech } from '../classic/classic-terms.ts';
import { codeOf } from '../cluster/client-crew.ts';
import { exponential } from '../world/exponential.ts';
import type { SimLife } from '../world/sim-process.ts';
import type { ClassicMembersPlan } from './classic-groups.ts';
import type { GroupCrew } from './group-crew.ts';
import type { GroupPlan } from './group-plan.ts';

const POLL_MS = 300;
const STAY_MEAN_MS = 15_000;
const WORK_MEAN_MS = 15;
const STALL_SHARE = 0.01;
const SILENT_SHARE = 0.3;

export class ClassicGroupMember {
  readonly holder: ClassicHolder;
  readonly #crew: GroupCrew;
  readonly #life: SimLife;
  readonly #random: SeededRandom;
  readonly #client: ClassicClient;
  readonly #reader: Consumer<Buffer, string>;
  readonly #close: () => Promise<void>;
  /** What it reads: the offset it has come to is known. */
  readonly #reading = new Map<string, TopicPartition>();
  /** How far it has come with each partition since it was given it. */
  readonly #ends = new Map<string, CommittedPartition>();
  /** Partitions of which a commit failed. */
  readonly #owed = new Set<string>();

  constructor(
    crew: GroupCrew,
    life: SimLife,
    plan: GroupPlan,
    classic: ClassicMembersPlan,
    name: string,
    random: SeededRandom,
    groupInstanceId: string | undefined,
  ) {
    this.#crew = crew;
    this.#life = life;
    this.#random = random;
    const clientId = crew.nextClientId(name);
    const millrace = crew.crew.millrace(life, clientId);
    this.#reader = millrace.consumer<Buffer, string>({
      autoOffsetReset: 'earliest',
      valueDeserializer: string,
      maxPollRecords: [1, 5, 500][below(random, 3)]!,
      fetchMaxWaitMs: 200,
    });
    const wire = crew.crew.kafka(life, clientId);
    this.#close = async () => {
      wire.close();
      await millrace.close();
    };
    this.holder = new ClassicHolder(life, clientId, () => this.#client);
    const terms: ClassicTerms = {
      groupId: plan.groupId,
      groupInstanceId,
      topics: plan.topics,
      protocol: classic.isCooperative ? 'cooperative-sticky' : 'range',
      isCooperative: classic.isCooperative,
      sessionTimeoutMs: classic.sessionTimeoutMs,
      rebalanceTimeoutMs: classic.rebalanceTimeoutMs,
      heartbeatIntervalMs: Math.floor(classic.sessionTimeoutMs / 4),
      speech: drawSpeech(random, groupInstanceId !== undefined || classic.isCooperative),
      brokers: crew.crew.brokers,
      partitionsOf: (topic) => crew.crew.layout.topics.find((each) => each.name === topic)?.partitions ?? 0,
    };
    this.#client = new ClassicClient(life, random.fork(), wire, terms, {
      beforeJoin: () => this.#settleDebts(),
      taken: (partitions) => this.#taken(partitions),
      given: (partitions) => {
        const keys = partitions.map(formatTopicPartition);
        life.note('given', keys.join(' '));
        bringBefore(crew.watch, this.holder, keys, crew.othersOf(this.holder));
      },
    });
  }

  /** From its first join to its leaving. */
  async live(): Promise<void> {
    const { clock } = this.#life;
    const untilMs = clock.nowMs() + exponential(this.#random, STAY_MEAN_MS);
    try {
      while (this.#crew.isCalm || clock.nowMs() < untilMs) {
        if (await this.#client.poll()) await this.#read();
      }
    } catch (error) {
      this.#life.note('classic member ends', codeOf(error));
    }
    await this.#settleDebts();
    await this.#client.leave(unit(this.#random) < SILENT_SHARE);
    this.holder.over();
    await this.#close();
    await sleep(clock, exponential(this.#random, 1_000));
  }

  async #read(): Promise<void> {
    const { clock } = this.#life;
    try {
      await this.#takeOver();
      const records = await this.#reader.poll({ timeoutMs: POLL_MS });
      if (records.length > 0) await this.#handle(records);
      else await this.#settleDebts();
    } catch (error) {
      this.#life.note('classic poll failed', codeOf(error));
      await sleep(clock, POLL_MS);
    }
  }

  /** Goes on where the group is. */
  async #takeOver(): Promise<void> {
    const fresh = [...this.#client.held].filter(([key]) => !this.#reading.has(key)).map(([, each]) => each);
    if (fresh.length === 0) return;
    const committed = await this.#client.committed(fresh);
    for (const each of fresh) this.#reading.set(formatTopicPartition(each), each);
    this.#reader.assign([...this.#reading.values()]);
    for (const each of fresh) {
      const offset = committed.get(formatTopicPartition(each)) ?? -1;
      if (offset < 0) this.#reader.seekToBeginning([each]);
      else this.#reader.seek(each, offset);
    }
  }

  #taken(partitions: readonly TopicPartition[]): void {
    for (const key of partitions.map(formatTopicPartition)) {
      this.#reading.delete(key);
      this.#ends.delete(key);
      this.#owed.delete(key);
    }
    this.#reader.assign([...this.#reading.values()]);
  }

  async #handle(records: readonly ConsumerRecord<Buffer, string>[]): Promise<void> {
    const { clock } = this.#life;
    const { watch, plan, counts, isCalm } = this.#crew;
    await sleep(clock, exponential(this.#random, WORK_MEAN_MS));
    if (!isCalm && unit(this.#random) < STALL_SHARE)
      await sleep(clock, 2 * plan.maxPollIntervalMs * unit(this.#random));
    const ends = new Map<string, CommittedPartition>();
    for (const { topic, partition, offset } of records) {
      const key = formatTopicPartition({ topic, partition });
      counts['member records'] += 1;
      watch.processed(this.holder.groupId, key, Number(offset));
      ends.set(key, { topic, partition, offset: Number(offset) + 1 });
    }
    for (const [key, end] of ends) this.#ends.set(key, end);
    await this.#commit(ends);
  }

  async #commit(ends: ReadonlyMap<string, CommittedPartition>): Promise<void> {
    const { groupId, clientId } = this.holder;
    const { membership } = this.#client;
    try {
      if (membership === undefined) throw new MillraceError('REBALANCE_IN_PROGRESS');
      await this.#client.commit(membership, [...ends.values()], '');
    } catch (error) {
      this.#life.note('commit failed', codeOf(error));
      for (const key of ends.keys()) this.#owed.add(key);
      return;
    }
    this.#crew.counts['member commits'] += 1;
    for (const [partition, { offset }] of ends) {
      this.#owed.delete(partition);
      this.#crew.watch.acknowledged({ groupId, clientId, partition, offset });
    }
  }

  async #settleDebts(): Promise<void> {
    const debts = [...this.#ends].filter(([key]) => this.#owed.has(key) && this.#client.held.has(key));
    if (debts.length > 0) await this.#commit(new Map(debts));
  }
}
