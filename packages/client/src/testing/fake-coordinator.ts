/**
 * The coordinator of one group in a fake cluster: the consumer protocol with a round-robin assignor, or with targets that
 * a test dictates. For this package's tests only.
 */
import { type ErrorCode, MillraceError } from '@millrace/core';
import type {
  CommitOffsetsRequest,
  CommitOffsetsResponse,
  CommittedOffset,
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
  FetchOffsetsRequest,
  FetchOffsetsResponse,
  TopicPartitions,
} from '@millrace/protocol';
import { type FakeCluster, failureOf } from './fake-cluster.ts';

export interface FakeMember {
  readonly id: string;
  epoch: number;
  instanceId: string | undefined;
  topics: readonly string[];
  regex: string;
  /** What it says it holds. */
  held: Set<string>;
  /** What it may process, as far as it was told. */
  told: Set<string>;
  target: Set<string>;
  isAway: boolean;
}

/** What happens to one commit. `lose` applies it and breaks the stream; `hang` never answers. */
export type CommitFault = ErrorCode | 'lose' | 'break' | 'hang' | undefined;

export class FakeCoordinator {
  readonly groupId: string;
  readonly members = new Map<string, FakeMember>();
  readonly heartbeats: (ConsumerGroupHeartbeatRequest & { readonly brokerId: number })[] = [];
  readonly commits: CommitOffsetsRequest[] = [];
  /** By `topic-partition`. */
  readonly offsets = new Map<string, CommittedOffset>();
  brokerId: number;
  epoch = 0;
  heartbeatIntervalMs = 1000;
  sessionTimeoutMs = 45_000;
  onHeartbeat: (request: ConsumerGroupHeartbeatRequest) => ErrorCode | undefined = () => undefined;
  onCommit: (request: CommitOffsetsRequest) => CommitFault = () => undefined;
  onFetchOffsets: () => ErrorCode | undefined = () => undefined;
  /** What each member is meant to have, by its id; undefined: round robin over all. */
  dictated: ((memberId: string) => readonly string[]) | undefined;
  readonly #cluster: FakeCluster;

  constructor(cluster: FakeCluster, groupId: string, brokerId: number) {
    this.#cluster = cluster;
    this.groupId = groupId;
    this.brokerId = brokerId;
  }

  /** The member that joined as the `nth`, from 0. */
  member(nth = 0): FakeMember {
    return [...this.members.values()][nth]!;
  }

  committed(topic: string, partition = 0): number | undefined {
    return this.offsets.get(`${topic}-${partition}`)?.offset;
  }

  /** Every member is meant to have what the assignor says now. */
  rebalance(): void {
    this.epoch++;
    const living = [...this.members.values()].sort((one, other) => (one.id < other.id ? -1 : 1));
    for (const member of living) member.target = new Set(this.dictated?.(member.id) ?? []);
    if (this.dictated !== undefined) return;
    for (const topic of this.#cluster.topics.values()) {
      const readers = living.filter(
        ({ topics, regex }) => topics.includes(topic.name) || (regex !== '' && matches(regex, topic.name)),
      );
      topic.partitions.forEach((_, i) => {
        if (readers.length > 0) readers[i % readers.length]!.target.add(`${topic.id}:${i}`);
      });
    }
  }

  /** The topic is deleted, with what was committed of it, and another one gets its name. */
  recreate(topic: string, partitions: number): void {
    for (const [key, offset] of this.offsets) if (offset.topic === topic) this.offsets.delete(key);
    this.#cluster.createTopic(topic, partitions);
    this.rebalance();
  }

  /** The member is dead to the group; its partitions move. */
  expel(memberId: string): void {
    this.members.delete(memberId);
    this.rebalance();
  }

  heartbeat(brokerId: number, request: ConsumerGroupHeartbeatRequest): ConsumerGroupHeartbeatResponse {
    this.heartbeats.push({ ...request, brokerId });
    const refused = this.#refusal(brokerId, request);
    const { memberId, memberEpoch } = request;
    if (refused !== undefined)
      return { failure: failureOf(refused), memberId, memberEpoch, heartbeatIntervalMs: 0 };
    if (memberEpoch < 0) {
      if (memberEpoch === -2) this.members.get(memberId)!.isAway = true;
      else this.expel(memberId);
      return { memberId, memberEpoch, heartbeatIntervalMs: 0 };
    }
    const member = this.#welcome(request);
    return this.#reconcile(member, memberEpoch === 0 || request.held !== undefined);
  }

