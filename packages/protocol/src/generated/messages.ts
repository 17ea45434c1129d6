/** Generated from proto/ by scripts/generate.js; do not edit. Decoded messages have every field: absent ones their default. */
import { type Codec, codec } from '../wire/codec.ts';
import type { WireReader } from '../wire/wire-reader.ts';
import {
  sizeBool,
  sizeBytes,
  sizeInt32,
  sizeInt64,
  sizePrefixed,
  sizeSint32,
  sizeSint64,
  sizeText,
  sizeUint32,
  sizeUint64,
  type WireWriter,
} from '../wire/wire-writer.ts';
import type { RpcMethod } from '../rpc-method.ts';

const NO_BYTES = Buffer.alloc(0);

function packed(values: readonly number[], sizeOf: (value: number) => number): number {
  let size = 0;
  for (const value of values) size += sizeOf(value);
  return size;
}

function readMapEntry(reader: WireReader, end: number): { key: string; value: string } {
  let key = '';
  let value = '';
  while (reader.position < end) {
    const tag = reader.tag();
    if (tag === 10) key = reader.text();
    else if (tag === 18) value = reader.text();
    else reader.skip(tag);
  }
  reader.finish(end);
  return { key, value };
}

export const ServingStatus = {
  UNKNOWN: 0,
  SERVING: 1,
  NOT_SERVING: 2,
  SERVICE_UNKNOWN: 3,
} as const;
export type ServingStatus = (typeof ServingStatus)[keyof typeof ServingStatus];

export interface HealthCheckRequest {
  readonly service: string;
}

function sizeHealthCheckRequest(message: HealthCheckRequest): number {
  let size = 0;
  if (message.service !== '') size += 1 + sizeText(message.service);
  return size;
}

function writeHealthCheckRequest(message: HealthCheckRequest, writer: WireWriter): void {
  if (message.service !== '') {
    writer.uint32(10);
    writer.text(message.service);
  }
}

function readHealthCheckRequest(reader: WireReader, end: number): HealthCheckRequest {
  let service: string = '';
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        service = reader.text();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { service };
}

export const HealthCheckRequest: Codec<HealthCheckRequest> = codec('grpc.health.v1.HealthCheckRequest', sizeHealthCheckRequest, writeHealthCheckRequest, readHealthCheckRequest);

export interface HealthCheckResponse {
  readonly status: ServingStatus;
}

function sizeHealthCheckResponse(message: HealthCheckResponse): number {
  let size = 0;
  if (message.status !== 0) size += 1 + sizeInt32(message.status);
  return size;
}

function writeHealthCheckResponse(message: HealthCheckResponse, writer: WireWriter): void {
  if (message.status !== 0) {
    writer.uint32(8);
    writer.int32(message.status);
  }
}

function readHealthCheckResponse(reader: WireReader, end: number): HealthCheckResponse {
  let status: ServingStatus = 0;
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 8:
        status = reader.int32() as ServingStatus;
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { status };
}

export const HealthCheckResponse: Codec<HealthCheckResponse> = codec('grpc.health.v1.HealthCheckResponse', sizeHealthCheckResponse, writeHealthCheckResponse, readHealthCheckResponse);

export interface CreateTopicsRequest {
  readonly header: RequestHeader;
  readonly topics: readonly NewTopic[];
  readonly validateOnly: boolean;
}

function sizeCreateTopicsRequest(message: CreateTopicsRequest): number {
  let size = 0;
  size += 1 + sizePrefixed(sizeRequestHeader(message.header));
  for (const element of message.topics) size += 1 + sizePrefixed(sizeNewTopic(element));
  if (message.validateOnly) size += 1 + sizeBool(message.validateOnly);
  return size;
}

function writeCreateTopicsRequest(message: CreateTopicsRequest, writer: WireWriter): void {
  writer.uint32(10);
  writer.uint32(sizeRequestHeader(message.header));
  writeRequestHeader(message.header, writer);
  for (const element of message.topics) {
    writer.uint32(18);
    writer.uint32(sizeNewTopic(element));
    writeNewTopic(element, writer);
  }
  if (message.validateOnly) {
    writer.uint32(24);
    writer.bool(message.validateOnly);
  }
}

function readCreateTopicsRequest(reader: WireReader, end: number): CreateTopicsRequest {
  let header: RequestHeader | undefined;
  const topics: NewTopic[] = [];
  let validateOnly: boolean = false;
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        header = readRequestHeader(reader, reader.nested());
        break;
      case 18:
        topics.push(readNewTopic(reader, reader.nested()));
        break;
      case 24:
        validateOnly = reader.bool();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { header: header ?? readRequestHeader(reader, reader.position), topics, validateOnly };
}

export const CreateTopicsRequest: Codec<CreateTopicsRequest> = codec('millrace.v1.CreateTopicsRequest', sizeCreateTopicsRequest, writeCreateTopicsRequest, readCreateTopicsRequest);

export interface NewTopic {
  readonly name: string;
  /** -1 for the cluster's defaults; both are ignored when `assignments` is set. */
  readonly partitionCount: number;
  readonly replicationFactor: number;
  readonly assignments: readonly ReplicaAssignment[];
  readonly configs: Readonly<Record<string, string>>;
}

function sizeNewTopic(message: NewTopic): number {
  let size = 0;
  if (message.name !== '') size += 1 + sizeText(message.name);
  if (message.partitionCount !== 0) size += 1 + sizeSint32(message.partitionCount);
  if (message.replicationFactor !== 0) size += 1 + sizeSint32(message.replicationFactor);
  for (const element of message.assignments) size += 1 + sizePrefixed(sizeReplicaAssignment(element));
  for (const [key, value] of Object.entries(message.configs)) size += 1 + sizePrefixed(2 + sizeText(key) + sizeText(value));
  return size;
}

function writeNewTopic(message: NewTopic, writer: WireWriter): void {
  if (message.name !== '') {
    writer.uint32(10);
    writer.text(message.name);
  }
  if (message.partitionCount !== 0) {
    writer.uint32(16);
    writer.sint32(message.partitionCount);
  }
  if (message.replicationFactor !== 0) {
    writer.uint32(24);
    writer.sint32(message.replicationFactor);
  }
  for (const element of message.assignments) {
    writer.uint32(34);
    writer.uint32(sizeReplicaAssignment(element));
    writeReplicaAssignment(element, writer);
  }
  for (const [key, value] of Object.entries(message.configs)) {
    writer.uint32(42);
    writer.uint32(2 + sizeText(key) + sizeText(value));
    writer.uint32(10);
    writer.text(key);
    writer.uint32(18);
    writer.text(value);
  }
}

function readNewTopic(reader: WireReader, end: number): NewTopic {
  let name: string = '';
  let partitionCount: number = 0;
  let replicationFactor: number = 0;
  const assignments: ReplicaAssignment[] = [];
  const configs: Record<string, string> = Object.create(null);
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        name = reader.text();
        break;
      case 16:
        partitionCount = reader.sint32();
        break;
      case 24:
        replicationFactor = reader.sint32();
        break;
      case 34:
        assignments.push(readReplicaAssignment(reader, reader.nested()));
        break;
      case 42: {
        const entry = readMapEntry(reader, reader.nested());
        configs[entry.key] = entry.value;
        break;
      }
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { name, partitionCount, replicationFactor, assignments, configs };
}

export const NewTopic: Codec<NewTopic> = codec('millrace.v1.NewTopic', sizeNewTopic, writeNewTopic, readNewTopic);

export interface ReplicaAssignment {
  readonly partition: number;
  readonly replicas: readonly number[];
}

function sizeReplicaAssignment(message: ReplicaAssignment): number {
  let size = 0;
  if (message.partition !== 0) size += 1 + sizeUint32(message.partition);
  if (message.replicas.length > 0) size += 1 + sizePrefixed(packed(message.replicas, sizeUint32));
  return size;
}

function writeReplicaAssignment(message: ReplicaAssignment, writer: WireWriter): void {
  if (message.partition !== 0) {
    writer.uint32(8);
    writer.uint32(message.partition);
  }
  if (message.replicas.length > 0) {
    writer.uint32(18);
    writer.uint32(packed(message.replicas, sizeUint32));
    for (const element of message.replicas) writer.uint32(element);
  }
}

function readReplicaAssignment(reader: WireReader, end: number): ReplicaAssignment {
  let partition: number = 0;
  const replicas: number[] = [];
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 8:
        partition = reader.uint32();
        break;
      case 16:
        replicas.push(reader.uint32());
        break;
      case 18:
        for (const last = reader.end(); reader.position < last; ) replicas.push(reader.uint32());
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { partition, replicas };
}

export const ReplicaAssignment: Codec<ReplicaAssignment> = codec('millrace.v1.ReplicaAssignment', sizeReplicaAssignment, writeReplicaAssignment, readReplicaAssignment);

export interface CreateTopicsResponse {
  readonly topics: readonly CreatedTopic[];
}

function sizeCreateTopicsResponse(message: CreateTopicsResponse): number {
  let size = 0;
  for (const element of message.topics) size += 1 + sizePrefixed(sizeCreatedTopic(element));
  return size;
}

function writeCreateTopicsResponse(message: CreateTopicsResponse, writer: WireWriter): void {
  for (const element of message.topics) {
    writer.uint32(10);
    writer.uint32(sizeCreatedTopic(element));
    writeCreatedTopic(element, writer);
  }
}

function readCreateTopicsResponse(reader: WireReader, end: number): CreateTopicsResponse {
  const topics: CreatedTopic[] = [];
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        topics.push(readCreatedTopic(reader, reader.nested()));
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { topics };
}

export const CreateTopicsResponse: Codec<CreateTopicsResponse> = codec('millrace.v1.CreateTopicsResponse', sizeCreateTopicsResponse, writeCreateTopicsResponse, readCreateTopicsResponse);

export interface CreatedTopic {
  readonly name: string;
  readonly failure?: Failure | undefined;
  readonly topicId: string;
  readonly partitionCount: number;
  readonly replicationFactor: number;
}

function sizeCreatedTopic(message: CreatedTopic): number {
  let size = 0;
  if (message.name !== '') size += 1 + sizeText(message.name);
  if (message.failure !== undefined) size += 1 + sizePrefixed(sizeFailure(message.failure));
  if (message.topicId !== '') size += 1 + sizeText(message.topicId);
  if (message.partitionCount !== 0) size += 1 + sizeUint32(message.partitionCount);
  if (message.replicationFactor !== 0) size += 1 + sizeUint32(message.replicationFactor);
  return size;
}

function writeCreatedTopic(message: CreatedTopic, writer: WireWriter): void {
  if (message.name !== '') {
    writer.uint32(10);
    writer.text(message.name);
  }
  if (message.failure !== undefined) {
    writer.uint32(18);
    writer.uint32(sizeFailure(message.failure));
    writeFailure(message.failure, writer);
  }
  if (message.topicId !== '') {
    writer.uint32(26);
    writer.text(message.topicId);
  }
  if (message.partitionCount !== 0) {
    writer.uint32(32);
    writer.uint32(message.partitionCount);
  }
  if (message.replicationFactor !== 0) {
    writer.uint32(40);
    writer.uint32(message.replicationFactor);
  }
}

function readCreatedTopic(reader: WireReader, end: number): CreatedTopic {
  let name: string = '';
  let failure: Failure | undefined;
  let topicId: string = '';
  let partitionCount: number = 0;
  let replicationFactor: number = 0;
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        name = reader.text();
        break;
      case 18:
        failure = readFailure(reader, reader.nested());
        break;
      case 26:
        topicId = reader.text();
        break;
      case 32:
        partitionCount = reader.uint32();
        break;
      case 40:
        replicationFactor = reader.uint32();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { name, failure, topicId, partitionCount, replicationFactor };
}

export const CreatedTopic: Codec<CreatedTopic> = codec('millrace.v1.CreatedTopic', sizeCreatedTopic, writeCreatedTopic, readCreatedTopic);

export interface DeleteTopicsRequest {
  readonly header: RequestHeader;
  readonly names: readonly string[];
  readonly topicIds: readonly string[];
}

function sizeDeleteTopicsRequest(message: DeleteTopicsRequest): number {
  let size = 0;
  size += 1 + sizePrefixed(sizeRequestHeader(message.header));
  for (const element of message.names) size += 1 + sizeText(element);
  for (const element of message.topicIds) size += 1 + sizeText(element);
  return size;
}

function writeDeleteTopicsRequest(message: DeleteTopicsRequest, writer: WireWriter): void {
  writer.uint32(10);
  writer.uint32(sizeRequestHeader(message.header));
  writeRequestHeader(message.header, writer);
  for (const element of message.names) {
    writer.uint32(18);
    writer.text(element);
  }
  for (const element of message.topicIds) {
    writer.uint32(26);
    writer.text(element);
  }
}

function readDeleteTopicsRequest(reader: WireReader, end: number): DeleteTopicsRequest {
  let header: RequestHeader | undefined;
  const names: string[] = [];
  const topicIds: string[] = [];
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        header = readRequestHeader(reader, reader.nested());
        break;
      case 18:
        names.push(reader.text());
        break;
      case 26:
        topicIds.push(reader.text());
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { header: header ?? readRequestHeader(reader, reader.position), names, topicIds };
}

export const DeleteTopicsRequest: Codec<DeleteTopicsRequest> = codec('millrace.v1.DeleteTopicsRequest', sizeDeleteTopicsRequest, writeDeleteTopicsRequest, readDeleteTopicsRequest);

export interface DeleteTopicsResponse {
  readonly topics: readonly TopicResult[];
}

function sizeDeleteTopicsResponse(message: DeleteTopicsResponse): number {
  let size = 0;
  for (const element of message.topics) size += 1 + sizePrefixed(sizeTopicResult(element));
  return size;
}

function writeDeleteTopicsResponse(message: DeleteTopicsResponse, writer: WireWriter): void {
  for (const element of message.topics) {
    writer.uint32(10);
    writer.uint32(sizeTopicResult(element));
    writeTopicResult(element, writer);
  }
}

function readDeleteTopicsResponse(reader: WireReader, end: number): DeleteTopicsResponse {
  const topics: TopicResult[] = [];
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        topics.push(readTopicResult(reader, reader.nested()));
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { topics };
}

export const DeleteTopicsResponse: Codec<DeleteTopicsResponse> = codec('millrace.v1.DeleteTopicsResponse', sizeDeleteTopicsResponse, writeDeleteTopicsResponse, readDeleteTopicsResponse);

export interface TopicResult {
  readonly name: string;
  readonly topicId: string;
  readonly failure?: Failure | undefined;
}

function sizeTopicResult(message: TopicResult): number {
  let size = 0;
  if (message.name !== '') size += 1 + sizeText(message.name);
  if (message.topicId !== '') size += 1 + sizeText(message.topicId);
  if (message.failure !== undefined) size += 1 + sizePrefixed(sizeFailure(message.failure));
  return size;
}

function writeTopicResult(message: TopicResult, writer: WireWriter): void {
  if (message.name !== '') {
    writer.uint32(10);
    writer.text(message.name);
  }
  if (message.topicId !== '') {
    writer.uint32(18);
    writer.text(message.topicId);
  }
  if (message.failure !== undefined) {
    writer.uint32(26);
    writer.uint32(sizeFailure(message.failure));
    writeFailure(message.failure, writer);
  }
}

function readTopicResult(reader: WireReader, end: number): TopicResult {
  let name: string = '';
  let topicId: string = '';
  let failure: Failure | undefined;
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        name = reader.text();
        break;
      case 18:
        topicId = reader.text();
        break;
      case 26:
        failure = readFailure(reader, reader.nested());
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { name, topicId, failure };
}

export const TopicResult: Codec<TopicResult> = codec('millrace.v1.TopicResult', sizeTopicResult, writeTopicResult, readTopicResult);

export interface CreatePartitionsRequest {
  readonly header: RequestHeader;
  readonly topics: readonly NewPartitions[];
  readonly validateOnly: boolean;
}

function sizeCreatePartitionsRequest(message: CreatePartitionsRequest): number {
  let size = 0;
  size += 1 + sizePrefixed(sizeRequestHeader(message.header));
  for (const element of message.topics) size += 1 + sizePrefixed(sizeNewPartitions(element));
  if (message.validateOnly) size += 1 + sizeBool(message.validateOnly);
  return size;
}

function writeCreatePartitionsRequest(message: CreatePartitionsRequest, writer: WireWriter): void {
  writer.uint32(10);
  writer.uint32(sizeRequestHeader(message.header));
  writeRequestHeader(message.header, writer);
  for (const element of message.topics) {
    writer.uint32(18);
    writer.uint32(sizeNewPartitions(element));
    writeNewPartitions(element, writer);
  }
  if (message.validateOnly) {
    writer.uint32(24);
    writer.bool(message.validateOnly);
  }
}

function readCreatePartitionsRequest(reader: WireReader, end: number): CreatePartitionsRequest {
  let header: RequestHeader | undefined;
  const topics: NewPartitions[] = [];
  let validateOnly: boolean = false;
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        header = readRequestHeader(reader, reader.nested());
        break;
      case 18:
        topics.push(readNewPartitions(reader, reader.nested()));
        break;
      case 24:
        validateOnly = reader.bool();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { header: header ?? readRequestHeader(reader, reader.position), topics, validateOnly };
}

export const CreatePartitionsRequest: Codec<CreatePartitionsRequest> = codec('millrace.v1.CreatePartitionsRequest', sizeCreatePartitionsRequest, writeCreatePartitionsRequest, readCreatePartitionsRequest);

export interface NewPartitions {
  readonly name: string;
  /** The new total. */
  readonly totalCount: number;
  /** Replicas of the added partitions, in order; empty lets the controller place them. */
  readonly assignments: readonly ReplicaAssignment[];
}

function sizeNewPartitions(message: NewPartitions): number {
  let size = 0;
  if (message.name !== '') size += 1 + sizeText(message.name);
  if (message.totalCount !== 0) size += 1 + sizeUint32(message.totalCount);
  for (const element of message.assignments) size += 1 + sizePrefixed(sizeReplicaAssignment(element));
  return size;
}

function writeNewPartitions(message: NewPartitions, writer: WireWriter): void {
  if (message.name !== '') {
    writer.uint32(10);
    writer.text(message.name);
  }
  if (message.totalCount !== 0) {
    writer.uint32(16);
    writer.uint32(message.totalCount);
  }
  for (const element of message.assignments) {
    writer.uint32(26);
    writer.uint32(sizeReplicaAssignment(element));
    writeReplicaAssignment(element, writer);
  }
}

function readNewPartitions(reader: WireReader, end: number): NewPartitions {
  let name: string = '';
  let totalCount: number = 0;
  const assignments: ReplicaAssignment[] = [];
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        name = reader.text();
        break;
      case 16:
        totalCount = reader.uint32();
        break;
      case 26:
        assignments.push(readReplicaAssignment(reader, reader.nested()));
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { name, totalCount, assignments };
}

export const NewPartitions: Codec<NewPartitions> = codec('millrace.v1.NewPartitions', sizeNewPartitions, writeNewPartitions, readNewPartitions);

export interface CreatePartitionsResponse {
  readonly topics: readonly TopicResult[];
}

function sizeCreatePartitionsResponse(message: CreatePartitionsResponse): number {
  let size = 0;
  for (const element of message.topics) size += 1 + sizePrefixed(sizeTopicResult(element));
  return size;
}

function writeCreatePartitionsResponse(message: CreatePartitionsResponse, writer: WireWriter): void {
  for (const element of message.topics) {
    writer.uint32(10);
    writer.uint32(sizeTopicResult(element));
    writeTopicResult(element, writer);
  }
}

function readCreatePartitionsResponse(reader: WireReader, end: number): CreatePartitionsResponse {
  const topics: TopicResult[] = [];
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        topics.push(readTopicResult(reader, reader.nested()));
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { topics };
}

export const CreatePartitionsResponse: Codec<CreatePartitionsResponse> = codec('millrace.v1.CreatePartitionsResponse', sizeCreatePartitionsResponse, writeCreatePartitionsResponse, readCreatePartitionsResponse);

/** kind is "topic", "broker" (name = node id) or "cluster" (name empty: the default of every broker). */
export interface ConfigResource {
  readonly kind: string;
  readonly name: string;
}

function sizeConfigResource(message: ConfigResource): number {
  let size = 0;
  if (message.kind !== '') size += 1 + sizeText(message.kind);
  if (message.name !== '') size += 1 + sizeText(message.name);
  return size;
}

function writeConfigResource(message: ConfigResource, writer: WireWriter): void {
  if (message.kind !== '') {
    writer.uint32(10);
    writer.text(message.kind);
  }
  if (message.name !== '') {
    writer.uint32(18);
    writer.text(message.name);
  }
}

function readConfigResource(reader: WireReader, end: number): ConfigResource {
  let kind: string = '';
  let name: string = '';
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        kind = reader.text();
        break;
      case 18:
        name = reader.text();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { kind, name };
}

export const ConfigResource: Codec<ConfigResource> = codec('millrace.v1.ConfigResource', sizeConfigResource, writeConfigResource, readConfigResource);

export interface DescribeConfigsRequest {
  readonly header: RequestHeader;
  readonly resources: readonly ConfigResource[];
}

function sizeDescribeConfigsRequest(message: DescribeConfigsRequest): number {
  let size = 0;
  size += 1 + sizePrefixed(sizeRequestHeader(message.header));
  for (const element of message.resources) size += 1 + sizePrefixed(sizeConfigResource(element));
  return size;
}

function writeDescribeConfigsRequest(message: DescribeConfigsRequest, writer: WireWriter): void {
  writer.uint32(10);
  writer.uint32(sizeRequestHeader(message.header));
  writeRequestHeader(message.header, writer);
  for (const element of message.resources) {
    writer.uint32(18);
    writer.uint32(sizeConfigResource(element));
    writeConfigResource(element, writer);
  }
}

function readDescribeConfigsRequest(reader: WireReader, end: number): DescribeConfigsRequest {
  let header: RequestHeader | undefined;
  const resources: ConfigResource[] = [];
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        header = readRequestHeader(reader, reader.nested());
        break;
      case 18:
        resources.push(readConfigResource(reader, reader.nested()));
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { header: header ?? readRequestHeader(reader, reader.position), resources };
}

export const DescribeConfigsRequest: Codec<DescribeConfigsRequest> = codec('millrace.v1.DescribeConfigsRequest', sizeDescribeConfigsRequest, writeDescribeConfigsRequest, readDescribeConfigsRequest);

export interface DescribeConfigsResponse {
  readonly resources: readonly ResourceConfigs[];
}

function sizeDescribeConfigsResponse(message: DescribeConfigsResponse): number {
  let size = 0;
  for (const element of message.resources) size += 1 + sizePrefixed(sizeResourceConfigs(element));
  return size;
}

function writeDescribeConfigsResponse(message: DescribeConfigsResponse, writer: WireWriter): void {
  for (const element of message.resources) {
    writer.uint32(10);
    writer.uint32(sizeResourceConfigs(element));
    writeResourceConfigs(element, writer);
  }
}

function readDescribeConfigsResponse(reader: WireReader, end: number): DescribeConfigsResponse {
  const resources: ResourceConfigs[] = [];
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        resources.push(readResourceConfigs(reader, reader.nested()));
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { resources };
}

export const DescribeConfigsResponse: Codec<DescribeConfigsResponse> = codec('millrace.v1.DescribeConfigsResponse', sizeDescribeConfigsResponse, writeDescribeConfigsResponse, readDescribeConfigsResponse);

export interface ResourceConfigs {
  readonly resource: ConfigResource;
  readonly failure?: Failure | undefined;
  readonly entries: readonly ConfigEntry[];
}

function sizeResourceConfigs(message: ResourceConfigs): number {
  let size = 0;
  size += 1 + sizePrefixed(sizeConfigResource(message.resource));
  if (message.failure !== undefined) size += 1 + sizePrefixed(sizeFailure(message.failure));
  for (const element of message.entries) size += 1 + sizePrefixed(sizeConfigEntry(element));
  return size;
}

function writeResourceConfigs(message: ResourceConfigs, writer: WireWriter): void {
  writer.uint32(10);
  writer.uint32(sizeConfigResource(message.resource));
  writeConfigResource(message.resource, writer);
  if (message.failure !== undefined) {
    writer.uint32(18);
    writer.uint32(sizeFailure(message.failure));
    writeFailure(message.failure, writer);
  }
  for (const element of message.entries) {
    writer.uint32(26);
    writer.uint32(sizeConfigEntry(element));
    writeConfigEntry(element, writer);
  }
}

function readResourceConfigs(reader: WireReader, end: number): ResourceConfigs {
  let resource: ConfigResource | undefined;
  let failure: Failure | undefined;
  const entries: ConfigEntry[] = [];
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        resource = readConfigResource(reader, reader.nested());
        break;
      case 18:
        failure = readFailure(reader, reader.nested());
        break;
      case 26:
        entries.push(readConfigEntry(reader, reader.nested()));
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { resource: resource ?? readConfigResource(reader, reader.position), failure, entries };
}

export const ResourceConfigs: Codec<ResourceConfigs> = codec('millrace.v1.ResourceConfigs', sizeResourceConfigs, writeResourceConfigs, readResourceConfigs);

export interface ConfigEntry {
  readonly name: string;
  readonly value: string;
  /** "topic", "broker", "cluster", "static" or "default": where the value comes from. */
  readonly source: string;
  readonly readOnly: boolean;
  readonly type: string;
  readonly documentation: string;
}

function sizeConfigEntry(message: ConfigEntry): number {
  let size = 0;
  if (message.name !== '') size += 1 + sizeText(message.name);
  if (message.value !== '') size += 1 + sizeText(message.value);
  if (message.source !== '') size += 1 + sizeText(message.source);
  if (message.readOnly) size += 1 + sizeBool(message.readOnly);
  if (message.type !== '') size += 1 + sizeText(message.type);
  if (message.documentation !== '') size += 1 + sizeText(message.documentation);
  return size;
}

function writeConfigEntry(message: ConfigEntry, writer: WireWriter): void {
  if (message.name !== '') {
    writer.uint32(10);
    writer.text(message.name);
  }
  if (message.value !== '') {
    writer.uint32(18);
    writer.text(message.value);
  }
  if (message.source !== '') {
    writer.uint32(26);
    writer.text(message.source);
  }
  if (message.readOnly) {
    writer.uint32(32);
    writer.bool(message.readOnly);
  }
  if (message.type !== '') {
    writer.uint32(42);
    writer.text(message.type);
  }
  if (message.documentation !== '') {
    writer.uint32(50);
    writer.text(message.documentation);
  }
}

function readConfigEntry(reader: WireReader, end: number): ConfigEntry {
  let name: string = '';
  let value: string = '';
  let source: string = '';
  let readOnly: boolean = false;
  let type: string = '';
  let documentation: string = '';
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        name = reader.text();
        break;
      case 18:
        value = reader.text();
        break;
      case 26:
        source = reader.text();
        break;
      case 32:
        readOnly = reader.bool();
        break;
      case 42:
        type = reader.text();
        break;
      case 50:
        documentation = reader.text();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { name, value, source, readOnly, type, documentation };
}

export const ConfigEntry: Codec<ConfigEntry> = codec('millrace.v1.ConfigEntry', sizeConfigEntry, writeConfigEntry, readConfigEntry);

export interface AlterConfigsRequest {
  readonly header: RequestHeader;
  readonly changes: readonly ConfigChange[];
  readonly validateOnly: boolean;
}

function sizeAlterConfigsRequest(message: AlterConfigsRequest): number {
  let size = 0;
  size += 1 + sizePrefixed(sizeRequestHeader(message.header));
  for (const element of message.changes) size += 1 + sizePrefixed(sizeConfigChange(element));
  if (message.validateOnly) size += 1 + sizeBool(message.validateOnly);
  return size;
}

function writeAlterConfigsRequest(message: AlterConfigsRequest, writer: WireWriter): void {
  writer.uint32(10);
  writer.uint32(sizeRequestHeader(message.header));
  writeRequestHeader(message.header, writer);
  for (const element of message.changes) {
    writer.uint32(18);
    writer.uint32(sizeConfigChange(element));
    writeConfigChange(element, writer);
  }
  if (message.validateOnly) {
    writer.uint32(24);
    writer.bool(message.validateOnly);
  }
}

function readAlterConfigsRequest(reader: WireReader, end: number): AlterConfigsRequest {
  let header: RequestHeader | undefined;
  const changes: ConfigChange[] = [];
  let validateOnly: boolean = false;
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        header = readRequestHeader(reader, reader.nested());
        break;
      case 18:
        changes.push(readConfigChange(reader, reader.nested()));
        break;
      case 24:
        validateOnly = reader.bool();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { header: header ?? readRequestHeader(reader, reader.position), changes, validateOnly };
}

export const AlterConfigsRequest: Codec<AlterConfigsRequest> = codec('millrace.v1.AlterConfigsRequest', sizeAlterConfigsRequest, writeAlterConfigsRequest, readAlterConfigsRequest);

export interface ConfigChange {
  readonly resource: ConfigResource;
  readonly name: string;
  /** Absent: back to the default. */
  readonly value?: string | undefined;
  /** "set" if absent. "append" and "subtract" change the list in force by the items of `value`. "clear", with an empty name, takes back every override of the resource that no other change of the request names. */
  readonly operation?: string | undefined;
}

function sizeConfigChange(message: ConfigChange): number {
  let size = 0;
  size += 1 + sizePrefixed(sizeConfigResource(message.resource));
  if (message.name !== '') size += 1 + sizeText(message.name);
  if (message.value !== undefined) size += 1 + sizeText(message.value);
  if (message.operation !== undefined) size += 1 + sizeText(message.operation);
  return size;
}

function writeConfigChange(message: ConfigChange, writer: WireWriter): void {
  writer.uint32(10);
  writer.uint32(sizeConfigResource(message.resource));
  writeConfigResource(message.resource, writer);
  if (message.name !== '') {
    writer.uint32(18);
    writer.text(message.name);
  }
  if (message.value !== undefined) {
    writer.uint32(26);
    writer.text(message.value);
  }
  if (message.operation !== undefined) {
    writer.uint32(34);
    writer.text(message.operation);
  }
}

function readConfigChange(reader: WireReader, end: number): ConfigChange {
  let resource: ConfigResource | undefined;
  let name: string = '';
  let value: string | undefined;
  let operation: string | undefined;
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        resource = readConfigResource(reader, reader.nested());
        break;
      case 18:
        name = reader.text();
        break;
      case 26:
        value = reader.text();
        break;
      case 34:
        operation = reader.text();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { resource: resource ?? readConfigResource(reader, reader.position), name, value, operation };
}

export const ConfigChange: Codec<ConfigChange> = codec('millrace.v1.ConfigChange', sizeConfigChange, writeConfigChange, readConfigChange);

export interface AlterConfigsResponse {
  readonly resources: readonly ResourceResult[];
}

function sizeAlterConfigsResponse(message: AlterConfigsResponse): number {
  let size = 0;
  for (const element of message.resources) size += 1 + sizePrefixed(sizeResourceResult(element));
  return size;
}

function writeAlterConfigsResponse(message: AlterConfigsResponse, writer: WireWriter): void {
  for (const element of message.resources) {
    writer.uint32(10);
    writer.uint32(sizeResourceResult(element));
    writeResourceResult(element, writer);
  }
}

function readAlterConfigsResponse(reader: WireReader, end: number): AlterConfigsResponse {
  const resources: ResourceResult[] = [];
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        resources.push(readResourceResult(reader, reader.nested()));
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { resources };
}

export const AlterConfigsResponse: Codec<AlterConfigsResponse> = codec('millrace.v1.AlterConfigsResponse', sizeAlterConfigsResponse, writeAlterConfigsResponse, readAlterConfigsResponse);

export interface ResourceResult {
  readonly resource: ConfigResource;
  readonly failure?: Failure | undefined;
}

function sizeResourceResult(message: ResourceResult): number {
  let size = 0;
  size += 1 + sizePrefixed(sizeConfigResource(message.resource));
  if (message.failure !== undefined) size += 1 + sizePrefixed(sizeFailure(message.failure));
  return size;
}

function writeResourceResult(message: ResourceResult, writer: WireWriter): void {
  writer.uint32(10);
  writer.uint32(sizeConfigResource(message.resource));
  writeConfigResource(message.resource, writer);
  if (message.failure !== undefined) {
    writer.uint32(18);
    writer.uint32(sizeFailure(message.failure));
    writeFailure(message.failure, writer);
  }
}

function readResourceResult(reader: WireReader, end: number): ResourceResult {
  let resource: ConfigResource | undefined;
  let failure: Failure | undefined;
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        resource = readConfigResource(reader, reader.nested());
        break;
      case 18:
        failure = readFailure(reader, reader.nested());
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { resource: resource ?? readConfigResource(reader, reader.position), failure };
}

export const ResourceResult: Codec<ResourceResult> = codec('millrace.v1.ResourceResult', sizeResourceResult, writeResourceResult, readResourceResult);

export interface ElectLeadersRequest {
  readonly header: RequestHeader;
  /** "preferred" or "unclean". */
  readonly election: string;
  /** Empty: every partition. */
  readonly partitions: readonly TopicPartitionName[];
}

function sizeElectLeadersRequest(message: ElectLeadersRequest): number {
  let size = 0;
  size += 1 + sizePrefixed(sizeRequestHeader(message.header));
  if (message.election !== '') size += 1 + sizeText(message.election);
  for (const element of message.partitions) size += 1 + sizePrefixed(sizeTopicPartitionName(element));
  return size;
}

function writeElectLeadersRequest(message: ElectLeadersRequest, writer: WireWriter): void {
  writer.uint32(10);
  writer.uint32(sizeRequestHeader(message.header));
  writeRequestHeader(message.header, writer);
  if (message.election !== '') {
    writer.uint32(18);
    writer.text(message.election);
  }
  for (const element of message.partitions) {
    writer.uint32(26);
    writer.uint32(sizeTopicPartitionName(element));
    writeTopicPartitionName(element, writer);
  }
}

function readElectLeadersRequest(reader: WireReader, end: number): ElectLeadersRequest {
  let header: RequestHeader | undefined;
  let election: string = '';
  const partitions: TopicPartitionName[] = [];
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        header = readRequestHeader(reader, reader.nested());
        break;
      case 18:
        election = reader.text();
        break;
      case 26:
        partitions.push(readTopicPartitionName(reader, reader.nested()));
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { header: header ?? readRequestHeader(reader, reader.position), election, partitions };
}

