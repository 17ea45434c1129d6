/** How a member's time in its group ends, and what may be asked of it before it began and after it is over. */
import { MillraceError } from '@millrace/core';
import { expect, test } from 'vitest';
import { groupFixture, textOf } from '../testing/group-fixture.ts';

test('a program that has polled and unsubscribes does not wait for itself: only what it came back for is committed', async () => {
  const { consumer: make, fill, run, clock, group } = groupFixture();
  fill(0, 4);
  const consumer = make();
  consumer.subscribe(['t']);
  await run(consumer.poll({ maxRecords: 2 }));
  expect((await run(consumer.poll({ maxRecords: 2 }))).map(textOf)).toEqual(['p0-2', 'p0-3']);
  const sinceMs = clock.nowMs();
  await run(consumer.unsubscribe());
  expect(clock.nowMs() - sinceMs).toBeLessThan(200);
  expect(group.committed('t')).toBe(2);
  consumer.subscribe(['t']);
  expect((await run(consumer.poll({ maxRecords: 2 }))).map(textOf)).toEqual(['p0-2', 'p0-3']);
  await run(consumer.close());
});

test('several offsets that could not be committed are one error with a code', async () => {
  const { consumer: make, run, group } = groupFixture();
  const consumer = make();
  consumer.subscribe(['t']);
  await run(consumer.poll({ timeoutMs: 200 }));
  group.onCommit = () => 'hang';
  const offsets = [0, 1].map((partition) => ({ topic: 't', partition, offset: 0 }));
  const failed = await run(consumer.commit(offsets, { timeoutMs: 100 }).catch((error: unknown) => error));
  expect(failed).toBeInstanceOf(MillraceError);
  expect(failed).toMatchObject({ code: 'REQUEST_TIMED_OUT' });
  expect((failed as MillraceError).message).toMatch(/t-0.*t-1/);
  group.onCommit = () => undefined;
  await run(consumer.close());
});

test('a closed consumer commits nothing, with offsets or without', async () => {
  const { consumer: make, fill, run } = groupFixture();
  fill(0, 1);
  const consumer = make();
  consumer.subscribe(['t']);
  await run(consumer.poll());
  await run(consumer.close());
  await expect(consumer.commit()).rejects.toMatchObject({ code: 'CLOSED' });
  const offsets = [{ topic: 't', partition: 0, offset: 1 }];
  await expect(consumer.commit(offsets)).rejects.toMatchObject({ code: 'CLOSED' });
});

test('an instance of no group is refused', () => {
  const { millrace } = groupFixture();
  expect(() => millrace.consumer({ groupInstanceId: 'i' })).toThrow(
    expect.objectContaining({ code: 'INVALID_CONFIG', message: expect.stringContaining('groupId') }),
  );
});
