/** How large a partition world is and how its brokers are set up: drawn from the seed, small, so that rare paths are common. */
import { type BrokerConfig, brokerConfig } from '@millrace/broker';
import { below, type SeededRandom, unit } from '@millrace/core';
import { type StorageConfig, storageConfig } from '@millrace/storage';
import type { ControllerLimits } from './model-controller.ts';

export interface TopicPlan {
  readonly name: string;
  /** Replicas of each partition. */
  readonly replicas: readonly (readonly number[])[];
  readonly configs: Readonly<Record<string, string>>;
}

export interface PartitionPlan {
  readonly brokers: number;
  readonly topics: readonly TopicPlan[];
  readonly controller: ControllerLimits;
  readonly broker: BrokerConfig;
  readonly storage: StorageConfig;
  readonly producers: readonly ProducerPlan[];
  readonly consumers: number;
  /** Mean time between acts of the administrator. 0: it never acts. */
  readonly adminMeanMs: number;
  /** Topics are deleted and made again. */
  readonly recreatesTopics: boolean;
  readonly changesDurability: boolean;
}

export interface ProducerPlan {
  readonly acks: -1 | 0 | 1;
  readonly isIdempotent: boolean;
  readonly inFlightMax: number;
  readonly intervalMeanMs: number;
  readonly deliveryTimeoutMs: number;
}

function pick<T>(random: SeededRandom, items: readonly T[]): T {
  return items[below(random, items.length)]!;
}

export function drawPartitionPlan(random: SeededRandom): PartitionPlan {
  const brokers = pick(random, [3, 3, 3, 4, 5]);
  const sessionTimeoutMs = pick(random, [1000, 2000, 3000]);
  return {
    brokers,
    topics: Array.from({ length: 1 + below(random, 2) }, (_, i) => drawTopic(random, `t${i}`, brokers)),
    controller: {
      sessionTimeoutMs,
      disconnectGraceMs: pick(random, [0, 100, 500]),
      firstContactMs: pick(random, [500, 2000]),
      electionIntervalMs: pick(random, [500, 2000]),
    },
    broker: drawBroker(random),
    storage: drawStorage(random),
    producers: Array.from({ length: 1 + below(random, 3) }, (_, i) => drawProducer(random, i === 0)),
    consumers: 1 + below(random, 2),
    adminMeanMs: pick(random, [0, 1500, 4000]),
    recreatesTopics: below(random, 3) === 0,
    changesDurability: below(random, 5) === 0,
  };
}

function drawTopic(random: SeededRandom, name: string, brokers: number): TopicPlan {
  const factor = pick(random, [1, 2, 2, 3, 3, 3, 3]);
  const replicas = Array.from({ length: 1 + below(random, 3) }, () => drawReplicas(random, brokers, factor));
  const minInsync = factor > 1 ? pick(random, [1, 2, 2]) : 1;
  const retention = below(random, 3);
  return {
    name,
    replicas,
    configs: {
      'min.insync.replicas': String(minInsync),
      durability: pick(random, ['fsync', 'fsync', 'page-cache']),
      'segment.bytes': String(pick(random, [1024, 2048, 1_000_000])),
      'segment.ms': String(pick(random, [2000, 1_000_000_000])),
      'index.interval.bytes': String(pick(random, [0, 200, 4096])),
      'file.delete.delay.ms': String(pick(random, [0, 100, 60_000])),
      'unclean.leader.election.enable': String(below(random, 5) === 0),
      'message.timestamp.type': pick(random, ['CreateTime', 'CreateTime', 'LogAppendTime']),
      ...(retention === 0 && { 'retention.bytes': String(pick(random, [1024, 4096])) }),
      ...(retention === 1 && { 'retention.ms': String(pick(random, [1000, 8000])) }),
    },
  };
}

function drawReplicas(random: SeededRandom, brokers: number, factor: number): number[] {
  const ids = Array.from({ length: brokers }, (_, i) => i + 1);
  return Array.from({ length: factor }, () => ids.splice(below(random, ids.length), 1)[0]!);
}

function drawBroker(random: SeededRandom): BrokerConfig {
  const fetchMaxBytes = pick(random, [150, 600, 100_000]);
  const waitMs = pick(random, [100, 300, 500]);
  return {
    ...brokerConfig.parse({}),
    'broker.heartbeat.interval.ms': pick(random, [200, 400]),
    'controlled.shutdown.timeout.ms': 2000,
    'initial.broker.registration.timeout.ms': 120_000,
    'replica.fetch.backoff.ms': pick(random, [20, 200]),
    'replica.fetch.max.bytes': fetchMaxBytes,
    'replica.fetch.response.max.bytes': pick(random, [fetchMaxBytes, 4 * fetchMaxBytes]),
    'replica.fetch.wait.max.ms': waitMs,
    'replica.lag.time.max.ms': waitMs + pick(random, [200, 1000, 3000]),
    'replica.socket.timeout.ms': pick(random, [1000, 3000]),
    'request.timeout.ms': pick(random, [500, 2000]),
  };
}

function drawStorage(random: SeededRandom): StorageConfig {
  const fileBytes = pick(random, [4096, 16_384, 65_536]);
  return {
    ...storageConfig.parse({}),
    'journal.file.bytes': fileBytes,
    'journal.max.bytes': fileBytes * pick(random, [2, 4]),
    'journal.bypass.bytes': fileBytes / 16,
    'open.files.max': pick(random, [16, 4000]),
    'tail.cache.bytes': pick(random, [0, 1000, 1_000_000]),
    'tail.cache.partition.bytes': pick(random, [400, 100_000]),
    'checkpoint.interval.ms': pick(random, [200, 1000, 5000]),
    'log.retention.check.interval.ms': pick(random, [500, 3000]),
  };
}

function drawProducer(random: SeededRandom, isFirst: boolean): ProducerPlan {
  const acks = isFirst ? -1 : pick(random, [-1, -1, 1, 0] as const);
  return {
    acks,
    isIdempotent: acks !== 0 && below(random, 5) > 0,
    inFlightMax: 1 + below(random, 5),
    intervalMeanMs: 20 + Math.floor(unit(random) ** 2 * 200),
    deliveryTimeoutMs: pick(random, [3000, 30_000]),
  };
}
