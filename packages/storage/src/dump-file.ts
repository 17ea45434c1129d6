/**
 * Reads any file of a data directory for people who look for what is wrong with it. More lenient than recovery on
 * purpose: it shows what is there, damage included, and goes on as far as sizes make sense. Opens for reading only,
 * and needs no lock on the directory, so it may look at what a running node writes.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { MillraceError } from '@millrace/core';
import { BatchView, decodeRecords } from '@millrace/records';
import type { BatchEntry, DumpEntry } from './dump-entry.ts';
import { dumpJournal } from './dump-journal.ts';

export interface DumpOptions {
  /** Decode the records of each batch, and the batches of each journal record. */
  readonly records: boolean;
}

const SNAPSHOT_HEADER_BYTES = 10;
const PRODUCER_BYTES = 46;
/** Larger files of the kinds that are read whole do not exist. */
const WHOLE_FILE_BYTES_MAX = 1024 * 1024 * 1024;
/** Offset and length: what must be read before the size of a batch is known. */
const BATCH_PREFIX_BYTES = 12;

/** Whether a file of this name is of a kind that `dumpLogFile` knows. */
export function isLogFile(path: string): boolean {
  return readerFor(path) !== undefined;
}

/** @throws {MillraceError} INVALID_REQUEST for a file of no known kind; the system's error if it cannot be read. */
export async function* dumpLogFile(path: string, options: DumpOptions): AsyncGenerator<DumpEntry> {
  const read = readerFor(path);
  if (read === undefined)
    throw new MillraceError('INVALID_REQUEST', `${path} is no file of a data directory`);
  const file = await open(path);
  try {
    yield* read(file, options);
  } finally {
    await file.close();
  }
}

/** The offset in a segment's file name, or undefined. */
export function baseOffsetOf(path: string): bigint | undefined {
  const digits = /^(\d{20})\./.exec(basename(path))?.[1];
  return digits === undefined ? undefined : BigInt(digits);
}

const LINES = /checkpoint$|^partition\.metadata$|\.properties$|^\.kafka_cleanshutdown$/;

type Reader = (file: FileHandle, options: DumpOptions) => AsyncGenerator<DumpEntry>;

function readerFor(path: string): Reader | undefined {
  const base = baseOffsetOf(path) ?? 0n;
  const journal = /^(\d{20})\.journal(?:\.free)?$/.exec(basename(path))?.[1];
  if (journal !== undefined) {
    return async function* (file, options) {
      yield* dumpJournal(await readWhole(file), Number(journal), (batches, at) =>
        options.records ? entriesOfBatches(batches, at, options) : [],
      );
    };
  }
  switch (extname(path)) {
    case '.log':
      return readBatches;
    case '.index':
      return (file) => readEntries(file, 0, 8, (bytes, at) => offsetEntry(bytes, at, base));
    case '.timeindex':
      return (file) => readEntries(file, 0, 12, (bytes, at) => timeEntry(bytes, at, base));
    case '.snapshot':
      return (file) => readEntries(file, SNAPSHOT_HEADER_BYTES, PRODUCER_BYTES, producerEntry);
    default:
      return LINES.test(basename(path)) ? readLines : undefined;
  }
}

async function* readBatches(file: FileHandle, options: DumpOptions): AsyncGenerator<DumpEntry> {
  const { size } = await file.stat();
  for (let position = 0; position < size; ) {
    const sizeBytes = await batchSize(file, position, size);
    if (sizeBytes === undefined) {
      yield { kind: 'damage', position, problem: `${size - position} bytes that are not a whole batch` };
      return;
    }
    let batch: BatchView | undefined;
    try {
      batch = BatchView.at(await readExactly(file, position, sizeBytes), 0);
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error;
      yield { kind: 'damage', position, problem: error.message };
      return;
    }
    if (batch === undefined) {
      yield { kind: 'damage', position, problem: 'the file ends inside a batch' };
      return;
    }
    yield* batchEntries(batch, position, options);
    position += batch.sizeBytes;
  }
}

async function batchSize(file: FileHandle, position: number, fileBytes: number): Promise<number | undefined> {
  if (fileBytes - position < BATCH_PREFIX_BYTES) return undefined;
  const prefix = await readExactly(file, position, BATCH_PREFIX_BYTES);
  if (prefix.length < BATCH_PREFIX_BYTES) return undefined;
  const sizeBytes = BATCH_PREFIX_BYTES + prefix.readInt32BE(8);
  return sizeBytes > BATCH_PREFIX_BYTES && position + sizeBytes <= fileBytes ? sizeBytes : undefined;
}

