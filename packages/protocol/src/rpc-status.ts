/**
 * MillraceError <-> gRPC status, in one place. The status is for tools that know only gRPC; Millrace's own programs read
 * the exact code from trailing metadata. Unexpected errors cross the wire without detail: the server's log has it.
 */
import { Metadata, type StatusObject, status } from '@grpc/grpc-js';
import { ERRORS, type ErrorCode, MillraceError } from '@millrace/core';

/** Trailing metadata key that carries the exact error code. */
const ERROR_CODE_KEY = 'millrace-error-code';

/** Status messages travel in an HTTP/2 header. */
const DETAILS_MAX_CHARACTERS = 1_024;

const STATUS_OF_CODE: Readonly<Record<ErrorCode, status>> = {
  UNKNOWN_SERVER_ERROR: status.INTERNAL,
  OFFSET_OUT_OF_RANGE: status.OUT_OF_RANGE,
  CORRUPT_MESSAGE: status.INVALID_ARGUMENT,
  UNKNOWN_TOPIC_OR_PARTITION: status.NOT_FOUND,
  LEADER_NOT_AVAILABLE: status.UNAVAILABLE,
  NOT_LEADER_OR_FOLLOWER: status.FAILED_PRECONDITION,
  REQUEST_TIMED_OUT: status.DEADLINE_EXCEEDED,
  REPLICA_NOT_AVAILABLE: status.UNAVAILABLE,
  MESSAGE_TOO_LARGE: status.RESOURCE_EXHAUSTED,
  NETWORK_EXCEPTION: status.UNAVAILABLE,
  COORDINATOR_NOT_AVAILABLE: status.UNAVAILABLE,
  INVALID_TOPIC_EXCEPTION: status.INVALID_ARGUMENT,
  NOT_ENOUGH_REPLICAS: status.UNAVAILABLE,
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: status.UNAVAILABLE,
  INVALID_REQUIRED_ACKS: status.INVALID_ARGUMENT,
  INVALID_TIMESTAMP: status.INVALID_ARGUMENT,
  UNSUPPORTED_VERSION: status.UNIMPLEMENTED,
  TOPIC_ALREADY_EXISTS: status.ALREADY_EXISTS,
  INVALID_PARTITIONS: status.INVALID_ARGUMENT,
  INVALID_REPLICATION_FACTOR: status.INVALID_ARGUMENT,
  INVALID_REPLICA_ASSIGNMENT: status.INVALID_ARGUMENT,
  INVALID_CONFIG: status.INVALID_ARGUMENT,
  NOT_CONTROLLER: status.FAILED_PRECONDITION,
  INVALID_REQUEST: status.INVALID_ARGUMENT,
  UNSUPPORTED_FOR_MESSAGE_FORMAT: status.INVALID_ARGUMENT,
  POLICY_VIOLATION: status.FAILED_PRECONDITION,
  OUT_OF_ORDER_SEQUENCE_NUMBER: status.FAILED_PRECONDITION,
  DUPLICATE_SEQUENCE_NUMBER: status.ALREADY_EXISTS,
  INVALID_PRODUCER_EPOCH: status.FAILED_PRECONDITION,
  KAFKA_STORAGE_ERROR: status.UNAVAILABLE,
  UNKNOWN_PRODUCER_ID: status.FAILED_PRECONDITION,
  FETCH_SESSION_ID_NOT_FOUND: status.NOT_FOUND,
  INVALID_FETCH_SESSION_EPOCH: status.NOT_FOUND,
  FETCH_SESSION_TOPIC_ID_ERROR: status.NOT_FOUND,
  TOPIC_DELETION_DISABLED: status.FAILED_PRECONDITION,
  FENCED_LEADER_EPOCH: status.FAILED_PRECONDITION,
  UNKNOWN_LEADER_EPOCH: status.UNAVAILABLE,
  UNSUPPORTED_COMPRESSION_TYPE: status.INVALID_ARGUMENT,
  STALE_BROKER_EPOCH: status.FAILED_PRECONDITION,
  OFFSET_NOT_AVAILABLE: status.UNAVAILABLE,
  PREFERRED_LEADER_NOT_AVAILABLE: status.UNAVAILABLE,
  ELIGIBLE_LEADERS_NOT_AVAILABLE: status.UNAVAILABLE,
  ELECTION_NOT_NEEDED: status.FAILED_PRECONDITION,
  INVALID_RECORD: status.INVALID_ARGUMENT,
  DUPLICATE_BROKER_REGISTRATION: status.ALREADY_EXISTS,
  BROKER_ID_NOT_REGISTERED: status.NOT_FOUND,
  INCONSISTENT_CLUSTER_ID: status.FAILED_PRECONDITION,
  INELIGIBLE_REPLICA: status.FAILED_PRECONDITION,
  INVALID_UPDATE_VERSION: status.ABORTED,
  UNKNOWN_TOPIC_ID: status.NOT_FOUND,
  DUPLICATE_VOTER: status.ALREADY_EXISTS,
  VOTER_NOT_FOUND: status.NOT_FOUND,
  OFFSET_METADATA_TOO_LARGE: status.INVALID_ARGUMENT,
  COORDINATOR_LOAD_IN_PROGRESS: status.UNAVAILABLE,
  NOT_COORDINATOR: status.FAILED_PRECONDITION,
  ILLEGAL_GENERATION: status.FAILED_PRECONDITION,
  INCONSISTENT_GROUP_PROTOCOL: status.FAILED_PRECONDITION,
  INVALID_GROUP_ID: status.INVALID_ARGUMENT,
  UNKNOWN_MEMBER_ID: status.NOT_FOUND,
  INVALID_SESSION_TIMEOUT: status.INVALID_ARGUMENT,
  REBALANCE_IN_PROGRESS: status.ABORTED,
  INVALID_COMMIT_OFFSET_SIZE: status.INVALID_ARGUMENT,
  NON_EMPTY_GROUP: status.FAILED_PRECONDITION,
  GROUP_ID_NOT_FOUND: status.NOT_FOUND,
  MEMBER_ID_REQUIRED: status.FAILED_PRECONDITION,
  GROUP_MAX_SIZE_REACHED: status.RESOURCE_EXHAUSTED,
  FENCED_INSTANCE_ID: status.ABORTED,
  GROUP_SUBSCRIBED_TO_TOPIC: status.FAILED_PRECONDITION,
  FENCED_MEMBER_EPOCH: status.ABORTED,
  UNRELEASED_INSTANCE_ID: status.ALREADY_EXISTS,
  UNSUPPORTED_ASSIGNOR: status.INVALID_ARGUMENT,
  STALE_MEMBER_EPOCH: status.ABORTED,
  MISMATCHED_ENDPOINT_TYPE: status.FAILED_PRECONDITION,
  UNSUPPORTED_ENDPOINT_TYPE: status.INVALID_ARGUMENT,
  INVALID_REGULAR_EXPRESSION: status.INVALID_ARGUMENT,
  CANCELLED: status.CANCELLED,
  CLOSED: status.UNAVAILABLE,
  BUFFER_EXHAUSTED: status.RESOURCE_EXHAUSTED,
  CONNECTION_FAILED: status.UNAVAILABLE,
  NODE_OVERLOADED: status.RESOURCE_EXHAUSTED,
  NOT_FORMATTED: status.FAILED_PRECONDITION,
  DIRECTORY_LOCKED: status.FAILED_PRECONDITION,
  LOG_DAMAGED: status.DATA_LOSS,
  DISK_FULL: status.UNAVAILABLE,
  NO_OFFSET_FOR_PARTITION: status.FAILED_PRECONDITION,
  SERIALIZATION_FAILED: status.INVALID_ARGUMENT,
  QUORUM_UNAVAILABLE: status.UNAVAILABLE,
  ADDRESS_IN_USE: status.FAILED_PRECONDITION,
  NODE_NOT_SERVING: status.UNAVAILABLE,
};

