/**
 * A cluster in a map, behind the shapes that commands use: enough to run every command in a test and see what it
 * asked for. Answers at once, in order; fails where a test tells it to.
 */
import type {
  BrokerInfo,
  ClusterInfo,
  ConfigChange,
  ConfigEntry,
  ConsumerBatch,
  ConsumerRecord,
  PartitionInfo,
  ProducerRecord,
  QuorumInfo,
  TopicInfo,
} from '@millrace/client';
import { MillraceError, type TopicPartition } from '@millrace/core';
import type {
  AdminClient,
  ClusterClient,
  Connect,
  ConsumerClient,
  ProducerClient,
} from '../cluster-client.ts';

export interface FakeTopic {
  readonly info: TopicInfo;
  readonly configs: ConfigEntry[];
  /** By partition. */
  readonly records: ConsumerRecord[][];
}

const unknownTopic = (name: string): MillraceError =>
  new MillraceError('UNKNOWN_TOPIC_OR_PARTITION', `topic ${name} does not exist`);

export class FakeCluster {
  readonly topics = new Map<string, FakeTopic>();
  readonly changes: ConfigChange[] = [];
  readonly connections: object[] = [];
  readonly producerOptions: object[] = [];
  brokers: BrokerInfo[] = [1, 2, 3].map((id) => ({
    id,
    host: `node-${id}`,
    port: 9191,
    rack: id === 3 ? '' : `r${id}`,
    fenced: false,
    inControlledShutdown: false,
    brokerEpoch: 100 + id,
  }));
  controllerId = 1;
  closed = 0;
  /** Calls of describeCluster. */
  described = 0;
  /** Consumers that wait for more. */
  idleConsumers = 0;
  /** Every admin call fails with this. */
  failure: MillraceError | undefined;
  /** Sends fail with this from the n-th record on. */
  sendFailure: { readonly from: number; readonly error: MillraceError } | undefined;
  batchRecords = 1_000;
  #sent = 0;

  readonly connect: Connect = (options): ClusterClient => {
    this.connections.push(options);
    return {
      admin: () => this.#admin(),
      producer: (producerOptions) => {
        this.producerOptions.push(producerOptions ?? {});
        return this.#producer();
      },
      consumer: () => new FakeConsumer(this),
      close: async () => {
        this.closed += 1;
      },
    };
  };

  addTopic(name: string, partitionCount = 1, replicas: readonly number[] = [1, 2, 3]): FakeTopic {
    const partitions = Array.from({ length: partitionCount }, (_, partition): PartitionInfo => {
      const shifted = replicas.map((_id, index) => replicas[(index + partition) % replicas.length]!);
      return {
        partition,
        leader: shifted[0]!,
        leaderEpoch: 0,
        replicas: shifted,
        isr: shifted,
        elr: [],
        lastKnownElr: [],
        partitionEpoch: 0,
      };
    });
    const topic: FakeTopic = {
      info: {
        name,
        topicId: Buffer.from(name.padEnd(16, '.').slice(0, 16)).toString('base64url'),
        isInternal: false,
        partitions,
      },
      configs: [
        {
          name: 'min.insync.replicas',
          value: '2',
          source: 'topic',
          readOnly: false,
          type: 'count',
          documentation: 'How many.',
        },
        {
          name: 'retention.ms',
          value: '604800000',
          source: 'default',
          readOnly: false,
          type: 'ms',
          documentation: 'How long.',
        },
      ],
      records: partitions.map(() => []),
    };
    this.topics.set(name, topic);
    return topic;
  }

  setPartition(name: string, partition: number, change: Partial<PartitionInfo>): void {
    const topic = this.topic(name);
    const partitions = topic.info.partitions.map((each) =>
      each.partition === partition ? { ...each, ...change } : each,
    );
    this.topics.set(name, { ...topic, info: { ...topic.info, partitions } });
  }

  append(name: string, partition: number, record: ProducerRecord): bigint {
    const log = this.topic(name).records[partition]!;
    const offset = BigInt(log.length);
    log.push(stored(record, partition, offset));
    return offset;
  }

  topic(name: string): FakeTopic {
    const topic = this.topics.get(name);
    if (!topic) throw unknownTopic(name);
    return topic;
  }

