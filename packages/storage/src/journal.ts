/**
 * The node's write-ahead journal: group commit over all partitions. Everything queued, but for what goes past it, goes
 * out in one write and one sync, whatever the number of partitions; then the next round starts. No linger, no timer.
 * After a failed write or sync it never writes again: what the kernel kept of the file is unknown (rule Q25).
 */
import {
  type Clock,
  Deferred,
  holdMemory,
  type Logger,
  type MillraceError,
  occupiedBytes,
  releaseMemory,
} from '@millrace/core';
import type { FileSystem } from './file-system.ts';
import { JournalBypass } from './journal-bypass.ts';
import { entryBytes, type JournalClient, type JournalEntry, offsetEntry } from './journal-entry.ts';
import { JournalFiles } from './journal-files.ts';
import { JOURNAL_HEADER_BYTES, writeJournalHeader } from './journal-record.ts';
import type { SpaceReserve } from './space-reserve.ts';
import { storageFailure } from './storage-failure.ts';

export interface JournalOptions {
  readonly fileSystem: FileSystem;
  readonly directory: string;
  readonly fileBytes: number;
  readonly maxBytes: number;
  readonly queueBytes: number;
  readonly roundBytes: number;
  /** As JournalBypassOptions.bytesMin. */
  readonly bypassBytes: number;
  /** Writes down durably how far each log is on stable storage. */
  readonly checkpoint: () => Promise<void>;
  /** As JournalFilesOptions. */
  readonly giveUpReplay: () => Promise<boolean>;
  readonly onFailure: (error: MillraceError) => void;
  readonly space: SpaceReserve;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Larger writes would hold up the event loop. */
const SYNC_WRITE_BYTES_MAX = 128 * 1024;
/** Smaller payloads are cheaper to copy than to hand over one by one. */
const COPIED_PAYLOAD_BYTES_MAX = 4096;
/** Who waits holds all that its batches lie in: if that is so many times as much, they are copied. */
const SPARSE_TIMES = 8;
const NO_TOPIC = Buffer.alloc(16);

export class Journal {
  readonly #options: JournalOptions;
  readonly #files: JournalFiles;
  readonly #bypass: JournalBypass;
  #queue: JournalEntry[] = [];
  #backlogBytes = 0;
  #running: Promise<void> | undefined;
  #failure: MillraceError | undefined;
  #scratch: Buffer = Buffer.allocUnsafe(64 * 1024);

  constructor(options: JournalOptions) {
    this.#options = options;
    this.#files = new JournalFiles(options);
    const { bypassBytes: bytesMin, maxBytes, checkpoint, logger } = options;
    this.#bypass = new JournalBypass({ bytesMin, uncheckedBytesMax: maxBytes / 2, checkpoint, logger });
  }

  get failure(): MillraceError | undefined {
    return this.#failure;
  }

  get files(): JournalFiles {
    return this.#files;
  }

  /** Of what is queued or being written. */
  get backlogBytes(): number {
    return this.#backlogBytes;
  }

  /** Little more can be queued: who must not be refused half-way begins nothing new. */
  get isNearlyFull(): boolean {
    return this.#backlogBytes * 4 >= this.#options.queueBytes * 3;
  }

  get isFull(): boolean {
    return this.#backlogBytes >= this.#options.queueBytes;
  }

