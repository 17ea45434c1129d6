/**
 * Writes records into a batch as they come. The producer's hot path: one growing buffer with room for the
 * header in front, no object per record, no copy at the end unless the batch is compressed.
 * Never used twice: the built batch is the builder's own buffer, and nobody else's until it is released.
 */
import { invariant, KiB } from '@millrace/core';
import { CRC_START, FIELD, HEADER_BYTES, LENGTH_PREFIX_BYTES, MAGIC_V2, writeInt64 } from './batch-header.ts';
import { type CompressionCodec, codecId } from './codec-id.ts';
import { compress } from './compression.ts';
import { crc32c } from './crc32c.ts';
import { joinCrc32c } from './crc32c-join.ts';
import { type LogRecord, NO_HEADERS, type RecordHeader } from './log-record.ts';
import { VARLONG_MAX, varintSize, varlongSize, writeVarint, writeVarlong } from './varint.ts';

const INITIAL_BYTES = 4 * KiB;
/** Records are summed up in pieces of this size, while they are still in the processor's cache. */
const SUM_BYTES = 64 * KiB;

/** Where builders get their buffers. What one gives back may be taken by the next, with anything in it. */
export interface BatchMemory {
  /** A buffer of exactly that size. */
  take(bytes: number): Buffer;
  /** Nobody reads or writes the buffer any more. */
  giveBack(buffer: Buffer): void;
}

export interface BatchBuilderOptions {
  readonly codec: CompressionCodec;
  /** The codec's own scale; its default if absent. */
  readonly level?: number;
  /** Uncompressed size, header included, above which only a first record may go. */
  readonly capacityBytes: number;
  /** Room to begin with, in bytes; more is made as needed. Default 4 KiB. */
  readonly expectedBytes?: number;
  /** By default buffers are new, and left to the garbage collector. */
  readonly memory?: BatchMemory;
}

/** Who wrote a batch and where it stands in that producer's sequence. */
export interface BatchProducer {
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
}

const NEW_MEMORY: BatchMemory = { take: (bytes) => Buffer.allocUnsafeSlow(bytes), giveBack: () => undefined };
const NO_BYTES = Buffer.alloc(0);
const NO_PRODUCER: BatchProducer = { producerId: -1, producerEpoch: -1, baseSequence: -1 };

export class BatchBuilder {
  readonly #codec: CompressionCodec;
  readonly #level: number | undefined;
  readonly #capacityBytes: number;
  readonly #memory: BatchMemory;
  #bytes: Buffer;
  #end = HEADER_BYTES;
  /** Checksum of the records before `#summedEnd`; not used if they are compressed. */
  #recordsCrc = 0;
  #summedEnd = HEADER_BYTES;
  #recordCount = 0;
  #baseTimestamp = 0;
  #maxTimestamp = 0;
  #isBuilt = false;

  constructor(options: BatchBuilderOptions) {
    const { codec, level, capacityBytes, expectedBytes = INITIAL_BYTES, memory = NEW_MEMORY } = options;
    this.#codec = codec;
    this.#level = level;
    this.#capacityBytes = capacityBytes;
    this.#memory = memory;
    this.#bytes = memory.take(Math.max(HEADER_BYTES, Math.min(capacityBytes, expectedBytes)));
  }

  get recordCount(): number {
    return this.#recordCount;
  }

  /** Uncompressed, header included. */
  get sizeBytes(): number {
    return this.#end;
  }

