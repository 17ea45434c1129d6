/** The cluster as a whole: ElectLeaders, DescribeQuorum, DescribeCluster, ListPartitionReassignments. */
import type { Failure, QuorumReplica } from '@millrace/broker';
import { MillraceError } from '@millrace/core';
import { METADATA_TOPIC } from '@millrace/metadata';
import type { RequestOf, ResponseDraftOf } from '../schemas/api-table.ts';
import { authorizedOperations } from './authorized-operations.ts';
import type { Handler, Handlers, Surroundings } from './handler.ts';
import { controllerAmong, kafkaNodes } from './kafka-nodes.ts';
import { grouped } from './log-dirs.ts';
import { ZERO_UUID } from './topic-answers.ts';
import { NO_ERROR, wireError, wireErrorOf } from './wire-error.ts';

type QuorumRequest = RequestOf<'describeQuorum'>;
type QuorumPartition = ResponseDraftOf<'describeQuorum'>['topics'][number]['partitions'][number];

const ELECTIONS = ['preferred', 'unclean'] as const;
const BROKERS = 1;
const CONTROLLERS = 2;
/** The version from which on the quorum is told with directories and addresses (KIP-853). */
const FIRST_WITH_NODES = 2;
/** More than any client names. */
const QUORUM_PARTITIONS_MAX = 1_000;

export function clusterAdminHandlers(
  around: Surroundings,
): Pick<Handlers, 'electLeaders' | 'describeQuorum' | 'describeCluster' | 'listPartitionReassignments'> {
  return {
    electLeaders: electHandler(around),
    describeQuorum: quorumHandler(around),
    describeCluster: clusterHandler(around),
    // Replicas are placed once and stay: nothing is ever on the move.
    listPartitionReassignments: {
      handle: async () => ({ errorCode: NO_ERROR, errorMessage: null, topics: [] }),
      refuse: (_request, { code, message }) => ({
        errorCode: wireError(code),
        errorMessage: message,
        topics: [],
      }),
    },
  };
}

function electHandler({ broker }: Surroundings): Handler<'electLeaders'> {
  const named = ({ topicPartitions }: RequestOf<'electLeaders'>) =>
    topicPartitions?.flatMap(({ topic, partitions }) =>
      partitions.map((partition) => ({ topic, partition })),
    );
  const results = (
    elected: readonly {
      readonly topic: string;
      readonly partition: number;
      readonly failure?: Failure | undefined;
    }[],
  ) =>
    Array.from(grouped(elected), ([topic, partitions]) => ({
      topic,
      partitionResult: partitions.map((each) => ({
        partitionId: each.partition,
        errorCode: wireErrorOf(each.failure),
        errorMessage: each.failure?.message ?? null,
      })),
    }));
  return {
    handle: async (request, { clientId }) => {
      const election = ELECTIONS[request.electionType];
      if (election === undefined) {
        throw new MillraceError('INVALID_REQUEST', `there is no election of type ${request.electionType}`);
      }
      const partitions = named(request);
      // An empty list names none; null names all of them, as an empty list does to the broker.
      if (partitions?.length === 0) return { errorCode: NO_ERROR, replicaElectionResults: [] };
      const timeoutMs = Math.max(request.timeoutMs, 0);
      const answer = await broker.electLeaders({
        timeoutMs,
        clientId,
        election,
        partitions: partitions ?? [],
      });
      return { errorCode: NO_ERROR, replicaElectionResults: results(answer.partitions) };
    },
    refuse: (request, fault, { version }) => ({
      errorCode: version === 0 ? undefined : wireError(fault.code),
      replicaElectionResults: results(
        (named(request) ?? []).map((partition) => ({ ...partition, failure: fault })),
      ),
    }),
  };
}

