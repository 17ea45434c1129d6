/**
 * Watches production's brokers from within one process each, keeps the model of every partition, and tells the judges.
 * Looks only at the broker whose event just ran. Changes nothing and schedules nothing.
 */
import type { Broker, PartitionFetched } from '@millrace/broker';
import type { NodeId } from '@millrace/core';
import { type MetadataImage, type MetadataRecord, partitionsOf, topicConfigOf } from '@millrace/metadata';
import { BatchView, splitBatches } from '@millrace/records';
import type { LogStore, PartitionLog } from '@millrace/storage';
import type { SimDisk } from '../disk/sim-disk.ts';
import type { SimLife } from '../world/sim-process.ts';
import type { World } from '../world/world.ts';
import { batchesOnDisk } from './disk-contents.ts';
import {
  BatchList,
  type ModelBatch,
  modelBatch,
  PartitionModel,
  type ReplicaModel,
  sameBatch,
} from './partition-model.ts';
import type {
  PartitionInvariant,
  PartitionJudge,
  PartitionWorldView,
  ProduceAnswer,
} from './partition-observation.ts';

type Hook = keyof PartitionJudge;
type Listeners = { [K in Hook]: NonNullable<PartitionJudge[K]>[] };
type PartitionOf = ReturnType<Broker['partitions']['get']> & object;

interface Watched {
  readonly brokerId: NodeId;
  readonly life: SimLife;
  readonly disk: SimDisk;
  broker: Broker | undefined;
  readonly replicas: Map<PartitionLog, WatchedReplica>;
}

interface WatchedReplica extends ReplicaModel {
  readonly source: PartitionLog;
  leaderState: PartitionOf['leader'];
  /** The watermark moved inside an append, whose batch the model does not have yet. */
  dueWatermark: number;
  /** The disk holds damage that nobody has noticed: what the log holds is unknown. */
  isDamaged: boolean;
}

export class Observatory implements PartitionWorldView {
  readonly partitions = new Map<string, PartitionModel>();
  readonly #world: World;
  readonly #lives = new Map<SimLife, Watched>();
  readonly #listeners: Listeners;
  #image: MetadataImage;

  constructor(world: World, image: MetadataImage, invariants: readonly PartitionInvariant[]) {
    this.#world = world;
    this.#image = image;
    const listeners: Partial<Record<Hook, unknown[]>> = {};
    for (const { number, name, judge } of invariants) {
      const violated = (text: string): never => world.fail(`invariant ${number} ${name}: ${text}`);
      for (const [hook, listener] of Object.entries(judge(this, violated))) {
        const found = listeners[hook as Hook] ?? [];
        listeners[hook as Hook] = found;
        found.push(listener);
      }
    }
    const all: Hook[] = [
      'opened',
      'appended',
      'cut',
      'began',
      'committed',
      'stepped',
      'decided',
      'brokersDecided',
      'produced',
      'served',
      'recognised',
      'refused',
      'checkpoint',
    ];
    for (const hook of all) listeners[hook] ??= [];
    this.#listeners = listeners as Listeners;
    world.afterEvent((life) => {
      if (life !== undefined) this.#stepped(life);
    });
  }

  image(): MetadataImage {
    return this.#image;
  }

  nowMs(): number {
    return this.#world.nowMs;
  }

