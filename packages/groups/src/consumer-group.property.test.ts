import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ConsumerGroup } from './consumer-group.ts';
import { groupConfig } from './group-config.ts';
import type { GroupRecord } from './group-record.ts';
import { type Fate, TestMember } from './testing/consumer-member.ts';
import { TestTopics } from './testing/topics.ts';
import { isSubset } from './topic-partitions.ts';

const config = groupConfig.parse({});
const MEMBERS = 4;
/**
 * A member of the test stops by itself after so long without an answer, or with partitions that it should have given up;
 * the coordinator waits longer for both, so that two owners are never the member's fault.
 */
const PATIENCE_MS = 20_000;
const REBALANCE_TIMEOUT_MS = 60_000;

type Action =
  | { readonly kind: 'beat'; readonly member: number; readonly fate: Fate }
  | { readonly kind: 'work' | 'leave' | 'crash'; readonly member: number }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'grow' | 'failover' | 'resume' | 'compacted failover' };

const member = fc.nat({ max: MEMBERS - 1 });
const fate = fc.constantFrom<Fate>(
  'arrives',
  'arrives',
  'arrives',
  'request lost',
  'answer lost',
  'repeated',
);
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ kind: fc.constant('beat' as const), member, fate }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('work' as const), member }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('leave' as const, 'crash' as const), member }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 30_000 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'grow' as const,
        'failover' as const,
        'resume' as const,
        'compacted failover' as const,
      ),
    }),
  },
);

/** A group, its log, its members and the topics, moved by actions. */
class World {
  nowMs = 0;
  #sizes = { orders: 3, payments: 2 };
  readonly #topics = new TestTopics(this.#sizes);
  readonly #log: GroupRecord[] = [];
  readonly #heardMs = new Map<TestMember, number>();
  readonly #owesSinceMs = new Map<TestMember, number>();
  group = this.#newGroup();
  readonly members = Array.from({ length: MEMBERS }, (_, index) => {
    const join =
      index % 2 === 0 ? { subscribedTopicNames: ['orders', 'payments'] } : { subscribedTopicRegex: '.*' };
    return new TestMember(`m${index}`, {
      rebalanceTimeoutMs: REBALANCE_TIMEOUT_MS,
      topicPartitions: [],
      subscribedTopicNames: undefined,
      ...join,
    });
  });

  #newGroup(): ConsumerGroup {
    return new ConsumerGroup('g', { config, wallMs: () => this.nowMs });
  }

  do(act: Action): void {
    switch (act.kind) {
      case 'beat':
        this.#beat(this.members[act.member]!, act.fate);
        break;
      case 'work':
        this.#work(this.members[act.member]!);
        break;
      case 'leave':
        this.#keep(this.members[act.member]!.leave(this.group, this.nowMs, this.#topics.view));
        break;
      case 'crash':
        this.#owesSinceMs.delete(this.members[act.member]!);
        this.members[act.member]!.stop();
        break;
      case 'wait':
        this.#wait(act.ms);
        break;
      case 'grow':
        this.#sizes = { orders: this.#sizes.orders + 1, payments: this.#sizes.payments };
        this.#topics.set(this.#sizes);
        this.#keep(this.group.topicsChanged(this.#topics.view, this.nowMs));
        break;
      case 'failover':
        this.#load(this.#log);
        break;
      case 'compacted failover':
        this.#load(compacted(this.#log));
        break;
      case 'resume':
        this.group.resumed(this.nowMs);
        break;
    }
  }

  #beat(from: TestMember, how: Fate): void {
    this.#keep(from.beat(this.group, this.nowMs, this.#topics.view, how));
    if (how !== 'arrives' && how !== 'repeated') return;
    this.#heardMs.set(from, this.nowMs);
    if (isSubset(from.held, from.told)) this.#owesSinceMs.delete(from);
    else if (!this.#owesSinceMs.has(from)) this.#owesSinceMs.set(from, this.nowMs);
  }

  #work(one: TestMember): void {
    one.work();
    this.#owesSinceMs.delete(one);
  }

  #wait(ms: number): void {
    this.nowMs += ms;
    for (const one of this.members) {
      const sinceMs = Math.min(
        this.#heardMs.get(one) ?? this.nowMs,
        this.#owesSinceMs.get(one) ?? this.nowMs,
      );
      if (this.nowMs - sinceMs < PATIENCE_MS) continue;
      one.stop();
      this.#owesSinceMs.delete(one);
    }
    this.#keep(this.group.tick(this.nowMs, this.#topics.view));
    expect(this.group.nextTickMs()).toBeGreaterThan(this.nowMs);
  }

  #load(log: readonly GroupRecord[]): void {
    const before = this.group.describe(this.#topics.view);
    this.group = this.#newGroup();
    for (const record of log) this.group.apply(record);
    this.group.loaded(this.nowMs);
    const after = this.group.describe(this.#topics.view);
    const byId = (a: { memberId: string }, b: { memberId: string }): number =>
      a.memberId < b.memberId ? -1 : 1;
    expect({ ...after, members: [...after.members].sort(byId) }).toEqual({
      ...before,
      members: [...before.members].sort(byId),
    });
  }

  #keep(records: readonly GroupRecord[]): void {
    this.#log.push(...records);
  }

  checkOneOwner(): void {
    const owners = new Map<string, string>();
    for (const { memberId, held } of this.members) {
      for (const [topicId, partitions] of held) {
        for (const partition of partitions) {
          const name = `${topicId}-${partition}`;
          if (owners.has(name)) throw new Error(`${name} is with ${owners.get(name)} and with ${memberId}`);
          owners.set(name, memberId);
        }
      }
    }
  }

  /** When everybody behaves, everything settles, and every partition is with one member. */
  settle(): void {
    for (let round = 0; round < 8; round++) {
      for (const one of this.members) {
        this.#beat(one, 'arrives');
        this.#work(one);
        this.checkOneOwner();
      }
      this.#wait(1000);
    }
    const { state, members } = this.group.describe(this.#topics.view);
    expect(state).toBe('Stable');
    expect(members.length).toBe(MEMBERS);
    const held = this.members.flatMap((one) => one.owned.flatMap(({ partitions }) => partitions));
    expect(held.length).toBe(this.#sizes.orders + this.#sizes.payments);
  }
}

/** The last record of every key, where it stands. */
function compacted(log: readonly GroupRecord[]): readonly GroupRecord[] {
  const last = new Map<string, GroupRecord>();
  for (const record of log) {
    const memberId = 'memberId' in record ? record.memberId : '';
    const key = `${record.kind} ${memberId} ${record.kind === 'resolved-pattern' ? record.pattern : ''}`;
    last.delete(key);
    last.set(key, record);
  }
  return [...last.values()].filter(({ value }) => value !== undefined);
}

test('a partition has one owner at any time, whatever is lost, repeated, expires, grows or fails over', () => {
  fc.assert(
    fc.property(fc.array(action, { minLength: 10, maxLength: 120 }), (actions) => {
      const world = new World();
      for (const act of actions) {
        world.do(act);
        world.checkOneOwner();
      }
      world.settle();
    }),
    { numRuns: 300 },
  );
});