  /** Undefined: no answer. @throws to break the stream. */
  commit(brokerId: number, request: CommitOffsetsRequest): CommitOffsetsResponse | undefined {
    const { correlationId } = request.header;
    this.commits.push(request);
    const fault = this.onCommit(request);
    if (fault === 'hang') return undefined;
    if (fault === 'break') throw new MillraceError('NETWORK_EXCEPTION');
    const refused = fault === 'lose' || fault === undefined ? this.#commitRefusal(brokerId, request) : fault;
    if (refused !== undefined) return { correlationId, failure: failureOf(refused), offsets: [] };
    const outcomes = request.offsets.map(({ topic, topicId, partition, offset, leaderEpoch, metadata }) => {
      const isGone = topicId !== undefined && topicId !== this.#cluster.topics.get(topic)?.id;
      if (isGone) return { topic, partition, failure: failureOf('UNKNOWN_TOPIC_ID') };
      const entry = { topic, partition, offset, leaderEpoch, metadata };
      this.offsets.set(`${topic}-${partition}`, { ...entry, committedAtMs: this.#cluster.clock.wallMs() });
      return { topic, partition };
    });
    if (fault === 'lose') throw new MillraceError('NETWORK_EXCEPTION');
    return { correlationId, offsets: outcomes };
  }

  fetchOffsets(brokerId: number, request: FetchOffsetsRequest): FetchOffsetsResponse {
    const { memberId, memberEpoch } = request;
    const wrongPlace = brokerId === this.brokerId ? undefined : ('NOT_COORDINATOR' as const);
    const refused = this.onFetchOffsets() ?? wrongPlace ?? this.#epochRefusal(memberId, memberEpoch);
    if (refused !== undefined) return { failure: failureOf(refused), offsets: [] };
    const none = { offset: -1, leaderEpoch: -1, metadata: '', committedAtMs: -1 };
    const offsets = request.all
      ? [...this.offsets.values()]
      : request.partitions.map(
          ({ topic, partition }) =>
            this.offsets.get(`${topic}-${partition}`) ?? { topic, partition, ...none },
        );
    return { offsets };
  }

  #welcome(request: ConsumerGroupHeartbeatRequest): FakeMember {
    const { memberId, groupInstanceId } = request;
    let member = this.members.get(memberId);
    if (member === undefined) {
      member = {
        id: memberId,
        epoch: 0,
        instanceId: groupInstanceId,
        topics: [],
        regex: '',
        held: new Set(),
        told: new Set(),
        target: new Set(),
        isAway: false,
      };
      for (const [id, other] of this.members) {
        if (groupInstanceId === undefined || other.instanceId !== groupInstanceId) continue;
        this.members.delete(id);
        member.told = other.told;
      }
      this.members.set(memberId, member);
    }
    const { subscribedTopics, subscribedTopicRegex } = request;
    const isNew = request.memberEpoch === 0;
    if (subscribedTopics !== undefined) member.topics = subscribedTopics.names;
    if (subscribedTopicRegex !== undefined) member.regex = subscribedTopicRegex;
    if (request.held !== undefined) member.held = new Set(keysOf(request.held.topics));
    if (isNew || subscribedTopics !== undefined || subscribedTopicRegex !== undefined) this.rebalance();
    return member;
  }

  #reconcile(member: FakeMember, mustTell: boolean): ConsumerGroupHeartbeatResponse {
    const taken = new Set<string>();
    for (const other of this.members.values()) {
      if (other === member) continue;
      for (const key of [...other.held, ...other.told]) taken.add(key);
    }
    const surplus = [...member.held].some((key) => !member.target.has(key));
    const next = surplus
      ? [...member.held].filter((key) => member.target.has(key))
      : [...member.target].filter((key) => !taken.has(key));
    if (!surplus) member.epoch = this.epoch;
    const changed = next.length !== member.told.size || next.some((key) => !member.told.has(key));
    member.told = new Set(next);
    return {
      memberId: member.id,
      memberEpoch: member.epoch,
      heartbeatIntervalMs: this.heartbeatIntervalMs,
      sessionTimeoutMs: this.sessionTimeoutMs,
      ...((changed || mustTell) && { assignment: { topics: listOf(next) } }),
    };
  }

  #refusal(brokerId: number, request: ConsumerGroupHeartbeatRequest): ErrorCode | undefined {
    if (brokerId !== this.brokerId) return 'NOT_COORDINATOR';
    const code = this.onHeartbeat(request);
    if (code !== undefined) return code;
    const { memberId, memberEpoch, groupInstanceId } = request;
    const holder = [...this.members.values()].find(
      ({ instanceId }) => instanceId !== undefined && instanceId === groupInstanceId,
    );
    if (memberEpoch === 0)
      return holder !== undefined && holder.id !== memberId && !holder.isAway
        ? 'UNRELEASED_INSTANCE_ID'
        : undefined;
    const member = this.members.get(memberId);
    if (member === undefined) return 'UNKNOWN_MEMBER_ID';
    return memberEpoch > 0 && memberEpoch !== member.epoch && request.held === undefined
      ? 'FENCED_MEMBER_EPOCH'
      : undefined;
  }

  #commitRefusal(brokerId: number, request: CommitOffsetsRequest): ErrorCode | undefined {
    return brokerId === this.brokerId
      ? this.#epochRefusal(request.memberId, request.memberEpoch)
      : 'NOT_COORDINATOR';
  }

  #epochRefusal(memberId: string, memberEpoch: number): ErrorCode | undefined {
    if (memberId === '' && memberEpoch < 0) return undefined;
    const member = this.members.get(memberId);
    if (member === undefined) return 'UNKNOWN_MEMBER_ID';
    return member.epoch === memberEpoch ? undefined : 'STALE_MEMBER_EPOCH';
  }
}

/** Patterns match whole names. */
function matches(regex: string, name: string): boolean {
  return new RegExp(`^(?:${regex})$`).test(name);
}

function keysOf(topics: readonly TopicPartitions[]): string[] {
  return topics.flatMap(({ topicId, partitions }) =>
    partitions.map((partition) => `${topicId}:${partition}`),
  );
}

function listOf(keys: readonly string[]): TopicPartitions[] {
  const topics = new Map<string, number[]>();
  for (const key of keys) {
    const [topicId, partition] = key.split(':') as [string, string];
    topics.set(topicId, [...(topics.get(topicId) ?? []), Number(partition)]);
  }
  return Array.from(topics, ([topicId, partitions]) => ({ topicId, partitions }));
}
