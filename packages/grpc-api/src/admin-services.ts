/** Cluster administration as gRPC, onto any broker. Wire in, call, wire out. */
import type { BrokerApi } from '@millrace/broker';
import { MillraceError } from '@millrace/core';
import { adminService, type RpcListener } from '@millrace/protocol';
import { unaryFor } from './broker-services.ts';
import { contextOf } from './request-header.ts';
import { toWireFailures } from './wire-failure.ts';

export function registerAdminServices(server: RpcListener, broker: BrokerApi): void {
  const unary = unaryFor(server, broker);
  unary(adminService.createTopics, async ({ header, topics, validateOnly }) => {
    const answer = await broker.createTopics({ ...contextOf(header), topics, validateOnly });
    return { topics: toWireFailures(answer.topics) };
  });
  unary(adminService.deleteTopics, async ({ header, names, topicIds }) => {
    const answer = await broker.deleteTopics({ ...contextOf(header), names, topicIds });
    return { topics: toWireFailures(answer.topics) };
  });
  unary(adminService.createPartitions, async ({ header, topics, validateOnly }) => {
    const answer = await broker.createPartitions({ ...contextOf(header), topics, validateOnly });
    return { topics: toWireFailures(answer.topics) };
  });
  unary(adminService.describeConfigs, async ({ header, resources }) => {
    const answer = await broker.describeConfigs({ ...contextOf(header), resources });
    return { resources: toWireFailures(answer.resources) };
  });
  unary(adminService.alterConfigs, async ({ header, changes, validateOnly }) => {
    const named = changes.map(({ resource, name, value, operation }) => ({
      resource,
      name,
      value,
      operation,
    }));
    const answer = await broker.alterConfigs({ ...contextOf(header), changes: named, validateOnly });
    return { resources: toWireFailures(answer.resources) };
  });
  unary(adminService.electLeaders, async ({ header, election, partitions }) => {
    const kind = electionOf(election);
    const answer = await broker.electLeaders({ ...contextOf(header), election: kind, partitions });
    return { partitions: toWireFailures(answer.partitions) };
  });
  unary(adminService.describeCluster, ({ header }, { listener }) => {
    return broker.describeCluster({ ...contextOf(header), listener });
  });
  unary(adminService.addVoter, ({ header, nodeId, directoryId }) => {
    return broker.addVoter({ ...contextOf(header), nodeId, directoryId });
  });
  unary(adminService.removeVoter, ({ header, nodeId, directoryId }) => {
    return broker.removeVoter({ ...contextOf(header), nodeId, directoryId });
  });
  unary(adminService.describeQuorum, ({ header }) => broker.describeQuorum(contextOf(header)));
}

/** @throws {MillraceError} INVALID_REQUEST unless the word is one of the two that exist. */
export function electionOf(word: string): 'preferred' | 'unclean' {
  if (word === 'preferred' || word === 'unclean') return word;
  throw new MillraceError('INVALID_REQUEST', `an election is "preferred" or "unclean", not "${word}"`);
}
