/** Admin calls when nodes say nothing or answers are lost: time is not spent on one node, and done counts as done. */
import { describe, expect, test } from 'vitest';
import { fixture } from '../testing/fixture.ts';

const caught = (promise: PromiseLike<unknown>): PromiseLike<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

/** The answers to the first `count` calls of the method are lost after it was carried out. */
function loseAnswers(cluster: ReturnType<typeof fixture>['cluster'], method: string, count = 1): void {
  let left = count;
  cluster.afterUnary = (called) => (called === method && left-- > 0 ? 'NETWORK_EXCEPTION' : undefined);
}

describe('a silent node', () => {
  test('costs a read one attempt; the next call asks another node at once', async () => {
    const { cluster, millrace, run, clock } = fixture();
    cluster.createTopic('a');
    cluster.silent.add(1);
    const admin = millrace.admin();
    const startMs = clock.nowMs();
    expect(await run(admin.listTopics())).toEqual(['a']);
    expect(clock.nowMs() - startMs).toBeLessThan(3_100);
    const nextMs = clock.nowMs();
    expect(await run(admin.listTopics())).toEqual(['a']);
    expect(clock.nowMs() - nextMs).toBeLessThan(10);
    await run(millrace.close());
  });

  test('is not asked first again, even if the call that met it had no time left for another', async () => {
    const { cluster, millrace, run, clock } = fixture();
    cluster.createTopic('a');
    cluster.silent.add(1);
    const admin = millrace.admin();
    expect(await run(caught(admin.listTopics({ timeoutMs: 100 })))).toMatchObject({
      code: 'REQUEST_TIMED_OUT',
    });
    const startMs = clock.nowMs();
    expect(await run(admin.listTopics({ timeoutMs: 100 }))).toEqual(['a']);
    expect(clock.nowMs() - startMs).toBeLessThan(10);
    await run(millrace.close());
  });

  test('is passed over by a change as well, which was not made twice', async () => {
    const { cluster, millrace, run, clock } = fixture();
    cluster.silent.add(1);
    const startMs = clock.nowMs();
    await run(millrace.admin().createTopic({ name: 'a' }));
    expect(clock.nowMs() - startMs).toBeLessThan(3_100);
    expect(cluster.calls.filter(({ method }) => method === 'CreateTopics')).toHaveLength(1);
    await run(millrace.close());
  });
});

