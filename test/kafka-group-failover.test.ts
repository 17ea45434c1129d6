/** A group of Kafka's clients when its coordinator dies: found again elsewhere, with its members and its offsets. */
import { Millrace } from '@millrace/client';
import { startCluster } from '@millrace/server';
import { expect, test, vi } from 'vitest';
import { commit, fetchOne, joinWithId, NONE, sync, wire } from './kafka-group-requests.ts';
import { KafkaPeer } from './kafka-peer.ts';

test('a group goes on in its generation and at its offsets when its coordinator has died', async () => {
  const properties = { 'offsets.topic.num.partitions': '1', 'group.initial.rebalance.delay.ms': '100' };
  await using cluster = await startCluster({ nodes: 3, firstKafkaPort: 0, properties });
  await using millrace = new Millrace({ bootstrap: cluster.bootstrap });
  await millrace.admin().createTopic({ name: 'orders', partitions: 2, replicationFactor: 3 });
  const groupId = 'g';

  /** A connection to whoever coordinates, once somebody does. */
  const coordinator = async (): Promise<{ nodeId: number; peer: KafkaPeer }> =>
    await vi.waitFor(
      async () => {
        await using any = await KafkaPeer.to(cluster.kafkaBootstrap);
        const { nodeId, host, port, errorCode } = await any.ask('findCoordinator', 2, { key: groupId });
        expect(errorCode).toBe(NONE);
        const peer = await KafkaPeer.to(`${host}:${port}`);
        const { errorCode: isServing } = await fetchOne(peer, 5, groupId);
        if (isServing !== NONE) peer.close();
        expect(isServing).toBe(NONE);
        return { nodeId, peer };
      },
      { timeout: 30_000, interval: 100 },
    );

  const first = await coordinator();
  const { memberId, generationId } = await joinWithId(first.peer, 5, groupId);
  const member = { groupId, memberId, generationId };
  await sync(first.peer, 3, member, { [memberId]: 'kept' });
  const [elsewhere] = cluster.nodes.filter(({ config }) => config.properties['node.id'] !== first.nodeId);
  const address = elsewhere!.addresses.find(({ listener }) => listener === 'PLAINTEXT')!;
  await using stranger = await KafkaPeer.to(`${address.host}:${address.port}`);
  expect((await stranger.ask('heartbeat', 3, member)).errorCode).toBe(wire('NOT_COORDINATOR'));
  expect((await fetchOne(stranger, 1, groupId)).topics[0]!.partitions[0]!.errorCode).toBe(
    wire('NOT_COORDINATOR'),
  );
  const simple = await commit(first.peer, 6, 'simple', 42);
  expect(simple.topics[0]!.partitions[0]!.errorCode).toBe(NONE);

  first.peer.close();
  await cluster.stopNode(first.nodeId, { abruptly: true });
  const second = await coordinator();
  expect(second.nodeId).not.toBe(first.nodeId);
  expect((await second.peer.ask('heartbeat', 3, member)).errorCode).toBe(NONE);
  expect(String((await sync(second.peer, 3, member)).assignment)).toBe('kept');
  expect((await fetchOne(second.peer, 5, 'simple')).topics[0]!.partitions[0]!.committedOffset).toBe(42);
  second.peer.close();
});
