/**
 * What clients ask about the cluster: topics, brokers, settings. Answers come from this broker's image, once it can be
 * trusted; a missing topic may be created on the way. Never asks another broker.
 */
import { type Clock, MillraceError, type NodeId } from '@millrace/core';
import { clusterConfigOf, describeTopicConfig, type MetadataImage } from '@millrace/metadata';
import type { LogStore } from '@millrace/storage';
import type {
  ConfigEntry,
  DescribeClusterRequest,
  DescribeClusterResponse,
  DescribeConfigsRequest,
  DescribeConfigsResponse,
  DescribeLogDirsRequest,
  DescribeLogDirsResponse,
} from './admin-api.ts';
import type { DescribeTopicsRequest, DescribeTopicsResponse, RequestContext } from './broker-api.ts';
import type { BrokerConfig } from './broker-config.ts';
import type { ControllerChannel } from './controller-channel.ts';
import { describeCluster, describeConfigs, describeTopics, type View } from './descriptions.ts';
import { describeLogDirectory } from './log-directory.ts';
import type { MetadataView } from './metadata-view.ts';
import type { Partition } from './partition.ts';
import { replicasOnDisk } from './replicas-on-disk.ts';
import { createMissingTopics } from './topic-auto-creation.ts';
import { within } from './within.ts';

export interface ClusterQueriesOptions {
  readonly clusterId: string;
  readonly metadata: MetadataView;
  readonly controllers: Pick<ControllerChannel, 'createTopics'>;
  readonly clock: Clock;
  readonly config: BrokerConfig;
  readonly configScope: { readonly brokerId: NodeId; readonly fileTexts: Readonly<Record<string, string>> };
  /** Before its own registration shows in metadata, what a broker knows may be as old as its disk. */
  readonly isInformed: () => boolean;
}

export class ClusterQueries {
  readonly #options: ClusterQueriesOptions;

  constructor(options: ClusterQueriesOptions) {
    this.#options = options;
  }

  async topics(request: DescribeTopicsRequest): Promise<DescribeTopicsResponse> {
    const { controllers, metadata, clock, configScope } = this.#options;
    await this.informed(request);
    if (request.allowAutoCreate) {
      const isEnabled = clusterConfigOf(this.#image, configScope)['auto.create.topics.enable'];
      if (isEnabled) await createMissingTopics(this.timed(request), controllers, metadata, clock);
    }
    return describeTopics(this.#view, request);
  }

  async cluster(request: DescribeClusterRequest): Promise<DescribeClusterResponse> {
    await this.informed(request);
    return describeCluster(this.#view, request.listener);
  }

  async configs(request: DescribeConfigsRequest): Promise<DescribeConfigsResponse> {
    await this.informed(request);
    const { configScope, config } = this.#options;
    return describeConfigs(this.#image, request.resources, configScope, config);
  }

  newTopic(configs: Readonly<Record<string, string>>): readonly ConfigEntry[] {
    return describeTopicConfig(this.#image, new Map(Object.entries(configs)), this.#options.configScope);
  }

  async logDirs(
    request: DescribeLogDirsRequest,
    store: LogStore,
    partitions: Iterable<Partition>,
  ): Promise<DescribeLogDirsResponse> {
    await this.informed(request);
    const replicas = replicasOnDisk(partitions, request.partitions);
    return { directories: [await describeLogDirectory(store, replicas, this.#options.clock)] };
  }

  /** @throws {MillraceError} QUORUM_UNAVAILABLE if the broker has not caught up in the time of the request. */
  async informed(request: RequestContext): Promise<void> {
    const { clock, isInformed, metadata } = this.#options;
    if (isInformed()) return;
    const isKnown = metadata.until(() => isInformed());
    await within(clock, this.timeoutOf(request), isKnown);
    if (!isInformed()) {
      throw new MillraceError('QUORUM_UNAVAILABLE', 'this broker has not caught up with the metadata yet');
    }
  }

  timeoutOf({ timeoutMs }: RequestContext): number {
    return timeoutMs || this.#options.config['request.timeout.ms'];
  }

  /** The request with the broker's own limit if it names none. */
  timed<T extends RequestContext>(request: T): T {
    return request.timeoutMs === 0 ? { ...request, timeoutMs: this.timeoutOf(request) } : request;
  }

  get #image(): MetadataImage {
    return this.#options.metadata.image;
  }

  get #view(): View {
    const { controllerId, image } = this.#options.metadata;
    return { clusterId: this.#options.clusterId, controllerId, image };
  }
}
