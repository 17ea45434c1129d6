/** The keys of the metadata quorum, each declared once. Names are Kafka's where Kafka has them. */
import {
  bytes,
  type ConfigOf,
  configSchema,
  count,
  GiB,
  KiB,
  MiB,
  MillraceError,
  millis,
  type NodeId,
} from '@millrace/core';
import { DEFAULT_RAFT_CONFIG, type RaftConfig, type Voter } from '@millrace/raft';

export const quorumConfig = configSchema('Metadata quorum', {
  'controller.quorum.election.timeout.ms': millis({
    default: 1000,
    min: 10,
    max: 600_000,
    doc: 'A candidate that wins no majority tries again after one to two times this.',
  }),
  'controller.quorum.fetch.timeout.ms': millis({
    default: 2000,
    min: 20,
    max: 600_000,
    doc: 'A controller that hears no leader for this long asks for an election; a leader that hears no majority for 1.5 times this resigns.',
  }),
  'controller.quorum.heartbeat.interval.ms': millis({
    default: 100,
    min: 1,
    max: 60_000,
    doc: 'How often the leader shows that it is alive. Keep it at a tenth of the fetch timeout or less.',
  }),
  'controller.quorum.quick.election.ms': millis({
    default: 150,
    min: 3,
    max: 60_000,
    doc: 'Longest delay before an election when the connection to the leader broke, or at start; a third of it is the shortest.',
  }),
  'controller.quorum.request.timeout.ms': millis({
    default: 2000,
    min: 10,
    max: 600_000,
    doc: 'A proposal or a linearizable read that is not answered within this fails with REQUEST_TIMED_OUT.',
  }),
  'controller.quorum.append.max.bytes': bytes({
    default: MiB,
    min: KiB,
    max: 16 * MiB,
    doc: 'Most bytes of records in one message to a follower, and of a snapshot chunk (there at most 1 MiB).',
  }),
  'controller.quorum.record.max.bytes': bytes({
    default: 8 * MiB,
    min: KiB,
    max: 64 * MiB,
    doc: 'Largest single record of the metadata log; larger proposals fail with MESSAGE_TOO_LARGE.',
  }),
  'controller.quorum.append.max.inflight': count({
    default: 64,
    min: 1,
    max: 1024,
    doc: 'Unanswered append messages to one follower.',
  }),
  'controller.quorum.max.queued.proposals': count({
    default: 10_000,
    min: 1,
    max: 1_000_000,
    doc: 'Proposals and reads that wait for commit on this node; more are refused with NODE_OVERLOADED.',
  }),
  'controller.quorum.max.queued.bytes': bytes({
    default: 64 * MiB,
    min: KiB,
    max: GiB,
    doc: 'Bytes of proposals that wait for commit; more are refused with NODE_OVERLOADED.',
  }),
  'metadata.log.max.record.bytes.between.snapshots': bytes({
    default: 20 * MiB,
    min: 1,
    doc: 'A snapshot of the metadata is written after this many bytes of records since the last one.',
  }),
  'metadata.log.retained.records': count({
    default: 1024,
    min: 0,
    max: 1_000_000,
    doc: 'Records kept below the newest snapshot, so that a controller slightly behind needs no snapshot.',
  }),
});

export type QuorumConfig = ConfigOf<typeof quorumConfig>;

/** A controller as configurations name it. */
export interface ConfiguredVoter {
  readonly id: NodeId;
  readonly directoryId?: string;
  /** host:port; may be left out where the transport knows. */
  readonly address?: string;
}

/** @throws {MillraceError} INVALID_CONFIG if an id is repeated. */
export function firstVoters(configured: readonly ConfiguredVoter[]): readonly Voter[] {
  const ids = configured.map(({ id }) => id);
  if (new Set(ids).size !== ids.length) {
    const message = `controller.quorum.voters: the voters ${ids.join(',')} repeat an id`;
    throw new MillraceError('INVALID_CONFIG', message);
  }
  return configured.map(({ id, directoryId = '', address = '' }) => ({ id, directoryId, address }));
}

/** The keys that concern the pure state machine. */
export function raftConfigOf(config: QuorumConfig): RaftConfig {
  const appendMaxBytes = config['controller.quorum.append.max.bytes'];
  const quickElectionMaxMs = config['controller.quorum.quick.election.ms'];
  return {
    ...DEFAULT_RAFT_CONFIG,
    fetchTimeoutMs: config['controller.quorum.fetch.timeout.ms'],
    electionTimeoutMs: config['controller.quorum.election.timeout.ms'],
    quickElectionMinMs: Math.ceil(quickElectionMaxMs / 3),
    quickElectionMaxMs,
    heartbeatIntervalMs: config['controller.quorum.heartbeat.interval.ms'],
    appendMaxBytes,
    inflightMaxAppends: config['controller.quorum.append.max.inflight'],
    snapshotChunkMaxBytes: Math.min(appendMaxBytes, MiB),
    retainedEntries: config['metadata.log.retained.records'],
  };
}
