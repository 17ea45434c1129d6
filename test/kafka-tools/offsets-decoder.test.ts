/** Apache Kafka's own decoder reads the records that Millrace keeps of groups. Needs Java and Maven. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock, SeededRandom } from '@millrace/core';
import { encodeGroupRecord, type GroupRecord } from '@millrace/groups';
import { buildBatch } from '@millrace/records';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newLog } from '../new-log.ts';
import { KafkaTools } from './kafka-tools.ts';

const topicId = 'AAECAwQFBgcICQoLDA0ODw';
const member = { groupId: 'queue', memberId: 'm-1' };

/** One of every kind that Kafka 3.9 knows, and removals. */
const RECORDS: readonly GroupRecord[] = [
  {
    kind: 'offset',
    groupId: 'tool',
    topic: 'orders',
    partition: 3,
    value: {
      offset: 250,
      leaderEpoch: 7,
      metadata: 'höhe',
      committedAtMs: 1_700_000_000_000,
      expiresAtMs: -1,
    },
  },
  {
    kind: 'offset',
    groupId: 'tool',
    topic: 'orders',
    partition: 4,
    value: { offset: 251, leaderEpoch: -1, metadata: '', committedAtMs: 1, expiresAtMs: 1_700_000_060_000 },
  },
  { kind: 'offset', groupId: 'tool', topic: 'orders', partition: 5, value: undefined },
  {
    kind: 'offset',
    groupId: 'tool',
    topic: 'orders',
    partition: 6,
    value: { offset: 252, leaderEpoch: 7, metadata: 'm', committedAtMs: 2, expiresAtMs: -1, topicId },
  },
  {
    kind: 'classic-group',
    groupId: 'tool',
    value: {
      protocolType: 'consumer',
      generation: 5,
      protocol: 'range',
      leader: 'm-1',
      stateAtMs: 1_700_000_000_000,
      members: [
        {
          memberId: 'm-1',
          groupInstanceId: 'i-1',
          clientId: 'client',
          clientHost: '/127.0.0.1',
          rebalanceTimeoutMs: 300_000,
          sessionTimeoutMs: 45_000,
          subscription: Buffer.from([0, 1, 0, 0, 0, 0, 0, 0, 0, 0]),
          assignment: Buffer.from([0, 1, 0, 0, 0, 0, 0, 0, 0, 0]),
        },
      ],
    },
  },
  { kind: 'classic-group', groupId: 'gone', value: undefined },
  { kind: 'consumer-group-epoch', groupId: 'queue', value: { epoch: 9, metadataHash: 0n } },
  {
    kind: 'member-subscription',
    ...member,
    value: {
      groupInstanceId: undefined,
      rackId: 'r-1',
      clientId: 'client',
      clientHost: '/h',
      subscribedTopicNames: ['orders', 'payments'],
      subscribedTopicRegex: undefined,
      rebalanceTimeoutMs: 1000,
      serverAssignor: 'uniform',
      classic: { sessionTimeoutMs: 45_000, protocols: [{ name: 'range', metadata: Buffer.from([1, 2]) }] },
    },
  },
  { kind: 'target-epoch', groupId: 'queue', value: { assignmentEpoch: 9 } },
  { kind: 'target-assignment', ...member, value: { partitions: [{ topicId, partitions: [0, 1, 5] }] } },
  {
    kind: 'member-assignment',
    ...member,
    value: {
      memberEpoch: 9,
      previousMemberEpoch: 8,
      state: 'UNREVOKED_PARTITIONS',
      assigned: [{ topicId, partitions: [2] }],
      pendingRevocation: [{ topicId, partitions: [3, 4] }],
    },
  },
];

let folder = '';
let output: readonly string[] = [];