export const ElectLeadersRequest: Codec<ElectLeadersRequest> = codec('millrace.v1.ElectLeadersRequest', sizeElectLeadersRequest, writeElectLeadersRequest, readElectLeadersRequest);

export interface ElectLeadersResponse {
  readonly partitions: readonly ElectedPartition[];
}

function sizeElectLeadersResponse(message: ElectLeadersResponse): number {
  let size = 0;
  for (const element of message.partitions) size += 1 + sizePrefixed(sizeElectedPartition(element));
  return size;
}

function writeElectLeadersResponse(message: ElectLeadersResponse, writer: WireWriter): void {
  for (const element of message.partitions) {
    writer.uint32(10);
    writer.uint32(sizeElectedPartition(element));
    writeElectedPartition(element, writer);
  }
}

function readElectLeadersResponse(reader: WireReader, end: number): ElectLeadersResponse {
  const partitions: ElectedPartition[] = [];
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        partitions.push(readElectedPartition(reader, reader.nested()));
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { partitions };
}

export const ElectLeadersResponse: Codec<ElectLeadersResponse> = codec('millrace.v1.ElectLeadersResponse', sizeElectLeadersResponse, writeElectLeadersResponse, readElectLeadersResponse);

export interface ElectedPartition {
  readonly topic: string;
  readonly partition: number;
  readonly failure?: Failure | undefined;
  readonly leaderId: number;
}

function sizeElectedPartition(message: ElectedPartition): number {
  let size = 0;
  if (message.topic !== '') size += 1 + sizeText(message.topic);
  if (message.partition !== 0) size += 1 + sizeUint32(message.partition);
  if (message.failure !== undefined) size += 1 + sizePrefixed(sizeFailure(message.failure));
  if (message.leaderId !== 0) size += 1 + sizeSint32(message.leaderId);
  return size;
}

function writeElectedPartition(message: ElectedPartition, writer: WireWriter): void {
  if (message.topic !== '') {
    writer.uint32(10);
    writer.text(message.topic);
  }
  if (message.partition !== 0) {
    writer.uint32(16);
    writer.uint32(message.partition);
  }
  if (message.failure !== undefined) {
    writer.uint32(26);
    writer.uint32(sizeFailure(message.failure));
    writeFailure(message.failure, writer);
  }
  if (message.leaderId !== 0) {
    writer.uint32(32);
    writer.sint32(message.leaderId);
  }
}

function readElectedPartition(reader: WireReader, end: number): ElectedPartition {
  let topic: string = '';
  let partition: number = 0;
  let failure: Failure | undefined;
  let leaderId: number = 0;
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        topic = reader.text();
        break;
      case 16:
        partition = reader.uint32();
        break;
      case 26:
        failure = readFailure(reader, reader.nested());
        break;
      case 32:
        leaderId = reader.sint32();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { topic, partition, failure, leaderId };
}

export const ElectedPartition: Codec<ElectedPartition> = codec('millrace.v1.ElectedPartition', sizeElectedPartition, writeElectedPartition, readElectedPartition);

export interface DescribeClusterRequest {
  readonly header: RequestHeader;
}

function sizeDescribeClusterRequest(message: DescribeClusterRequest): number {
  let size = 0;
  size += 1 + sizePrefixed(sizeRequestHeader(message.header));
  return size;
}

function writeDescribeClusterRequest(message: DescribeClusterRequest, writer: WireWriter): void {
  writer.uint32(10);
  writer.uint32(sizeRequestHeader(message.header));
  writeRequestHeader(message.header, writer);
}

function readDescribeClusterRequest(reader: WireReader, end: number): DescribeClusterRequest {
  let header: RequestHeader | undefined;
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        header = readRequestHeader(reader, reader.nested());
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { header: header ?? readRequestHeader(reader, reader.position) };
}

export const DescribeClusterRequest: Codec<DescribeClusterRequest> = codec('millrace.v1.DescribeClusterRequest', sizeDescribeClusterRequest, writeDescribeClusterRequest, readDescribeClusterRequest);

export interface DescribeClusterResponse {
  readonly clusterId: string;
  readonly controllerId: number;
  readonly brokers: readonly BrokerNode[];
  /** Offset of the metadata log that this answer reflects. */
  readonly metadataOffset: number;
  readonly topicCount: number;
  readonly partitionCount: number;
  readonly leaderlessPartitionCount: number;
  readonly underReplicatedPartitionCount: number;
  readonly underMinIsrPartitionCount: number;
}

function sizeDescribeClusterResponse(message: DescribeClusterResponse): number {
  let size = 0;
  if (message.clusterId !== '') size += 1 + sizeText(message.clusterId);
  if (message.controllerId !== 0) size += 1 + sizeSint32(message.controllerId);
  for (const element of message.brokers) size += 1 + sizePrefixed(sizeBrokerNode(element));
  if (message.metadataOffset !== 0) size += 1 + sizeInt64(message.metadataOffset);
  if (message.topicCount !== 0) size += 1 + sizeUint32(message.topicCount);
  if (message.partitionCount !== 0) size += 1 + sizeUint32(message.partitionCount);
  if (message.leaderlessPartitionCount !== 0) size += 1 + sizeUint32(message.leaderlessPartitionCount);
  if (message.underReplicatedPartitionCount !== 0) size += 1 + sizeUint32(message.underReplicatedPartitionCount);
  if (message.underMinIsrPartitionCount !== 0) size += 1 + sizeUint32(message.underMinIsrPartitionCount);
  return size;
}

function writeDescribeClusterResponse(message: DescribeClusterResponse, writer: WireWriter): void {
  if (message.clusterId !== '') {
    writer.uint32(10);
    writer.text(message.clusterId);
  }
  if (message.controllerId !== 0) {
    writer.uint32(16);
    writer.sint32(message.controllerId);
  }
  for (const element of message.brokers) {
    writer.uint32(26);
    writer.uint32(sizeBrokerNode(element));
    writeBrokerNode(element, writer);
  }
  if (message.metadataOffset !== 0) {
    writer.uint32(32);
    writer.int64(message.metadataOffset);
  }
  if (message.topicCount !== 0) {
    writer.uint32(40);
    writer.uint32(message.topicCount);
  }
  if (message.partitionCount !== 0) {
    writer.uint32(48);
    writer.uint32(message.partitionCount);
  }
  if (message.leaderlessPartitionCount !== 0) {
    writer.uint32(56);
    writer.uint32(message.leaderlessPartitionCount);
  }
  if (message.underReplicatedPartitionCount !== 0) {
    writer.uint32(64);
    writer.uint32(message.underReplicatedPartitionCount);
  }
  if (message.underMinIsrPartitionCount !== 0) {
    writer.uint32(72);
    writer.uint32(message.underMinIsrPartitionCount);
  }
}

function readDescribeClusterResponse(reader: WireReader, end: number): DescribeClusterResponse {
  let clusterId: string = '';
  let controllerId: number = 0;
  const brokers: BrokerNode[] = [];
  let metadataOffset: number = 0;
  let topicCount: number = 0;
  let partitionCount: number = 0;
  let leaderlessPartitionCount: number = 0;
  let underReplicatedPartitionCount: number = 0;
  let underMinIsrPartitionCount: number = 0;
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        clusterId = reader.text();
        break;
      case 16:
        controllerId = reader.sint32();
        break;
      case 26:
        brokers.push(readBrokerNode(reader, reader.nested()));
        break;
      case 32:
        metadataOffset = reader.int64();
        break;
      case 40:
        topicCount = reader.uint32();
        break;
      case 48:
        partitionCount = reader.uint32();
        break;
      case 56:
        leaderlessPartitionCount = reader.uint32();
        break;
      case 64:
        underReplicatedPartitionCount = reader.uint32();
        break;
      case 72:
        underMinIsrPartitionCount = reader.uint32();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { clusterId, controllerId, brokers, metadataOffset, topicCount, partitionCount, leaderlessPartitionCount, underReplicatedPartitionCount, underMinIsrPartitionCount };
}

export const DescribeClusterResponse: Codec<DescribeClusterResponse> = codec('millrace.v1.DescribeClusterResponse', sizeDescribeClusterResponse, writeDescribeClusterResponse, readDescribeClusterResponse);

export interface DescribeQuorumRequest {
  readonly header: RequestHeader;
}

function sizeDescribeQuorumRequest(message: DescribeQuorumRequest): number {
  let size = 0;
  size += 1 + sizePrefixed(sizeRequestHeader(message.header));
  return size;
}

function writeDescribeQuorumRequest(message: DescribeQuorumRequest, writer: WireWriter): void {
  writer.uint32(10);
  writer.uint32(sizeRequestHeader(message.header));
  writeRequestHeader(message.header, writer);
}

function readDescribeQuorumRequest(reader: WireReader, end: number): DescribeQuorumRequest {
  let header: RequestHeader | undefined;
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        header = readRequestHeader(reader, reader.nested());
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { header: header ?? readRequestHeader(reader, reader.position) };
}

export const DescribeQuorumRequest: Codec<DescribeQuorumRequest> = codec('millrace.v1.DescribeQuorumRequest', sizeDescribeQuorumRequest, writeDescribeQuorumRequest, readDescribeQuorumRequest);

export interface DescribeQuorumResponse {
  readonly leaderId: number;
  readonly leaderEpoch: number;
  readonly highWatermark: number;
  readonly voters: readonly QuorumReplica[];
  readonly observers: readonly QuorumReplica[];
}

function sizeDescribeQuorumResponse(message: DescribeQuorumResponse): number {
  let size = 0;
  if (message.leaderId !== 0) size += 1 + sizeSint32(message.leaderId);
  if (message.leaderEpoch !== 0) size += 1 + sizeInt64(message.leaderEpoch);
  if (message.highWatermark !== 0) size += 1 + sizeInt64(message.highWatermark);
  for (const element of message.voters) size += 1 + sizePrefixed(sizeQuorumReplica(element));
  for (const element of message.observers) size += 1 + sizePrefixed(sizeQuorumReplica(element));
  return size;
}

function writeDescribeQuorumResponse(message: DescribeQuorumResponse, writer: WireWriter): void {
  if (message.leaderId !== 0) {
    writer.uint32(8);
    writer.sint32(message.leaderId);
  }
  if (message.leaderEpoch !== 0) {
    writer.uint32(16);
    writer.int64(message.leaderEpoch);
  }
  if (message.highWatermark !== 0) {
    writer.uint32(24);
    writer.int64(message.highWatermark);
  }
  for (const element of message.voters) {
    writer.uint32(34);
    writer.uint32(sizeQuorumReplica(element));
    writeQuorumReplica(element, writer);
  }
  for (const element of message.observers) {
    writer.uint32(42);
    writer.uint32(sizeQuorumReplica(element));
    writeQuorumReplica(element, writer);
  }
}

function readDescribeQuorumResponse(reader: WireReader, end: number): DescribeQuorumResponse {
  let leaderId: number = 0;
  let leaderEpoch: number = 0;
  let highWatermark: number = 0;
  const voters: QuorumReplica[] = [];
  const observers: QuorumReplica[] = [];
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 8:
        leaderId = reader.sint32();
        break;
      case 16:
        leaderEpoch = reader.int64();
        break;
      case 24:
        highWatermark = reader.int64();
        break;
      case 34:
        voters.push(readQuorumReplica(reader, reader.nested()));
        break;
      case 42:
        observers.push(readQuorumReplica(reader, reader.nested()));
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { leaderId, leaderEpoch, highWatermark, voters, observers };
}

export const DescribeQuorumResponse: Codec<DescribeQuorumResponse> = codec('millrace.v1.DescribeQuorumResponse', sizeDescribeQuorumResponse, writeDescribeQuorumResponse, readDescribeQuorumResponse);

export interface QuorumReplica {
  readonly nodeId: number;
  readonly directoryId: string;
  readonly logEndOffset: number;
  /** Ms since the leader last heard from it; -1 if never or unknown. */
  readonly lastContactMs: number;
  readonly lastCaughtUpMs: number;
  /** host:port; empty where it is not known. */
  readonly address: string;
}

function sizeQuorumReplica(message: QuorumReplica): number {
  let size = 0;
  if (message.nodeId !== 0) size += 1 + sizeUint32(message.nodeId);
  if (message.directoryId !== '') size += 1 + sizeText(message.directoryId);
  if (message.logEndOffset !== 0) size += 1 + sizeSint64(message.logEndOffset);
  if (message.lastContactMs !== 0) size += 1 + sizeSint64(message.lastContactMs);
  if (message.lastCaughtUpMs !== 0) size += 1 + sizeSint64(message.lastCaughtUpMs);
  if (message.address !== '') size += 1 + sizeText(message.address);
  return size;
}

function writeQuorumReplica(message: QuorumReplica, writer: WireWriter): void {
  if (message.nodeId !== 0) {
    writer.uint32(8);
    writer.uint32(message.nodeId);
  }
  if (message.directoryId !== '') {
    writer.uint32(18);
    writer.text(message.directoryId);
  }
  if (message.logEndOffset !== 0) {
    writer.uint32(24);
    writer.sint64(message.logEndOffset);
  }
  if (message.lastContactMs !== 0) {
    writer.uint32(32);
    writer.sint64(message.lastContactMs);
  }
  if (message.lastCaughtUpMs !== 0) {
    writer.uint32(40);
    writer.sint64(message.lastCaughtUpMs);
  }
  if (message.address !== '') {
    writer.uint32(50);
    writer.text(message.address);
  }
}

function readQuorumReplica(reader: WireReader, end: number): QuorumReplica {
  let nodeId: number = 0;
  let directoryId: string = '';
  let logEndOffset: number = 0;
  let lastContactMs: number = 0;
  let lastCaughtUpMs: number = 0;
  let address: string = '';
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 8:
        nodeId = reader.uint32();
        break;
      case 18:
        directoryId = reader.text();
        break;
      case 24:
        logEndOffset = reader.sint64();
        break;
      case 32:
        lastContactMs = reader.sint64();
        break;
      case 40:
        lastCaughtUpMs = reader.sint64();
        break;
      case 50:
        address = reader.text();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { nodeId, directoryId, logEndOffset, lastContactMs, lastCaughtUpMs, address };
}

export const QuorumReplica: Codec<QuorumReplica> = codec('millrace.v1.QuorumReplica', sizeQuorumReplica, writeQuorumReplica, readQuorumReplica);

/** Makes a voter of a directory that observes the quorum. */
export interface AddVoterRequest {
  readonly header: RequestHeader;
  readonly nodeId: number;
  /** Empty: the one directory of the node that observes. */
  readonly directoryId: string;
}

function sizeAddVoterRequest(message: AddVoterRequest): number {
  let size = 0;
  size += 1 + sizePrefixed(sizeRequestHeader(message.header));
  if (message.nodeId !== 0) size += 1 + sizeUint32(message.nodeId);
  if (message.directoryId !== '') size += 1 + sizeText(message.directoryId);
  return size;
}

function writeAddVoterRequest(message: AddVoterRequest, writer: WireWriter): void {
  writer.uint32(10);
  writer.uint32(sizeRequestHeader(message.header));
  writeRequestHeader(message.header, writer);
  if (message.nodeId !== 0) {
    writer.uint32(16);
    writer.uint32(message.nodeId);
  }
  if (message.directoryId !== '') {
    writer.uint32(26);
    writer.text(message.directoryId);
  }
}

function readAddVoterRequest(reader: WireReader, end: number): AddVoterRequest {
  let header: RequestHeader | undefined;
  let nodeId: number = 0;
  let directoryId: string = '';
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        header = readRequestHeader(reader, reader.nested());
        break;
      case 16:
        nodeId = reader.uint32();
        break;
      case 26:
        directoryId = reader.text();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { header: header ?? readRequestHeader(reader, reader.position), nodeId, directoryId };
}

export const AddVoterRequest: Codec<AddVoterRequest> = codec('millrace.v1.AddVoterRequest', sizeAddVoterRequest, writeAddVoterRequest, readAddVoterRequest);

export interface AddVoterResponse {
  readonly directoryId: string;
}

function sizeAddVoterResponse(message: AddVoterResponse): number {
  let size = 0;
  if (message.directoryId !== '') size += 1 + sizeText(message.directoryId);
  return size;
}

function writeAddVoterResponse(message: AddVoterResponse, writer: WireWriter): void {
  if (message.directoryId !== '') {
    writer.uint32(10);
    writer.text(message.directoryId);
  }
}

function readAddVoterResponse(reader: WireReader, end: number): AddVoterResponse {
  let directoryId: string = '';
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        directoryId = reader.text();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { directoryId };
}

export const AddVoterResponse: Codec<AddVoterResponse> = codec('millrace.v1.AddVoterResponse', sizeAddVoterResponse, writeAddVoterResponse, readAddVoterResponse);

export interface RemoveVoterRequest {
  readonly header: RequestHeader;
  readonly nodeId: number;
  /** Empty: the one directory of the node that votes. */
  readonly directoryId: string;
}

function sizeRemoveVoterRequest(message: RemoveVoterRequest): number {
  let size = 0;
  size += 1 + sizePrefixed(sizeRequestHeader(message.header));
  if (message.nodeId !== 0) size += 1 + sizeUint32(message.nodeId);
  if (message.directoryId !== '') size += 1 + sizeText(message.directoryId);
  return size;
}

function writeRemoveVoterRequest(message: RemoveVoterRequest, writer: WireWriter): void {
  writer.uint32(10);
  writer.uint32(sizeRequestHeader(message.header));
  writeRequestHeader(message.header, writer);
  if (message.nodeId !== 0) {
    writer.uint32(16);
    writer.uint32(message.nodeId);
  }
  if (message.directoryId !== '') {
    writer.uint32(26);
    writer.text(message.directoryId);
  }
}

function readRemoveVoterRequest(reader: WireReader, end: number): RemoveVoterRequest {
  let header: RequestHeader | undefined;
  let nodeId: number = 0;
  let directoryId: string = '';
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        header = readRequestHeader(reader, reader.nested());
        break;
      case 16:
        nodeId = reader.uint32();
        break;
      case 26:
        directoryId = reader.text();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { header: header ?? readRequestHeader(reader, reader.position), nodeId, directoryId };
}

export const RemoveVoterRequest: Codec<RemoveVoterRequest> = codec('millrace.v1.RemoveVoterRequest', sizeRemoveVoterRequest, writeRemoveVoterRequest, readRemoveVoterRequest);

export interface RemoveVoterResponse {
  readonly directoryId: string;
}

function sizeRemoveVoterResponse(message: RemoveVoterResponse): number {
  let size = 0;
  if (message.directoryId !== '') size += 1 + sizeText(message.directoryId);
  return size;
}

function writeRemoveVoterResponse(message: RemoveVoterResponse, writer: WireWriter): void {
  if (message.directoryId !== '') {
    writer.uint32(10);
    writer.text(message.directoryId);
  }
}

function readRemoveVoterResponse(reader: WireReader, end: number): RemoveVoterResponse {
  let directoryId: string = '';
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        directoryId = reader.text();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { directoryId };
}

export const RemoveVoterResponse: Codec<RemoveVoterResponse> = codec('millrace.v1.RemoveVoterResponse', sizeRemoveVoterResponse, writeRemoveVoterResponse, readRemoveVoterResponse);

/** First field of every request. */
export interface RequestHeader {
  /** Echoed in the answer. On a stream, unique among the requests in flight. */
  readonly correlationId: number;
  /** Time left for the request, in ms, from the moment it is sent; 0 means the server's own limit. */
  readonly timeoutMs: number;
  /** Names the program in logs and metrics. */
  readonly clientId: string;
  /** When set, a server of another cluster refuses the request (INCONSISTENT_CLUSTER_ID). */
  readonly clusterId: string;
  /** When set, a controller of another quorum of the same cluster refuses the request (NOT_CONTROLLER). */
  readonly quorumId: string;
}

function sizeRequestHeader(message: RequestHeader): number {
  let size = 0;
  if (message.correlationId !== 0) size += 1 + sizeUint64(message.correlationId);
  if (message.timeoutMs !== 0) size += 1 + sizeUint32(message.timeoutMs);
  if (message.clientId !== '') size += 1 + sizeText(message.clientId);
  if (message.clusterId !== '') size += 1 + sizeText(message.clusterId);
  if (message.quorumId !== '') size += 1 + sizeText(message.quorumId);
  return size;
}

function writeRequestHeader(message: RequestHeader, writer: WireWriter): void {
  if (message.correlationId !== 0) {
    writer.uint32(8);
    writer.uint64(message.correlationId);
  }
  if (message.timeoutMs !== 0) {
    writer.uint32(16);
    writer.uint32(message.timeoutMs);
  }
  if (message.clientId !== '') {
    writer.uint32(26);
    writer.text(message.clientId);
  }
  if (message.clusterId !== '') {
    writer.uint32(34);
    writer.text(message.clusterId);
  }
  if (message.quorumId !== '') {
    writer.uint32(42);
    writer.text(message.quorumId);
  }
}

function readRequestHeader(reader: WireReader, end: number): RequestHeader {
  let correlationId: number = 0;
  let timeoutMs: number = 0;
  let clientId: string = '';
  let clusterId: string = '';
  let quorumId: string = '';
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 8:
        correlationId = reader.uint64();
        break;
      case 16:
        timeoutMs = reader.uint32();
        break;
      case 26:
        clientId = reader.text();
        break;
      case 34:
        clusterId = reader.text();
        break;
      case 42:
        quorumId = reader.text();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { correlationId, timeoutMs, clientId, clusterId, quorumId };
}

export const RequestHeader: Codec<RequestHeader> = codec('millrace.v1.RequestHeader', sizeRequestHeader, writeRequestHeader, readRequestHeader);

/** Absent means success. `code` is the wire number of the closed error list in packages/core/src/errors.ts. */
export interface Failure {
  readonly code: number;
  readonly message: string;
}

function sizeFailure(message: Failure): number {
  let size = 0;
  if (message.code !== 0) size += 1 + sizeInt32(message.code);
  if (message.message !== '') size += 1 + sizeText(message.message);
  return size;
}

function writeFailure(message: Failure, writer: WireWriter): void {
  if (message.code !== 0) {
    writer.uint32(8);
    writer.int32(message.code);
  }
  if (message.message !== '') {
    writer.uint32(18);
    writer.text(message.message);
  }
}

function readFailure(reader: WireReader, end: number): Failure {
  let code: number = 0;
  let message: string = '';
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 8:
        code = reader.int32();
        break;
      case 18:
        message = reader.text();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { code, message };
}

export const Failure: Codec<Failure> = codec('millrace.v1.Failure', sizeFailure, writeFailure, readFailure);

export interface Endpoint {
  /** Listener name, as in `listeners`. */
  readonly listener: string;
  readonly host: string;
  readonly port: number;
}

function sizeEndpoint(message: Endpoint): number {
  let size = 0;
  if (message.listener !== '') size += 1 + sizeText(message.listener);
  if (message.host !== '') size += 1 + sizeText(message.host);
  if (message.port !== 0) size += 1 + sizeUint32(message.port);
  return size;
}

function writeEndpoint(message: Endpoint, writer: WireWriter): void {
  if (message.listener !== '') {
    writer.uint32(10);
    writer.text(message.listener);
  }
  if (message.host !== '') {
    writer.uint32(18);
    writer.text(message.host);
  }
  if (message.port !== 0) {
    writer.uint32(24);
    writer.uint32(message.port);
  }
}

function readEndpoint(reader: WireReader, end: number): Endpoint {
  let listener: string = '';
  let host: string = '';
  let port: number = 0;
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        listener = reader.text();
        break;
      case 18:
        host = reader.text();
        break;
      case 24:
        port = reader.uint32();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { listener, host, port };
}

export const Endpoint: Codec<Endpoint> = codec('millrace.v1.Endpoint', sizeEndpoint, writeEndpoint, readEndpoint);

export interface TopicPartitionName {
  readonly topic: string;
  readonly partition: number;
}

function sizeTopicPartitionName(message: TopicPartitionName): number {
  let size = 0;
  if (message.topic !== '') size += 1 + sizeText(message.topic);
  if (message.partition !== 0) size += 1 + sizeUint32(message.partition);
  return size;
}

function writeTopicPartitionName(message: TopicPartitionName, writer: WireWriter): void {
  if (message.topic !== '') {
    writer.uint32(10);
    writer.text(message.topic);
  }
  if (message.partition !== 0) {
    writer.uint32(16);
    writer.uint32(message.partition);
  }
}

function readTopicPartitionName(reader: WireReader, end: number): TopicPartitionName {
  let topic: string = '';
  let partition: number = 0;
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        topic = reader.text();
        break;
      case 16:
        partition = reader.uint32();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { topic, partition };
}

export const TopicPartitionName: Codec<TopicPartitionName> = codec('millrace.v1.TopicPartitionName', sizeTopicPartitionName, writeTopicPartitionName, readTopicPartitionName);

export interface ProduceRequest {
  readonly header: RequestHeader;
  /** 0, 1, or -1 for all in-sync replicas. */
  readonly acks: number;
  readonly partitions: readonly PartitionProduce[];
}

function sizeProduceRequest(message: ProduceRequest): number {
  let size = 0;
  size += 1 + sizePrefixed(sizeRequestHeader(message.header));
  if (message.acks !== 0) size += 1 + sizeSint32(message.acks);
  for (const element of message.partitions) size += 1 + sizePrefixed(sizePartitionProduce(element));
  return size;
}

function writeProduceRequest(message: ProduceRequest, writer: WireWriter): void {
  writer.uint32(10);
  writer.uint32(sizeRequestHeader(message.header));
  writeRequestHeader(message.header, writer);
  if (message.acks !== 0) {
    writer.uint32(16);
    writer.sint32(message.acks);
  }
  for (const element of message.partitions) {
    writer.uint32(26);
    writer.uint32(sizePartitionProduce(element));
    writePartitionProduce(element, writer);
  }
}

function readProduceRequest(reader: WireReader, end: number): ProduceRequest {
  let header: RequestHeader | undefined;
  let acks: number = 0;
  const partitions: PartitionProduce[] = [];
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        header = readRequestHeader(reader, reader.nested());
        break;
      case 16:
        acks = reader.sint32();
        break;
      case 26:
        partitions.push(readPartitionProduce(reader, reader.nested()));
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { header: header ?? readRequestHeader(reader, reader.position), acks, partitions };
}

export const ProduceRequest: Codec<ProduceRequest> = codec('millrace.v1.ProduceRequest', sizeProduceRequest, writeProduceRequest, readProduceRequest);

export interface PartitionProduce {
  readonly topicId: string;
  readonly partition: number;
  /** The epoch of the leader that the producer believes it writes to; -1 skips the check. */
  readonly leaderEpoch: number;
  /** One record batch. Last and largest: encoders may write it without an intermediate copy. */
  readonly records: Buffer;
}

function sizePartitionProduce(message: PartitionProduce): number {
  let size = 0;
  if (message.topicId !== '') size += 1 + sizeText(message.topicId);
  if (message.partition !== 0) size += 1 + sizeUint32(message.partition);
  if (message.leaderEpoch !== 0) size += 1 + sizeSint32(message.leaderEpoch);
  if (message.records.length > 0) size += 1 + sizeBytes(message.records);
  return size;
}

function writePartitionProduce(message: PartitionProduce, writer: WireWriter): void {
  if (message.topicId !== '') {
    writer.uint32(10);
    writer.text(message.topicId);
  }
  if (message.partition !== 0) {
    writer.uint32(16);
    writer.uint32(message.partition);
  }
  if (message.leaderEpoch !== 0) {
    writer.uint32(24);
    writer.sint32(message.leaderEpoch);
  }
  if (message.records.length > 0) {
    writer.uint32(122);
    writer.payload(message.records);
  }
}

function readPartitionProduce(reader: WireReader, end: number): PartitionProduce {
  let topicId: string = '';
  let partition: number = 0;
  let leaderEpoch: number = 0;
  let records: Buffer = NO_BYTES;
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        topicId = reader.text();
        break;
      case 16:
        partition = reader.uint32();
        break;
      case 24:
        leaderEpoch = reader.sint32();
        break;
      case 122:
        records = reader.payload();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { topicId, partition, leaderEpoch, records };
}

export const PartitionProduce: Codec<PartitionProduce> = codec('millrace.v1.PartitionProduce', sizePartitionProduce, writePartitionProduce, readPartitionProduce);

export interface ProduceResponse {
  readonly correlationId: number;
  readonly partitions: readonly PartitionProduced[];
  /** Set when the request as a whole was refused; `partitions` is empty then. */
  readonly failure?: Failure | undefined;
}

function sizeProduceResponse(message: ProduceResponse): number {
  let size = 0;
  if (message.correlationId !== 0) size += 1 + sizeUint64(message.correlationId);
  for (const element of message.partitions) size += 1 + sizePrefixed(sizePartitionProduced(element));
  if (message.failure !== undefined) size += 1 + sizePrefixed(sizeFailure(message.failure));
  return size;
}

function writeProduceResponse(message: ProduceResponse, writer: WireWriter): void {
  if (message.correlationId !== 0) {
    writer.uint32(8);
    writer.uint64(message.correlationId);
  }
  for (const element of message.partitions) {
    writer.uint32(18);
    writer.uint32(sizePartitionProduced(element));
    writePartitionProduced(element, writer);
  }
  if (message.failure !== undefined) {
    writer.uint32(26);
    writer.uint32(sizeFailure(message.failure));
    writeFailure(message.failure, writer);
  }
}

function readProduceResponse(reader: WireReader, end: number): ProduceResponse {
  let correlationId: number = 0;
  const partitions: PartitionProduced[] = [];
  let failure: Failure | undefined;
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 8:
        correlationId = reader.uint64();
        break;
      case 18:
        partitions.push(readPartitionProduced(reader, reader.nested()));
        break;
      case 26:
        failure = readFailure(reader, reader.nested());
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { correlationId, partitions, failure };
}

export const ProduceResponse: Codec<ProduceResponse> = codec('millrace.v1.ProduceResponse', sizeProduceResponse, writeProduceResponse, readProduceResponse);

export interface PartitionProduced {
  readonly topicId: string;
  readonly partition: number;
  readonly failure?: Failure | undefined;
  /** Offset of the batch's first record; a duplicate gets the original's. */
  readonly baseOffset: number;
  /** Broker time if the topic stamps records on append, else -1. */
  readonly logAppendTimeMs: number;
  readonly logStartOffset: number;
  /** Filled with NOT_LEADER_OR_FOLLOWER and FENCED_LEADER_EPOCH so that the producer need not ask again. */
  readonly currentLeaderId: number;
  readonly currentLeaderEpoch: number;
}

function sizePartitionProduced(message: PartitionProduced): number {
  let size = 0;
  if (message.topicId !== '') size += 1 + sizeText(message.topicId);
  if (message.partition !== 0) size += 1 + sizeUint32(message.partition);
  if (message.failure !== undefined) size += 1 + sizePrefixed(sizeFailure(message.failure));
  if (message.baseOffset !== 0) size += 1 + sizeInt64(message.baseOffset);
  if (message.logAppendTimeMs !== 0) size += 1 + sizeSint64(message.logAppendTimeMs);
  if (message.logStartOffset !== 0) size += 1 + sizeInt64(message.logStartOffset);
  if (message.currentLeaderId !== 0) size += 1 + sizeSint32(message.currentLeaderId);
  if (message.currentLeaderEpoch !== 0) size += 1 + sizeSint32(message.currentLeaderEpoch);
  return size;
}

function writePartitionProduced(message: PartitionProduced, writer: WireWriter): void {
  if (message.topicId !== '') {
    writer.uint32(10);
    writer.text(message.topicId);
  }
  if (message.partition !== 0) {
    writer.uint32(16);
    writer.uint32(message.partition);
  }
  if (message.failure !== undefined) {
    writer.uint32(26);
    writer.uint32(sizeFailure(message.failure));
    writeFailure(message.failure, writer);
  }
  if (message.baseOffset !== 0) {
    writer.uint32(32);
    writer.int64(message.baseOffset);
  }
  if (message.logAppendTimeMs !== 0) {
    writer.uint32(40);
    writer.sint64(message.logAppendTimeMs);
  }
  if (message.logStartOffset !== 0) {
    writer.uint32(48);
    writer.int64(message.logStartOffset);
  }
  if (message.currentLeaderId !== 0) {
    writer.uint32(56);
    writer.sint32(message.currentLeaderId);
  }
  if (message.currentLeaderEpoch !== 0) {
    writer.uint32(64);
    writer.sint32(message.currentLeaderEpoch);
  }
}

function readPartitionProduced(reader: WireReader, end: number): PartitionProduced {
  let topicId: string = '';
  let partition: number = 0;
  let failure: Failure | undefined;
  let baseOffset: number = 0;
  let logAppendTimeMs: number = 0;
  let logStartOffset: number = 0;
  let currentLeaderId: number = 0;
  let currentLeaderEpoch: number = 0;
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        topicId = reader.text();
        break;
      case 16:
        partition = reader.uint32();
        break;
      case 26:
        failure = readFailure(reader, reader.nested());
        break;
      case 32:
        baseOffset = reader.int64();
        break;
      case 40:
        logAppendTimeMs = reader.sint64();
        break;
      case 48:
        logStartOffset = reader.int64();
        break;
      case 56:
        currentLeaderId = reader.sint32();
        break;
      case 64:
        currentLeaderEpoch = reader.sint32();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { topicId, partition, failure, baseOffset, logAppendTimeMs, logStartOffset, currentLeaderId, currentLeaderEpoch };
}

export const PartitionProduced: Codec<PartitionProduced> = codec('millrace.v1.PartitionProduced', sizePartitionProduced, writePartitionProduced, readPartitionProduced);

export interface FetchRequest {
  readonly header: RequestHeader;
  /** How long to wait for min_bytes. */
  readonly maxWaitMs: number;
  readonly minBytes: number;
  /** Soft limit for the whole answer: the first batch is returned even if it alone is larger. */
  readonly maxBytes: number;
  readonly partitions: readonly PartitionFetch[];
}

