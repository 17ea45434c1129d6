/** For tests: brokers of one process over memory disks, a scripted controller and one manual clock. */
import { ManualClock, type NodeId, randomUuid, SeededRandom, silentLogger } from '@millrace/core';
import { groupConfig } from '@millrace/groups';
import { topicByName } from '@millrace/metadata';
import { type BatchProducer, buildBatch, decodeRecords, splitBatches } from '@millrace/records';
import { LogStore, MemoryFileSystem, storageConfig } from '@millrace/storage';
import { Broker } from '../broker.ts';
import type { PartitionFetched, PartitionProduced } from '../broker-api.ts';
import { brokerConfig } from '../broker-config.ts';
import type { NewGroupCoordinator } from '../group-coordinators.ts';
import type { Partition } from '../partition.ts';
import { MemoryReplicaNetwork } from './memory-replica-network.ts';
import { ScriptedController } from './scripted-controller.ts';
import { StallingDisk } from './stalling-disk.ts';

const CLUSTER_ID = 'test-cluster-aaaaaaaaa';
const DIRECTORY = '/data';

export interface TestClusterOptions {
  readonly nodes?: number;
  readonly seed?: number;
  readonly config?: Readonly<Record<string, string>>;
  readonly groupConfig?: Readonly<Record<string, string>>;
  /** Instead of the real machine. */
  readonly newGroupCoordinator?: NewGroupCoordinator;
}

export class TestCluster {
  readonly clock = new ManualClock();
  readonly network = new MemoryReplicaNetwork();
  readonly random: SeededRandom;
  readonly controller: ScriptedController;
  readonly brokers = new Map<NodeId, Broker>();
  readonly disks = new Map<NodeId, MemoryFileSystem>();
  readonly fatal: unknown[] = [];
  readonly #config: Readonly<Record<string, string>>;
  readonly #groups: Pick<TestClusterOptions, 'groupConfig' | 'newGroupCoordinator'>;

  private constructor({ seed = 1, config = {}, ...groups }: TestClusterOptions) {
    this.#groups = groups;
    this.random = new SeededRandom(seed);
    this.controller = new ScriptedController(this.random.fork());
    this.#config = config;
  }

  static async start(options: TestClusterOptions = {}): Promise<TestCluster> {
    const cluster = new TestCluster(options);
    for (let id = 1; id <= (options.nodes ?? 3); id++) {
      cluster.disks.set(id, await cluster.blankDisk(id));
      await cluster.start(id);
    }
    await cluster.until(() => [...cluster.controller.image.brokers.values()].every((b) => !b.fenced));
    return cluster;
  }

