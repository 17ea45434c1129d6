import { describe, expect, expectTypeOf, test } from 'vitest';
import {
  APIS,
  type ApiName,
  apiNameOf,
  type RequestDraftOf,
  type RequestOf,
  type ResponseDraftOf,
} from './api-table.ts';

const apis = Object.entries(APIS) as [ApiName, (typeof APIS)[ApiName]][];

describe('the table', () => {
  test('finds each API by its number, and nothing by others', () => {
    for (const [name, { key }] of apis) expect(apiNameOf(key)).toBe(name);
    expect(apiNameOf(4)).toBeUndefined();
    expect(apiNameOf(-1)).toBeUndefined();
  });

  test.each(apis)('%s is named as its messages, which have the same versions', (name, api) => {
    expect(api.name.toLowerCase()).toBe(name.toLowerCase());
    expect(api.request.schema.name).toBe(`${api.name}Request`);
    expect(api.response.schema.name).toBe(`${api.name}Response`);
    expect(api.response.schema.versions).toBe(api.request.schema.versions);
    expect(api.response.schema.flexible).toBe(api.request.schema.flexible);
    expect(api.served.lowest).toBeGreaterThanOrEqual(api.request.lowestVersion);
    expect(api.served.highest).toBeLessThanOrEqual(api.request.highestVersion);
  });

  test('advertises what is served, except that Produce starts at 0 for librdkafka', () => {
    for (const [name, { served, advertised }] of apis)
      expect(advertised).toEqual(name === 'produce' ? { ...served, lowest: 0 } : served);
  });
});

/** The lowest and the highest version that kafkajs, librdkafka, @platformatic/kafka, kafka-python or Java's clients send. */
const SENT: Partial<Readonly<Record<ApiName, readonly [number, number]>>> = {
  produce: [3, 11],
  fetch: [4, 17],
  listOffsets: [1, 9],
  metadata: [0, 12],
  offsetCommit: [2, 9],
  offsetFetch: [1, 9],
  findCoordinator: [0, 6],
  joinGroup: [0, 9],
  heartbeat: [0, 4],
  leaveGroup: [0, 5],
  syncGroup: [0, 5],
  describeGroups: [0, 6],
  listGroups: [0, 5],
  apiVersions: [0, 4],
  createTopics: [0, 7],
  deleteTopics: [0, 6],
  deleteRecords: [0, 2],
  initProducerId: [0, 5],
  offsetForLeaderEpoch: [2, 4],
  describeConfigs: [1, 4],
  alterConfigs: [0, 2],
  describeLogDirs: [1, 4],
  createPartitions: [0, 3],
  deleteGroups: [0, 2],
  electLeaders: [0, 2],
  incrementalAlterConfigs: [0, 1],
  offsetDelete: [0, 0],
  describeQuorum: [0, 2],
  describeCluster: [0, 1],
  consumerGroupHeartbeat: [0, 1],
  consumerGroupDescribe: [0, 1],
  describeTopicPartitions: [0, 0],
};

test.each(Object.entries(SENT))('%s is served in the versions %j, as clients send it', (name, window) => {
  const { served } = APIS[name as ApiName];
  expect(served.lowest).toBeLessThanOrEqual(window[0]);
  expect(served.highest).toBeGreaterThanOrEqual(window[1]);
});

describe('types of messages', () => {
  test('follow from the schema, with null where some version allows it', () => {
    expectTypeOf<RequestOf<'produce'>['transactionalId']>().toEqualTypeOf<string | null>();
    expectTypeOf<RequestOf<'produce'>['acks']>().toEqualTypeOf<number>();
    type Partition = RequestOf<'produce'>['topicData'][number]['partitionData'][number];
    expectTypeOf<Partition>().toEqualTypeOf<{ readonly index: number; readonly records: Buffer | null }>();
    expectTypeOf<null>().toExtend<RequestOf<'metadata'>['topics']>();
    expectTypeOf<ResponseDraftOf<'describeTopicPartitions'>['nextCursor']>().toEqualTypeOf<
      { readonly topicName: string; readonly partitionIndex: number } | null | undefined
    >();
  });

  test('let a draft leave out what has a default or what some version lacks, and nothing else', () => {
    expectTypeOf<{ key: string }>().toExtend<RequestDraftOf<'findCoordinator'>>();
    expectTypeOf<{ memberId: string; generationId: number }>().not.toExtend<RequestDraftOf<'heartbeat'>>();
    expectTypeOf<{ errorCode: number }>().toExtend<ResponseDraftOf<'heartbeat'>>();
  });
});
