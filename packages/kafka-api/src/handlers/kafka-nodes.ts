/** The brokers as Kafka clients see them: those that live and have the listener that the client came through. */
import type { NodeId } from '@millrace/core';
import type { BrokerImage, MetadataImage } from '@millrace/metadata';

export interface KafkaNode {
  readonly nodeId: NodeId;
  readonly host: string;
  readonly port: number;
  readonly rack: string | null;
}

/** Undefined for a broker that a client of this listener cannot reach. */
export function kafkaNode(image: MetadataImage, id: NodeId, listener: string): KafkaNode | undefined {
  const broker = image.brokers.get(id);
  return broker === undefined || broker.fenced ? undefined : nodeOf(broker, listener);
}

export function kafkaNodes(image: MetadataImage, listener: string): KafkaNode[] {
  const nodes: KafkaNode[] = [];
  for (const broker of image.brokers.values()) {
    const node = broker.fenced ? undefined : nodeOf(broker, listener);
    if (node !== undefined) nodes.push(node);
  }
  return nodes;
}

/** Clients send administration there, so it is one that they can reach: any broker passes it on to the controller. */
export function controllerAmong(nodes: readonly KafkaNode[], controllerId: NodeId | -1): NodeId | -1 {
  return nodes.some(({ nodeId }) => nodeId === controllerId) ? controllerId : (nodes[0]?.nodeId ?? -1);
}

function nodeOf({ id, rack, endpoints }: BrokerImage, listener: string): KafkaNode | undefined {
  const endpoint = endpoints.find((candidate) => candidate.listener === listener);
  return (
    endpoint && { nodeId: id, host: endpoint.host, port: endpoint.port, rack: rack === '' ? null : rack }
  );
}
