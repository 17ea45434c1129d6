/**
 * The Raft store in `level` (LevelDB). Every write is one atomic, synced batch.
 *
 * Keys: `s` the state record; `e` + index the entries; `p` + index + piece the snapshot. Numbers in keys are
 * big-endian, so that keys sort like numbers. Every value is `[crc32 of key and payload][payload]`. The checksum of an
 * entry goes on from that of the entry before it, and the record has the first and the last of them: LevelDB drops a
 * damaged write without a word, and what a truncation had replaced would pass for the truth again.
 *
 * The state record says which entries and which snapshot count; other keys are left-overs. It carries a write
 * sequence that, once durable, is also noted in a small file beside the database (write-witness.ts). Nothing is
 * ever cut to make a damaged log load (Q26).
 */
import { crc32 } from 'node:zlib';
import { MiB, MillraceError, toMillraceError } from '@millrace/core';
import {
  BLANK_HARD_STATE,
  type DurableState,
  type Entry,
  type HardState,
  type Snapshot,
  type Voter,
} from '@millrace/raft';
import { Level } from 'level';
import type { RaftStore, RaftStoreWrite } from './raft-store.ts';
import { WriteWitness } from './write-witness.ts';

interface StateRecord {
  /** Counts writes. */
  readonly sequence: number;
  readonly hardState: HardState;
  readonly logStart: DurableState['logStart'];
  readonly lastIndex: number;
  readonly snapshot: SnapshotRecord | undefined;
  /** Checksums of the entries at `logStart` and `lastIndex`. */
  readonly startCrc: number;
  readonly lastCrc: number;
}

interface SnapshotRecord {
  readonly index: number;
  readonly term: number;
  readonly voters: readonly Voter[];
  readonly bytes: number;
  /** CRC-32 of all of it: pieces of another one of the same index fit otherwise. */
  readonly crc: number;
}

const BLANK_RECORD: StateRecord = {
  sequence: 0,
  hardState: BLANK_HARD_STATE,
  logStart: { index: 0, term: 0 },
  lastIndex: 0,
  snapshot: undefined,
  startCrc: 0,
  lastCrc: 0,
};

const STATE_KEY = Buffer.from('s');
const PIECE_BYTES = MiB;
const CRC_BYTES = 4;
/** Stored by position: only ever extended. */
const KINDS: readonly Entry['kind'][] = ['data', 'leaderChange', 'voters'];

interface Put {
  readonly type: 'put';
  readonly key: Buffer;
  readonly value: Buffer;
}

export class LevelRaftStore implements RaftStore {
  readonly #database: Level<Buffer, Buffer>;
  readonly #witness: WriteWitness;
  #record: StateRecord = BLANK_RECORD;
  /** Checksums of the entries after `logStart`. */
  #crcs: number[] = [];

  private constructor(database: Level<Buffer, Buffer>, witness: WriteWitness) {
    this.#database = database;
    this.#witness = witness;
  }

  /**
   * @param path a directory of its own, made if missing; `<path>.sequence` is used as well.
   * @throws {MillraceError} DIRECTORY_LOCKED if another process uses it; LOG_DAMAGED if it is no readable database.
   */
  static async open(path: string): Promise<LevelRaftStore> {
    const database = new Level<Buffer, Buffer>(path, { keyEncoding: 'buffer', valueEncoding: 'buffer' });
    try {
      await database.open();
    } catch (error) {
      throw openFailure(path, error);
    }
    try {
      return new LevelRaftStore(database, WriteWitness.open(`${path}.sequence`));
    } catch (error) {
      await database.close();
      throw writeFailure(error);
    }
  }

  async load(): Promise<DurableState> {
    try {
      return await this.#load();
    } catch (error) {
      throw accessFailure('a file of it cannot be read', error);
    }
  }

