/**
 * One of the two clusters under comparison, as both are to the measurements: addresses for Kafka's clients, processes
 * to watch, topics. Everything that both can be asked is asked in Kafka's protocol, by the same code.
 */
import type { ResponseOf } from '@millrace/kafka-api';
import { KafkaPeer } from '../../kafka-peer.ts';
import { until } from '../bench-cluster.ts';

const REQUEST_TIMEOUT_MS = 30_000;
const CREATE_TOPICS_VERSION = 7;
const DELETE_TOPICS_VERSION = 5;
const METADATA_VERSION = 12;

export type SubjectName = 'Millrace' | 'Kafka';

export interface RunningNode {
  readonly id: number;
  readonly pid: number;
  /** For Kafka's clients, as host:port. */
  readonly address: string;
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<unknown>;
  start(): Promise<void>;
}

export interface Subject {
  readonly name: SubjectName;
  readonly nodes: readonly RunningNode[];
  /** What makes a topic's acknowledged records outlive a loss of power. */
  readonly durableConfigs: Readonly<Record<string, string>>;
  /** What leaves them to the page cache. */
  readonly pageCacheConfigs: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

export interface TopicShape {
  readonly name: string;
  readonly partitions: number;
  readonly replicas: number;
  readonly configs: Readonly<Record<string, string>>;
}

export function bootstrapOf({ nodes }: Subject): string {
  return nodes.map(({ address }) => address).join(',');
}

/** Process ids by role. */
export function pidsOf({ nodes }: Subject): ReadonlyMap<string, number> {
  return new Map(nodes.map(({ id, pid }) => [`node ${id}`, pid]));
}

type Metadata = ResponseOf<'metadata'>;

export async function metadataOf(address: string, topic?: string): Promise<Metadata> {
  await using peer = await KafkaPeer.to(address, 'versus');
  const topics = topic === undefined ? [] : [{ name: topic }];
  return await peer.ask('metadata', METADATA_VERSION, { topics, allowAutoTopicCreation: false });
}

/** Waits until every node knows of all of them. */
export async function untilServing(addresses: readonly string[], timeoutMs?: number): Promise<void> {
  const knowsAll = async (address: string): Promise<boolean> =>
    (await metadataOf(address)).brokers.length === addresses.length;
  await until(
    'every node knows every node',
    async () => (await Promise.all(addresses.map(knowsAll))).every(Boolean),
    timeoutMs,
  );
}

/** True once `partitions` have leaders and all their replicas in sync, as the node at `address` sees it. */
async function isWhole(address: string, topic: string): Promise<boolean> {
  const [described] = (await metadataOf(address, topic)).topics;
  return (
    described?.errorCode === 0 &&
    described.partitions.length > 0 &&
    described.partitions.every(
      ({ leaderId, isrNodes, replicaNodes }) => leaderId >= 0 && isrNodes.length === replicaNodes.length,
    )
  );
}

export async function untilWhole(subject: Subject, topic: string): Promise<void> {
  await until(`all replicas of ${topic} are in sync on ${subject.name}`, async () =>
    (await Promise.all(subject.nodes.map(({ address }) => isWhole(address, topic)))).every(Boolean),
  );
}

/** Asks once. @throws {Error} with the server's error code. */
export async function createTopicAt(address: string, shape: TopicShape): Promise<void> {
  await using peer = await KafkaPeer.to(address, 'versus');
  const { topics } = await peer.ask('createTopics', CREATE_TOPICS_VERSION, {
    topics: [
      {
        name: shape.name,
        numPartitions: shape.partitions,
        replicationFactor: shape.replicas,
        assignments: [],
        configs: Object.entries(shape.configs).map(([name, value]) => ({ name, value })),
      },
    ],
    timeoutMs: REQUEST_TIMEOUT_MS,
    validateOnly: false,
  });
  const { errorCode, errorMessage } = topics[0]!;
  if (errorCode !== 0)
    throw new Error(`${shape.name} was not created: error ${errorCode} ${errorMessage ?? ''}`);
}

export async function createTopic(subject: Subject, shape: TopicShape): Promise<void> {
  await createTopicAt(subject.nodes[0]!.address, shape);
  await untilWhole(subject, shape.name);
}

export async function deleteTopic(subject: Subject, name: string): Promise<void> {
  await using peer = await KafkaPeer.to(subject.nodes[0]!.address, 'versus');
  await peer.ask('deleteTopics', DELETE_TOPICS_VERSION, {
    topicNames: [name],
    timeoutMs: REQUEST_TIMEOUT_MS,
  });
}