function sizeFetchRequest(message: FetchRequest): number {
  let size = 0;
  size += 1 + sizePrefixed(sizeRequestHeader(message.header));
  if (message.maxWaitMs !== 0) size += 1 + sizeUint32(message.maxWaitMs);
  if (message.minBytes !== 0) size += 1 + sizeUint32(message.minBytes);
  if (message.maxBytes !== 0) size += 1 + sizeUint32(message.maxBytes);
  for (const element of message.partitions) size += 1 + sizePrefixed(sizePartitionFetch(element));
  return size;
}

function writeFetchRequest(message: FetchRequest, writer: WireWriter): void {
  writer.uint32(10);
  writer.uint32(sizeRequestHeader(message.header));
  writeRequestHeader(message.header, writer);
  if (message.maxWaitMs !== 0) {
    writer.uint32(16);
    writer.uint32(message.maxWaitMs);
  }
  if (message.minBytes !== 0) {
    writer.uint32(24);
    writer.uint32(message.minBytes);
  }
  if (message.maxBytes !== 0) {
    writer.uint32(32);
    writer.uint32(message.maxBytes);
  }
  for (const element of message.partitions) {
    writer.uint32(42);
    writer.uint32(sizePartitionFetch(element));
    writePartitionFetch(element, writer);
  }
}

function readFetchRequest(reader: WireReader, end: number): FetchRequest {
  let header: RequestHeader | undefined;
  let maxWaitMs: number = 0;
  let minBytes: number = 0;
  let maxBytes: number = 0;
  const partitions: PartitionFetch[] = [];
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        header = readRequestHeader(reader, reader.nested());
        break;
      case 16:
        maxWaitMs = reader.uint32();
        break;
      case 24:
        minBytes = reader.uint32();
        break;
      case 32:
        maxBytes = reader.uint32();
        break;
      case 42:
        partitions.push(readPartitionFetch(reader, reader.nested()));
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { header: header ?? readRequestHeader(reader, reader.position), maxWaitMs, minBytes, maxBytes, partitions };
}

export const FetchRequest: Codec<FetchRequest> = codec('millrace.v1.FetchRequest', sizeFetchRequest, writeFetchRequest, readFetchRequest);

export interface PartitionFetch {
  readonly topicId: string;
  readonly partition: number;
  readonly leaderEpoch: number;
  readonly fetchOffset: number;
  readonly partitionMaxBytes: number;
  /** Epoch of the last record consumed, or -1: lets the leader notice that the log was truncated beneath the reader. */
  readonly lastFetchedEpoch: number;
}

function sizePartitionFetch(message: PartitionFetch): number {
  let size = 0;
  if (message.topicId !== '') size += 1 + sizeText(message.topicId);
  if (message.partition !== 0) size += 1 + sizeUint32(message.partition);
  if (message.leaderEpoch !== 0) size += 1 + sizeSint32(message.leaderEpoch);
  if (message.fetchOffset !== 0) size += 1 + sizeInt64(message.fetchOffset);
  if (message.partitionMaxBytes !== 0) size += 1 + sizeUint32(message.partitionMaxBytes);
  if (message.lastFetchedEpoch !== 0) size += 1 + sizeSint32(message.lastFetchedEpoch);
  return size;
}

function writePartitionFetch(message: PartitionFetch, writer: WireWriter): void {
  if (message.topicId !== '') {
    writer.uint32(10);
    writer.text(message.topicId);
  }
  if (message.partition !== 0) {
    writer.uint32(16);
    writer.uint32(message.partition);
  }
  if (message.leaderEpoch !== 0) {
    writer.uint32(24);
    writer.sint32(message.leaderEpoch);
  }
  if (message.fetchOffset !== 0) {
    writer.uint32(32);
    writer.int64(message.fetchOffset);
  }
  if (message.partitionMaxBytes !== 0) {
    writer.uint32(40);
    writer.uint32(message.partitionMaxBytes);
  }
  if (message.lastFetchedEpoch !== 0) {
    writer.uint32(48);
    writer.sint32(message.lastFetchedEpoch);
  }
}

function readPartitionFetch(reader: WireReader, end: number): PartitionFetch {
  let topicId: string = '';
  let partition: number = 0;
  let leaderEpoch: number = 0;
  let fetchOffset: number = 0;
  let partitionMaxBytes: number = 0;
  let lastFetchedEpoch: number = 0;
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        topicId = reader.text();
        break;
      case 16:
        partition = reader.uint32();
        break;
      case 24:
        leaderEpoch = reader.sint32();
        break;
      case 32:
        fetchOffset = reader.int64();
        break;
      case 40:
        partitionMaxBytes = reader.uint32();
        break;
      case 48:
        lastFetchedEpoch = reader.sint32();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { topicId, partition, leaderEpoch, fetchOffset, partitionMaxBytes, lastFetchedEpoch };
}

export const PartitionFetch: Codec<PartitionFetch> = codec('millrace.v1.PartitionFetch', sizePartitionFetch, writePartitionFetch, readPartitionFetch);

export interface FetchResponse {
  readonly correlationId: number;
  readonly failure?: Failure | undefined;
  /** Only partitions with records or a failure. */
  readonly partitions: readonly PartitionFetched[];
}

function sizeFetchResponse(message: FetchResponse): number {
  let size = 0;
  if (message.correlationId !== 0) size += 1 + sizeUint64(message.correlationId);
  if (message.failure !== undefined) size += 1 + sizePrefixed(sizeFailure(message.failure));
  for (const element of message.partitions) size += 1 + sizePrefixed(sizePartitionFetched(element));
  return size;
}

function writeFetchResponse(message: FetchResponse, writer: WireWriter): void {
  if (message.correlationId !== 0) {
    writer.uint32(8);
    writer.uint64(message.correlationId);
  }
  if (message.failure !== undefined) {
    writer.uint32(18);
    writer.uint32(sizeFailure(message.failure));
    writeFailure(message.failure, writer);
  }
  for (const element of message.partitions) {
    writer.uint32(26);
    writer.uint32(sizePartitionFetched(element));
    writePartitionFetched(element, writer);
  }
}

function readFetchResponse(reader: WireReader, end: number): FetchResponse {
  let correlationId: number = 0;
  let failure: Failure | undefined;
  const partitions: PartitionFetched[] = [];
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 8:
        correlationId = reader.uint64();
        break;
      case 18:
        failure = readFailure(reader, reader.nested());
        break;
      case 26:
        partitions.push(readPartitionFetched(reader, reader.nested()));
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { correlationId, failure, partitions };
}

export const FetchResponse: Codec<FetchResponse> = codec('millrace.v1.FetchResponse', sizeFetchResponse, writeFetchResponse, readFetchResponse);

export interface PartitionFetched {
  readonly topicId: string;
  readonly partition: number;
  readonly failure?: Failure | undefined;
  readonly highWatermark: number;
  readonly lastStableOffset: number;
  readonly logStartOffset: number;
  /** The log diverged below fetch_offset: the reader's epoch ends at diverging_end_offset. -1 if it did not. */
  readonly divergingEpoch: number;
  readonly divergingEndOffset: number;
  readonly currentLeaderId: number;
  readonly currentLeaderEpoch: number;
  /** Whole batches, back to back; the first may begin before fetch_offset. */
  readonly records: Buffer;
}

function sizePartitionFetched(message: PartitionFetched): number {
  let size = 0;
  if (message.topicId !== '') size += 1 + sizeText(message.topicId);
  if (message.partition !== 0) size += 1 + sizeUint32(message.partition);
  if (message.failure !== undefined) size += 1 + sizePrefixed(sizeFailure(message.failure));
  if (message.highWatermark !== 0) size += 1 + sizeInt64(message.highWatermark);
  if (message.lastStableOffset !== 0) size += 1 + sizeInt64(message.lastStableOffset);
  if (message.logStartOffset !== 0) size += 1 + sizeInt64(message.logStartOffset);
  if (message.divergingEpoch !== 0) size += 1 + sizeSint32(message.divergingEpoch);
  if (message.divergingEndOffset !== 0) size += 1 + sizeSint64(message.divergingEndOffset);
  if (message.currentLeaderId !== 0) size += 1 + sizeSint32(message.currentLeaderId);
  if (message.currentLeaderEpoch !== 0) size += 1 + sizeSint32(message.currentLeaderEpoch);
  if (message.records.length > 0) size += 1 + sizeBytes(message.records);
  return size;
}

function writePartitionFetched(message: PartitionFetched, writer: WireWriter): void {
  if (message.topicId !== '') {
    writer.uint32(10);
    writer.text(message.topicId);
  }
  if (message.partition !== 0) {
    writer.uint32(16);
    writer.uint32(message.partition);
  }
  if (message.failure !== undefined) {
    writer.uint32(26);
    writer.uint32(sizeFailure(message.failure));
    writeFailure(message.failure, writer);
  }
  if (message.highWatermark !== 0) {
    writer.uint32(32);
    writer.int64(message.highWatermark);
  }
  if (message.lastStableOffset !== 0) {
    writer.uint32(40);
    writer.int64(message.lastStableOffset);
  }
  if (message.logStartOffset !== 0) {
    writer.uint32(48);
    writer.int64(message.logStartOffset);
  }
  if (message.divergingEpoch !== 0) {
    writer.uint32(56);
    writer.sint32(message.divergingEpoch);
  }
  if (message.divergingEndOffset !== 0) {
    writer.uint32(64);
    writer.sint64(message.divergingEndOffset);
  }
  if (message.currentLeaderId !== 0) {
    writer.uint32(72);
    writer.sint32(message.currentLeaderId);
  }
  if (message.currentLeaderEpoch !== 0) {
    writer.uint32(80);
    writer.sint32(message.currentLeaderEpoch);
  }
  if (message.records.length > 0) {
    writer.uint32(122);
    writer.payload(message.records);
  }
}

function readPartitionFetched(reader: WireReader, end: number): PartitionFetched {
  let topicId: string = '';
  let partition: number = 0;
  let failure: Failure | undefined;
  let highWatermark: number = 0;
  let lastStableOffset: number = 0;
  let logStartOffset: number = 0;
  let divergingEpoch: number = 0;
  let divergingEndOffset: number = 0;
  let currentLeaderId: number = 0;
  let currentLeaderEpoch: number = 0;
  let records: Buffer = NO_BYTES;
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        topicId = reader.text();
        break;
      case 16:
        partition = reader.uint32();
        break;
      case 26:
        failure = readFailure(reader, reader.nested());
        break;
      case 32:
        highWatermark = reader.int64();
        break;
      case 40:
        lastStableOffset = reader.int64();
        break;
      case 48:
        logStartOffset = reader.int64();
        break;
      case 56:
        divergingEpoch = reader.sint32();
        break;
      case 64:
        divergingEndOffset = reader.sint64();
        break;
      case 72:
        currentLeaderId = reader.sint32();
        break;
      case 80:
        currentLeaderEpoch = reader.sint32();
        break;
      case 122:
        records = reader.payload();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { topicId, partition, failure, highWatermark, lastStableOffset, logStartOffset, divergingEpoch, divergingEndOffset, currentLeaderId, currentLeaderEpoch, records };
}

export const PartitionFetched: Codec<PartitionFetched> = codec('millrace.v1.PartitionFetched', sizePartitionFetched, writePartitionFetched, readPartitionFetched);

export interface DescribeTopicsRequest {
  readonly header: RequestHeader;
  /** Both empty: every topic. */
  readonly names: readonly string[];
  readonly topicIds: readonly string[];
  /** Create missing topics if auto.create.topics.enable allows it. */
  readonly allowAutoCreate: boolean;
}

function sizeDescribeTopicsRequest(message: DescribeTopicsRequest): number {
  let size = 0;
  size += 1 + sizePrefixed(sizeRequestHeader(message.header));
  for (const element of message.names) size += 1 + sizeText(element);
  for (const element of message.topicIds) size += 1 + sizeText(element);
  if (message.allowAutoCreate) size += 1 + sizeBool(message.allowAutoCreate);
  return size;
}

function writeDescribeTopicsRequest(message: DescribeTopicsRequest, writer: WireWriter): void {
  writer.uint32(10);
  writer.uint32(sizeRequestHeader(message.header));
  writeRequestHeader(message.header, writer);
  for (const element of message.names) {
    writer.uint32(18);
    writer.text(element);
  }
  for (const element of message.topicIds) {
    writer.uint32(26);
    writer.text(element);
  }
  if (message.allowAutoCreate) {
    writer.uint32(32);
    writer.bool(message.allowAutoCreate);
  }
}

function readDescribeTopicsRequest(reader: WireReader, end: number): DescribeTopicsRequest {
  let header: RequestHeader | undefined;
  const names: string[] = [];
  const topicIds: string[] = [];
  let allowAutoCreate: boolean = false;
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        header = readRequestHeader(reader, reader.nested());
        break;
      case 18:
        names.push(reader.text());
        break;
      case 26:
        topicIds.push(reader.text());
        break;
      case 32:
        allowAutoCreate = reader.bool();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { header: header ?? readRequestHeader(reader, reader.position), names, topicIds, allowAutoCreate };
}

export const DescribeTopicsRequest: Codec<DescribeTopicsRequest> = codec('millrace.v1.DescribeTopicsRequest', sizeDescribeTopicsRequest, writeDescribeTopicsRequest, readDescribeTopicsRequest);

export interface DescribeTopicsResponse {
  readonly clusterId: string;
  /** -1 while there is none. */
  readonly controllerId: number;
  readonly brokers: readonly BrokerNode[];
  readonly topics: readonly TopicDescription[];
}

function sizeDescribeTopicsResponse(message: DescribeTopicsResponse): number {
  let size = 0;
  if (message.clusterId !== '') size += 1 + sizeText(message.clusterId);
  if (message.controllerId !== 0) size += 1 + sizeSint32(message.controllerId);
  for (const element of message.brokers) size += 1 + sizePrefixed(sizeBrokerNode(element));
  for (const element of message.topics) size += 1 + sizePrefixed(sizeTopicDescription(element));
  return size;
}

function writeDescribeTopicsResponse(message: DescribeTopicsResponse, writer: WireWriter): void {
  if (message.clusterId !== '') {
    writer.uint32(10);
    writer.text(message.clusterId);
  }
  if (message.controllerId !== 0) {
    writer.uint32(16);
    writer.sint32(message.controllerId);
  }
  for (const element of message.brokers) {
    writer.uint32(26);
    writer.uint32(sizeBrokerNode(element));
    writeBrokerNode(element, writer);
  }
  for (const element of message.topics) {
    writer.uint32(34);
    writer.uint32(sizeTopicDescription(element));
    writeTopicDescription(element, writer);
  }
}

function readDescribeTopicsResponse(reader: WireReader, end: number): DescribeTopicsResponse {
  let clusterId: string = '';
  let controllerId: number = 0;
  const brokers: BrokerNode[] = [];
  const topics: TopicDescription[] = [];
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        clusterId = reader.text();
        break;
      case 16:
        controllerId = reader.sint32();
        break;
      case 26:
        brokers.push(readBrokerNode(reader, reader.nested()));
        break;
      case 34:
        topics.push(readTopicDescription(reader, reader.nested()));
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { clusterId, controllerId, brokers, topics };
}

export const DescribeTopicsResponse: Codec<DescribeTopicsResponse> = codec('millrace.v1.DescribeTopicsResponse', sizeDescribeTopicsResponse, writeDescribeTopicsResponse, readDescribeTopicsResponse);

export interface BrokerNode {
  readonly id: number;
  /** The address for the listener that the request came in on. */
  readonly host: string;
  readonly port: number;
  readonly rack: string;
  readonly fenced: boolean;
  readonly inControlledShutdown: boolean;
  readonly brokerEpoch: number;
}

function sizeBrokerNode(message: BrokerNode): number {
  let size = 0;
  if (message.id !== 0) size += 1 + sizeUint32(message.id);
  if (message.host !== '') size += 1 + sizeText(message.host);
  if (message.port !== 0) size += 1 + sizeUint32(message.port);
  if (message.rack !== '') size += 1 + sizeText(message.rack);
  if (message.fenced) size += 1 + sizeBool(message.fenced);
  if (message.inControlledShutdown) size += 1 + sizeBool(message.inControlledShutdown);
  if (message.brokerEpoch !== 0) size += 1 + sizeInt64(message.brokerEpoch);
  return size;
}

function writeBrokerNode(message: BrokerNode, writer: WireWriter): void {
  if (message.id !== 0) {
    writer.uint32(8);
    writer.uint32(message.id);
  }
  if (message.host !== '') {
    writer.uint32(18);
    writer.text(message.host);
  }
  if (message.port !== 0) {
    writer.uint32(24);
    writer.uint32(message.port);
  }
  if (message.rack !== '') {
    writer.uint32(34);
    writer.text(message.rack);
  }
  if (message.fenced) {
    writer.uint32(40);
    writer.bool(message.fenced);
  }
  if (message.inControlledShutdown) {
    writer.uint32(48);
    writer.bool(message.inControlledShutdown);
  }
  if (message.brokerEpoch !== 0) {
    writer.uint32(56);
    writer.int64(message.brokerEpoch);
  }
}

function readBrokerNode(reader: WireReader, end: number): BrokerNode {
  let id: number = 0;
  let host: string = '';
  let port: number = 0;
  let rack: string = '';
  let fenced: boolean = false;
  let inControlledShutdown: boolean = false;
  let brokerEpoch: number = 0;
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 8:
        id = reader.uint32();
        break;
      case 18:
        host = reader.text();
        break;
      case 24:
        port = reader.uint32();
        break;
      case 34:
        rack = reader.text();
        break;
      case 40:
        fenced = reader.bool();
        break;
      case 48:
        inControlledShutdown = reader.bool();
        break;
      case 56:
        brokerEpoch = reader.int64();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { id, host, port, rack, fenced, inControlledShutdown, brokerEpoch };
}

export const BrokerNode: Codec<BrokerNode> = codec('millrace.v1.BrokerNode', sizeBrokerNode, writeBrokerNode, readBrokerNode);

export interface TopicDescription {
  readonly topicId: string;
  readonly name: string;
  readonly failure?: Failure | undefined;
  readonly internal: boolean;
  readonly partitions: readonly PartitionDescription[];
}

function sizeTopicDescription(message: TopicDescription): number {
  let size = 0;
  if (message.topicId !== '') size += 1 + sizeText(message.topicId);
  if (message.name !== '') size += 1 + sizeText(message.name);
  if (message.failure !== undefined) size += 1 + sizePrefixed(sizeFailure(message.failure));
  if (message.internal) size += 1 + sizeBool(message.internal);
  for (const element of message.partitions) size += 1 + sizePrefixed(sizePartitionDescription(element));
  return size;
}

function writeTopicDescription(message: TopicDescription, writer: WireWriter): void {
  if (message.topicId !== '') {
    writer.uint32(10);
    writer.text(message.topicId);
  }
  if (message.name !== '') {
    writer.uint32(18);
    writer.text(message.name);
  }
  if (message.failure !== undefined) {
    writer.uint32(26);
    writer.uint32(sizeFailure(message.failure));
    writeFailure(message.failure, writer);
  }
  if (message.internal) {
    writer.uint32(32);
    writer.bool(message.internal);
  }
  for (const element of message.partitions) {
    writer.uint32(42);
    writer.uint32(sizePartitionDescription(element));
    writePartitionDescription(element, writer);
  }
}

function readTopicDescription(reader: WireReader, end: number): TopicDescription {
  let topicId: string = '';
  let name: string = '';
  let failure: Failure | undefined;
  let internal: boolean = false;
  const partitions: PartitionDescription[] = [];
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        topicId = reader.text();
        break;
      case 18:
        name = reader.text();
        break;
      case 26:
        failure = readFailure(reader, reader.nested());
        break;
      case 32:
        internal = reader.bool();
        break;
      case 42:
        partitions.push(readPartitionDescription(reader, reader.nested()));
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { topicId, name, failure, internal, partitions };
}

export const TopicDescription: Codec<TopicDescription> = codec('millrace.v1.TopicDescription', sizeTopicDescription, writeTopicDescription, readTopicDescription);

export interface PartitionDescription {
  readonly partition: number;
  /** -1 while there is none. */
  readonly leaderId: number;
  readonly leaderEpoch: number;
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
  readonly elr: readonly number[];
  readonly lastKnownElr: readonly number[];
  readonly partitionEpoch: number;
}

function sizePartitionDescription(message: PartitionDescription): number {
  let size = 0;
  if (message.partition !== 0) size += 1 + sizeUint32(message.partition);
  if (message.leaderId !== 0) size += 1 + sizeSint32(message.leaderId);
  if (message.leaderEpoch !== 0) size += 1 + sizeSint32(message.leaderEpoch);
  if (message.replicas.length > 0) size += 1 + sizePrefixed(packed(message.replicas, sizeUint32));
  if (message.isr.length > 0) size += 1 + sizePrefixed(packed(message.isr, sizeUint32));
  if (message.elr.length > 0) size += 1 + sizePrefixed(packed(message.elr, sizeUint32));
  if (message.lastKnownElr.length > 0) size += 1 + sizePrefixed(packed(message.lastKnownElr, sizeUint32));
  if (message.partitionEpoch !== 0) size += 1 + sizeInt32(message.partitionEpoch);
  return size;
}

function writePartitionDescription(message: PartitionDescription, writer: WireWriter): void {
  if (message.partition !== 0) {
    writer.uint32(8);
    writer.uint32(message.partition);
  }
  if (message.leaderId !== 0) {
    writer.uint32(16);
    writer.sint32(message.leaderId);
  }
  if (message.leaderEpoch !== 0) {
    writer.uint32(24);
    writer.sint32(message.leaderEpoch);
  }
  if (message.replicas.length > 0) {
    writer.uint32(34);
    writer.uint32(packed(message.replicas, sizeUint32));
    for (const element of message.replicas) writer.uint32(element);
  }
  if (message.isr.length > 0) {
    writer.uint32(42);
    writer.uint32(packed(message.isr, sizeUint32));
    for (const element of message.isr) writer.uint32(element);
  }
  if (message.elr.length > 0) {
    writer.uint32(50);
    writer.uint32(packed(message.elr, sizeUint32));
    for (const element of message.elr) writer.uint32(element);
  }
  if (message.lastKnownElr.length > 0) {
    writer.uint32(58);
    writer.uint32(packed(message.lastKnownElr, sizeUint32));
    for (const element of message.lastKnownElr) writer.uint32(element);
  }
  if (message.partitionEpoch !== 0) {
    writer.uint32(64);
    writer.int32(message.partitionEpoch);
  }
}

function readPartitionDescription(reader: WireReader, end: number): PartitionDescription {
  let partition: number = 0;
  let leaderId: number = 0;
  let leaderEpoch: number = 0;
  const replicas: number[] = [];
  const isr: number[] = [];
  const elr: number[] = [];
  const lastKnownElr: number[] = [];
  let partitionEpoch: number = 0;
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 8:
        partition = reader.uint32();
        break;
      case 16:
        leaderId = reader.sint32();
        break;
      case 24:
        leaderEpoch = reader.sint32();
        break;
      case 32:
        replicas.push(reader.uint32());
        break;
      case 34:
        for (const last = reader.end(); reader.position < last; ) replicas.push(reader.uint32());
        break;
      case 40:
        isr.push(reader.uint32());
        break;
      case 42:
        for (const last = reader.end(); reader.position < last; ) isr.push(reader.uint32());
        break;
      case 48:
        elr.push(reader.uint32());
        break;
      case 50:
        for (const last = reader.end(); reader.position < last; ) elr.push(reader.uint32());
        break;
      case 56:
        lastKnownElr.push(reader.uint32());
        break;
      case 58:
        for (const last = reader.end(); reader.position < last; ) lastKnownElr.push(reader.uint32());
        break;
      case 64:
        partitionEpoch = reader.int32();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { partition, leaderId, leaderEpoch, replicas, isr, elr, lastKnownElr, partitionEpoch };
}

export const PartitionDescription: Codec<PartitionDescription> = codec('millrace.v1.PartitionDescription', sizePartitionDescription, writePartitionDescription, readPartitionDescription);

export interface ListOffsetsRequest {
  readonly header: RequestHeader;
  readonly partitions: readonly PartitionOffsetQuery[];
}

function sizeListOffsetsRequest(message: ListOffsetsRequest): number {
  let size = 0;
  size += 1 + sizePrefixed(sizeRequestHeader(message.header));
  for (const element of message.partitions) size += 1 + sizePrefixed(sizePartitionOffsetQuery(element));
  return size;
}

function writeListOffsetsRequest(message: ListOffsetsRequest, writer: WireWriter): void {
  writer.uint32(10);
  writer.uint32(sizeRequestHeader(message.header));
  writeRequestHeader(message.header, writer);
  for (const element of message.partitions) {
    writer.uint32(18);
    writer.uint32(sizePartitionOffsetQuery(element));
    writePartitionOffsetQuery(element, writer);
  }
}

function readListOffsetsRequest(reader: WireReader, end: number): ListOffsetsRequest {
  let header: RequestHeader | undefined;
  const partitions: PartitionOffsetQuery[] = [];
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        header = readRequestHeader(reader, reader.nested());
        break;
      case 18:
        partitions.push(readPartitionOffsetQuery(reader, reader.nested()));
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { header: header ?? readRequestHeader(reader, reader.position), partitions };
}

export const ListOffsetsRequest: Codec<ListOffsetsRequest> = codec('millrace.v1.ListOffsetsRequest', sizeListOffsetsRequest, writeListOffsetsRequest, readListOffsetsRequest);

export interface PartitionOffsetQuery {
  readonly topicId: string;
  readonly partition: number;
  readonly leaderEpoch: number;
  /** A time in ms, or -1 for the end (high watermark), -2 for the beginning, -3 for the record with the largest timestamp. */
  readonly timestamp: number;
}

function sizePartitionOffsetQuery(message: PartitionOffsetQuery): number {
  let size = 0;
  if (message.topicId !== '') size += 1 + sizeText(message.topicId);
  if (message.partition !== 0) size += 1 + sizeUint32(message.partition);
  if (message.leaderEpoch !== 0) size += 1 + sizeSint32(message.leaderEpoch);
  if (message.timestamp !== 0) size += 1 + sizeSint64(message.timestamp);
  return size;
}

function writePartitionOffsetQuery(message: PartitionOffsetQuery, writer: WireWriter): void {
  if (message.topicId !== '') {
    writer.uint32(10);
    writer.text(message.topicId);
  }
  if (message.partition !== 0) {
    writer.uint32(16);
    writer.uint32(message.partition);
  }
  if (message.leaderEpoch !== 0) {
    writer.uint32(24);
    writer.sint32(message.leaderEpoch);
  }
  if (message.timestamp !== 0) {
    writer.uint32(32);
    writer.sint64(message.timestamp);
  }
}

function readPartitionOffsetQuery(reader: WireReader, end: number): PartitionOffsetQuery {
  let topicId: string = '';
  let partition: number = 0;
  let leaderEpoch: number = 0;
  let timestamp: number = 0;
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        topicId = reader.text();
        break;
      case 16:
        partition = reader.uint32();
        break;
      case 24:
        leaderEpoch = reader.sint32();
        break;
      case 32:
        timestamp = reader.sint64();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { topicId, partition, leaderEpoch, timestamp };
}

export const PartitionOffsetQuery: Codec<PartitionOffsetQuery> = codec('millrace.v1.PartitionOffsetQuery', sizePartitionOffsetQuery, writePartitionOffsetQuery, readPartitionOffsetQuery);

export interface ListOffsetsResponse {
  readonly partitions: readonly PartitionOffset[];
}

function sizeListOffsetsResponse(message: ListOffsetsResponse): number {
  let size = 0;
  for (const element of message.partitions) size += 1 + sizePrefixed(sizePartitionOffset(element));
  return size;
}

function writeListOffsetsResponse(message: ListOffsetsResponse, writer: WireWriter): void {
  for (const element of message.partitions) {
    writer.uint32(10);
    writer.uint32(sizePartitionOffset(element));
    writePartitionOffset(element, writer);
  }
}

function readListOffsetsResponse(reader: WireReader, end: number): ListOffsetsResponse {
  const partitions: PartitionOffset[] = [];
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        partitions.push(readPartitionOffset(reader, reader.nested()));
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { partitions };
}

export const ListOffsetsResponse: Codec<ListOffsetsResponse> = codec('millrace.v1.ListOffsetsResponse', sizeListOffsetsResponse, writeListOffsetsResponse, readListOffsetsResponse);

export interface PartitionOffset {
  readonly topicId: string;
  readonly partition: number;
  readonly failure?: Failure | undefined;
  /** -1 when no record is as new as asked. */
  readonly offset: number;
  readonly timestamp: number;
  /** Epoch of the record before `offset`, or -1: what a reader who goes on there gives as last_fetched_epoch. */
  readonly leaderEpoch: number;
}

function sizePartitionOffset(message: PartitionOffset): number {
  let size = 0;
  if (message.topicId !== '') size += 1 + sizeText(message.topicId);
  if (message.partition !== 0) size += 1 + sizeUint32(message.partition);
  if (message.failure !== undefined) size += 1 + sizePrefixed(sizeFailure(message.failure));
  if (message.offset !== 0) size += 1 + sizeSint64(message.offset);
  if (message.timestamp !== 0) size += 1 + sizeSint64(message.timestamp);
  if (message.leaderEpoch !== 0) size += 1 + sizeSint32(message.leaderEpoch);
  return size;
}

function writePartitionOffset(message: PartitionOffset, writer: WireWriter): void {
  if (message.topicId !== '') {
    writer.uint32(10);
    writer.text(message.topicId);
  }
  if (message.partition !== 0) {
    writer.uint32(16);
    writer.uint32(message.partition);
  }
  if (message.failure !== undefined) {
    writer.uint32(26);
    writer.uint32(sizeFailure(message.failure));
    writeFailure(message.failure, writer);
  }
  if (message.offset !== 0) {
    writer.uint32(32);
    writer.sint64(message.offset);
  }
  if (message.timestamp !== 0) {
    writer.uint32(40);
    writer.sint64(message.timestamp);
  }
  if (message.leaderEpoch !== 0) {
    writer.uint32(48);
    writer.sint32(message.leaderEpoch);
  }
}

function readPartitionOffset(reader: WireReader, end: number): PartitionOffset {
  let topicId: string = '';
  let partition: number = 0;
  let failure: Failure | undefined;
  let offset: number = 0;
  let timestamp: number = 0;
  let leaderEpoch: number = 0;
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        topicId = reader.text();
        break;
      case 16:
        partition = reader.uint32();
        break;
      case 26:
        failure = readFailure(reader, reader.nested());
        break;
      case 32:
        offset = reader.sint64();
        break;
      case 40:
        timestamp = reader.sint64();
        break;
      case 48:
        leaderEpoch = reader.sint32();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { topicId, partition, failure, offset, timestamp, leaderEpoch };
}

export const PartitionOffset: Codec<PartitionOffset> = codec('millrace.v1.PartitionOffset', sizePartitionOffset, writePartitionOffset, readPartitionOffset);

export interface InitProducerIdRequest {
  readonly header: RequestHeader;
}

function sizeInitProducerIdRequest(message: InitProducerIdRequest): number {
  let size = 0;
  size += 1 + sizePrefixed(sizeRequestHeader(message.header));
  return size;
}

function writeInitProducerIdRequest(message: InitProducerIdRequest, writer: WireWriter): void {
  writer.uint32(10);
  writer.uint32(sizeRequestHeader(message.header));
  writeRequestHeader(message.header, writer);
}

function readInitProducerIdRequest(reader: WireReader, end: number): InitProducerIdRequest {
  let header: RequestHeader | undefined;
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        header = readRequestHeader(reader, reader.nested());
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { header: header ?? readRequestHeader(reader, reader.position) };
}

export const InitProducerIdRequest: Codec<InitProducerIdRequest> = codec('millrace.v1.InitProducerIdRequest', sizeInitProducerIdRequest, writeInitProducerIdRequest, readInitProducerIdRequest);

export interface InitProducerIdResponse {
  readonly producerId: number;
  readonly producerEpoch: number;
}

function sizeInitProducerIdResponse(message: InitProducerIdResponse): number {
  let size = 0;
  if (message.producerId !== 0) size += 1 + sizeInt64(message.producerId);
  if (message.producerEpoch !== 0) size += 1 + sizeInt32(message.producerEpoch);
  return size;
}

function writeInitProducerIdResponse(message: InitProducerIdResponse, writer: WireWriter): void {
  if (message.producerId !== 0) {
    writer.uint32(8);
    writer.int64(message.producerId);
  }
  if (message.producerEpoch !== 0) {
    writer.uint32(16);
    writer.int32(message.producerEpoch);
  }
}

function readInitProducerIdResponse(reader: WireReader, end: number): InitProducerIdResponse {
  let producerId: number = 0;
  let producerEpoch: number = 0;
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 8:
        producerId = reader.int64();
        break;
      case 16:
        producerEpoch = reader.int32();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { producerId, producerEpoch };
}

export const InitProducerIdResponse: Codec<InitProducerIdResponse> = codec('millrace.v1.InitProducerIdResponse', sizeInitProducerIdResponse, writeInitProducerIdResponse, readInitProducerIdResponse);

export interface OffsetForLeaderEpochRequest {
  readonly header: RequestHeader;
  readonly partitions: readonly PartitionEpochQuery[];
}

function sizeOffsetForLeaderEpochRequest(message: OffsetForLeaderEpochRequest): number {
  let size = 0;
  size += 1 + sizePrefixed(sizeRequestHeader(message.header));
  for (const element of message.partitions) size += 1 + sizePrefixed(sizePartitionEpochQuery(element));
  return size;
}

function writeOffsetForLeaderEpochRequest(message: OffsetForLeaderEpochRequest, writer: WireWriter): void {
  writer.uint32(10);
  writer.uint32(sizeRequestHeader(message.header));
  writeRequestHeader(message.header, writer);
  for (const element of message.partitions) {
    writer.uint32(18);
    writer.uint32(sizePartitionEpochQuery(element));
    writePartitionEpochQuery(element, writer);
  }
}

function readOffsetForLeaderEpochRequest(reader: WireReader, end: number): OffsetForLeaderEpochRequest {
  let header: RequestHeader | undefined;
  const partitions: PartitionEpochQuery[] = [];
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        header = readRequestHeader(reader, reader.nested());
        break;
      case 18:
        partitions.push(readPartitionEpochQuery(reader, reader.nested()));
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { header: header ?? readRequestHeader(reader, reader.position), partitions };
}

