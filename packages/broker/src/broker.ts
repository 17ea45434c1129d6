/**
 * One broker: puts the parts together, passes metadata to them, and answers for the use cases in BrokerApi.
 * Every decision is made in a part; here is only who hears of what, and in which order things start and end.
 */
import {
  type Clock,
  type Logger,
  type MillraceError,
  type NodeId,
  type Timer,
  toMillraceError,
  unit,
} from '@millrace/core';
import { deltaBetween, isActive, type MetadataDelta, type MetadataImage } from '@millrace/metadata';
import type {
  AlterConfigsRequest,
  AlterConfigsResponse,
  ChangeVoterRequest,
  ChangeVoterResponse,
  CreatePartitionsRequest,
  CreatePartitionsResponse,
  CreateTopicsRequest,
  CreateTopicsResponse,
  DeleteTopicsRequest,
  DeleteTopicsResponse,
  DescribeClusterRequest,
  DescribeClusterResponse,
  DescribeConfigsRequest,
  DescribeConfigsResponse,
  DescribeQuorumResponse,
  ElectLeadersRequest,
  ElectLeadersResponse,
} from './admin-api.ts';
import type {
  BrokerApi,
  DeleteRecordsRequest,
  DeleteRecordsResponse,
  DescribeTopicsRequest,
  DescribeTopicsResponse,
  FetchRequest,
  FetchResponse,
  InitProducerIdResponse,
  ListOffsetsRequest,
  ListOffsetsResponse,
  OffsetForLeaderEpochRequest,
  OffsetForLeaderEpochResponse,
  ProduceRequest,
  ProduceResponse,
  RequestContext,
} from './broker-api.ts';
import { BrokerLifecycle } from './broker-lifecycle.ts';
import type { BrokerOptions } from './broker-options.ts';
import { ClusterQueries } from './cluster-queries.ts';
import { ConsumerFetch } from './consumer-fetch.ts';
import { Deadlines } from './deadlines.ts';
import { type Defer, microtask } from './defer.ts';
import { failure } from './failure.ts';
import { GroupCoordinators } from './group-coordinators.ts';
import { IsrKeeper } from './isr-keeper.ts';
import type { IsrProposal } from './leader-state.ts';
import { MetadataView } from './metadata-view.ts';
import { OffsetQueries } from './offset-queries.ts';
import type { Partition, PartitionHost } from './partition.ts';
import { PartitionHosting } from './partition-hosting.ts';
import { PartitionTable } from './partition-table.ts';
import { Produce } from './produce.ts';
import { ProducerIds } from './producer-ids.ts';
import type { ReplicaFetchSession } from './replica-channel.ts';
import { ReplicaFetchers } from './replica-fetchers.ts';
import { ReplicaSession } from './replica-session.ts';

export class Broker implements BrokerApi, PartitionHost {
  readonly nodeId: NodeId;
  readonly clusterId: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly lagTimeMaxMs: number;
  readonly groups: GroupCoordinators;
  readonly #options: BrokerOptions;
  readonly #configScope: { readonly brokerId: NodeId; readonly fileTexts: Readonly<Record<string, string>> };
  readonly #partitions = new PartitionTable();
  readonly #metadata: MetadataView;
  readonly #queries: ClusterQueries;
  readonly #lifecycle: BrokerLifecycle;
  readonly #hosting: PartitionHosting;
  readonly #fetchers: ReplicaFetchers;
  readonly #isrKeeper: IsrKeeper;
  readonly #deadlines: Deadlines;
  readonly #produce: Produce;
  readonly #fetch: ConsumerFetch;
  readonly #offsets: OffsetQueries;
  readonly #producerIds: ProducerIds;
  readonly #sessions = new Set<ReplicaSession>();
  readonly #failed = new Set<Partition>();
  /** Below its own registration a broker knows nothing: roles of a former life must not be taken up. */
  #state: 'starting' | 'opening' | 'serving' | 'closing' = 'starting';
  #openedImage: MetadataImage | undefined;
  #isrCheck: Timer | undefined;
  #closing: Promise<void> | undefined;
  #hasFailed = false;

