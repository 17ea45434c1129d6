/** Topic creation: every topic of a request stands for itself, and is created whole or not at all. */
import { checkTopicName, MillraceError, type NodeId, randomUuid } from '@millrace/core';
import type { CreatedTopic, CreateTopicsRequest, CreateTopicsResponse, NewTopic } from '../command.ts';
import { clusterConfigOf } from '../effective-config.ts';
import type { MetadataImage } from '../image.ts';
import { METADATA_TOPIC } from '../internal-topic.ts';
import type { MetadataRecord } from '../record.ts';
import { checkTopicConfigs } from './alter-configs.ts';
import { checkAssignments, chooseReplicas, partitionsCreated } from './assign-replicas.ts';
import { type Decision, type DecisionContext, failureOf } from './decision.ts';

/** @throws {MillraceError} POLICY_VIOLATION if the request as a whole is too large. */
export function createTopics(
  image: MetadataImage,
  { topics, validateOnly = false }: CreateTopicsRequest,
  context: DecisionContext,
): Decision<CreateTopicsResponse> {
  checkRequestSize(topics.length, context);
  const records: MetadataRecord[] = [];
  const names = new TopicNames(image, topics);
  const budget = new PartitionBudget(image, context);
  const results = topics.map((topic): CreatedTopic => {
    let created: CreatedTopic | undefined;
    const failure = failureOf(() => {
      names.check(topic.name);
      const replicas = replicasOf(image, topic, budget, context);
      checkTopicConfigs(image, topic.name, topic.configs ?? {}, context);
      budget.take(replicas.length);
      names.add(topic.name);
      const topicId = randomUuid(context.random);
      records.push(...recordsOf(image, topic, topicId, replicas));
      created = {
        name: topic.name,
        topicId: validateOnly ? '' : topicId,
        partitionCount: replicas.length,
        replicationFactor: replicas[0]!.length,
      };
    });
    if (created !== undefined) return created;
    const none = { name: topic.name, topicId: '', partitionCount: 0, replicationFactor: 0 };
    return failure === undefined ? none : { ...none, failure };
  });
  return { records: validateOnly ? [] : records, reply: { topics: results } };
}

function checkRequestSize(topics: number, { limits }: DecisionContext): void {
  if (topics > limits.topicsPerRequest) {
    throw new MillraceError(
      'POLICY_VIOLATION',
      `the request has ${topics} topics, at most ${limits.topicsPerRequest} are allowed`,
    );
  }
}

function recordsOf(
  image: MetadataImage,
  { name, configs = {} }: NewTopic,
  topicId: string,
  replicas: readonly (readonly NodeId[])[],
): MetadataRecord[] {
  const resource = { kind: 'topic', name } as const;
  return [
    { kind: 'topicCreated', topicId, name },
    partitionsCreated(image, topicId, 0, replicas),
    ...Object.entries(configs).map(
      ([key, value]) => ({ kind: 'configChanged', resource, name: key, value }) as const,
    ),
  ];
}

function replicasOf(
  image: MetadataImage,
  topic: NewTopic,
  budget: PartitionBudget,
  context: DecisionContext,
): (readonly NodeId[])[] {
  const { assignments = [] } = topic;
  if (assignments.length > 0) {
    budget.check(assignments.length);
    return checkAssignments(image, assignments, 0);
  }
  const defaults = clusterConfigOf(image, context.scope);
  const count = topic.partitionCount === -1 ? defaults['num.partitions'] : topic.partitionCount;
  const factor =
    topic.replicationFactor === -1 ? defaults['default.replication.factor'] : topic.replicationFactor;
  if (!Number.isSafeInteger(count) || count < 1) {
    throw new MillraceError('INVALID_PARTITIONS', `topic ${topic.name} would have ${count} partitions`);
  }
  budget.check(count);
  return chooseReplicas(image, count, factor, context.random);
}

/** Which names are free, counting those that this request takes. */
class TopicNames {
  readonly #image: MetadataImage;
  readonly #asked = new Map<string, number>();
  /** Names by the form in which "." and "_" are the same: metric names cannot tell them apart. */
  readonly #taken = new Map<string, string>();

  constructor(image: MetadataImage, topics: readonly NewTopic[]) {
    this.#image = image;
    for (const { name } of topics) this.#asked.set(name, (this.#asked.get(name) ?? 0) + 1);
    if (topics.some(({ name }) => /[._]/.test(name))) {
      for (const name of image.topicIds.keys()) this.add(name);
    }
  }

  add(name: string): void {
    this.#taken.set(name.replaceAll('.', '_'), name);
  }

  check(name: string): void {
    checkTopicName(name);
    if (name === METADATA_TOPIC) {
      throw new MillraceError('INVALID_REQUEST', `${name} is the name of the cluster's own log of metadata`);
    }
    if (this.#asked.get(name)! > 1) {
      throw new MillraceError('INVALID_REQUEST', `topic ${name} is in the request twice`);
    }
    if (this.#image.topicIds.has(name)) {
      throw new MillraceError('TOPIC_ALREADY_EXISTS', `topic ${name} exists already`);
    }
    const rival = this.#taken.get(name.replaceAll('.', '_'));
    if (rival !== undefined) {
      throw new MillraceError(
        'INVALID_TOPIC_EXCEPTION',
        `topic name ${name} collides with topic ${rival}: they differ only in "." and "_"`,
      );
    }
  }
}

/** How many partitions a request may still add. */
export class PartitionBudget {
  readonly #existing: number;
  readonly #context: DecisionContext;
  #added = 0;

  constructor(image: MetadataImage, context: DecisionContext) {
    this.#existing = image.partitionCount;
    this.#context = context;
  }

  /** @throws {MillraceError} POLICY_VIOLATION if `count` more are too many. */
  check(count: number): void {
    const { partitionsPerRequest, partitionsPerCluster } = this.#context.limits;
    if (this.#added + count > partitionsPerRequest) {
      throw new MillraceError(
        'POLICY_VIOLATION',
        `the request adds ${this.#added + count} partitions or more, at most ${partitionsPerRequest} are allowed`,
      );
    }
    if (this.#existing + this.#added + count > partitionsPerCluster) {
      throw new MillraceError(
        'POLICY_VIOLATION',
        `the cluster would have ${this.#existing + this.#added + count} partitions, at most ${partitionsPerCluster} are allowed`,
      );
    }
  }

  take(count: number): void {
    this.#added += count;
  }
}
