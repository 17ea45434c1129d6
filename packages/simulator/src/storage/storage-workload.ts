/**
 * A node's storage used hard, from a seed: appends in both durability modes by leaders and followers, rolls,
 * retention, deleted records, truncations, checkpoints, topics deleted and made anew, restarts of every kind.
 * Keeps a ledger for each log; whoever watches the disk can ask for the ledgers at any operation.
 */
import {
  BufferPool,
  below,
  ManualClock,
  MiB,
  MillraceError,
  randomUuid,
  releaseMemory,
  SeededRandom,
  silentLogger,
} from '@millrace/core';
import { BatchView } from '@millrace/records';
import { DEFAULT_LOG_CONFIG, type LogConfig, LogStore, type PartitionLog } from '@millrace/storage';
import type { SimDisk } from '../disk/sim-disk.ts';
import { inUsedMemory } from '../world/used-memory.ts';
import type { FailingDisk } from './failing-disk.ts';
import { type BatchFact, factOf, type LedgerView, LogLedger } from './log-ledger.ts';
import { newBatch } from './new-batch.ts';
import { drained, settled } from './pass-time.ts';
import { HOME, IDENTITY, recoverStore, SMALL_STORE } from './recover-store.ts';

const SLOTS: readonly { topic: string; partition: number; durability: LogConfig['durability'] }[] = [
  { topic: 'orders', partition: 0, durability: 'fsync' },
  { topic: 'orders', partition: 1, durability: 'fsync' },
  { topic: 'clicks', partition: 0, durability: 'page-cache' },
  { topic: 'bills', partition: 0, durability: 'fsync' },
];

/** One step in so many compacts a log. */
const STEPS_PER_COMPACTION = 8;
const NEVER_ROLLS_MS = 1_000_000;
/** What a log, a store or a journal may answer once its disk has failed. */
const REFUSALS = new Set(['DISK_FULL', 'KAFKA_STORAGE_ERROR', 'LOG_DAMAGED']);
/** Of 100 steps those from here on are restarts. */
const RESTARTS_FROM = 97;
const RESTARTS_FROM_WHEN_HURT = 88;

interface Slot {
  ledger: LogLedger;
  log: PartitionLog | undefined;
  /** A truncation or deletion is under way. */
  isBusy: boolean;
  leaderEpoch: number;
  readonly sequences: Map<number, number>;
}

export interface WorkloadKind {
  /** Records have keys, and logs are compacted. */
  readonly isCompacting?: boolean;
  /** Comes over the disk from time to time; the disk must know of it. */
  readonly trouble?: FailingDisk;
}

export class StorageWorkload {
  readonly clock = new ManualClock();
  readonly #buffers = new BufferPool({ bytesMax: 1 * MiB });
  readonly #disk: SimDisk;
  readonly #random: SeededRandom;
  readonly #slots: Slot[];
  readonly #isCompacting: boolean;
  readonly #underWay = new Set<Promise<void>>();
  readonly #trouble: FailingDisk | undefined;
  #store: LogStore | undefined;
  #failure: unknown;
  /** The disk failed somebody since the last restart. */
  #isHurt = false;
  isFormatted = false;
  steps = 0;

