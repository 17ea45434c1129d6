/** A broker's use cases as gRPC: wire in, call, wire out. A decision made here is made in the wrong package. */
import type { BrokerApi } from '@millrace/broker';
import {
  brokerService,
  type CallContext,
  type RequestHeader,
  type RpcListener,
  type UnaryMethod,
} from '@millrace/protocol';
import { FetchStream } from './fetch-stream.ts';
import { registerGroupService } from './group-service.ts';
import { PipelinedStream } from './pipelined-stream.ts';
import { producePipeline } from './produce-pipeline.ts';
import { registerReplicationService } from './replication-service.ts';
import { checkAwaited, checkCluster, checkQuorum, contextOf } from './request-header.ts';
import { toWireFailures } from './wire-failure.ts';

/** Registers Broker, Replication and Group. */
export function registerBrokerServices(server: RpcListener, broker: BrokerApi): void {
  const unary = unaryFor(server, broker);
  const produce = producePipeline(broker);
  server.duplex(brokerService.produce, (stream) => new PipelinedStream(produce, stream));
  server.duplex(brokerService.fetch, (stream) => new FetchStream(broker, stream));
  registerReplicationService(server, broker);
  registerGroupService(server, broker);

  unary(brokerService.describeTopics, async (request, { listener }) => {
    const { names, topicIds, allowAutoCreate } = request;
    const context = contextOf(request.header);
    const answer = await broker.describeTopics({ ...context, listener, names, topicIds, allowAutoCreate });
    return { ...answer, topics: toWireFailures(answer.topics) };
  });
  unary(brokerService.listOffsets, async ({ header, partitions }) => {
    const answer = await broker.listOffsets({ ...contextOf(header), partitions });
    return { partitions: toWireFailures(answer.partitions) };
  });
  unary(brokerService.initProducerId, ({ header }) => broker.initProducerId(contextOf(header)));
  unary(brokerService.offsetForLeaderEpoch, async ({ header, partitions }) => {
    const answer = await broker.offsetForLeaderEpoch({ ...contextOf(header), partitions });
    return { partitions: toWireFailures(answer.partitions) };
  });
  unary(brokerService.deleteRecords, async ({ header, partitions }) => {
    const answer = await broker.deleteRecords({ ...contextOf(header), partitions });
    return { partitions: toWireFailures(answer.partitions) };
  });
}

type Handler<Request, Response> = (request: Request, context: CallContext) => Promise<Response>;

/**
 * Registers unary methods whose requests must be meant for this cluster, and its quorum where a controller serves, and
 * be waited for still: nobody else's are worked on.
 */
export function unaryFor(
  server: RpcListener,
  { clusterId }: { readonly clusterId: string },
  quorumId: () => string = () => '',
) {
  return <Request extends { readonly header: RequestHeader }, Response>(
    method: UnaryMethod<Request, Response>,
    handler: Handler<Request, Response>,
  ): void => {
    server.unary(method, (request, context) => {
      checkCluster(request.header, clusterId);
      checkQuorum(request.header.quorumId, quorumId());
      checkAwaited(context);
      return handler(request, context);
    });
  };
}
