/** Consumer groups as gRPC: wire in, call, wire out. A decision made here is made in the wrong package. */
import type { BrokerApi, GroupApi } from '@millrace/broker';
import {
  type CallContext,
  type CommitOffsetsRequest,
  type CommitOffsetsResponse,
  groupService,
  type RequestHeader,
  type RpcListener,
  type DescribedGroup as WireDescribedGroup,
} from '@millrace/protocol';
import { unaryFor } from './broker-services.ts';
import { hostOf } from './host-port.ts';
import { type Pipeline, PipelinedStream } from './pipelined-stream.ts';
import { contextOf } from './request-header.ts';
import { toWireFailure, toWireFailures } from './wire-failure.ts';

type Groups = Pick<BrokerApi, 'clusterId' | 'groups'>;

export function registerGroupService(server: RpcListener, broker: Groups): void {
  const unary = unaryFor(server, broker);
  server.duplex(
    groupService.commitOffsets,
    (stream, { peer }) => new PipelinedStream(commitPipeline(broker, peer), stream),
  );
  registerMembers(unary, broker);
  registerOperators(unary, broker);
}

type Unary = ReturnType<typeof unaryFor>;

function registerMembers(unary: Unary, { groups }: Groups): void {
  unary(groupService.findCoordinators, async ({ header, groupIds }, { listener }) => {
    const answer = await groups.findCoordinators({ ...contextOf(header), listener, groupIds });
    return { coordinators: toWireFailures(answer.coordinators) };
  });
  unary(groupService.consumerGroupHeartbeat, async (request, context) => {
    const { header, groupId, memberId, memberEpoch, groupInstanceId, rackId, rebalanceTimeoutMs } = request;
    const { failure, assignment, ...answer } = await groups.consumerGroupHeartbeat({
      ...callerOf(header, context),
      groupId,
      memberId,
      memberEpoch,
      groupInstanceId,
      rackId,
      rebalanceTimeoutMs,
      subscribedTopicNames: request.subscribedTopics?.names,
      subscribedTopicRegex: request.subscribedTopicRegex,
      serverAssignor: request.serverAssignor,
      topicPartitions: request.held?.topics,
      reason: request.reason,
    });
    return {
      ...answer,
      failure: toWireFailure(failure),
      assignment: assignment && { topics: assignment },
    };
  });
  unary(groupService.fetchOffsets, async ({ groupId, memberId, memberEpoch, all, partitions }) => {
    const named = all ? undefined : partitions;
    const answer = await groups.fetchOffsets({ groupId, memberId, memberEpoch, partitions: named });
    return { offsets: answer.offsets, failure: toWireFailure(answer.failure) };
  });
}

function registerOperators(unary: Unary, { groups }: Groups): void {
  unary(groupService.deleteOffsets, async ({ groupId, partitions }) =>
    outcomes(await groups.deleteOffsets({ groupId, partitions })),
  );
  unary(groupService.listGroups, async ({ states, types }) => {
    const answer = await groups.listGroups({ states, types });
    return { groups: answer.groups, failure: toWireFailure(answer.failure) };
  });
  unary(groupService.describeGroups, async ({ groupIds }) => ({
    groups: (await groups.describeGroups(groupIds)).map(toWireGroup),
  }));
  unary(groupService.explainGroup, async ({ groupId }) => {
    const { failure, type, state, events, droppedEvents, members } = await groups.explainGroup(groupId);
    return { failure: toWireFailure(failure), type, state, events, droppedEvents, members };
  });
  unary(groupService.deleteGroups, async ({ groupIds }) => ({
    groups: toWireFailures(await groups.deleteGroups(groupIds)),
  }));
}

function commitPipeline(
  { clusterId, groups }: Groups,
  peer: string,
): Pipeline<CommitOffsetsRequest, CommitOffsetsResponse> {
  return {
    clusterId,
    bytesOf: ({ offsets }) => {
      let bytes = 0;
      for (const { topic, metadata } of offsets) bytes += COMMIT_BYTES + topic.length + metadata.length;
      return bytes;
    },
    handle: async ({ header, groupId, memberEpoch, memberId, groupInstanceId, sequence, offsets }) => {
      const answer = await groups.commitOffsets({
        ...callerOf(header, { peer }),
        groupId,
        generationIdOrMemberEpoch: memberEpoch,
        memberId,
        groupInstanceId,
        sequence,
        offsets,
      });
      return { correlationId: header.correlationId, ...outcomes(answer) };
    },
    room: () => groups.commitRoom(),
    refusal: (correlationId, failure) => ({ correlationId, failure, offsets: [] }),
  };
}

/** What an offset to commit keeps in memory beside its texts, about. */
const COMMIT_BYTES = 100;

function outcomes({ failure, offsets }: Awaited<ReturnType<GroupApi['commitOffsets']>>) {
  return { failure: toWireFailure(failure), offsets: toWireFailures(offsets) };
}

function callerOf(header: RequestHeader, { peer }: Pick<CallContext, 'peer'>) {
  return { clientId: header.clientId, clientHost: hostOf(peer) };
}

type House = Awaited<ReturnType<GroupApi['describeGroups']>>[number];

function toWireGroup({ failure, members, ...group }: House): WireDescribedGroup {
  return {
    ...group,
    failure: toWireFailure(failure),
    members: members.map(({ groupInstanceId = '', ...member }) => ({ ...member, groupInstanceId })),
  };
}
