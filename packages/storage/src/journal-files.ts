/**
 * The journal's files: which one is written, when one is retired, and reuse of retired ones. A file is
 * retired only when every log it covers is on stable storage and that has been written down. Blocks that are
 * allocated already make a sync cheaper (about 1.7 times here), so files are reused, and while rounds are small they
 * are made ahead; only a file that is needed before it could be made grows by padding.
 */
import { type Clock, Deferred, type Logger } from '@millrace/core';
import { FilePreparation } from './file-preparation.ts';
import type { DiskFile, FileSystem } from './file-system.ts';
import type { JournalClient } from './journal-entry.ts';
import { type JournalFileName, journalPath, listJournalFiles } from './journal-replay.ts';
import { JournalWitness } from './journal-witness.ts';
import type { SpaceReserve } from './space-reserve.ts';

export interface JournalFile {
  readonly number: number;
  readonly path: string;
  readonly disk: DiskFile;
  readonly clients: Set<JournalClient>;
  /** End of the valid records. */
  sizeBytes: number;
  roundCount: number;
  allocatedBytes: number;
}

export interface JournalFilesOptions {
  readonly fileSystem: FileSystem;
  readonly directory: string;
  readonly fileBytes: number;
  readonly maxBytes: number;
  readonly checkpoint: () => Promise<void>;
  /** Whether files of the run before may go now; what is still wanted of them is given up if it can be. */
  readonly giveUpReplay: () => Promise<boolean>;
  readonly space: SpaceReserve;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Between syncs of logs, while there is room: appends share the disk with them. */
const RETIREMENT_PAUSE_MS = 2;
const PADDING_BYTES = 1024 * 1024;
/** Zeros are written once for every byte: rounds above this lose more by that than their syncs gain. */
const ZEROED_ROUND_BYTES_MAX = 128 * 1024;
const FREE_FILES_MAX = 2;
/** A node that writes little needs little: each file made ahead is this much larger than the one before. */
const PREPARED_GROWTH = 4;

const FREE_SUFFIX = '.free';

let padding: Buffer | undefined;

export class JournalFiles {
  readonly #options: JournalFilesOptions;
  /** Oldest first; the last is written. */
  #live: JournalFile[] = [];
  /** Files of the run before whose records are still wanted. */
  #replayed: string[] = [];
  /** Files whose records are void but which have their names yet; oldest first. */
  #void: { readonly path: string; readonly isReusable: boolean }[] = [];
  #releasing: Promise<void> = Promise.resolve();
  /** A name went and its sync failed, or the run before ended in between: a power loss may bring it back. */
  #mayNamesReturn = true;
  #free: string[] = [];
  #preparation: FilePreparation | undefined;
  #preparing: Promise<void> | undefined;
  /** It failed beside the file that is written now. */
  #isPreparationFutile = false;
  readonly witness: JournalWitness;
  #nextNumber = 1;
  #previous = { number: 0, endBytes: 0 };
  #retiring: Promise<void> | undefined;
  #hurry = new Deferred<void>();
  #isUrgent = false;
  #isStopped = false;

  constructor(options: JournalFilesOptions) {
    this.#options = options;
    this.witness = new JournalWitness(options.fileSystem, options.directory);
    options.fileSystem.mkdirSync(options.directory);
  }

