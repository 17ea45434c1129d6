/**
 * What the journal of an earlier run still holds, per partition, after an unclean stop. Tells a torn tail,
 * which nobody was promised, from damage among records that were on stable storage. Reads only.
 */
import type { Logger } from '@millrace/core';
import { crc32c } from '@millrace/records';
import type { FileSystem } from './file-system.ts';
import {
  findJournalHeader,
  JOURNAL_HEADER_BYTES,
  type JournalHeader,
  readJournalHeader,
} from './journal-record.ts';
import { JournalWitness } from './journal-witness.ts';
import { readWhole, withFile } from './whole-file.ts';

export interface ReplayEntry {
  readonly header: JournalHeader;
  readonly path: string;
  readonly payloadAt: number;
  /** False if the record was durable once and its payload is damaged now. */
  readonly isReadable: boolean;
  /** Records of unknown partitions are missing before it. */
  readonly isAfterHole: boolean;
}

export interface JournalFileName {
  readonly number: number;
  readonly path: string;
}

/** In order of their numbers. */
export function listJournalFiles(fileSystem: FileSystem, directory: string): JournalFileName[] {
  return fileSystem
    .readdirSync(directory)
    .filter(({ name }) => /^\d{20}\.journal$/.test(name))
    .map(({ name }) => ({ number: Number(name.slice(0, 20)), path: `${directory}/${name}` }));
}

export function journalPath(directory: string, number: number): string {
  return `${directory}/${String(number).padStart(20, '0')}.journal`;
}

export class JournalReplay {
  readonly #fileSystem: FileSystem;
  readonly #entries = new Map<string, ReplayEntry[]>();
  /** Why records of unknown partitions are missing; undefined if none are. */
  #hole: string | undefined;

  constructor(fileSystem: FileSystem) {
    this.#fileSystem = fileSystem;
  }

  static scan(fileSystem: FileSystem, directory: string, logger: Logger): JournalReplay {
    const files = listJournalFiles(fileSystem, directory);
    const durable = JournalWitness.read(fileSystem, directory);
    const replay = new JournalReplay(fileSystem);
    let last: { readonly number: number; readonly end: number } | undefined;
    for (const file of files) {
      const bytes = readWhole(fileSystem, file.path) ?? Buffer.alloc(0);
      const begin = readJournalHeader(bytes, 0, file.number);
      if (begin !== undefined && last !== undefined && begin.lastOffset !== 0) {
        // Files go oldest first: one that is gone while an older one is there was lost.
        if (begin.lastOffset !== last.number) replay.#hole = `the file before ${file.path} is missing`;
        else if (begin.baseOffset > last.end)
          replay.#hole = `the end of the file before ${file.path} is damaged`;
      }
      last = { number: file.number, end: replay.#scanFile(file, bytes) };
      if (file.number === durable?.fileNumber && last.end < durable.endBytes) {
        replay.#hole = `${file.path} was durable up to byte ${durable.endBytes} and is damaged at ${last.end}`;
      }
    }
    // An older file goes before a newer one, so the newest is never gone alone.
    if (durable !== undefined && durable.fileNumber > (last?.number ?? 0)) {
      replay.#hole = `file ${durable.fileNumber} of the journal is missing`;
    }
    if (replay.#hole !== undefined) {
      logger.error({ event: 'journal_damaged', reason: replay.#hole }, 'the journal is damaged');
    }
    return replay;
  }

  get hole(): string | undefined {
    return this.#hole;
  }

  get isEmpty(): boolean {
    return this.#entries.size === 0;
  }

  /** In the order they were written, from the last reset on. */
  entriesOf(topicId: string, partition: number): readonly ReplayEntry[] {
    return this.#entries.get(`${topicId} ${partition}`) ?? [];
  }

  /** Records below were on stable storage in the log itself when this was written; 0 if there may have been none. */
  startOf(topicId: string, partition: number): number {
    const first = this.entriesOf(topicId, partition)[0]?.header;
    return first === undefined || first.kind === 'start' ? 0 : first.baseOffset;
  }

  /** The partition is recovered, or gone. */
  forget(topicId: string, partition: number): void {
    this.#entries.delete(`${topicId} ${partition}`);
  }

  forgetAll(): void {
    this.#entries.clear();
  }

  read({ header, path, payloadAt }: ReplayEntry): Buffer {
    const payload = Buffer.allocUnsafe(header.payloadBytes);
    withFile(this.#fileSystem, path, false, (file) => file.readSync(payload, payloadAt));
    return payload;
  }

  /** @returns where the valid records end. */
  #scanFile({ number, path }: JournalFileName, bytes: Buffer): number {
    let at = 0;
    for (;;) {
      const header = readJournalHeader(bytes, at, number);
      if (header === undefined) {
        const next = durableAfter(bytes, at, number);
        if (next === undefined) return at;
        this.#hole = `${path} is damaged between bytes ${at} and ${next}`;
        at = next;
        continue;
      }
      const payloadAt = at + JOURNAL_HEADER_BYTES;
      const end = payloadAt + header.payloadBytes;
      const isReadable = end <= bytes.length && crc32c(bytes, payloadAt, end) === header.payloadCrc;
      if (!isReadable && durableAfter(bytes, at, number) === undefined) return at;
      this.#add({ header, path, payloadAt, isReadable, isAfterHole: this.#hole !== undefined });
      at = end;
    }
  }

  #add(entry: ReplayEntry): void {
    const { kind, topicId, partition } = entry.header;
    if (kind === 'begin') return;
    const key = `${topicId} ${partition}`;
    const entries = this.#entries.get(key);
    if (entries === undefined || kind === 'reset') this.#entries.set(key, [entry]);
    else entries.push(entry);
  }
}

/** Where a record stands that proves `at` was on stable storage; undefined if none does. */
export function durableAfter(bytes: Buffer, at: number, fileNumber: number): number | undefined {
  for (let from = at + 1; ; ) {
    const found = findJournalHeader(bytes, from, fileNumber);
    if (found === undefined) return undefined;
    if (found.header.roundStart > at) return found.at;
    from = found.at + 1;
  }
}
