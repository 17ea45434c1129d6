/**
 * A member of the consumer protocol as a client behaves, for tests: it processes what it was told, gives up what it is
 * told no longer, and begins anew when it is fenced. Heartbeats may be lost on the way, or their answers.
 */
import type { ConsumerGroup } from '../consumer-group.ts';
import type {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
  TopicPartitions,
} from '../group-api.ts';
import type { GroupRecord, TopicsView } from '../group-record.ts';
import {
  intersection,
  listOf,
  NO_PARTITIONS,
  type PartitionSet,
  partitionSetOf,
} from '../topic-partitions.ts';

export type Heartbeat = Partial<ConsumerGroupHeartbeatRequest>;

export function heartbeatOf(
  memberId: string,
  memberEpoch: number,
  more: Heartbeat = {},
): ConsumerGroupHeartbeatRequest {
  const join: Heartbeat =
    memberEpoch === 0
      ? { rebalanceTimeoutMs: 60_000, subscribedTopicNames: ['orders'], topicPartitions: [] }
      : {};
  return {
    groupId: 'g',
    memberId,
    memberEpoch,
    clientId: `client-${memberId}`,
    clientHost: '/10.0.0.1',
    groupInstanceId: undefined,
    rackId: undefined,
    rebalanceTimeoutMs: undefined,
    subscribedTopicNames: undefined,
    subscribedTopicRegex: undefined,
    serverAssignor: undefined,
    topicPartitions: undefined,
    reason: '',
    ...join,
    ...more,
  };
}

export type Fate = 'arrives' | 'request lost' | 'answer lost' | 'repeated';

export class TestMember {
  readonly memberId: string;
  readonly #join: Heartbeat;
  epoch = 0;
  /** What it processes. */
  held: PartitionSet = NO_PARTITIONS;
  /** What it was told last; what it holds beyond that it gives up when it gets round to it. */
  told: PartitionSet = NO_PARTITIONS;
  readonly answers: ConsumerGroupHeartbeatResponse[] = [];

  constructor(memberId: string, join: Heartbeat = {}) {
    this.memberId = memberId;
    this.#join = join;
  }

  get owned(): readonly TopicPartitions[] {
    return listOf(this.held);
  }

  /** Gives up what it was told to, and takes what it was told it has. */
  work(): void {
    this.held = this.told;
  }

  /** Records of everything that reached the group. */
  beat(
    group: ConsumerGroup,
    nowMs: number,
    topics: TopicsView,
    fate: Fate = 'arrives',
  ): readonly GroupRecord[] {
    if (fate === 'request lost') return [];
    const more = this.epoch === 0 ? this.#join : { topicPartitions: this.owned };
    const request = heartbeatOf(this.memberId, this.epoch, more);
    const outcome = group.heartbeat(request, nowMs, topics);
    if (fate === 'answer lost') return outcome.records;
    if (fate === 'repeated') {
      const again = group.heartbeat(request, nowMs, topics);
      this.#hear(again.response);
      return [...outcome.records, ...again.records];
    }
    this.#hear(outcome.response);
    return outcome.records;
  }

  /** Leaves, having let go of everything. */
  leave(group: ConsumerGroup, nowMs: number, topics: TopicsView): readonly GroupRecord[] {
    this.#forget();
    return group.heartbeat(heartbeatOf(this.memberId, -1), nowMs, topics).records;
  }

  /** The process ends, or has been out of touch for a session and stops by itself. */
  stop(): void {
    this.#forget();
  }

  #hear(response: ConsumerGroupHeartbeatResponse): void {
    this.answers.push(response);
    if (response.failure !== undefined) {
      this.#forget();
      return;
    }
    this.epoch = response.memberEpoch;
    if (response.assignment === undefined) return;
    this.told = partitionSetOf(response.assignment);
    // Nothing is taken before what must go is gone: both happen in `work`.
    if (intersection(this.held, this.told) === this.held) this.held = this.told;
  }

  #forget(): void {
    this.epoch = 0;
    this.held = NO_PARTITIONS;
    this.told = NO_PARTITIONS;
  }
}
