/**
 * A record batch read in place (record batch format v2). Holds a window on the caller's buffer and never
 * copies it, never decodes a record, never trusts a count. Offsets and times are plain numbers.
 */
import { MillraceError } from '@millrace/core';
import {
  ATTRIBUTE,
  CRC_START,
  FIELD,
  HEADER_BYTES,
  LENGTH_PREFIX_BYTES,
  MAGIC_V2,
  readInt64,
  writeInt64,
} from './batch-header.ts';
import { type CompressionCodec, codecOfId } from './codec-id.ts';
import { crc32c } from './crc32c.ts';

/** Sequences are int32 and start again at 0. */
const SEQUENCE_MODULUS = 2 ** 31;

/** Valid only while the buffer it was made from is not reused. */
export class BatchView {
  readonly #bytes: Buffer;

  private constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /**
   * The batch at `position`, or undefined if the buffer ends inside it: a torn tail, not an error.
   * Only length and magic are looked at; see `checkBatch`.
   *
   * @throws {MillraceError} CORRUPT_MESSAGE for a length no batch can have, UNSUPPORTED_FOR_MESSAGE_FORMAT
   * for message formats other than v2.
   */
  static at(buffer: Buffer, position: number): BatchView | undefined {
    const available = buffer.length - position;
    if (available <= FIELD.magic) return undefined;
    const sizeBytes = LENGTH_PREFIX_BYTES + buffer.readInt32BE(position + FIELD.length);
    const magic = buffer.readInt8(position + FIELD.magic);
    // Messages of the old formats may be shorter than a header of today's: name them first.
    if (magic === 0 || magic === 1) throw unsupported(magic, position);
    if (sizeBytes < HEADER_BYTES) {
      throw new MillraceError(
        'CORRUPT_MESSAGE',
        `the batch at byte ${position} claims an impossible size of ${sizeBytes} bytes`,
      );
    }
    if (magic !== MAGIC_V2) throw unsupported(magic, position);
    return sizeBytes <= available
      ? new BatchView(buffer.subarray(position, position + sizeBytes))
      : undefined;
  }

  /** The whole batch, header included. Shares memory. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  /** What follows the header, compressed as `codec` says. Shares memory. */
  get recordsBytes(): Buffer {
    return this.#bytes.subarray(HEADER_BYTES);
  }

  get sizeBytes(): number {
    return this.#bytes.length;
  }

  get baseOffset(): number {
    return readInt64(this.#bytes, FIELD.baseOffset);
  }

  /** Inclusive. Counts records that compaction removed. */
  get lastOffset(): number {
    return this.baseOffset + this.lastOffsetDelta;
  }

  /** The first offset after this batch. */
  get nextOffset(): number {
    return this.lastOffset + 1;
  }

  /** Epoch of the leader that appended the batch; -1 from producers. */
  get leaderEpoch(): number {
    return this.#bytes.readInt32BE(FIELD.leaderEpoch);
  }

  /** As stored, unsigned. */
  get crc(): number {
    return this.#bytes.readUInt32BE(FIELD.crc);
  }

  /** Sixteen bits, unsigned. */
  get attributes(): number {
    return this.#bytes.readUInt16BE(FIELD.attributes);
  }

  /** 0 .. 7; numbers above 4 have no codec. */
  get codecId(): number {
    return this.#bytes[FIELD.attributes + 1]! & ATTRIBUTE.codecMask;
  }

  /** @throws {MillraceError} UNSUPPORTED_COMPRESSION_TYPE. */
  get codec(): CompressionCodec {
    return codecOfId(this.codecId);
  }

  /** Who set the records' timestamps: the producer, or the leader for the whole batch. */
  get timestampType(): 'create' | 'append' {
    return this.attributes & ATTRIBUTE.logAppendTime ? 'append' : 'create';
  }

  get isTransactional(): boolean {
    return (this.attributes & ATTRIBUTE.transactional) !== 0;
  }

  /** Holds markers of the cluster, not records of a producer. */
  get isControl(): boolean {
    return (this.attributes & ATTRIBUTE.control) !== 0;
  }

  get lastOffsetDelta(): number {
    return this.#bytes.readInt32BE(FIELD.lastOffsetDelta);
  }

  /** When the tombstones in a compacted batch may go; undefined before a cleaner has seen them. Source: KIP-534. */
  get deleteHorizonMs(): number | undefined {
    return (this.attributes & ATTRIBUTE.deleteHorizon) === 0 ? undefined : this.baseTimestamp;
  }

  /**
   * Milliseconds since the epoch. The origin of the records' timestamp deltas: the time of the first record, or the
   * delete horizon if there is one.
   */
  get baseTimestamp(): number {
    return readInt64(this.#bytes, FIELD.baseTimestamp);
  }

  /** Milliseconds since the epoch. With timestamp type 'append', the time of every record. */
  get maxTimestamp(): number {
    return readInt64(this.#bytes, FIELD.maxTimestamp);
  }

  /** -1 for none. */
  get producerId(): number {
    return readInt64(this.#bytes, FIELD.producerId);
  }

  get producerEpoch(): number {
    return this.#bytes.readInt16BE(FIELD.producerEpoch);
  }

  /** -1 for none. */
  get baseSequence(): number {
    return this.#bytes.readInt32BE(FIELD.baseSequence);
  }

  /** Of the last record, wrapping from 2^31-1 to 0; -1 for none. */
  get lastSequence(): number {
    const { baseSequence } = this;
    return baseSequence < 0 ? -1 : (baseSequence + this.lastOffsetDelta) % SEQUENCE_MODULUS;
  }

  /** As the header claims. May be 0 after compaction. */
  get recordCount(): number {
    return this.#bytes.readInt32BE(FIELD.recordCount);
  }

  isCrcValid(): boolean {
    return this.crc === crc32c(this.#bytes, CRC_START);
  }

  /** Writes what the leader decides, in place. Both lie outside the CRC, so nothing is hashed again. */
  assignOffsets(baseOffset: number, leaderEpoch: number): void {
    writeInt64(this.#bytes, FIELD.baseOffset, baseOffset);
    this.#bytes.writeInt32BE(leaderEpoch, FIELD.leaderEpoch);
  }

  /** Gives every record the leader's time, in place, and writes a new CRC. */
  setLogAppendTime(timestampMs: number): void {
    this.#bytes.writeUInt16BE(this.attributes | ATTRIBUTE.logAppendTime, FIELD.attributes);
    writeInt64(this.#bytes, FIELD.maxTimestamp, timestampMs);
    this.#bytes.writeUInt32BE(crc32c(this.#bytes, CRC_START), FIELD.crc);
  }
}

/** The complete batches from the start of `buffer`; a torn one at its end is left out. @throws as `BatchView.at`. */
export function splitBatches(buffer: Buffer): BatchView[] {
  const batches: BatchView[] = [];
  let position = 0;
  for (let batch = BatchView.at(buffer, 0); batch !== undefined; batch = BatchView.at(buffer, position)) {
    batches.push(batch);
    position += batch.sizeBytes;
  }
  return batches;
}

function unsupported(magic: number, position: number): MillraceError {
  return new MillraceError(
    'UNSUPPORTED_FOR_MESSAGE_FORMAT',
    `the batch at byte ${position} has message format ${magic}; only v${MAGIC_V2} is accepted`,
  );
}