  checkpoint(): void {
    for (const listener of this.#listeners.checkpoint) listener();
  }

  /** The store of a new life, before its broker opens any log. */
  watch(brokerId: NodeId, life: SimLife, disk: SimDisk, store: LogStore): void {
    const watched: Watched = { brokerId, life, disk, broker: undefined, replicas: new Map() };
    this.#lives.set(life, watched);
    const open = store.openPartition.bind(store);
    store.openPartition = async (id, config) => {
      const log = await open(id, config);
      if (life.isCurrent) this.#opened(watched, log, `${store.path}/${id.topic}-${id.partition}`);
      return log;
    };
  }

  watchBroker(life: SimLife, broker: Broker): void {
    this.#lives.get(life)!.broker = broker;
  }

  /** The life is over, with or without its power. */
  ended(life: SimLife): void {
    const watched = this.#lives.get(life);
    if (watched === undefined) return;
    this.#lives.delete(life);
    for (const { partition, brokerId } of watched.replicas.values()) {
      if (partition.replicas.get(brokerId)?.life === life.number) partition.replicas.delete(brokerId);
    }
  }

  /** An entry of the metadata log was committed. */
  decided(image: MetadataImage, records: readonly MetadataRecord[]): void {
    const before = this.#image;
    this.#image = image;
    let isBrokerNews = false;
    for (const record of records) {
      if (record.kind === 'brokerChanged' || record.kind === 'brokerRegistered') isBrokerNews = true;
      if (record.kind === 'configChanged') this.#reconfigure(image);
      if (record.kind === 'topicDeleted') this.#deleted(record.topicId);
    }
    const isUnclean = new Set<string>();
    const changes = new Map<string, number>();
    for (const record of records) {
      if (record.kind !== 'partitionChanged') continue;
      const key = `${record.topicId}-${record.partition}`;
      changes.set(key, (changes.get(key) ?? 0) + 1);
      if (record.unclean) isUnclean.add(key);
    }
    for (const topic of image.topics.values()) {
      const old = before.topics.get(topic.id);
      if (old === topic) continue;
      for (const after of topic.partitions) {
        const was = old?.partitions[after.partition];
        if (was === after) continue;
        const key = `${topic.id}-${after.partition}`;
        let partition = this.partitions.get(key);
        if (partition === undefined) {
          partition = new PartitionModel(key, topic.name, after, topicConfigOf(image, topic.id, {}));
          this.partitions.set(key, partition);
        }
        const isMoreLost = partition.mayLoseMore && after.leaderEpoch !== partition.image.leaderEpoch;
        partition.image = after;
        partition.isrs.set(after.partitionEpoch, after.isr);
        const decided = {
          before: was,
          after,
          isUnclean: isUnclean.has(key),
          changes: changes.get(key) ?? 0,
          imageBefore: before,
          image,
        };
        if (decided.isUnclean || isMoreLost) this.loseLawfully(partition, after.leaderEpoch);
        for (const listener of this.#listeners.decided) listener(partition, decided);
      }
    }
    if (isBrokerNews) for (const listener of this.#listeners.brokersDecided) listener(image);
  }

  /** From this leader epoch on, what the leader does not have is given up. */
  loseLawfully(partition: PartitionModel, leaderEpoch: number): void {
    partition.lossEpoch = Math.max(partition.lossEpoch, leaderEpoch);
    partition.isLossDue = true;
  }

  produced(life: SimLife, answers: readonly ProduceAnswer[]): void {
    for (const item of answers) {
      const replica = this.#find(life, item.answer.topicId, item.answer.partition);
      if (replica !== undefined) for (const listener of this.#listeners.produced) listener(replica, item);
    }
  }

  served(life: SimLife, answers: readonly PartitionFetched[]): void {
    for (const answer of answers) {
      const partition = this.partitions.get(`${answer.topicId}-${answer.partition}`);
      if (partition === undefined) continue;
      const replica = this.#find(life, answer.topicId, answer.partition);
      for (const listener of this.#listeners.served) listener(replica, partition, answer);
    }
  }

  #find(life: SimLife, topicId: string, index: number): ReplicaModel | undefined {
    const watched = this.#lives.get(life);
    const replica = this.partitions.get(`${topicId}-${index}`)?.replicas.get(watched?.brokerId ?? -1);
    return replica?.life === life.number ? replica : undefined;
  }

  #reconfigure(image: MetadataImage): void {
    for (const { topicId, partition } of partitionsOf(image)) {
      const model = this.partitions.get(`${topicId}-${partition}`);
      if (model === undefined) continue;
      model.config = topicConfigOf(image, topicId, {});
      model.hadPageCache ||= model.config.durability === 'page-cache';
    }
  }

  #deleted(topicId: string): void {
    for (const partition of this.partitions.values()) {
      if (partition.image.topicId === topicId) partition.isDeleted = true;
    }
  }

  #opened(watched: Watched, log: PartitionLog, folder: string): void {
    const partition = this.partitions.get(`${log.topicId}-${log.partition}`);
    if (partition === undefined || watched.replicas.has(log)) return;
    const replica: WatchedReplica = {
      source: log,
      partition,
      brokerId: watched.brokerId,
      life: watched.life.number,
      log: new BatchList(),
      logStart: log.logStartOffset,
      highWatermark: log.highWatermark,
      flushed: log.flushedOffset,
      lastEpoch: log.lastEpoch,
      leaderEpoch: undefined,
      isr: [],
      maximalIsr: [],
      leaderPartitionEpoch: -1,
      seenEpoch: -1,
      isOffline: log.offline !== undefined,
      waitingAcks: 0,
      leaderState: undefined,
      dueWatermark: -1,
      isDamaged: false,
      isBusy: false,
      flushedNow: () => log.flushedOffset,
      endOffset: () => log.logEndOffset,
      epochAt: (offset) => log.epochAt(offset),
      epochStarts: () => log.epochStarts,
      endOffsetForEpoch: (epoch) => log.endOffsetForEpoch(epoch),
    };
    const { logStartOffset, logEndOffset } = log;
    replica.log.reset(logStartOffset);
    if (logStartOffset > 0) partition.mayForgetProducers = true;
    if (log.offline === undefined && logEndOffset > logStartOffset) {
      const found = batchesOnDisk(watched.disk, folder, logStartOffset, logEndOffset);
      replica.isDamaged = !isWhole(found, logStartOffset, logEndOffset);
      if (replica.isDamaged) replica.isOffline = true;
      replica.log.reset(found[0]?.base ?? logStartOffset, found);
    }
    watched.replicas.set(log, replica);
    partition.replicas.set(watched.brokerId, replica);
    this.#hook(watched, replica);
    if (replica.isDamaged) return;
    for (const listener of this.#listeners.opened) listener(replica);
  }

  #hook(watched: Watched, replica: WatchedReplica): void {
    const log = replica.source;
    const asLeader = log.appendAsLeader.bind(log);
    log.appendAsLeader = (bytes, leaderEpoch, mayBeginAnywhere) => {
      this.#sync(replica);
      let result: ReturnType<typeof asLeader>;
      try {
        result = asLeader(bytes, leaderEpoch, mayBeginAnywhere);
      } catch (error) {
        const code = error instanceof Error && 'code' in error ? String(error.code) : '';
        const [view] = splitBatches(bytes);
        if (view) for (const listener of this.#listeners.refused) listener(replica, modelBatch(view), code);
        throw error;
      }
      const [view] = splitBatches(bytes);
      if (view === undefined) return result;
      if (result.duplicate) {
        for (const listener of this.#listeners.recognised)
          listener(replica, modelBatch(view), result.baseOffset);
      } else {
        this.#appended(replica, [modelBatch(view)], 'leader');
      }
      return result;
    };
    const asFollower = log.appendAsFollower.bind(log);
    log.appendAsFollower = (bytes) => {
      this.#sync(replica);
      const result = asFollower(bytes);
      this.#appended(replica, splitBatches(bytes).map(modelBatch), 'follower');
      return result;
    };
    const cutBy = (work: (offset: number) => Promise<void>) => async (offset: number) => {
      replica.isBusy = true;
      await work(offset);
      // Emptied and begun again where it ended before, the log shows no other trace of it.
      if (log.logEndOffset === log.logStartOffset) replica.log.reset(log.logEndOffset);
    };
    const begunBy = (work: (offset: number) => Promise<void>) => (offset: number) => {
      replica.partition.begunAt.set(replica.brokerId, offset);
      return work(offset);
    };
    log.truncateTo = cutBy(log.truncateTo.bind(log));
    log.truncateFullyAndStartAt = begunBy(cutBy(log.truncateFullyAndStartAt.bind(log)));
    log.resetForRepair = begunBy(log.resetForRepair.bind(log));
    const setHighWatermark = log.setHighWatermark.bind(log);
    log.setHighWatermark = (offset) => {
      setHighWatermark(offset);
      const partition = watched.broker?.partitions.get(log.topicId, log.partition);
      if (partition?.isOpen !== true || partition.log !== log || partition.leader === undefined) return;
      this.#lookAtLeader(replica, partition);
      this.#committed(replica, log.highWatermark);
    };
  }

  #appended(replica: WatchedReplica, batches: readonly ModelBatch[], role: 'leader' | 'follower'): void {
    if (batches.length === 0) return;
    if (replica.log.all.length === 0) replica.log.reset(batches[0]!.base);
    for (const batch of batches) replica.log.push(batch);
    replica.lastEpoch = replica.source.lastEpoch;
    for (const listener of this.#listeners.appended) listener(replica, batches, role);
    if (replica.dueWatermark !== -1) this.#committed(replica, replica.dueWatermark);
  }

  /** Brings the model's log to where the real one stands, if that was cut or emptied. */
  #sync(replica: WatchedReplica): void {
    const { source, log } = replica;
    if (source.offline !== undefined) return;
    const { logEndOffset, logStartOffset } = source;
    replica.logStart = logStartOffset;
    const endBefore = log.end;
    // Emptied, or all of it deleted: what is left of either is nothing.
    if (logEndOffset === logStartOffset && log.all.length > 0) log.reset(logEndOffset);
    if (logEndOffset === endBefore) return;
    if (logEndOffset < endBefore && logEndOffset > log.start && logEndOffset > logStartOffset)
      log.cut(logEndOffset);
    else log.reset(logEndOffset);
    if (log.start > 0 && log.all.length === 0) replica.partition.mayForgetProducers = true;
    if (logEndOffset === logStartOffset) replica.isDamaged = false;
    if (logEndOffset < endBefore) for (const listener of this.#listeners.cut) listener(replica, endBefore);
  }

  #committed(replica: WatchedReplica, highWatermark: number): void {
    const { partition } = replica;
    replica.dueWatermark = highWatermark > replica.log.end ? highWatermark : -1;
    if (replica.dueWatermark !== -1 || replica.isDamaged) return;
    if (partition.isOutdated(replica.leaderEpoch ?? -1)) return;
    const { committed } = partition;
    const fresh = highWatermark > committed.end ? replica.log.from(committed.end) : [];
    const news = fresh.filter((batch) => batch.next <= highWatermark);
    for (const listener of this.#listeners.committed) listener(replica, highWatermark, news);
    this.#adopt(replica, highWatermark);
  }

  #adopt({ log, partition: { committed } }: ReplicaModel, highWatermark: number): void {
    if (highWatermark <= committed.end) return;
    for (const batch of log.from(committed.end)) {
      if (batch.next > highWatermark) return;
      if (committed.all.length === 0) committed.reset(batch.base);
      committed.push(batch);
    }
  }

  #stepped(life: SimLife): void {
    const watched = this.#lives.get(life);
    const partitions = watched?.broker?.partitions;
    if (watched === undefined || partitions === undefined) return;
    for (const partition of partitions) {
      if (!partition.isOpen) continue;
      const replica = watched.replicas.get(partition.log);
      if (replica !== undefined && this.#hasChanged(replica, partition)) {
        for (const listener of this.#listeners.stepped) listener(replica);
      }
    }
  }

  #hasChanged(replica: WatchedReplica, partition: PartitionOf): boolean {
    const { source } = replica;
    const isOffline = source.offline !== undefined || replica.isDamaged;
    const wasOffline = replica.isOffline;
    replica.isOffline = isOffline;
    if (source.offline !== undefined) return !wasOffline;
    const { highWatermark, flushedOffset, logStartOffset, lastEpoch } = source;
    const { leader } = partition;
    const isSame =
      source.logEndOffset === replica.log.end &&
      highWatermark === replica.highWatermark &&
      flushedOffset === replica.flushed &&
      logStartOffset === replica.logStart &&
      lastEpoch === replica.lastEpoch &&
      leader === replica.leaderState &&
      (leader === undefined ||
        (leader.partitionEpoch === replica.leaderPartitionEpoch &&
          leader.maximalIsr.length === replica.maximalIsr.length)) &&
      partition.image.leaderEpoch === replica.seenEpoch;
    if (isSame) return false;
    this.#sync(replica);
    const { partition: model } = replica;
    if (logStartOffset > model.logStartMax) model.logStartMax = logStartOffset;
    replica.highWatermark = highWatermark;
    replica.flushed = flushedOffset;
    replica.lastEpoch = lastEpoch;
    replica.seenEpoch = partition.image.leaderEpoch;
    replica.waitingAcks = partition.acks.size;
    replica.isBusy = leader === undefined && !partition.isFollowing;
    this.#lookAtLeader(replica, partition);
    return true;
  }

  #lookAtLeader(replica: WatchedReplica, { leader }: PartitionOf): void {
    const isNew = leader !== replica.leaderState;
    replica.leaderState = leader;
    replica.leaderEpoch = leader?.leaderEpoch;
    if (leader === undefined) {
      replica.isr = [];
      replica.maximalIsr = [];
      replica.leaderPartitionEpoch = -1;
      return;
    }
    replica.isr = leader.isr;
    replica.maximalIsr = leader.maximalIsr;
    replica.leaderPartitionEpoch = leader.partitionEpoch;
    if (isNew) this.#began(replica, leader.leaderEpoch);
  }

