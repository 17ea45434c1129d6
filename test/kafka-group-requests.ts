/** Requests about groups as Kafka's clients send them, in any version, and a node to send them to. For tests. */

import { Millrace } from '@millrace/client';
import { ERRORS, type ErrorCode } from '@millrace/core';
import { type Cluster, startCluster } from '@millrace/server';
import { expect, onTestFinished, vi } from 'vitest';
import { KafkaPeer } from './kafka-peer.ts';

export const NONE = 0;
export const wire = (code: ErrorCode): number => ERRORS[code].wire;
export const upTo = (highest: number, lowest = 0): number[] =>
  Array.from({ length: highest - lowest + 1 }, (_, index) => lowest + index);

export const ORDERS_PARTITIONS = 4;
export const METADATA = Buffer.from('what I read');

let lastGroup = 0;

export const newGroup = (): string => `group-${++lastGroup}`;

/** One node, with a topic `orders`, that coordinates all groups. */
export class KafkaNode {
  readonly cluster: Cluster;
  readonly ordersId: string;

  private constructor(cluster: Cluster, ordersId: string) {
    this.cluster = cluster;
    this.ordersId = ordersId;
  }

  static async start(): Promise<KafkaNode> {
    const properties = {
      'offsets.topic.num.partitions': '1',
      'offsets.retention.check.interval.ms': '100',
      'group.initial.rebalance.delay.ms': '0',
      'group.consumer.heartbeat.interval.ms': '100',
    };
    const cluster = await startCluster({ nodes: 1, firstKafkaPort: 0, properties });
    await using millrace = new Millrace({ bootstrap: cluster.bootstrap });
    const orders = { name: 'orders', partitions: ORDERS_PARTITIONS, replicationFactor: 1 };
    await millrace.admin().createTopic(orders);
    const [{ topicId } = { topicId: '' }] = await millrace.admin().describeTopics(['orders']);
    await using peer = await KafkaPeer.to(cluster.kafkaBootstrap);
    await peer.ask('findCoordinator', 0, { key: 'g' });
    await vi.waitFor(async () => expect((await fetchOne(peer, 5, 'g')).errorCode).toBe(NONE), 20_000);
    return new KafkaNode(cluster, topicId);
  }

  /** A client of its own, until the test ends. */
  async peer(clientId?: string): Promise<KafkaPeer> {
    const peer = await KafkaPeer.to(this.cluster.kafkaBootstrap, clientId);
    onTestFinished(() => peer.close());
    return peer;
  }

  /** Every partition of `orders`, as consumer groups speak of them. */
  allOrders() {
    return { topicPartitions: [{ topicId: this.ordersId, partitions: upTo(ORDERS_PARTITIONS - 1) }] };
  }
}

export interface Joining {
  readonly memberId?: string;
  readonly groupInstanceId?: string;
  readonly protocols?: readonly { readonly name: string; readonly metadata: Buffer }[];
}

export function join(peer: KafkaPeer, version: number, groupId: string, more: Joining = {}) {
  return peer.ask('joinGroup', version, {
    groupId,
    sessionTimeoutMs: 10_000,
    ...(version >= 1 && { rebalanceTimeoutMs: 20_000 }),
    memberId: '',
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: METADATA }],
    ...more,
  });
}

/** With the id that it is sent back for. */
export async function joinWithId(peer: KafkaPeer, version: number, groupId: string, more: Joining = {}) {
  const first = await join(peer, version, groupId, more);
  if (first.errorCode !== wire('MEMBER_ID_REQUIRED')) return first;
  return await join(peer, version, groupId, { ...more, memberId: first.memberId });
}

export interface Member {
  readonly groupId: string;
  readonly memberId: string;
  readonly generationId: number;
}

export function sync(
  peer: KafkaPeer,
  version: number,
  member: Member,
  assigned: Readonly<Record<string, string>> = {},
) {
  return peer.ask('syncGroup', version, {
    ...member,
    ...(version >= 5 && { protocolType: 'consumer', protocolName: 'range' }),
    assignments: Object.entries(assigned).map(([memberId, text]) => ({
      memberId,
      assignment: Buffer.from(text),
    })),
  });
}

/** The only member of a new group, in its first generation. */
export async function soleMember(peer: KafkaPeer, groupId = newGroup()): Promise<Member> {
  const { memberId, generationId } = await joinWithId(peer, 5, groupId);
  const member = { groupId, memberId, generationId };
  await sync(peer, 3, member, { [memberId]: 'everything' });
  return member;
}

export interface Committing {
  readonly topic?: string;
  readonly retentionTimeMs?: number;
  readonly committedMetadata?: string | null;
}

export function commit(
  peer: KafkaPeer,
  version: number,
  groupId: string,
  offset: number,
  more: Committing = {},
) {
  const { topic = 'orders', retentionTimeMs, committedMetadata = 'note' } = more;
  const partition = { partitionIndex: 1, committedOffset: offset, committedMetadata };
  return peer.ask('offsetCommit', version, {
    groupId,
    retentionTimeMs,
    topics: [
      { name: topic, partitions: [{ ...partition, ...(version >= 6 && { committedLeaderEpoch: 3 }) }] },
    ],
  });
}

export const asked = (...partitionIndexes: number[]) => [{ name: 'orders', partitionIndexes }];

export async function fetchOne(peer: KafkaPeer, version: number, groupId: string, topics = asked(1)) {
  const request = version >= 8 ? { groups: [{ groupId, topics }] } : { groupId, topics };
  const answer = await peer.ask('offsetFetch', version, request);
  return version >= 8 ? answer.groups[0]! : answer;
}

export interface Beating {
  readonly memberId?: string;
  readonly memberEpoch?: number;
  readonly instanceId?: string;
  readonly subscribedTopicNames?: readonly string[] | null;
  readonly subscribedTopicRegex?: string | null;
}

export function beat(peer: KafkaPeer, version: number, groupId: string, more: Beating = {}) {
  const joins = (more.memberEpoch ?? 0) === 0;
  return peer.ask('consumerGroupHeartbeat', version, {
    groupId,
    memberId: 'member-1',
    memberEpoch: 0,
    ...(joins && { rebalanceTimeoutMs: 10_000, topicPartitions: [], subscribedTopicNames: ['orders'] }),
    ...more,
  });
}