  async #load(): Promise<DurableState> {
    const state = await this.#get(STATE_KEY);
    this.#record = state === undefined ? BLANK_RECORD : (JSON.parse(state.toString()) as StateRecord);
    const { sequence, hardState, logStart, lastIndex, startCrc, lastCrc } = this.#record;
    if (sequence < this.#witness.sequence) {
      throw damaged(`write ${this.#witness.sequence} was durable, but the newest one found is ${sequence}`);
    }
    const entries: Entry[] = [];
    const crcs: number[] = [];
    const range = { gt: entryKey(logStart.index), lte: entryKey(lastIndex) };
    for await (const [key, value] of this.#database.iterator(range)) {
      const index = logStart.index + 1 + entries.length;
      if (!key.equals(entryKey(index))) throw damaged(`entry ${index} is missing`);
      entries.push(decodeEntry(index, unframe(key, value, crcs.at(-1) ?? startCrc)));
      crcs.push(value.readUInt32BE(0));
    }
    if (logStart.index + entries.length !== lastIndex) {
      throw damaged(`entry ${logStart.index + entries.length + 1} is missing`);
    }
    if ((crcs.at(-1) ?? startCrc) !== lastCrc)
      throw damaged(`entry ${lastIndex} is not the one that was written`);
    this.#crcs = crcs;
    const { votedFor } = hardState;
    return {
      // JSON leaves out what is undefined; older versions knew of no quorum id.
      hardState: { ...BLANK_HARD_STATE, ...hardState, votedFor },
      snapshot: await this.#loadSnapshot(),
      logStart,
      entries,
    };
  }

  async #loadSnapshot(): Promise<Snapshot | undefined> {
    const { snapshot } = this.#record;
    if (snapshot === undefined) return undefined;
    const { index, term, voters, bytes, crc } = snapshot;
    const pieces: Buffer[] = [];
    for (let piece = 0; piece * PIECE_BYTES < bytes; piece++) {
      const data = await this.#get(pieceKey(index, piece));
      if (data === undefined) throw damaged(`piece ${piece} of snapshot ${index} is missing`);
      pieces.push(data);
    }
    const data = Buffer.concat(pieces);
    if (data.length !== bytes)
      throw damaged(`snapshot ${index} has ${data.length} bytes instead of ${bytes}`);
    if (crc32(data) !== crc) throw damaged(`snapshot ${index} is not the one that was written`);
    return { index, term, voters, data };
  }

  async write({ installSnapshot, truncateFrom, entries = [], hardState }: RaftStoreWrite): Promise<void> {
    if (installSnapshot !== undefined) await this.#putPieces(installSnapshot);
    const before = this.#record;
    const base = installSnapshot === undefined ? before : startingAt(before, installSnapshot);
    const cut = truncateFrom === undefined ? base.lastIndex : Math.min(base.lastIndex, truncateFrom - 1);
    const kept = installSnapshot === undefined ? cut - base.logStart.index : 0;
    let lastCrc = this.#crcs[kept - 1] ?? base.startCrc;
    const crcs: number[] = [];
    const puts = entries.map((entry) => {
      const operation = put(entryKey(entry.index), encodeEntry(entry), lastCrc);
      lastCrc = operation.value.readUInt32BE(0);
      crcs.push(lastCrc);
      return operation;
    });
    const lastIndex = entries.at(-1)?.index ?? cut;
    await this.#commit({ ...base, lastIndex, lastCrc, hardState: hardState ?? base.hardState }, puts);
    this.#crcs.length = kept;
    for (const crc of crcs) this.#crcs.push(crc);
    if (installSnapshot !== undefined) await this.#dropBehind(before);
  }

  async saveSnapshot(snapshot: Snapshot, compactTo: number, compactTerm: number): Promise<void> {
    await this.#putPieces(snapshot);
    const before = this.#record;
    const logStart = { index: compactTo, term: compactTerm };
    const dropped = compactTo - before.logStart.index;
    const startCrc = this.#crcs[dropped - 1] ?? before.startCrc;
    await this.#commit({ ...before, logStart, startCrc, snapshot: recordOf(snapshot) }, []);
    this.#crcs.splice(0, dropped);
    await this.#dropBehind(before);
  }

  async close(): Promise<void> {
    this.#witness.close();
    await this.#database.close();
  }

  /** The one place where something becomes durable: the operations, and the record that makes them count. */
  async #commit(record: StateRecord, operations: readonly Put[]): Promise<void> {
    const next = { ...record, sequence: this.#record.sequence + 1 };
    const state = put(STATE_KEY, Buffer.from(JSON.stringify(next)));
    await this.#batch([...operations, state]);
    this.#record = next;
    this.#witness.note(next.sequence);
  }

  async #batch(operations: Put[]): Promise<void> {
    try {
      await this.#database.batch(operations, { sync: true });
    } catch (error) {
      throw accessFailure('it cannot be written', error);
    }
  }

  /** Ahead of the record that refers to them; each batch synced, since LevelDB may change its log file in between. */
  async #putPieces({ index, data }: Snapshot): Promise<void> {
    for (let piece = 0; piece * PIECE_BYTES < data.length; piece++) {
      const bytes = data.subarray(piece * PIECE_BYTES, (piece + 1) * PIECE_BYTES);
      await this.#batch([put(pieceKey(index, piece), bytes)]);
    }
  }

  /** Frees what the record before the present one referred to. Left-overs are harmless, so this is not synced. */
  async #dropBehind(before: StateRecord): Promise<void> {
    try {
      await this.#clearBehind(before);
    } catch (error) {
      throw accessFailure('it cannot be written', error);
    }
  }

  async #clearBehind(before: StateRecord): Promise<void> {
    const { logStart, lastIndex, snapshot } = this.#record;
    await this.#database.clear({ gt: entryKey(before.logStart.index), lte: entryKey(logStart.index) });
    if (before.lastIndex > lastIndex) {
      await this.#database.clear({ gt: entryKey(lastIndex), lte: entryKey(before.lastIndex) });
    }
    const old = before.snapshot?.index;
    if (old !== undefined && old !== snapshot?.index) {
      await this.#database.clear({ gte: pieceKey(old, 0), lt: pieceKey(old + 1, 0) });
    }
  }

  async #get(key: Buffer): Promise<Buffer | undefined> {
    const value = await this.#database.get(key);
    return value === undefined ? undefined : unframe(key, value);
  }
}

