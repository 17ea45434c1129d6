/**
 * A cluster in a map, behind the shapes that commands use: enough to run every command in a test and see what it
 * asked for. Answers at once, in order; fails where a test tells it to.
 */
import type {
  BrokerInfo,
  ClusterInfo,
  ConfigChange,
  ConfigEntry,
  ConsumerRecord,
  PartitionInfo,
  ProducerRecord,
  TopicInfo,
} from '@millrace/client';
import { MillraceError } from '@millrace/core';
import type { ClusterClient, Connect, ProducerClient } from '../cluster-client.ts';
import { FakeAdmin } from './fake-admin.ts';
import { FakeConsumer } from './fake-consumer.ts';
import { FakeGroups } from './fake-groups.ts';

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
  readonly groups = new FakeGroups(this);
  /** What people's clocks show, for lag in time. */
  wallMs = 1_700_000_060_000;
  readonly connections: object[] = [];
  readonly producerOptions: object[] = [];
  readonly consumerOptions: object[] = [];
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
  /** What nodes say of themselves, by address; SERVING where nothing is said. */
  readonly statuses = new Map<string, 'SERVING' | 'NOT_SERVING'>();
  closed = 0;
  /** Calls of describeCluster. */
  described = 0;
  /** Consumers that wait for more. */
  idleConsumers = 0;
  /** Every admin call fails with this. */
  failure: MillraceError | undefined;
  /** What is asked of the leader of the metadata quorum fails with this. */
  quorumFailure: MillraceError | undefined;
  /** How long each call of describeQuorum would have waited. */
  readonly quorumWaitsMs: (number | undefined)[] = [];
  /** Sends fail with this from the n-th record on. */
  sendFailure: { readonly from: number; readonly error: MillraceError } | undefined;
  batchRecords = 1_000;
  /** By `topic:partition`: records before it are gone, and consumers jump over them. */
  readonly deletedTo = new Map<string, bigint>();
  #sent = 0;

  readonly connect: Connect = (options): ClusterClient => {
    this.connections.push(options);
    return {
      admin: () => new FakeAdmin(this),
      producer: (producerOptions) => {
        this.producerOptions.push(producerOptions ?? {});
        return this.#producer();
      },
      consumer: (consumerOptions) => {
        this.consumerOptions.push(consumerOptions ?? {});
        return new FakeConsumer(this, consumerOptions);
      },
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
