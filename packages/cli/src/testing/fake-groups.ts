/** Consumer groups of the fake cluster: what a test put there, and the coordinator's refusals. */
import type {
  GroupEvent,
  GroupHistory,
  GroupInfo,
  GroupLag,
  GroupMember,
  GroupOffset,
  GroupState,
  GroupSummary,
  GroupType,
  ListGroupsOptions,
  MemberPause,
  OffsetToAlter,
} from '@millrace/client';
import { MillraceError, type TopicPartition } from '@millrace/core';
import type { FakeCluster } from './fake-cluster.ts';

export interface FakeGroup {
  type: GroupType;
  state: GroupState;
  members: GroupMember[];
  /** By `topic:partition`. */
  readonly offsets: Map<string, GroupOffset>;
  events: GroupEvent[];
  droppedEvents: number;
  pauses: MemberPause[];
}

export class FakeGroups {
  readonly #cluster: FakeCluster;
  readonly #groups = new Map<string, FakeGroup>();

  constructor(cluster: FakeCluster) {
    this.#cluster = cluster;
  }

  /** Made empty on first use. */
  group(groupId: string): FakeGroup {
    const known = this.#groups.get(groupId);
    if (known !== undefined) return known;
    const group: FakeGroup = {
      type: 'consumer',
      state: 'Empty',
      members: [],
      offsets: new Map(),
      events: [],
      droppedEvents: 0,
      pauses: [],
    };
    this.#groups.set(groupId, group);
    return group;
  }

  has(groupId: string): boolean {
    return this.#groups.has(groupId);
  }

  commit(groupId: string, { topic, partition, offset, metadata = '' }: OffsetToAlter): void {
    this.#cluster.topic(topic);
    this.group(groupId).offsets.set(`${topic}:${partition}`, {
      topic,
      partition,
      offset: BigInt(offset),
      leaderEpoch: -1,
      metadata,
      committedAtMs: 1_700_000_000_000,
    });
  }

  /** A member that holds these partitions of a topic. */
  join(groupId: string, clientId: string, topic: string, partitions: readonly number[]): GroupMember {
    const assignment = partitions.map((partition) => ({ topic, partition }));
    const member: GroupMember = {
      memberId: `${clientId}-id`,
      groupInstanceId: null,
      rackId: '',
      memberEpoch: 3,
      type: 'consumer',
      clientId,
      clientHost: '10.0.0.7',
      subscribedTopics: [topic],
      subscribedTopicRegex: '',
      assignment,
      targetAssignment: assignment,
    };
    const group = this.group(groupId);
    group.members.push(member);
    group.state = 'Stable';
    return member;
  }

  known(groupId: string): FakeGroup {
    const group = this.#groups.get(groupId);
    if (group === undefined) throw new MillraceError('GROUP_ID_NOT_FOUND', `group ${groupId}: no such group`);
    return group;
  }

  list({ states = [], types = [] }: ListGroupsOptions): GroupSummary[] {
    const isAmong = (wanted: readonly string[], value: string): boolean =>
      wanted.length === 0 || wanted.some((each) => each.toLowerCase() === value.toLowerCase());
    return [...this.#groups]
      .map(([groupId, { type, state }]) => ({ groupId, type, protocolType: 'consumer', state }))
      .filter(({ type, state }) => isAmong(states, state) && isAmong(types, type))
      .sort((a, b) => (a.groupId < b.groupId ? -1 : 1));
  }

  describe(groupId: string): GroupInfo {
    const { type, state, members } = this.known(groupId);
    const coordinator = { host: 'node-1', port: 9191 };
    const epochs = { coordinator, epoch: 3, assignmentEpoch: 3, assignor: 'uniform' };
    return { groupId, type, protocolType: 'consumer', state, ...epochs, members };
  }

  explain(groupId: string): GroupHistory {
    const { type, state, events, droppedEvents, pauses } = this.known(groupId);
    return { groupId, type, state, events, droppedEvents, members: pauses };
  }

  offsets(groupId: string, partitions: readonly TopicPartition[] | undefined): GroupOffset[] {
    const offsets = this.#groups.get(groupId)?.offsets ?? new Map<string, GroupOffset>();
    if (partitions === undefined) return [...offsets.values()];
    const none = { offset: null, leaderEpoch: -1, metadata: '', committedAtMs: null };
    return partitions.map(
      ({ topic, partition }) => offsets.get(`${topic}:${partition}`) ?? { topic, partition, ...none },
    );
  }

  lag(groupId: string, partitions: readonly TopicPartition[] | undefined): GroupLag[] {
    const { members } = this.known(groupId);
    const committed = this.offsets(groupId, undefined);
    const keys = new Map(
      [...committed, ...members.flatMap(({ assignment }) => assignment)].map(({ topic, partition }) => [
        `${topic}:${partition}`,
        { topic, partition },
      ]),
    );
    return this.offsets(groupId, partitions ?? [...keys.values()]).map(({ topic, partition, offset }) => {
      const log = this.#cluster.topics.get(topic)?.records[partition];
      const logEnd = log === undefined ? null : BigInt(log.length);
      const lag = offset === null || logEnd === null ? null : logEnd - offset;
      const first = offset === null ? undefined : log?.[Number(offset)];
      const lagMs = lag === 0n ? 0 : first === undefined ? null : this.#cluster.wallMs - first.timestamp;
      return { topic, partition, committed: offset, logStart: 0n, logEnd, lag, lagMs };
    });
  }

  alter(groupId: string, offsets: readonly OffsetToAlter[]): void {
    this.#refuseLive(groupId);
    for (const offset of offsets) this.commit(groupId, offset);
  }

  deleteOffsets(groupId: string, partitions: readonly TopicPartition[]): void {
    const { offsets, members } = this.known(groupId);
    for (const { topic, partition } of partitions) {
      if (members.some(({ subscribedTopics }) => subscribedTopics.includes(topic)))
        throw new MillraceError('GROUP_SUBSCRIBED_TO_TOPIC', `${topic}-${partition}: it is read`);
      offsets.delete(`${topic}:${partition}`);
    }
  }

  delete(groupId: string): void {
    this.known(groupId);
    this.#refuseLive(groupId);
    this.#groups.delete(groupId);
  }

  #refuseLive(groupId: string): void {
    if ((this.#groups.get(groupId)?.members.length ?? 0) === 0) return;
    throw new MillraceError('NON_EMPTY_GROUP', `group ${groupId} has members`);
  }
}
