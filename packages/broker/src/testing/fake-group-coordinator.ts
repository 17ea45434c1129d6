/**
 * For tests of the driver: a machine without rules. A commit writes what it says, a heartbeat is answered without a
 * record, a join waits until a sync of the same group, and everything that is called is noted. Never used outside tests.
 */
import type {
  DescribedGroup,
  GroupAnswer,
  GroupCoordinator,
  GroupCoordinatorOptions,
  GroupHistory,
  GroupListing,
  GroupOutcome,
  GroupRecord,
  GroupRequestName,
  GroupRequests,
  OffsetCommitRequest,
  OffsetFetchRequest,
  OffsetFetchResponse,
  OffsetRecord,
  TopicsView,
} from '@millrace/groups';
import { failure } from '../failure.ts';
import { explainedRefusal, refusal } from '../group-refusals.ts';

const NOTHING: GroupOutcome = { records: [], answers: [] };
/** A member id that makes a heartbeat throw, as a fault in the machine would. */
export const POISON = 'poison';

export class FakeGroupCoordinator implements GroupCoordinator {
  readonly calls: string[] = [];
  topics: TopicsView;
  /** When the next tick is due. */
  dueMs = Number.POSITIVE_INFINITY;
  onTick: () => readonly GroupRecord[] = () => [];
  /** Of the next commit, beside what it asks for. */
  extraRecords: readonly GroupRecord[] = [];
  readonly #committed = new Map<string, OffsetRecord>();
  #pending: { readonly offset: number; readonly record: GroupRecord }[] = [];
  readonly #joins: { readonly token: number; readonly groupId: string }[] = [];

  constructor({ topics }: Pick<GroupCoordinatorOptions, 'topics'>) {
    this.topics = topics;
  }

  get size() {
    return { groups: 0, members: 0, offsets: this.#committed.size };
  }

  called(name: string): number {
    return this.calls.filter((call) => call === name).length;
  }

  replay(_offset: number, record: GroupRecord): void {
    this.#keep(record);
  }

  loaded(): GroupOutcome {
    this.calls.push('loaded');
    return NOTHING;
  }

  step<N extends GroupRequestName>(
    name: N,
    token: number,
    request: GroupRequests[N]['request'],
    nowMs: number,
  ): GroupOutcome {
    this.calls.push(name);
    switch (name) {
      case 'offsetCommit':
        return this.#commit(token, request as OffsetCommitRequest, nowMs);
      case 'heartbeat':
        if ((request as GroupRequests['heartbeat']['request']).memberId === POISON)
          throw new Error('poisoned');
        return { records: [], answers: [{ token, response: {} }] };
      case 'joinGroup':
        this.#joins.push({ token, groupId: request.groupId });
        return NOTHING;
      case 'syncGroup': {
        const joined = this.#joins.filter(({ groupId }) => groupId === request.groupId);
        const answers = [...joined.map(({ token: waiting }) => waiting), token].map(
          (waiting): GroupAnswer => ({
            token: waiting,
            response: refusal(name, request as never, failure('REBALANCE_IN_PROGRESS')),
          }),
        );
        return { records: [], answers };
      }
      default:
        return NOTHING;
    }
  }

  nextTickMs(): number {
    return this.dueMs;
  }

  tick(): GroupOutcome {
    this.calls.push('tick');
    this.dueMs = Number.POSITIVE_INFINITY;
    return { records: this.onTick(), answers: [] };
  }

  topicsChanged(topics: TopicsView): GroupOutcome {
    this.calls.push('topicsChanged');
    this.topics = topics;
    return NOTHING;
  }

  appended(records: readonly GroupRecord[], baseOffset: number): void {
    this.calls.push('appended');
    records.forEach((record, i) => {
      this.#pending.push({ offset: baseOffset + i, record });
    });
  }

  committed(offset: number): void {
    for (const pending of this.#pending) if (pending.offset < offset) this.#keep(pending.record);
    this.#pending = this.#pending.filter((pending) => pending.offset >= offset);
  }

  resumed(): void {
    this.calls.push('resumed');
  }

  fetchOffsets({ groupId }: OffsetFetchRequest): OffsetFetchResponse {
    const offsets = [...this.#committed.values()].filter((record) => record.groupId === groupId);
    return {
      offsets: offsets.map(({ topic, partition, value }) => ({
        topic,
        partition,
        offset: value!.offset,
        leaderEpoch: value!.leaderEpoch,
        metadata: value!.metadata,
        committedAtMs: value!.committedAtMs,
      })),
    };
  }

  listGroups(): readonly GroupListing[] {
    const ids = new Set([...this.#committed.values()].map(({ groupId }) => groupId));
    return [...ids].map((groupId) => ({ groupId, type: 'classic', protocolType: '', state: 'Empty' }));
  }

  describeGroup(groupId: string): DescribedGroup {
    throw new Error(`the fake knows nothing of ${groupId}`);
  }

  explainGroup(groupId: string): GroupHistory {
    return { ...explainedRefusal(groupId, failure('GROUP_ID_NOT_FOUND')), state: 'Stable' };
  }

  #commit(token: number, { groupId, offsets }: OffsetCommitRequest, nowMs: number): GroupOutcome {
    const records = offsets.map(
      ({ topic, partition, offset, leaderEpoch, metadata }): OffsetRecord => ({
        kind: 'offset',
        groupId,
        topic,
        partition,
        value: { offset, leaderEpoch, metadata, committedAtMs: Math.floor(nowMs), expiresAtMs: -1 },
      }),
    );
    const extra = this.extraRecords;
    this.extraRecords = [];
    const response = { offsets: offsets.map(({ topic, partition }) => ({ topic, partition })) };
    return { records: [...records, ...extra], answers: [{ token, response }] };
  }

  #keep(record: GroupRecord): void {
    if (record.kind !== 'offset') return;
    const key = `${record.groupId} ${record.topic} ${record.partition}`;
    if (record.value === undefined) this.#committed.delete(key);
    else this.#committed.set(key, record);
  }
}