  private constructor(options: BrokerOptions) {
    const { config, clock, controllers, logStore, logger, nodeId } = options;
    const defer = options.defer ?? microtask;
    this.#options = options;
    this.nodeId = nodeId;
    this.clusterId = logStore.clusterId;
    this.clock = clock;
    this.logger = logger;
    this.lagTimeMaxMs = config['replica.lag.time.max.ms'];
    this.#configScope = { brokerId: nodeId, fileTexts: options.fileTexts ?? {} };
    const image = (): MetadataImage => this.#metadata.image;
    const brokerEpoch = (): number => this.brokerEpoch();
    const partitions = this.#partitions;
    const timeoutMs = config['request.timeout.ms'];
    this.#metadata = new MetadataView({
      controllers,
      onChange: (next, delta) => this.#metadataChanged(next, delta),
      onControllerChange: () => this.#lifecycle.controllerFound(),
      onFailure: (error) => this.#fail(toMillraceError(error)),
    });
    this.#queries = new ClusterQueries({
      clusterId: this.clusterId,
      metadata: this.#metadata,
      controllers,
      clock,
      config,
      configScope: this.#configScope,
      isInformed: () => this.#state !== 'starting',
    });
    this.#lifecycle = this.#newLifecycle();
    this.#isrKeeper = new IsrKeeper({ nodeId, controllers, clock, logger, defer, brokerEpoch, timeoutMs });
    this.#fetchers = this.#newFetchers(defer);
    this.#hosting = this.#newHosting();
    this.#deadlines = new Deadlines(clock);
    this.#produce = new Produce({
      partitions,
      image,
      deadlines: this.#deadlines,
      requestTimeoutMs: timeoutMs,
      queuedMaxBytes: config['queued.max.request.bytes'],
      journalBacklogBytes: () => logStore.journalBacklogBytes,
      decompressedMaxBytes: config['decompressed.batch.max.bytes'],
      defer,
    });
    this.#fetch = new ConsumerFetch({
      partitions,
      image,
      clock,
      defer,
      maxBytes: config['fetch.max.bytes'],
      parkedMax: config['queued.max.fetches'],
      isInContact: () => this.#lifecycle.isInContact,
    });
    this.#offsets = new OffsetQueries({ partitions, image, clock, queries: this.#queries });
    this.#producerIds = new ProducerIds({ nodeId, controllers, clock, brokerEpoch });
    this.groups = this.#newGroups(defer);
  }

  /** Returns at once: the broker registers, catches up and takes up its replicas by itself. `whenActive` tells when. */
  static async start(options: BrokerOptions): Promise<Broker> {
    const broker = new Broker(options);
    broker.#metadata.start();
    broker.#lifecycle.start();
    broker.#checkIsrLater();
    return broker;
  }

  /** Registered, caught up, every log open, and not fenced. */
  async whenActive(): Promise<void> {
    await this.#metadata.until((image) => this.#state === 'serving' && isActive(image, this.nodeId));
  }

  image(): MetadataImage {
    return this.#metadata.image;
  }

  /** The replicas here, for status pages and tests. */
  get partitions(): PartitionTable {
    return this.#partitions;
  }

  /** Stops in order: hands leadership over, stops fetching, answers who waits, closes the logs. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** As a crash would: nothing is handed over and no marker is written. For tests. */
  kill(): Promise<void> {
    this.#closing ??= this.#stop(false);
    return this.#closing;
  }

  produce(request: ProduceRequest): Promise<ProduceResponse> {
    if (this.#state !== 'closing') return this.#produce.handle(request);
    return Promise.resolve({ partitions: [], failure: failure('NODE_NOT_SERVING') });
  }

  produceRoom(): Promise<void> | undefined {
    return this.#produce.room();
  }

  fetch(request: FetchRequest, signal?: AbortSignal): Promise<FetchResponse> {
    return this.#fetch.handle(request, signal);
  }

  replicaFetchSession(replicaId: NodeId): ReplicaFetchSession {
    const { clock, config, defer = microtask } = this.#options;
    const session = new ReplicaSession({
      replicaId,
      partitions: this.#partitions,
      clock,
      defer,
      partitionMaxBytes: config['replica.fetch.max.bytes'],
      responseMaxBytes: config['replica.fetch.response.max.bytes'],
      onClosed: (closed) => this.#sessions.delete(closed),
    });
    this.#sessions.add(session);
    return session;
  }

  describeTopics(request: DescribeTopicsRequest): Promise<DescribeTopicsResponse> {
    return this.#queries.topics(request);
  }

  listOffsets(request: ListOffsetsRequest): Promise<ListOffsetsResponse> {
    return this.#offsets.list(request);
  }

  offsetForLeaderEpoch(request: OffsetForLeaderEpochRequest): Promise<OffsetForLeaderEpochResponse> {
    return this.#offsets.epochEnds(request);
  }

  readonly describeProducers: BrokerApi['describeProducers'] = (request) => this.#offsets.producers(request);

  deleteRecords(request: DeleteRecordsRequest): Promise<DeleteRecordsResponse> {
    return this.#offsets.deleteRecords(request);
  }

  async initProducerId(request: RequestContext): Promise<InitProducerIdResponse> {
    return { producerId: await this.#producerIds.next(this.#queries.timeoutOf(request)), producerEpoch: 0 };
  }

  describeCluster(request: DescribeClusterRequest): Promise<DescribeClusterResponse> {
    return this.#queries.cluster(request);
  }

  describeConfigs(request: DescribeConfigsRequest): Promise<DescribeConfigsResponse> {
    return this.#queries.configs(request);
  }

  readonly describeNewTopic: BrokerApi['describeNewTopic'] = (configs) => this.#queries.newTopic(configs);
  readonly describeLogDirs: BrokerApi['describeLogDirs'] = (request) =>
    this.#queries.logDirs(request, this.#options.logStore, this.#partitions);

  describeQuorum(request: RequestContext): Promise<DescribeQuorumResponse> {
    return this.#options.controllers.describeQuorum(this.#queries.timed(request));
  }

  addVoter(request: ChangeVoterRequest): Promise<ChangeVoterResponse> {
    return this.#options.controllers.addVoter(this.#queries.timed(request));
  }

  removeVoter(request: ChangeVoterRequest): Promise<ChangeVoterResponse> {
    return this.#options.controllers.removeVoter(this.#queries.timed(request));
  }

  createTopics(request: CreateTopicsRequest): Promise<CreateTopicsResponse> {
    return this.#options.controllers.createTopics(this.#queries.timed(request));
  }

  deleteTopics(request: DeleteTopicsRequest): Promise<DeleteTopicsResponse> {
    return this.#options.controllers.deleteTopics(this.#queries.timed(request));
  }

  createPartitions(request: CreatePartitionsRequest): Promise<CreatePartitionsResponse> {
    return this.#options.controllers.createPartitions(this.#queries.timed(request));
  }

  alterConfigs(request: AlterConfigsRequest): Promise<AlterConfigsResponse> {
    return this.#options.controllers.alterConfigs(this.#queries.timed(request));
  }

  electLeaders(request: ElectLeadersRequest): Promise<ElectLeadersResponse> {
    return this.#options.controllers.electLeaders(this.#queries.timed(request));
  }

  brokerEpoch(): number {
    return this.#lifecycle.brokerEpoch;
  }

  isEligible(brokerId: NodeId, brokerEpoch: number): boolean {
    const image = this.image();
    return isActive(image, brokerId) && image.brokers.get(brokerId)?.brokerEpoch === brokerEpoch;
  }

  isrProposed(partition: Partition, proposal: IsrProposal): void {
    this.#isrKeeper.propose(partition, proposal);
  }

  flushed(partition: Partition): void {
    if (partition.leader === undefined) this.#fetchers.flushed(partition);
    this.#produce.flushed();
  }

  failureChanged(partition: Partition): void {
    if (this.#failed.has(partition) === partition.isFailed) return;
    if (partition.isFailed) this.#failed.add(partition);
    else this.#failed.delete(partition);
    this.#lifecycle.heartbeatSoon();
  }

  roleChanged(partition: Partition): void {
    if (this.#state === 'closing') return;
    this.failureChanged(partition);
    this.#fetchers.assign(partition);
    this.#tellSessions(partition);
    this.groups.roleChanged(partition);
  }

  #newLifecycle(): BrokerLifecycle {
    const { config, logStore, nodeId, incarnationId, endpoints, rack, controllers, clock, logger } =
      this.#options;
    return new BrokerLifecycle({
      nodeId,
      incarnationId,
      directoryId: logStore.directoryId,
      endpoints,
      rack,
      previousBrokerEpoch: logStore.previousBrokerEpoch,
      controllers,
      clock,
      logger,
      heartbeatIntervalMs: config['broker.heartbeat.interval.ms'],
      sessionTimeoutMs: this.#options.sessionTimeoutMs,
      registrationTimeoutMs: config['initial.broker.registration.timeout.ms'],
      // Until its logs are open, a broker must not be trusted with anything: it stays behind its registration.
      metadataOffset: () => (this.#state === 'serving' ? this.image().offset : 0),
      offlineReplicas: () => [...this.#failed].map(({ topicId, index }) => ({ topicId, partition: index })),
      onRegistered: (epoch) => {
        logStore.setBrokerEpoch(epoch);
        this.#openIfKnown();
      },
      onRefused: (error) => this.#fail(error),
    });
  }

  #newFetchers(defer: Defer): ReplicaFetchers {
    const { nodeId, replicas, clock, logger, config, interBrokerListener } = this.#options;
    return new ReplicaFetchers(
      {
        nodeId,
        channel: replicas,
        clock,
        logger,
        defer,
        brokerEpoch: () => this.brokerEpoch(),
        maxWaitMs: config['replica.fetch.wait.max.ms'],
        maxBytes: config['replica.fetch.response.max.bytes'],
        backoffMs: config['replica.fetch.backoff.ms'],
        silenceMaxMs: config['replica.socket.timeout.ms'],
      },
      interBrokerListener,
    );
  }

  #newHosting(): PartitionHosting {
    const { nodeId, logStore, config, logger } = this.#options;
    return new PartitionHosting({
      nodeId,
      table: this.#partitions,
      logStore,
      host: this,
      configScope: this.#configScope,
      openConcurrency: config['log.open.concurrency'],
      logger,
      added: (partition) => this.#tellSessions(partition),
      removed: (partition) => this.#removed(partition),
    });
  }

  #newGroups(defer: Defer): GroupCoordinators {
    const { controllers, clock, random, logger, config, groupConfig, logStore } = this.#options;
    return new GroupCoordinators({
      partitions: this.#partitions,
      metadata: this.#metadata,
      controllers,
      clock,
      random,
      logger,
      defer,
      deadlines: this.#deadlines,
      config: groupConfig,
      queuedMaxRequests: config['queued.max.group.requests'],
      isJournalFull: () => logStore.isJournalNearlyFull,
      queries: this.#queries,
      newCoordinator: this.#options.newGroupCoordinator,
    });
  }

  #metadataChanged(image: MetadataImage, delta: MetadataDelta): void {
    this.groups.metadataChanged(image, delta);
    this.#fetchers.metadataChanged(image);
    if (this.#state === 'starting') this.#openIfKnown();
    else if (this.#state === 'serving') this.#apply(image, delta);
  }

  #apply(image: MetadataImage, delta: MetadataDelta): void {
    this.#hosting.apply(image, delta);
    if (delta.brokersChanged.length > 0) {
      for (const partition of this.#partitions) {
        if (partition.leader?.isUnderReplicated !== true) continue;
        for (const id of delta.brokersChanged) partition.brokerChanged(id);
      }
    }
    this.#lifecycle.metadataApplied(image);
  }

  /** Takes up the replicas once metadata includes this life's registration. */
  #openIfKnown(): void {
    const image = this.image();
    const [known, epoch] = [image.brokers.get(this.nodeId)?.brokerEpoch ?? -1, this.brokerEpoch()];
    if (this.#state !== 'starting' || epoch === -1 || known < epoch) return;
    this.#state = 'opening';
    this.#openedImage = image;
    this.#hosting.start(image).then(
      () => this.#opened(),
      (error: unknown) => this.#fail(toMillraceError(error)),
    );
  }

  #opened(): void {
    if (this.#state !== 'opening') return;
    this.#state = 'serving';
    const image = this.image();
    this.#apply(image, deltaBetween(this.#openedImage!, image));
    this.#openedImage = undefined;
    this.logger.info({ event: 'replicas_open', count: this.#partitions.size }, 'every replica is open');
    this.#lifecycle.heartbeatSoon();
  }

  #removed(partition: Partition): void {
    this.#failed.delete(partition);
    this.#fetchers.release(partition);
    this.groups.removed(partition);
    for (const session of this.#sessions) session.partitionRemoved(partition);
  }

  #tellSessions(partition: Partition): void {
    for (const session of this.#sessions) session.partitionChanged(partition);
  }

  #checkIsrLater(): void {
    // Brokers that started together do not ask the controller at the same moment for ever.
    const delayMs = Math.round((this.lagTimeMaxMs / 2) * (0.9 + 0.1 * unit(this.#options.random)));
    this.#isrCheck = this.clock.schedule(delayMs, () => {
      for (const partition of this.#partitions) {
        partition.checkIsr();
        this.#hosting.repairIfPossible(partition);
      }
      this.#checkIsrLater();
    });
  }

  #fail(error: MillraceError): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.logger.fatal({ event: 'broker_failed', err: error }, 'the broker cannot go on');
    this.#options.onFatal(error);
  }

  async #close(): Promise<void> {
    const { config } = this.#options;
    const isOrderly = config['controlled.shutdown.enable'] && this.#state === 'serving' && !this.#hasFailed;
    if (isOrderly) await this.#lifecycle.shutDown(config['controlled.shutdown.timeout.ms']);
    await this.#stop(!this.#hasFailed);
  }

  async #stop(clean: boolean): Promise<void> {
    this.#state = 'closing';
    this.#isrCheck?.cancel();
    this.#isrKeeper.close();
    this.groups.close();
    this.#fetchers.close();
    for (const session of [...this.#sessions]) session.close();
    for (const partition of this.#partitions) partition.close();
    this.#fetch.releaseAll();
    this.#deadlines.close();
    this.#metadata.close();
    this.#lifecycle.close();
    await this.#hosting.settled();
    await this.#options.logStore.close({ clean });
  }
}
