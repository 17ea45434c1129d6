/** What a seed's cluster is like: nodes and their roles, settings, topics. Sizes are small, so that what is rare in production is common. */
import { below, type SeededRandom } from '@millrace/core';

export const PORT = 9192;

export interface NodePlan {
  readonly id: number;
  /** Host and process name. */
  readonly name: string;
  readonly isController: boolean;
  readonly isBroker: boolean;
}

export interface TopicPlan {
  readonly name: string;
  readonly partitions: number;
  readonly replicas: number;
  readonly configs: Readonly<Record<string, string>>;
  /** An acknowledged acks=all record of it must survive every fault within the budget. */
  readonly isStrict: boolean;
  readonly isPageCache: boolean;
  /** Records go by themselves. */
  readonly hasRetention: boolean;
}

export interface ClusterLayout {
  readonly nodes: readonly NodePlan[];
  /** Settings of every node. */
  readonly settings: Readonly<Record<string, string>>;
  readonly topics: readonly TopicPlan[];
  /** Of the cluster itself, and as precious. */
  readonly internalTopics?: readonly TopicPlan[];
  readonly producers: number;
  readonly consumers: number;
  readonly sessionTimeoutMs: number;
  readonly fetchTimeoutMs: number;
  readonly electionTimeoutMs: number;
}

export function drawLayout(random: SeededRandom): ClusterLayout {
  const nodes = drawNodes(random);
  const sessionTimeoutMs = 2_000 + 1_000 * below(random, 6);
  const electionTimeoutMs = 400 + 200 * below(random, 4);
  const fetchTimeoutMs = 800 + 400 * below(random, 4);
  const brokers = nodes.filter(({ isBroker }) => isBroker).length;
  return {
    nodes,
    settings: {
      'broker.session.timeout.ms': `${sessionTimeoutMs}`,
      'broker.heartbeat.interval.ms': `${Math.floor(sessionTimeoutMs / 5)}`,
      'broker.disconnect.grace.ms': `${100 + 400 * below(random, 3)}`,
      'broker.first.contact.ms': `${1_000 + 1_000 * below(random, 2)}`,
      'controller.quorum.election.timeout.ms': `${electionTimeoutMs}`,
      'controller.quorum.fetch.timeout.ms': `${fetchTimeoutMs}`,
      'controller.quorum.heartbeat.interval.ms': `${Math.floor(fetchTimeoutMs / 10)}`,
      'metadata.log.max.record.bytes.between.snapshots': `${[300, 1_000, 4_000][below(random, 3)]}`,
      'metadata.log.retained.records': `${[0, 4, 32][below(random, 3)]}`,
      'controller.quorum.append.max.bytes': `${[1_024, 1_048_576][below(random, 2)]}`,
      'replica.lag.time.max.ms': `${3_000 + 2_000 * below(random, 3)}`,
      'replica.fetch.backoff.ms': `${[100, 1_000][below(random, 2)]}`,
      'replica.fetch.max.bytes': `${[1_024, 65_536][below(random, 2)]}`,
      'replica.socket.timeout.ms': '10000',
      'request.timeout.ms': '10000',
      'controlled.shutdown.timeout.ms': '3000',
      'shutdown.timeout.ms': '500',
      'initial.broker.registration.timeout.ms': '300000',
      'leader.imbalance.check.interval.seconds': '10',
      'checkpoint.interval.ms': `${[200, 1_000, 5_000][below(random, 3)]}`,
      'log.retention.check.interval.ms': '2000',
      'journal.file.bytes': '65536',
      'journal.max.bytes': '262144',
      ...[
        { 'journal.round.bytes': '4096', 'journal.bypass.bytes': '1024' },
        { 'journal.round.bytes': '1048576', 'journal.bypass.bytes': '262144' },
      ][below(random, 2)],
      'open.files.max': `${[16, 4_000][below(random, 2)]}`,
      'tail.cache.bytes': `${[0, 4_096, 1_048_576][below(random, 3)]}`,
      'tail.cache.partition.bytes': `${[0, 2_048, 65_536][below(random, 3)]}`,
      'log.index.interval.bytes': '128',
      'log.segment.delete.delay.ms': '500',
      'default.replication.factor': '3',
      'min.insync.replicas': '2',
    },
    topics: drawTopics(random, brokers),
    producers: 1 + below(random, 3),
    consumers: 1 + below(random, 2),
    sessionTimeoutMs,
    fetchTimeoutMs,
    electionTimeoutMs,
  };
}

/** Three controllers: with brokers in the same processes, or apart from them. */
function drawNodes(random: SeededRandom): NodePlan[] {
  const isCombined = below(random, 3) > 0;
  const brokers = 3 + below(random, isCombined ? 2 : 3);
  const count = isCombined ? Math.max(3, brokers) : 3 + brokers;
  return Array.from({ length: count }, (_, index) => ({
    id: index + 1,
    name: `node-${index + 1}`,
    isController: index < 3,
    isBroker: isCombined || index >= 3,
  }));
}

function drawTopics(random: SeededRandom, brokers: number): TopicPlan[] {
  const segments = { 'segment.bytes': `${[1_024, 4_096, 65_536][below(random, 3)]}` };
  const wide = Math.min(3, brokers);
  const topics: TopicPlan[] = [
    {
      name: 'strict',
      partitions: 1 + below(random, 3),
      replicas: wide,
      configs: { ...segments, 'min.insync.replicas': '2' },
      isStrict: true,
      isPageCache: false,
      hasRetention: false,
    },
  ];
  if (below(random, 2) === 0) {
    topics.push({
      name: 'narrow',
      partitions: 1 + below(random, 2),
      replicas: 2,
      configs: { ...segments, 'min.insync.replicas': `${1 + below(random, 2)}` },
      isStrict: true,
      isPageCache: false,
      hasRetention: false,
    });
  }
  if (below(random, 3) === 0) {
    topics.push({
      name: 'paged',
      partitions: 1 + below(random, 2),
      replicas: wide,
      configs: { ...segments, durability: 'page-cache', 'min.insync.replicas': '2' },
      isStrict: true,
      isPageCache: true,
      hasRetention: false,
    });
  }
  if (below(random, 2) === 0) {
    topics.push({
      name: 'short',
      partitions: 1 + below(random, 2),
      replicas: wide,
      configs: { 'segment.bytes': '1024', 'retention.bytes': '4096', 'min.insync.replicas': '2' },
      isStrict: true,
      isPageCache: false,
      hasRetention: true,
    });
  }
  topics.push({
    name: 'loose',
    partitions: 1 + below(random, 2),
    replicas: 1 + below(random, 2),
    configs: { ...segments, 'min.insync.replicas': '1' },
    isStrict: false,
    isPageCache: false,
    hasRetention: false,
  });
  return topics;
}