function startingAt(record: StateRecord, snapshot: Snapshot): StateRecord {
  const { index, term } = snapshot;
  const blank = { logStart: { index, term }, lastIndex: index, startCrc: 0, lastCrc: 0 };
  return { ...record, ...blank, snapshot: recordOf(snapshot) };
}

function recordOf({ index, term, voters, data }: Snapshot): SnapshotRecord {
  return { index, term, voters, bytes: data.length, crc: crc32(data) };
}

function entryKey(index: number): Buffer {
  const key = Buffer.alloc(9, 'e');
  key.writeBigUInt64BE(BigInt(index), 1);
  return key;
}

function pieceKey(index: number, piece: number): Buffer {
  const key = Buffer.alloc(13, 'p');
  key.writeBigUInt64BE(BigInt(index), 1);
  key.writeUInt32BE(piece, 9);
  return key;
}

/** `[kind, 1 byte][term, 8 bytes][data]`; the index is in the key. */
function encodeEntry({ kind, term, data }: Entry): Buffer {
  const bytes = Buffer.allocUnsafe(9 + data.length);
  bytes.writeUInt8(KINDS.indexOf(kind), 0);
  bytes.writeBigUInt64BE(BigInt(term), 1);
  data.copy(bytes, 9);
  return bytes;
}

function decodeEntry(index: number, bytes: Buffer): Entry {
  const kind = bytes.length < 9 ? undefined : KINDS[bytes.readUInt8(0)];
  if (kind === undefined) throw damaged(`entry ${index} is of no known kind`);
  return { index, kind, term: Number(bytes.readBigUInt64BE(1)), data: bytes.subarray(9) };
}

/** @param before the checksum that this one goes on from */
function put(key: Buffer, payload: Buffer, before = 0): Put {
  const value = Buffer.allocUnsafe(CRC_BYTES + payload.length);
  value.writeUInt32BE(crc32(payload, crc32(key, before)), 0);
  payload.copy(value, CRC_BYTES);
  return { type: 'put', key, value };
}

function unframe(key: Buffer, value: Buffer, before = 0): Buffer {
  const payload = value.subarray(CRC_BYTES);
  if (value.length < CRC_BYTES || value.readUInt32BE(0) !== crc32(payload, crc32(key, before))) {
    throw damaged(`the value of key ${key.toString('hex')} fails its checksum`);
  }
  return payload;
}

function damaged(what: string, cause?: unknown): MillraceError {
  return new MillraceError(
    'LOG_DAMAGED',
    `the metadata log on this node is damaged: ${what}. It is not repaired silently; move the directory away and start the node with a blank one.`,
    { cause },
  );
}

function causeCode(error: unknown): unknown {
  const { cause, code } = error as { cause?: { code?: unknown }; code?: unknown };
  return cause?.code ?? code;
}

function openFailure(path: string, error: unknown): MillraceError {
  if (causeCode(error) === 'LEVEL_LOCKED') {
    return new MillraceError('DIRECTORY_LOCKED', `another process uses ${path}`, { cause: error });
  }
  return accessFailure(`${path} cannot be opened`, error);
}

/** LevelDB calls it an I/O error, too, when a file that it counts on is gone, or no file, or shorter than it must be. */
const TROUBLE_OF_THE_MACHINE =
  /input\/output error|no space left|too many open|permission denied|read-only|cannot allocate/i;

function accessFailure(what: string, error: unknown): MillraceError {
  const code = causeCode(error);
  const { message, cause } = error as Partial<Error>;
  const isDamage =
    code === 'LEVEL_CORRUPTION' ||
    (code === 'LEVEL_IO_ERROR' && !TROUBLE_OF_THE_MACHINE.test(`${message} ${String(cause)}`));
  return isDamage ? damaged(what, error) : writeFailure(error);
}

function writeFailure(error: unknown): MillraceError {
  const isFull = error instanceof Error && /no space left/i.test(`${error.message} ${String(error.cause)}`);
  return isFull ? new MillraceError('DISK_FULL', undefined, { cause: error }) : toMillraceError(error);
}