  info(): ClusterInfo {
    const partitions = [...this.topics.values()].flatMap(({ info }) => info.partitions);
    return {
      clusterId: 'cluster-of-the-test-22',
      controllerId: this.controllerId,
      brokers: this.brokers,
      metadataOffset: 77,
      topicCount: this.topics.size,
      partitionCount: partitions.length,
      leaderlessPartitionCount: partitions.filter(({ leader }) => leader === -1).length,
      underReplicatedPartitionCount: partitions.filter(({ isr, replicas }) => isr.length < replicas.length)
        .length,
      underMinIsrPartitionCount: partitions.filter(({ isr }) => isr.length < 2).length,
    };
  }

  #producer(): ProducerClient {
    return {
      isFull: false,
      whenReady: async () => {},
      send: async (record) => {
        this.#sent += 1;
        const failure = this.sendFailure;
        if (failure && this.#sent >= failure.from) throw failure.error;
        const partition = record.partition ?? 0;
        const offset = this.append(record.topic, partition, record);
        return { topic: record.topic, partition, offset, timestamp: 0 };
      },
      flush: async () => {},
      close: async () => {},
    };
  }

  #admin(): AdminClient {
    const check = (): void => {
      if (this.failure) throw this.failure;
    };
    const admin: AdminClient = {
      createTopic: async ({ name, partitions = 1, replicationFactor = 3 }, options) => {
        check();
        if (this.topics.has(name))
          throw new MillraceError('TOPIC_ALREADY_EXISTS', `topic ${name} exists already`);
        const replicas = [1, 2, 3].slice(0, replicationFactor);
        const created = options?.validateOnly ? undefined : this.addTopic(name, partitions, replicas);
        return { name, topicId: created?.info.topicId ?? '', partitions, replicationFactor };
      },
      createTopics: async (topics, options) =>
        Promise.all(topics.map((topic) => admin.createTopic(topic, options))),
      deleteTopic: async (name) => {
        check();
        this.topic(name);
        this.topics.delete(name);
      },
      deleteTopics: async (names) => {
        for (const name of names) await admin.deleteTopic(name);
      },
      listTopics: async () => {
        check();
        return [...this.topics.keys()].sort();
      },
      describeTopics: async (names) => {
        check();
        return (names ?? [...this.topics.keys()].sort()).map((name) => this.topic(name).info);
      },
      createPartitions: async (topics) => {
        check();
        for (const { topic, totalCount } of topics) {
          if (totalCount <= this.topic(topic).info.partitions.length) {
            throw new MillraceError('INVALID_PARTITIONS', `topic ${topic} has as many already`);
          }
        }
      },
      describeConfigs: async (resources) => {
        check();
        return resources.map((resource) => ({
          resource,
          entries: resource.kind === 'topic' ? this.topic(resource.name).configs : [],
        }));
      },
      alterConfigs: async (changes) => {
        check();
        this.changes.push(...changes);
      },
      describeCluster: async () => {
        this.described += 1;
        check();
        return this.info();
      },
      describeQuorum: async () => {
        check();
        return QUORUM;
      },
      listOffsets: async (queries) => {
        check();
        return queries.map(({ topic, partition, at }) => {
          const log = this.topic(topic).records[partition]!;
          const found =
            typeof at === 'object' ? log.find(({ timestamp }) => timestamp >= at.timestampMs) : undefined;
          const offset =
            at === 'earliest' ? 0n : typeof at === 'object' ? (found?.offset ?? -1n) : BigInt(log.length);
          return { topic, partition, offset, timestamp: found?.timestamp ?? -1, leaderEpoch: 0 };
        });
      },
      deleteRecords: async (partitions) => {
        check();
        return partitions.map(({ topic, partition, before }) => ({
          topic,
          partition,
          lowWatermark:
            before === 'latest' ? BigInt(this.topic(topic).records[partition]!.length) : BigInt(before),
        }));
      },
      electLeaders: async (_election, partitions) => {
        check();
        return (partitions ?? []).map(({ topic, partition }) => ({
          topic,
          partition,
          leader: 1,
          ...(partition === 0 ? {} : { error: new MillraceError('ELECTION_NOT_NEEDED') }),
        }));
      },
      close: async () => {},
    };
    return admin;
  }
}

