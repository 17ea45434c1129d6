/** The controller on a fake quorum: order, commit, lost leadership (Q22, Q23, S46) and what it tells followers. */
import { MillraceError } from '@millrace/core';
import {
  applyRecords,
  decodeRecords,
  decodeSnapshot,
  emptyImage,
  encodeRecords,
  encodeSnapshot,
  type MetadataImage,
} from '@millrace/metadata';
import { expect, test } from 'vitest';
import { ProposalNotAppended } from './quorum-waiters.ts';
import { ControllerScenario, settle } from './testing/controller-scenario.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });

test('an inactive controller refuses and names the active one', async () => {
  const { controller, quorum } = await ControllerScenario.start();
  await expect(controller.electLeaders({ election: 'preferred' })).rejects.toThrow('no controller is active');
  quorum.leader = 3;
  await expect(controller.deleteTopics({ names: ['t'] })).rejects.toThrow(code('NOT_CONTROLLER'));
  await expect(controller.deleteTopics({ names: ['t'] })).rejects.toThrow('the active controller is 3');
});

test('an answer comes only after commit, and the image shows nothing before', async () => {
  const scenario = await ControllerScenario.withBrokers(1);
  scenario.quorum.isAutomatic = false;
  let answered = false;
  const answer = scenario.topic('t').then((topic) => {
    answered = true;
    return topic;
  });
  await settle();
  expect(answered).toBe(false);
  expect(scenario.controller.image().topics.size).toBe(0);
  scenario.quorum.commit();
  expect((await answer).failure).toBeUndefined();
  expect(scenario.controller.image().topics.size).toBe(1);
});

test('commands in flight see each other, and even a refusal waits for what it rests on', async () => {
  const scenario = await ControllerScenario.withBrokers(1);
  scenario.quorum.isAutomatic = false;
  const first = scenario.topic('t');
  let refused = false;
  const second = scenario.topic('t').then((topic) => {
    refused = true;
    return topic;
  });
  const third = scenario.topic('u');
  await settle();
  expect(refused).toBe(false);
  expect(scenario.quorum.uncommittedCount).toBe(2);
  scenario.quorum.commit();
  expect((await first).failure).toBeUndefined();
  expect((await second).failure?.code).toBe('TOPIC_ALREADY_EXISTS');
  expect((await third).failure).toBeUndefined();
});

test('lost leadership in mid-flight fails everything pending and keeps nothing of it', async () => {
  const scenario = await ControllerScenario.withBrokers(1);
  const before = scenario.controller.image();
  scenario.quorum.isAutomatic = false;
  const results = Promise.allSettled([scenario.topic('t'), scenario.topic('t'), scenario.topic('u')]);
  await settle();
  scenario.quorum.lose();
  // The first of them may be applied by the next leader, and so may what was decided on top of it; the answer was none.
  expect((await results).map((result) => result.status === 'rejected' && result.reason.code)).toEqual([
    'REQUEST_TIMED_OUT',
    'NOT_CONTROLLER',
    'REQUEST_TIMED_OUT',
  ]);
  expect(scenario.controller.image()).toBe(before);
  scenario.quorum.isAutomatic = true;
  scenario.quorum.elect();
  expect((await scenario.topic('t')).failure).toBeUndefined();
});

test('what survives a lost leadership in the log is applied as it was decided', async () => {
  const scenario = await ControllerScenario.withBrokers(1);
  scenario.quorum.isAutomatic = false;
  const results = Promise.allSettled([scenario.topic('t'), scenario.topic('u')]);
  await settle();
  scenario.quorum.lose(1);
  await results;
  scenario.quorum.elect();
  scenario.quorum.isAutomatic = true;
  expect([...scenario.controller.image().topicIds.keys()]).toEqual(['t']);
  expect((await scenario.topic('t')).failure?.code).toBe('TOPIC_ALREADY_EXISTS');
});

test('what was decided on top of a refused proposal has no effect, though it is committed', async () => {
  const scenario = await ControllerScenario.withBrokers(1);
  scenario.quorum.isAutomatic = false;
  scenario.quorum.refusal = new MillraceError('NODE_OVERLOADED');
  const refused = scenario.topic('t');
  scenario.quorum.refusal = undefined;
  const onTop = scenario.controller.createPartitions({ topics: [{ name: 't', totalCount: 5 }] });
  await expect(refused).rejects.toThrow(code('NODE_OVERLOADED'));
  await expect(scenario.topic('u')).rejects.toThrow('1 changes of the metadata wait for commit');
  scenario.quorum.commit();
  await expect(onTop).rejects.toThrow('the change was overtaken');
  expect(scenario.controller.image().topics.size).toBe(0);
  scenario.quorum.isAutomatic = true;
  expect((await scenario.topic('t')).failure).toBeUndefined();
});