async function writePartition(path: string): Promise<void> {
  const { store, log } = await newLog(path, '__consumer_offsets', {
    clock: new ManualClock(),
    random: new SeededRandom(1),
  });
  log.assignEpoch(0, 0);
  const records = RECORDS.map((record) => ({ timestamp: 1, headers: [], ...encodeGroupRecord(record) }));
  log.appendAsLeader(buildBatch(records, { codec: 'none' }), 0);
  await log.whenFlushed(log.logEndOffset);
  await store.close({ clean: true });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-offsets-decoder-'));
  const tools = await KafkaTools.fetch(folder);
  await writePartition(join(folder, 'data'));
  const partitionFolder = join(folder, 'data', '__consumer_offsets-0');
  const [segment] = (await readdir(partitionFolder)).filter((name) => name.endsWith('.log'));
  const text = await tools.dump(join(partitionFolder, segment!), '--offsets-decoder');
  expect(text).not.toMatch(/Exception|isvalid: false/);
  output = text.split('\n').filter((line) => line.startsWith('| offset: '));
}, 300_000);

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** What Kafka makes of each, in the same order: type and fields of the key, fields of the value. */
const READ: readonly (readonly [type: string, key: object, value: object | 'removed'])[] = [
  [
    '1',
    { group: 'tool', topic: 'orders', partition: 3 },
    { offset: 250, leaderEpoch: 7, metadata: 'höhe', commitTimestamp: 1_700_000_000_000 },
  ],
  [
    '1',
    { group: 'tool', topic: 'orders', partition: 4 },
    { offset: 251, metadata: '', commitTimestamp: 1, expireTimestamp: 1_700_000_060_000 },
  ],
  ['1', { group: 'tool', topic: 'orders', partition: 5 }, 'removed'],
  [
    '1',
    { group: 'tool', topic: 'orders', partition: 6 },
    { offset: 252, leaderEpoch: 7, metadata: 'm', commitTimestamp: 2 },
  ],
  [
    '2',
    { group: 'tool' },
    {
      protocolType: 'consumer',
      generation: 5,
      protocol: 'range',
      leader: 'm-1',
      currentStateTimestamp: 1_700_000_000_000,
      members: [
        {
          memberId: 'm-1',
          groupInstanceId: 'i-1',
          clientId: 'client',
          clientHost: '/127.0.0.1',
          rebalanceTimeout: 300_000,
          sessionTimeout: 45_000,
          assignment: { assignedPartitions: [] },
        },
      ],
    },
  ],
  ['2', { group: 'gone' }, 'removed'],
  ['3', { groupId: 'queue' }, { epoch: 9 }],
  [
    '5',
    member,
    {
      instanceId: null,
      rackId: 'r-1',
      clientId: 'client',
      clientHost: '/h',
      subscribedTopicNames: ['orders', 'payments'],
      subscribedTopicRegex: null,
      rebalanceTimeoutMs: 1000,
      serverAssignor: 'uniform',
      classicMemberMetadata: {
        sessionTimeoutMs: 45_000,
        supportedProtocols: [{ name: 'range', metadata: 'AQI=' }],
      },
    },
  ],
  ['6', { groupId: 'queue' }, { assignmentEpoch: 9 }],
  ['7', member, { topicPartitions: [{ topicId, partitions: [0, 1, 5] }] }],
  [
    '8',
    member,
    {
      memberEpoch: 9,
      previousMemberEpoch: 8,
      state: 2,
      assignedPartitions: [{ topicId, partitions: [2] }],
      partitionsPendingRevocation: [{ topicId, partitions: [3, 4] }],
    },
  ],
];

test('every record is read with the fields that it was written with', () => {
  expect(output).toHaveLength(RECORDS.length);
  for (const [index, [type, key, value]] of READ.entries()) {
    const [, keyText, valueText] = / key: (.*) payload: (.*)$/.exec(output[index]!)!;
    expect(JSON.parse(keyText!)).toEqual({ type, data: key });
    if (value === 'removed') expect(valueText).toBe('<DELETE>');
    else expect(JSON.parse(valueText!)).toMatchObject({ data: value });
  }
});
