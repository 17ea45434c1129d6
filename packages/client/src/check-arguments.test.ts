/** Arguments of the wrong kind, as callers without types hand them in: typed errors that name the argument. */
import { describe, expect, test } from 'vitest';
import { Millrace, type MillraceOptions } from './millrace.ts';
import { fixture } from './testing/fixture.ts';

/** What a caller without types can pass. */
const untyped = (value: unknown): never => value as never;

async function failure(call: () => unknown): Promise<unknown> {
  try {
    return await call();
  } catch (error) {
    return error;
  }
}

const invalid = (text: string) => ({ code: 'INVALID_REQUEST', message: expect.stringContaining(text) });

describe('options', () => {
  test.each([
    [undefined, 'options'],
    [{}, 'bootstrap'],
    [{ bootstrap: 42 }, 'bootstrap'],
    [{ bootstrap: [1, 2] }, 'bootstrap'],
    [{ bootstrap: {} }, 'bootstrap'],
    [{ bootstrap: 'a:1', requestTimeoutMs: 'soon' }, 'requestTimeoutMs'],
  ])('of a client: %j', async (options, named) => {
    expect(await failure(() => new Millrace(options as MillraceOptions))).toMatchObject({
      code: 'INVALID_CONFIG',
      message: expect.stringContaining(named),
    });
  });

  test('of a producer or consumer that are no object', async () => {
    const { millrace, run } = fixture();
    const wrong = { code: 'INVALID_CONFIG', message: expect.stringContaining('options are an object') };
    expect(await failure(() => millrace.producer(untyped('fast')))).toMatchObject(wrong);
    expect(await failure(() => millrace.consumer(untyped(7)))).toMatchObject(wrong);
    await run(millrace.close());
  });
});