test('a proposal that expired before it was in the log leaves nothing behind, and nobody waits for it', async () => {
  const scenario = await ControllerScenario.withBrokers(1);
  scenario.quorum.isAutomatic = false;
  scenario.quorum.refusal = new ProposalNotAppended();
  const expired = scenario.topic('t');
  scenario.quorum.refusal = undefined;
  const restsOnIt = scenario.topic('t').catch((error: unknown) => error);
  await expect(expired).rejects.toThrow(code('REQUEST_TIMED_OUT'));
  expect(await restsOnIt).toMatchObject({ code: 'NOT_CONTROLLER' });
  await scenario.heartbeat(1);
  scenario.quorum.isAutomatic = true;
  expect((await scenario.topic('t')).failure).toBeUndefined();
});

test('nothing is decided while a proposal that timed out is still in the log after a failure', async () => {
  const scenario = await ControllerScenario.withBrokers(1);
  scenario.quorum.isAutomatic = false;
  const lost = scenario.topic('lost');
  await settle();
  scenario.quorum.timeOut();
  await expect(lost).rejects.toThrow(code('REQUEST_TIMED_OUT'));
  scenario.quorum.refusal = new MillraceError('NODE_OVERLOADED');
  await expect(scenario.topic('refused')).rejects.toThrow(code('NODE_OVERLOADED'));
  // Of these two the first is refused and the second would stand right behind the lost one, at the offset it names.
  const base = scenario.topic('t').catch((error: unknown) => error);
  scenario.quorum.refusal = undefined;
  const topics = [{ name: 't', totalCount: 5 }];
  const onTop = scenario.controller.createPartitions({ topics }).catch((error: unknown) => error);
  await settle();
  scenario.quorum.commit();
  await Promise.all([base, onTop]);
  expect([...scenario.controller.image().topicIds.keys()]).toEqual(['lost']);
  scenario.quorum.isAutomatic = true;
  expect((await scenario.topic('t')).failure).toBeUndefined();
});

test('a proposal of a lost leadership that fails late takes nothing from the next one', async () => {
  const scenario = await ControllerScenario.withBrokers(1);
  scenario.quorum.isAutomatic = false;
  const old = scenario.topic('old').catch((error: unknown) => error);
  await settle();
  scenario.quorum.lose();
  scenario.quorum.elect();
  const first = scenario.topic('first');
  await old;
  const second = scenario.topic('second');
  await settle();
  scenario.quorum.commit();
  expect([(await first).failure, (await second).failure]).toEqual([undefined, undefined]);
  expect([...scenario.controller.image().topicIds.keys()]).toEqual(['first', 'second']);
});

test('an answer that rests on a change is not given when something else is committed in its place', async () => {
  const scenario = await ControllerScenario.withBrokers(1);
  scenario.quorum.isAutomatic = false;
  const change = scenario.topic('t').catch((error: unknown) => error);
  const restsOnIt = scenario.topic('t').catch((error: unknown) => error);
  await settle();
  scenario.quorum.follow([null]);
  expect(await restsOnIt).toMatchObject({ code: 'NOT_CONTROLLER' });
  scenario.quorum.lose();
  expect(await change).toMatchObject({ code: 'REQUEST_TIMED_OUT' });
});

test('an answer that rests on a change without a commit fails in time', async () => {
  const scenario = await ControllerScenario.withBrokers(1);
  scenario.quorum.isAutomatic = false;
  const change = scenario.topic('t');
  const refusal = scenario.topic('t').catch((error: unknown) => error);
  await settle();
  scenario.clock.advance(5000);
  expect(await refusal).toMatchObject({ code: 'REQUEST_TIMED_OUT' });
  scenario.quorum.commit();
  expect((await change).failure).toBeUndefined();
});

test('changes that wait for commit are limited', async () => {
  const scenario = await ControllerScenario.withBrokers(1);
  scenario.quorum.isAutomatic = false;
  const waiting = Array.from({ length: 5000 }, () =>
    scenario.controller.allocateProducerIds({ brokerId: 1, brokerEpoch: scenario.epochs.get(1)! }),
  );
  await expect(scenario.topic('t')).rejects.toThrow(code('NODE_OVERLOADED'));
  scenario.quorum.commit();
  expect((await Promise.all(waiting)).at(-1)).toEqual({ firstId: 4_999_000, count: 1000 });
});

