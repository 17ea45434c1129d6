/** What a member is told when it joins and cannot have what it asks for: names to the letter, instances, topics. */
import { expect, test } from 'vitest';
import { groupFixture, textOf } from '../testing/group-fixture.ts';

test('a member of an instance in use says so once, and joins when the other has gone', async () => {
  const { consumer: make, callbacks, fill, pass, run, told, warnings, group } = groupFixture();
  fill(0, 1);
  const [first, second] = [make({ groupInstanceId: 'i' }), make({ groupInstanceId: 'i' })];
  first.subscribe(['t']);
  await run(first.poll());
  second.subscribe(['t'], callbacks());
  const polled = second.poll();
  await pass(3_000);
  expect(told).toEqual(['error UNRELEASED_INSTANCE_ID']);
  expect(warnings).toEqual([
    'group_instance_in_use: waiting until the other member of this instance has left or its session has ended',
  ]);
  group.expel(group.member().id);
  expect((await run(polled)).map(textOf)).toEqual(['p0-0']);
  await run(second.close());
  await run(first.close());
});

test('blanks at the ends of a group id are part of it', async () => {
  const { millrace, cluster, pass, run } = groupFixture();
  const group = cluster.group(' g ');
  const consumer = millrace.consumer({ groupId: ' g ', groupInstanceId: ' i ' });
  consumer.subscribe(['t']);
  await pass(100);
  expect(group.member()).toMatchObject({ instanceId: ' i ' });
  expect(cluster.group('g').members.size).toBe(0);
  const blank = millrace.consumer({ groupId: ' ' });
  blank.subscribe(['t']);
  await pass(100);
  expect(cluster.group(' ').members.size).toBe(1);
  await run(Promise.all([consumer.close(), blank.close()]));
});

test('a topic that does not exist is warned of once, however often it is subscribed to, and read when it does', async () => {
  const { consumer: make, cluster, fill, pass, run, warnings, group } = groupFixture();
  fill(0, 1);
  const consumer = make();
  consumer.subscribe(['t', 'later']);
  expect((await run(consumer.poll())).map(textOf)).toEqual(['p0-0']);
  consumer.subscribe(['later', 't']);
  await pass(200);
  expect(warnings).toEqual([
    'subscribed_topic_missing: there is no topic later; it is read once it is created',
  ]);
  cluster.createTopic('later');
  group.rebalance();
  await pass(2_000);
  expect(consumer.assignment()).toContainEqual({ topic: 'later', partition: 0 });
  await run(consumer.close());
});
