/**
 * One controller node. While its quorum node leads it is the active controller: it decides against what is committed
 * and already decided, proposes, and answers after commit; many decisions are under way at once and share the quorum's
 * writes. Otherwise it only follows. It never acts on what is not committed, and keeps nothing from a lost leadership.
 */
import {
  type Clock,
  Deferred,
  KiB,
  type Logger,
  MiB,
  MillraceError,
  type NodeId,
  type Random,
  sleep,
} from '@millrace/core';
import {
  type AllocateProducerIdsRequest,
  type AllocateProducerIdsResponse,
  type AlterConfigsRequest,
  type AlterConfigsResponse,
  type AlterPartitionsRequest,
  type AlterPartitionsResponse,
  allocateProducerIds,
  alterConfigs,
  alterPartitions,
  type BrokerHeartbeat,
  type BrokerRegistration,
  type BrokerState,
  type CreatePartitionsRequest,
  type CreatePartitionsResponse,
  type CreateTopicsRequest,
  type CreateTopicsResponse,
  createPartitions,
  createTopics,
  type Decision,
  type DecisionContext,
  type DeleteTopicsRequest,
  type DeleteTopicsResponse,
  deleteTopics,
  type ElectLeadersRequest,
  type ElectLeadersResponse,
  type EncodedEntry,
  electLeaders,
  heartbeat,
  type MetadataImage,
  registerBroker,
} from '@millrace/metadata';
import type { Voter, VoterChange } from '@millrace/raft';
import { ActiveTerm } from './active-term.ts';
import { CommittedMetadata } from './committed-metadata.ts';
import type {
  ControllerApi,
  MetadataFollower,
  MetadataLogFollower,
  SessionToken,
  Unsubscribe,
} from './controller-api.ts';
import type { ControllerConfig } from './controller-config.ts';
import type { LeadershipEvent, QuorumStateMachine } from './quorum-ports.ts';
import type { QuorumPosition, QuorumStatus } from './quorum-status.ts';
import { ProposalAbandoned, ProposalNotAppended } from './quorum-waiters.ts';
import type { Committed } from './speculation-state.ts';
import { type VoterRequest, VotersRefused, voterChangeOf } from './voter-change.ts';

/** What the controller needs of the quorum; `MetadataQuorum` is it. */
export interface ControllerQuorum {
  propose(data: Buffer): Promise<{ offset: number }>;
  status(): QuorumStatus;
  position(): QuorumPosition;
  leaderId(): NodeId | undefined;
  transferLeadership(): Promise<void>;
  voters(): readonly Voter[];
  /** Empty while unknown. */
  quorumId(): string;
  changeVoters(change: VoterChange): { offset: number; committed: Promise<{ offset: number }> };
  close(): Promise<void>;
}

export interface ControllerOptions {
  /** Starts the quorum with what it shall drive, for instance `(hooks) => MetadataQuorum.start({ ...options, ...hooks })`. */
  readonly startQuorum: (hooks: {
    readonly stateMachine: QuorumStateMachine;
    readonly onLeadership: (event: LeadershipEvent) => void;
    readonly onLeaderChange: () => void;
  }) => Promise<ControllerQuorum>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly config: ControllerConfig;
  /** Texts of `clusterConfig` keys from the node's own file: defaults below every override. */
  readonly clusterDefaults?: Readonly<Record<string, string>>;
}

/** Entries kept for followers elsewhere; whoever is further behind gets a snapshot. */
const TAIL_MAX_BYTES = 8 * MiB;
/** A decision that is larger goes into several entries. */
const ENTRY_MAX_BYTES = 512 * KiB;
/** For answers that change nothing but rest on changes under way; the quorum bounds the changes themselves. */
const COMMIT_WAIT_TIMEOUT_MS = 5000;
/** A new voter that is starting or catching up is waited for this long, looked at this often. */
const VOTER_WAIT_TIMEOUT_MS = 10_000;
const VOTER_WAIT_PAUSE_MS = 50;
/** Left of the caller's time for the refusal to reach it; half of the time if that is less. */
const VOTER_ANSWER_MARGIN_MS = 1_000;

export class Controller implements ControllerApi {
  readonly #options: ControllerOptions;
  readonly #metadata: CommittedMetadata;
  readonly #context: DecisionContext;
  readonly #waiting = new Set<Deferred<void>>();
  readonly #leaderWatchers = new Set<() => void>();
  /** When Raft connections to nodes broke; a broker on such a node may be dead. */
  readonly #peerDisconnects = new Map<NodeId, number>();
  #quorum: ControllerQuorum | undefined;
  /** Proposals without an answer. */
  #inFlight = 0;
  #isDraining = false;
  #active: ActiveTerm | undefined;

