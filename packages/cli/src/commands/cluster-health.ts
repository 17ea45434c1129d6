/** What makes a cluster healthy, decided in one place for `cluster health`, `cluster info` and scripts. Pure. */
import type { ClusterInfo } from '@millrace/client';

export interface HealthReport {
  readonly healthy: boolean;
  readonly problems: readonly string[];
  readonly controllerId: number | null;
  readonly brokerCount: number;
  readonly fencedBrokers: readonly number[];
  readonly leaderlessPartitions: number;
  readonly underMinIsrPartitions: number;
  readonly underReplicatedPartitions: number;
}

export function healthOf(cluster: ClusterInfo): HealthReport {
  const fencedBrokers = cluster.brokers.filter(({ fenced }) => fenced).map(({ id }) => id);
  const problems = [
    cluster.controllerId === -1 && 'no active controller: a majority of controllers must be up',
    cluster.brokers.length === 0 && 'no broker is registered',
    fencedBrokers.length > 0 && `broker ${fencedBrokers.join(', ')} is down or shutting down`,
    ...[
      [cluster.leaderlessPartitionCount, 'without a leader: neither readable nor writable'],
      [cluster.underMinIsrPartitionCount, 'below min.insync.replicas: acks=all writes fail'],
      [cluster.underReplicatedPartitionCount, 'under-replicated: replicas are catching up or down'],
    ].map(
      ([count, what]) => Number(count) > 0 && `${count} ${count === 1 ? 'partition' : 'partitions'} ${what}`,
    ),
  ].filter((problem) => problem !== false);
  return {
    healthy: problems.length === 0,
    problems,
    controllerId: cluster.controllerId === -1 ? null : cluster.controllerId,
    brokerCount: cluster.brokers.length,
    fencedBrokers,
    leaderlessPartitions: cluster.leaderlessPartitionCount,
    underMinIsrPartitions: cluster.underMinIsrPartitionCount,
    underReplicatedPartitions: cluster.underReplicatedPartitionCount,
  };
}

/** What `cluster health` says of a cluster that does not answer. */
export function unreachable(reason: string): HealthReport {
  return {
    healthy: false,
    problems: [`the cluster does not answer: ${reason}`],
    controllerId: null,
    brokerCount: 0,
    fencedBrokers: [],
    leaderlessPartitions: 0,
    underMinIsrPartitions: 0,
    underReplicatedPartitions: 0,
  };
}
