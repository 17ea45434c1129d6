/**
 * What producers of Kafka 0.10 and before send, as one batch of today's format: the same keys, values and times, the
 * same codec. Offsets of messages are dropped, the absolute ones and those inside wrappers alike: the leader gives
 * new ones. Off the hot path; trusts nothing that came over the network.
 */
import { MillraceError } from '@millrace/core';
import { BatchBuilder } from './batch-builder.ts';
import { type CompressionCodec, codecOfId } from './codec-id.ts';
import { corrupt, refuseAbove } from './decompressed-size.ts';
import { accounted, CALL_BYTES, type DecompressionLimits, inflated } from './inflated.ts';
import { NO_HEADERS } from './log-record.ts';
import { decompressOldLz4 } from './lz4.ts';
import { MessageCursor, NO_TIMESTAMP } from './message-cursor.ts';
import { VARLONG_MAX } from './varint.ts';

/**
 * Plain messages, wrappers, or both, of format 0 or 1. The codec of the batch is that of the first message.
 *
 * @param limits bounds the set itself, and what all its wrappers together inflate to, each of them one KiB at least.
 * @throws {MillraceError} CORRUPT_MESSAGE for a wrong checksum or bytes that are no messages, UNSUPPORTED_COMPRESSION_TYPE,
 * INVALID_RECORD for what Kafka's rules forbid, an empty set, or wrappers beyond the limit.
 */
export function convertMessageSet(set: Buffer, limits: DecompressionLimits): Buffer {
  refuseAbove(limits.maxDecompressedBytes, set.length);
  limits.spent?.(set.length);
  const messages = new MessageCursor(set);
  let builder: Conversion | undefined;
  let leftBytes = limits.maxDecompressedBytes;
  while (messages.next()) {
    const codec = codecOf(messages);
    builder ??= new Conversion(codec, set.length);
    if (messages.isLogAppendTime) throw invalid('the time of append is not a producer’s to set');
    if (codec === 'none') {
      builder.append(messages);
      continue;
    }
    const inner = unwrapped(messages, codec, { ...limits, maxDecompressedBytes: leftBytes });
    leftBytes = Math.max(0, leftBytes - CALL_BYTES - inner.length);
    convertWrapped(messages.magic, inner, builder);
  }
  if (builder === undefined) throw invalid('there are no records');
  return builder.build();
}

/** Zstandard came with batches: no client may put it into a message. */
function codecOf({ codecId }: MessageCursor): CompressionCodec {
  const codec = codecOfId(codecId);
  if (codec !== 'zstd') return codec;
  throw new MillraceError('UNSUPPORTED_COMPRESSION_TYPE', 'messages of old formats cannot have zstd');
}

function unwrapped(
  { magic, value }: MessageCursor,
  codec: CompressionCodec,
  limits: DecompressionLimits,
): Buffer {
  if (value === null) throw invalid('a compressed message has no value');
  refuseAbove(limits.maxDecompressedBytes, 1);
  if (codec !== 'lz4' || magic === 1) return inflated(codec, value, limits);
  try {
    return accounted(codec, value.length, limits, (maxBytes) => decompressOldLz4(value, maxBytes));
  } catch (error) {
    if (error instanceof MillraceError) throw error;
    throw corrupt('the messages are not valid lz4 data', error);
  }
}

function convertWrapped(magic: number, set: Buffer, builder: Conversion): void {
  const messages = new MessageCursor(set);
  if (set.length === 0) throw invalid('a compressed message holds no messages');
  while (messages.next()) {
    if (messages.magic !== magic) throw invalid(`format ${messages.magic} inside of format ${magic}`);
    if (messages.codecId !== 0) throw invalid('a compressed message inside of another');
    builder.append(messages);
  }
}

/** The batch in the making. */
class Conversion {
  readonly #builder: BatchBuilder;
  #firstTimestamp: number | undefined;

  constructor(codec: CompressionCodec, expectedBytes: number) {
    this.#builder = new BatchBuilder({ codec, expectedBytes, capacityBytes: Number.MAX_SAFE_INTEGER });
  }

  append({ timestamp, key, value }: MessageCursor): void {
    if (timestamp < NO_TIMESTAMP || timestamp > Number.MAX_SAFE_INTEGER) {
      throw invalid(`timestamp ${timestamp} is out of range`);
    }
    this.#firstTimestamp ??= timestamp;
    if (Math.abs(timestamp - this.#firstTimestamp) > VARLONG_MAX) {
      throw invalid(`timestamps ${this.#firstTimestamp} and ${timestamp} are too far apart for one batch`);
    }
    this.#builder.tryAppend(timestamp, key, value, NO_HEADERS);
  }

  build(): Buffer {
    return this.#builder.build();
  }
}

function invalid(message: string): MillraceError {
  return new MillraceError('INVALID_RECORD', message);
}
