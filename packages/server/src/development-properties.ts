/** The settings of a node in a cluster on one machine: what `millrace dev` and the embedded cluster start from. */

/** Enough to give every node some, few enough to be there at once. */
const OFFSETS_PARTITIONS = 8;

/** @param firstPort port of node 1; the others follow. 0 lets the system choose each. */
export function developmentProperties(id: number, count: number, firstPort: number): Record<string, string> {
  const port = (index: number): number => (firstPort === 0 ? 0 : firstPort + index);
  const voters = Array.from({ length: count }, (_, index) => `${index + 1}@localhost:${port(index)}`);
  return {
    'node.id': String(id),
    'controller.quorum.voters': voters.join(','),
    listeners: `GRPC://localhost:${port(id - 1)}`,
    'default.replication.factor': String(Math.min(count, 3)),
    'min.insync.replicas': count >= 3 ? '2' : '1',
    'offsets.topic.num.partitions': String(OFFSETS_PARTITIONS),
    // Whoever tries things out starts one consumer, and wants to see it work.
    'group.initial.rebalance.delay.ms': '0',
  };
}
