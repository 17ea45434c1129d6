/** The settings of a node in a cluster on one machine: what `millrace dev` and the embedded cluster start from. */

/** Enough to give every node some, few enough to be there at once. */
const OFFSETS_PARTITIONS = 8;

/** Ports of node 1; those of the others follow. 0 lets the system choose each. */
export interface FirstPorts {
  readonly grpc: number;
  /** Undefined: no listener for Kafka clients. */
  readonly kafka?: number | undefined;
}

export function developmentProperties(id: number, count: number, first: FirstPorts): Record<string, string> {
  const port = (firstPort: number, index: number): number => (firstPort === 0 ? 0 : firstPort + index);
  const voters = Array.from(
    { length: count },
    (_, index) => `${index + 1}@localhost:${port(first.grpc, index)}`,
  );
  const listeners = [`GRPC://localhost:${port(first.grpc, id - 1)}`];
  if (first.kafka !== undefined) listeners.push(`PLAINTEXT://localhost:${port(first.kafka, id - 1)}`);
  return {
    'node.id': String(id),
    'controller.quorum.voters': voters.join(','),
    listeners: listeners.join(','),
    'default.replication.factor': String(Math.min(count, 3)),
    'min.insync.replicas': count >= 3 ? '2' : '1',
    'offsets.topic.num.partitions': String(OFFSETS_PARTITIONS),
    // Whoever tries things out starts one consumer, and wants to see it work.
    'group.initial.rebalance.delay.ms': '0',
  };
}