export const OffsetForLeaderEpochRequest: Codec<OffsetForLeaderEpochRequest> = codec('millrace.v1.OffsetForLeaderEpochRequest', sizeOffsetForLeaderEpochRequest, writeOffsetForLeaderEpochRequest, readOffsetForLeaderEpochRequest);

export interface PartitionEpochQuery {
  readonly topicId: string;
  readonly partition: number;
  readonly currentLeaderEpoch: number;
  readonly leaderEpoch: number;
}

function sizePartitionEpochQuery(message: PartitionEpochQuery): number {
  let size = 0;
  if (message.topicId !== '') size += 1 + sizeText(message.topicId);
  if (message.partition !== 0) size += 1 + sizeUint32(message.partition);
  if (message.currentLeaderEpoch !== 0) size += 1 + sizeSint32(message.currentLeaderEpoch);
  if (message.leaderEpoch !== 0) size += 1 + sizeSint32(message.leaderEpoch);
  return size;
}

function writePartitionEpochQuery(message: PartitionEpochQuery, writer: WireWriter): void {
  if (message.topicId !== '') {
    writer.uint32(10);
    writer.text(message.topicId);
  }
  if (message.partition !== 0) {
    writer.uint32(16);
    writer.uint32(message.partition);
  }
  if (message.currentLeaderEpoch !== 0) {
    writer.uint32(24);
    writer.sint32(message.currentLeaderEpoch);
  }
  if (message.leaderEpoch !== 0) {
    writer.uint32(32);
    writer.sint32(message.leaderEpoch);
  }
}

function readPartitionEpochQuery(reader: WireReader, end: number): PartitionEpochQuery {
  let topicId: string = '';
  let partition: number = 0;
  let currentLeaderEpoch: number = 0;
  let leaderEpoch: number = 0;
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        topicId = reader.text();
        break;
      case 16:
        partition = reader.uint32();
        break;
      case 24:
        currentLeaderEpoch = reader.sint32();
        break;
      case 32:
        leaderEpoch = reader.sint32();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { topicId, partition, currentLeaderEpoch, leaderEpoch };
}

export const PartitionEpochQuery: Codec<PartitionEpochQuery> = codec('millrace.v1.PartitionEpochQuery', sizePartitionEpochQuery, writePartitionEpochQuery, readPartitionEpochQuery);

export interface OffsetForLeaderEpochResponse {
  readonly partitions: readonly PartitionEpochEnd[];
}

function sizeOffsetForLeaderEpochResponse(message: OffsetForLeaderEpochResponse): number {
  let size = 0;
  for (const element of message.partitions) size += 1 + sizePrefixed(sizePartitionEpochEnd(element));
  return size;
}

function writeOffsetForLeaderEpochResponse(message: OffsetForLeaderEpochResponse, writer: WireWriter): void {
  for (const element of message.partitions) {
    writer.uint32(10);
    writer.uint32(sizePartitionEpochEnd(element));
    writePartitionEpochEnd(element, writer);
  }
}

function readOffsetForLeaderEpochResponse(reader: WireReader, end: number): OffsetForLeaderEpochResponse {
  const partitions: PartitionEpochEnd[] = [];
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        partitions.push(readPartitionEpochEnd(reader, reader.nested()));
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { partitions };
}

export const OffsetForLeaderEpochResponse: Codec<OffsetForLeaderEpochResponse> = codec('millrace.v1.OffsetForLeaderEpochResponse', sizeOffsetForLeaderEpochResponse, writeOffsetForLeaderEpochResponse, readOffsetForLeaderEpochResponse);

export interface PartitionEpochEnd {
  readonly topicId: string;
  readonly partition: number;
  readonly failure?: Failure | undefined;
  readonly leaderEpoch: number;
  readonly endOffset: number;
}

function sizePartitionEpochEnd(message: PartitionEpochEnd): number {
  let size = 0;
  if (message.topicId !== '') size += 1 + sizeText(message.topicId);
  if (message.partition !== 0) size += 1 + sizeUint32(message.partition);
  if (message.failure !== undefined) size += 1 + sizePrefixed(sizeFailure(message.failure));
  if (message.leaderEpoch !== 0) size += 1 + sizeSint32(message.leaderEpoch);
  if (message.endOffset !== 0) size += 1 + sizeSint64(message.endOffset);
  return size;
}

function writePartitionEpochEnd(message: PartitionEpochEnd, writer: WireWriter): void {
  if (message.topicId !== '') {
    writer.uint32(10);
    writer.text(message.topicId);
  }
  if (message.partition !== 0) {
    writer.uint32(16);
    writer.uint32(message.partition);
  }
  if (message.failure !== undefined) {
    writer.uint32(26);
    writer.uint32(sizeFailure(message.failure));
    writeFailure(message.failure, writer);
  }
  if (message.leaderEpoch !== 0) {
    writer.uint32(32);
    writer.sint32(message.leaderEpoch);
  }
  if (message.endOffset !== 0) {
    writer.uint32(40);
    writer.sint64(message.endOffset);
  }
}

function readPartitionEpochEnd(reader: WireReader, end: number): PartitionEpochEnd {
  let topicId: string = '';
  let partition: number = 0;
  let failure: Failure | undefined;
  let leaderEpoch: number = 0;
  let endOffset: number = 0;
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        topicId = reader.text();
        break;
      case 16:
        partition = reader.uint32();
        break;
      case 26:
        failure = readFailure(reader, reader.nested());
        break;
      case 32:
        leaderEpoch = reader.sint32();
        break;
      case 40:
        endOffset = reader.sint64();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { topicId, partition, failure, leaderEpoch, endOffset };
}

export const PartitionEpochEnd: Codec<PartitionEpochEnd> = codec('millrace.v1.PartitionEpochEnd', sizePartitionEpochEnd, writePartitionEpochEnd, readPartitionEpochEnd);

export interface DeleteRecordsRequest {
  readonly header: RequestHeader;
  readonly partitions: readonly PartitionDelete[];
}

function sizeDeleteRecordsRequest(message: DeleteRecordsRequest): number {
  let size = 0;
  size += 1 + sizePrefixed(sizeRequestHeader(message.header));
  for (const element of message.partitions) size += 1 + sizePrefixed(sizePartitionDelete(element));
  return size;
}

function writeDeleteRecordsRequest(message: DeleteRecordsRequest, writer: WireWriter): void {
  writer.uint32(10);
  writer.uint32(sizeRequestHeader(message.header));
  writeRequestHeader(message.header, writer);
  for (const element of message.partitions) {
    writer.uint32(18);
    writer.uint32(sizePartitionDelete(element));
    writePartitionDelete(element, writer);
  }
}

function readDeleteRecordsRequest(reader: WireReader, end: number): DeleteRecordsRequest {
  let header: RequestHeader | undefined;
  const partitions: PartitionDelete[] = [];
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        header = readRequestHeader(reader, reader.nested());
        break;
      case 18:
        partitions.push(readPartitionDelete(reader, reader.nested()));
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { header: header ?? readRequestHeader(reader, reader.position), partitions };
}

export const DeleteRecordsRequest: Codec<DeleteRecordsRequest> = codec('millrace.v1.DeleteRecordsRequest', sizeDeleteRecordsRequest, writeDeleteRecordsRequest, readDeleteRecordsRequest);

export interface PartitionDelete {
  readonly topicId: string;
  readonly partition: number;
  /** Records before this offset go; -1 means up to the high watermark. */
  readonly beforeOffset: number;
}

function sizePartitionDelete(message: PartitionDelete): number {
  let size = 0;
  if (message.topicId !== '') size += 1 + sizeText(message.topicId);
  if (message.partition !== 0) size += 1 + sizeUint32(message.partition);
  if (message.beforeOffset !== 0) size += 1 + sizeSint64(message.beforeOffset);
  return size;
}

function writePartitionDelete(message: PartitionDelete, writer: WireWriter): void {
  if (message.topicId !== '') {
    writer.uint32(10);
    writer.text(message.topicId);
  }
  if (message.partition !== 0) {
    writer.uint32(16);
    writer.uint32(message.partition);
  }
  if (message.beforeOffset !== 0) {
    writer.uint32(24);
    writer.sint64(message.beforeOffset);
  }
}

function readPartitionDelete(reader: WireReader, end: number): PartitionDelete {
  let topicId: string = '';
  let partition: number = 0;
  let beforeOffset: number = 0;
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        topicId = reader.text();
        break;
      case 16:
        partition = reader.uint32();
        break;
      case 24:
        beforeOffset = reader.sint64();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { topicId, partition, beforeOffset };
}

export const PartitionDelete: Codec<PartitionDelete> = codec('millrace.v1.PartitionDelete', sizePartitionDelete, writePartitionDelete, readPartitionDelete);

export interface DeleteRecordsResponse {
  readonly partitions: readonly PartitionDeleted[];
}

function sizeDeleteRecordsResponse(message: DeleteRecordsResponse): number {
  let size = 0;
  for (const element of message.partitions) size += 1 + sizePrefixed(sizePartitionDeleted(element));
  return size;
}

function writeDeleteRecordsResponse(message: DeleteRecordsResponse, writer: WireWriter): void {
  for (const element of message.partitions) {
    writer.uint32(10);
    writer.uint32(sizePartitionDeleted(element));
    writePartitionDeleted(element, writer);
  }
}

function readDeleteRecordsResponse(reader: WireReader, end: number): DeleteRecordsResponse {
  const partitions: PartitionDeleted[] = [];
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        partitions.push(readPartitionDeleted(reader, reader.nested()));
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { partitions };
}

export const DeleteRecordsResponse: Codec<DeleteRecordsResponse> = codec('millrace.v1.DeleteRecordsResponse', sizeDeleteRecordsResponse, writeDeleteRecordsResponse, readDeleteRecordsResponse);

export interface PartitionDeleted {
  readonly topicId: string;
  readonly partition: number;
  readonly failure?: Failure | undefined;
  readonly lowWatermark: number;
}

function sizePartitionDeleted(message: PartitionDeleted): number {
  let size = 0;
  if (message.topicId !== '') size += 1 + sizeText(message.topicId);
  if (message.partition !== 0) size += 1 + sizeUint32(message.partition);
  if (message.failure !== undefined) size += 1 + sizePrefixed(sizeFailure(message.failure));
  if (message.lowWatermark !== 0) size += 1 + sizeInt64(message.lowWatermark);
  return size;
}

function writePartitionDeleted(message: PartitionDeleted, writer: WireWriter): void {
  if (message.topicId !== '') {
    writer.uint32(10);
    writer.text(message.topicId);
  }
  if (message.partition !== 0) {
    writer.uint32(16);
    writer.uint32(message.partition);
  }
  if (message.failure !== undefined) {
    writer.uint32(26);
    writer.uint32(sizeFailure(message.failure));
    writeFailure(message.failure, writer);
  }
  if (message.lowWatermark !== 0) {
    writer.uint32(32);
    writer.int64(message.lowWatermark);
  }
}

function readPartitionDeleted(reader: WireReader, end: number): PartitionDeleted {
  let topicId: string = '';
  let partition: number = 0;
  let failure: Failure | undefined;
  let lowWatermark: number = 0;
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        topicId = reader.text();
        break;
      case 16:
        partition = reader.uint32();
        break;
      case 26:
        failure = readFailure(reader, reader.nested());
        break;
      case 32:
        lowWatermark = reader.int64();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { topicId, partition, failure, lowWatermark };
}

export const PartitionDeleted: Codec<PartitionDeleted> = codec('millrace.v1.PartitionDeleted', sizePartitionDeleted, writePartitionDeleted, readPartitionDeleted);

export interface BrokerHeartbeat {
  readonly header: RequestHeader;
  readonly brokerId: number;
  /** One life of the process; random at start. */
  readonly incarnationId: string;
  readonly directoryId: string;
  /** -1 in the registration, then the epoch that the controller gave. */
  readonly brokerEpoch: number;
  /** Only in the registration. */
  readonly endpoints: readonly Endpoint[];
  readonly rack: string;
  /** Broker epoch of the last clean shutdown, or -1: after an unclean one page-cache replicas lose their standing. */
  readonly previousBrokerEpoch: number;
  /** How far this broker has applied the metadata log. */
  readonly metadataOffset: number;
  readonly wantsShutdown: boolean;
  /** Partitions whose disk failed on this broker. */
  readonly offline: readonly OfflineReplica[];
}

function sizeBrokerHeartbeat(message: BrokerHeartbeat): number {
  let size = 0;
  size += 1 + sizePrefixed(sizeRequestHeader(message.header));
  if (message.brokerId !== 0) size += 1 + sizeUint32(message.brokerId);
  if (message.incarnationId !== '') size += 1 + sizeText(message.incarnationId);
  if (message.directoryId !== '') size += 1 + sizeText(message.directoryId);
  if (message.brokerEpoch !== 0) size += 1 + sizeSint64(message.brokerEpoch);
  for (const element of message.endpoints) size += 1 + sizePrefixed(sizeEndpoint(element));
  if (message.rack !== '') size += 1 + sizeText(message.rack);
  if (message.previousBrokerEpoch !== 0) size += 1 + sizeSint64(message.previousBrokerEpoch);
  if (message.metadataOffset !== 0) size += 1 + sizeInt64(message.metadataOffset);
  if (message.wantsShutdown) size += 1 + sizeBool(message.wantsShutdown);
  for (const element of message.offline) size += 1 + sizePrefixed(sizeOfflineReplica(element));
  return size;
}

function writeBrokerHeartbeat(message: BrokerHeartbeat, writer: WireWriter): void {
  writer.uint32(10);
  writer.uint32(sizeRequestHeader(message.header));
  writeRequestHeader(message.header, writer);
  if (message.brokerId !== 0) {
    writer.uint32(16);
    writer.uint32(message.brokerId);
  }
  if (message.incarnationId !== '') {
    writer.uint32(26);
    writer.text(message.incarnationId);
  }
  if (message.directoryId !== '') {
    writer.uint32(34);
    writer.text(message.directoryId);
  }
  if (message.brokerEpoch !== 0) {
    writer.uint32(40);
    writer.sint64(message.brokerEpoch);
  }
  for (const element of message.endpoints) {
    writer.uint32(50);
    writer.uint32(sizeEndpoint(element));
    writeEndpoint(element, writer);
  }
  if (message.rack !== '') {
    writer.uint32(58);
    writer.text(message.rack);
  }
  if (message.previousBrokerEpoch !== 0) {
    writer.uint32(64);
    writer.sint64(message.previousBrokerEpoch);
  }
  if (message.metadataOffset !== 0) {
    writer.uint32(72);
    writer.int64(message.metadataOffset);
  }
  if (message.wantsShutdown) {
    writer.uint32(80);
    writer.bool(message.wantsShutdown);
  }
  for (const element of message.offline) {
    writer.uint32(90);
    writer.uint32(sizeOfflineReplica(element));
    writeOfflineReplica(element, writer);
  }
}

function readBrokerHeartbeat(reader: WireReader, end: number): BrokerHeartbeat {
  let header: RequestHeader | undefined;
  let brokerId: number = 0;
  let incarnationId: string = '';
  let directoryId: string = '';
  let brokerEpoch: number = 0;
  const endpoints: Endpoint[] = [];
  let rack: string = '';
  let previousBrokerEpoch: number = 0;
  let metadataOffset: number = 0;
  let wantsShutdown: boolean = false;
  const offline: OfflineReplica[] = [];
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        header = readRequestHeader(reader, reader.nested());
        break;
      case 16:
        brokerId = reader.uint32();
        break;
      case 26:
        incarnationId = reader.text();
        break;
      case 34:
        directoryId = reader.text();
        break;
      case 40:
        brokerEpoch = reader.sint64();
        break;
      case 50:
        endpoints.push(readEndpoint(reader, reader.nested()));
        break;
      case 58:
        rack = reader.text();
        break;
      case 64:
        previousBrokerEpoch = reader.sint64();
        break;
      case 72:
        metadataOffset = reader.int64();
        break;
      case 80:
        wantsShutdown = reader.bool();
        break;
      case 90:
        offline.push(readOfflineReplica(reader, reader.nested()));
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { header: header ?? readRequestHeader(reader, reader.position), brokerId, incarnationId, directoryId, brokerEpoch, endpoints, rack, previousBrokerEpoch, metadataOffset, wantsShutdown, offline };
}

export const BrokerHeartbeat: Codec<BrokerHeartbeat> = codec('millrace.v1.BrokerHeartbeat', sizeBrokerHeartbeat, writeBrokerHeartbeat, readBrokerHeartbeat);

export interface OfflineReplica {
  readonly topicId: string;
  readonly partition: number;
}

function sizeOfflineReplica(message: OfflineReplica): number {
  let size = 0;
  if (message.topicId !== '') size += 1 + sizeText(message.topicId);
  if (message.partition !== 0) size += 1 + sizeUint32(message.partition);
  return size;
}

function writeOfflineReplica(message: OfflineReplica, writer: WireWriter): void {
  if (message.topicId !== '') {
    writer.uint32(10);
    writer.text(message.topicId);
  }
  if (message.partition !== 0) {
    writer.uint32(16);
    writer.uint32(message.partition);
  }
}

function readOfflineReplica(reader: WireReader, end: number): OfflineReplica {
  let topicId: string = '';
  let partition: number = 0;
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        topicId = reader.text();
        break;
      case 16:
        partition = reader.uint32();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { topicId, partition };
}

export const OfflineReplica: Codec<OfflineReplica> = codec('millrace.v1.OfflineReplica', sizeOfflineReplica, writeOfflineReplica, readOfflineReplica);

export interface BrokerState {
  readonly correlationId: number;
  readonly failure?: Failure | undefined;
  readonly brokerEpoch: number;
  readonly fenced: boolean;
  /** The broker leads nothing any more and may stop. */
  readonly mayShutDown: boolean;
  /** The controller's quorum; empty if it is not known. A broker stays with the one that it was registered in first. */
  readonly quorumId: string;
}

function sizeBrokerState(message: BrokerState): number {
  let size = 0;
  if (message.correlationId !== 0) size += 1 + sizeUint64(message.correlationId);
  if (message.failure !== undefined) size += 1 + sizePrefixed(sizeFailure(message.failure));
  if (message.brokerEpoch !== 0) size += 1 + sizeInt64(message.brokerEpoch);
  if (message.fenced) size += 1 + sizeBool(message.fenced);
  if (message.mayShutDown) size += 1 + sizeBool(message.mayShutDown);
  if (message.quorumId !== '') size += 1 + sizeText(message.quorumId);
  return size;
}

function writeBrokerState(message: BrokerState, writer: WireWriter): void {
  if (message.correlationId !== 0) {
    writer.uint32(8);
    writer.uint64(message.correlationId);
  }
  if (message.failure !== undefined) {
    writer.uint32(18);
    writer.uint32(sizeFailure(message.failure));
    writeFailure(message.failure, writer);
  }
  if (message.brokerEpoch !== 0) {
    writer.uint32(24);
    writer.int64(message.brokerEpoch);
  }
  if (message.fenced) {
    writer.uint32(32);
    writer.bool(message.fenced);
  }
  if (message.mayShutDown) {
    writer.uint32(40);
    writer.bool(message.mayShutDown);
  }
  if (message.quorumId !== '') {
    writer.uint32(50);
    writer.text(message.quorumId);
  }
}

function readBrokerState(reader: WireReader, end: number): BrokerState {
  let correlationId: number = 0;
  let failure: Failure | undefined;
  let brokerEpoch: number = 0;
  let fenced: boolean = false;
  let mayShutDown: boolean = false;
  let quorumId: string = '';
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 8:
        correlationId = reader.uint64();
        break;
      case 18:
        failure = readFailure(reader, reader.nested());
        break;
      case 24:
        brokerEpoch = reader.int64();
        break;
      case 32:
        fenced = reader.bool();
        break;
      case 40:
        mayShutDown = reader.bool();
        break;
      case 50:
        quorumId = reader.text();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { correlationId, failure, brokerEpoch, fenced, mayShutDown, quorumId };
}

export const BrokerState: Codec<BrokerState> = codec('millrace.v1.BrokerState', sizeBrokerState, writeBrokerState, readBrokerState);

export interface AlterPartitionsRequest {
  readonly header: RequestHeader;
  readonly brokerId: number;
  readonly brokerEpoch: number;
  readonly partitions: readonly PartitionAlteration[];
}

function sizeAlterPartitionsRequest(message: AlterPartitionsRequest): number {
  let size = 0;
  size += 1 + sizePrefixed(sizeRequestHeader(message.header));
  if (message.brokerId !== 0) size += 1 + sizeUint32(message.brokerId);
  if (message.brokerEpoch !== 0) size += 1 + sizeInt64(message.brokerEpoch);
  for (const element of message.partitions) size += 1 + sizePrefixed(sizePartitionAlteration(element));
  return size;
}

function writeAlterPartitionsRequest(message: AlterPartitionsRequest, writer: WireWriter): void {
  writer.uint32(10);
  writer.uint32(sizeRequestHeader(message.header));
  writeRequestHeader(message.header, writer);
  if (message.brokerId !== 0) {
    writer.uint32(16);
    writer.uint32(message.brokerId);
  }
  if (message.brokerEpoch !== 0) {
    writer.uint32(24);
    writer.int64(message.brokerEpoch);
  }
  for (const element of message.partitions) {
    writer.uint32(34);
    writer.uint32(sizePartitionAlteration(element));
    writePartitionAlteration(element, writer);
  }
}

function readAlterPartitionsRequest(reader: WireReader, end: number): AlterPartitionsRequest {
  let header: RequestHeader | undefined;
  let brokerId: number = 0;
  let brokerEpoch: number = 0;
  const partitions: PartitionAlteration[] = [];
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        header = readRequestHeader(reader, reader.nested());
        break;
      case 16:
        brokerId = reader.uint32();
        break;
      case 24:
        brokerEpoch = reader.int64();
        break;
      case 34:
        partitions.push(readPartitionAlteration(reader, reader.nested()));
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { header: header ?? readRequestHeader(reader, reader.position), brokerId, brokerEpoch, partitions };
}

export const AlterPartitionsRequest: Codec<AlterPartitionsRequest> = codec('millrace.v1.AlterPartitionsRequest', sizeAlterPartitionsRequest, writeAlterPartitionsRequest, readAlterPartitionsRequest);

export interface PartitionAlteration {
  readonly topicId: string;
  readonly partition: number;
  readonly leaderEpoch: number;
  readonly partitionEpoch: number;
  readonly newIsr: readonly IsrMember[];
  readonly recovering: boolean;
}

function sizePartitionAlteration(message: PartitionAlteration): number {
  let size = 0;
  if (message.topicId !== '') size += 1 + sizeText(message.topicId);
  if (message.partition !== 0) size += 1 + sizeUint32(message.partition);
  if (message.leaderEpoch !== 0) size += 1 + sizeSint32(message.leaderEpoch);
  if (message.partitionEpoch !== 0) size += 1 + sizeInt32(message.partitionEpoch);
  for (const element of message.newIsr) size += 1 + sizePrefixed(sizeIsrMember(element));
  if (message.recovering) size += 1 + sizeBool(message.recovering);
  return size;
}

function writePartitionAlteration(message: PartitionAlteration, writer: WireWriter): void {
  if (message.topicId !== '') {
    writer.uint32(10);
    writer.text(message.topicId);
  }
  if (message.partition !== 0) {
    writer.uint32(16);
    writer.uint32(message.partition);
  }
  if (message.leaderEpoch !== 0) {
    writer.uint32(24);
    writer.sint32(message.leaderEpoch);
  }
  if (message.partitionEpoch !== 0) {
    writer.uint32(32);
    writer.int32(message.partitionEpoch);
  }
  for (const element of message.newIsr) {
    writer.uint32(42);
    writer.uint32(sizeIsrMember(element));
    writeIsrMember(element, writer);
  }
  if (message.recovering) {
    writer.uint32(48);
    writer.bool(message.recovering);
  }
}

function readPartitionAlteration(reader: WireReader, end: number): PartitionAlteration {
  let topicId: string = '';
  let partition: number = 0;
  let leaderEpoch: number = 0;
  let partitionEpoch: number = 0;
  const newIsr: IsrMember[] = [];
  let recovering: boolean = false;
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        topicId = reader.text();
        break;
      case 16:
        partition = reader.uint32();
        break;
      case 24:
        leaderEpoch = reader.sint32();
        break;
      case 32:
        partitionEpoch = reader.int32();
        break;
      case 42:
        newIsr.push(readIsrMember(reader, reader.nested()));
        break;
      case 48:
        recovering = reader.bool();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { topicId, partition, leaderEpoch, partitionEpoch, newIsr, recovering };
}

export const PartitionAlteration: Codec<PartitionAlteration> = codec('millrace.v1.PartitionAlteration', sizePartitionAlteration, writePartitionAlteration, readPartitionAlteration);

export interface IsrMember {
  readonly brokerId: number;
  /** -1 skips the check. */
  readonly brokerEpoch: number;
}

function sizeIsrMember(message: IsrMember): number {
  let size = 0;
  if (message.brokerId !== 0) size += 1 + sizeUint32(message.brokerId);
  if (message.brokerEpoch !== 0) size += 1 + sizeSint64(message.brokerEpoch);
  return size;
}

function writeIsrMember(message: IsrMember, writer: WireWriter): void {
  if (message.brokerId !== 0) {
    writer.uint32(8);
    writer.uint32(message.brokerId);
  }
  if (message.brokerEpoch !== 0) {
    writer.uint32(16);
    writer.sint64(message.brokerEpoch);
  }
}

function readIsrMember(reader: WireReader, end: number): IsrMember {
  let brokerId: number = 0;
  let brokerEpoch: number = 0;
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 8:
        brokerId = reader.uint32();
        break;
      case 16:
        brokerEpoch = reader.sint64();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { brokerId, brokerEpoch };
}

export const IsrMember: Codec<IsrMember> = codec('millrace.v1.IsrMember', sizeIsrMember, writeIsrMember, readIsrMember);

export interface AlterPartitionsResponse {
  readonly failure?: Failure | undefined;
  readonly partitions: readonly AlteredPartition[];
}

function sizeAlterPartitionsResponse(message: AlterPartitionsResponse): number {
  let size = 0;
  if (message.failure !== undefined) size += 1 + sizePrefixed(sizeFailure(message.failure));
  for (const element of message.partitions) size += 1 + sizePrefixed(sizeAlteredPartition(element));
  return size;
}

function writeAlterPartitionsResponse(message: AlterPartitionsResponse, writer: WireWriter): void {
  if (message.failure !== undefined) {
    writer.uint32(10);
    writer.uint32(sizeFailure(message.failure));
    writeFailure(message.failure, writer);
  }
  for (const element of message.partitions) {
    writer.uint32(18);
    writer.uint32(sizeAlteredPartition(element));
    writeAlteredPartition(element, writer);
  }
}

function readAlterPartitionsResponse(reader: WireReader, end: number): AlterPartitionsResponse {
  let failure: Failure | undefined;
  const partitions: AlteredPartition[] = [];
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        failure = readFailure(reader, reader.nested());
        break;
      case 18:
        partitions.push(readAlteredPartition(reader, reader.nested()));
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { failure, partitions };
}

export const AlterPartitionsResponse: Codec<AlterPartitionsResponse> = codec('millrace.v1.AlterPartitionsResponse', sizeAlterPartitionsResponse, writeAlterPartitionsResponse, readAlterPartitionsResponse);

export interface AlteredPartition {
  readonly topicId: string;
  readonly partition: number;
  readonly failure?: Failure | undefined;
  readonly leaderId: number;
  readonly leaderEpoch: number;
  readonly partitionEpoch: number;
  readonly isr: readonly number[];
  readonly recovering: boolean;
}

function sizeAlteredPartition(message: AlteredPartition): number {
  let size = 0;
  if (message.topicId !== '') size += 1 + sizeText(message.topicId);
  if (message.partition !== 0) size += 1 + sizeUint32(message.partition);
  if (message.failure !== undefined) size += 1 + sizePrefixed(sizeFailure(message.failure));
  if (message.leaderId !== 0) size += 1 + sizeSint32(message.leaderId);
  if (message.leaderEpoch !== 0) size += 1 + sizeSint32(message.leaderEpoch);
  if (message.partitionEpoch !== 0) size += 1 + sizeInt32(message.partitionEpoch);
  if (message.isr.length > 0) size += 1 + sizePrefixed(packed(message.isr, sizeUint32));
  if (message.recovering) size += 1 + sizeBool(message.recovering);
  return size;
}

function writeAlteredPartition(message: AlteredPartition, writer: WireWriter): void {
  if (message.topicId !== '') {
    writer.uint32(10);
    writer.text(message.topicId);
  }
  if (message.partition !== 0) {
    writer.uint32(16);
    writer.uint32(message.partition);
  }
  if (message.failure !== undefined) {
    writer.uint32(26);
    writer.uint32(sizeFailure(message.failure));
    writeFailure(message.failure, writer);
  }
  if (message.leaderId !== 0) {
    writer.uint32(32);
    writer.sint32(message.leaderId);
  }
  if (message.leaderEpoch !== 0) {
    writer.uint32(40);
    writer.sint32(message.leaderEpoch);
  }
  if (message.partitionEpoch !== 0) {
    writer.uint32(48);
    writer.int32(message.partitionEpoch);
  }
  if (message.isr.length > 0) {
    writer.uint32(58);
    writer.uint32(packed(message.isr, sizeUint32));
    for (const element of message.isr) writer.uint32(element);
  }
  if (message.recovering) {
    writer.uint32(64);
    writer.bool(message.recovering);
  }
}

function readAlteredPartition(reader: WireReader, end: number): AlteredPartition {
  let topicId: string = '';
  let partition: number = 0;
  let failure: Failure | undefined;
  let leaderId: number = 0;
  let leaderEpoch: number = 0;
  let partitionEpoch: number = 0;
  const isr: number[] = [];
  let recovering: boolean = false;
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        topicId = reader.text();
        break;
      case 16:
        partition = reader.uint32();
        break;
      case 26:
        failure = readFailure(reader, reader.nested());
        break;
      case 32:
        leaderId = reader.sint32();
        break;
      case 40:
        leaderEpoch = reader.sint32();
        break;
      case 48:
        partitionEpoch = reader.int32();
        break;
      case 56:
        isr.push(reader.uint32());
        break;
      case 58:
        for (const last = reader.end(); reader.position < last; ) isr.push(reader.uint32());
        break;
      case 64:
        recovering = reader.bool();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { topicId, partition, failure, leaderId, leaderEpoch, partitionEpoch, isr, recovering };
}

export const AlteredPartition: Codec<AlteredPartition> = codec('millrace.v1.AlteredPartition', sizeAlteredPartition, writeAlteredPartition, readAlteredPartition);

export interface AllocateProducerIdsRequest {
  readonly header: RequestHeader;
  readonly brokerId: number;
  readonly brokerEpoch: number;
}

function sizeAllocateProducerIdsRequest(message: AllocateProducerIdsRequest): number {
  let size = 0;
  size += 1 + sizePrefixed(sizeRequestHeader(message.header));
  if (message.brokerId !== 0) size += 1 + sizeUint32(message.brokerId);
  if (message.brokerEpoch !== 0) size += 1 + sizeInt64(message.brokerEpoch);
  return size;
}

function writeAllocateProducerIdsRequest(message: AllocateProducerIdsRequest, writer: WireWriter): void {
  writer.uint32(10);
  writer.uint32(sizeRequestHeader(message.header));
  writeRequestHeader(message.header, writer);
  if (message.brokerId !== 0) {
    writer.uint32(16);
    writer.uint32(message.brokerId);
  }
  if (message.brokerEpoch !== 0) {
    writer.uint32(24);
    writer.int64(message.brokerEpoch);
  }
}

function readAllocateProducerIdsRequest(reader: WireReader, end: number): AllocateProducerIdsRequest {
  let header: RequestHeader | undefined;
  let brokerId: number = 0;
  let brokerEpoch: number = 0;
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        header = readRequestHeader(reader, reader.nested());
        break;
      case 16:
        brokerId = reader.uint32();
        break;
      case 24:
        brokerEpoch = reader.int64();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { header: header ?? readRequestHeader(reader, reader.position), brokerId, brokerEpoch };
}

export const AllocateProducerIdsRequest: Codec<AllocateProducerIdsRequest> = codec('millrace.v1.AllocateProducerIdsRequest', sizeAllocateProducerIdsRequest, writeAllocateProducerIdsRequest, readAllocateProducerIdsRequest);

export interface AllocateProducerIdsResponse {
  readonly failure?: Failure | undefined;
  readonly firstId: number;
  readonly count: number;
}

function sizeAllocateProducerIdsResponse(message: AllocateProducerIdsResponse): number {
  let size = 0;
  if (message.failure !== undefined) size += 1 + sizePrefixed(sizeFailure(message.failure));
  if (message.firstId !== 0) size += 1 + sizeInt64(message.firstId);
  if (message.count !== 0) size += 1 + sizeUint32(message.count);
  return size;
}

function writeAllocateProducerIdsResponse(message: AllocateProducerIdsResponse, writer: WireWriter): void {
  if (message.failure !== undefined) {
    writer.uint32(10);
    writer.uint32(sizeFailure(message.failure));
    writeFailure(message.failure, writer);
  }
  if (message.firstId !== 0) {
    writer.uint32(16);
    writer.int64(message.firstId);
  }
  if (message.count !== 0) {
    writer.uint32(24);
    writer.uint32(message.count);
  }
}

function readAllocateProducerIdsResponse(reader: WireReader, end: number): AllocateProducerIdsResponse {
  let failure: Failure | undefined;
  let firstId: number = 0;
  let count: number = 0;
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        failure = readFailure(reader, reader.nested());
        break;
      case 16:
        firstId = reader.int64();
        break;
      case 24:
        count = reader.uint32();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { failure, firstId, count };
}

export const AllocateProducerIdsResponse: Codec<AllocateProducerIdsResponse> = codec('millrace.v1.AllocateProducerIdsResponse', sizeAllocateProducerIdsResponse, writeAllocateProducerIdsResponse, readAllocateProducerIdsResponse);

export interface FollowMetadataRequest {
  readonly header: RequestHeader;
  /** First offset wanted. */
  readonly fromOffset: number;
}

function sizeFollowMetadataRequest(message: FollowMetadataRequest): number {
  let size = 0;
  size += 1 + sizePrefixed(sizeRequestHeader(message.header));
  if (message.fromOffset !== 0) size += 1 + sizeInt64(message.fromOffset);
  return size;
}

