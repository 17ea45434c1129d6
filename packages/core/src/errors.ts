/**
 * The closed list of failures and what a caller may do about each. Clients branch on these facts,
 * never on message text. Codes below 1000 are Kafka's own names and numbers (`Errors.java`), so the
 * Kafka listener passes them through; codes from 1000 on are Millrace's.
 */

/** What a caller may do about a failure. */
export interface ErrorFacts {
  /** Number on the wire. Never reused, never changed. */
  readonly wire: number;
  /** The same request may succeed later. */
  readonly retriable: boolean;
  /** The caller's view of leaders or brokers is out of date: refresh it before retrying. */
  readonly staleMetadata?: true;
  /** What happened and what to do, for people. */
  readonly help: string;
}

const facts = <const T extends Record<string, ErrorFacts>>(table: T): T => table;

export const ERRORS = facts({
  UNKNOWN_SERVER_ERROR: {
    wire: -1,
    retriable: false,
    help: 'The server failed unexpectedly; its log has the cause.',
  },
  OFFSET_OUT_OF_RANGE: {
    wire: 1,
    retriable: false,
    help: 'The offset lies outside the log; seek to its beginning or end.',
  },
  CORRUPT_MESSAGE: {
    wire: 2,
    retriable: true,
    help: 'The batch fails its checksum or its header is malformed.',
  },
  UNKNOWN_TOPIC_OR_PARTITION: {
    wire: 3,
    retriable: true,
    staleMetadata: true,
    help: 'No such topic or partition here; check the name with "topic list".',
  },
  LEADER_NOT_AVAILABLE: {
    wire: 5,
    retriable: true,
    staleMetadata: true,
    help: 'The partition has no leader at the moment; an election is due.',
  },
  NOT_LEADER_OR_FOLLOWER: {
    wire: 6,
    retriable: true,
    staleMetadata: true,
    help: 'This broker does not lead the partition; refresh metadata and ask the leader.',
  },
  REQUEST_TIMED_OUT: {
    wire: 7,
    retriable: true,
    help: 'The request did not finish within its deadline; a write may or may not have been applied.',
  },
  REPLICA_NOT_AVAILABLE: {
    wire: 9,
    retriable: true,
    staleMetadata: true,
    help: 'The replica is not available on this broker.',
  },
  MESSAGE_TOO_LARGE: {
    wire: 10,
    retriable: false,
    help: 'The batch is larger than max.message.bytes; raise it or send smaller records.',
  },
  OFFSET_METADATA_TOO_LARGE: {
    wire: 12,
    retriable: false,
    help: 'The metadata of a committed offset is longer than offset.metadata.max.bytes.',
  },
  NETWORK_EXCEPTION: {
    wire: 13,
    retriable: true,
    staleMetadata: true,
    help: 'The connection broke before an answer came.',
  },
  COORDINATOR_LOAD_IN_PROGRESS: {
    wire: 14,
    retriable: true,
    help: 'The coordinator is reading what it must know of its groups; try again.',
  },
  COORDINATOR_NOT_AVAILABLE: {
    wire: 15,
    retriable: true,
    staleMetadata: true,
    help: 'The coordinator is not available yet.',
  },
  NOT_COORDINATOR: {
    wire: 16,
    retriable: true,
    staleMetadata: true,
    help: 'This broker does not coordinate the group; ask again who does.',
  },
  INVALID_TOPIC_EXCEPTION: {
    wire: 17,
    retriable: false,
    help: 'The name is not allowed for a topic, or the topic is internal and kept by the cluster itself.',
  },
  NOT_ENOUGH_REPLICAS: {
    wire: 19,
    retriable: true,
    help: 'Fewer in-sync replicas than min.insync.replicas; nothing was written.',
  },
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: {
    wire: 20,
    retriable: true,
    help: 'In-sync replicas fell below min.insync.replicas after the append; the write may survive.',
  },
  INVALID_REQUIRED_ACKS: { wire: 21, retriable: false, help: 'acks must be 0, 1 or all.' },
  ILLEGAL_GENERATION: {
    wire: 22,
    retriable: false,
    help: 'The generation is not the current one of the group: join again.',
  },
  INCONSISTENT_GROUP_PROTOCOL: {
    wire: 23,
    retriable: false,
    help: 'The member has no protocol type or assignor in common with the other members of the group.',
  },
  INVALID_GROUP_ID: { wire: 24, retriable: false, help: 'The group id is not valid; it may not be empty.' },
  UNKNOWN_MEMBER_ID: {
    wire: 25,
    retriable: false,
    help: 'The group does not know this member (any more): join again.',
  },
  INVALID_SESSION_TIMEOUT: {
    wire: 26,
    retriable: false,
    help: 'The session timeout is outside group.min.session.timeout.ms and group.max.session.timeout.ms.',
  },
  REBALANCE_IN_PROGRESS: {
    wire: 27,
    retriable: false,
    help: 'The group is rebalancing: join again.',
  },
  INVALID_COMMIT_OFFSET_SIZE: {
    wire: 28,
    retriable: false,
    help: 'The offsets of this commit do not fit into one batch; commit fewer at a time.',
  },
  INVALID_TIMESTAMP: {
    wire: 32,
    retriable: false,
    help: 'A timestamp of a record is further from now than the topic allows (message.timestamp.*.max.ms).',
  },
  UNSUPPORTED_VERSION: {
    wire: 35,
    retriable: false,
    help: 'The server does not support this request version.',
  },
  TOPIC_ALREADY_EXISTS: { wire: 36, retriable: false, help: 'A topic of this name exists already.' },
  INVALID_PARTITIONS: { wire: 37, retriable: false, help: 'The number of partitions is not valid.' },
  INVALID_REPLICATION_FACTOR: {
    wire: 38,
    retriable: false,
    help: 'The replication factor must be at least 1 and at most the number of live brokers.',
  },
  INVALID_REPLICA_ASSIGNMENT: { wire: 39, retriable: false, help: 'The replica assignment is not valid.' },
  INVALID_CONFIG: { wire: 40, retriable: false, help: 'A configuration key or value is not valid.' },
  NOT_CONTROLLER: {
    wire: 41,
    retriable: true,
    staleMetadata: true,
    help: 'This node is not the active controller; ask the one that is.',
  },
  INVALID_REQUEST: { wire: 42, retriable: false, help: 'The request is malformed or contradicts itself.' },
  UNSUPPORTED_FOR_MESSAGE_FORMAT: {
    wire: 43,
    retriable: false,
    help: 'Only record batch format v2 is accepted.',
  },
  POLICY_VIOLATION: { wire: 44, retriable: false, help: 'A limit of the server forbids this request.' },
  OUT_OF_ORDER_SEQUENCE_NUMBER: {
    wire: 45,
    retriable: false,
    help: 'A batch of this producer is missing before this one.',
  },
  DUPLICATE_SEQUENCE_NUMBER: {
    wire: 46,
    retriable: false,
    help: 'This batch was appended before; its offset is no longer remembered.',
  },
  INVALID_PRODUCER_EPOCH: {
    wire: 47,
    retriable: false,
    help: 'A newer producer with the same id fenced this one.',
  },
  KAFKA_STORAGE_ERROR: {
    wire: 56,
    retriable: true,
    staleMetadata: true,
    help: 'The replica is offline because its disk failed; another replica can serve it.',
  },
  UNKNOWN_PRODUCER_ID: {
    wire: 59,
    retriable: false,
    help: 'The producer id is not known for this partition any more.',
  },
  NON_EMPTY_GROUP: { wire: 68, retriable: false, help: 'The group has members; stop them first.' },
  GROUP_ID_NOT_FOUND: {
    wire: 69,
    retriable: false,
    help: 'No such group; "group list" shows which there are.',
  },
  FETCH_SESSION_ID_NOT_FOUND: {
    wire: 70,
    retriable: true,
    help: 'The fetch session is unknown; open a new one.',
  },
  INVALID_FETCH_SESSION_EPOCH: {
    wire: 71,
    retriable: true,
    help: 'The fetch session is at another epoch; open a new one.',
  },
  TOPIC_DELETION_DISABLED: {
    wire: 73,
    retriable: false,
    help: 'Topics cannot be deleted here: delete.topic.enable is false.',
  },
  FENCED_LEADER_EPOCH: {
    wire: 74,
    retriable: true,
    staleMetadata: true,
    help: "The leader epoch in the request is older than the partition's.",
  },
  UNKNOWN_LEADER_EPOCH: {
    wire: 75,
    retriable: true,
    staleMetadata: true,
    help: 'The leader epoch in the request is newer than this broker knows.',
  },
  UNSUPPORTED_COMPRESSION_TYPE: {
    wire: 76,
    retriable: false,
    help: 'The compression codec is not one of none, gzip, snappy, lz4, zstd.',
  },
  STALE_BROKER_EPOCH: {
    wire: 77,
    retriable: false,
    help: 'The broker epoch is out of date: the broker registered again meanwhile.',
  },
  OFFSET_NOT_AVAILABLE: {
    wire: 78,
    retriable: true,
    help: 'The leader has not caught up with its own epoch yet; try again.',
  },
  MEMBER_ID_REQUIRED: {
    wire: 79,
    retriable: false,
    help: 'Join again with the member id of this answer.',
  },
  PREFERRED_LEADER_NOT_AVAILABLE: {
    wire: 80,
    retriable: true,
    help: 'The preferred leader is not in the in-sync set.',
  },
  GROUP_MAX_SIZE_REACHED: {
    wire: 81,
    retriable: false,
    help: 'The group has as many members as it may have.',
  },
  FENCED_INSTANCE_ID: {
    wire: 82,
    retriable: false,
    help: 'Another member with the same group instance id took over; give every member its own.',
  },
  ELIGIBLE_LEADERS_NOT_AVAILABLE: { wire: 83, retriable: true, help: 'No eligible leader is alive.' },
  ELECTION_NOT_NEEDED: {
    wire: 84,
    retriable: false,
    help: 'The partition already has the leader that was asked for.',
  },
  GROUP_SUBSCRIBED_TO_TOPIC: {
    wire: 86,
    retriable: false,
    help: 'Members of the group subscribe to the topic; its offsets cannot be deleted now.',
  },
  INVALID_RECORD: {
    wire: 87,
    retriable: false,
    help: 'The batch contradicts itself (counts, offsets, sizes or timestamps).',
  },
  DUPLICATE_BROKER_REGISTRATION: {
    wire: 101,
    retriable: false,
    help: 'Another live broker uses this node.id; give every node its own.',
  },
  BROKER_ID_NOT_REGISTERED: { wire: 102, retriable: true, help: 'The broker is not registered.' },
  INCONSISTENT_CLUSTER_ID: {
    wire: 104,
    retriable: false,
    help: 'The node belongs to another cluster; check cluster.id in meta.properties.',
  },
  INELIGIBLE_REPLICA: {
    wire: 107,
    retriable: false,
    help: 'A proposed in-sync replica is fenced, shutting down or restarted.',
  },
  FETCH_SESSION_TOPIC_ID_ERROR: {
    wire: 106,
    retriable: true,
    help: 'The fetch session names topics the other way, by name or by id; open a new one.',
  },
  FENCED_MEMBER_EPOCH: {
    wire: 110,
    retriable: false,
    help: 'The coordinator fenced the member: give its partitions up and join again with epoch 0.',
  },
  UNRELEASED_INSTANCE_ID: {
    wire: 111,
    retriable: false,
    help: 'The group instance id is still used by a living member.',
  },
  UNSUPPORTED_ASSIGNOR: {
    wire: 112,
    retriable: false,
    help: 'The assignor is not one of group.consumer.assignors.',
  },
  STALE_MEMBER_EPOCH: {
    wire: 113,
    retriable: false,
    help: 'The member epoch is not the current one: try again with the newest.',
  },
  MISMATCHED_ENDPOINT_TYPE: {
    wire: 114,
    retriable: false,
    help: 'The address is that of another kind of node than the client wants to talk to.',
  },
  UNSUPPORTED_ENDPOINT_TYPE: {
    wire: 115,
    retriable: false,
    help: 'There is no such kind of node.',
  },
  INVALID_UPDATE_VERSION: {
    wire: 95,
    retriable: false,
    help: 'The partition changed since the request was made.',
  },
  UNKNOWN_TOPIC_ID: { wire: 100, retriable: true, staleMetadata: true, help: 'No topic has this id.' },
  DUPLICATE_VOTER: { wire: 126, retriable: false, help: 'The directory votes already.' },
  VOTER_NOT_FOUND: {
    wire: 127,
    retriable: false,
    help: 'No such voter or observer; "quorum status" shows which there are.',
  },
  INVALID_REGULAR_EXPRESSION: {
    wire: 128,
    retriable: false,
    help: 'The pattern of the subscription is not a valid regular expression.',
  },

  CANCELLED: { wire: 1000, retriable: false, help: 'The caller gave the operation up.' },
  CLOSED: { wire: 1001, retriable: false, help: 'It was closed before, by this program.' },
  BUFFER_EXHAUSTED: {
    wire: 1002,
    retriable: true,
    help: 'bufferMemory is full and stayed full for maxBlockMs; send slower or raise it.',
  },
  CONNECTION_FAILED: {
    wire: 1003,
    retriable: true,
    staleMetadata: true,
    help: 'No server answered at the address; check that the cluster runs, and that --bootstrap-server is a gRPC port (9191), none for Kafka clients (9092).',
  },
  NODE_OVERLOADED: {
    wire: 1004,
    retriable: true,
    help: 'A queue of the server is full; send slower and try again.',
  },
  NOT_FORMATTED: {
    wire: 1005,
    retriable: false,
    help: 'The directory is not formatted; run "millrace storage format" or set MILLRACE_CLUSTER_ID for a first start.',
  },
  DIRECTORY_LOCKED: { wire: 1006, retriable: false, help: 'Another process uses this data directory.' },
  LOG_DAMAGED: {
    wire: 1007,
    retriable: true,
    staleMetadata: true,
    help: 'The log is damaged below a point that was durable; the replica is offline until it is repaired from another one.',
  },
  DISK_FULL: {
    wire: 1008,
    retriable: true,
    staleMetadata: true,
    help: 'No space is left on the device; free some and restart the node.',
  },
  NO_OFFSET_FOR_PARTITION: {
    wire: 1009,
    retriable: false,
    help: 'The consumer has no position and autoOffsetReset is "none".',
  },
  SERIALIZATION_FAILED: { wire: 1010, retriable: false, help: 'A serializer or deserializer threw.' },
  QUORUM_UNAVAILABLE: {
    wire: 1011,
    retriable: true,
    staleMetadata: true,
    help: 'The metadata quorum has no leader; a majority of controllers must be up.',
  },
  ADDRESS_IN_USE: {
    wire: 1012,
    retriable: false,
    help: 'Another program listens at this address; stop it, or choose another port: in "listeners", for npm start with --port and --kafka-port.',
  },
  NODE_NOT_SERVING: {
    wire: 1013,
    retriable: true,
    staleMetadata: true,
    help: 'The node is starting or stopping; another one may answer.',
  },
});

