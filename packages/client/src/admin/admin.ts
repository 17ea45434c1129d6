/** The admin that users hold: typed calls in, typed answers out. Any broker answers; changes reach the controller through it. */
import type { MillraceError, NodeId, TopicPartition } from '@millrace/core';
import {
  adminService,
  brokerService,
  type DeleteRecordsRequest,
  type Failure,
  type PartitionDeleted,
  type RequestHeader,
} from '@millrace/protocol';
import {
  checkAssignments,
  checkConfigValue,
  checkInteger,
  checkList,
  checkNodeId,
  checkObject,
  checkOffsetSpec,
  checkPartitions,
  checkText,
  checkTopics,
  offsetArgument,
  wrongArgument,
} from '../check-arguments.ts';
import { parseBootstrap } from '../cluster/address.ts';
import { backoffMs } from '../cluster/backoff.ts';
import { pause } from '../cluster/cancellation.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { errorOfFailure, throwAll } from '../cluster/failure.ts';
import { askLeaders, type LeaderCall } from '../cluster/leader-calls.ts';
import { type OffsetSpec, offsetLookup } from '../cluster/offset-lookup.ts';
import type {
  AdminOptions,
  ClusterInfo,
  ConfigChange,
  ConfigEntry,
  ConfigResource,
  CreatedTopic,
  DeletedRecords,
  ElectedLeader,
  ListedOffset,
  NewPartitions,
  NewTopic,
  NodeHealth,
  QuorumInfo,
  ResourceConfigs,
  TopicInfo,
  ValidateOptions,
  VoterOptions,
} from './admin-shapes.ts';
import { checkNewTopic, newTopicOnWire, partitionAssignments, topicInfo } from './admin-wire.ts';
import { GroupAdmin } from './group-admin.ts';
import { nodesHealth } from './node-health.ts';
import {
  areEnoughPartitions,
  asFarAsKnown,
  changedVoter,
  hasGrown,
  isAsWanted,
  isTopicGone,
  isTopicThere,
} from './own-success.ts';

/** How long a topic that the asked broker does not know may be on its way to it. */
const TOPIC_ARRIVAL_MS = 500;

type RecordsBefore = TopicPartition & { readonly before: bigint | number | 'latest' };

const deleteRecordsCall: LeaderCall<RecordsBefore, DeleteRecordsRequest, PartitionDeleted> = {
  method: brokerService.deleteRecords,
  make: (header, entries) => ({
    header,
    partitions: entries.map(({ query, topicId }) => ({
      topicId,
      partition: query.partition,
      beforeOffset: query.before === 'latest' ? -1 : Number(query.before),
    })),
  }),
};

/**
 * Administration. Calls that take several items throw the MillraceError of the one that failed, or an
 * AggregateError of MillraceErrors if several did; the others were done.
 *
 * A change whose connection breaks before the answer is asked for again, and what the first attempt did counts as done:
 * a topic that is there with the wanted partitions and replicas was created, one that is not there was deleted, and
 * partitions whose number is the wanted one were added; a voter that votes was added, one that only observes removed. Only in that case: otherwise TOPIC_ALREADY_EXISTS,
 * UNKNOWN_TOPIC_OR_PARTITION and INVALID_PARTITIONS are what the cluster said. What it cannot tell is whether somebody
 * else made the same change at the same moment.
 */
export class Admin extends GroupAdmin implements AsyncDisposable {
  readonly #cluster: Cluster;

  /** Made by `Millrace.admin`. */
  constructor(cluster: Cluster) {
    super(cluster);
    this.#cluster = cluster;
  }

  /** @throws {MillraceError} TOPIC_ALREADY_EXISTS, INVALID_TOPIC_EXCEPTION, INVALID_REPLICATION_FACTOR, INVALID_CONFIG, … */
  async createTopic(topic: NewTopic, options: ValidateOptions = {}): Promise<CreatedTopic> {
    const [created] = await this.createTopics([topic], options);
    return created!;
  }