  /** Takes stock of what an earlier run left. @param areWanted their records are still needed. */
  adopt(areWanted: boolean): void {
    const files = listJournalFiles(this.#options.fileSystem, this.#options.directory);
    const free = listFreeFiles(this.#options.fileSystem, this.#options.directory);
    // A free file still holds records of its number: used again, the number would bring them back to life.
    this.#nextNumber =
      1 + Math.max(0, ...files.map(({ number }) => number), ...free.map(({ number }) => number));
    this.#free = free.map(({ path }) => path);
    for (const { path } of files) {
      if (areWanted) this.#replayed.push(path);
      else this.#void.push({ path, isReusable: true });
    }
  }

  /** Every log that the earlier run's files cover is on stable storage, and that is written down. */
  releaseReplayed(): void {
    this.#voidReplayed();
    this.releaseVoid().catch((error: unknown) => {
      const { logger } = this.#options;
      logger.warn({ event: 'journal_release_failed', err: error }, 'old journal files stay for now');
    });
  }

  /** They are older than whatever waits for its release. */
  #voidReplayed(): void {
    this.#void.unshift(...this.#replayed.map((path) => ({ path, isReusable: true })));
    this.#replayed = [];
  }

  /** The file before the written one and where its valid records end; number 0 if this run wrote none before. */
  get previous(): { readonly number: number; readonly endBytes: number } {
    return this.#previous;
  }

  /** The file for the next `bytes`; waits for a retirement if the journal's space is used up. */
  async fileFor(bytes: number): Promise<JournalFile> {
    const active = this.#live.at(-1);
    if (active !== undefined && this.#takes(active, bytes)) return active;
    const { fileBytes, maxBytes } = this.#options;
    while (this.#live.length > 1 && this.#liveBytes + fileBytes > maxBytes) {
      const before = this.#live.length;
      this.#isUrgent = true;
      this.#hurry.resolve();
      this.retireIfDue();
      await this.#retiring;
      this.#isUrgent = false;
      if (this.#live.length === before) throw new Error('no journal file can be retired');
    }
    return await this.#start();
  }

  /** A file that would have to grow makes way for one that is ready. */
  #takes({ sizeBytes, allocatedBytes }: JournalFile, bytes: number): boolean {
    const end = sizeBytes + bytes;
    if (sizeBytes === 0) return true;
    return end <= this.#options.fileBytes && (end <= allocatedBytes || this.#free.length === 0);
  }

  /**
   * Zeros to write after the next `bytes`, so that the file's blocks are allocated ahead.
   * @throws ENOSPC if the file would have to grow on a disk that was full.
   */
  paddingAfter(bytes: number): Buffer | undefined {
    const file = this.#live.at(-1)!;
    const end = file.sizeBytes + bytes;
    if (end <= file.allocatedBytes) return undefined;
    this.#options.space.checkGrowth(file.path);
    const room = bytes > ZEROED_ROUND_BYTES_MAX ? 0 : this.#options.fileBytes - end;
    const wanted = Math.max(0, Math.min(PADDING_BYTES, room));
    file.allocatedBytes = end + wanted;
    padding ??= Buffer.alloc(PADDING_BYTES);
    return wanted === 0 ? undefined : padding.subarray(0, wanted);
  }

  /** After a round: frees old files and makes new ones, in the background, as it becomes time. */
  keepRoom(): void {
    this.retireIfDue();
    if (!this.#isPreparationDue()) return;
    this.#preparing = this.#prepare().finally(() => {
      this.#preparing = undefined;
    });
  }

  /** Starts freeing the oldest files, in the background, once half of the journal's space is used. */
  retireIfDue(): void {
    if (this.#retiring !== undefined || this.#isStopped || !this.#isRetirementDue()) return;
    this.#retiring = this.#retire().finally(() => {
      this.#retiring = undefined;
    });
  }

  /** Nobody will ask for its records any more: files need not wait for it, nor keep it in memory. */
  forget(client: JournalClient): void {
    for (const { clients } of this.#live) clients.delete(client);
  }

  /** Before logs are closed: from then on nobody can sync them. */
  async stopRetiring(): Promise<void> {
    this.#isStopped = true;
    this.#isUrgent = true;
    this.#hurry.resolve();
    await this.#retiring;
  }

  async #stopPreparing(): Promise<void> {
    this.#isStopped = true;
    this.#preparation?.stop();
    await this.#preparing;
  }

  async close(): Promise<void> {
    await this.#stopPreparing();
    await this.stopRetiring();
    for (const { disk } of this.#live) disk.closeSync();
    this.#live = [];
    this.witness.close();
  }

  #isRetirementDue(): boolean {
    const { fileBytes, maxBytes } = this.#options;
    return this.#live.length > 1 && this.#liveBytes + fileBytes > maxBytes / 2;
  }

  get #liveBytes(): number {
    return this.#live.reduce((sum, { allocatedBytes }) => sum + allocatedBytes, 0);
  }