export type ErrorCode = keyof typeof ERRORS;

const CODE_OF_WIRE: ReadonlyMap<number, ErrorCode> = new Map(
  (Object.keys(ERRORS) as ErrorCode[]).map((code) => [ERRORS[code].wire, code]),
);

/** The code of a wire number; numbers from a newer server read as UNKNOWN_SERVER_ERROR. 0 is "no error": never pass it. */
export function errorCodeOf(wire: number): ErrorCode {
  return CODE_OF_WIRE.get(wire) ?? 'UNKNOWN_SERVER_ERROR';
}

/** An operating error: part of every contract, handled by every caller. */
export class MillraceError extends Error {
  override readonly name = 'MillraceError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message?: string, options?: ErrorOptions) {
    super(message ?? ERRORS[code].help, options);
    this.code = code;
  }

  /** The same request may succeed later. */
  get retriable(): boolean {
    return ERRORS[this.code].retriable;
  }

  /** Refresh metadata before the next try. */
  get staleMetadata(): boolean {
    return (ERRORS[this.code] as ErrorFacts).staleMetadata === true;
  }

  /** What a person can do about it. */
  get help(): string {
    return ERRORS[this.code].help;
  }
}

/** Any thrown value as a MillraceError; unexpected ones keep their cause. */
export function toMillraceError(error: unknown): MillraceError {
  if (error instanceof MillraceError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new MillraceError('UNKNOWN_SERVER_ERROR', message, { cause: error });
}
