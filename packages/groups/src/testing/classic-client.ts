/**
 * A member of the classic protocol inside a consumer group, as a cooperative client behaves: it keeps what it has while
 * it joins, takes what it is told after sync, and joins again when it had to give something up.
 */
import type { Random } from '@millrace/core';
import type { ConsumerGroup } from '../consumer-group.ts';
import { decodeAssignmentOf, encodeSubscriptionOf } from '../consumer-protocol.ts';
import type { GroupRecord, TopicsView } from '../group-record.ts';
import { isSubset, NO_PARTITIONS, type PartitionSet, partitionSetOf } from '../topic-partitions.ts';
import { topicIdOf } from './topics.ts';

const caller = { groupId: 'g', clientId: 'classic', clientHost: '/10.0.0.2', groupInstanceId: undefined };

export class TestClassicClient {
  readonly #topics: readonly string[];
  readonly #random: Random;
  #memberId = '';
  #generationId = -1;
  #mustJoin = true;
  held: PartitionSet = NO_PARTITIONS;

  constructor(topics: readonly string[], random: Random) {
    this.#topics = topics;
    this.#random = random;
  }

  /** One request: a heartbeat, or a join and its sync. */
  act(
    group: ConsumerGroup,
    nowMs: number,
    topics: TopicsView,
    isAnswerLost: boolean,
  ): readonly GroupRecord[] {
    if (this.#mustJoin) return this.#join(group, nowMs, topics, isAnswerLost);
    const { failure } = group.classic.heartbeat({ ...caller, ...this.#claim }, nowMs);
    if (failure === undefined || isAnswerLost) return [];
    this.#mustJoin = true;
    if (failure.code !== 'REBALANCE_IN_PROGRESS') this.stop();
    return [];
  }

  stop(): void {
    this.#memberId = '';
    this.#mustJoin = true;
    this.held = NO_PARTITIONS;
  }

  get #claim(): { readonly memberId: string; readonly generationId: number } {
    return { memberId: this.#memberId, generationId: this.#generationId };
  }

  #join(
    group: ConsumerGroup,
    nowMs: number,
    topics: TopicsView,
    isAnswerLost: boolean,
  ): readonly GroupRecord[] {
    const owned = [...this.held].map(([topicId, partitions]) => ({
      topic: topics.byId(topicId)!.name,
      partitions,
    }));
    const request = {
      ...caller,
      memberId: this.#memberId,
      sessionTimeoutMs: 45_000,
      rebalanceTimeoutMs: 60_000,
      protocolType: 'consumer',
      protocols: [{ name: 'cooperative-sticky', metadata: encodeSubscriptionOf(this.#topics, owned) }],
      requiresKnownMemberId: false,
      reason: '',
    };
    const { records, response } = group.classic.join(request, this.#random, nowMs, topics);
    if (isAnswerLost) return records;
    if (response.failure !== undefined) {
      this.stop();
      return records;
    }
    this.#memberId = response.memberId;
    this.#generationId = response.generationId;
    this.#sync(group, nowMs, topics);
    return records;
  }

  #sync(group: ConsumerGroup, nowMs: number, topics: TopicsView): void {
    const request = {
      ...caller,
      ...this.#claim,
      protocolType: undefined,
      protocolName: undefined,
      assignments: [],
    };
    const { failure, assignment } = group.classic.sync(request, nowMs, topics);
    if (failure !== undefined) return;
    const list = decodeAssignmentOf(assignment) ?? [];
    const told = partitionSetOf(
      list.map(({ topic, partitions }) => ({ topicId: topicIdOf(topic), partitions })),
    );
    this.#mustJoin = !isSubset(this.held, told);
    this.held = told;
  }
}
