import { readFileSync } from 'node:fs';
import { MillraceError } from '@millrace/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { GroupRecord } from './group-record.ts';
import { decodeGroupRecord, encodeGroupRecord } from './group-record-codec.ts';
import { groupRecord } from './testing/arbitrary-records.ts';

/** Bytes that Kafka's generated classes wrote, by `name version`. */
const vectors: ReadonlyMap<string, Buffer> = new Map(
  readFileSync(new URL('./testdata/kafka-3.9.1-records.txt', import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(' '))
    .map(([name, version, hex]) => [`${name} ${version}`, Buffer.from(hex!, 'hex')] as const),
);
const vector = (name: string): Buffer => vectors.get(name)!;
const read = (key: string, value: string | null) =>
  decodeGroupRecord(vector(key), value === null ? null : vector(value));

const topicId = 'AAECAwQFBgcICQoLDA0ODw';
const offset = { kind: 'offset', groupId: 'g', topic: 'orders', partition: 3 } as const;
const offsetValue = {
  offset: 1_234_567_890_123,
  leaderEpoch: 7,
  metadata: 'höhe',
  committedAtMs: 1_700_000_000_000,
  expiresAtMs: -1,
};
const classicMember = {
  memberId: 'm-1',
  groupInstanceId: 'i-1',
  clientId: 'c',
  clientHost: '/127.0.0.1',
  rebalanceTimeoutMs: 300_000,
  sessionTimeoutMs: 45_000,
  subscription: Buffer.from([1, 2, 3]),
  assignment: Buffer.from([4, 5]),
};
const classicValue = {
  protocolType: 'consumer',
  generation: 5,
  protocol: 'range',
  leader: 'm-1',
  stateAtMs: 1_700_000_000_000,
  members: [classicMember],
};
const subscription = {
  groupInstanceId: undefined,
  rackId: undefined,
  clientId: 'c',
  clientHost: '/h',
  subscribedTopicNames: ['a', 'b'],
  subscribedTopicRegex: undefined,
  rebalanceTimeoutMs: 1000,
  serverAssignor: undefined,
  classic: undefined,
};
const member = { groupId: 'g', memberId: 'm-1' };

/** What Kafka wrote, what it means, and whether Millrace writes the same bytes. */
const written: readonly (readonly [key: string, value: string | null, record: GroupRecord])[] = [
  ['offset-key 1', 'offset-value 3', { ...offset, value: offsetValue }],
  [
    'offset-key 1',
    'offset-value 1',
    { ...offset, value: { ...offsetValue, leaderEpoch: -1, expiresAtMs: 1_700_000_060_000 } },
  ],
  ['offset-key 1', null, { ...offset, value: undefined }],
  ['group-key 2', 'group-value 3', { kind: 'classic-group', groupId: 'g', value: classicValue }],
  [
    'group-key 2',
    'group-value-empty 3',
    {
      kind: 'classic-group',
      groupId: 'g',
      value: {
        ...classicValue,
        generation: 6,
        protocol: undefined,
        leader: undefined,
        stateAtMs: 1_700_000_000_001,
        members: [],
      },
    },
  ],
  [
    'epoch-key 3',
    'epoch-value 0',
    { kind: 'consumer-group-epoch', groupId: 'g', value: { epoch: 9, metadataHash: 0n } },
  ],
  ['member-key 5', 'member-value-plain 0', { kind: 'member-subscription', ...member, value: subscription }],
  [
    'member-key 5',
    'member-value-classic 0',
    {
      kind: 'member-subscription',
      ...member,
      value: {
        ...subscription,
        groupInstanceId: 'i',
        rackId: 'r',
        subscribedTopicNames: ['a'],
        subscribedTopicRegex: 'x.*',
        serverAssignor: 'uniform',
        classic: {
          sessionTimeoutMs: 45_000,
          protocols: [{ name: 'range', metadata: Buffer.from([1, 2, 3]) }],
        },
      },
    },
  ],
  [
    'target-epoch-key 6',
    'target-epoch-value 0',
    { kind: 'target-epoch', groupId: 'g', value: { assignmentEpoch: 10 } },
  ],
  [
    'target-key 7',
    'target-value 0',
    {
      kind: 'target-assignment',
      ...member,
      value: { partitions: [{ topicId, partitions: [0, 1, 5] }] },
    },
  ],
  [
    'current-key 8',
    'current-value 0',
    {
      kind: 'member-assignment',
      ...member,
      value: {
        memberEpoch: 11,
        previousMemberEpoch: 10,
        state: 'UNREVOKED_PARTITIONS',
        assigned: [{ topicId, partitions: [2] }],
        pendingRevocation: [{ topicId, partitions: [3, 4] }],
      },
    },
  ],
];

describe('bytes of Kafka 3.9.1', () => {
  test.each(written)('%s with %s is read, and written to the same bytes', (key, value, record) => {
    expect(read(key, value)).toEqual(record);
    const bytes = encodeGroupRecord(record);
    expect(bytes.key).toEqual(vector(key));
    expect(bytes.value).toEqual(value === null ? null : vector(value));
  });

  test.each([
    ['offset-value 0', { ...offsetValue, leaderEpoch: -1 }],
    ['offset-value 2', { ...offsetValue, leaderEpoch: -1 }],
    ['offset-value 4', offsetValue],
  ])('the older or newer %s is read', (value, expected) => {
    expect(read('offset-key 0', value)).toEqual({ ...offset, value: expected });
  });

  test.each([
    ['group-value 0', { stateAtMs: -1 }, { groupInstanceId: undefined, rebalanceTimeoutMs: 45_000 }],
    ['group-value 1', { stateAtMs: -1 }, { groupInstanceId: undefined }],
    ['group-value 2', {}, { groupInstanceId: undefined }],
    ['group-value 4', {}, {}],
  ])('the older or newer %s is read', (value, group, ofMember) => {
    expect(read('group-key 2', value)).toEqual({
      kind: 'classic-group',
      groupId: 'g',
      value: { ...classicValue, ...group, members: [{ ...classicMember, ...ofMember }] },
    });
  });
});

test('tagged fields of a later Kafka are skipped, and the known one is read among them', () => {
  const key = vector('epoch-key 3');
  const hash = Buffer.from('0000 00000009 02 00 08 0102030405060708 07 02 aabb'.replaceAll(' ', ''), 'hex');
  expect(decodeGroupRecord(key, hash)).toEqual({
    kind: 'consumer-group-epoch',
    groupId: 'g',
    value: { epoch: 9, metadataHash: 0x0102030405060708n },
  });
  const withTopicId = Buffer.concat([
    vector('offset-value 4').subarray(0, -1),
    Buffer.from(`0100 10 ${'00'.repeat(16)}`.replaceAll(' ', ''), 'hex'),
  ]);
  expect(decodeGroupRecord(vector('offset-key 1'), withTopicId)).toEqual({ ...offset, value: offsetValue });
});

test.each([4, 9, 15, 17, 23, 300])('a key of the unknown version %i is skipped', (version) => {
  const key = Buffer.from([version >> 8, version & 0xff, 1, 2, 3]);
  expect(decodeGroupRecord(key, Buffer.from([1]))).toBeUndefined();
});

const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof MillraceError) return error.code;
    throw error;
  }
  return 'none';
};

