/** A member that was silent for longer than its session handles nothing before the group has answered it. */
import { expect, test } from 'vitest';
import type { Consumer } from '../consumer/consumer.ts';
import { gate, groupFixture, textOf } from '../testing/group-fixture.ts';

const SESSION_MS = 500;

function world() {
  const base = groupFixture({ partitions: 1 });
  base.group.sessionTimeoutMs = SESSION_MS;
  const handled: string[] = [];
  return {
    ...base,
    handled,
    fallSilent: () => {
      base.group.onHeartbeat = () => 'COORDINATOR_LOAD_IN_PROGRESS';
    },
    beHeard: () => {
      base.group.onHeartbeat = () => undefined;
    },
  };
}

const WAYS: Record<string, (consumer: Consumer, handled: string[]) => Promise<void>> = {
  eachRecord: (consumer, handled) =>
    consumer.run({ eachRecord: (record) => void handled.push(textOf(record)) }),
  eachBatch: (consumer, handled) =>
    consumer.run({ eachBatch: ({ records }) => void handled.push(...Array.from(records, textOf)) }),
  loop: async (consumer, handled) => {
    for await (const { records } of consumer) handled.push(...Array.from(records, textOf));
  },
  poll: async (consumer, handled) => {
    for (;;) {
      const records = await consumer.poll({ maxRecords: 2 });
      if (records.length === 0) return;
      handled.push(...records.map(textOf));
    }
  },
};

test.each(Object.keys(WAYS))(
  '%s gets nothing while the session may have ended, and all of it after',
  async (way) => {
    const { consumer: make, fill, pass, run, handled, fallSilent, beHeard } = world();
    const consumer = make();
    consumer.subscribe(['t']);
    const running = WAYS[way]!(consumer, handled);
    fill(0, 3);
    await pass(200);
    expect(handled).toEqual(['p0-0', 'p0-1', 'p0-2']);
    fallSilent();
    await pass(SESSION_MS - 100);
    fill(0, 1);
    await pass(50);
    expect(handled).toHaveLength(4);
    await pass(200);
    fill(0, 3);
    await pass(1_000);
    expect(handled).toHaveLength(4);
    beHeard();
    await pass(1_500);
    expect(handled.slice(3)).toEqual(['p0-3', 'p0-4', 'p0-5', 'p0-6']);
    await run(consumer.close());
    await running;
  },
);

test('a handler that was in the middle of a batch gets the rest only when the group has answered', async () => {
  const { consumer: make, fill, pass, run, handled, fallSilent, beHeard, group } = world();
  const held = gate();
  const consumer = make();
  consumer.subscribe(['t']);
  fill(0, 5);
  const running = consumer.run({
    eachRecord: async (record) => {
      handled.push(textOf(record));
      await held.wait;
    },
  });
  await pass(200);
  fallSilent();
  await pass(2 * SESSION_MS);
  held.open();
  await pass(100);
  expect(handled).toEqual(['p0-0']);
  beHeard();
  await pass(1_500);
  expect(handled).toEqual(['p0-0', 'p0-1', 'p0-2', 'p0-3', 'p0-4']);
  await run(consumer.close());
  await running;
  expect(group.committed('t')).toBe(5);
});

test('a slow handler alone holds nothing back: heartbeats go on beside it', async () => {
  const { consumer: make, fill, pass, run, handled } = world();
  const held = gate();
  const consumer = make();
  consumer.subscribe(['t']);
  fill(0, 2);
  const running = consumer.run({
    eachRecord: async (record) => {
      handled.push(textOf(record));
      if (handled.length === 1) await held.wait;
    },
  });
  await pass(3 * SESSION_MS);
  held.open();
  await pass(1);
  expect(handled).toEqual(['p0-0', 'p0-1']);
  await run(consumer.close());
  await running;
});