function writeFollowMetadataRequest(message: FollowMetadataRequest, writer: WireWriter): void {
  writer.uint32(10);
  writer.uint32(sizeRequestHeader(message.header));
  writeRequestHeader(message.header, writer);
  if (message.fromOffset !== 0) {
    writer.uint32(16);
    writer.int64(message.fromOffset);
  }
}

function readFollowMetadataRequest(reader: WireReader, end: number): FollowMetadataRequest {
  let header: RequestHeader | undefined;
  let fromOffset: number = 0;
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        header = readRequestHeader(reader, reader.nested());
        break;
      case 16:
        fromOffset = reader.int64();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { header: header ?? readRequestHeader(reader, reader.position), fromOffset };
}

export const FollowMetadataRequest: Codec<FollowMetadataRequest> = codec('millrace.v1.FollowMetadataRequest', sizeFollowMetadataRequest, writeFollowMetadataRequest, readFollowMetadataRequest);

export interface MetadataUpdate {
  /** Committed entries in order; `next_offset` is the offset after the last of them. */
  readonly entries: readonly MetadataEntry[];
  readonly nextOffset: number;
  /** A snapshot that replaces everything below next_offset. Large ones come in several messages, `snapshot_done` in the last. */
  readonly snapshotChunk: Buffer;
  readonly snapshotDone: boolean;
  /** -1 while none is known: where changes go. */
  readonly controllerId: number;
  /** The voters of the quorum and where they are reached: in the first update, and whenever they change. */
  readonly controllers: readonly ControllerNode[];
  /** As in BrokerState; in every update. */
  readonly quorumId: string;
}

function sizeMetadataUpdate(message: MetadataUpdate): number {
  let size = 0;
  for (const element of message.entries) size += 1 + sizePrefixed(sizeMetadataEntry(element));
  if (message.nextOffset !== 0) size += 1 + sizeInt64(message.nextOffset);
  if (message.snapshotChunk.length > 0) size += 1 + sizeBytes(message.snapshotChunk);
  if (message.snapshotDone) size += 1 + sizeBool(message.snapshotDone);
  if (message.controllerId !== 0) size += 1 + sizeSint32(message.controllerId);
  for (const element of message.controllers) size += 1 + sizePrefixed(sizeControllerNode(element));
  if (message.quorumId !== '') size += 1 + sizeText(message.quorumId);
  return size;
}

function writeMetadataUpdate(message: MetadataUpdate, writer: WireWriter): void {
  for (const element of message.entries) {
    writer.uint32(10);
    writer.uint32(sizeMetadataEntry(element));
    writeMetadataEntry(element, writer);
  }
  if (message.nextOffset !== 0) {
    writer.uint32(16);
    writer.int64(message.nextOffset);
  }
  if (message.snapshotChunk.length > 0) {
    writer.uint32(26);
    writer.payload(message.snapshotChunk);
  }
  if (message.snapshotDone) {
    writer.uint32(32);
    writer.bool(message.snapshotDone);
  }
  if (message.controllerId !== 0) {
    writer.uint32(40);
    writer.sint32(message.controllerId);
  }
  for (const element of message.controllers) {
    writer.uint32(50);
    writer.uint32(sizeControllerNode(element));
    writeControllerNode(element, writer);
  }
  if (message.quorumId !== '') {
    writer.uint32(58);
    writer.text(message.quorumId);
  }
}

function readMetadataUpdate(reader: WireReader, end: number): MetadataUpdate {
  const entries: MetadataEntry[] = [];
  let nextOffset: number = 0;
  let snapshotChunk: Buffer = NO_BYTES;
  let snapshotDone: boolean = false;
  let controllerId: number = 0;
  const controllers: ControllerNode[] = [];
  let quorumId: string = '';
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        entries.push(readMetadataEntry(reader, reader.nested()));
        break;
      case 16:
        nextOffset = reader.int64();
        break;
      case 26:
        snapshotChunk = reader.payload();
        break;
      case 32:
        snapshotDone = reader.bool();
        break;
      case 40:
        controllerId = reader.sint32();
        break;
      case 50:
        controllers.push(readControllerNode(reader, reader.nested()));
        break;
      case 58:
        quorumId = reader.text();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { entries, nextOffset, snapshotChunk, snapshotDone, controllerId, controllers, quorumId };
}

export const MetadataUpdate: Codec<MetadataUpdate> = codec('millrace.v1.MetadataUpdate', sizeMetadataUpdate, writeMetadataUpdate, readMetadataUpdate);

export interface ControllerNode {
  readonly id: number;
  readonly host: string;
  readonly port: number;
}

function sizeControllerNode(message: ControllerNode): number {
  let size = 0;
  if (message.id !== 0) size += 1 + sizeUint32(message.id);
  if (message.host !== '') size += 1 + sizeText(message.host);
  if (message.port !== 0) size += 1 + sizeUint32(message.port);
  return size;
}

function writeControllerNode(message: ControllerNode, writer: WireWriter): void {
  if (message.id !== 0) {
    writer.uint32(8);
    writer.uint32(message.id);
  }
  if (message.host !== '') {
    writer.uint32(18);
    writer.text(message.host);
  }
  if (message.port !== 0) {
    writer.uint32(24);
    writer.uint32(message.port);
  }
}

function readControllerNode(reader: WireReader, end: number): ControllerNode {
  let id: number = 0;
  let host: string = '';
  let port: number = 0;
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 8:
        id = reader.uint32();
        break;
      case 18:
        host = reader.text();
        break;
      case 24:
        port = reader.uint32();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { id, host, port };
}

export const ControllerNode: Codec<ControllerNode> = codec('millrace.v1.ControllerNode', sizeControllerNode, writeControllerNode, readControllerNode);

export interface MetadataEntry {
  readonly offset: number;
  readonly data: Buffer;
}

function sizeMetadataEntry(message: MetadataEntry): number {
  let size = 0;
  if (message.offset !== 0) size += 1 + sizeInt64(message.offset);
  if (message.data.length > 0) size += 1 + sizeBytes(message.data);
  return size;
}

function writeMetadataEntry(message: MetadataEntry, writer: WireWriter): void {
  if (message.offset !== 0) {
    writer.uint32(8);
    writer.int64(message.offset);
  }
  if (message.data.length > 0) {
    writer.uint32(18);
    writer.payload(message.data);
  }
}

function readMetadataEntry(reader: WireReader, end: number): MetadataEntry {
  let offset: number = 0;
  let data: Buffer = NO_BYTES;
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 8:
        offset = reader.int64();
        break;
      case 18:
        data = reader.payload();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { offset, data };
}

export const MetadataEntry: Codec<MetadataEntry> = codec('millrace.v1.MetadataEntry', sizeMetadataEntry, writeMetadataEntry, readMetadataEntry);

export interface FindCoordinatorsRequest {
  readonly header: RequestHeader;
  readonly groupIds: readonly string[];
}

function sizeFindCoordinatorsRequest(message: FindCoordinatorsRequest): number {
  let size = 0;
  size += 1 + sizePrefixed(sizeRequestHeader(message.header));
  for (const element of message.groupIds) size += 1 + sizeText(element);
  return size;
}

function writeFindCoordinatorsRequest(message: FindCoordinatorsRequest, writer: WireWriter): void {
  writer.uint32(10);
  writer.uint32(sizeRequestHeader(message.header));
  writeRequestHeader(message.header, writer);
  for (const element of message.groupIds) {
    writer.uint32(18);
    writer.text(element);
  }
}

function readFindCoordinatorsRequest(reader: WireReader, end: number): FindCoordinatorsRequest {
  let header: RequestHeader | undefined;
  const groupIds: string[] = [];
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        header = readRequestHeader(reader, reader.nested());
        break;
      case 18:
        groupIds.push(reader.text());
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { header: header ?? readRequestHeader(reader, reader.position), groupIds };
}

export const FindCoordinatorsRequest: Codec<FindCoordinatorsRequest> = codec('millrace.v1.FindCoordinatorsRequest', sizeFindCoordinatorsRequest, writeFindCoordinatorsRequest, readFindCoordinatorsRequest);

export interface FindCoordinatorsResponse {
  readonly coordinators: readonly Coordinator[];
}

function sizeFindCoordinatorsResponse(message: FindCoordinatorsResponse): number {
  let size = 0;
  for (const element of message.coordinators) size += 1 + sizePrefixed(sizeCoordinator(element));
  return size;
}

function writeFindCoordinatorsResponse(message: FindCoordinatorsResponse, writer: WireWriter): void {
  for (const element of message.coordinators) {
    writer.uint32(10);
    writer.uint32(sizeCoordinator(element));
    writeCoordinator(element, writer);
  }
}

function readFindCoordinatorsResponse(reader: WireReader, end: number): FindCoordinatorsResponse {
  const coordinators: Coordinator[] = [];
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        coordinators.push(readCoordinator(reader, reader.nested()));
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { coordinators };
}

export const FindCoordinatorsResponse: Codec<FindCoordinatorsResponse> = codec('millrace.v1.FindCoordinatorsResponse', sizeFindCoordinatorsResponse, writeFindCoordinatorsResponse, readFindCoordinatorsResponse);

export interface Coordinator {
  readonly groupId: string;
  readonly failure?: Failure | undefined;
  /** Absent with a failure. */
  readonly node?: BrokerNode | undefined;
}

function sizeCoordinator(message: Coordinator): number {
  let size = 0;
  if (message.groupId !== '') size += 1 + sizeText(message.groupId);
  if (message.failure !== undefined) size += 1 + sizePrefixed(sizeFailure(message.failure));
  if (message.node !== undefined) size += 1 + sizePrefixed(sizeBrokerNode(message.node));
  return size;
}

function writeCoordinator(message: Coordinator, writer: WireWriter): void {
  if (message.groupId !== '') {
    writer.uint32(10);
    writer.text(message.groupId);
  }
  if (message.failure !== undefined) {
    writer.uint32(18);
    writer.uint32(sizeFailure(message.failure));
    writeFailure(message.failure, writer);
  }
  if (message.node !== undefined) {
    writer.uint32(26);
    writer.uint32(sizeBrokerNode(message.node));
    writeBrokerNode(message.node, writer);
  }
}

function readCoordinator(reader: WireReader, end: number): Coordinator {
  let groupId: string = '';
  let failure: Failure | undefined;
  let node: BrokerNode | undefined;
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        groupId = reader.text();
        break;
      case 18:
        failure = readFailure(reader, reader.nested());
        break;
      case 26:
        node = readBrokerNode(reader, reader.nested());
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { groupId, failure, node };
}

export const Coordinator: Codec<Coordinator> = codec('millrace.v1.Coordinator', sizeCoordinator, writeCoordinator, readCoordinator);

export interface TopicPartitions {
  readonly topicId: string;
  readonly partitions: readonly number[];
}

function sizeTopicPartitions(message: TopicPartitions): number {
  let size = 0;
  if (message.topicId !== '') size += 1 + sizeText(message.topicId);
  if (message.partitions.length > 0) size += 1 + sizePrefixed(packed(message.partitions, sizeUint32));
  return size;
}

function writeTopicPartitions(message: TopicPartitions, writer: WireWriter): void {
  if (message.topicId !== '') {
    writer.uint32(10);
    writer.text(message.topicId);
  }
  if (message.partitions.length > 0) {
    writer.uint32(18);
    writer.uint32(packed(message.partitions, sizeUint32));
    for (const element of message.partitions) writer.uint32(element);
  }
}

function readTopicPartitions(reader: WireReader, end: number): TopicPartitions {
  let topicId: string = '';
  const partitions: number[] = [];
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        topicId = reader.text();
        break;
      case 16:
        partitions.push(reader.uint32());
        break;
      case 18:
        for (const last = reader.end(); reader.position < last; ) partitions.push(reader.uint32());
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { topicId, partitions };
}

export const TopicPartitions: Codec<TopicPartitions> = codec('millrace.v1.TopicPartitions', sizeTopicPartitions, writeTopicPartitions, readTopicPartitions);

/** A message that is absent has not changed since the last heartbeat. The first one, with epoch 0, carries all. */
export interface ConsumerGroupHeartbeatRequest {
  readonly header: RequestHeader;
  readonly groupId: string;
  readonly memberId: string;
  /** 0 joins, -1 leaves, -2 leaves for a while (static members only). */
  readonly memberEpoch: number;
  readonly groupInstanceId?: string | undefined;
  readonly rackId?: string | undefined;
  readonly rebalanceTimeoutMs?: number | undefined;
  readonly subscribedTopics?: TopicNames | undefined;
  /** Empty ends the subscription by pattern. */
  readonly subscribedTopicRegex?: string | undefined;
  readonly serverAssignor?: string | undefined;
  /** What the member holds and may process. */
  readonly held?: Assignment | undefined;
  /** Why the member leaves, or what slows it: kept in the history of the group. */
  readonly reason: string;
}

function sizeConsumerGroupHeartbeatRequest(message: ConsumerGroupHeartbeatRequest): number {
  let size = 0;
  size += 1 + sizePrefixed(sizeRequestHeader(message.header));
  if (message.groupId !== '') size += 1 + sizeText(message.groupId);
  if (message.memberId !== '') size += 1 + sizeText(message.memberId);
  if (message.memberEpoch !== 0) size += 1 + sizeSint32(message.memberEpoch);
  if (message.groupInstanceId !== undefined) size += 1 + sizeText(message.groupInstanceId);
  if (message.rackId !== undefined) size += 1 + sizeText(message.rackId);
  if (message.rebalanceTimeoutMs !== undefined) size += 1 + sizeUint32(message.rebalanceTimeoutMs);
  if (message.subscribedTopics !== undefined) size += 1 + sizePrefixed(sizeTopicNames(message.subscribedTopics));
  if (message.subscribedTopicRegex !== undefined) size += 1 + sizeText(message.subscribedTopicRegex);
  if (message.serverAssignor !== undefined) size += 1 + sizeText(message.serverAssignor);
  if (message.held !== undefined) size += 1 + sizePrefixed(sizeAssignment(message.held));
  if (message.reason !== '') size += 1 + sizeText(message.reason);
  return size;
}

function writeConsumerGroupHeartbeatRequest(message: ConsumerGroupHeartbeatRequest, writer: WireWriter): void {
  writer.uint32(10);
  writer.uint32(sizeRequestHeader(message.header));
  writeRequestHeader(message.header, writer);
  if (message.groupId !== '') {
    writer.uint32(18);
    writer.text(message.groupId);
  }
  if (message.memberId !== '') {
    writer.uint32(26);
    writer.text(message.memberId);
  }
  if (message.memberEpoch !== 0) {
    writer.uint32(32);
    writer.sint32(message.memberEpoch);
  }
  if (message.groupInstanceId !== undefined) {
    writer.uint32(42);
    writer.text(message.groupInstanceId);
  }
  if (message.rackId !== undefined) {
    writer.uint32(50);
    writer.text(message.rackId);
  }
  if (message.rebalanceTimeoutMs !== undefined) {
    writer.uint32(56);
    writer.uint32(message.rebalanceTimeoutMs);
  }
  if (message.subscribedTopics !== undefined) {
    writer.uint32(66);
    writer.uint32(sizeTopicNames(message.subscribedTopics));
    writeTopicNames(message.subscribedTopics, writer);
  }
  if (message.subscribedTopicRegex !== undefined) {
    writer.uint32(74);
    writer.text(message.subscribedTopicRegex);
  }
  if (message.serverAssignor !== undefined) {
    writer.uint32(82);
    writer.text(message.serverAssignor);
  }
  if (message.held !== undefined) {
    writer.uint32(90);
    writer.uint32(sizeAssignment(message.held));
    writeAssignment(message.held, writer);
  }
  if (message.reason !== '') {
    writer.uint32(98);
    writer.text(message.reason);
  }
}

function readConsumerGroupHeartbeatRequest(reader: WireReader, end: number): ConsumerGroupHeartbeatRequest {
  let header: RequestHeader | undefined;
  let groupId: string = '';
  let memberId: string = '';
  let memberEpoch: number = 0;
  let groupInstanceId: string | undefined;
  let rackId: string | undefined;
  let rebalanceTimeoutMs: number | undefined;
  let subscribedTopics: TopicNames | undefined;
  let subscribedTopicRegex: string | undefined;
  let serverAssignor: string | undefined;
  let held: Assignment | undefined;
  let reason: string = '';
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        header = readRequestHeader(reader, reader.nested());
        break;
      case 18:
        groupId = reader.text();
        break;
      case 26:
        memberId = reader.text();
        break;
      case 32:
        memberEpoch = reader.sint32();
        break;
      case 42:
        groupInstanceId = reader.text();
        break;
      case 50:
        rackId = reader.text();
        break;
      case 56:
        rebalanceTimeoutMs = reader.uint32();
        break;
      case 66:
        subscribedTopics = readTopicNames(reader, reader.nested());
        break;
      case 74:
        subscribedTopicRegex = reader.text();
        break;
      case 82:
        serverAssignor = reader.text();
        break;
      case 90:
        held = readAssignment(reader, reader.nested());
        break;
      case 98:
        reason = reader.text();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { header: header ?? readRequestHeader(reader, reader.position), groupId, memberId, memberEpoch, groupInstanceId, rackId, rebalanceTimeoutMs, subscribedTopics, subscribedTopicRegex, serverAssignor, held, reason };
}

export const ConsumerGroupHeartbeatRequest: Codec<ConsumerGroupHeartbeatRequest> = codec('millrace.v1.ConsumerGroupHeartbeatRequest', sizeConsumerGroupHeartbeatRequest, writeConsumerGroupHeartbeatRequest, readConsumerGroupHeartbeatRequest);

export interface TopicNames {
  readonly names: readonly string[];
}

function sizeTopicNames(message: TopicNames): number {
  let size = 0;
  for (const element of message.names) size += 1 + sizeText(element);
  return size;
}

function writeTopicNames(message: TopicNames, writer: WireWriter): void {
  for (const element of message.names) {
    writer.uint32(10);
    writer.text(element);
  }
}

function readTopicNames(reader: WireReader, end: number): TopicNames {
  const names: string[] = [];
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        names.push(reader.text());
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { names };
}

export const TopicNames: Codec<TopicNames> = codec('millrace.v1.TopicNames', sizeTopicNames, writeTopicNames, readTopicNames);

export interface Assignment {
  readonly topics: readonly TopicPartitions[];
}

function sizeAssignment(message: Assignment): number {
  let size = 0;
  for (const element of message.topics) size += 1 + sizePrefixed(sizeTopicPartitions(element));
  return size;
}

function writeAssignment(message: Assignment, writer: WireWriter): void {
  for (const element of message.topics) {
    writer.uint32(10);
    writer.uint32(sizeTopicPartitions(element));
    writeTopicPartitions(element, writer);
  }
}

function readAssignment(reader: WireReader, end: number): Assignment {
  const topics: TopicPartitions[] = [];
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        topics.push(readTopicPartitions(reader, reader.nested()));
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { topics };
}

export const Assignment: Codec<Assignment> = codec('millrace.v1.Assignment', sizeAssignment, writeAssignment, readAssignment);

export interface ConsumerGroupHeartbeatResponse {
  readonly failure?: Failure | undefined;
  readonly memberId: string;
  readonly memberEpoch: number;
  readonly heartbeatIntervalMs: number;
  /** Absent: as it was told before. */
  readonly assignment?: Assignment | undefined;
  /** A member that was not heard for so long is a member no more. Absent in refusals. */
  readonly sessionTimeoutMs?: number | undefined;
}

function sizeConsumerGroupHeartbeatResponse(message: ConsumerGroupHeartbeatResponse): number {
  let size = 0;
  if (message.failure !== undefined) size += 1 + sizePrefixed(sizeFailure(message.failure));
  if (message.memberId !== '') size += 1 + sizeText(message.memberId);
  if (message.memberEpoch !== 0) size += 1 + sizeSint32(message.memberEpoch);
  if (message.heartbeatIntervalMs !== 0) size += 1 + sizeUint32(message.heartbeatIntervalMs);
  if (message.assignment !== undefined) size += 1 + sizePrefixed(sizeAssignment(message.assignment));
  if (message.sessionTimeoutMs !== undefined) size += 1 + sizeUint32(message.sessionTimeoutMs);
  return size;
}

function writeConsumerGroupHeartbeatResponse(message: ConsumerGroupHeartbeatResponse, writer: WireWriter): void {
  if (message.failure !== undefined) {
    writer.uint32(10);
    writer.uint32(sizeFailure(message.failure));
    writeFailure(message.failure, writer);
  }
  if (message.memberId !== '') {
    writer.uint32(18);
    writer.text(message.memberId);
  }
  if (message.memberEpoch !== 0) {
    writer.uint32(24);
    writer.sint32(message.memberEpoch);
  }
  if (message.heartbeatIntervalMs !== 0) {
    writer.uint32(32);
    writer.uint32(message.heartbeatIntervalMs);
  }
  if (message.assignment !== undefined) {
    writer.uint32(42);
    writer.uint32(sizeAssignment(message.assignment));
    writeAssignment(message.assignment, writer);
  }
  if (message.sessionTimeoutMs !== undefined) {
    writer.uint32(48);
    writer.uint32(message.sessionTimeoutMs);
  }
}

function readConsumerGroupHeartbeatResponse(reader: WireReader, end: number): ConsumerGroupHeartbeatResponse {
  let failure: Failure | undefined;
  let memberId: string = '';
  let memberEpoch: number = 0;
  let heartbeatIntervalMs: number = 0;
  let assignment: Assignment | undefined;
  let sessionTimeoutMs: number | undefined;
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        failure = readFailure(reader, reader.nested());
        break;
      case 18:
        memberId = reader.text();
        break;
      case 24:
        memberEpoch = reader.sint32();
        break;
      case 32:
        heartbeatIntervalMs = reader.uint32();
        break;
      case 42:
        assignment = readAssignment(reader, reader.nested());
        break;
      case 48:
        sessionTimeoutMs = reader.uint32();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { failure, memberId, memberEpoch, heartbeatIntervalMs, assignment, sessionTimeoutMs };
}

export const ConsumerGroupHeartbeatResponse: Codec<ConsumerGroupHeartbeatResponse> = codec('millrace.v1.ConsumerGroupHeartbeatResponse', sizeConsumerGroupHeartbeatResponse, writeConsumerGroupHeartbeatResponse, readConsumerGroupHeartbeatResponse);

export interface CommitOffsetsRequest {
  readonly header: RequestHeader;
  readonly groupId: string;
  /** Member epoch; -1 for who commits without being a member. */
  readonly memberEpoch: number;
  readonly memberId: string;
  readonly groupInstanceId?: string | undefined;
  readonly offsets: readonly OffsetToCommit[];
  /** Absent: whatever arrives last counts. */
  readonly sequence?: CommitSequence | undefined;
}

function sizeCommitOffsetsRequest(message: CommitOffsetsRequest): number {
  let size = 0;
  size += 1 + sizePrefixed(sizeRequestHeader(message.header));
  if (message.groupId !== '') size += 1 + sizeText(message.groupId);
  if (message.memberEpoch !== 0) size += 1 + sizeSint32(message.memberEpoch);
  if (message.memberId !== '') size += 1 + sizeText(message.memberId);
  if (message.groupInstanceId !== undefined) size += 1 + sizeText(message.groupInstanceId);
  for (const element of message.offsets) size += 1 + sizePrefixed(sizeOffsetToCommit(element));
  if (message.sequence !== undefined) size += 1 + sizePrefixed(sizeCommitSequence(message.sequence));
  return size;
}

function writeCommitOffsetsRequest(message: CommitOffsetsRequest, writer: WireWriter): void {
  writer.uint32(10);
  writer.uint32(sizeRequestHeader(message.header));
  writeRequestHeader(message.header, writer);
  if (message.groupId !== '') {
    writer.uint32(18);
    writer.text(message.groupId);
  }
  if (message.memberEpoch !== 0) {
    writer.uint32(24);
    writer.sint32(message.memberEpoch);
  }
  if (message.memberId !== '') {
    writer.uint32(34);
    writer.text(message.memberId);
  }
  if (message.groupInstanceId !== undefined) {
    writer.uint32(42);
    writer.text(message.groupInstanceId);
  }
  for (const element of message.offsets) {
    writer.uint32(50);
    writer.uint32(sizeOffsetToCommit(element));
    writeOffsetToCommit(element, writer);
  }
  if (message.sequence !== undefined) {
    writer.uint32(58);
    writer.uint32(sizeCommitSequence(message.sequence));
    writeCommitSequence(message.sequence, writer);
  }
}

function readCommitOffsetsRequest(reader: WireReader, end: number): CommitOffsetsRequest {
  let header: RequestHeader | undefined;
  let groupId: string = '';
  let memberEpoch: number = 0;
  let memberId: string = '';
  let groupInstanceId: string | undefined;
  const offsets: OffsetToCommit[] = [];
  let sequence: CommitSequence | undefined;
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        header = readRequestHeader(reader, reader.nested());
        break;
      case 18:
        groupId = reader.text();
        break;
      case 24:
        memberEpoch = reader.sint32();
        break;
      case 34:
        memberId = reader.text();
        break;
      case 42:
        groupInstanceId = reader.text();
        break;
      case 50:
        offsets.push(readOffsetToCommit(reader, reader.nested()));
        break;
      case 58:
        sequence = readCommitSequence(reader, reader.nested());
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { header: header ?? readRequestHeader(reader, reader.position), groupId, memberEpoch, memberId, groupInstanceId, offsets, sequence };
}

export const CommitOffsetsRequest: Codec<CommitOffsetsRequest> = codec('millrace.v1.CommitOffsetsRequest', sizeCommitOffsetsRequest, writeCommitOffsetsRequest, readCommitOffsetsRequest);

/** The place of a commit among those of one sender: one that took a slower way than a newer one is refused. */
export interface CommitSequence {
  /** Chosen by the sender: a UUID for each of its lives. */
  readonly senderId: string;
  /** Grows with every request. */
  readonly number: number;
}

function sizeCommitSequence(message: CommitSequence): number {
  let size = 0;
  if (message.senderId !== '') size += 1 + sizeText(message.senderId);
  if (message.number !== 0) size += 1 + sizeUint64(message.number);
  return size;
}

function writeCommitSequence(message: CommitSequence, writer: WireWriter): void {
  if (message.senderId !== '') {
    writer.uint32(10);
    writer.text(message.senderId);
  }
  if (message.number !== 0) {
    writer.uint32(16);
    writer.uint64(message.number);
  }
}

function readCommitSequence(reader: WireReader, end: number): CommitSequence {
  let senderId: string = '';
  let number: number = 0;
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        senderId = reader.text();
        break;
      case 16:
        number = reader.uint64();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { senderId, number };
}

export const CommitSequence: Codec<CommitSequence> = codec('millrace.v1.CommitSequence', sizeCommitSequence, writeCommitSequence, readCommitSequence);

export interface OffsetToCommit {
  readonly topic: string;
  readonly partition: number;
  /** The next offset to read. */
  readonly offset: number;
  readonly leaderEpoch: number;
  readonly metadata: string;
  /** Of the topic that was read: refused with UNKNOWN_TOPIC_ID once another one has its name. Absent: whichever has it. */
  readonly topicId?: string | undefined;
}

function sizeOffsetToCommit(message: OffsetToCommit): number {
  let size = 0;
  if (message.topic !== '') size += 1 + sizeText(message.topic);
  if (message.partition !== 0) size += 1 + sizeUint32(message.partition);
  if (message.offset !== 0) size += 1 + sizeInt64(message.offset);
  if (message.leaderEpoch !== 0) size += 1 + sizeSint32(message.leaderEpoch);
  if (message.metadata !== '') size += 1 + sizeText(message.metadata);
  if (message.topicId !== undefined) size += 1 + sizeText(message.topicId);
  return size;
}

function writeOffsetToCommit(message: OffsetToCommit, writer: WireWriter): void {
  if (message.topic !== '') {
    writer.uint32(10);
    writer.text(message.topic);
  }
  if (message.partition !== 0) {
    writer.uint32(16);
    writer.uint32(message.partition);
  }
  if (message.offset !== 0) {
    writer.uint32(24);
    writer.int64(message.offset);
  }
  if (message.leaderEpoch !== 0) {
    writer.uint32(32);
    writer.sint32(message.leaderEpoch);
  }
  if (message.metadata !== '') {
    writer.uint32(42);
    writer.text(message.metadata);
  }
  if (message.topicId !== undefined) {
    writer.uint32(50);
    writer.text(message.topicId);
  }
}

function readOffsetToCommit(reader: WireReader, end: number): OffsetToCommit {
  let topic: string = '';
  let partition: number = 0;
  let offset: number = 0;
  let leaderEpoch: number = 0;
  let metadata: string = '';
  let topicId: string | undefined;
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        topic = reader.text();
        break;
      case 16:
        partition = reader.uint32();
        break;
      case 24:
        offset = reader.int64();
        break;
      case 32:
        leaderEpoch = reader.sint32();
        break;
      case 42:
        metadata = reader.text();
        break;
      case 50:
        topicId = reader.text();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { topic, partition, offset, leaderEpoch, metadata, topicId };
}

export const OffsetToCommit: Codec<OffsetToCommit> = codec('millrace.v1.OffsetToCommit', sizeOffsetToCommit, writeOffsetToCommit, readOffsetToCommit);

export interface CommitOffsetsResponse {
  readonly correlationId: number;
  readonly failure?: Failure | undefined;
  /** In the order of the request, unless the request as a whole failed. */
  readonly offsets: readonly PartitionOutcome[];
}

function sizeCommitOffsetsResponse(message: CommitOffsetsResponse): number {
  let size = 0;
  if (message.correlationId !== 0) size += 1 + sizeUint64(message.correlationId);
  if (message.failure !== undefined) size += 1 + sizePrefixed(sizeFailure(message.failure));
  for (const element of message.offsets) size += 1 + sizePrefixed(sizePartitionOutcome(element));
  return size;
}

function writeCommitOffsetsResponse(message: CommitOffsetsResponse, writer: WireWriter): void {
  if (message.correlationId !== 0) {
    writer.uint32(8);
    writer.uint64(message.correlationId);
  }
  if (message.failure !== undefined) {
    writer.uint32(18);
    writer.uint32(sizeFailure(message.failure));
    writeFailure(message.failure, writer);
  }
  for (const element of message.offsets) {
    writer.uint32(26);
    writer.uint32(sizePartitionOutcome(element));
    writePartitionOutcome(element, writer);
  }
}

function readCommitOffsetsResponse(reader: WireReader, end: number): CommitOffsetsResponse {
  let correlationId: number = 0;
  let failure: Failure | undefined;
  const offsets: PartitionOutcome[] = [];
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 8:
        correlationId = reader.uint64();
        break;
      case 18:
        failure = readFailure(reader, reader.nested());
        break;
      case 26:
        offsets.push(readPartitionOutcome(reader, reader.nested()));
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { correlationId, failure, offsets };
}

export const CommitOffsetsResponse: Codec<CommitOffsetsResponse> = codec('millrace.v1.CommitOffsetsResponse', sizeCommitOffsetsResponse, writeCommitOffsetsResponse, readCommitOffsetsResponse);

export interface PartitionOutcome {
  readonly topic: string;
  readonly partition: number;
  readonly failure?: Failure | undefined;
}

function sizePartitionOutcome(message: PartitionOutcome): number {
  let size = 0;
  if (message.topic !== '') size += 1 + sizeText(message.topic);
  if (message.partition !== 0) size += 1 + sizeUint32(message.partition);
  if (message.failure !== undefined) size += 1 + sizePrefixed(sizeFailure(message.failure));
  return size;
}

function writePartitionOutcome(message: PartitionOutcome, writer: WireWriter): void {
  if (message.topic !== '') {
    writer.uint32(10);
    writer.text(message.topic);
  }
  if (message.partition !== 0) {
    writer.uint32(16);
    writer.uint32(message.partition);
  }
  if (message.failure !== undefined) {
    writer.uint32(26);
    writer.uint32(sizeFailure(message.failure));
    writeFailure(message.failure, writer);
  }
}

function readPartitionOutcome(reader: WireReader, end: number): PartitionOutcome {
  let topic: string = '';
  let partition: number = 0;
  let failure: Failure | undefined;
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        topic = reader.text();
        break;
      case 16:
        partition = reader.uint32();
        break;
      case 26:
        failure = readFailure(reader, reader.nested());
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { topic, partition, failure };
}

export const PartitionOutcome: Codec<PartitionOutcome> = codec('millrace.v1.PartitionOutcome', sizePartitionOutcome, writePartitionOutcome, readPartitionOutcome);

export interface FetchOffsetsRequest {
  readonly header: RequestHeader;
  readonly groupId: string;
  /** Empty and -1 for who only looks. */
  readonly memberId: string;
  readonly memberEpoch: number;
  /** Every offset that the group has committed; `partitions` is ignored. */
  readonly all: boolean;
  readonly partitions: readonly TopicPartitionName[];
}

function sizeFetchOffsetsRequest(message: FetchOffsetsRequest): number {
  let size = 0;
  size += 1 + sizePrefixed(sizeRequestHeader(message.header));
  if (message.groupId !== '') size += 1 + sizeText(message.groupId);
  if (message.memberId !== '') size += 1 + sizeText(message.memberId);
  if (message.memberEpoch !== 0) size += 1 + sizeSint32(message.memberEpoch);
  if (message.all) size += 1 + sizeBool(message.all);
  for (const element of message.partitions) size += 1 + sizePrefixed(sizeTopicPartitionName(element));
  return size;
}

function writeFetchOffsetsRequest(message: FetchOffsetsRequest, writer: WireWriter): void {
  writer.uint32(10);
  writer.uint32(sizeRequestHeader(message.header));
  writeRequestHeader(message.header, writer);
  if (message.groupId !== '') {
    writer.uint32(18);
    writer.text(message.groupId);
  }
  if (message.memberId !== '') {
    writer.uint32(26);
    writer.text(message.memberId);
  }
  if (message.memberEpoch !== 0) {
    writer.uint32(32);
    writer.sint32(message.memberEpoch);
  }
  if (message.all) {
    writer.uint32(40);
    writer.bool(message.all);
  }
  for (const element of message.partitions) {
    writer.uint32(50);
    writer.uint32(sizeTopicPartitionName(element));
    writeTopicPartitionName(element, writer);
  }
}

