/**
 * Consumer groups as use cases: what the gRPC service and the Kafka listener adapt to. Requests go to the coordinator of
 * the group; another broker answers NOT_COORDINATOR, and one that is still reading COORDINATOR_LOAD_IN_PROGRESS.
 * Only types. Shapes of requests and answers are in @millrace/groups.
 */
import type {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
  DeleteGroupResponse,
  DescribedGroup,
  GroupHistory,
  HeartbeatRequest,
  HeartbeatResponse,
  JoinGroupRequest,
  JoinGroupResponse,
  LeaveGroupRequest,
  LeaveGroupResponse,
  ListGroupsRequest,
  ListGroupsResponse,
  OffsetCommitRequest,
  OffsetCommitResponse,
  OffsetDeleteRequest,
  OffsetDeleteResponse,
  OffsetFetchRequest,
  OffsetFetchResponse,
  SyncGroupRequest,
  SyncGroupResponse,
} from '@millrace/groups';
import type { BrokerNode, RequestContext } from './broker-api.ts';
import type { Failure } from './failure.ts';

/**
 * Failures are in the answers; only a request that names too many groups rejects, with INVALID_REQUEST. What changes
 * something is answered once its records have committed, and at the latest `offsets.commit.timeout.ms` after they were
 * appended, with REQUEST_TIMED_OUT; a join or sync waits for the other members before that.
 */
export interface GroupApi {
  /** Any broker answers. The topic of offsets is created when it is missing. */
  findCoordinators(request: FindCoordinatorsRequest): Promise<FindCoordinatorsResponse>;

  joinGroup(request: JoinGroupRequest): Promise<JoinGroupResponse>;
  syncGroup(request: SyncGroupRequest): Promise<SyncGroupResponse>;
  heartbeat(request: HeartbeatRequest): Promise<HeartbeatResponse>;
  leaveGroup(request: LeaveGroupRequest): Promise<LeaveGroupResponse>;
  consumerGroupHeartbeat(request: ConsumerGroupHeartbeatRequest): Promise<ConsumerGroupHeartbeatResponse>;

  /** Takes effect inside the call, in call order. */
  commitOffsets(request: OffsetCommitRequest): Promise<OffsetCommitResponse>;
  /** Back-pressure as `BrokerApi.produceRoom`. Who does not heed it gets NODE_OVERLOADED. */
  commitRoom(): Promise<void> | undefined;
  /** What has committed. */
  fetchOffsets(request: OffsetFetchRequest): Promise<OffsetFetchResponse>;
  deleteOffsets(request: OffsetDeleteRequest): Promise<OffsetDeleteResponse>;

  /** Groups that this broker coordinates. With a failure some are missing. */
  listGroups(request: ListGroupsRequest): Promise<ListGroupsResponse>;
  describeGroups(groupIds: readonly string[]): Promise<readonly DescribedGroup[]>;
  explainGroup(groupId: string): Promise<GroupHistory>;
  deleteGroups(groupIds: readonly string[]): Promise<readonly DeleteGroupResponse[]>;
}

export interface FindCoordinatorsRequest extends RequestContext {
  /** Whose addresses the answer shows. */
  readonly listener: string;
  readonly groupIds: readonly string[];
}

export interface FindCoordinatorsResponse {
  /** As many as were asked, in their order. */
  readonly coordinators: readonly GroupLocation[];
}

export interface GroupLocation {
  readonly groupId: string;
  readonly failure?: Failure | undefined;
  /** Undefined with a failure. */
  readonly node: BrokerNode | undefined;
}
