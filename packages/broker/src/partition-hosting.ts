/**
 * Makes the replicas on this broker what metadata says: opens and creates logs, hands changes to partitions,
 * deletes what is not ours any more. A topic that was re-created under its old name waits until the old
 * folder is gone. Never decides a role.
 */
import { type Logger, type NodeId, sleep, toMillraceError } from '@millrace/core';
import {
  type ConfigResource,
  type ConfigScope,
  type MetadataDelta,
  type MetadataImage,
  type PartitionImage,
  partitionsOf,
  type TopicConfig,
  topicConfigOf,
} from '@millrace/metadata';
import type { LogConfig, LogStore, PartitionId } from '@millrace/storage';
import { Partition, type PartitionHost } from './partition.ts';
import type { PartitionTable } from './partition-table.ts';
import { topicLogConfig } from './topic-log-config.ts';

export interface PartitionHostingOptions {
  readonly nodeId: NodeId;
  readonly table: PartitionTable;
  readonly logStore: LogStore;
  readonly host: PartitionHost;
  readonly configScope: ConfigScope;
  readonly openConcurrency: number;
  readonly logger: Logger;
  /** A replica is here from now on, its log perhaps not open yet. */
  readonly added: (partition: Partition) => void;
  readonly removed: (partition: Partition) => void;
}

/** Logs are opened for this long before everything else gets a turn. */
const TURN_MAX_MS = 10;

export class PartitionHosting {
  readonly #options: PartitionHostingOptions;
  readonly #logConfigs = new WeakMap<TopicConfig, LogConfig>();
  /** The last thing that happens to each folder. */
  readonly #folders = new Map<string, Promise<void>>();
  #image: MetadataImage | undefined;
  /** A log could not be opened. */
  #hasFailed = false;
  #openCount = 0;
  #turnBeganMs = 0;
  #nextTurn: Promise<void> | undefined;
  readonly #openQueue: (() => void)[] = [];

  constructor(options: PartitionHostingOptions) {
    this.#options = options;
  }

