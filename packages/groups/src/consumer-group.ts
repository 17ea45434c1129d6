/**
 * One group of the consumer protocol (KIP-848): heartbeats and the time go in, records and answers come out. It keeps
 * no durable state but what its records say, and never gives a partition to a member before its last owner let go.
 */
import type {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
  DescribedGroup,
  GroupFailure,
  GroupListing,
} from './group-api.ts';
import type { GroupConfig } from './group-config.ts';
import { GroupHistoryLog } from './group-history.ts';
import type { GroupRecord, TopicsView } from './group-record.ts';

export interface ConsumerHeartbeatOutcome {
  /** Applied already. */
  readonly records: readonly GroupRecord[];
  readonly response: ConsumerGroupHeartbeatResponse;
}

export class ConsumerGroup {
  readonly groupId: string;
  readonly history: GroupHistoryLog;
  readonly #config: GroupConfig;

  constructor(groupId: string, config: GroupConfig) {
    this.groupId = groupId;
    this.#config = config;
    this.history = new GroupHistoryLog(config['group.history.max.events']);
  }

  get isEmpty(): boolean {
    return this.memberCount === 0;
  }

  get memberCount(): number {
    return 0;
  }

  isSubscribedTo(_topic: string): boolean {
    return false;
  }

  apply(_record: GroupRecord): void {}

  heartbeat(
    request: ConsumerGroupHeartbeatRequest,
    _nowMs: number,
    _topics: TopicsView,
  ): ConsumerHeartbeatOutcome {
    return {
      records: [],
      response: {
        memberId: request.memberId,
        memberEpoch: request.memberEpoch,
        heartbeatIntervalMs: this.#config['group.consumer.heartbeat.interval.ms'],
        assignment: undefined,
      },
    };
  }

  tick(_nowMs: number, _topics: TopicsView): readonly GroupRecord[] {
    return [];
  }

  nextTickMs(): number {
    return Number.POSITIVE_INFINITY;
  }

  topicsChanged(_topics: TopicsView, _nowMs: number): readonly GroupRecord[] {
    return [];
  }

  loaded(_nowMs: number): void {}

  resumed(_nowMs: number): void {}

  checkCommit(
    _memberId: string,
    _groupInstanceId: string | undefined,
    _epoch: number,
  ): GroupFailure | undefined {
    return undefined;
  }

  checkFetch(_memberId: string, _epoch: number): GroupFailure | undefined {
    return undefined;
  }

  describe(_topics: TopicsView): DescribedGroup {
    const { groupId, type, protocolType, state } = this.listing();
    return { groupId, type, protocolType, state, epoch: 0, assignmentEpoch: 0, assignor: '', members: [] };
  }

  listing(): GroupListing {
    return { groupId: this.groupId, type: 'consumer', protocolType: 'consumer', state: 'Empty' };
  }

  tombstones(): readonly GroupRecord[] {
    return [];
  }
}