test('a value newer than this build is refused by name', () => {
  const key = vector('offset-key 1');
  expect(codeOf(() => decodeGroupRecord(key, Buffer.from('0005', 'hex')))).toBe('UNSUPPORTED_VERSION');
});

test('a missing key, a cut one, a negative partition and text that is not UTF-8 are damage', () => {
  const bad = [
    null,
    '',
    '00',
    'ffff',
    '0002',
    '0002000367',
    '00010001670001740000',
    '0002ffff',
    '00020001ff',
  ];
  for (const hex of [...bad, '000100016700017480000000', '000200016700']) {
    const key = hex === null ? null : Buffer.from(hex, 'hex');
    expect([hex, codeOf(() => decodeGroupRecord(key, null))]).toEqual([hex, 'CORRUPT_MESSAGE']);
  }
});

test('every record survives its bytes', () => {
  fc.assert(
    fc.property(groupRecord, (record) => {
      const { key, value } = encodeGroupRecord(record);
      expect(decodeGroupRecord(key, value)).toEqual(record);
    }),
    { numRuns: 500 },
  );
});

test('every cut of a value is damage, and flipped bytes never end in anything but a record or a known refusal', () => {
  fc.assert(
    fc.property(groupRecord, fc.nat(), fc.integer({ min: 1, max: 255 }), (record, at, change) => {
      const { key, value } = encodeGroupRecord(record);
      if (value === null) return;
      const cut = value.subarray(0, at % value.length);
      expect(codeOf(() => decodeGroupRecord(key, cut))).toBe('CORRUPT_MESSAGE');
      const flipped = Buffer.from(value);
      flipped[at % value.length]! ^= change;
      expect(['none', 'CORRUPT_MESSAGE', 'UNSUPPORTED_VERSION']).toContain(
        codeOf(() => decodeGroupRecord(key, flipped)),
      );
    }),
    { numRuns: 500 },
  );
});

test('a string that does not fit is refused, not cut', () => {
  const record: GroupRecord = { kind: 'classic-group', groupId: 'g'.repeat(32_768), value: undefined };
  expect(codeOf(() => encodeGroupRecord(record))).toBe('INVALID_REQUEST');
});