  private constructor(options: ControllerOptions) {
    const { config, random, clusterDefaults = {} } = options;
    this.#options = options;
    this.#metadata = new CommittedMetadata(TAIL_MAX_BYTES, (committed) => this.#onCommitted(committed));
    this.#context = {
      random,
      limits: {
        partitionsPerRequest: config['controller.max.partitions.per.request'],
        partitionsPerCluster: config['controller.max.partitions'],
        topicsPerRequest: config['controller.max.topics.per.request'],
      },
      scope: { fileTexts: clusterDefaults },
    };
  }

  /** @throws what starting the quorum throws. */
  static async create(options: ControllerOptions): Promise<Controller> {
    const controller = new Controller(options);
    controller.#quorum = await options.startQuorum({
      stateMachine: controller.#metadata,
      onLeadership: (event) => controller.#onLeadership(event),
      onLeaderChange: () => controller.#leaderChanged(),
    });
    return controller;
  }

  /** Hands leadership over if it can, then closes the quorum. */
  async close(): Promise<void> {
    this.#deactivate();
    await this.#quorum?.close();
  }

  isActive(): boolean {
    return this.#active !== undefined;
  }

  /** Committed metadata of this node; may lag behind the active controller's. */
  image(): MetadataImage {
    return this.#metadata.image;
  }

  leaderId(): NodeId | undefined {
    return this.#quorum?.leaderId();
  }

  /** Tells whenever `leaderId` or `isActive` may answer otherwise than before. The listener must not throw. */
  onLeaderChange(listener: () => void): Unsubscribe {
    this.#leaderWatchers.add(listener);
    return () => this.#leaderWatchers.delete(listener);
  }

  /** @throws {MillraceError} QUORUM_UNAVAILABLE before the quorum has started. */
  status(): QuorumStatus {
    return this.#startedQuorum().status();
  }

  /** Where this node stands, without the others: cheap enough to be asked often. @throws {MillraceError} as `status`. */
  position(): QuorumPosition {
    return this.#startedQuorum().position();
  }

  /** Of the quorum, as this node knows them. */
  /** Which metadata quorum this node is part of; empty while unknown. */
  quorumId(): string {
    return this.#quorum?.quorumId() ?? '';
  }

  voters(): readonly Voter[] {
    return this.#startedQuorum().voters();
  }

  transferLeadership(): Promise<void> {
    return this.#startedQuorum().transferLeadership();
  }

  /** Tells the image now unless it stands at `fromOffset`, then every change. The follower must not throw. */
  subscribe(follower: MetadataFollower, fromOffset: number): Unsubscribe {
    return this.#metadata.subscribe(follower, fromOffset);
  }

  /** The same as bytes: a snapshot if the entries do not reach back to `fromOffset`, then entries. Must not throw. */
  subscribeLog(follower: MetadataLogFollower, fromOffset: number): Unsubscribe {
    return this.#metadata.subscribeLog(follower, fromOffset);
  }

  /** The Raft connection to a node broke: if a broker runs there and does not come to this controller, it is dead. */
  peerDisconnected(nodeId: NodeId): void {
    this.#peerDisconnects.set(nodeId, this.#nowMs());
    this.#active?.peerDisconnected(nodeId);
  }

  /** A Raft message of the node came: its process lives, whatever broke before. */
  peerHeard(nodeId: NodeId): void {
    this.#peerDisconnects.delete(nodeId);
  }

  brokerDisconnected(brokerId: NodeId, brokerEpoch: number, connection?: SessionToken): void {
    this.#active?.liveness.disconnected({ brokerId, brokerEpoch, connection }, this.#nowMs());
  }

  async registerBroker(
    request: BrokerRegistration,
    connection?: SessionToken,
  ): Promise<{ brokerEpoch: number }> {
    const { liveness } = this.#activeTerm();
    const { reply, lastOffset } = await this.#run((image) => {
      const known = image.brokers.get(request.brokerId);
      const isLive = known !== undefined && liveness.isLive(known, this.#nowMs());
      return registerBroker(image, request, isLive, this.#context);
    });
    const brokerEpoch = reply.registered ?? lastOffset;
    const { brokerId, incarnationId, directoryId } = request;
    liveness.contact({ brokerId, brokerEpoch, metadataOffset: -1, connection }, this.#nowMs());
    this.#options.logger.info(
      { event: 'broker_registered', brokerId, brokerEpoch, incarnationId, directoryId },
      'broker registered',
    );
    return { brokerEpoch };
  }

  async heartbeat(request: BrokerHeartbeat, connection?: SessionToken): Promise<BrokerState> {
    const { liveness } = this.#activeTerm();
    const { brokerId, brokerEpoch, metadataOffset, wantsShutdown } = request;
    const { reply } = await this.#run((image) => {
      const decision = heartbeat(image, request, this.#context);
      // Only a heartbeat that passed the epoch check counts as a sign of life.
      liveness.contact({ brokerId, brokerEpoch, metadataOffset, connection }, this.#nowMs());
      return decision;
    });
    const { fenced, inControlledShutdown, leaderships } = reply;
    if (inControlledShutdown) {
      liveness.shuttingDown(brokerId, brokerEpoch, this.image().offset, this.#nowMs());
    }
    const mayShutDown =
      wantsShutdown &&
      leaderships === 0 &&
      (fenced || liveness.everyoneKnowsShutdown(brokerId, this.image()));
    return { brokerEpoch, fenced, mayShutDown };
  }

  alterPartitions(request: AlterPartitionsRequest): Promise<AlterPartitionsResponse> {
    return this.#answer((image) => alterPartitions(image, request, this.#context));
  }

  allocateProducerIds(request: AllocateProducerIdsRequest): Promise<AllocateProducerIdsResponse> {
    return this.#answer((image) => allocateProducerIds(image, request));
  }

  createTopics(request: CreateTopicsRequest): Promise<CreateTopicsResponse> {
    return this.#answer((image) => createTopics(image, request, this.#context));
  }

  deleteTopics(request: DeleteTopicsRequest): Promise<DeleteTopicsResponse> {
    return this.#answer((image) => deleteTopics(image, request, this.#context));
  }

  createPartitions(request: CreatePartitionsRequest): Promise<CreatePartitionsResponse> {
    return this.#answer((image) => createPartitions(image, request, this.#context));
  }

  alterConfigs(request: AlterConfigsRequest): Promise<AlterConfigsResponse> {
    return this.#answer((image) => alterConfigs(image, request, this.#context));
  }

  electLeaders(request: ElectLeadersRequest): Promise<ElectLeadersResponse> {
    return this.#answer((image) => electLeaders(image, request, this.#context));
  }

  /** The directory to add may still be starting, and changes go one at a time: both are waited for. */
  async changeVoters(request: VoterRequest): Promise<{ directoryId: string }> {
    const { timeoutMs = Number.POSITIVE_INFINITY } = request;
    // Whoever asks must still be there to hear why it was refused.
    const patienceMs = timeoutMs - Math.min(VOTER_ANSWER_MARGIN_MS, timeoutMs / 2);
    const dueMs = this.#nowMs() + Math.min(VOTER_WAIT_TIMEOUT_MS, patienceMs);
    for (;;) {
      this.#activeTerm();
      try {
        return await this.#changeVotersNow(request);
      } catch (error) {
        const isWorthWaiting = error instanceof VotersRefused && error.mayPass && this.#nowMs() < dueMs;
        if (!isWorthWaiting) throw error;
      }
      await sleep(this.#options.clock, VOTER_WAIT_PAUSE_MS);
    }
  }

  async #changeVotersNow(request: VoterRequest): Promise<{ directoryId: string }> {
    const quorum = this.#startedQuorum();
    const change = voterChangeOf(request, quorum.status());
    this.#checkCapacity();
    const { offset, committed } = quorum.changeVoters(change);
    // The set takes an offset of the log, as decisions do.
    if (!this.#metadata.speculation.stageVoid(offset)) this.#isDraining = true;
    await committed;
    const { id: nodeId, directoryId } = change.voter;
    this.#options.logger.info(
      { event: 'voters_changed', change: change.kind, nodeId, directoryId },
      'the voters of the metadata quorum were changed',
    );
    return { directoryId };
  }

  async #answer<Reply>(decide: (image: MetadataImage) => Decision<Reply>): Promise<Reply> {
    return (await this.#run(decide)).reply;
  }

  /**
   * Decides, proposes and waits for commit. The decision and its proposals happen in one step, so that the log has
   * them in the order in which they were decided.
   */
  async #run<Reply>(
    decide: (image: MetadataImage) => Decision<Reply>,
  ): Promise<{ reply: Reply; lastOffset: number }> {
    const term = this.#activeTerm();
    const { speculation } = this.#metadata;
    const { records, reply } = decide(speculation.tip);
    if (records.length === 0) {
      // The answer may rest on changes that are still under way.
      const lastOffset = speculation.tip.offset - 1;
      if (speculation.pendingCount > 0) await this.#whenCommitted(lastOffset);
      return { reply, lastOffset };
    }
    this.#checkCapacity();
    const quorum = this.#startedQuorum();
    const entries = speculation.stage(records, ENTRY_MAX_BYTES);
    try {
      await Promise.all(entries.map((entry) => this.#propose(quorum, entry)));
    } catch (error) {
      // What fails late must not touch what a newer leadership decided.
      if (this.#active === term) this.#onProposalFailed(error);
      throw error;
    }
    return { reply, lastOffset: entries.at(-1)!.offset };
  }

  async #propose(quorum: ControllerQuorum, { offset, data }: EncodedEntry): Promise<void> {
    this.#inFlight++;
    try {
      const proposed = await quorum.propose(data);
      if (proposed.offset !== offset) throw notController('the change was overtaken and has no effect');
    } finally {
      this.#inFlight--;
    }
  }

  #checkCapacity(): void {
    const { pendingCount } = this.#metadata.speculation;
    if (this.#isDraining && this.#inFlight === 0) {
      // Proposals that timed out in the log wait there although nobody waits for them.
      this.#isDraining = this.#startedQuorum().status().logEndOffset > this.image().offset;
    }
    if (pendingCount >= this.#options.config['controller.max.pending.changes'] || this.#isDraining) {
      throw new MillraceError(
        'NODE_OVERLOADED',
        `${this.#inFlight} changes of the metadata wait for commit; try again`,
      );
    }
  }

  /**
   * A proposal that timed out in the log may still be committed in its place. Any other failure means that it is not
   * in the log, or that this node does not lead it there any more, so what was decided on top of it is void. Decisions start again from what is committed, once the whole log is:
   * until then nothing new could take the place that it is decided for, or it could take it by chance, on top of something else.
   */
  #onProposalFailed(error: unknown): void {
    const isTimeout = error instanceof MillraceError && error.code === 'REQUEST_TIMED_OUT';
    const isLost = error instanceof ProposalNotAppended || error instanceof ProposalAbandoned;
    if (isTimeout && !isLost) return;
    this.#isDraining = true;
    this.#metadata.speculation.drop();
    this.#failWaiting();
  }

  /** Resolves when the entry at `offset` is committed. @throws {MillraceError} REQUEST_TIMED_OUT, NOT_CONTROLLER */
  async #whenCommitted(offset: number): Promise<void> {
    let next: Deferred<void> | undefined;
    let isLate = false;
    const timer = this.#options.clock.schedule(COMMIT_WAIT_TIMEOUT_MS, () => {
      isLate = true;
      next?.resolve();
    });
    try {
      while (this.image().offset <= offset) {
        if (isLate)
          throw new MillraceError('REQUEST_TIMED_OUT', 'what the answer rests on was not committed');
        next = new Deferred();
        this.#waiting.add(next);
        await next.promise;
        this.#waiting.delete(next);
      }
    } finally {
      timer.cancel();
    }
  }

  #onCommitted({ image, records, hasVoided }: Committed): void {
    if (hasVoided) this.#failWaiting();
    for (const waiting of this.#waiting) waiting.resolve();
    this.#waiting.clear();
    for (const record of records) {
      if (record.kind !== 'partitionChanged' || record.unclean !== true) continue;
      const { partition, leader, leaderEpoch } = record;
      const topic = image.topics.get(record.topicId)?.name;
      this.#options.logger.warn(
        { event: 'unclean_election', topic, partition, leader, leaderEpoch },
        'unclean leader election: acknowledged records may be lost',
      );
    }
  }

  #onLeadership(event: LeadershipEvent): void {
    this.#deactivate();
    if (event.kind === 'lost') return;
    this.#active = new ActiveTerm({
      term: event.term,
      clock: this.#options.clock,
      logger: this.#options.logger,
      config: this.#options.config,
      context: this.#context,
      image: () => this.#metadata.speculation.tip,
      run: (decide) => this.#answer((image) => ({ records: decide(image), reply: undefined })),
      peerDisconnects: this.#peerDisconnects,
    });
    this.#leaderChanged();
  }

  #leaderChanged(): void {
    for (const listener of [...this.#leaderWatchers]) listener();
  }

  #deactivate(): void {
    this.#active?.end();
    this.#active = undefined;
    this.#isDraining = false;
    this.#metadata.speculation.drop();
    this.#failWaiting();
    this.#leaderChanged();
  }

  #failWaiting(): void {
    for (const waiting of this.#waiting) waiting.reject(notController('the lead was lost'));
    this.#waiting.clear();
  }

  #activeTerm(): ActiveTerm {
    if (this.#active !== undefined) return this.#active;
    const leader = this.leaderId();
    throw notController(
      leader === undefined ? 'no controller is active at the moment' : `the active controller is ${leader}`,
    );
  }

  #startedQuorum(): ControllerQuorum {
    if (this.#quorum !== undefined) return this.#quorum;
    throw new MillraceError('QUORUM_UNAVAILABLE', 'the quorum has not started on this node');
  }

  #nowMs(): number {
    return this.#options.clock.nowMs();
  }
}

function notController(message: string): MillraceError {
  return new MillraceError('NOT_CONTROLLER', message);
}