function readFetchOffsetsRequest(reader: WireReader, end: number): FetchOffsetsRequest {
  let header: RequestHeader | undefined;
  let groupId: string = '';
  let memberId: string = '';
  let memberEpoch: number = 0;
  let all: boolean = false;
  const partitions: TopicPartitionName[] = [];
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        header = readRequestHeader(reader, reader.nested());
        break;
      case 18:
        groupId = reader.text();
        break;
      case 26:
        memberId = reader.text();
        break;
      case 32:
        memberEpoch = reader.sint32();
        break;
      case 40:
        all = reader.bool();
        break;
      case 50:
        partitions.push(readTopicPartitionName(reader, reader.nested()));
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { header: header ?? readRequestHeader(reader, reader.position), groupId, memberId, memberEpoch, all, partitions };
}

export const FetchOffsetsRequest: Codec<FetchOffsetsRequest> = codec('millrace.v1.FetchOffsetsRequest', sizeFetchOffsetsRequest, writeFetchOffsetsRequest, readFetchOffsetsRequest);

export interface FetchOffsetsResponse {
  readonly failure?: Failure | undefined;
  readonly offsets: readonly CommittedOffset[];
}

function sizeFetchOffsetsResponse(message: FetchOffsetsResponse): number {
  let size = 0;
  if (message.failure !== undefined) size += 1 + sizePrefixed(sizeFailure(message.failure));
  for (const element of message.offsets) size += 1 + sizePrefixed(sizeCommittedOffset(element));
  return size;
}

function writeFetchOffsetsResponse(message: FetchOffsetsResponse, writer: WireWriter): void {
  if (message.failure !== undefined) {
    writer.uint32(10);
    writer.uint32(sizeFailure(message.failure));
    writeFailure(message.failure, writer);
  }
  for (const element of message.offsets) {
    writer.uint32(18);
    writer.uint32(sizeCommittedOffset(element));
    writeCommittedOffset(element, writer);
  }
}

function readFetchOffsetsResponse(reader: WireReader, end: number): FetchOffsetsResponse {
  let failure: Failure | undefined;
  const offsets: CommittedOffset[] = [];
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        failure = readFailure(reader, reader.nested());
        break;
      case 18:
        offsets.push(readCommittedOffset(reader, reader.nested()));
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { failure, offsets };
}

export const FetchOffsetsResponse: Codec<FetchOffsetsResponse> = codec('millrace.v1.FetchOffsetsResponse', sizeFetchOffsetsResponse, writeFetchOffsetsResponse, readFetchOffsetsResponse);

export interface CommittedOffset {
  readonly topic: string;
  readonly partition: number;
  /** -1 where nothing is committed. */
  readonly offset: number;
  readonly leaderEpoch: number;
  readonly metadata: string;
  readonly committedAtMs: number;
}

function sizeCommittedOffset(message: CommittedOffset): number {
  let size = 0;
  if (message.topic !== '') size += 1 + sizeText(message.topic);
  if (message.partition !== 0) size += 1 + sizeUint32(message.partition);
  if (message.offset !== 0) size += 1 + sizeSint64(message.offset);
  if (message.leaderEpoch !== 0) size += 1 + sizeSint32(message.leaderEpoch);
  if (message.metadata !== '') size += 1 + sizeText(message.metadata);
  if (message.committedAtMs !== 0) size += 1 + sizeSint64(message.committedAtMs);
  return size;
}

function writeCommittedOffset(message: CommittedOffset, writer: WireWriter): void {
  if (message.topic !== '') {
    writer.uint32(10);
    writer.text(message.topic);
  }
  if (message.partition !== 0) {
    writer.uint32(16);
    writer.uint32(message.partition);
  }
  if (message.offset !== 0) {
    writer.uint32(24);
    writer.sint64(message.offset);
  }
  if (message.leaderEpoch !== 0) {
    writer.uint32(32);
    writer.sint32(message.leaderEpoch);
  }
  if (message.metadata !== '') {
    writer.uint32(42);
    writer.text(message.metadata);
  }
  if (message.committedAtMs !== 0) {
    writer.uint32(48);
    writer.sint64(message.committedAtMs);
  }
}

function readCommittedOffset(reader: WireReader, end: number): CommittedOffset {
  let topic: string = '';
  let partition: number = 0;
  let offset: number = 0;
  let leaderEpoch: number = 0;
  let metadata: string = '';
  let committedAtMs: number = 0;
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        topic = reader.text();
        break;
      case 16:
        partition = reader.uint32();
        break;
      case 24:
        offset = reader.sint64();
        break;
      case 32:
        leaderEpoch = reader.sint32();
        break;
      case 42:
        metadata = reader.text();
        break;
      case 48:
        committedAtMs = reader.sint64();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { topic, partition, offset, leaderEpoch, metadata, committedAtMs };
}

export const CommittedOffset: Codec<CommittedOffset> = codec('millrace.v1.CommittedOffset', sizeCommittedOffset, writeCommittedOffset, readCommittedOffset);

export interface DeleteOffsetsRequest {
  readonly header: RequestHeader;
  readonly groupId: string;
  readonly partitions: readonly TopicPartitionName[];
}

function sizeDeleteOffsetsRequest(message: DeleteOffsetsRequest): number {
  let size = 0;
  size += 1 + sizePrefixed(sizeRequestHeader(message.header));
  if (message.groupId !== '') size += 1 + sizeText(message.groupId);
  for (const element of message.partitions) size += 1 + sizePrefixed(sizeTopicPartitionName(element));
  return size;
}

function writeDeleteOffsetsRequest(message: DeleteOffsetsRequest, writer: WireWriter): void {
  writer.uint32(10);
  writer.uint32(sizeRequestHeader(message.header));
  writeRequestHeader(message.header, writer);
  if (message.groupId !== '') {
    writer.uint32(18);
    writer.text(message.groupId);
  }
  for (const element of message.partitions) {
    writer.uint32(26);
    writer.uint32(sizeTopicPartitionName(element));
    writeTopicPartitionName(element, writer);
  }
}

function readDeleteOffsetsRequest(reader: WireReader, end: number): DeleteOffsetsRequest {
  let header: RequestHeader | undefined;
  let groupId: string = '';
  const partitions: TopicPartitionName[] = [];
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        header = readRequestHeader(reader, reader.nested());
        break;
      case 18:
        groupId = reader.text();
        break;
      case 26:
        partitions.push(readTopicPartitionName(reader, reader.nested()));
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { header: header ?? readRequestHeader(reader, reader.position), groupId, partitions };
}

export const DeleteOffsetsRequest: Codec<DeleteOffsetsRequest> = codec('millrace.v1.DeleteOffsetsRequest', sizeDeleteOffsetsRequest, writeDeleteOffsetsRequest, readDeleteOffsetsRequest);

export interface DeleteOffsetsResponse {
  readonly failure?: Failure | undefined;
  readonly offsets: readonly PartitionOutcome[];
}

function sizeDeleteOffsetsResponse(message: DeleteOffsetsResponse): number {
  let size = 0;
  if (message.failure !== undefined) size += 1 + sizePrefixed(sizeFailure(message.failure));
  for (const element of message.offsets) size += 1 + sizePrefixed(sizePartitionOutcome(element));
  return size;
}

function writeDeleteOffsetsResponse(message: DeleteOffsetsResponse, writer: WireWriter): void {
  if (message.failure !== undefined) {
    writer.uint32(10);
    writer.uint32(sizeFailure(message.failure));
    writeFailure(message.failure, writer);
  }
  for (const element of message.offsets) {
    writer.uint32(18);
    writer.uint32(sizePartitionOutcome(element));
    writePartitionOutcome(element, writer);
  }
}

function readDeleteOffsetsResponse(reader: WireReader, end: number): DeleteOffsetsResponse {
  let failure: Failure | undefined;
  const offsets: PartitionOutcome[] = [];
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        failure = readFailure(reader, reader.nested());
        break;
      case 18:
        offsets.push(readPartitionOutcome(reader, reader.nested()));
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { failure, offsets };
}

export const DeleteOffsetsResponse: Codec<DeleteOffsetsResponse> = codec('millrace.v1.DeleteOffsetsResponse', sizeDeleteOffsetsResponse, writeDeleteOffsetsResponse, readDeleteOffsetsResponse);

export interface ListGroupsRequest {
  readonly header: RequestHeader;
  /** Empty lists do not restrict. */
  readonly states: readonly string[];
  readonly types: readonly string[];
}

function sizeListGroupsRequest(message: ListGroupsRequest): number {
  let size = 0;
  size += 1 + sizePrefixed(sizeRequestHeader(message.header));
  for (const element of message.states) size += 1 + sizeText(element);
  for (const element of message.types) size += 1 + sizeText(element);
  return size;
}

function writeListGroupsRequest(message: ListGroupsRequest, writer: WireWriter): void {
  writer.uint32(10);
  writer.uint32(sizeRequestHeader(message.header));
  writeRequestHeader(message.header, writer);
  for (const element of message.states) {
    writer.uint32(18);
    writer.text(element);
  }
  for (const element of message.types) {
    writer.uint32(26);
    writer.text(element);
  }
}

function readListGroupsRequest(reader: WireReader, end: number): ListGroupsRequest {
  let header: RequestHeader | undefined;
  const states: string[] = [];
  const types: string[] = [];
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        header = readRequestHeader(reader, reader.nested());
        break;
      case 18:
        states.push(reader.text());
        break;
      case 26:
        types.push(reader.text());
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { header: header ?? readRequestHeader(reader, reader.position), states, types };
}

export const ListGroupsRequest: Codec<ListGroupsRequest> = codec('millrace.v1.ListGroupsRequest', sizeListGroupsRequest, writeListGroupsRequest, readListGroupsRequest);

export interface ListGroupsResponse {
  readonly failure?: Failure | undefined;
  readonly groups: readonly GroupListing[];
}

function sizeListGroupsResponse(message: ListGroupsResponse): number {
  let size = 0;
  if (message.failure !== undefined) size += 1 + sizePrefixed(sizeFailure(message.failure));
  for (const element of message.groups) size += 1 + sizePrefixed(sizeGroupListing(element));
  return size;
}

function writeListGroupsResponse(message: ListGroupsResponse, writer: WireWriter): void {
  if (message.failure !== undefined) {
    writer.uint32(10);
    writer.uint32(sizeFailure(message.failure));
    writeFailure(message.failure, writer);
  }
  for (const element of message.groups) {
    writer.uint32(18);
    writer.uint32(sizeGroupListing(element));
    writeGroupListing(element, writer);
  }
}

function readListGroupsResponse(reader: WireReader, end: number): ListGroupsResponse {
  let failure: Failure | undefined;
  const groups: GroupListing[] = [];
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        failure = readFailure(reader, reader.nested());
        break;
      case 18:
        groups.push(readGroupListing(reader, reader.nested()));
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { failure, groups };
}

export const ListGroupsResponse: Codec<ListGroupsResponse> = codec('millrace.v1.ListGroupsResponse', sizeListGroupsResponse, writeListGroupsResponse, readListGroupsResponse);

export interface GroupListing {
  readonly groupId: string;
  /** "classic" or "consumer". */
  readonly type: string;
  readonly protocolType: string;
  readonly state: string;
}

function sizeGroupListing(message: GroupListing): number {
  let size = 0;
  if (message.groupId !== '') size += 1 + sizeText(message.groupId);
  if (message.type !== '') size += 1 + sizeText(message.type);
  if (message.protocolType !== '') size += 1 + sizeText(message.protocolType);
  if (message.state !== '') size += 1 + sizeText(message.state);
  return size;
}

function writeGroupListing(message: GroupListing, writer: WireWriter): void {
  if (message.groupId !== '') {
    writer.uint32(10);
    writer.text(message.groupId);
  }
  if (message.type !== '') {
    writer.uint32(18);
    writer.text(message.type);
  }
  if (message.protocolType !== '') {
    writer.uint32(26);
    writer.text(message.protocolType);
  }
  if (message.state !== '') {
    writer.uint32(34);
    writer.text(message.state);
  }
}

function readGroupListing(reader: WireReader, end: number): GroupListing {
  let groupId: string = '';
  let type: string = '';
  let protocolType: string = '';
  let state: string = '';
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        groupId = reader.text();
        break;
      case 18:
        type = reader.text();
        break;
      case 26:
        protocolType = reader.text();
        break;
      case 34:
        state = reader.text();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { groupId, type, protocolType, state };
}

export const GroupListing: Codec<GroupListing> = codec('millrace.v1.GroupListing', sizeGroupListing, writeGroupListing, readGroupListing);

export interface DescribeGroupsRequest {
  readonly header: RequestHeader;
  readonly groupIds: readonly string[];
}

function sizeDescribeGroupsRequest(message: DescribeGroupsRequest): number {
  let size = 0;
  size += 1 + sizePrefixed(sizeRequestHeader(message.header));
  for (const element of message.groupIds) size += 1 + sizeText(element);
  return size;
}

function writeDescribeGroupsRequest(message: DescribeGroupsRequest, writer: WireWriter): void {
  writer.uint32(10);
  writer.uint32(sizeRequestHeader(message.header));
  writeRequestHeader(message.header, writer);
  for (const element of message.groupIds) {
    writer.uint32(18);
    writer.text(element);
  }
}

function readDescribeGroupsRequest(reader: WireReader, end: number): DescribeGroupsRequest {
  let header: RequestHeader | undefined;
  const groupIds: string[] = [];
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        header = readRequestHeader(reader, reader.nested());
        break;
      case 18:
        groupIds.push(reader.text());
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { header: header ?? readRequestHeader(reader, reader.position), groupIds };
}

export const DescribeGroupsRequest: Codec<DescribeGroupsRequest> = codec('millrace.v1.DescribeGroupsRequest', sizeDescribeGroupsRequest, writeDescribeGroupsRequest, readDescribeGroupsRequest);

export interface DescribeGroupsResponse {
  readonly groups: readonly DescribedGroup[];
}

function sizeDescribeGroupsResponse(message: DescribeGroupsResponse): number {
  let size = 0;
  for (const element of message.groups) size += 1 + sizePrefixed(sizeDescribedGroup(element));
  return size;
}

function writeDescribeGroupsResponse(message: DescribeGroupsResponse, writer: WireWriter): void {
  for (const element of message.groups) {
    writer.uint32(10);
    writer.uint32(sizeDescribedGroup(element));
    writeDescribedGroup(element, writer);
  }
}

function readDescribeGroupsResponse(reader: WireReader, end: number): DescribeGroupsResponse {
  const groups: DescribedGroup[] = [];
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        groups.push(readDescribedGroup(reader, reader.nested()));
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { groups };
}

export const DescribeGroupsResponse: Codec<DescribeGroupsResponse> = codec('millrace.v1.DescribeGroupsResponse', sizeDescribeGroupsResponse, writeDescribeGroupsResponse, readDescribeGroupsResponse);

export interface DescribedGroup {
  readonly groupId: string;
  readonly failure?: Failure | undefined;
  readonly type: string;
  readonly protocolType: string;
  readonly state: string;
  readonly epoch: number;
  readonly assignmentEpoch: number;
  readonly assignor: string;
  readonly members: readonly DescribedMember[];
}

function sizeDescribedGroup(message: DescribedGroup): number {
  let size = 0;
  if (message.groupId !== '') size += 1 + sizeText(message.groupId);
  if (message.failure !== undefined) size += 1 + sizePrefixed(sizeFailure(message.failure));
  if (message.type !== '') size += 1 + sizeText(message.type);
  if (message.protocolType !== '') size += 1 + sizeText(message.protocolType);
  if (message.state !== '') size += 1 + sizeText(message.state);
  if (message.epoch !== 0) size += 1 + sizeSint32(message.epoch);
  if (message.assignmentEpoch !== 0) size += 1 + sizeSint32(message.assignmentEpoch);
  if (message.assignor !== '') size += 1 + sizeText(message.assignor);
  for (const element of message.members) size += 1 + sizePrefixed(sizeDescribedMember(element));
  return size;
}

function writeDescribedGroup(message: DescribedGroup, writer: WireWriter): void {
  if (message.groupId !== '') {
    writer.uint32(10);
    writer.text(message.groupId);
  }
  if (message.failure !== undefined) {
    writer.uint32(18);
    writer.uint32(sizeFailure(message.failure));
    writeFailure(message.failure, writer);
  }
  if (message.type !== '') {
    writer.uint32(26);
    writer.text(message.type);
  }
  if (message.protocolType !== '') {
    writer.uint32(34);
    writer.text(message.protocolType);
  }
  if (message.state !== '') {
    writer.uint32(42);
    writer.text(message.state);
  }
  if (message.epoch !== 0) {
    writer.uint32(48);
    writer.sint32(message.epoch);
  }
  if (message.assignmentEpoch !== 0) {
    writer.uint32(56);
    writer.sint32(message.assignmentEpoch);
  }
  if (message.assignor !== '') {
    writer.uint32(66);
    writer.text(message.assignor);
  }
  for (const element of message.members) {
    writer.uint32(74);
    writer.uint32(sizeDescribedMember(element));
    writeDescribedMember(element, writer);
  }
}

function readDescribedGroup(reader: WireReader, end: number): DescribedGroup {
  let groupId: string = '';
  let failure: Failure | undefined;
  let type: string = '';
  let protocolType: string = '';
  let state: string = '';
  let epoch: number = 0;
  let assignmentEpoch: number = 0;
  let assignor: string = '';
  const members: DescribedMember[] = [];
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        groupId = reader.text();
        break;
      case 18:
        failure = readFailure(reader, reader.nested());
        break;
      case 26:
        type = reader.text();
        break;
      case 34:
        protocolType = reader.text();
        break;
      case 42:
        state = reader.text();
        break;
      case 48:
        epoch = reader.sint32();
        break;
      case 56:
        assignmentEpoch = reader.sint32();
        break;
      case 66:
        assignor = reader.text();
        break;
      case 74:
        members.push(readDescribedMember(reader, reader.nested()));
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { groupId, failure, type, protocolType, state, epoch, assignmentEpoch, assignor, members };
}

export const DescribedGroup: Codec<DescribedGroup> = codec('millrace.v1.DescribedGroup', sizeDescribedGroup, writeDescribedGroup, readDescribedGroup);

export interface DescribedMember {
  readonly memberId: string;
  readonly groupInstanceId: string;
  readonly rackId: string;
  readonly memberEpoch: number;
  readonly type: string;
  readonly clientId: string;
  readonly clientHost: string;
  readonly subscribedTopicNames: readonly string[];
  readonly subscribedTopicRegex: string;
  readonly assignment: readonly DescribedAssignment[];
  readonly targetAssignment: readonly DescribedAssignment[];
}

function sizeDescribedMember(message: DescribedMember): number {
  let size = 0;
  if (message.memberId !== '') size += 1 + sizeText(message.memberId);
  if (message.groupInstanceId !== '') size += 1 + sizeText(message.groupInstanceId);
  if (message.rackId !== '') size += 1 + sizeText(message.rackId);
  if (message.memberEpoch !== 0) size += 1 + sizeSint32(message.memberEpoch);
  if (message.type !== '') size += 1 + sizeText(message.type);
  if (message.clientId !== '') size += 1 + sizeText(message.clientId);
  if (message.clientHost !== '') size += 1 + sizeText(message.clientHost);
  for (const element of message.subscribedTopicNames) size += 1 + sizeText(element);
  if (message.subscribedTopicRegex !== '') size += 1 + sizeText(message.subscribedTopicRegex);
  for (const element of message.assignment) size += 1 + sizePrefixed(sizeDescribedAssignment(element));
  for (const element of message.targetAssignment) size += 1 + sizePrefixed(sizeDescribedAssignment(element));
  return size;
}

function writeDescribedMember(message: DescribedMember, writer: WireWriter): void {
  if (message.memberId !== '') {
    writer.uint32(10);
    writer.text(message.memberId);
  }
  if (message.groupInstanceId !== '') {
    writer.uint32(18);
    writer.text(message.groupInstanceId);
  }
  if (message.rackId !== '') {
    writer.uint32(26);
    writer.text(message.rackId);
  }
  if (message.memberEpoch !== 0) {
    writer.uint32(32);
    writer.sint32(message.memberEpoch);
  }
  if (message.type !== '') {
    writer.uint32(42);
    writer.text(message.type);
  }
  if (message.clientId !== '') {
    writer.uint32(50);
    writer.text(message.clientId);
  }
  if (message.clientHost !== '') {
    writer.uint32(58);
    writer.text(message.clientHost);
  }
  for (const element of message.subscribedTopicNames) {
    writer.uint32(66);
    writer.text(element);
  }
  if (message.subscribedTopicRegex !== '') {
    writer.uint32(74);
    writer.text(message.subscribedTopicRegex);
  }
  for (const element of message.assignment) {
    writer.uint32(82);
    writer.uint32(sizeDescribedAssignment(element));
    writeDescribedAssignment(element, writer);
  }
  for (const element of message.targetAssignment) {
    writer.uint32(90);
    writer.uint32(sizeDescribedAssignment(element));
    writeDescribedAssignment(element, writer);
  }
}

function readDescribedMember(reader: WireReader, end: number): DescribedMember {
  let memberId: string = '';
  let groupInstanceId: string = '';
  let rackId: string = '';
  let memberEpoch: number = 0;
  let type: string = '';
  let clientId: string = '';
  let clientHost: string = '';
  const subscribedTopicNames: string[] = [];
  let subscribedTopicRegex: string = '';
  const assignment: DescribedAssignment[] = [];
  const targetAssignment: DescribedAssignment[] = [];
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        memberId = reader.text();
        break;
      case 18:
        groupInstanceId = reader.text();
        break;
      case 26:
        rackId = reader.text();
        break;
      case 32:
        memberEpoch = reader.sint32();
        break;
      case 42:
        type = reader.text();
        break;
      case 50:
        clientId = reader.text();
        break;
      case 58:
        clientHost = reader.text();
        break;
      case 66:
        subscribedTopicNames.push(reader.text());
        break;
      case 74:
        subscribedTopicRegex = reader.text();
        break;
      case 82:
        assignment.push(readDescribedAssignment(reader, reader.nested()));
        break;
      case 90:
        targetAssignment.push(readDescribedAssignment(reader, reader.nested()));
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { memberId, groupInstanceId, rackId, memberEpoch, type, clientId, clientHost, subscribedTopicNames, subscribedTopicRegex, assignment, targetAssignment };
}

export const DescribedMember: Codec<DescribedMember> = codec('millrace.v1.DescribedMember', sizeDescribedMember, writeDescribedMember, readDescribedMember);

export interface DescribedAssignment {
  readonly topic: string;
  readonly topicId: string;
  readonly partitions: readonly number[];
}

function sizeDescribedAssignment(message: DescribedAssignment): number {
  let size = 0;
  if (message.topic !== '') size += 1 + sizeText(message.topic);
  if (message.topicId !== '') size += 1 + sizeText(message.topicId);
  if (message.partitions.length > 0) size += 1 + sizePrefixed(packed(message.partitions, sizeUint32));
  return size;
}

function writeDescribedAssignment(message: DescribedAssignment, writer: WireWriter): void {
  if (message.topic !== '') {
    writer.uint32(10);
    writer.text(message.topic);
  }
  if (message.topicId !== '') {
    writer.uint32(18);
    writer.text(message.topicId);
  }
  if (message.partitions.length > 0) {
    writer.uint32(26);
    writer.uint32(packed(message.partitions, sizeUint32));
    for (const element of message.partitions) writer.uint32(element);
  }
}

function readDescribedAssignment(reader: WireReader, end: number): DescribedAssignment {
  let topic: string = '';
  let topicId: string = '';
  const partitions: number[] = [];
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        topic = reader.text();
        break;
      case 18:
        topicId = reader.text();
        break;
      case 24:
        partitions.push(reader.uint32());
        break;
      case 26:
        for (const last = reader.end(); reader.position < last; ) partitions.push(reader.uint32());
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { topic, topicId, partitions };
}

export const DescribedAssignment: Codec<DescribedAssignment> = codec('millrace.v1.DescribedAssignment', sizeDescribedAssignment, writeDescribedAssignment, readDescribedAssignment);

export interface ExplainGroupRequest {
  readonly header: RequestHeader;
  readonly groupId: string;
}

function sizeExplainGroupRequest(message: ExplainGroupRequest): number {
  let size = 0;
  size += 1 + sizePrefixed(sizeRequestHeader(message.header));
  if (message.groupId !== '') size += 1 + sizeText(message.groupId);
  return size;
}

function writeExplainGroupRequest(message: ExplainGroupRequest, writer: WireWriter): void {
  writer.uint32(10);
  writer.uint32(sizeRequestHeader(message.header));
  writeRequestHeader(message.header, writer);
  if (message.groupId !== '') {
    writer.uint32(18);
    writer.text(message.groupId);
  }
}

function readExplainGroupRequest(reader: WireReader, end: number): ExplainGroupRequest {
  let header: RequestHeader | undefined;
  let groupId: string = '';
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        header = readRequestHeader(reader, reader.nested());
        break;
      case 18:
        groupId = reader.text();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { header: header ?? readRequestHeader(reader, reader.position), groupId };
}

export const ExplainGroupRequest: Codec<ExplainGroupRequest> = codec('millrace.v1.ExplainGroupRequest', sizeExplainGroupRequest, writeExplainGroupRequest, readExplainGroupRequest);

export interface ExplainGroupResponse {
  readonly failure?: Failure | undefined;
  readonly type: string;
  readonly state: string;
  /** Oldest first. */
  readonly events: readonly GroupEvent[];
  /** That the bounded history has dropped. */
  readonly droppedEvents: number;
  readonly members: readonly MemberPause[];
}

function sizeExplainGroupResponse(message: ExplainGroupResponse): number {
  let size = 0;
  if (message.failure !== undefined) size += 1 + sizePrefixed(sizeFailure(message.failure));
  if (message.type !== '') size += 1 + sizeText(message.type);
  if (message.state !== '') size += 1 + sizeText(message.state);
  for (const element of message.events) size += 1 + sizePrefixed(sizeGroupEvent(element));
  if (message.droppedEvents !== 0) size += 1 + sizeUint64(message.droppedEvents);
  for (const element of message.members) size += 1 + sizePrefixed(sizeMemberPause(element));
  return size;
}

function writeExplainGroupResponse(message: ExplainGroupResponse, writer: WireWriter): void {
  if (message.failure !== undefined) {
    writer.uint32(10);
    writer.uint32(sizeFailure(message.failure));
    writeFailure(message.failure, writer);
  }
  if (message.type !== '') {
    writer.uint32(18);
    writer.text(message.type);
  }
  if (message.state !== '') {
    writer.uint32(26);
    writer.text(message.state);
  }
  for (const element of message.events) {
    writer.uint32(34);
    writer.uint32(sizeGroupEvent(element));
    writeGroupEvent(element, writer);
  }
  if (message.droppedEvents !== 0) {
    writer.uint32(40);
    writer.uint64(message.droppedEvents);
  }
  for (const element of message.members) {
    writer.uint32(50);
    writer.uint32(sizeMemberPause(element));
    writeMemberPause(element, writer);
  }
}

function readExplainGroupResponse(reader: WireReader, end: number): ExplainGroupResponse {
  let failure: Failure | undefined;
  let type: string = '';
  let state: string = '';
  const events: GroupEvent[] = [];
  let droppedEvents: number = 0;
  const members: MemberPause[] = [];
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        failure = readFailure(reader, reader.nested());
        break;
      case 18:
        type = reader.text();
        break;
      case 26:
        state = reader.text();
        break;
      case 34:
        events.push(readGroupEvent(reader, reader.nested()));
        break;
      case 40:
        droppedEvents = reader.uint64();
        break;
      case 50:
        members.push(readMemberPause(reader, reader.nested()));
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { failure, type, state, events, droppedEvents, members };
}

export const ExplainGroupResponse: Codec<ExplainGroupResponse> = codec('millrace.v1.ExplainGroupResponse', sizeExplainGroupResponse, writeExplainGroupResponse, readExplainGroupResponse);

export interface GroupEvent {
  readonly atMs: number;
  /** As in packages/groups/src/group-api.ts: "joined", "expired", "partitions-moved" ... */
  readonly kind: string;
  readonly epoch: number;
  readonly memberId: string;
  readonly clientId: string;
  readonly groupInstanceId: string;
  /** For people. */
  readonly cause: string;
  readonly gained: readonly DescribedAssignment[];
  readonly lost: readonly DescribedAssignment[];
  /** How long the member was without what it gained; -1 unknown. */
  readonly withoutMs: number;
}

function sizeGroupEvent(message: GroupEvent): number {
  let size = 0;
  if (message.atMs !== 0) size += 1 + sizeInt64(message.atMs);
  if (message.kind !== '') size += 1 + sizeText(message.kind);
  if (message.epoch !== 0) size += 1 + sizeSint32(message.epoch);
  if (message.memberId !== '') size += 1 + sizeText(message.memberId);
  if (message.clientId !== '') size += 1 + sizeText(message.clientId);
  if (message.groupInstanceId !== '') size += 1 + sizeText(message.groupInstanceId);
  if (message.cause !== '') size += 1 + sizeText(message.cause);
  for (const element of message.gained) size += 1 + sizePrefixed(sizeDescribedAssignment(element));
  for (const element of message.lost) size += 1 + sizePrefixed(sizeDescribedAssignment(element));
  if (message.withoutMs !== 0) size += 1 + sizeSint64(message.withoutMs);
  return size;
}

function writeGroupEvent(message: GroupEvent, writer: WireWriter): void {
  if (message.atMs !== 0) {
    writer.uint32(8);
    writer.int64(message.atMs);
  }
  if (message.kind !== '') {
    writer.uint32(18);
    writer.text(message.kind);
  }
  if (message.epoch !== 0) {
    writer.uint32(24);
    writer.sint32(message.epoch);
  }
  if (message.memberId !== '') {
    writer.uint32(34);
    writer.text(message.memberId);
  }
  if (message.clientId !== '') {
    writer.uint32(42);
    writer.text(message.clientId);
  }
  if (message.groupInstanceId !== '') {
    writer.uint32(50);
    writer.text(message.groupInstanceId);
  }
  if (message.cause !== '') {
    writer.uint32(58);
    writer.text(message.cause);
  }
  for (const element of message.gained) {
    writer.uint32(66);
    writer.uint32(sizeDescribedAssignment(element));
    writeDescribedAssignment(element, writer);
  }
  for (const element of message.lost) {
    writer.uint32(74);
    writer.uint32(sizeDescribedAssignment(element));
    writeDescribedAssignment(element, writer);
  }
  if (message.withoutMs !== 0) {
    writer.uint32(80);
    writer.sint64(message.withoutMs);
  }
}

function readGroupEvent(reader: WireReader, end: number): GroupEvent {
  let atMs: number = 0;
  let kind: string = '';
  let epoch: number = 0;
  let memberId: string = '';
  let clientId: string = '';
  let groupInstanceId: string = '';
  let cause: string = '';
  const gained: DescribedAssignment[] = [];
  const lost: DescribedAssignment[] = [];
  let withoutMs: number = 0;
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 8:
        atMs = reader.int64();
        break;
      case 18:
        kind = reader.text();
        break;
      case 24:
        epoch = reader.sint32();
        break;
      case 34:
        memberId = reader.text();
        break;
      case 42:
        clientId = reader.text();
        break;
      case 50:
        groupInstanceId = reader.text();
        break;
      case 58:
        cause = reader.text();
        break;
      case 66:
        gained.push(readDescribedAssignment(reader, reader.nested()));
        break;
      case 74:
        lost.push(readDescribedAssignment(reader, reader.nested()));
        break;
      case 80:
        withoutMs = reader.sint64();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { atMs, kind, epoch, memberId, clientId, groupInstanceId, cause, gained, lost, withoutMs };
}

export const GroupEvent: Codec<GroupEvent> = codec('millrace.v1.GroupEvent', sizeGroupEvent, writeGroupEvent, readGroupEvent);

export interface MemberPause {
  readonly memberId: string;
  readonly clientId: string;
  readonly rebalances: number;
  readonly waitedMs: number;
  readonly longestWaitMs: number;
}

function sizeMemberPause(message: MemberPause): number {
  let size = 0;
  if (message.memberId !== '') size += 1 + sizeText(message.memberId);
  if (message.clientId !== '') size += 1 + sizeText(message.clientId);
  if (message.rebalances !== 0) size += 1 + sizeUint32(message.rebalances);
  if (message.waitedMs !== 0) size += 1 + sizeInt64(message.waitedMs);
  if (message.longestWaitMs !== 0) size += 1 + sizeInt64(message.longestWaitMs);
  return size;
}

function writeMemberPause(message: MemberPause, writer: WireWriter): void {
  if (message.memberId !== '') {
    writer.uint32(10);
    writer.text(message.memberId);
  }
  if (message.clientId !== '') {
    writer.uint32(18);
    writer.text(message.clientId);
  }
  if (message.rebalances !== 0) {
    writer.uint32(24);
    writer.uint32(message.rebalances);
  }
  if (message.waitedMs !== 0) {
    writer.uint32(32);
    writer.int64(message.waitedMs);
  }
  if (message.longestWaitMs !== 0) {
    writer.uint32(40);
    writer.int64(message.longestWaitMs);
  }
}

function readMemberPause(reader: WireReader, end: number): MemberPause {
  let memberId: string = '';
  let clientId: string = '';
  let rebalances: number = 0;
  let waitedMs: number = 0;
  let longestWaitMs: number = 0;
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        memberId = reader.text();
        break;
      case 18:
        clientId = reader.text();
        break;
      case 24:
        rebalances = reader.uint32();
        break;
      case 32:
        waitedMs = reader.int64();
        break;
      case 40:
        longestWaitMs = reader.int64();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { memberId, clientId, rebalances, waitedMs, longestWaitMs };
}

export const MemberPause: Codec<MemberPause> = codec('millrace.v1.MemberPause', sizeMemberPause, writeMemberPause, readMemberPause);

export interface DeleteGroupsRequest {
  readonly header: RequestHeader;
  readonly groupIds: readonly string[];
}

function sizeDeleteGroupsRequest(message: DeleteGroupsRequest): number {
  let size = 0;
  size += 1 + sizePrefixed(sizeRequestHeader(message.header));
  for (const element of message.groupIds) size += 1 + sizeText(element);
  return size;
}