/** What gRPC itself reports, when no Millrace server had a say. */
const CODE_OF_STATUS: ReadonlyMap<status, ErrorCode> = new Map([
  [status.CANCELLED, 'CANCELLED'],
  [status.INVALID_ARGUMENT, 'INVALID_REQUEST'],
  [status.DEADLINE_EXCEEDED, 'REQUEST_TIMED_OUT'],
  [status.RESOURCE_EXHAUSTED, 'MESSAGE_TOO_LARGE'],
  [status.UNIMPLEMENTED, 'UNSUPPORTED_VERSION'],
  [status.UNAVAILABLE, 'NETWORK_EXCEPTION'],
]);

/** For services that are not Millrace's own and name the status they want. */
export class RpcStatusError extends MillraceError {
  readonly status: status;

  constructor(wanted: status, code: ErrorCode, message: string) {
    super(code, message);
    this.status = wanted;
  }
}

export interface RpcFailure {
  readonly code: status;
  readonly details: string;
  readonly metadata: Metadata;
}

/** What a server sends for an error. Anything but a MillraceError goes out without its text. */
export function toRpcFailure(error: unknown): RpcFailure {
  const known = error instanceof MillraceError ? error : new MillraceError('UNKNOWN_SERVER_ERROR');
  const metadata = new Metadata();
  metadata.set(ERROR_CODE_KEY, known.code);
  // A lone surrogate or a line break would make the header unsendable.
  const details = known.message
    .slice(0, DETAILS_MAX_CHARACTERS)
    .replace(/\p{Surrogate}/gu, '�')
    .replace(/\s+/g, ' ');
  const code = known instanceof RpcStatusError ? known.status : STATUS_OF_CODE[known.code];
  return { code, details, metadata };
}

/** What a client makes of a status other than OK. */
export function fromRpcFailure(failure: Pick<StatusObject, 'code' | 'details' | 'metadata'>): MillraceError {
  const sent = failure.metadata.get(ERROR_CODE_KEY)[0];
  if (typeof sent === 'string' && Object.hasOwn(ERRORS, sent)) {
    return new MillraceError(sent as ErrorCode, failure.details);
  }
  if (
    failure.code === status.UNAVAILABLE &&
    /no connection established|name resolution/i.test(failure.details)
  ) {
    return new MillraceError('CONNECTION_FAILED', reasonOf(failure.details));
  }
  if (failure.code === status.INTERNAL && failure.details.includes('RST_STREAM')) {
    return new MillraceError('NETWORK_EXCEPTION', failure.details);
  }
  const details = failure.code === status.DEADLINE_EXCEEDED ? noAnswer(failure.details) : failure.details;
  return new MillraceError(CODE_OF_STATUS.get(failure.code) ?? 'UNKNOWN_SERVER_ERROR', details);
}

/** grpc-js tells where in itself the time ran out, which helps nobody who asks a cluster. */
function noAnswer(details: string): string {
  const seconds = /^Deadline exceeded after ([\d.]+)s/.exec(details)?.[1];
  return seconds === undefined ? details : `no answer in ${Math.round(Number(seconds) * 1000)} ms`;
}

/** The system's own words out of what grpc-js wraps around them: `connect ECONNREFUSED 127.0.0.1:9191`. */
function reasonOf(details: string): string {
  return /Last error: (?:Error: )?(.*?)\.? *(?:Resolution note:.*)?$/.exec(details)?.[1] ?? details;
}
