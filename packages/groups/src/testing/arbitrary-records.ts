/** Group records of every kind for property tests. */
import fc from 'fast-check';
import type { TopicPartitions } from '../group-api.ts';
import { type GroupRecord, MEMBER_STATE_WIRE, type MemberState } from '../group-record.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 40 });
const int32 = fc.integer();
const epoch = fc.integer({ min: -1 });
const index = fc.nat({ max: 2 ** 31 - 1 });
const timeMs = fc.integer({ min: -1, max: 2 ** 50 });
const blob = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes));
const orNone = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined, freq: 3 });
/** Kafka's zero UUID is none. */
const topicId = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .filter((bytes) => bytes.some((byte) => byte !== 0))
  .map((bytes) => Buffer.from(bytes).toString('base64url'));
const partitions: fc.Arbitrary<TopicPartitions[]> = fc.array(
  fc.record({ topicId, partitions: fc.array(index, { maxLength: 5 }) }),
  { maxLength: 4 },
);
const states = Object.keys(MEMBER_STATE_WIRE) as MemberState[];

const offset = fc.record({
  kind: fc.constant('offset' as const),
  groupId: text,
  topic: text,
  partition: index,
  value: orNone(
    fc
      .record({
        offset: fc.maxSafeNat(),
        leaderEpoch: epoch,
        metadata: text,
        committedAtMs: timeMs,
        expiresAtMs: timeMs,
        topicId,
      })
      // The one version with an expiry has no leader epoch, and names no topic.
      .map(({ topicId, ...value }) =>
        value.expiresAtMs === -1 ? { ...value, topicId } : { ...value, leaderEpoch: -1 },
      ),
  ),
});

const classicGroup = fc.record({
  kind: fc.constant('classic-group' as const),
  groupId: text,
  value: orNone(
    fc.record({
      protocolType: text,
      generation: epoch,
      protocol: orNone(text),
      leader: orNone(text),
      stateAtMs: timeMs,
      members: fc.array(
        fc.record({
          memberId: text,
          groupInstanceId: orNone(text),
          clientId: text,
          clientHost: text,
          rebalanceTimeoutMs: int32,
          sessionTimeoutMs: int32,
          subscription: blob,
          assignment: blob,
        }),
        { maxLength: 4 },
      ),
    }),
  ),
});

const groupEpoch = fc.record({
  kind: fc.constant('consumer-group-epoch' as const),
  groupId: text,
  value: orNone(fc.record({ epoch, metadataHash: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }) })),
});

const subscription = fc.record({
  kind: fc.constant('member-subscription' as const),
  groupId: text,
  memberId: text,
  value: orNone(
    fc.record({
      groupInstanceId: orNone(text),
      rackId: orNone(text),
      clientId: text,
      clientHost: text,
      subscribedTopicNames: fc.array(text, { maxLength: 4 }),
      subscribedTopicRegex: orNone(text),
      rebalanceTimeoutMs: int32,
      serverAssignor: orNone(text),
      classic: orNone(
        fc.record({
          sessionTimeoutMs: int32,
          protocols: fc.array(fc.record({ name: text, metadata: blob }), { maxLength: 3 }),
        }),
      ),
    }),
  ),
});

const targetEpoch = fc.record({
  kind: fc.constant('target-epoch' as const),
  groupId: text,
  value: orNone(fc.record({ assignmentEpoch: epoch })),
});

const targetAssignment = fc.record({
  kind: fc.constant('target-assignment' as const),
  groupId: text,
  memberId: text,
  value: orNone(fc.record({ partitions })),
});

const memberAssignment = fc.record({
  kind: fc.constant('member-assignment' as const),
  groupId: text,
  memberId: text,
  value: orNone(
    fc.record({
      memberEpoch: epoch,
      previousMemberEpoch: epoch,
      state: fc.constantFrom(...states),
      assigned: partitions,
      pendingRevocation: partitions,
    }),
  ),
});

const resolvedPattern = fc.record({
  kind: fc.constant('resolved-pattern' as const),
  groupId: text,
  pattern: text,
  value: orNone(
    fc.record({ topics: fc.array(text, { maxLength: 4 }), version: fc.maxSafeNat(), resolvedAtMs: timeMs }),
  ),
});

export const groupRecord: fc.Arbitrary<GroupRecord> = fc.oneof(
  offset,
  classicGroup,
  groupEpoch,
  subscription,
  targetEpoch,
  targetAssignment,
  memberAssignment,
  resolvedPattern,
);