  /** First image: also deletes folders that are not ours any more. Resolves when every log is open or offline. */
  async start(image: MetadataImage): Promise<void> {
    this.#image = image;
    for (const id of this.#options.logStore.listPartitions()) {
      const known = image.topics.get(id.topicId)?.partitions[id.partition];
      if (known === undefined || !this.#isOurs(known)) this.#deleteStale(id);
    }
    for (const partition of partitionsOf(image)) this.#place(partition);
    await this.settled();
    // What could not be opened is not unwanted: the journal may hold the end of its log.
    if (!this.#hasFailed) this.#options.logStore.forgetUnopened();
  }

  apply(image: MetadataImage, delta: MetadataDelta): void {
    this.#image = image;
    for (const topic of delta.deletedTopics) {
      for (const partition of this.#options.table.ofTopic(topic.id)) this.#drop(partition);
    }
    for (const resource of delta.changedConfigs) this.#reconfigure(resource);
    for (const partition of delta.changedPartitions) this.#place(partition);
  }

  /** Nothing is being opened or deleted. */
  async settled(): Promise<void> {
    while (this.#folders.size > 0) await Promise.all(this.#folders.values());
  }

  repairIfPossible(partition: Partition): void {
    if (!partition.canBeRepaired) return;
    partition.repair().catch((error: unknown) => {
      this.#options.logger.error(
        { event: 'repair_failed', partition: partition.name, err: toMillraceError(error) },
        'the damaged replica could not be reset',
      );
    });
  }

  #isOurs(image: PartitionImage): boolean {
    return image.replicas.includes(this.#options.nodeId);
  }

  #place(image: PartitionImage): void {
    const existing = this.#options.table.get(image.topicId, image.partition);
    if (existing !== undefined && this.#isOurs(image)) {
      existing.metadataChanged(image);
      this.repairIfPossible(existing);
    } else if (existing !== undefined) {
      this.#drop(existing);
    } else if (this.#isOurs(image)) {
      this.#add(image);
    }
  }

  #add(image: PartitionImage): void {
    const { table, host, added } = this.#options;
    const topic = this.#image!.topics.get(image.topicId)!.name;
    const config = this.#configOf(image.topicId);
    const partition = new Partition(host, topic, image, config);
    table.add(partition);
    added(partition);
    this.#next(partition.name, async () => {
      if (table.get(partition.topicId, partition.index) !== partition) return;
      await this.#open(partition);
      this.repairIfPossible(partition);
    });
  }

  async #open(partition: Partition): Promise<void> {
    const { topic, index, topicId } = partition;
    try {
      const log = await this.#bounded(() =>
        this.#options.logStore.openPartition(
          { topic, partition: index, topicId },
          this.#logConfigOf(partition.config),
        ),
      );
      partition.opened(log);
    } catch (error) {
      // Otherwise nobody would know that this replica cannot be counted on.
      this.#hasFailed = true;
      partition.openFailed(toMillraceError(error));
      throw error;
    }
  }

  #drop(partition: Partition): void {
    const { table, logStore, removed } = this.#options;
    table.remove(partition);
    partition.close();
    removed(partition);
    this.#next(partition.name, async () => {
      if (partition.isOpen) await logStore.deletePartition(partition.log);
    });
  }

  #deleteStale(id: PartitionId): void {
    const { logStore, logger } = this.#options;
    const name = `${id.topic}-${id.partition}`;
    logger.info(
      { event: 'stale_replica_deleted', partition: name, topicId: id.topicId },
      'not ours any more',
    );
    this.#next(name, async () => {
      const config = this.#logConfigOf(this.#configOf(id.topicId));
      await logStore.deletePartition(await this.#bounded(() => logStore.openPartition(id, config)));
    });
  }

  #reconfigure({ kind, name }: ConfigResource): void {
    const { table, nodeId } = this.#options;
    if (kind === 'broker' && name !== String(nodeId)) return;
    const topicId = kind === 'topic' ? this.#image!.topicIds.get(name) : undefined;
    if (kind === 'topic' && topicId === undefined) return;
    const partitions = topicId === undefined ? table : table.ofTopic(topicId);
    for (const partition of partitions) {
      const config = this.#configOf(partition.topicId);
      partition.configChanged(config, this.#logConfigOf(config));
    }
  }

  #configOf(topicId: string): TopicConfig {
    return topicConfigOf(this.#image!, topicId, this.#options.configScope);
  }

  #logConfigOf(config: TopicConfig): LogConfig {
    let found = this.#logConfigs.get(config);
    if (found === undefined) {
      found = topicLogConfig(config);
      this.#logConfigs.set(config, found);
    }
    return found;
  }

  /** Runs after whatever still happens to the folder. A failure is logged: the replica stays without a log. */
  #next(folder: string, operation: () => Promise<void>): void {
    const before = this.#folders.get(folder);
    const after = (before === undefined ? operation() : before.then(operation)).catch((error: unknown) => {
      this.#options.logger.error(
        { event: 'replica_folder_failed', partition: folder, err: toMillraceError(error) },
        'a replica could not be opened or deleted',
      );
    });
    const last = after.then(() => {
      if (this.#folders.get(folder) === last) this.#folders.delete(folder);
    });
    this.#folders.set(folder, last);
  }

  async #bounded<T>(operation: () => Promise<T>): Promise<T> {
    if (this.#openCount >= this.#options.openConcurrency) {
      await new Promise<void>((resolve) => {
        this.#openQueue.push(resolve);
      });
    } else {
      if (this.#openCount === 0) this.#turnBeganMs = this.#options.host.clock.nowMs();
      this.#openCount += 1;
    }
    try {
      await this.#turn();
      return await operation();
    } finally {
      const next = this.#openQueue.shift();
      if (next === undefined) this.#openCount -= 1;
      else next();
    }
  }
  /** A new log is opened without a wait: thousands in a row would hold up heartbeats until they are missed. */
  async #turn(): Promise<void> {
    const { clock } = this.#options.host;
    while (clock.nowMs() - this.#turnBeganMs >= TURN_MAX_MS) {
      this.#nextTurn ??= sleep(clock, 0).then(() => {
        this.#nextTurn = undefined;
        this.#turnBeganMs = clock.nowMs();
      });
      await this.#nextTurn;
    }
  }
}