function writeDeleteGroupsRequest(message: DeleteGroupsRequest, writer: WireWriter): void {
  writer.uint32(10);
  writer.uint32(sizeRequestHeader(message.header));
  writeRequestHeader(message.header, writer);
  for (const element of message.groupIds) {
    writer.uint32(18);
    writer.text(element);
  }
}

function readDeleteGroupsRequest(reader: WireReader, end: number): DeleteGroupsRequest {
  let header: RequestHeader | undefined;
  const groupIds: string[] = [];
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        header = readRequestHeader(reader, reader.nested());
        break;
      case 18:
        groupIds.push(reader.text());
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { header: header ?? readRequestHeader(reader, reader.position), groupIds };
}

export const DeleteGroupsRequest: Codec<DeleteGroupsRequest> = codec('millrace.v1.DeleteGroupsRequest', sizeDeleteGroupsRequest, writeDeleteGroupsRequest, readDeleteGroupsRequest);

export interface DeleteGroupsResponse {
  readonly groups: readonly DeletedGroup[];
}

function sizeDeleteGroupsResponse(message: DeleteGroupsResponse): number {
  let size = 0;
  for (const element of message.groups) size += 1 + sizePrefixed(sizeDeletedGroup(element));
  return size;
}

function writeDeleteGroupsResponse(message: DeleteGroupsResponse, writer: WireWriter): void {
  for (const element of message.groups) {
    writer.uint32(10);
    writer.uint32(sizeDeletedGroup(element));
    writeDeletedGroup(element, writer);
  }
}

function readDeleteGroupsResponse(reader: WireReader, end: number): DeleteGroupsResponse {
  const groups: DeletedGroup[] = [];
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        groups.push(readDeletedGroup(reader, reader.nested()));
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { groups };
}

export const DeleteGroupsResponse: Codec<DeleteGroupsResponse> = codec('millrace.v1.DeleteGroupsResponse', sizeDeleteGroupsResponse, writeDeleteGroupsResponse, readDeleteGroupsResponse);

export interface DeletedGroup {
  readonly groupId: string;
  readonly failure?: Failure | undefined;
}

function sizeDeletedGroup(message: DeletedGroup): number {
  let size = 0;
  if (message.groupId !== '') size += 1 + sizeText(message.groupId);
  if (message.failure !== undefined) size += 1 + sizePrefixed(sizeFailure(message.failure));
  return size;
}

function writeDeletedGroup(message: DeletedGroup, writer: WireWriter): void {
  if (message.groupId !== '') {
    writer.uint32(10);
    writer.text(message.groupId);
  }
  if (message.failure !== undefined) {
    writer.uint32(18);
    writer.uint32(sizeFailure(message.failure));
    writeFailure(message.failure, writer);
  }
}

function readDeletedGroup(reader: WireReader, end: number): DeletedGroup {
  let groupId: string = '';
  let failure: Failure | undefined;
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        groupId = reader.text();
        break;
      case 18:
        failure = readFailure(reader, reader.nested());
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { groupId, failure };
}

export const DeletedGroup: Codec<DeletedGroup> = codec('millrace.v1.DeletedGroup', sizeDeletedGroup, writeDeletedGroup, readDeletedGroup);

export interface RaftFrame {
  /** First on every stream, and never again. */
  readonly greeting?: RaftGreeting | undefined;
  readonly hello?: RaftHello | undefined;
  readonly preVoteRequest?: RaftPreVoteRequest | undefined;
  readonly preVoteResponse?: RaftPreVoteResponse | undefined;
  readonly voteRequest?: RaftVoteRequest | undefined;
  readonly voteResponse?: RaftVoteResponse | undefined;
  readonly append?: RaftAppend | undefined;
  readonly appendResponse?: RaftAppendResponse | undefined;
  readonly heartbeat?: RaftHeartbeat | undefined;
  readonly heartbeatResponse?: RaftHeartbeatResponse | undefined;
  readonly snapshotChunk?: RaftSnapshotChunk | undefined;
  readonly snapshotResponse?: RaftSnapshotResponse | undefined;
  readonly timeoutNow?: RaftTimeoutNow | undefined;
}

function sizeRaftFrame(message: RaftFrame): number {
  let size = 0;
  if (message.greeting !== undefined) size += 1 + sizePrefixed(sizeRaftGreeting(message.greeting));
  if (message.hello !== undefined) size += 1 + sizePrefixed(sizeRaftHello(message.hello));
  if (message.preVoteRequest !== undefined) size += 1 + sizePrefixed(sizeRaftPreVoteRequest(message.preVoteRequest));
  if (message.preVoteResponse !== undefined) size += 1 + sizePrefixed(sizeRaftPreVoteResponse(message.preVoteResponse));
  if (message.voteRequest !== undefined) size += 1 + sizePrefixed(sizeRaftVoteRequest(message.voteRequest));
  if (message.voteResponse !== undefined) size += 1 + sizePrefixed(sizeRaftVoteResponse(message.voteResponse));
  if (message.append !== undefined) size += 1 + sizePrefixed(sizeRaftAppend(message.append));
  if (message.appendResponse !== undefined) size += 1 + sizePrefixed(sizeRaftAppendResponse(message.appendResponse));
  if (message.heartbeat !== undefined) size += 1 + sizePrefixed(sizeRaftHeartbeat(message.heartbeat));
  if (message.heartbeatResponse !== undefined) size += 1 + sizePrefixed(sizeRaftHeartbeatResponse(message.heartbeatResponse));
  if (message.snapshotChunk !== undefined) size += 1 + sizePrefixed(sizeRaftSnapshotChunk(message.snapshotChunk));
  if (message.snapshotResponse !== undefined) size += 1 + sizePrefixed(sizeRaftSnapshotResponse(message.snapshotResponse));
  if (message.timeoutNow !== undefined) size += 1 + sizePrefixed(sizeRaftTimeoutNow(message.timeoutNow));
  return size;
}

function writeRaftFrame(message: RaftFrame, writer: WireWriter): void {
  if (message.greeting !== undefined) {
    writer.uint32(10);
    writer.uint32(sizeRaftGreeting(message.greeting));
    writeRaftGreeting(message.greeting, writer);
  }
  if (message.hello !== undefined) {
    writer.uint32(18);
    writer.uint32(sizeRaftHello(message.hello));
    writeRaftHello(message.hello, writer);
  }
  if (message.preVoteRequest !== undefined) {
    writer.uint32(26);
    writer.uint32(sizeRaftPreVoteRequest(message.preVoteRequest));
    writeRaftPreVoteRequest(message.preVoteRequest, writer);
  }
  if (message.preVoteResponse !== undefined) {
    writer.uint32(34);
    writer.uint32(sizeRaftPreVoteResponse(message.preVoteResponse));
    writeRaftPreVoteResponse(message.preVoteResponse, writer);
  }
  if (message.voteRequest !== undefined) {
    writer.uint32(42);
    writer.uint32(sizeRaftVoteRequest(message.voteRequest));
    writeRaftVoteRequest(message.voteRequest, writer);
  }
  if (message.voteResponse !== undefined) {
    writer.uint32(50);
    writer.uint32(sizeRaftVoteResponse(message.voteResponse));
    writeRaftVoteResponse(message.voteResponse, writer);
  }
  if (message.append !== undefined) {
    writer.uint32(58);
    writer.uint32(sizeRaftAppend(message.append));
    writeRaftAppend(message.append, writer);
  }
  if (message.appendResponse !== undefined) {
    writer.uint32(66);
    writer.uint32(sizeRaftAppendResponse(message.appendResponse));
    writeRaftAppendResponse(message.appendResponse, writer);
  }
  if (message.heartbeat !== undefined) {
    writer.uint32(74);
    writer.uint32(sizeRaftHeartbeat(message.heartbeat));
    writeRaftHeartbeat(message.heartbeat, writer);
  }
  if (message.heartbeatResponse !== undefined) {
    writer.uint32(82);
    writer.uint32(sizeRaftHeartbeatResponse(message.heartbeatResponse));
    writeRaftHeartbeatResponse(message.heartbeatResponse, writer);
  }
  if (message.snapshotChunk !== undefined) {
    writer.uint32(90);
    writer.uint32(sizeRaftSnapshotChunk(message.snapshotChunk));
    writeRaftSnapshotChunk(message.snapshotChunk, writer);
  }
  if (message.snapshotResponse !== undefined) {
    writer.uint32(98);
    writer.uint32(sizeRaftSnapshotResponse(message.snapshotResponse));
    writeRaftSnapshotResponse(message.snapshotResponse, writer);
  }
  if (message.timeoutNow !== undefined) {
    writer.uint32(106);
    writer.uint32(sizeRaftTimeoutNow(message.timeoutNow));
    writeRaftTimeoutNow(message.timeoutNow, writer);
  }
}

function readRaftFrame(reader: WireReader, end: number): RaftFrame {
  let greeting: RaftGreeting | undefined;
  let hello: RaftHello | undefined;
  let preVoteRequest: RaftPreVoteRequest | undefined;
  let preVoteResponse: RaftPreVoteResponse | undefined;
  let voteRequest: RaftVoteRequest | undefined;
  let voteResponse: RaftVoteResponse | undefined;
  let append: RaftAppend | undefined;
  let appendResponse: RaftAppendResponse | undefined;
  let heartbeat: RaftHeartbeat | undefined;
  let heartbeatResponse: RaftHeartbeatResponse | undefined;
  let snapshotChunk: RaftSnapshotChunk | undefined;
  let snapshotResponse: RaftSnapshotResponse | undefined;
  let timeoutNow: RaftTimeoutNow | undefined;
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        greeting = readRaftGreeting(reader, reader.nested());
        break;
      case 18:
        hello = readRaftHello(reader, reader.nested());
        break;
      case 26:
        preVoteRequest = readRaftPreVoteRequest(reader, reader.nested());
        break;
      case 34:
        preVoteResponse = readRaftPreVoteResponse(reader, reader.nested());
        break;
      case 42:
        voteRequest = readRaftVoteRequest(reader, reader.nested());
        break;
      case 50:
        voteResponse = readRaftVoteResponse(reader, reader.nested());
        break;
      case 58:
        append = readRaftAppend(reader, reader.nested());
        break;
      case 66:
        appendResponse = readRaftAppendResponse(reader, reader.nested());
        break;
      case 74:
        heartbeat = readRaftHeartbeat(reader, reader.nested());
        break;
      case 82:
        heartbeatResponse = readRaftHeartbeatResponse(reader, reader.nested());
        break;
      case 90:
        snapshotChunk = readRaftSnapshotChunk(reader, reader.nested());
        break;
      case 98:
        snapshotResponse = readRaftSnapshotResponse(reader, reader.nested());
        break;
      case 106:
        timeoutNow = readRaftTimeoutNow(reader, reader.nested());
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { greeting, hello, preVoteRequest, preVoteResponse, voteRequest, voteResponse, append, appendResponse, heartbeat, heartbeatResponse, snapshotChunk, snapshotResponse, timeoutNow };
}

export const RaftFrame: Codec<RaftFrame> = codec('millrace.v1.RaftFrame', sizeRaftFrame, writeRaftFrame, readRaftFrame);

export interface RaftGreeting {
  /** Another cluster's node is refused (INCONSISTENT_CLUSTER_ID), and so is one that means another node (INVALID_REQUEST). */
  readonly clusterId: string;
  readonly from: number;
  /** Not looked at with to_any. */
  readonly to: number;
  /** The caller knows an address only and asks who listens there. */
  readonly toAny: boolean;
  /** host:port where the sender itself is reached; empty if it cannot say. */
  readonly address: string;
}

function sizeRaftGreeting(message: RaftGreeting): number {
  let size = 0;
  if (message.clusterId !== '') size += 1 + sizeText(message.clusterId);
  if (message.from !== 0) size += 1 + sizeUint32(message.from);
  if (message.to !== 0) size += 1 + sizeUint32(message.to);
  if (message.toAny) size += 1 + sizeBool(message.toAny);
  if (message.address !== '') size += 1 + sizeText(message.address);
  return size;
}

function writeRaftGreeting(message: RaftGreeting, writer: WireWriter): void {
  if (message.clusterId !== '') {
    writer.uint32(10);
    writer.text(message.clusterId);
  }
  if (message.from !== 0) {
    writer.uint32(16);
    writer.uint32(message.from);
  }
  if (message.to !== 0) {
    writer.uint32(24);
    writer.uint32(message.to);
  }
  if (message.toAny) {
    writer.uint32(32);
    writer.bool(message.toAny);
  }
  if (message.address !== '') {
    writer.uint32(42);
    writer.text(message.address);
  }
}

function readRaftGreeting(reader: WireReader, end: number): RaftGreeting {
  let clusterId: string = '';
  let from: number = 0;
  let to: number = 0;
  let toAny: boolean = false;
  let address: string = '';
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        clusterId = reader.text();
        break;
      case 16:
        from = reader.uint32();
        break;
      case 24:
        to = reader.uint32();
        break;
      case 32:
        toAny = reader.bool();
        break;
      case 42:
        address = reader.text();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { clusterId, from, to, toAny, address };
}

export const RaftGreeting: Codec<RaftGreeting> = codec('millrace.v1.RaftGreeting', sizeRaftGreeting, writeRaftGreeting, readRaftGreeting);

/** A voter is a directory on a node; the directory id is empty while it has not been learned. */
export interface RaftVoter {
  readonly id: number;
  readonly directoryId: string;
  /** host:port; empty where the configuration of every node has it. */
  readonly address: string;
}

function sizeRaftVoter(message: RaftVoter): number {
  let size = 0;
  if (message.id !== 0) size += 1 + sizeUint32(message.id);
  if (message.directoryId !== '') size += 1 + sizeText(message.directoryId);
  if (message.address !== '') size += 1 + sizeText(message.address);
  return size;
}

function writeRaftVoter(message: RaftVoter, writer: WireWriter): void {
  if (message.id !== 0) {
    writer.uint32(8);
    writer.uint32(message.id);
  }
  if (message.directoryId !== '') {
    writer.uint32(18);
    writer.text(message.directoryId);
  }
  if (message.address !== '') {
    writer.uint32(26);
    writer.text(message.address);
  }
}

function readRaftVoter(reader: WireReader, end: number): RaftVoter {
  let id: number = 0;
  let directoryId: string = '';
  let address: string = '';
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 8:
        id = reader.uint32();
        break;
      case 18:
        directoryId = reader.text();
        break;
      case 26:
        address = reader.text();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { id, directoryId, address };
}

export const RaftVoter: Codec<RaftVoter> = codec('millrace.v1.RaftVoter', sizeRaftVoter, writeRaftVoter, readRaftVoter);

export interface RaftEntry {
  readonly index: number;
  readonly term: number;
  /** A leader change opens a term and carries no data. */
  readonly leaderChange: boolean;
  readonly data: Buffer;
  /** The data is a voter set, in force from here on. */
  readonly voters: boolean;
}

function sizeRaftEntry(message: RaftEntry): number {
  let size = 0;
  if (message.index !== 0) size += 1 + sizeUint64(message.index);
  if (message.term !== 0) size += 1 + sizeUint64(message.term);
  if (message.leaderChange) size += 1 + sizeBool(message.leaderChange);
  if (message.data.length > 0) size += 1 + sizeBytes(message.data);
  if (message.voters) size += 1 + sizeBool(message.voters);
  return size;
}

function writeRaftEntry(message: RaftEntry, writer: WireWriter): void {
  if (message.index !== 0) {
    writer.uint32(8);
    writer.uint64(message.index);
  }
  if (message.term !== 0) {
    writer.uint32(16);
    writer.uint64(message.term);
  }
  if (message.leaderChange) {
    writer.uint32(24);
    writer.bool(message.leaderChange);
  }
  if (message.data.length > 0) {
    writer.uint32(34);
    writer.payload(message.data);
  }
  if (message.voters) {
    writer.uint32(40);
    writer.bool(message.voters);
  }
}

function readRaftEntry(reader: WireReader, end: number): RaftEntry {
  let index: number = 0;
  let term: number = 0;
  let leaderChange: boolean = false;
  let data: Buffer = NO_BYTES;
  let voters: boolean = false;
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 8:
        index = reader.uint64();
        break;
      case 16:
        term = reader.uint64();
        break;
      case 24:
        leaderChange = reader.bool();
        break;
      case 34:
        data = reader.payload();
        break;
      case 40:
        voters = reader.bool();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { index, term, leaderChange, data, voters };
}

export const RaftEntry: Codec<RaftEntry> = codec('millrace.v1.RaftEntry', sizeRaftEntry, writeRaftEntry, readRaftEntry);

/** In all messages: `term`, `directory_id` and `quorum_id` are the sender's; the last is empty while it is not known. */
export interface RaftHello {
  readonly term: number;
  readonly directoryId: string;
  readonly voters: readonly RaftVoter[];
  readonly answer: boolean;
  readonly quorumId: string;
}

function sizeRaftHello(message: RaftHello): number {
  let size = 0;
  if (message.term !== 0) size += 1 + sizeUint64(message.term);
  if (message.directoryId !== '') size += 1 + sizeText(message.directoryId);
  for (const element of message.voters) size += 1 + sizePrefixed(sizeRaftVoter(element));
  if (message.answer) size += 1 + sizeBool(message.answer);
  if (message.quorumId !== '') size += 1 + sizeText(message.quorumId);
  return size;
}

function writeRaftHello(message: RaftHello, writer: WireWriter): void {
  if (message.term !== 0) {
    writer.uint32(8);
    writer.uint64(message.term);
  }
  if (message.directoryId !== '') {
    writer.uint32(18);
    writer.text(message.directoryId);
  }
  for (const element of message.voters) {
    writer.uint32(26);
    writer.uint32(sizeRaftVoter(element));
    writeRaftVoter(element, writer);
  }
  if (message.answer) {
    writer.uint32(32);
    writer.bool(message.answer);
  }
  if (message.quorumId !== '') {
    writer.uint32(42);
    writer.text(message.quorumId);
  }
}

function readRaftHello(reader: WireReader, end: number): RaftHello {
  let term: number = 0;
  let directoryId: string = '';
  const voters: RaftVoter[] = [];
  let answer: boolean = false;
  let quorumId: string = '';
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 8:
        term = reader.uint64();
        break;
      case 18:
        directoryId = reader.text();
        break;
      case 26:
        voters.push(readRaftVoter(reader, reader.nested()));
        break;
      case 32:
        answer = reader.bool();
        break;
      case 42:
        quorumId = reader.text();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { term, directoryId, voters, answer, quorumId };
}

export const RaftHello: Codec<RaftHello> = codec('millrace.v1.RaftHello', sizeRaftHello, writeRaftHello, readRaftHello);

export interface RaftPreVoteRequest {
  readonly term: number;
  readonly directoryId: string;
  readonly lastIndex: number;
  readonly lastTerm: number;
  readonly quorumId: string;
}

function sizeRaftPreVoteRequest(message: RaftPreVoteRequest): number {
  let size = 0;
  if (message.term !== 0) size += 1 + sizeUint64(message.term);
  if (message.directoryId !== '') size += 1 + sizeText(message.directoryId);
  if (message.lastIndex !== 0) size += 1 + sizeUint64(message.lastIndex);
  if (message.lastTerm !== 0) size += 1 + sizeUint64(message.lastTerm);
  if (message.quorumId !== '') size += 1 + sizeText(message.quorumId);
  return size;
}

function writeRaftPreVoteRequest(message: RaftPreVoteRequest, writer: WireWriter): void {
  if (message.term !== 0) {
    writer.uint32(8);
    writer.uint64(message.term);
  }
  if (message.directoryId !== '') {
    writer.uint32(18);
    writer.text(message.directoryId);
  }
  if (message.lastIndex !== 0) {
    writer.uint32(24);
    writer.uint64(message.lastIndex);
  }
  if (message.lastTerm !== 0) {
    writer.uint32(32);
    writer.uint64(message.lastTerm);
  }
  if (message.quorumId !== '') {
    writer.uint32(42);
    writer.text(message.quorumId);
  }
}

function readRaftPreVoteRequest(reader: WireReader, end: number): RaftPreVoteRequest {
  let term: number = 0;
  let directoryId: string = '';
  let lastIndex: number = 0;
  let lastTerm: number = 0;
  let quorumId: string = '';
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 8:
        term = reader.uint64();
        break;
      case 18:
        directoryId = reader.text();
        break;
      case 24:
        lastIndex = reader.uint64();
        break;
      case 32:
        lastTerm = reader.uint64();
        break;
      case 42:
        quorumId = reader.text();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { term, directoryId, lastIndex, lastTerm, quorumId };
}

export const RaftPreVoteRequest: Codec<RaftPreVoteRequest> = codec('millrace.v1.RaftPreVoteRequest', sizeRaftPreVoteRequest, writeRaftPreVoteRequest, readRaftPreVoteRequest);

export interface RaftPreVoteResponse {
  readonly term: number;
  readonly directoryId: string;
  readonly granted: boolean;
  readonly quorumId: string;
}

function sizeRaftPreVoteResponse(message: RaftPreVoteResponse): number {
  let size = 0;
  if (message.term !== 0) size += 1 + sizeUint64(message.term);
  if (message.directoryId !== '') size += 1 + sizeText(message.directoryId);
  if (message.granted) size += 1 + sizeBool(message.granted);
  if (message.quorumId !== '') size += 1 + sizeText(message.quorumId);
  return size;
}

function writeRaftPreVoteResponse(message: RaftPreVoteResponse, writer: WireWriter): void {
  if (message.term !== 0) {
    writer.uint32(8);
    writer.uint64(message.term);
  }
  if (message.directoryId !== '') {
    writer.uint32(18);
    writer.text(message.directoryId);
  }
  if (message.granted) {
    writer.uint32(24);
    writer.bool(message.granted);
  }
  if (message.quorumId !== '') {
    writer.uint32(34);
    writer.text(message.quorumId);
  }
}

function readRaftPreVoteResponse(reader: WireReader, end: number): RaftPreVoteResponse {
  let term: number = 0;
  let directoryId: string = '';
  let granted: boolean = false;
  let quorumId: string = '';
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 8:
        term = reader.uint64();
        break;
      case 18:
        directoryId = reader.text();
        break;
      case 24:
        granted = reader.bool();
        break;
      case 34:
        quorumId = reader.text();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { term, directoryId, granted, quorumId };
}

export const RaftPreVoteResponse: Codec<RaftPreVoteResponse> = codec('millrace.v1.RaftPreVoteResponse', sizeRaftPreVoteResponse, writeRaftPreVoteResponse, readRaftPreVoteResponse);

export interface RaftVoteRequest {
  readonly term: number;
  readonly directoryId: string;
  readonly lastIndex: number;
  readonly lastTerm: number;
  readonly transfer: boolean;
  readonly quorumId: string;
}

function sizeRaftVoteRequest(message: RaftVoteRequest): number {
  let size = 0;
  if (message.term !== 0) size += 1 + sizeUint64(message.term);
  if (message.directoryId !== '') size += 1 + sizeText(message.directoryId);
  if (message.lastIndex !== 0) size += 1 + sizeUint64(message.lastIndex);
  if (message.lastTerm !== 0) size += 1 + sizeUint64(message.lastTerm);
  if (message.transfer) size += 1 + sizeBool(message.transfer);
  if (message.quorumId !== '') size += 1 + sizeText(message.quorumId);
  return size;
}

function writeRaftVoteRequest(message: RaftVoteRequest, writer: WireWriter): void {
  if (message.term !== 0) {
    writer.uint32(8);
    writer.uint64(message.term);
  }
  if (message.directoryId !== '') {
    writer.uint32(18);
    writer.text(message.directoryId);
  }
  if (message.lastIndex !== 0) {
    writer.uint32(24);
    writer.uint64(message.lastIndex);
  }
  if (message.lastTerm !== 0) {
    writer.uint32(32);
    writer.uint64(message.lastTerm);
  }
  if (message.transfer) {
    writer.uint32(40);
    writer.bool(message.transfer);
  }
  if (message.quorumId !== '') {
    writer.uint32(50);
    writer.text(message.quorumId);
  }
}

function readRaftVoteRequest(reader: WireReader, end: number): RaftVoteRequest {
  let term: number = 0;
  let directoryId: string = '';
  let lastIndex: number = 0;
  let lastTerm: number = 0;
  let transfer: boolean = false;
  let quorumId: string = '';
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 8:
        term = reader.uint64();
        break;
      case 18:
        directoryId = reader.text();
        break;
      case 24:
        lastIndex = reader.uint64();
        break;
      case 32:
        lastTerm = reader.uint64();
        break;
      case 40:
        transfer = reader.bool();
        break;
      case 50:
        quorumId = reader.text();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { term, directoryId, lastIndex, lastTerm, transfer, quorumId };
}

export const RaftVoteRequest: Codec<RaftVoteRequest> = codec('millrace.v1.RaftVoteRequest', sizeRaftVoteRequest, writeRaftVoteRequest, readRaftVoteRequest);

export interface RaftVoteResponse {
  readonly term: number;
  readonly directoryId: string;
  readonly granted: boolean;
  readonly quorumId: string;
}

function sizeRaftVoteResponse(message: RaftVoteResponse): number {
  let size = 0;
  if (message.term !== 0) size += 1 + sizeUint64(message.term);
  if (message.directoryId !== '') size += 1 + sizeText(message.directoryId);
  if (message.granted) size += 1 + sizeBool(message.granted);
  if (message.quorumId !== '') size += 1 + sizeText(message.quorumId);
  return size;
}

function writeRaftVoteResponse(message: RaftVoteResponse, writer: WireWriter): void {
  if (message.term !== 0) {
    writer.uint32(8);
    writer.uint64(message.term);
  }
  if (message.directoryId !== '') {
    writer.uint32(18);
    writer.text(message.directoryId);
  }
  if (message.granted) {
    writer.uint32(24);
    writer.bool(message.granted);
  }
  if (message.quorumId !== '') {
    writer.uint32(34);
    writer.text(message.quorumId);
  }
}

function readRaftVoteResponse(reader: WireReader, end: number): RaftVoteResponse {
  let term: number = 0;
  let directoryId: string = '';
  let granted: boolean = false;
  let quorumId: string = '';
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 8:
        term = reader.uint64();
        break;
      case 18:
        directoryId = reader.text();
        break;
      case 24:
        granted = reader.bool();
        break;
      case 34:
        quorumId = reader.text();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { term, directoryId, granted, quorumId };
}

export const RaftVoteResponse: Codec<RaftVoteResponse> = codec('millrace.v1.RaftVoteResponse', sizeRaftVoteResponse, writeRaftVoteResponse, readRaftVoteResponse);

export interface RaftAppend {
  readonly term: number;
  readonly directoryId: string;
  readonly prevIndex: number;
  readonly prevTerm: number;
  readonly entries: readonly RaftEntry[];
  readonly commitIndex: number;
  readonly quorumId: string;
}

function sizeRaftAppend(message: RaftAppend): number {
  let size = 0;
  if (message.term !== 0) size += 1 + sizeUint64(message.term);
  if (message.directoryId !== '') size += 1 + sizeText(message.directoryId);
  if (message.prevIndex !== 0) size += 1 + sizeUint64(message.prevIndex);
  if (message.prevTerm !== 0) size += 1 + sizeUint64(message.prevTerm);
  for (const element of message.entries) size += 1 + sizePrefixed(sizeRaftEntry(element));
  if (message.commitIndex !== 0) size += 1 + sizeUint64(message.commitIndex);
  if (message.quorumId !== '') size += 1 + sizeText(message.quorumId);
  return size;
}

function writeRaftAppend(message: RaftAppend, writer: WireWriter): void {
  if (message.term !== 0) {
    writer.uint32(8);
    writer.uint64(message.term);
  }
  if (message.directoryId !== '') {
    writer.uint32(18);
    writer.text(message.directoryId);
  }
  if (message.prevIndex !== 0) {
    writer.uint32(24);
    writer.uint64(message.prevIndex);
  }
  if (message.prevTerm !== 0) {
    writer.uint32(32);
    writer.uint64(message.prevTerm);
  }
  for (const element of message.entries) {
    writer.uint32(42);
    writer.uint32(sizeRaftEntry(element));
    writeRaftEntry(element, writer);
  }
  if (message.commitIndex !== 0) {
    writer.uint32(48);
    writer.uint64(message.commitIndex);
  }
  if (message.quorumId !== '') {
    writer.uint32(58);
    writer.text(message.quorumId);
  }
}

function readRaftAppend(reader: WireReader, end: number): RaftAppend {
  let term: number = 0;
  let directoryId: string = '';
  let prevIndex: number = 0;
  let prevTerm: number = 0;
  const entries: RaftEntry[] = [];
  let commitIndex: number = 0;
  let quorumId: string = '';
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 8:
        term = reader.uint64();
        break;
      case 18:
        directoryId = reader.text();
        break;
      case 24:
        prevIndex = reader.uint64();
        break;
      case 32:
        prevTerm = reader.uint64();
        break;
      case 42:
        entries.push(readRaftEntry(reader, reader.nested()));
        break;
      case 48:
        commitIndex = reader.uint64();
        break;
      case 58:
        quorumId = reader.text();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { term, directoryId, prevIndex, prevTerm, entries, commitIndex, quorumId };
}

export const RaftAppend: Codec<RaftAppend> = codec('millrace.v1.RaftAppend', sizeRaftAppend, writeRaftAppend, readRaftAppend);

export interface RaftAppendResponse {
  readonly term: number;
  readonly directoryId: string;
  readonly accepted: boolean;
  readonly index: number;
  readonly hintIndex: number;
  readonly hintTerm: number;
  readonly quorumId: string;
}

function sizeRaftAppendResponse(message: RaftAppendResponse): number {
  let size = 0;
  if (message.term !== 0) size += 1 + sizeUint64(message.term);
  if (message.directoryId !== '') size += 1 + sizeText(message.directoryId);
  if (message.accepted) size += 1 + sizeBool(message.accepted);
  if (message.index !== 0) size += 1 + sizeUint64(message.index);
  if (message.hintIndex !== 0) size += 1 + sizeUint64(message.hintIndex);
  if (message.hintTerm !== 0) size += 1 + sizeUint64(message.hintTerm);
  if (message.quorumId !== '') size += 1 + sizeText(message.quorumId);
  return size;
}

function writeRaftAppendResponse(message: RaftAppendResponse, writer: WireWriter): void {
  if (message.term !== 0) {
    writer.uint32(8);
    writer.uint64(message.term);
  }
  if (message.directoryId !== '') {
    writer.uint32(18);
    writer.text(message.directoryId);
  }
  if (message.accepted) {
    writer.uint32(24);
    writer.bool(message.accepted);
  }
  if (message.index !== 0) {
    writer.uint32(32);
    writer.uint64(message.index);
  }
  if (message.hintIndex !== 0) {
    writer.uint32(40);
    writer.uint64(message.hintIndex);
  }
  if (message.hintTerm !== 0) {
    writer.uint32(48);
    writer.uint64(message.hintTerm);
  }
  if (message.quorumId !== '') {
    writer.uint32(58);
    writer.text(message.quorumId);
  }
}

function readRaftAppendResponse(reader: WireReader, end: number): RaftAppendResponse {
  let term: number = 0;
  let directoryId: string = '';
  let accepted: boolean = false;
  let index: number = 0;
  let hintIndex: number = 0;
  let hintTerm: number = 0;
  let quorumId: string = '';
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 8:
        term = reader.uint64();
        break;
      case 18:
        directoryId = reader.text();
        break;
      case 24:
        accepted = reader.bool();
        break;
      case 32:
        index = reader.uint64();
        break;
      case 40:
        hintIndex = reader.uint64();
        break;
      case 48:
        hintTerm = reader.uint64();
        break;
      case 58:
        quorumId = reader.text();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { term, directoryId, accepted, index, hintIndex, hintTerm, quorumId };
}

export const RaftAppendResponse: Codec<RaftAppendResponse> = codec('millrace.v1.RaftAppendResponse', sizeRaftAppendResponse, writeRaftAppendResponse, readRaftAppendResponse);

export interface RaftHeartbeat {
  readonly term: number;
  readonly directoryId: string;
  readonly commitIndex: number;
  readonly round: number;
  readonly quorumId: string;
}

function sizeRaftHeartbeat(message: RaftHeartbeat): number {
  let size = 0;
  if (message.term !== 0) size += 1 + sizeUint64(message.term);
  if (message.directoryId !== '') size += 1 + sizeText(message.directoryId);
  if (message.commitIndex !== 0) size += 1 + sizeUint64(message.commitIndex);
  if (message.round !== 0) size += 1 + sizeUint64(message.round);
  if (message.quorumId !== '') size += 1 + sizeText(message.quorumId);
  return size;
}

function writeRaftHeartbeat(message: RaftHeartbeat, writer: WireWriter): void {
  if (message.term !== 0) {
    writer.uint32(8);
    writer.uint64(message.term);
  }
  if (message.directoryId !== '') {
    writer.uint32(18);
    writer.text(message.directoryId);
  }
  if (message.commitIndex !== 0) {
    writer.uint32(24);
    writer.uint64(message.commitIndex);
  }
  if (message.round !== 0) {
    writer.uint32(32);
    writer.uint64(message.round);
  }
  if (message.quorumId !== '') {
    writer.uint32(42);
    writer.text(message.quorumId);
  }
}

function readRaftHeartbeat(reader: WireReader, end: number): RaftHeartbeat {
  let term: number = 0;
  let directoryId: string = '';
  let commitIndex: number = 0;
  let round: number = 0;
  let quorumId: string = '';
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 8:
        term = reader.uint64();
        break;
      case 18:
        directoryId = reader.text();
        break;
      case 24:
        commitIndex = reader.uint64();
        break;
      case 32:
        round = reader.uint64();
        break;
      case 42:
        quorumId = reader.text();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { term, directoryId, commitIndex, round, quorumId };
}

export const RaftHeartbeat: Codec<RaftHeartbeat> = codec('millrace.v1.RaftHeartbeat', sizeRaftHeartbeat, writeRaftHeartbeat, readRaftHeartbeat);

export interface RaftHeartbeatResponse {
  readonly term: number;
  readonly directoryId: string;
  readonly round: number;
  readonly quorumId: string;
}

function sizeRaftHeartbeatResponse(message: RaftHeartbeatResponse): number {
  let size = 0;
  if (message.term !== 0) size += 1 + sizeUint64(message.term);
  if (message.directoryId !== '') size += 1 + sizeText(message.directoryId);
  if (message.round !== 0) size += 1 + sizeUint64(message.round);
  if (message.quorumId !== '') size += 1 + sizeText(message.quorumId);
  return size;
}