  #began(replica: WatchedReplica, leaderEpoch: number): void {
    const { partition } = replica;
    this.#sync(replica);
    // What it holds is unknown, and so is from now on what is committed.
    if (replica.isDamaged) this.loseLawfully(partition, Number.POSITIVE_INFINITY);
    if (partition.isLossDue && leaderEpoch >= partition.lossEpoch) {
      partition.isLossDue = false;
      partition.lossEpoch = leaderEpoch;
      partition.recoveredEnd = replica.source.logEndOffset;
      const { committed } = partition;
      const kept = committed.all.findLast((batch) => sameBatch(batch, replica.log.at(batch.base)));
      // Below its log start it tells nothing: what was deleted there was not lost.
      const end = Math.max(kept?.next ?? committed.start, Math.min(committed.end, replica.logStart));
      if (end < committed.end) {
        partition.losses += 1;
        committed.cut(end);
      }
    }
    // What it knew to be committed while it was outdated counts from here on.
    if (partition.lossEpoch === leaderEpoch) this.#adopt(replica, replica.source.highWatermark);
    for (const listener of this.#listeners.began) listener(replica, leaderEpoch);
  }
}

function isWhole(batches: readonly ModelBatch[], start: number, end: number): boolean {
  let at = batches[0]?.base ?? end;
  if (at > start) return false;
  for (const { base, next, bytes } of batches) {
    if (base !== at || BatchView.at(bytes, 0)?.isCrcValid() !== true) return false;
    at = next;
  }
  return at === end;
}