const QUORUM: QuorumInfo = {
  leaderId: 1,
  leaderEpoch: 4,
  highWatermark: 77,
  voters: [
    { nodeId: 1, directoryId: 'dir-1', logEndOffset: 77, lastContactMs: 0, lastCaughtUpMs: 0 },
    { nodeId: 2, directoryId: 'dir-2', logEndOffset: 75, lastContactMs: 12, lastCaughtUpMs: 40 },
    { nodeId: 3, directoryId: 'dir-3', logEndOffset: -1, lastContactMs: -1, lastCaughtUpMs: -1 },
  ],
  observers: [{ nodeId: 4, directoryId: 'dir-4', logEndOffset: 77, lastContactMs: 3, lastCaughtUpMs: 3 }],
};

class FakeConsumer implements ConsumerClient {
  readonly #cluster: FakeCluster;
  readonly #positions = new Map<string, { partition: TopicPartition; offset: bigint; paused: boolean }>();

  constructor(cluster: FakeCluster) {
    this.#cluster = cluster;
  }

  assign(partitions: readonly TopicPartition[]): void {
    this.#positions.clear();
    for (const partition of partitions) {
      this.#positions.set(keyOf(partition), { partition, offset: 0n, paused: false });
    }
  }

  seek(partition: TopicPartition, offset: bigint | number): void {
    this.#positions.get(keyOf(partition))!.offset = BigInt(offset);
  }

  pause(partitions: readonly TopicPartition[] = []): void {
    for (const partition of partitions) this.#positions.get(keyOf(partition))!.paused = true;
  }

  async *batches(options: { readonly signal?: AbortSignal } = {}): AsyncIterableIterator<ConsumerBatch> {
    for (;;) {
      let idle = true;
      for (const position of this.#positions.values()) {
        const { topic, partition } = position.partition;
        const log = this.#cluster.topic(topic).records[partition]!;
        const start = Number(position.offset);
        const records = position.paused ? [] : log.slice(start, start + this.#cluster.batchRecords);
        if (records.length === 0) continue;
        idle = false;
        position.offset = BigInt(start + records.length);
        yield {
          topic,
          partition,
          records,
          firstOffset: BigInt(start),
          nextOffset: position.offset,
          highWatermark: BigInt(log.length),
          [Symbol.iterator]: () => records[Symbol.iterator](),
        };
      }
      if (!idle) continue;
      this.#cluster.idleConsumers += 1;
      await whenAborted(options.signal);
    }
  }

  async beginningOffsets(partitions: readonly TopicPartition[]) {
    return partitions.map((partition) => ({ ...partition, offset: 0n }));
  }

  async endOffsets(partitions: readonly TopicPartition[]) {
    return partitions.map(({ topic, partition }) => ({
      topic,
      partition,
      offset: BigInt(this.#cluster.topic(topic).records[partition]!.length),
    }));
  }

  async offsetsForTimes(queries: readonly (TopicPartition & { readonly timestampMs: number })[]) {
    return queries.map(({ topic, partition, timestampMs }) => {
      const found = this.#cluster
        .topic(topic)
        .records[partition]!.find(({ timestamp }) => timestamp >= timestampMs);
      return {
        topic,
        partition,
        found: found === undefined ? null : { offset: found.offset, timestamp: found.timestamp },
      };
    });
  }

  async close(): Promise<void> {}
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}:${partition}`;
}

/** Nothing more will come: wait for the user, as a real consumer would. */
function whenAborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_resolve, reject) => {
    const fail = (): void => reject(new MillraceError('CANCELLED'));
    if (signal?.aborted) fail();
    signal?.addEventListener('abort', fail, { once: true });
  });
}

function stored(record: ProducerRecord, partition: number, offset: bigint): ConsumerRecord {
  const bytes = (data: ProducerRecord['value']): Buffer | null =>
    data === null || data === undefined ? null : Buffer.from(data as Uint8Array);
  const headers = (
    (record.headers ?? []) as readonly { key: string; value: Uint8Array | string | null }[]
  ).map(({ key, value }) => ({ key, value: bytes(value) }));
  return {
    topic: record.topic,
    partition,
    offset,
    timestamp: record.timestamp ?? 1_700_000_000_000 + Number(offset),
    key: bytes(record.key),
    value: bytes(record.value),
    headers,
    header: (name) => headers.findLast(({ key }) => key === name)?.value,
  };
}
