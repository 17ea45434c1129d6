import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TopicView } from '../group-record.ts';
import { difference, NO_PARTITIONS, type PartitionSet, partitionSetOf, sizeOf } from '../topic-partitions.ts';
import type { AssignorMember } from './assignor.ts';
import { assignRange } from './range.ts';
import { assignUniform } from './uniform.ts';

function topicOf(
  name: string,
  partitionCount: number,
  racks: (partition: number) => readonly string[] = () => [],
): TopicView {
  return { topicId: `id-${name}`, name, partitionCount, racksOf: racks };
}

function memberOf(
  memberId: string,
  topics: readonly TopicView[],
  more: Partial<AssignorMember> = {},
): AssignorMember {
  return { memberId, groupInstanceId: undefined, rackId: undefined, topics, current: NO_PARTITIONS, ...more };
}

/** The members as they stand after an assignment. */
const after = (
  members: readonly AssignorMember[],
  sets: ReadonlyMap<string, PartitionSet>,
): AssignorMember[] => members.map((member) => ({ ...member, current: sets.get(member.memberId)! }));

const loads = (sets: ReadonlyMap<string, PartitionSet>): number[] => [...sets.values()].map(sizeOf);

/** Throws unless every partition of every subscribed topic is with one subscriber, and nothing else is assigned. */
function checkExactlyOnce(members: readonly AssignorMember[], sets: ReadonlyMap<string, PartitionSet>): void {
  const owners = new Map<string, string>();
  for (const { memberId, topics } of members) {
    for (const [topicId, partitions] of sets.get(memberId)!) {
      const topic = topics.find((it) => it.topicId === topicId);
      expect(topic, `${memberId} subscribes to ${topicId}`).toBeDefined();
      for (const partition of partitions) {
        expect(partition).toBeLessThan(topic!.partitionCount);
        expect(owners.get(`${topicId}-${partition}`), `${topicId}-${partition} is free`).toBeUndefined();
        owners.set(`${topicId}-${partition}`, memberId);
      }
    }
  }
  const topics = new Set(members.flatMap((member) => member.topics));
  expect(owners.size).toBe([...topics].reduce((sum, { partitionCount }) => sum + partitionCount, 0));
}

const anyTopics = fc
  .array(fc.record({ partitions: fc.integer({ min: 0, max: 12 }), racks: fc.integer({ min: 0, max: 3 }) }), {
    minLength: 1,
    maxLength: 6,
  })
  .map((specs) =>
    specs.map(({ partitions, racks }, index) =>
      topicOf(`t${index}`, partitions, (partition) =>
        racks === 0 ? [] : [`r${(partition + racks) % racks}`],
      ),
    ),
  );

/** Members with their subscriptions and whatever they claim to have had, disjoint or not. */
const anyMembers = anyTopics.chain((topics) =>
  fc
    .array(
      fc.record({
        mask: fc.integer({ min: 0, max: 2 ** topics.length - 1 }),
        rack: fc.option(fc.constantFrom('r0', 'r1', 'r2'), { nil: undefined }),
        had: fc.array(fc.tuple(fc.nat({ max: topics.length }), fc.nat({ max: 14 })), { maxLength: 10 }),
      }),
      { minLength: 1, maxLength: 9 },
    )
    .map((specs) =>
      specs.map(({ mask, rack, had }, index) =>
        memberOf(
          `m${index}`,
          topics.filter((_, topic) => (mask & (1 << topic)) !== 0),
          {
            rackId: rack,
            current: partitionSetOf(
              had.map(([topic, partition]) => ({ topicId: `id-t${topic}`, partitions: [partition] })),
            ),
          },
        ),
      ),
    ),
);

describe.each([
  ['uniform', assignUniform],
  ['range', assignRange],
] as const)('%s', (_name, assign) => {
  test('every partition of a subscribed topic is with exactly one subscriber', () => {
    fc.assert(fc.property(anyMembers, (members) => checkExactlyOnce(members, assign(members))));
  });

  test('assigning again changes nothing, and equal input in another order gives the same', () => {
    fc.assert(
      fc.property(anyMembers, (members) => {
        const first = after(members, assign(members));
        for (const [memberId, set] of assign([...first].reverse())) {
          expect(set).toBe(first.find((it) => it.memberId === memberId)!.current);
        }
      }),
    );
  });

  test('members without topics, and topics without partitions, get nothing', () => {
    expect(loads(assign([memberOf('a', []), memberOf('b', [topicOf('t', 0)])]))).toEqual([0, 0]);
    expect(assign([]).size).toBe(0);
  });
});

