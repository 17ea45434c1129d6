/**
 * Every API that the listener speaks: its number, its schemas, and the versions served. Versions advertised differ
 * in one row, and the reason stands there. What is not here is answered UNSUPPORTED_VERSION.
 */
import { Codec } from '../wire/codec.ts';
import type { Fields, MessageDraftOf, MessageOf, MessageSchema } from '../wire/schema.ts';
import { alterConfigsRequest, alterConfigsResponse } from './alter-configs.ts';
import { apiVersionsRequest, apiVersionsResponse } from './api-versions.ts';
import { consumerGroupDescribeRequest, consumerGroupDescribeResponse } from './consumer-group-describe.ts';
import { consumerGroupHeartbeatRequest, consumerGroupHeartbeatResponse } from './consumer-group-heartbeat.ts';
import { createPartitionsRequest, createPartitionsResponse } from './create-partitions.ts';
import { createTopicsRequest, createTopicsResponse } from './create-topics.ts';
import { deleteGroupsRequest, deleteGroupsResponse } from './delete-groups.ts';
import { deleteRecordsRequest, deleteRecordsResponse } from './delete-records.ts';
import { deleteTopicsRequest, deleteTopicsResponse } from './delete-topics.ts';
import { describeClusterRequest, describeClusterResponse } from './describe-cluster.ts';
import { describeConfigsRequest, describeConfigsResponse } from './describe-configs.ts';
import { describeGroupsRequest, describeGroupsResponse } from './describe-groups.ts';
import { describeLogDirsRequest, describeLogDirsResponse } from './describe-log-dirs.ts';
import { describeProducersRequest, describeProducersResponse } from './describe-producers.ts';
import { describeQuorumRequest, describeQuorumResponse } from './describe-quorum.ts';
import {
  describeTopicPartitionsRequest,
  describeTopicPartitionsResponse,
} from './describe-topic-partitions.ts';
import { electLeadersRequest, electLeadersResponse } from './elect-leaders.ts';
import { fetchRequest, fetchResponse } from './fetch.ts';
import { findCoordinatorRequest, findCoordinatorResponse } from './find-coordinator.ts';
import { heartbeatRequest, heartbeatResponse } from './heartbeat.ts';
import {
  incrementalAlterConfigsRequest,
  incrementalAlterConfigsResponse,
} from './incremental-alter-configs.ts';
import { initProducerIdRequest, initProducerIdResponse } from './init-producer-id.ts';
import { joinGroupRequest, joinGroupResponse } from './join-group.ts';
import { leaveGroupRequest, leaveGroupResponse } from './leave-group.ts';
import { listGroupsRequest, listGroupsResponse } from './list-groups.ts';
import { listOffsetsRequest, listOffsetsResponse } from './list-offsets.ts';
import {
  listPartitionReassignmentsRequest,
  listPartitionReassignmentsResponse,
} from './list-partition-reassignments.ts';
import { metadataRequest, metadataResponse } from './metadata.ts';
import { offsetCommitRequest, offsetCommitResponse } from './offset-commit.ts';
import { offsetDeleteRequest, offsetDeleteResponse } from './offset-delete.ts';
import { offsetFetchRequest, offsetFetchResponse } from './offset-fetch.ts';
import { offsetForLeaderEpochRequest, offsetForLeaderEpochResponse } from './offset-for-leader-epoch.ts';
import { produceRequest, produceResponse } from './produce.ts';
import { syncGroupRequest, syncGroupResponse } from './sync-group.ts';

/** Both ends count. */
export interface VersionWindow {
  readonly lowest: number;
  readonly highest: number;
}

export interface Api<Request extends Fields = Fields, Response extends Fields = Fields> {
  readonly key: number;
  /** As in Kafka's protocol guide. */
  readonly name: string;
  readonly request: Codec<Request>;
  readonly response: Codec<Response>;
  /** A request of another version is answered UNSUPPORTED_VERSION. */
  readonly served: VersionWindow;
  /** As ApiVersions lists it. */
  readonly advertised: VersionWindow;
}

function api<Request extends Fields, Response extends Fields>(
  key: number,
  requestSchema: MessageSchema<Request>,
  responseSchema: MessageSchema<Response>,
  windows: { readonly served?: VersionWindow; readonly advertised?: VersionWindow } = {},
): Api<Request, Response> {
  const request = new Codec(requestSchema);
  const all = { lowest: request.lowestVersion, highest: request.highestVersion };
  return {
    key,
    name: requestSchema.name.slice(0, -'Request'.length),
    request,
    response: new Codec(responseSchema),
    served: windows.served ?? all,
    advertised: windows.advertised ?? windows.served ?? all,
  };
}

