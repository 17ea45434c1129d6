/**
 * A production coordinator, with somebody who looks on: every call goes through unchanged, and what went in and came out
 * is told. Keeps the records that it saw with their places in the log, and who owns what by them.
 */
import type {
  ClassicGroupRecord,
  DescribedGroup,
  GroupCoordinator,
  GroupHistory,
  GroupListing,
  GroupOutcome,
  GroupRecord,
  GroupRequestName,
  GroupRequests,
  ListGroupsRequest,
  OffsetFetchRequest,
  OffsetFetchResponse,
  RequestToken,
  TopicsView,
} from '@millrace/groups';
import { readAssignment } from '../classic/consumer-protocol-bytes.ts';
import type { CoordinatorModel, Ownership } from './group-observation.ts';

export interface CoordinatorObserver {
  stepped<N extends GroupRequestName>(
    observed: ObservedCoordinator,
    name: N,
    request: GroupRequests[N]['request'],
    outcome: GroupOutcome,
  ): void;
  changed(observed: ObservedCoordinator, groupIds: ReadonlySet<string>): void;
  /** Records below `offset` that it had not been told to be committed, in the order of the log. */
  advanced(
    observed: ObservedCoordinator,
    offset: number,
    fresh: readonly (readonly [number, GroupRecord])[],
  ): void;
  shown(observed: ObservedCoordinator, request: OffsetFetchRequest, response: OffsetFetchResponse): void;
  highWatermarkOf(observed: ObservedCoordinator): number | undefined;
  isOver(observed: ObservedCoordinator): boolean;
  indexOf(groupId: string): number;
  /** Undefined for a topic that nobody knows. */
  topicIdOf(topic: string): string | undefined;
}

export class ObservedCoordinator implements GroupCoordinator, CoordinatorModel {
  readonly nodeId: number;
  readonly owners = new Map<string, Map<string, Ownership>>();
  index: number | undefined;
  committedTo = 0;
  readonly #machine: GroupCoordinator;
  readonly #observer: CoordinatorObserver;
  /** Not known to have committed, oldest first. */
  #open: (readonly [number, GroupRecord])[] = [];

  constructor(nodeId: number, machine: GroupCoordinator, observer: CoordinatorObserver) {
    this.nodeId = nodeId;
    this.#machine = machine;
    this.#observer = observer;
  }

  get size(): GroupCoordinator['size'] {
    return this.#machine.size;
  }

  highWatermark(): number | undefined {
    return this.#observer.highWatermarkOf(this);
  }

  isOver(): boolean {
    return this.#observer.isOver(this);
  }

  replay(offset: number, record: GroupRecord): void {
    this.#open.push([offset, record]);
    this.#note(record);
    this.#machine.replay(offset, record);
  }

  loaded(nowMs: number): GroupOutcome {
    return this.#told(this.#machine.loaded(nowMs));
  }

  step<N extends GroupRequestName>(
    name: N,
    token: RequestToken,
    request: GroupRequests[N]['request'],
    nowMs: number,
  ): GroupOutcome {
    this.index ??= this.#observer.indexOf(request.groupId);
    const outcome = this.#machine.step(name, token, request, nowMs);
    this.#observer.stepped(this, name, request, outcome);
    return this.#told(outcome);
  }

  nextTickMs(): number {
    return this.#machine.nextTickMs();
  }

  tick(nowMs: number): GroupOutcome {
    return this.#told(this.#machine.tick(nowMs));
  }

  topicsChanged(topics: TopicsView, nowMs: number): GroupOutcome {
    return this.#told(this.#machine.topicsChanged(topics, nowMs));
  }

  appended(records: readonly GroupRecord[], baseOffset: number): void {
    for (const [i, record] of records.entries()) this.#open.push([baseOffset + i, record]);
    this.#machine.appended(records, baseOffset);
  }

  committed(offset: number): void {
    this.committedTo = Math.max(this.committedTo, offset);
    const firstOpen = this.#open.findIndex(([at]) => at >= offset);
    const fresh = this.#open.splice(0, firstOpen === -1 ? this.#open.length : firstOpen);
    this.#observer.advanced(this, offset, fresh);
    this.#machine.committed(offset);
  }

  resumed(nowMs: number): void {
    this.#machine.resumed(nowMs);
  }

  fetchOffsets(request: OffsetFetchRequest): OffsetFetchResponse {
    this.index ??= this.#observer.indexOf(request.groupId);
    const response = this.#machine.fetchOffsets(request);
    this.#observer.shown(this, request, response);
    return response;
  }

  listGroups(request: ListGroupsRequest): readonly GroupListing[] {
    return this.#machine.listGroups(request);
  }

  describeGroup(groupId: string): DescribedGroup {
    return this.#machine.describeGroup(groupId);
  }

  explainGroup(groupId: string): GroupHistory {
    return this.#machine.explainGroup(groupId);
  }

  #told(outcome: GroupOutcome): GroupOutcome {
    const changed = new Set<string>();
    for (const record of outcome.records) if (this.#note(record)) changed.add(record.groupId);
    if (changed.size > 0) this.#observer.changed(this, changed);
    return outcome;
  }

  /** @returns whether it tells who owns what. */
  #note(record: GroupRecord): boolean {
    this.index ??= this.#observer.indexOf(record.groupId);
    if (record.kind === 'classic-group') {
      this.owners.set(record.groupId, this.#classicOwners(record));
      return true;
    }
    if (record.kind !== 'member-assignment') return false;
    const { groupId, memberId, value } = record;
    const members = this.owners.get(groupId) ?? new Map<string, Ownership>();
    this.owners.set(groupId, members);
    if (value === undefined) members.delete(memberId);
    else members.set(memberId, value);
    return true;
  }
  /** As its leader has assigned them. Without a value the group goes, or moves to the other protocol by records that follow. */
  #classicOwners({ value }: ClassicGroupRecord): Map<string, Ownership> {
    const owners = new Map<string, Ownership>();
    for (const { memberId, assignment } of value?.members ?? []) {
      const assigned = readAssignment(assignment).flatMap(({ topic, partition }) => {
        const topicId = this.#observer.topicIdOf(topic);
        return topicId === undefined ? [] : [{ topicId, partitions: [partition] }];
      });
      owners.set(memberId, { assigned, pendingRevocation: [] });
    }
    return owners;
  }
}
