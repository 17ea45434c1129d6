import { SeededRandom } from '@millrace/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ConsumerGroup } from './consumer-group.ts';
import { groupConfig } from './group-config.ts';
import type { GroupRecord } from './group-record.ts';
import { TestClassicClient } from './testing/classic-client.ts';
import { TestMember } from './testing/consumer-member.ts';
import { TestTopics } from './testing/topics.ts';

const config = groupConfig.parse({});
const ALL = ['orders', 'payments'];

/** Two members of each protocol in one group. */
class World {
  nowMs = 0;
  readonly #topics = new TestTopics({ orders: 4, payments: 3 });
  readonly #log: GroupRecord[] = [];
  #group = this.#newGroup();
  readonly #random = new SeededRandom(1);
  readonly #modern = ['a', 'b'].map((id) => {
    return new TestMember(id, { subscribedTopicNames: ALL, rebalanceTimeoutMs: 60_000, topicPartitions: [] });
  });
  readonly #classic = [ALL, ['orders']].map((topics) => new TestClassicClient(topics, this.#random));

  #newGroup(): ConsumerGroup {
    return new ConsumerGroup('g', { config, wallMs: () => this.nowMs });
  }

  act(who: number, isAnswerLost: boolean): void {
    const one = this.#classic[who];
    const records =
      one === undefined
        ? this.#modern[who - 2]!.beat(
            this.#group,
            this.nowMs,
            this.#topics.view,
            isAnswerLost ? 'answer lost' : 'arrives',
          )
        : one.act(this.#group, this.nowMs, this.#topics.view, isAnswerLost);
    this.#log.push(...records);
  }

  work(who: number): void {
    this.#modern[who % 2]!.work();
  }

  crash(who: number): void {
    (this.#classic[who] ?? this.#modern[who - 2]!).stop();
  }

  failOver(): void {
    this.#group = this.#newGroup();
    for (const record of this.#log) this.#group.apply(record);
    this.#group.loaded(this.nowMs);
  }

  /** Everybody stops in time; what crashed without a word runs out. */
  restartAll(): void {
    for (let who = 0; who < 4; who++) this.crash(who);
    this.nowMs += 50_000;
    this.#log.push(...this.#group.tick(this.nowMs, this.#topics.view));
    expect(this.#group.isEmpty).toBe(true);
  }

  checkOneOwner(): void {
    const owners = new Set<string>();
    for (const { held } of [...this.#classic, ...this.#modern]) {
      for (const [topicId, partitions] of held) {
        for (const partition of partitions) {
          const name = `${topicId}-${partition}`;
          if (owners.has(name)) throw new Error(`${name} has two owners`);
          owners.add(name);
        }
      }
    }
  }

  settle(): void {
    this.restartAll();
    for (let round = 0; round < 10; round++) {
      for (let who = 0; who < 4; who++) {
        this.act(who, false);
        this.work(who);
        this.checkOneOwner();
      }
    }
    expect(this.#group.listing().state).toBe('Stable');
    const held = [...this.#classic, ...this.#modern].flatMap((one) => [...one.held.values()].flat());
    expect(held.length).toBe(7);
  }
}

const who = fc.nat({ max: 3 });
const action = fc.oneof(
  { weight: 12, arbitrary: fc.tuple(fc.constant('act' as const), who) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('lose answer' as const), who) },
  { weight: 4, arbitrary: fc.tuple(fc.constant('work' as const), who) },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constantFrom('crash' as const, 'fail over' as const, 'restart' as const), who),
  },
);

test('members of both protocols never own a partition together, and settle on all of them', () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 80 }), (actions) => {
      const world = new World();
      for (const [kind, member] of actions) {
        if (kind === 'act' || kind === 'lose answer') world.act(member, kind === 'lose answer');
        else if (kind === 'work') world.work(member);
        else if (kind === 'crash') world.crash(member);
        else if (kind === 'fail over') world.failOver();
        else world.restartAll();
        world.checkOneOwner();
      }
      world.settle();
    }),
    { numRuns: 200 },
  );
});
