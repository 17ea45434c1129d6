/** A topic that is deleted and created again under a member that reads it: all of the new one is read, once. */
import { buildBatch } from '@millrace/records';
import { expect, test } from 'vitest';
import type { ConsumerOptions } from '../consumer/consumer-record.ts';
import { type GroupFixture, groupFixture, textOf } from '../testing/group-fixture.ts';

const OLD = Array.from({ length: 10 }, (_, i) => `old-${i}`);
const NEW = Array.from({ length: 15 }, (_, i) => `new-${i}`);

function append(world: GroupFixture, values: readonly string[]): void {
  const log = world.cluster.partition('t', 0);
  for (const value of values) log.append(buildBatch([{ timestamp: 1, value: Buffer.from(value) }]));
  world.cluster.wakeFetches();
}

/** A member that has handled all of the old topic. */
async function reader(options: ConsumerOptions) {
  const world = groupFixture({ partitions: 1 });
  const consumer = world.consumer(options);
  const handled: string[] = [];
  consumer.subscribe(['t'], world.callbacks());
  const running = consumer.run({ eachRecord: (record) => void handled.push(textOf(record)) });
  await world.pass(100);
  append(world, OLD);
  await world.pass(200);
  expect(handled).toEqual(OLD);
  const finish = async (): Promise<void> => {
    await world.run(consumer.close());
    await running;
  };
  return { ...world, world, consumer, handled, finish };
}

test.each([
  ['earliest', true],
  ['latest', true],
  ['earliest', false],
] as const)(
  'nothing of the new topic is skipped: autoOffsetReset %s, enableAutoCommit %s',
  async (autoOffsetReset, enableAutoCommit) => {
    const { world, group, pass, handled, finish, told, consumer, run } = await reader({
      autoOffsetReset,
      enableAutoCommit,
    });
    if (!enableAutoCommit) await run(consumer.commit());
    group.recreate('t', 1);
    append(world, NEW);
    await pass(3_000);
    expect(handled.slice(OLD.length)).toEqual(NEW);
    await finish();
    expect(group.committed('t')).toBe(enableAutoCommit ? NEW.length : undefined);
    expect(told.filter((line) => line.startsWith('error'))).toEqual([]);
  },
);

test('what was read of the old topic is never committed for the new one, whoever asks for it', async () => {
  const { group, consumer, pass, run, finish } = await reader({ enableAutoCommit: false });
  group.recreate('t', 1);
  // Before the member hears of it.
  await run(consumer.commit());
  const own = consumer.commit([{ topic: 't', partition: 0, offset: 5 }]);
  await expect(run(own)).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_ID' });
  expect(group.committed('t')).toBeUndefined();
  await pass(3_000);
  await finish();
});

test('a member that closes before it hears of the new topic closes at once, and leaves no offset behind', async () => {
  const { group, clock, finish } = await reader({});
  group.recreate('t', 1);
  const sinceMs = clock.nowMs();
  await finish();
  expect(clock.nowMs() - sinceMs).toBeLessThan(500);
  expect(group.committed('t')).toBeUndefined();
});

test('records are of the topic that was assigned, though the client knows of its successor already', async () => {
  const { world, group, consumer, pass, run, handled, finish } = await reader({});
  const { members } = group;
  const before = [...members.values()].map(({ target }) => target);
  group.recreate('t', 1);
  // The group has not noticed yet; the metadata has.
  [...members.values()].forEach((member, i) => {
    member.target = before[i]!;
  });
  append(world, NEW);
  await run(consumer.endOffsets([{ topic: 't', partition: 0 }]));
  await pass(3_000);
  expect(handled).toEqual(OLD);
  group.rebalance();
  await pass(3_000);
  expect(handled.slice(OLD.length)).toEqual(NEW);
  await finish();
});
