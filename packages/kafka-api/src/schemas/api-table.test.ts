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