export const APIS = {
  // From 0 on, as formats older than batches are converted; librdkafka before 2.11 compresses nothing unless it sees
  // that (KAFKA-18659). v12 promises that producing enlists the partition in a transaction (KIP-890), so it waits for
  // transactions.
  produce: api(0, produceRequest, produceResponse),
  fetch: api(1, fetchRequest, fetchResponse),
  listOffsets: api(2, listOffsetsRequest, listOffsetsResponse),
  metadata: api(3, metadataRequest, metadataResponse),
  offsetCommit: api(8, offsetCommitRequest, offsetCommitResponse),
  offsetFetch: api(9, offsetFetchRequest, offsetFetchResponse),
  findCoordinator: api(10, findCoordinatorRequest, findCoordinatorResponse),
  joinGroup: api(11, joinGroupRequest, joinGroupResponse),
  heartbeat: api(12, heartbeatRequest, heartbeatResponse),
  leaveGroup: api(13, leaveGroupRequest, leaveGroupResponse),
  syncGroup: api(14, syncGroupRequest, syncGroupResponse),
  describeGroups: api(15, describeGroupsRequest, describeGroupsResponse),
  listGroups: api(16, listGroupsRequest, listGroupsResponse),
  apiVersions: api(18, apiVersionsRequest, apiVersionsResponse),
  createTopics: api(19, createTopicsRequest, createTopicsResponse),
  deleteTopics: api(20, deleteTopicsRequest, deleteTopicsResponse),
  deleteRecords: api(21, deleteRecordsRequest, deleteRecordsResponse),
  initProducerId: api(22, initProducerIdRequest, initProducerIdResponse),
  offsetForLeaderEpoch: api(23, offsetForLeaderEpochRequest, offsetForLeaderEpochResponse),
  describeConfigs: api(32, describeConfigsRequest, describeConfigsResponse),
  alterConfigs: api(33, alterConfigsRequest, alterConfigsResponse),
  describeLogDirs: api(35, describeLogDirsRequest, describeLogDirsResponse),
  createPartitions: api(37, createPartitionsRequest, createPartitionsResponse),
  deleteGroups: api(42, deleteGroupsRequest, deleteGroupsResponse),
  electLeaders: api(43, electLeadersRequest, electLeadersResponse),
  incrementalAlterConfigs: api(44, incrementalAlterConfigsRequest, incrementalAlterConfigsResponse),
  listPartitionReassignments: api(46, listPartitionReassignmentsRequest, listPartitionReassignmentsResponse),
  offsetDelete: api(47, offsetDeleteRequest, offsetDeleteResponse),
  describeQuorum: api(55, describeQuorumRequest, describeQuorumResponse),
  describeCluster: api(60, describeClusterRequest, describeClusterResponse),
  describeProducers: api(61, describeProducersRequest, describeProducersResponse),
  consumerGroupHeartbeat: api(68, consumerGroupHeartbeatRequest, consumerGroupHeartbeatResponse),
  consumerGroupDescribe: api(69, consumerGroupDescribeRequest, consumerGroupDescribeResponse),
  describeTopicPartitions: api(75, describeTopicPartitionsRequest, describeTopicPartitionsResponse),
} as const;

export type ApiName = keyof typeof APIS;
/** A request as decoded. */
export type RequestOf<N extends ApiName> = MessageOf<(typeof APIS)[N]['request']['schema']>;
/** A response to be encoded: optional fields may be left out. */
export type ResponseDraftOf<N extends ApiName> = MessageDraftOf<(typeof APIS)[N]['response']['schema']>;
/** As `RequestOf` and `ResponseDraftOf`, the other way round: what a client sends and reads. */
export type RequestDraftOf<N extends ApiName> = MessageDraftOf<(typeof APIS)[N]['request']['schema']>;
export type ResponseOf<N extends ApiName> = MessageOf<(typeof APIS)[N]['response']['schema']>;

const byKey: ReadonlyMap<number, ApiName> = new Map(
  Object.entries(APIS).map(([name, { key }]) => [key, name as ApiName]),
);

/** @returns undefined for an API that the listener does not speak. */
export function apiNameOf(key: number): ApiName | undefined {
  return byKey.get(key);
}
