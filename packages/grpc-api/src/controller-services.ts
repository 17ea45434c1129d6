/** The controller as gRPC, onto every controller node; those that are not active answer NOT_CONTROLLER. */
import { MillraceError } from '@millrace/core';
import type { ConfigOperation, ConfigResource } from '@millrace/metadata';
import type { Controller, ControllerApi } from '@millrace/metadata-quorum';
import {
  controllerService,
  type RpcListener,
  type ConfigResource as WireConfigResource,
} from '@millrace/protocol';
import { electionOf } from './admin-services.ts';
import { unaryFor } from './broker-services.ts';
import { ControllerSessionStream } from './controller-session-stream.ts';
import { LeaderWatch } from './leader-watch.ts';
import { MetadataStream } from './metadata-stream.ts';
import { quorumDescription } from './quorum-description.ts';
import { checkCluster, checkQuorum } from './request-header.ts';
import { toWireFailures } from './wire-failure.ts';

/** What the services need of a Controller. */
export type ServedController = ControllerApi &
  Pick<
    Controller,
    'isActive' | 'leaderId' | 'onLeaderChange' | 'quorumId' | 'status' | 'subscribeLog' | 'voters'
  >;

export interface ControllerServiceOptions {
  readonly clusterId: string;
}

/** @returns what ends the service's watch of the controller; calls in progress end with the server. */
export function registerControllerServices(
  server: RpcListener,
  controller: ServedController,
  { clusterId }: ControllerServiceOptions,
): { close(): void } {
  const leaders = new LeaderWatch(controller);
  server.duplex(controllerService.session, (stream) => {
    return new ControllerSessionStream(controller, leaders, clusterId, stream);
  });
  server.serverStream(controllerService.followMetadata, (request, stream) => {
    checkCluster(request.header, clusterId);
    checkQuorum(request.header.quorumId, controller.quorumId());
    return new MetadataStream(controller, leaders, request.fromOffset, stream);
  });
  registerChanges(server, controller, clusterId);
  return leaders;
}

function registerChanges(server: RpcListener, controller: ServedController, clusterId: string): void {
  const unary = unaryFor(server, { clusterId }, () => controller.quorumId());
  unary(controllerService.alterPartitions, async ({ brokerId, brokerEpoch, partitions }) => {
    const answer = await controller.alterPartitions({ brokerId, brokerEpoch, partitions });
    return { partitions: toWireFailures(answer.partitions) };
  });
  unary(controllerService.allocateProducerIds, ({ brokerId, brokerEpoch }) => {
    return controller.allocateProducerIds({ brokerId, brokerEpoch });
  });
  unary(controllerService.createTopics, async ({ topics, validateOnly }) => {
    const answer = await controller.createTopics({ topics, validateOnly });
    return { topics: toWireFailures(answer.topics) };
  });
  unary(controllerService.deleteTopics, async ({ names, topicIds }) => {
    const answer = await controller.deleteTopics({ names, topicIds });
    return { topics: toWireFailures(answer.topics) };
  });
  unary(controllerService.createPartitions, async ({ topics, validateOnly }) => {
    const answer = await controller.createPartitions({ topics, validateOnly });
    return { topics: toWireFailures(answer.topics) };
  });
  unary(controllerService.alterConfigs, async ({ changes, validateOnly }) => {
    const named = changes.map(({ resource, name, value, operation }) => ({
      resource: configResourceOf(resource),
      name,
      ...(value !== undefined && { value }),
      ...(operation !== undefined && { operation: operation as ConfigOperation }),
    }));
    const answer = await controller.alterConfigs({ changes: named, validateOnly });
    return { resources: toWireFailures(answer.resources) };
  });
  unary(controllerService.electLeaders, async ({ election, partitions }) => {
    const answer = await controller.electLeaders({ election: electionOf(election), partitions });
    return { partitions: toWireFailures(answer.partitions) };
  });
  unary(controllerService.addVoter, ({ nodeId, directoryId }, { timeLeftMs }) => {
    return controller.changeVoters({ kind: 'add', nodeId, directoryId, timeoutMs: timeLeftMs });
  });
  unary(controllerService.removeVoter, ({ nodeId, directoryId }, { timeLeftMs }) => {
    return controller.changeVoters({ kind: 'remove', nodeId, directoryId, timeoutMs: timeLeftMs });
  });
  unary(controllerService.describeQuorum, async () => quorumDescription(controller.status()));
}

/** @throws {MillraceError} INVALID_REQUEST unless the kind is one that exists. */
function configResourceOf({ kind, name }: WireConfigResource): ConfigResource {
  if (kind === 'topic' || kind === 'broker' || kind === 'cluster') return { kind, name };
  throw new MillraceError(
    'INVALID_REQUEST',
    `a configuration belongs to a topic, broker or cluster, not "${kind}"`,
  );
}