  /** Half of what is ready is used, nothing else is ready, and rounds are small. */
  #isPreparationDue(): boolean {
    if (this.#preparing !== undefined || this.#free.length > 0) return false;
    if (this.#isStopped || this.#isPreparationFutile) return false;
    const { sizeBytes, allocatedBytes, roundCount } = this.#live.at(-1)!;
    if (sizeBytes > roundCount * ZEROED_ROUND_BYTES_MAX) return false;
    const { fileBytes, maxBytes } = this.#options;
    return sizeBytes > allocatedBytes / 2 && this.#liveBytes + fileBytes <= maxBytes;
  }

  async #prepare(): Promise<void> {
    const { fileSystem, directory, space, clock, fileBytes, logger } = this.#options;
    const path = `${journalPath(directory, this.#nextNumber++)}${FREE_SUFFIX}`;
    const sizeBytes = Math.min(fileBytes, this.#live.at(-1)!.allocatedBytes * PREPARED_GROWTH);
    try {
      if (!(await space.hasRoomFor(sizeBytes))) {
        this.#isPreparationFutile = true;
        return;
      }
      this.#preparation = new FilePreparation({ fileSystem, clock, path, sizeBytes });
      if (await this.#preparation.done) this.#free.push(path);
      else fileSystem.unlinkSync(path);
    } catch (error) {
      // Without it rounds are slower, no more; and who must write will hear of the disk soon enough.
      logger.warn({ event: 'journal_preparation_failed', err: error }, 'no journal file is made ahead');
      this.#isPreparationFutile = true;
      space.noticed(error);
      discard(fileSystem, path);
    }
  }

  /** Cut short as soon as an append waits for a file. */
  async #pause(): Promise<void> {
    if (this.#isUrgent) return;
    this.#hurry = new Deferred();
    const timer = this.#options.clock.schedule(RETIREMENT_PAUSE_MS, () => this.#hurry.resolve());
    await this.#hurry.promise;
    timer.cancel();
  }

  async #retire(): Promise<void> {
    try {
      while (this.#isRetirementDue()) {
        const oldest = this.#live[0]!;
        for (const client of oldest.clients) {
          await client.syncForJournal();
          await this.#pause();
          if (this.#isStopped) return;
        }
        await this.#options.checkpoint();
        this.#live.shift();
        oldest.disk.closeSync();
        // Those from the time when little was written would have to grow again.
        const isReusable = oldest.allocatedBytes >= this.#options.fileBytes / 2;
        this.#void.push({ path: oldest.path, isReusable });
        if (this.#replayed.length > 0 && (await this.#options.giveUpReplay())) this.#voidReplayed();
        await this.releaseVoid();
      }
    } catch (error) {
      this.#options.logger.error(
        { event: 'journal_retirement_failed', err: error },
        'a journal file stays in use',
      );
    }
  }

  async #start(): Promise<JournalFile> {
    const { fileSystem, directory } = this.#options;
    await this.releaseVoid();
    const number = this.#nextNumber++;
    const path = journalPath(directory, number);
    const reused = this.#free.pop();
    if (reused !== undefined) fileSystem.renameSync(reused, path);
    const disk = fileSystem.openSync(path, { create: true });
    // Before its first record counts, so must its name.
    await fileSystem.syncDirectory(directory);
    const last = this.#live.at(-1);
    this.#previous = { number: last?.number ?? 0, endBytes: last?.sizeBytes ?? 0 };
    const file = {
      number,
      path,
      disk,
      clients: new Set<JournalClient>(),
      sizeBytes: 0,
      roundCount: 0,
      allocatedBytes: disk.sizeSync(),
    };
    this.#live.push(file);
    this.#isPreparationFutile = false;
    return file;
  }

  /**
   * Void files lose their names, each durably before the next: replayed without a reset that stood in a newer one,
   * a file would bring back what was truncated, and one that is missing between others passes for damage. Hence
   * none goes before those of the run before.
   */
  releaseVoid(): Promise<void> {
    this.#releasing = this.#releasing.catch(() => undefined).then(() => this.#releaseNow());
    return this.#releasing;
  }

  async #releaseNow(): Promise<void> {
    if (this.#replayed.length > 0 || this.#void.length === 0) return;
    const { fileSystem, directory } = this.#options;
    const isNoteVoid = this.#live.length === 0 && this.witness.forget();
    if (isNoteVoid || this.#mayNamesReturn) await fileSystem.syncDirectory(directory);
    for (let next = this.#void[0]; next !== undefined; next = this.#void[0]) {
      const { path, isReusable } = next;
      const free = `${path}${FREE_SUFFIX}`;
      const isKept = isReusable && this.#free.length < FREE_FILES_MAX;
      this.#mayNamesReturn = true;
      if (isKept) fileSystem.renameSync(path, free);
      else fileSystem.unlinkSync(path);
      this.#void.shift();
      await fileSystem.syncDirectory(directory);
      this.#mayNamesReturn = false;
      if (isKept) this.#free.push(free);
    }
  }
}

function listFreeFiles(fileSystem: FileSystem, directory: string): JournalFileName[] {
  return fileSystem
    .readdirSync(directory)
    .filter(({ name }) => name.endsWith(FREE_SUFFIX))
    .map(({ name }) => ({ number: Number(name.slice(0, 20)), path: `${directory}/${name}` }));
}

/** What cannot be removed now is found by the next start. */
function discard(fileSystem: FileSystem, path: string): void {
  try {
    fileSystem.unlinkSync(path);
  } catch {
    // The disk has failed already, or there never was a file.
  }
}