function writeRaftHeartbeatResponse(message: RaftHeartbeatResponse, writer: WireWriter): void {
  if (message.term !== 0) {
    writer.uint32(8);
    writer.uint64(message.term);
  }
  if (message.directoryId !== '') {
    writer.uint32(18);
    writer.text(message.directoryId);
  }
  if (message.round !== 0) {
    writer.uint32(24);
    writer.uint64(message.round);
  }
  if (message.quorumId !== '') {
    writer.uint32(34);
    writer.text(message.quorumId);
  }
}

function readRaftHeartbeatResponse(reader: WireReader, end: number): RaftHeartbeatResponse {
  let term: number = 0;
  let directoryId: string = '';
  let round: number = 0;
  let quorumId: string = '';
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 8:
        term = reader.uint64();
        break;
      case 18:
        directoryId = reader.text();
        break;
      case 24:
        round = reader.uint64();
        break;
      case 34:
        quorumId = reader.text();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { term, directoryId, round, quorumId };
}

export const RaftHeartbeatResponse: Codec<RaftHeartbeatResponse> = codec('millrace.v1.RaftHeartbeatResponse', sizeRaftHeartbeatResponse, writeRaftHeartbeatResponse, readRaftHeartbeatResponse);

export interface RaftSnapshotChunk {
  readonly term: number;
  readonly directoryId: string;
  readonly snapshotIndex: number;
  readonly snapshotTerm: number;
  /** Of `data` in the whole, in bytes. */
  readonly position: number;
  readonly totalBytes: number;
  /** CRC-32 of the whole. */
  readonly checksum: number;
  readonly data: Buffer;
  /** In force after the snapshot. */
  readonly voters: readonly RaftVoter[];
  readonly quorumId: string;
}

function sizeRaftSnapshotChunk(message: RaftSnapshotChunk): number {
  let size = 0;
  if (message.term !== 0) size += 1 + sizeUint64(message.term);
  if (message.directoryId !== '') size += 1 + sizeText(message.directoryId);
  if (message.snapshotIndex !== 0) size += 1 + sizeUint64(message.snapshotIndex);
  if (message.snapshotTerm !== 0) size += 1 + sizeUint64(message.snapshotTerm);
  if (message.position !== 0) size += 1 + sizeUint64(message.position);
  if (message.totalBytes !== 0) size += 1 + sizeUint64(message.totalBytes);
  if (message.checksum !== 0) size += 1 + sizeUint32(message.checksum);
  if (message.data.length > 0) size += 1 + sizeBytes(message.data);
  for (const element of message.voters) size += 1 + sizePrefixed(sizeRaftVoter(element));
  if (message.quorumId !== '') size += 1 + sizeText(message.quorumId);
  return size;
}

function writeRaftSnapshotChunk(message: RaftSnapshotChunk, writer: WireWriter): void {
  if (message.term !== 0) {
    writer.uint32(8);
    writer.uint64(message.term);
  }
  if (message.directoryId !== '') {
    writer.uint32(18);
    writer.text(message.directoryId);
  }
  if (message.snapshotIndex !== 0) {
    writer.uint32(24);
    writer.uint64(message.snapshotIndex);
  }
  if (message.snapshotTerm !== 0) {
    writer.uint32(32);
    writer.uint64(message.snapshotTerm);
  }
  if (message.position !== 0) {
    writer.uint32(40);
    writer.uint64(message.position);
  }
  if (message.totalBytes !== 0) {
    writer.uint32(48);
    writer.uint64(message.totalBytes);
  }
  if (message.checksum !== 0) {
    writer.uint32(56);
    writer.uint32(message.checksum);
  }
  if (message.data.length > 0) {
    writer.uint32(66);
    writer.payload(message.data);
  }
  for (const element of message.voters) {
    writer.uint32(74);
    writer.uint32(sizeRaftVoter(element));
    writeRaftVoter(element, writer);
  }
  if (message.quorumId !== '') {
    writer.uint32(82);
    writer.text(message.quorumId);
  }
}

function readRaftSnapshotChunk(reader: WireReader, end: number): RaftSnapshotChunk {
  let term: number = 0;
  let directoryId: string = '';
  let snapshotIndex: number = 0;
  let snapshotTerm: number = 0;
  let position: number = 0;
  let totalBytes: number = 0;
  let checksum: number = 0;
  let data: Buffer = NO_BYTES;
  const voters: RaftVoter[] = [];
  let quorumId: string = '';
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 8:
        term = reader.uint64();
        break;
      case 18:
        directoryId = reader.text();
        break;
      case 24:
        snapshotIndex = reader.uint64();
        break;
      case 32:
        snapshotTerm = reader.uint64();
        break;
      case 40:
        position = reader.uint64();
        break;
      case 48:
        totalBytes = reader.uint64();
        break;
      case 56:
        checksum = reader.uint32();
        break;
      case 66:
        data = reader.payload();
        break;
      case 74:
        voters.push(readRaftVoter(reader, reader.nested()));
        break;
      case 82:
        quorumId = reader.text();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { term, directoryId, snapshotIndex, snapshotTerm, position, totalBytes, checksum, data, voters, quorumId };
}

export const RaftSnapshotChunk: Codec<RaftSnapshotChunk> = codec('millrace.v1.RaftSnapshotChunk', sizeRaftSnapshotChunk, writeRaftSnapshotChunk, readRaftSnapshotChunk);

export interface RaftSnapshotResponse {
  readonly term: number;
  readonly directoryId: string;
  readonly snapshotIndex: number;
  readonly position: number;
  readonly quorumId: string;
}

function sizeRaftSnapshotResponse(message: RaftSnapshotResponse): number {
  let size = 0;
  if (message.term !== 0) size += 1 + sizeUint64(message.term);
  if (message.directoryId !== '') size += 1 + sizeText(message.directoryId);
  if (message.snapshotIndex !== 0) size += 1 + sizeUint64(message.snapshotIndex);
  if (message.position !== 0) size += 1 + sizeUint64(message.position);
  if (message.quorumId !== '') size += 1 + sizeText(message.quorumId);
  return size;
}

function writeRaftSnapshotResponse(message: RaftSnapshotResponse, writer: WireWriter): void {
  if (message.term !== 0) {
    writer.uint32(8);
    writer.uint64(message.term);
  }
  if (message.directoryId !== '') {
    writer.uint32(18);
    writer.text(message.directoryId);
  }
  if (message.snapshotIndex !== 0) {
    writer.uint32(24);
    writer.uint64(message.snapshotIndex);
  }
  if (message.position !== 0) {
    writer.uint32(32);
    writer.uint64(message.position);
  }
  if (message.quorumId !== '') {
    writer.uint32(42);
    writer.text(message.quorumId);
  }
}

function readRaftSnapshotResponse(reader: WireReader, end: number): RaftSnapshotResponse {
  let term: number = 0;
  let directoryId: string = '';
  let snapshotIndex: number = 0;
  let position: number = 0;
  let quorumId: string = '';
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 8:
        term = reader.uint64();
        break;
      case 18:
        directoryId = reader.text();
        break;
      case 24:
        snapshotIndex = reader.uint64();
        break;
      case 32:
        position = reader.uint64();
        break;
      case 42:
        quorumId = reader.text();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { term, directoryId, snapshotIndex, position, quorumId };
}

export const RaftSnapshotResponse: Codec<RaftSnapshotResponse> = codec('millrace.v1.RaftSnapshotResponse', sizeRaftSnapshotResponse, writeRaftSnapshotResponse, readRaftSnapshotResponse);

export interface RaftTimeoutNow {
  readonly term: number;
  readonly directoryId: string;
  readonly quorumId: string;
}

function sizeRaftTimeoutNow(message: RaftTimeoutNow): number {
  let size = 0;
  if (message.term !== 0) size += 1 + sizeUint64(message.term);
  if (message.directoryId !== '') size += 1 + sizeText(message.directoryId);
  if (message.quorumId !== '') size += 1 + sizeText(message.quorumId);
  return size;
}

function writeRaftTimeoutNow(message: RaftTimeoutNow, writer: WireWriter): void {
  if (message.term !== 0) {
    writer.uint32(8);
    writer.uint64(message.term);
  }
  if (message.directoryId !== '') {
    writer.uint32(18);
    writer.text(message.directoryId);
  }
  if (message.quorumId !== '') {
    writer.uint32(26);
    writer.text(message.quorumId);
  }
}

function readRaftTimeoutNow(reader: WireReader, end: number): RaftTimeoutNow {
  let term: number = 0;
  let directoryId: string = '';
  let quorumId: string = '';
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 8:
        term = reader.uint64();
        break;
      case 18:
        directoryId = reader.text();
        break;
      case 26:
        quorumId = reader.text();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { term, directoryId, quorumId };
}

export const RaftTimeoutNow: Codec<RaftTimeoutNow> = codec('millrace.v1.RaftTimeoutNow', sizeRaftTimeoutNow, writeRaftTimeoutNow, readRaftTimeoutNow);

export interface ReplicaFetchRequest {
  /** A correlation id of 0 only updates the session (for instance after a flush) and is not answered. */
  readonly header: RequestHeader;
  readonly replicaId: number;
  readonly brokerEpoch: number;
  readonly maxWaitMs: number;
  readonly maxBytes: number;
  /** Partitions that are new to the session or whose position changed; the leader remembers the rest. */
  readonly positions: readonly ReplicaPosition[];
  /** Partitions that leave the session. */
  readonly removed: readonly PartitionRef[];
}

function sizeReplicaFetchRequest(message: ReplicaFetchRequest): number {
  let size = 0;
  size += 1 + sizePrefixed(sizeRequestHeader(message.header));
  if (message.replicaId !== 0) size += 1 + sizeUint32(message.replicaId);
  if (message.brokerEpoch !== 0) size += 1 + sizeInt64(message.brokerEpoch);
  if (message.maxWaitMs !== 0) size += 1 + sizeUint32(message.maxWaitMs);
  if (message.maxBytes !== 0) size += 1 + sizeUint32(message.maxBytes);
  for (const element of message.positions) size += 1 + sizePrefixed(sizeReplicaPosition(element));
  for (const element of message.removed) size += 1 + sizePrefixed(sizePartitionRef(element));
  return size;
}

function writeReplicaFetchRequest(message: ReplicaFetchRequest, writer: WireWriter): void {
  writer.uint32(10);
  writer.uint32(sizeRequestHeader(message.header));
  writeRequestHeader(message.header, writer);
  if (message.replicaId !== 0) {
    writer.uint32(16);
    writer.uint32(message.replicaId);
  }
  if (message.brokerEpoch !== 0) {
    writer.uint32(24);
    writer.int64(message.brokerEpoch);
  }
  if (message.maxWaitMs !== 0) {
    writer.uint32(32);
    writer.uint32(message.maxWaitMs);
  }
  if (message.maxBytes !== 0) {
    writer.uint32(40);
    writer.uint32(message.maxBytes);
  }
  for (const element of message.positions) {
    writer.uint32(50);
    writer.uint32(sizeReplicaPosition(element));
    writeReplicaPosition(element, writer);
  }
  for (const element of message.removed) {
    writer.uint32(58);
    writer.uint32(sizePartitionRef(element));
    writePartitionRef(element, writer);
  }
}

function readReplicaFetchRequest(reader: WireReader, end: number): ReplicaFetchRequest {
  let header: RequestHeader | undefined;
  let replicaId: number = 0;
  let brokerEpoch: number = 0;
  let maxWaitMs: number = 0;
  let maxBytes: number = 0;
  const positions: ReplicaPosition[] = [];
  const removed: PartitionRef[] = [];
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        header = readRequestHeader(reader, reader.nested());
        break;
      case 16:
        replicaId = reader.uint32();
        break;
      case 24:
        brokerEpoch = reader.int64();
        break;
      case 32:
        maxWaitMs = reader.uint32();
        break;
      case 40:
        maxBytes = reader.uint32();
        break;
      case 50:
        positions.push(readReplicaPosition(reader, reader.nested()));
        break;
      case 58:
        removed.push(readPartitionRef(reader, reader.nested()));
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { header: header ?? readRequestHeader(reader, reader.position), replicaId, brokerEpoch, maxWaitMs, maxBytes, positions, removed };
}

export const ReplicaFetchRequest: Codec<ReplicaFetchRequest> = codec('millrace.v1.ReplicaFetchRequest', sizeReplicaFetchRequest, writeReplicaFetchRequest, readReplicaFetchRequest);

export interface PartitionRef {
  readonly topicId: string;
  readonly partition: number;
}

function sizePartitionRef(message: PartitionRef): number {
  let size = 0;
  if (message.topicId !== '') size += 1 + sizeText(message.topicId);
  if (message.partition !== 0) size += 1 + sizeUint32(message.partition);
  return size;
}

function writePartitionRef(message: PartitionRef, writer: WireWriter): void {
  if (message.topicId !== '') {
    writer.uint32(10);
    writer.text(message.topicId);
  }
  if (message.partition !== 0) {
    writer.uint32(16);
    writer.uint32(message.partition);
  }
}

function readPartitionRef(reader: WireReader, end: number): PartitionRef {
  let topicId: string = '';
  let partition: number = 0;
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        topicId = reader.text();
        break;
      case 16:
        partition = reader.uint32();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { topicId, partition };
}

export const PartitionRef: Codec<PartitionRef> = codec('millrace.v1.PartitionRef', sizePartitionRef, writePartitionRef, readPartitionRef);

export interface ReplicaPosition {
  readonly topicId: string;
  readonly partition: number;
  readonly currentLeaderEpoch: number;
  /** The next offset wanted: the follower's log end. */
  readonly fetchOffset: number;
  /** Everything below is stable on the follower's disk (or, for durability=page-cache, in its log): what counts as acknowledged. */
  readonly flushedOffset: number;
  /** Epoch of the record before fetch_offset, or -1 for an empty log. */
  readonly lastFetchedEpoch: number;
  readonly logStartOffset: number;
}

function sizeReplicaPosition(message: ReplicaPosition): number {
  let size = 0;
  if (message.topicId !== '') size += 1 + sizeText(message.topicId);
  if (message.partition !== 0) size += 1 + sizeUint32(message.partition);
  if (message.currentLeaderEpoch !== 0) size += 1 + sizeSint32(message.currentLeaderEpoch);
  if (message.fetchOffset !== 0) size += 1 + sizeInt64(message.fetchOffset);
  if (message.flushedOffset !== 0) size += 1 + sizeInt64(message.flushedOffset);
  if (message.lastFetchedEpoch !== 0) size += 1 + sizeSint32(message.lastFetchedEpoch);
  if (message.logStartOffset !== 0) size += 1 + sizeInt64(message.logStartOffset);
  return size;
}

function writeReplicaPosition(message: ReplicaPosition, writer: WireWriter): void {
  if (message.topicId !== '') {
    writer.uint32(10);
    writer.text(message.topicId);
  }
  if (message.partition !== 0) {
    writer.uint32(16);
    writer.uint32(message.partition);
  }
  if (message.currentLeaderEpoch !== 0) {
    writer.uint32(24);
    writer.sint32(message.currentLeaderEpoch);
  }
  if (message.fetchOffset !== 0) {
    writer.uint32(32);
    writer.int64(message.fetchOffset);
  }
  if (message.flushedOffset !== 0) {
    writer.uint32(40);
    writer.int64(message.flushedOffset);
  }
  if (message.lastFetchedEpoch !== 0) {
    writer.uint32(48);
    writer.sint32(message.lastFetchedEpoch);
  }
  if (message.logStartOffset !== 0) {
    writer.uint32(56);
    writer.int64(message.logStartOffset);
  }
}

function readReplicaPosition(reader: WireReader, end: number): ReplicaPosition {
  let topicId: string = '';
  let partition: number = 0;
  let currentLeaderEpoch: number = 0;
  let fetchOffset: number = 0;
  let flushedOffset: number = 0;
  let lastFetchedEpoch: number = 0;
  let logStartOffset: number = 0;
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        topicId = reader.text();
        break;
      case 16:
        partition = reader.uint32();
        break;
      case 24:
        currentLeaderEpoch = reader.sint32();
        break;
      case 32:
        fetchOffset = reader.int64();
        break;
      case 40:
        flushedOffset = reader.int64();
        break;
      case 48:
        lastFetchedEpoch = reader.sint32();
        break;
      case 56:
        logStartOffset = reader.int64();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { topicId, partition, currentLeaderEpoch, fetchOffset, flushedOffset, lastFetchedEpoch, logStartOffset };
}

export const ReplicaPosition: Codec<ReplicaPosition> = codec('millrace.v1.ReplicaPosition', sizeReplicaPosition, writeReplicaPosition, readReplicaPosition);

export interface ReplicaFetchResponse {
  readonly correlationId: number;
  readonly failure?: Failure | undefined;
  /** Partitions with records, a changed high watermark or log start, a divergence or a failure. */
  readonly partitions: readonly ReplicaFetched[];
}

function sizeReplicaFetchResponse(message: ReplicaFetchResponse): number {
  let size = 0;
  if (message.correlationId !== 0) size += 1 + sizeUint64(message.correlationId);
  if (message.failure !== undefined) size += 1 + sizePrefixed(sizeFailure(message.failure));
  for (const element of message.partitions) size += 1 + sizePrefixed(sizeReplicaFetched(element));
  return size;
}

function writeReplicaFetchResponse(message: ReplicaFetchResponse, writer: WireWriter): void {
  if (message.correlationId !== 0) {
    writer.uint32(8);
    writer.uint64(message.correlationId);
  }
  if (message.failure !== undefined) {
    writer.uint32(18);
    writer.uint32(sizeFailure(message.failure));
    writeFailure(message.failure, writer);
  }
  for (const element of message.partitions) {
    writer.uint32(26);
    writer.uint32(sizeReplicaFetched(element));
    writeReplicaFetched(element, writer);
  }
}

function readReplicaFetchResponse(reader: WireReader, end: number): ReplicaFetchResponse {
  let correlationId: number = 0;
  let failure: Failure | undefined;
  const partitions: ReplicaFetched[] = [];
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 8:
        correlationId = reader.uint64();
        break;
      case 18:
        failure = readFailure(reader, reader.nested());
        break;
      case 26:
        partitions.push(readReplicaFetched(reader, reader.nested()));
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { correlationId, failure, partitions };
}

export const ReplicaFetchResponse: Codec<ReplicaFetchResponse> = codec('millrace.v1.ReplicaFetchResponse', sizeReplicaFetchResponse, writeReplicaFetchResponse, readReplicaFetchResponse);

export interface ReplicaFetched {
  readonly topicId: string;
  readonly partition: number;
  readonly failure?: Failure | undefined;
  readonly highWatermark: number;
  readonly logStartOffset: number;
  readonly divergingEpoch: number;
  readonly divergingEndOffset: number;
  readonly leaderEpoch: number;
  /** The fetch offset that this answers; the follower drops an answer that is not for where it stands. */
  readonly fetchOffset: number;
  readonly records: Buffer;
}

function sizeReplicaFetched(message: ReplicaFetched): number {
  let size = 0;
  if (message.topicId !== '') size += 1 + sizeText(message.topicId);
  if (message.partition !== 0) size += 1 + sizeUint32(message.partition);
  if (message.failure !== undefined) size += 1 + sizePrefixed(sizeFailure(message.failure));
  if (message.highWatermark !== 0) size += 1 + sizeInt64(message.highWatermark);
  if (message.logStartOffset !== 0) size += 1 + sizeInt64(message.logStartOffset);
  if (message.divergingEpoch !== 0) size += 1 + sizeSint32(message.divergingEpoch);
  if (message.divergingEndOffset !== 0) size += 1 + sizeSint64(message.divergingEndOffset);
  if (message.leaderEpoch !== 0) size += 1 + sizeSint32(message.leaderEpoch);
  if (message.fetchOffset !== 0) size += 1 + sizeInt64(message.fetchOffset);
  if (message.records.length > 0) size += 1 + sizeBytes(message.records);
  return size;
}

function writeReplicaFetched(message: ReplicaFetched, writer: WireWriter): void {
  if (message.topicId !== '') {
    writer.uint32(10);
    writer.text(message.topicId);
  }
  if (message.partition !== 0) {
    writer.uint32(16);
    writer.uint32(message.partition);
  }
  if (message.failure !== undefined) {
    writer.uint32(26);
    writer.uint32(sizeFailure(message.failure));
    writeFailure(message.failure, writer);
  }
  if (message.highWatermark !== 0) {
    writer.uint32(32);
    writer.int64(message.highWatermark);
  }
  if (message.logStartOffset !== 0) {
    writer.uint32(40);
    writer.int64(message.logStartOffset);
  }
  if (message.divergingEpoch !== 0) {
    writer.uint32(48);
    writer.sint32(message.divergingEpoch);
  }
  if (message.divergingEndOffset !== 0) {
    writer.uint32(56);
    writer.sint64(message.divergingEndOffset);
  }
  if (message.leaderEpoch !== 0) {
    writer.uint32(64);
    writer.sint32(message.leaderEpoch);
  }
  if (message.fetchOffset !== 0) {
    writer.uint32(72);
    writer.int64(message.fetchOffset);
  }
  if (message.records.length > 0) {
    writer.uint32(122);
    writer.payload(message.records);
  }
}

function readReplicaFetched(reader: WireReader, end: number): ReplicaFetched {
  let topicId: string = '';
  let partition: number = 0;
  let failure: Failure | undefined;
  let highWatermark: number = 0;
  let logStartOffset: number = 0;
  let divergingEpoch: number = 0;
  let divergingEndOffset: number = 0;
  let leaderEpoch: number = 0;
  let fetchOffset: number = 0;
  let records: Buffer = NO_BYTES;
  while (reader.position < end) {
    const tag = reader.tag();
    switch (tag) {
      case 10:
        topicId = reader.text();
        break;
      case 16:
        partition = reader.uint32();
        break;
      case 26:
        failure = readFailure(reader, reader.nested());
        break;
      case 32:
        highWatermark = reader.int64();
        break;
      case 40:
        logStartOffset = reader.int64();
        break;
      case 48:
        divergingEpoch = reader.sint32();
        break;
      case 56:
        divergingEndOffset = reader.sint64();
        break;
      case 64:
        leaderEpoch = reader.sint32();
        break;
      case 72:
        fetchOffset = reader.int64();
        break;
      case 122:
        records = reader.payload();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.finish(end);
  return { topicId, partition, failure, highWatermark, logStartOffset, divergingEpoch, divergingEndOffset, leaderEpoch, fetchOffset, records };
}

export const ReplicaFetched: Codec<ReplicaFetched> = codec('millrace.v1.ReplicaFetched', sizeReplicaFetched, writeReplicaFetched, readReplicaFetched);

export const healthService = {
  check: { path: '/grpc.health.v1.Health/Check', kind: 'unary', request: HealthCheckRequest, response: HealthCheckResponse } as RpcMethod<HealthCheckRequest, HealthCheckResponse, 'unary'>,
  watch: { path: '/grpc.health.v1.Health/Watch', kind: 'serverStream', request: HealthCheckRequest, response: HealthCheckResponse } as RpcMethod<HealthCheckRequest, HealthCheckResponse, 'serverStream'>,
};

export const adminService = {
  createTopics: { path: '/millrace.v1.Admin/CreateTopics', kind: 'unary', request: CreateTopicsRequest, response: CreateTopicsResponse } as RpcMethod<CreateTopicsRequest, CreateTopicsResponse, 'unary'>,
  deleteTopics: { path: '/millrace.v1.Admin/DeleteTopics', kind: 'unary', request: DeleteTopicsRequest, response: DeleteTopicsResponse } as RpcMethod<DeleteTopicsRequest, DeleteTopicsResponse, 'unary'>,
  createPartitions: { path: '/millrace.v1.Admin/CreatePartitions', kind: 'unary', request: CreatePartitionsRequest, response: CreatePartitionsResponse } as RpcMethod<CreatePartitionsRequest, CreatePartitionsResponse, 'unary'>,
  describeConfigs: { path: '/millrace.v1.Admin/DescribeConfigs', kind: 'unary', request: DescribeConfigsRequest, response: DescribeConfigsResponse } as RpcMethod<DescribeConfigsRequest, DescribeConfigsResponse, 'unary'>,
  alterConfigs: { path: '/millrace.v1.Admin/AlterConfigs', kind: 'unary', request: AlterConfigsRequest, response: AlterConfigsResponse } as RpcMethod<AlterConfigsRequest, AlterConfigsResponse, 'unary'>,
  electLeaders: { path: '/millrace.v1.Admin/ElectLeaders', kind: 'unary', request: ElectLeadersRequest, response: ElectLeadersResponse } as RpcMethod<ElectLeadersRequest, ElectLeadersResponse, 'unary'>,
  describeCluster: { path: '/millrace.v1.Admin/DescribeCluster', kind: 'unary', request: DescribeClusterRequest, response: DescribeClusterResponse } as RpcMethod<DescribeClusterRequest, DescribeClusterResponse, 'unary'>,
  describeQuorum: { path: '/millrace.v1.Admin/DescribeQuorum', kind: 'unary', request: DescribeQuorumRequest, response: DescribeQuorumResponse } as RpcMethod<DescribeQuorumRequest, DescribeQuorumResponse, 'unary'>,
  /** One voter more or less; answered once the new set is committed. */
  addVoter: { path: '/millrace.v1.Admin/AddVoter', kind: 'unary', request: AddVoterRequest, response: AddVoterResponse } as RpcMethod<AddVoterRequest, AddVoterResponse, 'unary'>,
  removeVoter: { path: '/millrace.v1.Admin/RemoveVoter', kind: 'unary', request: RemoveVoterRequest, response: RemoveVoterResponse } as RpcMethod<RemoveVoterRequest, RemoveVoterResponse, 'unary'>,
};

export const brokerService = {
  /** Requests of one stream are answered in any order (see correlation_id), but appended in the order sent. A request with acks=0 is not answered. */
  produce: { path: '/millrace.v1.Broker/Produce', kind: 'duplex', request: ProduceRequest, response: ProduceResponse } as RpcMethod<ProduceRequest, ProduceResponse, 'duplex'>,
  /** Long-polling reads. Every request is answered once. */
  fetch: { path: '/millrace.v1.Broker/Fetch', kind: 'duplex', request: FetchRequest, response: FetchResponse } as RpcMethod<FetchRequest, FetchResponse, 'duplex'>,
  describeTopics: { path: '/millrace.v1.Broker/DescribeTopics', kind: 'unary', request: DescribeTopicsRequest, response: DescribeTopicsResponse } as RpcMethod<DescribeTopicsRequest, DescribeTopicsResponse, 'unary'>,
  listOffsets: { path: '/millrace.v1.Broker/ListOffsets', kind: 'unary', request: ListOffsetsRequest, response: ListOffsetsResponse } as RpcMethod<ListOffsetsRequest, ListOffsetsResponse, 'unary'>,
  initProducerId: { path: '/millrace.v1.Broker/InitProducerId', kind: 'unary', request: InitProducerIdRequest, response: InitProducerIdResponse } as RpcMethod<InitProducerIdRequest, InitProducerIdResponse, 'unary'>,
  offsetForLeaderEpoch: { path: '/millrace.v1.Broker/OffsetForLeaderEpoch', kind: 'unary', request: OffsetForLeaderEpochRequest, response: OffsetForLeaderEpochResponse } as RpcMethod<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse, 'unary'>,
  deleteRecords: { path: '/millrace.v1.Broker/DeleteRecords', kind: 'unary', request: DeleteRecordsRequest, response: DeleteRecordsResponse } as RpcMethod<DeleteRecordsRequest, DeleteRecordsResponse, 'unary'>,
};

export const controllerService = {
  /** A broker's life: the first message registers it, later ones are heartbeats. The answer to each tells what the controller thinks. When the connection breaks, the controller knows at once. */
  session: { path: '/millrace.v1.Controller/Session', kind: 'duplex', request: BrokerHeartbeat, response: BrokerState } as RpcMethod<BrokerHeartbeat, BrokerState, 'duplex'>,
  alterPartitions: { path: '/millrace.v1.Controller/AlterPartitions', kind: 'unary', request: AlterPartitionsRequest, response: AlterPartitionsResponse } as RpcMethod<AlterPartitionsRequest, AlterPartitionsResponse, 'unary'>,
  allocateProducerIds: { path: '/millrace.v1.Controller/AllocateProducerIds', kind: 'unary', request: AllocateProducerIdsRequest, response: AllocateProducerIdsResponse } as RpcMethod<AllocateProducerIdsRequest, AllocateProducerIdsResponse, 'unary'>,
  /** Snapshot first if the log does not reach back to from_offset, then committed records as they come. */
  followMetadata: { path: '/millrace.v1.Controller/FollowMetadata', kind: 'serverStream', request: FollowMetadataRequest, response: MetadataUpdate } as RpcMethod<FollowMetadataRequest, MetadataUpdate, 'serverStream'>,
  /** Changes that brokers pass on; answered after they are committed, or refused with NOT_CONTROLLER. */
  createTopics: { path: '/millrace.v1.Controller/CreateTopics', kind: 'unary', request: CreateTopicsRequest, response: CreateTopicsResponse } as RpcMethod<CreateTopicsRequest, CreateTopicsResponse, 'unary'>,
  deleteTopics: { path: '/millrace.v1.Controller/DeleteTopics', kind: 'unary', request: DeleteTopicsRequest, response: DeleteTopicsResponse } as RpcMethod<DeleteTopicsRequest, DeleteTopicsResponse, 'unary'>,
  createPartitions: { path: '/millrace.v1.Controller/CreatePartitions', kind: 'unary', request: CreatePartitionsRequest, response: CreatePartitionsResponse } as RpcMethod<CreatePartitionsRequest, CreatePartitionsResponse, 'unary'>,
  alterConfigs: { path: '/millrace.v1.Controller/AlterConfigs', kind: 'unary', request: AlterConfigsRequest, response: AlterConfigsResponse } as RpcMethod<AlterConfigsRequest, AlterConfigsResponse, 'unary'>,
  electLeaders: { path: '/millrace.v1.Controller/ElectLeaders', kind: 'unary', request: ElectLeadersRequest, response: ElectLeadersResponse } as RpcMethod<ElectLeadersRequest, ElectLeadersResponse, 'unary'>,
  describeQuorum: { path: '/millrace.v1.Controller/DescribeQuorum', kind: 'unary', request: DescribeQuorumRequest, response: DescribeQuorumResponse } as RpcMethod<DescribeQuorumRequest, DescribeQuorumResponse, 'unary'>,
  addVoter: { path: '/millrace.v1.Controller/AddVoter', kind: 'unary', request: AddVoterRequest, response: AddVoterResponse } as RpcMethod<AddVoterRequest, AddVoterResponse, 'unary'>,
  removeVoter: { path: '/millrace.v1.Controller/RemoveVoter', kind: 'unary', request: RemoveVoterRequest, response: RemoveVoterResponse } as RpcMethod<RemoveVoterRequest, RemoveVoterResponse, 'unary'>,
};

export const groupService = {
  /** Any broker answers; the topic of offsets is created on the first call. */
  findCoordinators: { path: '/millrace.v1.Group/FindCoordinators', kind: 'unary', request: FindCoordinatorsRequest, response: FindCoordinatorsResponse } as RpcMethod<FindCoordinatorsRequest, FindCoordinatorsResponse, 'unary'>,
  consumerGroupHeartbeat: { path: '/millrace.v1.Group/ConsumerGroupHeartbeat', kind: 'unary', request: ConsumerGroupHeartbeatRequest, response: ConsumerGroupHeartbeatResponse } as RpcMethod<ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse, 'unary'>,
  /** Requests of one stream take effect in the order sent and are answered in any order (see correlation_id). */
  commitOffsets: { path: '/millrace.v1.Group/CommitOffsets', kind: 'duplex', request: CommitOffsetsRequest, response: CommitOffsetsResponse } as RpcMethod<CommitOffsetsRequest, CommitOffsetsResponse, 'duplex'>,
  fetchOffsets: { path: '/millrace.v1.Group/FetchOffsets', kind: 'unary', request: FetchOffsetsRequest, response: FetchOffsetsResponse } as RpcMethod<FetchOffsetsRequest, FetchOffsetsResponse, 'unary'>,
  deleteOffsets: { path: '/millrace.v1.Group/DeleteOffsets', kind: 'unary', request: DeleteOffsetsRequest, response: DeleteOffsetsResponse } as RpcMethod<DeleteOffsetsRequest, DeleteOffsetsResponse, 'unary'>,
  /** Of the groups that the asked broker coordinates: ask every broker. */
  listGroups: { path: '/millrace.v1.Group/ListGroups', kind: 'unary', request: ListGroupsRequest, response: ListGroupsResponse } as RpcMethod<ListGroupsRequest, ListGroupsResponse, 'unary'>,
  describeGroups: { path: '/millrace.v1.Group/DescribeGroups', kind: 'unary', request: DescribeGroupsRequest, response: DescribeGroupsResponse } as RpcMethod<DescribeGroupsRequest, DescribeGroupsResponse, 'unary'>,
  explainGroup: { path: '/millrace.v1.Group/ExplainGroup', kind: 'unary', request: ExplainGroupRequest, response: ExplainGroupResponse } as RpcMethod<ExplainGroupRequest, ExplainGroupResponse, 'unary'>,
  deleteGroups: { path: '/millrace.v1.Group/DeleteGroups', kind: 'unary', request: DeleteGroupsRequest, response: DeleteGroupsResponse } as RpcMethod<DeleteGroupsRequest, DeleteGroupsResponse, 'unary'>,
};

export const raftService = {
  /** One stream for each pair and direction: the caller speaks, the callee answers only the greeting (with its own) or ends the stream with the reason. A stream that breaks tells both sides at once that the other may be gone. */
  talk: { path: '/millrace.v1.Raft/Talk', kind: 'duplex', request: RaftFrame, response: RaftFrame } as RpcMethod<RaftFrame, RaftFrame, 'duplex'>,
};

export const replicationService = {
  fetch: { path: '/millrace.v1.Replication/Fetch', kind: 'duplex', request: ReplicaFetchRequest, response: ReplicaFetchResponse } as RpcMethod<ReplicaFetchRequest, ReplicaFetchResponse, 'duplex'>,
};
