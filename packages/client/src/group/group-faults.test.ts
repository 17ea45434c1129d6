/** Members that come, go, stall and throw, under coordinators that move, refuse and lose answers: nothing is skipped. */
import { below, type Random, SeededRandom } from '@millrace/core';
import { expect, test } from 'vitest';
import type { Consumer } from '../consumer/consumer.ts';
import type { ConsumerRecord } from '../consumer/consumer-record.ts';
import { type GroupFixture, groupFixture, textOf } from '../testing/group-fixture.ts';

const PARTITIONS = 4;
const STEPS = 60;
const FAULTS = ['COORDINATOR_LOAD_IN_PROGRESS', 'REQUEST_TIMED_OUT', 'NOT_COORDINATOR'] as const;

interface Member {
  readonly consumer: Consumer;
  running: Promise<unknown>;
}

class Story {
  readonly handled = new Set<string>();
  /** Records in the hands of a handler, by the partition; of one member only ever one. */
  readonly faults: string[] = [];
  readonly members: Member[] = [];
  readonly #world: GroupFixture;
  readonly #random: Random;
  isCalm = false;

  constructor(world: GroupFixture, random: Random) {
    this.#world = world;
    this.#random = random;
    const { group, cluster } = world;
    const isUnlucky = (chance: number): boolean => !this.isCalm && below(random, 100) < chance;
    const fault = () => FAULTS[below(random, FAULTS.length)]!;
    group.onHeartbeat = () => (isUnlucky(5) ? fault() : undefined);
    group.onFetchOffsets = () => (isUnlucky(10) ? fault() : undefined);
    cluster.afterUnary = (method) =>
      method === 'ConsumerGroupHeartbeat' && isUnlucky(3) ? 'NETWORK_EXCEPTION' : undefined;
    group.onCommit = ({ offsets }) => {
      for (const { topic, partition, offset } of offsets) {
        for (let at = 0; at < offset; at++) {
          if (!this.handled.has(`p${partition}-${at}`))
            this.faults.push(`${topic}-${partition}: ${offset} was committed, ${at} was not handled`);
        }
      }
      if (!isUnlucky(15)) return undefined;
      return below(random, 2) === 0 ? fault() : below(random, 2) === 0 ? 'lose' : 'break';
    };
  }

  join(): void {
    const consumer = this.#world.consumer({
      autoCommitIntervalMs: 40,
      maxPollIntervalMs: 150,
      maxPollRecords: 3,
      ...(below(this.#random, 3) === 0 && { groupInstanceId: `i${this.members.length}` }),
    });
    consumer.subscribe(['t']);
    this.members.push({ consumer, running: this.#work(consumer) });
  }

  async leave(): Promise<void> {
    const [gone] = this.members.splice(below(this.#random, this.members.length), 1);
    await gone?.consumer.close().catch(() => {});
    await gone?.running;
  }

  /** As `run`, begun again after failures; or as a loop. */
  async #work(consumer: Consumer): Promise<void> {
    const isLoop = below(this.#random, 2) === 0;
    for (;;) {
      try {
        if (isLoop) {
          for await (const batch of consumer) for (const record of batch) await this.#handle(record);
        } else await consumer.run({ concurrency: 2, eachRecord: (record) => this.#handle(record) });
        return;
      } catch (error) {
        if ((error as Error).message !== 'handler') {
          if ((error as { code?: string }).code !== 'CLOSED') this.faults.push(String(error));
          return;
        }
      }
    }
  }

  async #handle(record: ConsumerRecord): Promise<void> {
    const luck = this.isCalm ? 100 : below(this.#random, 100);
    const delayMs = luck < 3 ? 250 : luck < 40 ? 5 : 0;
    if (delayMs > 0) await new Promise<void>((resolve) => this.#world.clock.schedule(delayMs, resolve));
    if (luck > 96 && luck < 100) throw new Error('handler');
    this.handled.add(textOf(record));
  }
}

test('no record is skipped and none is committed before it was handled, whatever happens', async () => {
  for (let seed = 1; seed <= 12; seed++) {
    const world = groupFixture({ partitions: PARTITIONS, seed });
    const { group, cluster, fill, pass, run, millrace } = world;
    const random = new SeededRandom(seed * 7919);
    const story = new Story(world, random);
    story.join();
    for (let step = 0; step < STEPS; step++) {
      fill(below(random, PARTITIONS), 1 + below(random, 4));
      const choice = below(random, 12);
      if (choice === 0 && story.members.length < 4) story.join();
      else if (choice === 1 && story.members.length > 1) await run(story.leave());
      else if (choice === 2 && group.members.size > 0)
        group.expel(group.member(below(random, group.members.size)).id);
      else if (choice === 3) group.brokerId = 1 + below(random, 3);
      else if (choice === 4) cluster.breakStreams(group.brokerId);
      await pass(10 + below(random, 30));
    }
    story.isCalm = true;
    // Sessions of static members that do not come back end some time.
    for (const { id, isAway } of [...group.members.values()]) if (isAway) group.expel(id);
    await pass(3_000);
    const missing = [...Array(PARTITIONS).keys()].flatMap((partition) =>
      Array.from(
        { length: cluster.partition('t', partition).endOffset },
        (_, at) => `p${partition}-${at}`,
      ).filter((text) => !story.handled.has(text)),
    );
    expect({ seed, missing, faults: story.faults.slice(0, 3) }).toEqual({ seed, missing: [], faults: [] });
    await run(millrace.close());
    for (let partition = 0; partition < PARTITIONS; partition++) {
      expect([seed, partition, group.committed('t', partition)]).toEqual([
        seed,
        partition,
        cluster.partition('t', partition).endOffset,
      ]);
    }
  }
}, 60_000);