  /** @param batches whole batches as they stand in the log; held until they are durable, and not to be changed before. */
  append(client: JournalClient, baseOffset: number, lastOffset: number, batches: Buffer): void {
    this.#enqueue({
      client,
      kind: 'batches',
      baseOffset,
      lastOffset,
      leaderEpoch: -1,
      payload: occupiedBytes(batches) > SPARSE_TIMES * batches.length ? Buffer.from(batches) : batches,
      done: undefined,
    });
  }

  assignEpoch(client: JournalClient, leaderEpoch: number, startOffset: number): void {
    this.#enqueue(offsetEntry(client, 'epoch', startOffset, leaderEpoch));
  }

  /** From `nextOffset` on the log is journalled; what it appended before was not. */
  start(client: JournalClient, nextOffset: number): void {
    this.#enqueue(offsetEntry(client, 'start', nextOffset));
  }

  /** Voids what was journalled of this log before. Resolves when that is durable. @throws the journal's failure. */
  async reset(client: JournalClient, nextOffset: number): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    const done = new Deferred<void>();
    this.#enqueue({ ...offsetEntry(client, 'reset', nextOffset), done });
    await done.promise;
  }

  /** Resolves when everything queued so far is durable. @throws the journal's failure. */
  async flush(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    const last = this.#queue.at(-1);
    if (last !== undefined) {
      last.done ??= new Deferred<void>();
      await last.done.promise;
    } else {
      await this.#running;
      if (this.#failure !== undefined) throw this.#failure;
    }
  }

  /** Before logs are closed: from then on nobody can sync them. */
  async stopSyncing(): Promise<void> {
    this.#bypass.stop();
    await this.#files.stopRetiring();
  }

  async close(): Promise<void> {
    await this.#running;
    await this.#bypass.close();
    await this.#files.close();
  }

  #enqueue(entry: JournalEntry): void {
    if (this.#failure !== undefined) return;
    if (entry.payload !== undefined) holdMemory(entry.payload);
    this.#queue.push(entry);
    this.#backlogBytes += entryBytes(entry);
    this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    // The rest of what the current turn appends shares the first round.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const round = this.#takeRound();
      try {
        await this.#write(await this.#bypass.remainder(round));
      } catch (error) {
        this.#fail(error, round);
        break;
      }
      this.#settle(round);
    }
    this.#running = undefined;
  }

  #takeRound(): JournalEntry[] {
    let bytes = 0;
    let count = 0;
    for (const entry of this.#queue) {
      bytes += entryBytes(entry);
      if (count > 0 && bytes > this.#options.roundBytes) break;
      count++;
    }
    const round = this.#queue;
    this.#queue = round.splice(count);
    return round;
  }

  async #write(round: readonly JournalEntry[]): Promise<void> {
    const bytes = round.reduce((sum, entry) => sum + entryBytes(entry), 0);
    const file = await this.#files.fileFor(bytes + JOURNAL_HEADER_BYTES);
    const buffers = this.#encode(round, file.number, file.sizeBytes);
    const total = buffers.reduce((sum, buffer) => sum + buffer.length, 0);
    const padding = this.#files.paddingAfter(total);
    if (padding !== undefined) buffers.push(padding);
    if (total <= SYNC_WRITE_BYTES_MAX) file.disk.writeSync(buffers, file.sizeBytes);
    else await file.disk.write(buffers, file.sizeBytes);
    for (const { client } of round) file.clients.add(client);
    await file.disk.datasync();
    file.sizeBytes += total;
    file.roundCount++;
    this.#files.witness.note(file.number, file.sizeBytes);
  }

  /** Headers and small payloads in the scratch buffer, large payloads as they are. */
  #encode(round: readonly JournalEntry[], fileNumber: number, roundStart: number): Buffer[] {
    const isFirst = roundStart === 0;
    let scratchBytes = isFirst ? JOURNAL_HEADER_BYTES : 0;
    for (const { payload } of round) {
      scratchBytes += JOURNAL_HEADER_BYTES;
      if (payload !== undefined && isCopied(payload)) scratchBytes += payload.length;
    }
    if (this.#scratch.length < scratchBytes) this.#scratch = Buffer.allocUnsafe(2 * scratchBytes);
    const scratch = this.#scratch;
    const buffers: Buffer[] = [];
    let [from, at] = [0, 0];
    if (isFirst) {
      const { number, endBytes } = this.#files.previous;
      const begin = { kind: 'begin', partition: 0, leaderEpoch: -1 } as const;
      writeJournalHeader(
        scratch,
        0,
        { ...begin, fileNumber, roundStart, baseOffset: endBytes, lastOffset: number },
        NO_TOPIC,
        undefined,
      );
      at = JOURNAL_HEADER_BYTES;
    }
    for (const { client, kind, baseOffset, lastOffset, leaderEpoch, payload } of round) {
      const { partition, topicIdBytes } = client;
      const header = { kind, partition, baseOffset, lastOffset, leaderEpoch, fileNumber, roundStart };
      writeJournalHeader(scratch, at, header, topicIdBytes, payload);
      at += JOURNAL_HEADER_BYTES;
      if (payload === undefined) continue;
      if (isCopied(payload)) {
        payload.copy(scratch, at);
        at += payload.length;
      } else {
        buffers.push(scratch.subarray(from, at), payload);
        from = at;
      }
    }
    if (at > from) buffers.push(scratch.subarray(from, at));
    return buffers;
  }

  #settle(round: readonly JournalEntry[]): void {
    const ends = new Map<JournalClient, number>();
    for (const entry of round) {
      this.#backlogBytes -= entryBytes(entry);
      if (entry.payload !== undefined) releaseMemory(entry.payload);
      if (entry.kind === 'batches') ends.set(entry.client, entry.lastOffset + 1);
    }
    for (const [client, nextOffset] of ends) client.journalFlushed(nextOffset);
    for (const { done } of round) done?.resolve();
    this.#files.keepRoom();
  }

  #fail(cause: unknown, round: readonly JournalEntry[]): void {
    const failure = storageFailure('the journal cannot be written', cause);
    this.#failure = failure;
    this.#options.space.noticed(cause);
    for (const { done } of [...round, ...this.#queue]) done?.reject(failure);
    this.#queue = [];
    this.#backlogBytes = 0;
    this.#options.onFailure(failure);
  }
}

function isCopied(payload: Buffer): boolean {
  return payload.length <= COPIED_PAYLOAD_BYTES_MAX;
}