describe('arguments', () => {
  test('of a consumer are checked before anything changes', async () => {
    const { cluster, millrace, run } = fixture();
    cluster.createTopic('t', 1);
    const consumer = millrace.consumer();
    const t0 = { topic: 't', partition: 0 };
    consumer.assign([t0]);
    const calls: [() => unknown, string][] = [
      [() => consumer.assign(untyped('t')), 'partitions must be a list, not "t"'],
      [() => consumer.assign([untyped(null)]), 'partitions[0] must be an object, not null'],
      [() => consumer.assign([untyped({ topic: 't', partition: '0' })]), 'partitions[0].partition'],
      [() => consumer.assign([untyped({ partition: 0 })]), 'partitions[0].topic must be text, not undefined'],
      [() => consumer.assignTopics(untyped('t')), 'topics must be a list'],
      [() => consumer.seek(t0, untyped('5')), 'offset must be an offset from 0 on, not "5"'],
      [() => consumer.seek(t0, -3), 'offset must be an offset from 0 on, not -3'],
      [() => consumer.seek(untyped(undefined), 0), 'partition must be an object, not undefined'],
      [() => consumer.seekToTimestamp(untyped('yesterday')), 'timestampMs must be milliseconds'],
      [() => consumer.seekToTimestamp(Number.NaN), 'timestampMs must be milliseconds'],
      [() => consumer.seekToTimestamp(untyped(new Date(5))), 'timestampMs must be milliseconds'],
      [() => consumer.seekToBeginning(untyped(t0)), 'partitions must be a list, not an object'],
      [() => consumer.pause([untyped({ topic: 't' })]), 'partition.partition'],
      [() => consumer.offsetsForTimes([untyped({ ...t0 })]), 'queries[0].timestampMs'],
      [() => consumer.endOffsets(untyped({})), 'partitions must be a list'],
      [() => consumer.poll({ maxRecords: 0 }), 'maxRecords must be at least 1, not 0'],
    ];
    for (const [call, named] of calls) expect(await failure(call)).toMatchObject(invalid(named));
    expect(consumer.assignment()).toEqual([t0]);
    await run(millrace.close());
  });

  test('of a producer reject the send, and count as failures of it', async () => {
    const { cluster, millrace, run } = fixture();
    cluster.createTopic('t', 1);
    const producer = millrace.producer();
    for (const wrong of [undefined, null, 'text']) {
      expect(await failure(() => producer.send(untyped(wrong)))).toMatchObject(invalid('record must be'));
    }
    const noTopic = await failure(() => producer.send(untyped({ value: 'x' })));
    expect(noTopic).toMatchObject({ code: 'INVALID_TOPIC_EXCEPTION' });
    for (const [fields, named] of [
      [
        { headers: 'a=b' },
        'headers must be an object of names and values, or a list of { key, value }, not "a=b"',
      ],
      [{ headers: new Map([['a', 'b']]) }, 'headers must be'],
      [{ headers: 7 }, 'headers must be'],
      [{ headers: null }, 'headers must be'],
      [{ headers: { a: 5 } }, 'header a must be text, bytes or null, not 5'],
      [{ headers: { a: undefined } }, 'header a must be'],
      [{ headers: [['a', 'b']] }, 'headers[0] must be an object, not a list'],
      [{ headers: [null] }, 'headers[0] must be an object, not null'],
      [{ headers: [{ key: 5, value: '' }] }, 'headers[0].key must be text, not 5'],
      [{ headers: [{ key: 'a' }] }, 'headers[0].value must be'],
      [{ partition: -1 }, 'partition must be a whole number from 0 on, not -1'],
      [{ partition: 1.5 }, 'partition must be'],
      [{ partition: '1' }, 'partition must be'],
      [{ partition: Number.NaN }, 'partition must be'],
    ] as const) {
      const failed = await failure(() => producer.send(untyped({ topic: 't', value: 'x', ...fields })));
      expect(failed).toMatchObject({ ...invalid(named), retriable: false });
    }
    expect(await failure(() => producer.sendBatch(untyped(5)))).toMatchObject(invalid('records must be'));
    await run(millrace.close());
  });

  test('of an admin are checked before a node is asked', async () => {
    const { cluster, millrace, run } = fixture();
    cluster.createTopic('t', 1);
    const admin = millrace.admin();
    const t0 = { topic: 't', partition: 0 };
    const calls: [() => unknown, string][] = [
      [() => admin.deleteRecords([{ ...t0, before: -3 }]), "from 0 on or 'latest', not -3"],
      [() => admin.deleteRecords([{ ...t0, before: untyped('all') }]), 'partitions[0].before'],
      [() => admin.createTopic(untyped('t')), 'topics[0] must be an object, not "t"'],
      [() => admin.createTopics(untyped({ name: 't' })), 'topics must be a list'],
      [() => admin.createTopic(untyped({ partitions: 1 })), 'topics[0].name'],
      [() => admin.deleteTopic(untyped(undefined)), 'names[0] must be text, not undefined'],
      [() => admin.describeTopics(untyped('t')), 'names must be a list'],
      [() => admin.createPartitions([untyped({ totalCount: 2 })]), 'topics[0].topic'],
      [() => admin.listOffsets([untyped(t0)]), 'queries[0].at'],
      [() => admin.listOffsets([{ ...t0, at: untyped({ timestampMs: '1' }) }]), 'queries[0].at.timestampMs'],
      [() => admin.describeConfigs([untyped('t')]), 'resources[0] must be an object'],
      [() => admin.alterConfigs([untyped({ name: 'retention.ms', value: 1 })]), 'changes[0].resource'],
      [
        () => admin.createTopic({ name: 't', partitions: 1.5 }),
        'topics[0].partitions must be a whole number',
      ],
      [() => admin.createTopic({ name: 't', partitions: untyped('3') }), 'topics[0].partitions'],
      [() => admin.createTopic({ name: 't', replicationFactor: Number.NaN }), 'topics[0].replicationFactor'],
      [
        () => admin.createTopic({ name: 't', assignments: untyped([1, 2]) }),
        'topics[0].assignments[0] must be',
      ],
      [() => admin.createTopic({ name: 't', assignments: [[untyped('1')]] }), 'topics[0].assignments[0][0]'],
      [() => admin.createTopic({ name: 't', configs: untyped([]) }), 'topics[0].configs must be an object'],
      [
        () => admin.createTopic({ name: 't', configs: { 'retention.ms': untyped({}) } }),
        'topics[0].configs.retention.ms must be text, a number or a boolean, not an object',
      ],
      [() => admin.createPartitions([{ topic: 't', totalCount: 2.5 }]), 'topics[0].totalCount'],
      [
        () =>
          admin.alterConfigs([
            { resource: { kind: 'topic', name: 't' }, name: 'retention.ms', value: untyped({}) },
          ]),
        'changes[0].value must be text, a number or a boolean or null',
      ],
      [() => admin.addVoter(untyped('9')), 'nodeId must be'],
      [() => admin.removeVoter(1, { directoryId: untyped(7) }), 'directoryId must be text'],
      [() => admin.electLeaders(untyped([t0])), "election must be 'preferred' or 'unclean', not a list"],
      [() => admin.electLeaders(untyped({})), 'election must be'],
      [() => admin.electLeaders('preferred', untyped('t')), 'partitions must be a list'],
    ];
    for (const [call, named] of calls) expect(await failure(call)).toMatchObject(invalid(named));
    expect(cluster.calls).toEqual([]);
    await run(millrace.close());
  });
});
