/**
 * All groups of one partition of `__consumer_offsets`. Routes a request to its group, keeps the offsets, and knows which
 * group is due next. Never waits and never lets one group's trouble reach another.
 */
import { MillraceError } from '@millrace/core';
import type {
  DescribedGroup,
  GroupHistory,
  GroupListing,
  ListGroupsRequest,
  OffsetFetchRequest,
  OffsetFetchResponse,
} from './group-api.ts';
import type {
  GroupCoordinator,
  GroupCoordinatorOptions,
  GroupOutcome,
  GroupRequestName,
  GroupRequests,
  RequestToken,
} from './group-coordinator.ts';
import type { GroupRecord, TopicsView } from './group-record.ts';

const missing = (): never => {
  throw new MillraceError('COORDINATOR_NOT_AVAILABLE');
};

export class GroupCoordinatorState implements GroupCoordinator {
  readonly #options: GroupCoordinatorOptions;

  constructor(options: GroupCoordinatorOptions) {
    this.#options = options;
  }

  get size(): { readonly groups: number; readonly members: number; readonly offsets: number } {
    return { groups: 0, members: 0, offsets: 0 };
  }

  replay(_offset: number, _record: GroupRecord): void {
    missing();
  }

  loaded(_nowMs: number): GroupOutcome {
    return missing();
  }

  step<N extends GroupRequestName>(
    _name: N,
    _token: RequestToken,
    _request: GroupRequests[N]['request'],
    _nowMs: number,
  ): GroupOutcome {
    return missing();
  }

  nextTickMs(): number {
    return this.#options.wallMs();
  }

  tick(_nowMs: number): GroupOutcome {
    return missing();
  }

  topicsChanged(_topics: TopicsView, _nowMs: number): GroupOutcome {
    return missing();
  }

  appended(_records: readonly GroupRecord[], _baseOffset: number): void {
    missing();
  }

  committed(_offset: number): void {
    missing();
  }

  resumed(_nowMs: number): void {
    missing();
  }

  fetchOffsets(_request: OffsetFetchRequest): OffsetFetchResponse {
    return missing();
  }

  listGroups(_request: ListGroupsRequest): readonly GroupListing[] {
    return missing();
  }

  describeGroup(_groupId: string): DescribedGroup {
    return missing();
  }

  explainGroup(_groupId: string): GroupHistory {
    return missing();
  }
}