function quorumHandler({ broker, clock }: Surroundings): Handler<'describeQuorum'> {
  return {
    handle: async (request, { version, clientId }) => {
      checkFew(request);
      const quorum = await broker.describeQuorum({ timeoutMs: 0, clientId });
      const nowMs = clock.wallMs();
      const ago = (ms: number) => (ms === -1 ? -1 : nowMs - ms);
      const replica = (each: QuorumReplica) => ({
        replicaId: each.nodeId,
        replicaDirectoryId: version < FIRST_WITH_NODES ? undefined : each.directoryId || ZERO_UUID,
        logEndOffset: each.logEndOffset,
        lastFetchTimestamp: ago(each.lastContactMs),
        lastCaughtUpTimestamp: ago(each.lastCaughtUpMs),
      });
      const known = {
        errorCode: NO_ERROR,
        errorMessage: null,
        leaderId: quorum.leaderId,
        leaderEpoch: quorum.leaderEpoch,
        highWatermark: quorum.highWatermark,
        currentVoters: quorum.voters.map(replica),
        observers: quorum.observers.map(replica),
      };
      return {
        errorCode: NO_ERROR,
        errorMessage: null,
        topics: quorumTopics(request, known),
        nodes:
          version < FIRST_WITH_NODES
            ? undefined
            : [...quorum.voters, ...quorum.observers].flatMap(({ nodeId, address }) => {
                const endpoint = endpointOf(address);
                return endpoint === undefined
                  ? []
                  : [{ nodeId, listeners: [{ name: 'CONTROLLER', ...endpoint }] }];
              }),
      };
    },
    refuse: (_request, fault) => ({
      errorCode: wireError(fault.code),
      errorMessage: fault.message,
      topics: [],
      nodes: [],
    }),
  };
}

const ONE_QUORUM = `only ${METADATA_TOPIC}-0 has a quorum`;
/** What is told of every other partition. */
const NO_QUORUM: Omit<QuorumPartition, 'partitionIndex'> = {
  errorCode: wireError('UNKNOWN_TOPIC_OR_PARTITION'),
  errorMessage: ONE_QUORUM,
  leaderId: -1,
  leaderEpoch: -1,
  highWatermark: -1,
  currentVoters: [],
  observers: [],
};

/** @throws {MillraceError} INVALID_REQUEST: one partition has a quorum, and each that is named costs an answer. */
function checkFew({ topics }: QuorumRequest): void {
  const named = topics.reduce((sum, { partitions }) => sum + partitions.length, topics.length);
  if (named <= QUORUM_PARTITIONS_MAX) return;
  throw new MillraceError('INVALID_REQUEST', `${named} topics and partitions are named; ${ONE_QUORUM}`);
}

function quorumTopics({ topics }: QuorumRequest, known: Omit<QuorumPartition, 'partitionIndex'>) {
  return topics.map(({ topicName, partitions }) => ({
    topicName,
    partitions: partitions.map(({ partitionIndex }) => ({
      partitionIndex,
      ...(topicName === METADATA_TOPIC && partitionIndex === 0 ? known : NO_QUORUM),
    })),
  }));
}

/** Of `host:port`, where the host may be an IPv6 address in brackets. */
function endpointOf(address: string): { readonly host: string; readonly port: number } | undefined {
  const [, host, port] = /^\[?(.*?)\]?:(\d+)$/.exec(address) ?? [];
  return host === undefined ? undefined : { host, port: Number(port) };
}

/** @throws {MillraceError} */
function checkEndpoint(type: number): void {
  if (type === BROKERS) return;
  if (type === CONTROLLERS)
    throw new MillraceError('MISMATCHED_ENDPOINT_TYPE', 'brokers answer here, not controllers');
  throw new MillraceError('UNSUPPORTED_ENDPOINT_TYPE', `there are no endpoints of type ${type}`);
}

function clusterHandler({ broker }: Surroundings): Handler<'describeCluster'> {
  return {
    handle: async ({ includeClusterAuthorizedOperations, endpointType }, { clientId, connection }) => {
      const { listener } = connection;
      checkEndpoint(endpointType);
      const { clusterId, controllerId } = await broker.describeCluster({ timeoutMs: 0, clientId, listener });
      const nodes = kafkaNodes(broker.image(), listener);
      return {
        errorCode: NO_ERROR,
        clusterId,
        controllerId: controllerAmong(nodes, controllerId),
        brokers: nodes.map(({ nodeId, ...where }) => ({ brokerId: nodeId, ...where })),
        clusterAuthorizedOperations: authorizedOperations('cluster', includeClusterAuthorizedOperations),
      };
    },
    refuse: ({ endpointType }, { code, message }, { version }) => ({
      errorCode: wireError(code),
      errorMessage: message,
      endpointType: version === 0 ? undefined : endpointType,
      clusterId: broker.clusterId,
      brokers: [],
    }),
  };
}
