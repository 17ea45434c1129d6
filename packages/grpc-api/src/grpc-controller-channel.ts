/** Broker to controllers over gRPC. Finds the active controller by asking; nothing is decided here. */
import type {
  AllocateProducerIdsRequest,
  AlterConfigsRequest,
  AlterConfigsResponse,
  AlterPartitionsRequest,
  AlterPartitionsResponse,
  BrokerRegistration,
  ChangeVoterRequest,
  ChangeVoterResponse,
  ControllerChannel,
  ControllerSession,
  ControllerSessionHandlers,
  CreatePartitionsRequest,
  CreatePartitionsResponse,
  CreateTopicsRequest,
  CreateTopicsResponse,
  DeleteTopicsRequest,
  DeleteTopicsResponse,
  DescribeQuorumResponse,
  ElectLeadersRequest,
  ElectLeadersResponse,
  MetadataLogFollower,
  MetadataSubscription,
  ProducerIdBlock,
  RequestContext,
} from '@millrace/broker';
import { type Clock, errorCodeOf, type Logger, MillraceError } from '@millrace/core';
import {
  controllerService,
  type RequestHeader,
  type RpcChannelOptions,
  type RpcNetwork,
  type Failure as WireFailure,
} from '@millrace/protocol';
import { ControllerCalls } from './controller-calls.ts';
import { type ControllerAddress, ControllerDirectory } from './controller-directory.ts';
import { GrpcControllerSession } from './controller-session.ts';
import { KnownQuorum, type QuorumKeeper } from './known-quorum.ts';
import { GrpcMetadataSubscription } from './metadata-subscription.ts';
import { nodeHeader } from './request-header.ts';
import { fromWireFailures } from './wire-failure.ts';

export interface GrpcControllerChannelOptions {
  readonly clusterId: string;
  /** Which quorum of that cluster, once it is known. */
  readonly quorum: QuorumKeeper;
  /** Names this node in the logs of others. */
  readonly clientId: string;
  readonly controllers: readonly ControllerAddress[];
  readonly clock: Clock;
  readonly logger: Logger;
  readonly channel?: RpcChannelOptions;
  readonly network?: RpcNetwork;
}

export class GrpcControllerChannel implements ControllerChannel {
  readonly #options: GrpcControllerChannelOptions;
  readonly #directory: ControllerDirectory;
  /** Metadata has connections of its own: a large snapshot must not delay a heartbeat. */
  readonly #metadataDirectory: ControllerDirectory;
  readonly #calls: ControllerCalls;
  readonly #quorum: KnownQuorum;

  constructor(options: GrpcControllerChannelOptions) {
    this.#options = options;
    const { controllers, channel, network } = options;
    this.#directory = new ControllerDirectory(controllers, channel, network);
    this.#metadataDirectory = new ControllerDirectory(controllers, channel, network);
    this.#quorum = new KnownQuorum(options.quorum);
    this.#calls = new ControllerCalls(this.#directory, options.clock);
  }

