/**
 * A member by the SDK: reads, commits without waiting for the answer, takes its time now and then, leaves and comes again.
 * What it was told about its commits is judged.
 */
import { string } from '@millrace/client';
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
const SLOW_SHARE = 0.05;
const SLOW_MAX_MS = 600;
const STAY_MEAN_MS = 3_000;
const AWAY_MEAN_MS = 500;
const CLOSE_MS = 3_000;
/** Longer than any stall: a commit is not given up because its time is over. */
const COMMIT_MS = 10_000;

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
    consumer.subscribe([TOPIC], { onError: (error) => life.note('group error', error.code) });
    const untilMs = clock.nowMs() + exponential(this.#random, STAY_MEAN_MS);
    while (clock.nowMs() < untilMs) {
      try {
        const records = await consumer.poll({ timeoutMs: POLL_MS });
        const isSlow = unit(this.#random) < SLOW_SHARE;
        const workMs = isSlow ? SLOW_MAX_MS * unit(this.#random) : exponential(this.#random, WORK_MEAN_MS);
        await sleep(clock, workMs);
        const ends = new Map<string, TopicPartition & { readonly offset: number }>();
        for (const { topic, partition, offset } of records)
          ends.set(formatTopicPartition({ topic, partition }), {
            topic,
            partition,
            offset: Number(offset) + 1,
          });
        if (ends.size > 0)
          this.#commit(ends, (offsets) => consumer.commit(offsets, { timeoutMs: COMMIT_MS }));
      } catch (error) {
        life.note('poll failed', codeOf(error));
        await sleep(clock, POLL_MS);
      }
    }
    await consumer.close({ timeoutMs: CLOSE_MS }).catch((error: unknown) => {
      life.note('leaving failed', codeOf(error));
    });
    await millrace.close();
  }

  #commit(
    ends: ReadonlyMap<string, TopicPartition & { readonly offset: number }>,
    send: (offsets: (TopicPartition & { readonly offset: number })[]) => Promise<void>,
  ): void {
    const { groupId, name: clientId } = this;
    this.#crew.counts['sdk commits'] += 1;
    send([...ends.values()]).then(
      () => {
        for (const [partition, { offset }] of ends)
          this.#crew.acknowledged({ groupId, clientId, partition, offset });
      },
      (error: unknown) => this.#crew.refused(codeOf(error)),
    );
  }
}