  constructor(seed: number, disk: SimDisk, { isCompacting = false, trouble }: WorkloadKind = {}) {
    this.#isCompacting = isCompacting;
    this.#random = new SeededRandom(seed);
    this.#disk = disk;
    this.#trouble = trouble;
    if (trouble !== undefined) trouble.onBetrayal = (path) => this.#betrayed(path);
    this.#slots = SLOTS.map(({ topic, partition, durability }) => {
      const config = this.#config(durability);
      return this.#newSlot(topic, partition, config);
    });
  }

  /** What each client knows at this moment. */
  views(): LedgerView[] {
    return this.#slots.map(({ ledger }) => ledger.view());
  }

  async run(steps: number): Promise<void> {
    const fileSystem = this.#disk.mount();
    await this.#until(LogStore.format(fileSystem, HOME, IDENTITY));
    this.isFormatted = true;
    await this.#until(this.#open(LogStore.open(this.#storeOptions(fileSystem))));
    for (this.steps = 0; this.steps < steps; this.steps++) {
      this.#trouble?.step(this.#disk);
      try {
        await this.#step();
      } catch (error) {
        this.#bear(error);
      }
      if (this.#failure !== undefined) throw this.#failure;
    }
  }

  /** Lets what is under way come to an end. */
  async rest(): Promise<void> {
    while (this.#underWay.size > 0) await this.#until(Promise.all(this.#underWay));
    await this.#pass(50);
  }

  /** A clean stop. */
  async stop(): Promise<void> {
    await this.rest();
    await this.#until(this.#store!.close({ clean: true }));
    for (const { log, ledger } of this.#slots) {
      if (log?.offline?.code === 'NODE_NOT_SERVING') ledger.promised(log.logEndOffset);
    }
  }

  async #step(): Promise<void> {
    const slot = this.#slots[below(this.#random, this.#slots.length)]!;
    const { log } = slot;
    if (this.#isCompacting && log !== undefined && below(this.#random, STEPS_PER_COMPACTION) === 0) {
      return this.#compact(slot, log);
    }
    const kind = below(this.#random, 100);
    if (kind >= (this.#isHurt ? RESTARTS_FROM_WHEN_HURT : RESTARTS_FROM)) return await this.#restart();
    if (slot.isBusy || log === undefined) return await this.#pass(1);
    if (kind < 45) this.#append(slot, log);
    else if (kind < 52) this.#appendAsFollower(slot, log);
    else if (kind < 62) await this.#pass(1 + below(this.#random, 4));
    else if (kind < 70) await this.#until(log.whenFlushed(log.logEndOffset));
    else if (kind < 75) this.#raiseHighWatermark(slot, log);
    else if (kind < 78) this.#assignEpoch(slot, log);
    else if (kind < 82) this.#truncate(slot, log);
    else if (kind < 83) this.#startOver(slot, log);
    else if (kind < 86) this.#deleteRecords(slot, log);
    else if (kind < 90) this.#cleanUp(slot, log);
    else if (kind < 92) await this.#flush();
    else if (kind < 94) this.#recreate(slot, log);
    else this.#reconfigure(slot, log);
  }

  /** @throws what no failing disk explains. */
  #bear(error: unknown): void {
    const isRefusal = error instanceof MillraceError && REFUSALS.has(error.code);
    if (this.#trouble === undefined || !isRefusal) throw error;
    this.#isHurt = true;
  }

  #betrayed(path: string): void {
    for (const { ledger } of this.#slots) {
      const folder = `${HOME}/${ledger.topic}-${ledger.partition}`;
      // Its name stands in the directory.
      if (path === HOME || path === folder || path.startsWith(`${folder}/`)) ledger.mayBeDamaged = true;
    }
  }

  #append(slot: Slot, log: PartitionLog): void {
    const count = 1 + below(this.#random, 3);
    for (let i = 0; i < count; i++) {
      const batch = newBatch(this.#random, slot.sequences, this.#isCompacting);
      BatchView.at(batch, 0)!.assignOffsets(log.logEndOffset, slot.leaderEpoch);
      slot.ledger.appending(factOf(batch, log.logEndOffset, slot.leaderEpoch));
      const frame = inUsedMemory(batch, this.#buffers);
      this.#try(slot, log, 1, () => log.appendAsLeader(frame, slot.leaderEpoch));
      releaseMemory(frame);
    }
  }

  #appendAsFollower(slot: Slot, log: PartitionLog): void {
    const batches: Buffer[] = [];
    let offset = log.logEndOffset;
    for (let i = 1 + below(this.#random, 3); i > 0; i--) {
      const batch = newBatch(this.#random, slot.sequences, this.#isCompacting);
      const view = BatchView.at(batch, 0)!;
      view.assignOffsets(offset, slot.leaderEpoch);
      slot.ledger.appending(factOf(batch, offset, slot.leaderEpoch));
      offset = view.nextOffset;
      batches.push(batch);
    }
    this.#try(slot, log, batches.length, () => log.appendAsFollower(Buffer.concat(batches)));
  }

  /** @param batches noted just now; none of them counts if this fails. */
  #try(slot: Slot, log: PartitionLog, batches: number, append: () => unknown): void {
    try {
      append();
    } catch (error) {
      slot.ledger.appendFailed(batches, log.offline === undefined);
      this.#resequence(slot);
      throw error;
    }
  }

  /** As a leader would: not beyond what is flushed. */
  #raiseHighWatermark(slot: Slot, log: PartitionLog): void {
    const room = log.flushedOffset - log.highWatermark;
    const offset = log.highWatermark + below(this.#random, room + 1);
    slot.ledger.highWatermarkMax = Math.max(slot.ledger.highWatermarkMax, offset);
    log.setHighWatermark(offset);
  }

  #assignEpoch(slot: Slot, log: PartitionLog): void {
    slot.leaderEpoch += 1 + below(this.#random, 2);
    slot.ledger.epochMax = slot.leaderEpoch;
    log.assignEpoch(slot.leaderEpoch, log.logEndOffset);
  }

  #truncate(slot: Slot, log: PartitionLog): void {
    const { ledger } = slot;
    const from = Math.max(log.highWatermark, log.logStartOffset);
    const offset = from + below(this.#random, log.logEndOffset - from + 1);
    ledger.cutting(offset);
    this.#begin(slot, log.truncateTo(offset), () => {
      ledger.cut();
      this.#resequence(slot);
    });
  }

  #startOver(slot: Slot, log: PartitionLog): void {
    const { ledger } = slot;
    const offset = Math.max(0, log.logEndOffset - 3 + below(this.#random, 10));
    ledger.restarting(offset);
    this.#begin(slot, log.truncateFullyAndStartAt(offset), () => {
      ledger.restarted(offset);
      slot.sequences.clear();
    });
  }

  #deleteRecords(slot: Slot, log: PartitionLog): void {
    const { ledger } = slot;
    const offset = log.logStartOffset + below(this.#random, log.highWatermark - log.logStartOffset + 1);
    ledger.startMoving(offset);
    this.#begin(slot, log.deleteRecordsBefore(offset), () => ledger.startMoved(offset));
  }

  #cleanUp(slot: Slot, log: PartitionLog): void {
    const { ledger } = slot;
    const keepsBytes = below(this.#random, 2000);
    log.setConfig({
      ...ledger.config,
      retentionBytes: keepsBytes,
      segmentMs: below(this.#random, 2) * NEVER_ROLLS_MS,
    });
    ledger.startMoving(log.highWatermark);
    this.#begin(slot, log.cleanUp(this.clock.wallMs()), () => {
      log.setConfig(ledger.config);
      ledger.startMoved(log.logStartOffset);
    });
  }

  /** Often of all that is committed. Goes on beside whatever else is done to the log, its end included. */
  #compact(slot: Slot, log: PartitionLog): void {
    const store = this.#store!;
    const compact = (): void => {
      slot.ledger.compacting();
      this.#beside(store.compact(log));
    };
    if (slot.isBusy || below(this.#random, 3) === 0) {
      compact();
      return;
    }
    slot.ledger.highWatermarkMax = Math.max(slot.ledger.highWatermarkMax, log.flushedOffset);
    log.setHighWatermark(log.flushedOffset);
    log.setConfig({ ...log.config, segmentMs: -1 });
    this.#begin(slot, log.cleanUp(this.clock.wallMs()), () => {
      log.setConfig(slot.ledger.config);
      compact();
    });
  }

  async #flush(): Promise<void> {
    const ends = this.#slots.map(({ ledger, log, isBusy }) =>
      log === undefined || isBusy
        ? undefined
        : { ledger, log, offset: ledger.endOffset, generation: ledger.generation },
    );
    await this.#until(this.#store!.flush());
    for (const end of ends) {
      if (end === undefined || end.log.offline !== undefined) continue;
      if (end.generation === end.ledger.generation) end.ledger.promised(end.offset);
    }
  }

  #recreate(slot: Slot, log: PartitionLog): void {
    const { topic, partition, durability } = { ...slot.ledger, durability: slot.ledger.config.durability };
    slot.ledger.isDeleted = true;
    slot.log = undefined;
    const store = this.#store!;
    this.#begin(slot, store.deletePartition(log), () => {
      if (below(this.#random, 3) === 0) return;
      Object.assign(slot, this.#newSlot(topic, partition, this.#config(durability)));
      const { topicId, config } = slot.ledger;
      const opening = store.openPartition({ topic, partition, topicId }, config);
      this.#begin(slot, opening, (opened) => this.#opened(slot, opened));
    });
  }

  #reconfigure(slot: Slot, log: PartitionLog): void {
    const { ledger } = slot;
    const durability = ledger.config.durability === 'fsync' ? 'page-cache' : 'fsync';
    const config = { ...ledger.config, durability } as const;
    // Promises of the old kind end before those of the new kind begin.
    if (durability === 'page-cache') ledger.config = config;
    log.setConfig(config);
    ledger.config = config;
  }

  /** A clean stop, a killed process, or a power loss in the middle of everything. */
  async #restart(): Promise<void> {
    const kind = below(this.#random, 3);
    // A stop that fails is a killed process.
    try {
      if (kind === 0) await this.stop();
    } catch (error) {
      this.#bear(error);
    }
    this.#trouble?.heal();
    this.#isHurt = false;
    const views = this.views();
    if (kind === 2) this.#disk.crash(this.#random.fork());
    this.#underWay.clear();
    this.#store = undefined;
    const recovery = recoverStore({
      fileSystem: this.#disk.mount(),
      clock: this.clock,
      random: this.#random.fork(),
      views,
      survives: kind === 2 ? 'durable' : 'written',
      isFormatted: true,
    });
    // The disk is well again: no refusal is borne.
    recovery.catch((error: unknown) => {
      this.#failure ??= error;
    });
    const recovered = await this.#until(recovery);
    this.#store = recovered.store;
    this.#keepReserve();
    for (const [i, found] of recovered.logs.entries()) {
      const slot = this.#slots[i]!;
      slot.isBusy = false;
      slot.log = undefined;
      if (found === undefined) continue;
      if (found.recovered === undefined) {
        this.#repair(slot, found.log);
        continue;
      }
      const { batches, startOffset, endOffset } = found.recovered;
      slot.ledger.found(batches, startOffset, endOffset);
      this.#opened(slot, found.log);
      this.#resequence(slot);
    }
  }

  /** As if from a leader whose log begins there. */
  #repair(slot: Slot, log: PartitionLog): void {
    const { ledger } = slot;
    const offset = Math.max(0, ledger.endOffset - 3 + below(this.#random, 10));
    ledger.restarting(offset);
    this.#begin(slot, log.resetForRepair(offset), () => {
      ledger.restarted(offset);
      ledger.mayBeDamaged = false;
      slot.sequences.clear();
      this.#opened(slot, log);
    });
  }

  #keepReserve(): void {
    if (this.#trouble !== undefined) void this.#store!.keepReserve();
  }

  async #open(opening: Promise<LogStore>): Promise<void> {
    const store = await opening;
    this.#store = store;
    this.#keepReserve();
    for (const slot of this.#slots) {
      const { topic, partition, topicId, config } = slot.ledger;
      this.#opened(slot, await store.openPartition({ topic, partition, topicId }, config));
    }
  }

  #opened(slot: Slot, log: PartitionLog): void {
    const { ledger } = slot;
    slot.log = log;
    ledger.isThere = true;
    slot.leaderEpoch = Math.max(slot.leaderEpoch, log.lastEpoch, 0);
    const store = this.#store;
    log.onFlushed((offset) => {
      // What a process does while the power goes off is told to nobody.
      if (this.#store === store && slot.log === log && ledger.config.durability === 'fsync')
        ledger.promised(offset);
    });
    log.onOffline = (error) => {
      if (this.#trouble !== undefined && REFUSALS.has(error.code)) {
        this.#isHurt = true;
        if (slot.log === log) slot.log = undefined;
        return;
      }
      this.#failure ??= new Error(`${ledger.topic}-${ledger.partition} went offline`, { cause: error });
    };
  }

  /** Work that goes on beside later steps; the slot takes nothing else meanwhile. */
  #begin<T>(slot: Slot, work: Promise<T>, done: (result: T) => void): void {
    slot.isBusy = true;
    this.#beside(work, (result) => {
      slot.isBusy = false;
      done(result);
    });
  }

  #beside<T>(work: Promise<T>, done: (result: T) => void = () => {}): void {
    const store = this.#store;
    const ended = work.then(
      (result) => {
        if (this.#store === store) done(result);
      },
      (error: unknown) => {
        if (this.#store !== store) return;
        // The slot takes nothing until the next restart.
        try {
          this.#bear(error);
        } catch {
          this.#failure ??= error;
        }
      },
    );
    this.#underWay.add(ended);
    void ended.then(() => this.#underWay.delete(ended));
  }

  /** What a producer would do next, going by what the log still holds. */
  #resequence(slot: Slot): void {
    const before = new Set(slot.sequences.keys());
    slot.sequences.clear();
    for (const { producer, baseOffset, lastOffset } of slot.ledger.batches as readonly BatchFact[]) {
      if (producer === undefined) continue;
      slot.sequences.set(producer.producerId, producer.baseSequence + lastOffset - baseOffset + 1);
    }
    // Of one whose batches were all deleted nobody here knows the next sequence: it has come to its end.
    for (const id of before) if (!slot.sequences.has(id)) slot.sequences.set(id, Number.NaN);
  }

  #newSlot(topic: string, partition: number, config: LogConfig): Slot {
    const topicId = randomUuid(this.#random.fork());
    const ledger = new LogLedger(topic, partition, topicId, config);
    return { ledger, log: undefined, isBusy: false, leaderEpoch: 0, sequences: new Map() };
  }

  #config(durability: LogConfig['durability']): LogConfig {
    return {
      ...DEFAULT_LOG_CONFIG,
      segmentBytes: 300 + below(this.#random, 3000),
      segmentMs: NEVER_ROLLS_MS,
      indexIntervalBytes: 1 + below(this.#random, 300),
      retentionMs: -1,
      timestampAfterMaxMs: Number.MAX_SAFE_INTEGER,
      fileDeleteDelayMs: below(this.#random, 10),
      durability,
      ...(this.#isCompacting && {
        isCompacted: true,
        minCleanableDirtyRatio: 0,
        deleteRetentionMs: below(this.#random, 2) * below(this.#random, 20),
      }),
    };
  }

  #storeOptions(fileSystem: ReturnType<SimDisk['mount']>) {
    const { clock } = this;
    const random = new SeededRandom(1);
    return {
      path: HOME,
      fileSystem,
      clock,
      random,
      logger: silentLogger,
      config: SMALL_STORE,
      expected: IDENTITY,
    };
  }

  async #pass(ms: number): Promise<void> {
    for (let i = 0; i < ms; i++) {
      await drained();
      this.clock.advance(1);
    }
  }

  async #until<T>(promise: Promise<T>): Promise<T> {
    const result = await settled(this.clock, promise, () => this.#failure !== undefined);
    if (this.#failure !== undefined) throw this.#failure;
    return result;
  }
}