function* batchEntries(batch: BatchView, position: number, options: DumpOptions): Generator<DumpEntry> {
  const isValid = batch.isCrcValid();
  const entry: BatchEntry = {
    kind: 'batch',
    baseOffset: batch.baseOffset,
    lastOffset: batch.lastOffset,
    count: batch.recordCount,
    baseSequence: batch.baseSequence,
    lastSequence: batch.lastSequence,
    producerId: batch.producerId,
    producerEpoch: batch.producerEpoch,
    partitionLeaderEpoch: batch.leaderEpoch,
    isTransactional: batch.isTransactional,
    isControl: batch.isControl,
    position,
    timestampType: batch.timestampType,
    maxTimestamp: batch.maxTimestamp,
    sizeBytes: batch.sizeBytes,
    codec: batch.codecId <= 4 ? batch.codec : `unknown(${batch.codecId})`,
    crc: batch.crc,
    isValid,
  };
  if (!isValid) {
    yield entry;
    yield { kind: 'damage', position, problem: 'the batch does not match its checksum' };
    return;
  }
  if (!options.records) {
    yield entry;
    return;
  }
  try {
    yield { ...entry, records: decodeRecords(batch) };
  } catch (error) {
    yield entry;
    yield { kind: 'damage', position, problem: (error as Error).message };
  }
}

/** Of batches back to back in memory, the first of them at `position` of the file. */
function* entriesOfBatches(bytes: Buffer, position: number, options: DumpOptions): Generator<DumpEntry> {
  let at = 0;
  try {
    for (let batch = BatchView.at(bytes, at); batch !== undefined; batch = BatchView.at(bytes, at)) {
      yield* batchEntries(batch, position + at, options);
      at += batch.sizeBytes;
    }
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error;
    yield { kind: 'damage', position: position + at, problem: error.message };
  }
}

async function* readEntries(
  file: FileHandle,
  headerBytes: number,
  entryBytes: number,
  entryAt: (bytes: Buffer, at: number) => DumpEntry,
): AsyncGenerator<DumpEntry> {
  const bytes = await readWhole(file);
  let at = headerBytes;
  for (; at + entryBytes <= bytes.length; at += entryBytes) yield entryAt(bytes, at);
  if (at !== bytes.length) {
    yield { kind: 'damage', position: at, problem: `${bytes.length - at} bytes that are not a whole entry` };
  }
}

async function* readLines(file: FileHandle): AsyncGenerator<DumpEntry> {
  const text = (await readWhole(file)).toString('utf8');
  for (const line of text.split('\n')) {
    if (line !== '') yield { kind: 'line', text: line };
  }
}

function offsetEntry(bytes: Buffer, at: number, baseOffset: bigint): DumpEntry {
  return {
    kind: 'offsetIndex',
    offset: baseOffset + BigInt(bytes.readInt32BE(at)),
    position: bytes.readInt32BE(at + 4),
  };
}

function timeEntry(bytes: Buffer, at: number, baseOffset: bigint): DumpEntry {
  return {
    kind: 'timeIndex',
    timestamp: bytes.readBigInt64BE(at),
    offset: baseOffset + BigInt(bytes.readInt32BE(at + 8)),
  };
}

function producerEntry(bytes: Buffer, at: number): DumpEntry {
  return {
    kind: 'producer',
    producerId: bytes.readBigInt64BE(at),
    producerEpoch: bytes.readInt16BE(at + 8),
    coordinatorEpoch: bytes.readInt32BE(at + 34),
    currentTxnFirstOffset: bytes.readBigInt64BE(at + 38),
    lastTimestamp: bytes.readBigInt64BE(at + 26),
    lastSequence: bytes.readInt32BE(at + 10),
    lastOffset: bytes.readBigInt64BE(at + 14),
    offsetDelta: bytes.readInt32BE(at + 22),
  };
}

async function readWhole(file: FileHandle): Promise<Buffer> {
  const { size } = await file.stat();
  if (size > WHOLE_FILE_BYTES_MAX) {
    throw new MillraceError('INVALID_REQUEST', `a file of ${size} bytes is not of this kind`);
  }
  return readExactly(file, 0, size);
}

async function readExactly(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(bytes, done, length - done, position + done);
    // The file is being cut while it is read; what is left of it is what there is.
    if (bytesRead === 0) return bytes.subarray(0, done);
    done += bytesRead;
  }
  return bytes;
}
