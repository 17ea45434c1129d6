/**
 * Messages of the formats before record batches (magic 0 and 1), walked in place. One object for all messages of a
 * set. Checks lengths and the CRC of each; knows nothing of compression, which is a message's value.
 *
 * A message: offset int64, size int32 (of what follows), CRC-32 uint32 (of what follows), magic int8, attributes
 * int8, in format 1 a timestamp int64, key and value, each after its length int32 (-1 for null).
 */
import { crc32 } from 'node:zlib';
import { MillraceError } from '@millrace/core';
import { readInt64 } from './batch-header.ts';
import { corrupt } from './decompressed-size.ts';

const SIZE = 8;
const CRC = 12;
const MAGIC = 16;
const ATTRIBUTES = 17;
const TIMESTAMP = 18;
const LENGTH_BYTES = 4;
/** From the offset to the end of an empty message, by magic. */
const MESSAGE_BYTES_MIN = [26, 34] as const;

const CODEC_MASK = 0x07;
const LOG_APPEND_TIME = 0x08;

/** What messages of format 0 have for a timestamp, and those of format 1 without one. */
export const NO_TIMESTAMP = -1;

/** The fields speak of the message that `next` came to. */
export class MessageCursor {
  magic: 0 | 1 = 0;
  /** 0 .. 7, as in a batch; a message with a codec is a wrapper, its value a set of messages. */
  codecId = 0;
  /** The timestamp is the leader's, not the producer's. */
  isLogAppendTime = false;
  /** Milliseconds since the epoch, or NO_TIMESTAMP. */
  timestamp = NO_TIMESTAMP;
  /** Key and value share memory with the set. */
  key: Buffer | null = null;
  value: Buffer | null = null;
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** @returns false after the last message. @throws {MillraceError} CORRUPT_MESSAGE, INVALID_RECORD or MESSAGE_TOO_LARGE. */
  next(): boolean {
    const start = this.#at;
    if (start === this.#bytes.length) return false;
    const end = this.#endOfMessage(start);
    const bytes = this.#bytes;
    if (crc32(bytes.subarray(start + MAGIC, end)) !== bytes.readUInt32BE(start + CRC)) {
      throw corrupt('a message does not match its checksum');
    }
    const attributes = bytes[start + ATTRIBUTES]!;
    this.codecId = attributes & CODEC_MASK;
    this.isLogAppendTime = this.magic === 1 && (attributes & LOG_APPEND_TIME) !== 0;
    this.timestamp = this.magic === 0 ? NO_TIMESTAMP : readInt64(bytes, start + TIMESTAMP);
    this.#at = start + (this.magic === 0 ? TIMESTAMP : TIMESTAMP + 8);
    this.key = this.#slice(end);
    this.value = this.#slice(end);
    if (this.#at !== end) throw invalid('a message is not as long as it claims');
    return true;
  }

  /** Sets `magic` too: it says how short a message may be. */
  #endOfMessage(start: number): number {
    const bytes = this.#bytes;
    if (bytes.length - start < MESSAGE_BYTES_MIN[0]) throw corrupt('a message is cut short');
    const magic = bytes.readInt8(start + MAGIC);
    if (magic !== 0 && magic !== 1) throw invalid(`a message of format ${magic} among older ones`);
    this.magic = magic;
    const sizeBytes = CRC + bytes.readInt32BE(start + SIZE);
    if (sizeBytes < MESSAGE_BYTES_MIN[magic] || sizeBytes > bytes.length - start) {
      throw corrupt(`a message claims an impossible size of ${sizeBytes} bytes`);
    }
    return start + sizeBytes;
  }

  #slice(end: number): Buffer | null {
    const start = this.#at + LENGTH_BYTES;
    const length = start > end ? -2 : this.#bytes.readInt32BE(this.#at);
    if (length < -1 || start + length > end) throw corrupt(`a key or value claims ${length} bytes`);
    this.#at = start + Math.max(0, length);
    return length === -1 ? null : this.#bytes.subarray(start, this.#at);
  }
}

function invalid(message: string): MillraceError {
  return new MillraceError('INVALID_RECORD', message);
}
