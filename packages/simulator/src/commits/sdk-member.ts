/**
 * A member by the SDK: reads, commits without waiting for the answer, takes its time now and then, leaves and comes again.
 * What it was told about its commits is judged.
 */
import { type Consumer, string } from '@millrace/client';
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
import type { SimLife, SimProcess } from '../world/sim-process.ts';
import type { CommitCrew } from './commit-crew.ts';
import { TOPIC } from './commit-plan.ts';

const POLL_MS = 200;
const WORK_MEAN_MS = 10;
/** With what is in hand, when it takes its time: a revocation waits for it. */
const SLOW_SHARE = 0.1;
const SLOW_MAX_MS = 500;
const STAY_MEAN_MS = 4_000;
const AWAY_MEAN_MS = 500;
const CLOSE_MS = 3_000;
/** Longer than any stall: a commit is not given up because its time is over. */
const COMMIT_MS = 10_000;

interface Progress extends TopicPartition {
  /** The next to read. */
  readonly offset: number;
}

export class SdkMember {
  readonly name: string;
  readonly groupId: string;
  readonly #crew: CommitCrew;
  readonly #random: SeededRandom;
  readonly #process: SimProcess;

  constructor(crew: CommitCrew, groupId: string, name: string, random: SeededRandom) {
    this.#crew = crew;
    this.groupId = groupId;
    this.name = name;
    this.#random = random;
    this.#process = crew.world.process(name);
  }

  start(): void {
    this.#process.start(async (life) => {
      while (!this.#crew.isCalm) {
        await this.#stay(life);
        await sleep(life.clock, exponential(this.#random, AWAY_MEAN_MS));
      }
    });
  }

  stop(): void {
    this.#process.kill();
  }

  async #stay(life: SimLife): Promise<void> {
    const { clock } = life;
    const millrace = this.#crew.millrace(life);
    const consumer = millrace.consumer<Buffer, string>({
      groupId: this.groupId,
      autoOffsetReset: 'earliest',
      valueDeserializer: string,
      enableAutoCommit: false,
      rebalanceTimeoutMs: this.#crew.plan.rebalanceTimeoutMs,
      maxPollRecords: [1, 5][below(this.#random, 2)]!,
      fetchMaxWaitMs: 100,
    });
    const done = new Map<string, Progress>();
    let isLeaving = false;
    consumer.subscribe([TOPIC], {
      onAssigned: (partitions) => {
        for (const partition of partitions) done.delete(formatTopicPartition(partition));
      },
      onRevoked: (partitions) => {
        if (!isLeaving) this.#crew.onRevoke();
        // Once more, as programs do that want to be sure.
        const keys = partitions.map(formatTopicPartition);
        this.#commit(consumer, new Map([...done].filter(([key]) => keys.includes(key))));
      },
      onError: (error) => life.note('group error', error.code),
    });
    const untilMs = clock.nowMs() + exponential(this.#random, STAY_MEAN_MS);
    while (clock.nowMs() < untilMs) await this.#read(life, consumer, done);
    isLeaving = true;
    await consumer.close({ timeoutMs: CLOSE_MS }).catch((error: unknown) => {
      life.note('leaving failed', codeOf(error));
    });
    await millrace.close();
  }

  async #read(life: SimLife, consumer: Consumer<Buffer, string>, done: Map<string, Progress>): Promise<void> {
    try {
      const records = await consumer.poll({ timeoutMs: POLL_MS });
      const isSlow = unit(this.#random) < SLOW_SHARE;
      await sleep(
        life.clock,
        isSlow ? SLOW_MAX_MS * unit(this.#random) : exponential(this.#random, WORK_MEAN_MS),
      );
      const ends = new Map<string, Progress>();
      for (const { topic, partition, offset } of records) {
        const progress = { topic, partition, offset: Number(offset) + 1 };
        ends.set(formatTopicPartition(progress), progress);
      }
      for (const [key, progress] of ends) done.set(key, progress);
      this.#commit(consumer, ends);
    } catch (error) {
      life.note('poll failed', codeOf(error));
      await sleep(life.clock, POLL_MS);
    }
  }

  /** Nobody waits for the answer. */
  #commit(consumer: Consumer<Buffer, string>, ends: ReadonlyMap<string, Progress>): void {
    if (ends.size === 0) return;
    const { groupId, name: clientId } = this;
    this.#crew.counts['sdk commits'] += 1;
    consumer.commit([...ends.values()], { timeoutMs: COMMIT_MS }).then(
      () => {
        for (const [partition, { offset }] of ends)
          this.#crew.acknowledged({ groupId, clientId, partition, offset });
      },
      (error: unknown) => this.#crew.refused(codeOf(error)),
    );
  }
}