  /**
   * Copies a record in. Returns its offset delta in the batch, or -1, with nothing changed, if it does not
   * fit any more. The first record always fits. `timestamp` is in milliseconds since the epoch.
   */
  tryAppend(
    timestamp: number,
    key: Uint8Array | null,
    value: Uint8Array | null,
    headers: readonly RecordHeader[],
  ): number {
    invariant(!this.#isBuilt, 'a built batch takes no more records');
    const offsetDelta = this.#recordCount;
    if (offsetDelta === 0) this.#begin(timestamp);
    const timestampDelta = timestamp - this.#baseTimestamp;
    checkTimestamp(timestamp, timestampDelta);
    const bodyBytes =
      1 +
      varlongSize(timestampDelta) +
      varintSize(offsetDelta) +
      sizeOfBytes(key) +
      sizeOfBytes(value) +
      (headers.length === 0 ? 1 : sizeOfHeaders(headers));
    const end = this.#end + varintSize(bodyBytes) + bodyBytes;
    if (end > this.#capacityBytes && offsetDelta > 0) return -1;
    if (end > this.#bytes.length) this.#grow(end);

    const bytes = this.#bytes;
    let at = writeVarint(bytes, this.#end, bodyBytes);
    bytes[at++] = 0;
    at = writeVarlong(bytes, at, timestampDelta);
    at = writeVarint(bytes, at, offsetDelta);
    at = writeBytes(bytes, at, key);
    at = writeBytes(bytes, at, value);
    at = writeVarint(bytes, at, headers.length);
    if (headers.length > 0) writeHeaders(bytes, at, headers);

    this.#end = end;
    if (end - this.#summedEnd >= SUM_BYTES) this.#sum();
    this.#recordCount = offsetDelta + 1;
    if (timestamp > this.#maxTimestamp) this.#maxTimestamp = timestamp;
    return offsetDelta;
  }

  /** The finished batch: base offset 0, leader epoch -1, CRC set. The builder is spent. */
  build(producer: BatchProducer = NO_PRODUCER): Buffer {
    invariant(!this.#isBuilt, 'a batch builder builds once');
    invariant(this.#recordCount > 0, 'a batch has a record');
    this.#isBuilt = true;
    const batch = this.#compressed();
    writeInt64(batch, FIELD.baseOffset, 0);
    batch.writeInt32BE(batch.length - LENGTH_PREFIX_BYTES, FIELD.length);
    batch.writeInt32BE(-1, FIELD.leaderEpoch);
    batch.writeInt8(MAGIC_V2, FIELD.magic);
    batch.writeUInt16BE(codecId(this.#codec), FIELD.attributes);
    batch.writeInt32BE(this.#recordCount - 1, FIELD.lastOffsetDelta);
    writeInt64(batch, FIELD.baseTimestamp, this.#baseTimestamp);
    writeInt64(batch, FIELD.maxTimestamp, this.#maxTimestamp);
    writeInt64(batch, FIELD.producerId, producer.producerId);
    batch.writeInt16BE(producer.producerEpoch, FIELD.producerEpoch);
    batch.writeInt32BE(producer.baseSequence, FIELD.baseSequence);
    batch.writeInt32BE(this.#recordCount, FIELD.recordCount);
    batch.writeUInt32BE(this.#checksum(batch), FIELD.crc);
    return batch;
  }

  /** Gives the buffer back. Nobody may read the built batch afterwards. */
  release(): void {
    const bytes = this.#bytes;
    if (bytes === NO_BYTES) return;
    this.#bytes = NO_BYTES;
    this.#isBuilt = true;
    this.#memory.giveBack(bytes);
  }

  #sum(): void {
    if (this.#codec !== 'none') return;
    this.#recordsCrc = crc32c(this.#bytes, this.#summedEnd, this.#end, this.#recordsCrc);
    this.#summedEnd = this.#end;
  }

  #checksum(batch: Buffer): number {
    if (this.#codec !== 'none' || this.#summedEnd === HEADER_BYTES) return crc32c(batch, CRC_START);
    this.#sum();
    return joinCrc32c(crc32c(batch, CRC_START, HEADER_BYTES), this.#recordsCrc, this.#end - HEADER_BYTES);
  }

  #begin(timestamp: number): void {
    this.#baseTimestamp = timestamp;
    this.#maxTimestamp = timestamp;
  }

  /** Sizes are few, so that buffers are found again: each twice the one before, and the capacity. */
  #grow(neededBytes: number): void {
    let size = this.#bytes.length;
    while (size < neededBytes) size *= 2;
    const bytes = this.#memory.take(Math.max(neededBytes, Math.min(size, this.#capacityBytes)));
    this.#bytes.copy(bytes, HEADER_BYTES, HEADER_BYTES, this.#end);
    this.#memory.giveBack(this.#bytes);
    this.#bytes = bytes;
  }

  /** Room for a header, then the records as they are stored. */
  #compressed(): Buffer {
    const whole = this.#bytes.subarray(0, this.#end);
    if (this.#codec === 'none') return whole;
    const records = compress(this.#codec, whole.subarray(HEADER_BYTES), this.#level);
    const batch = Buffer.allocUnsafeSlow(HEADER_BYTES + records.length);
    records.copy(batch, HEADER_BYTES);
    this.release();
    return batch;
  }
}

/** What `buildBatch` needs of a record; absent parts are null, time 0 and no headers. */
export type RecordInput = Partial<Omit<LogRecord, 'offset'>>;

/** All of `records` in one batch, whatever its size. For tools and tests; producers use BatchBuilder. */
export function buildBatch(
  records: readonly RecordInput[],
  options: {
    readonly codec?: CompressionCodec;
    readonly level?: number;
    readonly producer?: BatchProducer;
    readonly baseOffset?: number;
    readonly leaderEpoch?: number;
  } = {},
): Buffer {
  const { codec = 'none', level } = options;
  const builder = new BatchBuilder({
    codec,
    ...(level !== undefined && { level }),
    capacityBytes: Number.MAX_SAFE_INTEGER,
  });
  for (const { timestamp = 0, key = null, value = null, headers = NO_HEADERS } of records) {
    builder.tryAppend(timestamp, key, value, headers);
  }
  const batch = builder.build(options.producer);
  writeInt64(batch, FIELD.baseOffset, options.baseOffset ?? 0);
  batch.writeInt32BE(options.leaderEpoch ?? -1, FIELD.leaderEpoch);
  return batch;
}

function checkTimestamp(timestamp: number, delta: number): void {
  if (Number.isSafeInteger(timestamp) && delta <= VARLONG_MAX && delta >= -VARLONG_MAX) return;
  invariant(false, 'a timestamp is an integer near the first one of its batch', { timestamp, delta });
}

function sizeOfBytes(bytes: Uint8Array | null): number {
  return bytes === null ? 1 : varintSize(bytes.length) + bytes.length;
}

function sizeOfHeaders(headers: readonly RecordHeader[]): number {
  let size = varintSize(headers.length);
  for (const { key, value } of headers) {
    const keyBytes = Buffer.byteLength(key);
    size += varintSize(keyBytes) + keyBytes + sizeOfBytes(value);
  }
  return size;
}

function writeBytes(target: Buffer, position: number, bytes: Uint8Array | null): number {
  if (bytes === null) return writeVarint(target, position, -1);
  const at = writeVarint(target, position, bytes.length);
  target.set(bytes, at);
  return at + bytes.length;
}

function writeHeaders(target: Buffer, position: number, headers: readonly RecordHeader[]): void {
  let at = position;
  for (const { key, value } of headers) {
    const keyBytes = Buffer.byteLength(key);
    at = writeVarint(target, at, keyBytes);
    target.write(key, at, keyBytes, 'utf8');
    at = writeBytes(target, at + keyBytes, value);
  }
}