describe('a change whose answer was lost', () => {
  test('of a creation: the topic that is there as wanted is the one that was created', async () => {
    const { cluster, millrace, run } = fixture();
    loseAnswers(cluster, 'CreateTopics', 2);
    const created = await run(millrace.admin().createTopics([{ name: 'a', partitions: 4 }, { name: 'b' }]));
    expect(created).toEqual([
      { name: 'a', topicId: cluster.topics.get('a')!.id, partitions: 4, replicationFactor: 3 },
      { name: 'b', topicId: cluster.topics.get('b')!.id, partitions: 1, replicationFactor: 3 },
    ]);
    await run(millrace.close());
  });

  test('of a creation: a topic of another shape is somebody else’s', async () => {
    const { cluster, millrace, run } = fixture();
    cluster.createTopic('a', 2);
    loseAnswers(cluster, 'CreateTopics');
    const admin = millrace.admin();
    const exists = { code: 'TOPIC_ALREADY_EXISTS' };
    expect(await run(caught(admin.createTopic({ name: 'a', partitions: 4 })))).toMatchObject(exists);
    loseAnswers(cluster, 'CreateTopics');
    const replicas = { name: 'a', assignments: [[3, 2, 1]] };
    expect(await run(caught(admin.createTopic(replicas)))).toMatchObject(exists);
    await run(millrace.close());
  });

  test('of a deletion and of more partitions: what is done is success', async () => {
    const { cluster, millrace, run } = fixture();
    cluster.createTopic('a');
    cluster.createTopic('b');
    const admin = millrace.admin();
    loseAnswers(cluster, 'DeleteTopics');
    await run(admin.deleteTopic('a'));
    expect([...cluster.topics.keys()]).toEqual(['b']);
    loseAnswers(cluster, 'CreatePartitions');
    await run(admin.createPartitions([{ topic: 'b', totalCount: 3 }]));
    loseAnswers(cluster, 'CreatePartitions');
    const smaller = caught(admin.createPartitions([{ topic: 'b', totalCount: 2 }]));
    expect(await run(smaller)).toMatchObject({ code: 'INVALID_PARTITIONS' });
    await run(millrace.close());
  });

  test('of a growth: a broker that is behind does not turn a refusal into a success', async () => {
    const { cluster, millrace, run } = fixture();
    cluster.createTopic('b');
    cluster.addPartitions('b', 3);
    const { partitions } = cluster.topics.get('b')!;
    let asked = 0;
    let hidden: typeof partitions = [];
    cluster.afterUnary = (method) => {
      // The view that follows the refusal lacks the newest partition.
      if (method === 'CreatePartitions' && ++asked === 2) hidden = partitions.splice(2);
      if (method === 'DescribeTopics') partitions.push(...hidden.splice(0));
      return asked === 1 ? 'NETWORK_EXCEPTION' : undefined;
    };
    const growth = caught(millrace.admin().createPartitions([{ topic: 'b', totalCount: 2 }]));
    expect(await run(growth)).toMatchObject({ code: 'INVALID_PARTITIONS' });
    expect(partitions).toHaveLength(3);
    await run(millrace.close());
  });

  test('of a growth: a broker that has not heard of it leaves the outcome unknown', async () => {
    const { cluster, millrace, run } = fixture();
    cluster.createTopic('b');
    const { partitions } = cluster.topics.get('b')!;
    let asked = 0;
    let hidden: typeof partitions = [];
    cluster.afterUnary = (method) => {
      if (method === 'CreatePartitions' && ++asked === 2) hidden = partitions.splice(1);
      if (method === 'DescribeTopics') partitions.push(...hidden.splice(0));
      return asked === 1 ? 'NETWORK_EXCEPTION' : undefined;
    };
    const growth = caught(millrace.admin().createPartitions([{ topic: 'b', totalCount: 3 }]));
    expect(await run(growth)).toMatchObject({ code: 'REQUEST_TIMED_OUT' });
    expect(partitions).toHaveLength(3);
    await run(millrace.close());
  });

  test('of the voters: who votes was added, who observes was removed, and a directory is named', async () => {
    const { cluster, millrace, run } = fixture();
    cluster.controllers.set(4, false);
    const admin = millrace.admin();
    loseAnswers(cluster, 'AddVoter', 2);
    expect(await run(admin.addVoter(4))).toEqual({ directoryId: 'directory-4' });
    expect(cluster.controllers.get(4)).toBe(true);
    loseAnswers(cluster, 'RemoveVoter');
    expect(await run(admin.removeVoter(4))).toEqual({ directoryId: 'directory-4' });
    expect(cluster.controllers.get(4)).toBe(false);
    await run(millrace.close());
  });

  test('of the voters: without a lost answer a refusal is a refusal, and so is that of another directory', async () => {
    const { cluster, millrace, run } = fixture();
    cluster.controllers.set(4, false);
    const admin = millrace.admin();
    expect(await run(caught(admin.addVoter(1)))).toMatchObject({ code: 'DUPLICATE_VOTER' });
    expect(await run(caught(admin.removeVoter(4)))).toMatchObject({ code: 'VOTER_NOT_FOUND' });
    loseAnswers(cluster, 'AddVoter');
    const other = caught(admin.addVoter(4, { directoryId: 'directory-5' }));
    expect(await run(other)).toMatchObject({ code: 'DUPLICATE_VOTER' });
    await run(millrace.close());
  });

  test('without a lost answer, and after a node that was never reached, a refusal is a refusal', async () => {
    const { cluster, millrace, run } = fixture();
    cluster.createTopic('a');
    cluster.stop(1);
    const admin = millrace.admin();
    expect(await run(caught(admin.createTopic({ name: 'a' })))).toMatchObject({
      code: 'TOPIC_ALREADY_EXISTS',
    });
    expect(await run(caught(admin.deleteTopic('nowhere')))).toMatchObject({
      code: 'UNKNOWN_TOPIC_OR_PARTITION',
    });
    expect(await run(caught(admin.createPartitions([{ topic: 'a', totalCount: 1 }])))).toMatchObject({
      code: 'INVALID_PARTITIONS',
    });
    await run(millrace.close());
  });
});