describe('uniform', () => {
  const equal = anyMembers.map((members) =>
    members.map((member) => ({ ...member, topics: members[0]!.topics })),
  );

  test('shares of members that subscribe alike differ by one at most', () => {
    fc.assert(
      fc.property(equal, (members) => {
        const sizes = loads(assignUniform(members));
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
    );
  });

  test('a join moves the newcomer’s share and nothing else; a leave moves only what the leaver had', () => {
    fc.assert(
      fc.property(equal, (members) => {
        const before = after(members, assignUniform(members));
        const joined = [...before, memberOf('new', members[0]!.topics)];
        const then = assignUniform(joined);
        for (const { memberId, current } of before)
          expect(sizeOf(difference(then.get(memberId)!, current))).toBe(0);
        const left = after(joined, then).slice(1);
        for (const [memberId, set] of assignUniform(left)) {
          expect(sizeOf(difference(then.get(memberId)!, set))).toBe(0);
        }
      }),
    );
  });

  test('with different subscriptions no single partition can move to a member that has two fewer', () => {
    fc.assert(
      fc.property(anyMembers, (members) => {
        const sets = assignUniform(members);
        for (const from of members) {
          for (const topicId of sets.get(from.memberId)!.keys()) {
            for (const to of members.filter(({ topics }) =>
              topics.some((topic) => topic.topicId === topicId),
            )) {
              expect(sizeOf(sets.get(from.memberId)!) - sizeOf(sets.get(to.memberId)!)).toBeLessThanOrEqual(
                1,
              );
            }
          }
        }
      }),
    );
  });

  test('load is evened out along a chain of members', () => {
    const [one, two] = [topicOf('one', 4), topicOf('two', 2)];
    const members = [
      memberOf('a', [one], { current: partitionSetOf([{ topicId: 'id-one', partitions: [0, 1, 2] }]) }),
      memberOf('b', [one, two], {
        current: partitionSetOf([
          { topicId: 'id-one', partitions: [3] },
          { topicId: 'id-two', partitions: [0] },
        ]),
      }),
      memberOf('c', [two], { current: partitionSetOf([{ topicId: 'id-two', partitions: [1] }]) }),
    ];
    expect(loads(assignUniform(members))).toEqual([2, 2, 2]);
  });

  test('partitions go to members in the rack of a replica', () => {
    const topic = topicOf('t', 12, (partition) => [`r${partition % 3}`]);
    const members = ['r0', 'r1', 'r2'].map((rackId) => memberOf(rackId, [topic], { rackId }));
    for (const [memberId, set] of assignUniform(members)) {
      for (const partition of set.get('id-t')!) expect(`r${partition % 3}`).toBe(memberId);
    }
  });

  test('nobody is robbed for the sake of a rack', () => {
    const topic = topicOf('t', 4, (partition) => [`r${partition % 2}`]);
    const members = [
      memberOf('a', [topic], {
        rackId: 'r1',
        current: partitionSetOf([{ topicId: 'id-t', partitions: [0, 2] }]),
      }),
      memberOf('b', [topic], {
        rackId: 'r0',
        current: partitionSetOf([{ topicId: 'id-t', partitions: [1, 3] }]),
      }),
    ];
    const sets = assignUniform(members);
    for (const { memberId, current } of members) expect(sets.get(memberId)).toBe(current);
  });

  test('a thousand members and a thousand partitions are assigned in milliseconds, alike or not', () => {
    const topics = Array.from({ length: 100 }, (_, index) => topicOf(`t${index}`, 10));
    const alike = Array.from({ length: 1000 }, (_, index) => memberOf(`m${index}`, topics));
    const mixed = alike.map((member, index) => ({
      ...member,
      topics: topics.filter((_, at) => (at * 7 + index) % 5 < 2),
    }));
    for (const members of [alike, mixed]) {
      const sets = assignUniform(members);
      expect(loads(sets)).toEqual(members.map(() => 1));
      const grown = [...after(members, sets).slice(1), memberOf('new', topics)];
      expect(loads(assignUniform(grown)).filter((load) => load !== 1)).toEqual([]);
    }
  });
});

describe('range', () => {
  test('topics of equal size are cut alike, in order of names', () => {
    const topics = [topicOf('orders', 7), topicOf('payments', 7)];
    const sets = assignRange(['c', 'a', 'b'].map((id) => memberOf(id, topics)));
    const expected = { a: [0, 1, 2], b: [3, 4], c: [5, 6] };
    for (const [memberId, partitions] of Object.entries(expected)) {
      expect([...sets.get(memberId)!.values()]).toEqual([partitions, partitions]);
    }
  });

  test('a static member that returns under another id gets the same range', () => {
    const topics = [topicOf('orders', 6)];
    const other = memberOf('m', topics);
    const first = assignRange([memberOf('zz', topics, { groupInstanceId: 'i' }), other]);
    const second = assignRange([memberOf('aa', topics, { groupInstanceId: 'i' }), other]);
    expect([...second.get('aa')!]).toEqual([...first.get('zz')!]);
  });
});