  async start(id: NodeId): Promise<Broker> {
    const { clock, random } = this;
    const logStore = await LogStore.open({
      path: DIRECTORY,
      fileSystem: this.disks.get(id)!,
      clock,
      random: random.fork(),
      logger: silentLogger,
      config: storageConfig.parse({}),
    });
    const broker = await Broker.start({
      nodeId: id,
      incarnationId: randomUuid(random),
      logStore,
      controllers: this.controller.channelOf(id),
      replicas: this.network.channelOf(id),
      endpoints: [{ listener: 'GRPC', host: `broker-${id}`, port: 9191 }],
      interBrokerListener: 'GRPC',
      rack: '',
      clock,
      random: random.fork(),
      logger: silentLogger,
      config: brokerConfig.parse({ 'broker.heartbeat.interval.ms': '100', ...this.#config }),
      sessionTimeoutMs: 9_000,
      groupConfig: groupConfig.parse({
        'offsets.topic.num.partitions': '1',
        ...this.#groups.groupConfig,
      }),
      ...(this.#groups.newGroupCoordinator && { newGroupCoordinator: this.#groups.newGroupCoordinator }),
      onFatal: (error) => this.fatal.push(error),
    });
    this.brokers.set(id, broker);
    this.network.listen(id, broker);
    return broker;
  }

  broker(id: NodeId): Broker {
    const broker = this.brokers.get(id);
    if (broker === undefined) throw new Error(`broker ${id} is not running`);
    return broker;
  }

  /** kill -9, noticed at once. The disk is as it was at that moment, or as in `disk`. */
  async kill(id: NodeId, disk = copyOf(this.disks.get(id)!)): Promise<void> {
    const broker = this.broker(id);
    this.brokers.delete(id);
    this.network.crash(id);
    this.disks.set(id, disk);
    this.controller.disconnect(id);
    await this.finish(broker.kill());
  }

  async restart(id: NodeId): Promise<Broker> {
    const broker = await this.start(id);
    await this.until(() => this.controller.image.brokers.get(id)?.fenced === false);
    return broker;
  }

  /** The disk of a running broker as a power loss now would leave it, for `kill`. */
  diskOf(id: NodeId): MemoryFileSystem {
    return copyOf(this.disks.get(id)!);
  }

  /** Syncs of a broker that has not been killed yet wait from now on. @returns ends it. */
  stallDisk(id: NodeId): () => void {
    return (this.disks.get(id) as StallingDisk).stall();
  }

  async blankDisk(id: NodeId): Promise<MemoryFileSystem> {
    const disk = new StallingDisk();
    disk.mkdirSync(DIRECTORY);
    const directoryId = randomUuid(this.random);
    await LogStore.format(disk, DIRECTORY, { clusterId: CLUSTER_ID, nodeId: id, directoryId });
    return disk;
  }

  /** Lets everything that is due happen, then moves time by a little, until the condition holds. */
  async until(condition: () => boolean, limitMs = 60_000): Promise<void> {
    const endMs = this.clock.nowMs() + limitMs;
    for (let turn = 0; !condition(); turn++) {
      if (this.clock.nowMs() > endMs) throw new Error(`not within ${limitMs} ms: ${condition}`);
      await new Promise((resolve) => setImmediate(resolve));
      if (turn % 3 === 2) this.clock.advance(5);
    }
  }

  async run(forMs: number): Promise<void> {
    const endMs = this.clock.nowMs() + forMs;
    await this.until(() => this.clock.nowMs() >= endMs, forMs + 1000);
  }

  async finish<T>(promise: Promise<T>): Promise<T> {
    let isDone = false;
    const done = promise.finally(() => {
      isDone = true;
    });
    done.catch(() => {});
    await this.until(() => isDone);
    return done;
  }

  async createTopic(
    name: string,
    {
      replicas = [[1, 2, 3]],
      configs = {},
    }: { replicas?: NodeId[][]; configs?: Record<string, string> } = {},
  ): Promise<string> {
    const [id] = this.brokers.keys();
    const assignments = replicas.map((nodes, partition) => ({ partition, replicas: nodes }));
    const response = await this.finish(
      this.broker(id!).createTopics({
        timeoutMs: 1000,
        clientId: 'test',
        validateOnly: false,
        topics: [{ name, partitionCount: -1, replicationFactor: -1, assignments, configs }],
      }),
    );
    const [created] = response.topics;
    if (created?.failure !== undefined) throw new Error(created.failure.message);
    const topicId = created!.topicId;
    await this.until(() =>
      replicas.every((nodes, partition) =>
        nodes.every((node) => this.brokers.get(node)?.partitions.get(topicId, partition)?.isOpen !== false),
      ),
    );
    await this.until(() =>
      replicas.every((_, partition) => this.leaderOf(topicId, partition)?.leader !== undefined),
    );
    return topicId;
  }

  topicId(name: string): string {
    return topicByName(this.controller.image, name)!.id;
  }

  replica(id: NodeId, topicId: string, partition = 0): Partition {
    return this.broker(id).partitions.get(topicId, partition)!;
  }

  /** The replica that the controller says leads, if its broker runs. */
  leaderOf(topicId: string, partition = 0): Partition | undefined {
    const leader = this.controller.image.topics.get(topicId)?.partitions[partition]?.leader;
    return this.brokers.get(leader ?? -1)?.partitions.get(topicId, partition);
  }

  isrOf(topicId: string, partition = 0): readonly NodeId[] {
    return this.controller.image.topics.get(topicId)!.partitions[partition]!.isr;
  }

  async produce(
    id: NodeId,
    topicId: string,
    values: readonly string[],
    options: {
      acks?: number;
      partition?: number;
      timeoutMs?: number;
      producer?: BatchProducer;
      leaderEpoch?: number;
    } = {},
  ): Promise<PartitionProduced> {
    const { acks = -1, partition = 0, timeoutMs = 5000, producer, leaderEpoch = -1 } = options;
    const timestamp = this.clock.wallMs();
    const records = buildBatch(
      values.map((value) => ({ value: Buffer.from(value), timestamp })),
      producer === undefined ? {} : { producer },
    );
    const response = await this.finish(
      this.broker(id).produce({
        acks,
        timeoutMs,
        clientId: 'test',
        partitions: [{ topicId, partition, leaderEpoch, records }],
      }),
    );
    if (response.failure !== undefined) throw new Error(response.failure.message);
    return response.partitions[0]!;
  }

  /** Produces through whoever leads. */
  async produceToLeader(topicId: string, values: readonly string[], acks = -1): Promise<PartitionProduced> {
    await this.until(() => this.leaderOf(topicId)?.leader !== undefined);
    return this.produce(this.leaderOf(topicId)!.image.leader, topicId, values, { acks });
  }

  async fetch(
    id: NodeId,
    topicId: string,
    fetchOffset: number,
    options: { partition?: number; maxWaitMs?: number; minBytes?: number; lastFetchedEpoch?: number } = {},
  ): Promise<PartitionFetched | undefined> {
    const { partition = 0, maxWaitMs = 0, minBytes = 1, lastFetchedEpoch = -1 } = options;
    const response = await this.finish(
      this.broker(id).fetch({
        clientId: 'test',
        maxWaitMs,
        minBytes,
        maxBytes: 1 << 20,
        partitions: [
          { topicId, partition, leaderEpoch: -1, fetchOffset, partitionMaxBytes: 1 << 20, lastFetchedEpoch },
        ],
      }),
    );
    return response.partitions[0];
  }

  /** Everything committed, as consumers of the leader see it. */
  async consume(topicId: string, partition = 0): Promise<string[]> {
    await this.until(() => this.leaderOf(topicId, partition)?.leader !== undefined);
    const values: string[] = [];
    const leader = this.leaderOf(topicId, partition)!;
    let offset = leader.log.logStartOffset;
    for (;;) {
      const fetched = await this.fetch(leader.image.leader, topicId, offset, { partition });
      if (fetched === undefined) return values;
      if (fetched.failure !== undefined) throw new Error(fetched.failure.message);
      for (const batch of splitBatches(fetched.records)) {
        for (const record of decodeRecords(batch)) {
          if (record.offset >= offset) values.push(String(record.value));
        }
        offset = batch.nextOffset;
      }
    }
  }

  /** The bytes of a replica's log, to compare replicas. */
  async contents(id: NodeId, topicId: string, partition = 0): Promise<string[]> {
    const { log } = this.replica(id, topicId, partition);
    const bytes = await this.finish(log.read(log.logStartOffset, 1 << 24, log.logEndOffset));
    return splitBatches(bytes).flatMap((batch) =>
      decodeRecords(batch).map((record) => `${record.offset}@${batch.leaderEpoch}:${String(record.value)}`),
    );
  }

  async close(): Promise<void> {
    for (const broker of this.brokers.values()) await this.finish(broker.kill());
  }
}

/** An independent disk with the same files. */
export function copyOf(disk: MemoryFileSystem): MemoryFileSystem {
  const copy = new MemoryFileSystem();
  const walk = (path: string): void => {
    for (const { name, isDirectory } of disk.readdirSync(path)) {
      const child = path === '/' ? `/${name}` : `${path}/${name}`;
      if (isDirectory) {
        copy.mkdirSync(child);
        walk(child);
        continue;
      }
      const source = disk.openSync(child);
      const bytes = Buffer.alloc(source.sizeSync());
      source.readSync(bytes, 0);
      source.closeSync();
      const target = copy.openSync(child, { create: true });
      target.writeSync([bytes], 0);
      target.closeSync();
    }
  };
  walk('/');
  return copy;
}