  async createTopics(topics: readonly NewTopic[], options: ValidateOptions = {}): Promise<CreatedTopic[]> {
    const { validateOnly = false } = options;
    checkNamed('topics', topics, 'name');
    topics.forEach((topic, i) => {
      checkNewTopic(`topics[${i}]`, topic);
    });
    const wire = topics.map(newTopicOnWire);
    const left = this.#timeLeft(options);
    const { response, isRepeated } = await this.#cluster.changeByAnyNode(
      adminService.createTopics,
      (header) => ({ header, topics: wire, validateOnly }),
      options,
    );
    const doubtful = isRepeated && !validateOnly ? response.topics.filter(isTopicThere) : [];
    const found = await this.#describeFound(doubtful, left);
    const isOwn = (at: number): boolean => {
      const info = found.get(response.topics[at]!.name);
      return info !== undefined && isAsWanted(topics[at]!, info);
    };
    throwFailures(
      response.topics.flatMap((result, i) =>
        isOwn(i) ? [] : [{ what: `topic ${result.name}`, failure: asFarAsKnown(result, doubtful, found) }],
      ),
    );
    return response.topics.map(({ name, topicId, partitionCount, replicationFactor }, i) =>
      isOwn(i)
        ? createdTopic(found.get(name)!)
        : { name, topicId, partitions: partitionCount, replicationFactor },
    );
  }

  deleteTopic(name: string, options: AdminOptions = {}): Promise<void> {
    return this.deleteTopics([name], options);
  }

  /** @throws {MillraceError} UNKNOWN_TOPIC_OR_PARTITION. */
  async deleteTopics(names: readonly string[], options: AdminOptions = {}): Promise<void> {
    checkTopics('names', names);
    const { response, isRepeated } = await this.#cluster.changeByAnyNode(
      adminService.deleteTopics,
      (header) => ({ header, names, topicIds: [] }),
      options,
    );
    const failed = response.topics.filter((result) => !(isRepeated && isTopicGone(result)));
    throwFailures(failed.map(({ name, failure }) => ({ what: `topic ${name}`, failure })));
  }

  /** Names, sorted. */
  async listTopics(options: AdminOptions & { readonly includeInternal?: boolean } = {}): Promise<string[]> {
    const topics = await this.describeTopics(undefined, options);
    return topics.filter(({ isInternal }) => options.includeInternal || !isInternal).map(({ name }) => name);
  }

  /**
   * In the order asked; every topic, sorted by name, if no names are given.
   *
   * @throws {MillraceError} UNKNOWN_TOPIC_OR_PARTITION.
   */
  async describeTopics(names: readonly string[] = [], options: AdminOptions = {}): Promise<TopicInfo[]> {
    checkTopics('names', names);
    const { clock, config, random } = this.#cluster;
    const startMs = clock.nowMs();
    for (let attempt = 0; ; attempt++) {
      const { topics } = await this.#cluster.callAnyNode(
        brokerService.describeTopics,
        (header) => ({ header, names, topicIds: [], allowAutoCreate: false }),
        options,
      );
      const isMissing = topics.some(
        ({ failure }) => failure !== undefined && errorOfFailure(failure).retriable,
      );
      if (!isMissing || clock.nowMs() - startMs >= TOPIC_ARRIVAL_MS) {
        throwFailures(topics.map(({ name, failure }) => ({ what: `topic ${name}`, failure })));
        const infos = topics.map(topicInfo);
        return names.length > 0 ? infos : infos.sort((a, b) => (a.name < b.name ? -1 : 1));
      }
      await pause(clock, backoffMs(attempt, config, random), options.signal);
    }
  }

  /** Adds partitions, up to a new total. @throws {MillraceError} INVALID_PARTITIONS if there are as many already. */
  async createPartitions(topics: readonly NewPartitions[], options: ValidateOptions = {}): Promise<void> {
    const { validateOnly = false } = options;
    checkNamed('topics', topics, 'topic');
    topics.forEach(({ totalCount, assignments }, i) => {
      checkInteger(`topics[${i}].totalCount`, totalCount);
      checkAssignments(`topics[${i}].assignments`, assignments);
    });
    const wire = topics.map(({ topic, totalCount, assignments = [] }) => ({
      name: topic,
      totalCount,
      assignments: partitionAssignments(assignments, totalCount - assignments.length),
    }));
    const left = this.#timeLeft(options);
    const { response, isRepeated } = await this.#cluster.changeByAnyNode(
      adminService.createPartitions,
      (header) => ({ header, topics: wire, validateOnly }),
      options,
    );
    const doubtful = isRepeated && !validateOnly ? response.topics.filter(areEnoughPartitions) : [];
    const found = await this.#describeFound(doubtful, left);
    const grown = new Set<string>();
    for (const topic of topics) {
      const info = found.get(topic.topic);
      if (info === undefined) continue;
      // Who refused knew of as many partitions already: this answer is older.
      if (info.partitions.length < topic.totalCount) found.delete(topic.topic);
      if (!hasGrown(topic, info)) continue;
      const hasMore = await this.#hasMorePartitions(topic, left());
      if (hasMore === undefined) found.delete(topic.topic);
      else if (!hasMore) grown.add(topic.topic);
    }
    const failed = response.topics.filter(({ name }) => !grown.has(name));
    throwFailures(
      failed.map((result) => ({
        what: `topic ${result.name}`,
        failure: asFarAsKnown(result, doubtful, found),
      })),
    );
  }

  /** Effective configuration and where each value comes from, in the order asked. */
  async describeConfigs(
    resources: readonly ConfigResource[],
    options: AdminOptions = {},
  ): Promise<ResourceConfigs[]> {
    checkList('resources', resources);
    resources.forEach((resource, i) => {
      checkResource(`resources[${i}]`, resource);
    });
    const response = await this.#cluster.callAnyNode(
      adminService.describeConfigs,
      (header) => ({ header, resources }),
      options,
    );
    throwFailures(
      response.resources.map(({ resource, failure }, i) => ({
        what: nameOf(resource ?? resources[i]!),
        failure,
      })),
    );
    return response.resources.map(({ entries }, i) => ({
      resource: resources[i]!,
      entries: entries as readonly ConfigEntry[],
    }));
  }

  /** All changes of one resource take effect together. @throws {MillraceError} INVALID_CONFIG, naming key and range. */
  async alterConfigs(changes: readonly ConfigChange[], options: ValidateOptions = {}): Promise<void> {
    const { validateOnly = false } = options;
    checkList('changes', changes);
    changes.forEach((change, i) => {
      checkObject(`changes[${i}]`, change);
      checkText(`changes[${i}].name`, change.name);
      checkResource(`changes[${i}].resource`, change.resource);
      if (change.value !== null) checkConfigValue(`changes[${i}].value`, change.value, ' or null');
    });
    const wire = changes.map(({ resource, name, value }) => ({
      resource,
      name,
      ...(value !== null && { value: String(value) }),
    }));
    const { response } = await this.#cluster.changeByAnyNode(
      adminService.alterConfigs,
      (header) => ({ header, changes: wire, validateOnly }),
      options,
    );
    throwFailures(response.resources.map(({ resource, failure }) => ({ what: nameOf(resource), failure })));
  }

  async describeCluster(options: AdminOptions = {}): Promise<ClusterInfo> {
    return await this.#cluster.callAnyNode(adminService.describeCluster, (header) => ({ header }), options);
  }

  /**
   * Makes a voter of a controller that observes the quorum; it is waited for while it starts or catches up. Resolves
   * with its directory once the new voters are decided. Only one voter changes at a time.
   * @throws {MillraceError} VOTER_NOT_FOUND if it does not observe; DUPLICATE_VOTER; REQUEST_TIMED_OUT.
   */
  async addVoter(nodeId: NodeId, options: VoterOptions = {}): Promise<{ readonly directoryId: string }> {
    return await this.#changeVoter('addVoter', nodeId, options);
  }

  /** The opposite; the node observes from then on. @throws {MillraceError} VOTER_NOT_FOUND; INVALID_REQUEST for the last one. */
  async removeVoter(nodeId: NodeId, options: VoterOptions = {}): Promise<{ readonly directoryId: string }> {
    return await this.#changeVoter('removeVoter', nodeId, options);
  }

  async #changeVoter(
    change: 'addVoter' | 'removeVoter',
    nodeId: NodeId,
    { directoryId = '', ...options }: VoterOptions,
  ): Promise<{ readonly directoryId: string }> {
    checkNodeId('nodeId', nodeId);
    checkText('directoryId', directoryId);
    const left = this.#timeLeft(options);
    const ownSuccess = async ({ code }: MillraceError): Promise<{ directoryId: string } | undefined> => {
      if (code !== (change === 'addVoter' ? 'DUPLICATE_VOTER' : 'VOTER_NOT_FOUND')) return undefined;
      const quorum = await this.describeQuorum(left()).catch(() => undefined);
      return quorum && changedVoter(change, { nodeId, directoryId }, quorum);
    };
    const { response } = await this.#cluster.changeByAnyNode(
      adminService[change],
      (header: RequestHeader) => ({ header, nodeId, directoryId }),
      { ...options, ownSuccess },
    );
    return response;
  }

  /**
   * What each node says of itself by grpc.health.v1, in the order of the addresses: those of `bootstrap` unless others
   * are given. A node that does not answer is in the answer. @throws {MillraceError} INVALID_CONFIG, CANCELLED, CLOSED.
   */
  async nodesHealth(
    options: AdminOptions & { readonly addresses?: readonly string[] } = {},
  ): Promise<NodeHealth[]> {
    const addresses = options.addresses ? parseBootstrap(options.addresses) : this.#cluster.bootstrap;
    return await nodesHealth(this.#cluster, addresses, options);
  }

  /** @throws {MillraceError} QUORUM_UNAVAILABLE while no controller leads. */
  async describeQuorum(options: AdminOptions = {}): Promise<QuorumInfo> {
    return await this.#cluster.callAnyNode(adminService.describeQuorum, (header) => ({ header }), options);
  }

  /** In the order asked. */
  async listOffsets(
    queries: readonly (TopicPartition & { readonly at: OffsetSpec })[],
    options: AdminOptions = {},
  ): Promise<ListedOffset[]> {
    checkPartitions('queries', queries);
    queries.forEach(({ at }, i) => {
      checkOffsetSpec(`queries[${i}].at`, at);
    });
    const answers = await askLeaders(this.#cluster, queries, offsetLookup, options);
    return queries.map(({ topic, partition }, i) => {
      const { offset, timestamp, leaderEpoch } = answers[i]!;
      return { topic, partition, offset: BigInt(offset), timestamp, leaderEpoch };
    });
  }

  /** Deletes records before an offset; `'latest'` deletes everything readers can see. */
  async deleteRecords(
    partitions: readonly RecordsBefore[],
    options: AdminOptions = {},
  ): Promise<DeletedRecords[]> {
    checkPartitions('partitions', partitions);
    partitions.forEach(({ before }, i) => {
      if (before !== 'latest') offsetArgument(`partitions[${i}].before`, before, " or 'latest'");
    });
    const answers = await askLeaders(this.#cluster, partitions, deleteRecordsCall, options);
    return partitions.map(({ topic, partition }, i) => ({
      topic,
      partition,
      lowWatermark: BigInt(answers[i]!.lowWatermark),
    }));
  }

  /** Every partition if none are given. Partitions whose leader stays are in the answer with their `error`. */
  async electLeaders(
    election: 'preferred' | 'unclean',
    partitions: readonly TopicPartition[] = [],
    options: AdminOptions = {},
  ): Promise<ElectedLeader[]> {
    if (election !== 'preferred' && election !== 'unclean')
      throw wrongArgument('election', "'preferred' or 'unclean'", election);
    checkPartitions('partitions', partitions);
    const { response, isRepeated } = await this.#cluster.changeByAnyNode(
      adminService.electLeaders,
      (header) => ({ header, election, partitions }),
      options,
    );
    return response.partitions.map(({ topic, partition, leaderId, failure }) => {
      const error = failure && errorOfFailure(failure, `${topic}-${partition}`);
      const isDone = error === undefined || (isRepeated && error.code === 'ELECTION_NOT_NEEDED');
      return { topic, partition, leader: leaderId, ...(!isDone && { error }) };
    });
  }

  /** Connections belong to the client; there is nothing to end. For symmetry with producer and consumer. */
  async close(): Promise<void> {}

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** What there is under these names. The asked node may hear of them later: they are asked for while there is time. */
  async #describeFound(
    results: readonly { readonly name: string }[],
    left: () => AdminOptions,
  ): Promise<Map<string, TopicInfo>> {
    const { clock, config, random } = this.#cluster;
    const asked = results.map(async ({ name }) => {
      for (let attempt = 0; ; attempt++) {
        const limits = left();
        const infos = await this.describeTopics([name], limits).catch(() => []);
        const waitMs = backoffMs(attempt, config, random);
        if (infos.length > 0 || (limits.timeoutMs ?? 0) <= waitMs) return infos;
        await pause(clock, waitMs, limits.signal);
      }
    });
    const infos = (await Promise.all(asked)).flat();
    return new Map(infos.map((info) => [info.name, info]));
  }

  /** By the controller: a broker that is behind shows a topic as it was. Undefined if nobody can tell. */
  async #hasMorePartitions(
    { topic, totalCount }: NewPartitions,
    options: AdminOptions,
  ): Promise<boolean | undefined> {
    const next = { name: topic, totalCount: totalCount + 1, assignments: [] };
    const answer = this.#cluster.changeByAnyNode(
      adminService.createPartitions,
      (header) => ({ header, topics: [next], validateOnly: true }),
      options,
    );
    const result = await answer.then(({ response }) => response.topics[0]).catch(() => undefined);
    if (result === undefined || isTopicGone(result)) return undefined;
    return areEnoughPartitions(result);
  }

  /** The options of a call that goes on where another one ends: they share its limit. */
  #timeLeft({ timeoutMs = this.#cluster.config.requestTimeoutMs, signal }: AdminOptions): () => AdminOptions {
    const { clock } = this.#cluster;
    const deadlineMs = clock.nowMs() + timeoutMs;
    return () => ({ timeoutMs: Math.max(1, deadlineMs - clock.nowMs()), ...(signal && { signal }) });
  }
}

function createdTopic({ name, topicId, partitions }: TopicInfo): CreatedTopic {
  return {
    name,
    topicId,
    partitions: partitions.length,
    replicationFactor: partitions[0]?.replicas.length ?? 0,
  };
}

function checkNamed<T extends object>(name: string, items: readonly T[], key: keyof T & string): void {
  checkList(name, items);
  items.forEach((item, i) => {
    checkObject(`${name}[${i}]`, item);
    checkText(`${name}[${i}].${key}`, item[key]);
  });
}

function checkResource(name: string, resource: ConfigResource): void {
  checkObject(name, resource);
  checkText(`${name}.kind`, resource.kind);
  checkText(`${name}.name`, resource.name);
}

function throwFailures(
  results: readonly { readonly what: string; readonly failure?: Failure | undefined }[],
): void {
  const errors: MillraceError[] = [];
  for (const { what, failure } of results)
    if (failure !== undefined) errors.push(errorOfFailure(failure, what));
  throwAll(errors);
}

function nameOf({ kind, name }: { readonly kind: string; readonly name: string }): string {
  return name === '' ? kind : `${kind} ${name}`;
}