  openSession(registration: BrokerRegistration, handlers: ControllerSessionHandlers): ControllerSession {
    const header = (correlationId: number) => this.#header(0, correlationId);
    return new GrpcControllerSession(this.#directory, this.#quorum, header, registration, handlers);
  }

  followMetadata(fromOffset: number, follower: MetadataLogFollower): MetadataSubscription {
    const { clock, logger } = this.#options;
    const onController = (id: number): void => {
      if (id !== -1) this.#directory.setActive(id);
      follower.onController(id);
    };
    return new GrpcMetadataSubscription({
      directory: this.#metadataDirectory,
      quorum: this.#quorum,
      header: () => this.#header(0),
      clock,
      logger,
      fromOffset,
      onControllers: (controllers) => {
        this.#directory.learn(controllers);
        this.#metadataDirectory.learn(controllers);
      },
      follower: {
        onSnapshot: (data, nextOffset) => follower.onSnapshot(data, nextOffset),
        onEntries: (entries, nextOffset) => follower.onEntries(entries, nextOffset),
        onController,
      },
    });
  }

  async alterPartitions({ timeoutMs, ...content }: AlterPartitionsRequest): Promise<AlterPartitionsResponse> {
    const request = { header: this.#header(timeoutMs), ...content };
    const method = controllerService.alterPartitions;
    const answer = await this.#calls.call({ method, request, timeoutMs, isRepeatable: true });
    throwIfFailed(answer.failure);
    return { partitions: fromWireFailures(answer.partitions) };
  }

  async allocateProducerIds({ timeoutMs, ...content }: AllocateProducerIdsRequest): Promise<ProducerIdBlock> {
    const request = { header: this.#header(timeoutMs), ...content };
    const method = controllerService.allocateProducerIds;
    // A block that was handed out twice over is merely wasted.
    const answer = await this.#calls.call({ method, request, timeoutMs, isRepeatable: true });
    throwIfFailed(answer.failure);
    return { firstId: answer.firstId, count: answer.count };
  }

  async createTopics({
    topics,
    validateOnly,
    ...context
  }: CreateTopicsRequest): Promise<CreateTopicsResponse> {
    const request = { header: this.#headerOf(context), topics, validateOnly };
    const answer = await this.#calls.call({ method: controllerService.createTopics, request, ...context });
    return { topics: fromWireFailures(answer.topics) };
  }

  async deleteTopics({ names, topicIds, ...context }: DeleteTopicsRequest): Promise<DeleteTopicsResponse> {
    const request = { header: this.#headerOf(context), names, topicIds };
    const answer = await this.#calls.call({ method: controllerService.deleteTopics, request, ...context });
    return { topics: fromWireFailures(answer.topics) };
  }

  async createPartitions(wanted: CreatePartitionsRequest): Promise<CreatePartitionsResponse> {
    const { topics, validateOnly, timeoutMs } = wanted;
    const request = { header: this.#headerOf(wanted), topics, validateOnly };
    const method = controllerService.createPartitions;
    const answer = await this.#calls.call({ method, request, timeoutMs });
    return { topics: fromWireFailures(answer.topics) };
  }

  async alterConfigs(wanted: AlterConfigsRequest): Promise<AlterConfigsResponse> {
    const { changes, validateOnly, timeoutMs } = wanted;
    const request = { header: this.#headerOf(wanted), changes, validateOnly };
    const method = controllerService.alterConfigs;
    const answer = await this.#calls.call({ method, request, timeoutMs, isRepeatable: true });
    return { resources: fromWireFailures(answer.resources) };
  }

  async electLeaders(wanted: ElectLeadersRequest): Promise<ElectLeadersResponse> {
    const { election, partitions, timeoutMs } = wanted;
    const request = { header: this.#headerOf(wanted), election, partitions };
    const answer = await this.#calls.call({ method: controllerService.electLeaders, request, timeoutMs });
    return { partitions: fromWireFailures(answer.partitions) };
  }

  describeQuorum(context: RequestContext): Promise<DescribeQuorumResponse> {
    const request = { header: this.#headerOf(context) };
    const { timeoutMs } = context;
    const method = controllerService.describeQuorum;
    return this.#calls.call({ method, request, timeoutMs, isRepeatable: true });
  }

  async addVoter({ nodeId, directoryId, ...context }: ChangeVoterRequest): Promise<ChangeVoterResponse> {
    const request = { header: this.#headerOf(context), nodeId, directoryId };
    return await this.#calls.call({ method: controllerService.addVoter, request, ...context });
  }

  async removeVoter({ nodeId, directoryId, ...context }: ChangeVoterRequest): Promise<ChangeVoterResponse> {
    const request = { header: this.#headerOf(context), nodeId, directoryId };
    return await this.#calls.call({ method: controllerService.removeVoter, request, ...context });
  }

  /** Ends every connection; sessions and subscriptions should be closed before. */
  async close(): Promise<void> {
    this.#directory.close();
    this.#metadataDirectory.close();
  }

  #header(timeoutMs: number, correlationId = 0): RequestHeader {
    const { clusterId, clientId } = this.#options;
    return nodeHeader(clusterId, clientId, timeoutMs, correlationId, this.#quorum.id);
  }

  /** Passes a client's request on under the client's own name. */
  #headerOf({ timeoutMs, clientId }: RequestContext): RequestHeader {
    return nodeHeader(this.#options.clusterId, clientId, timeoutMs, 0, this.#quorum.id);
  }
}

function throwIfFailed(failure: WireFailure | undefined): void {
  if (failure !== undefined) throw new MillraceError(errorCodeOf(failure.code), failure.message);
}