test('a standby that applies the same log holds the same image and can take over', async () => {
  const active = await ControllerScenario.withBrokers(1, 2, 3);
  const standby = await ControllerScenario.start();
  await active.topic('t', 6, 3);
  standby.quorum.follow(active.quorum.committed);
  expect(encodeSnapshot(standby.controller.image()).equals(encodeSnapshot(active.controller.image()))).toBe(
    true,
  );
  standby.quorum.elect();
  expect((await standby.topic('t')).failure?.code).toBe('TOPIC_ALREADY_EXISTS');
});

test('S46: a committed record that cannot be applied is thrown, so that the node ends', async () => {
  const { quorum } = await ControllerScenario.start();
  const impossible = encodeRecords([{ kind: 'topicDeleted', topicId: 'nobody' }]);
  expect(() => quorum.follow([impossible])).toThrow('topic exists');
  expect(() => quorum.follow([Buffer.from('{"version":9,"records":[]}')])).toThrow(
    code('UNSUPPORTED_VERSION'),
  );
});

test('a follower here gets the image at once, then each change', async () => {
  const scenario = await ControllerScenario.withBrokers(1);
  const seen: [number, boolean][] = [];
  const unsubscribe = scenario.controller.subscribe(
    { onMetadata: (image, delta) => seen.push([image.topics.size, delta.isSnapshot]) },
    0,
  );
  await scenario.topic('t');
  unsubscribe();
  await scenario.topic('u');
  expect(seen).toEqual([
    [0, true],
    [1, false],
  ]);
});

test('a follower elsewhere gets what it lacks as entries, then what comes, and ends with the same image', async () => {
  const scenario = await ControllerScenario.withBrokers(1);
  let image: MetadataImage = emptyImage;
  const follower = {
    onSnapshot: () => expect.unreachable(),
    onEntries(entries: readonly { offset: number; data: Buffer }[], nextOffset: number) {
      for (const { offset, data } of entries) image = applyRecords(image, decodeRecords(data), offset).image;
      image = { ...image, offset: nextOffset };
    },
  };
  scenario.controller.subscribeLog(follower, 0);
  expect(image).toEqual(scenario.controller.image());
  await scenario.topic('t');
  expect(image).toEqual(scenario.controller.image());
});

test('a follower that is ahead or too far behind gets a snapshot', async () => {
  const scenario = await ControllerScenario.withBrokers(1);
  const snapshots: MetadataImage[] = [];
  const follower = {
    onSnapshot: (data: Buffer, offset: number) => snapshots.push(decodeSnapshot(data, offset)),
    onEntries: () => {},
  };
  scenario.controller.subscribeLog(follower, 999);
  expect(snapshots[0]?.brokers.size).toBe(1);
});

test('settings that decide on commit come from the file of the first controller that has them', async () => {
  const scenario = await ControllerScenario.start({ 'min.insync.replicas': '2', 'num.partitions': '7' });
  scenario.quorum.elect();
  await scenario.pass(50);
  const recorded = () => [...scenario.controller.image().configs].map(([key, texts]) => [key, [...texts]]);
  expect(recorded()).toEqual([['cluster:', [['min.insync.replicas', '2']]]]);
  await scenario.controller.alterConfigs({
    changes: [{ resource: { kind: 'cluster', name: '' }, name: 'min.insync.replicas', value: '3' }],
  });
  scenario.quorum.lose();
  scenario.quorum.elect();
  await scenario.pass(50);
  expect(recorded()).toEqual([['cluster:', [['min.insync.replicas', '3']]]]);
});

test.each([
  [60_000, 10_000],
  [8_000, 7_000],
  [600, 300],
])(
  'a voter to be that nobody knows is waited for, but told of while the caller still waits (%d ms)',
  async (timeoutMs, waitMs) => {
    const scenario = await ControllerScenario.withBrokers();
    const answer = scenario.controller.changeVoters({ kind: 'add', nodeId: 9, directoryId: '', timeoutMs });
    let isRefused = false;
    answer.catch(() => {
      isRefused = true;
    });
    await scenario.pass(waitMs - 100);
    expect(isRefused).toBe(false);
    await scenario.pass(150);
    expect(isRefused).toBe(true);
    await expect(answer).rejects.toMatchObject({
      code: 'VOTER_NOT_FOUND',
      message: 'node 9 does not observe the quorum; the voters are unchanged',
    });
  },
);
