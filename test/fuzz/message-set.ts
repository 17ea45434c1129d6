/** Messages of formats 0 and 1, as clients of their day sent them; plain, or wrapped in a compressed message. */
import { crc32 } from 'node:zlib';
import { below, type Random } from '@millrace/core';
import { COMPRESSION_CODECS, compress } from '@millrace/records';

const HEAD_BYTES = 16;
/** zstd is younger than these formats. */
const CODECS = 4;

export function messageSet(random: Random): Buffer {
  const magic = below(random, 2);
  const messages = Array.from({ length: 1 + below(random, 4) }, (_, offset) =>
    message(magic, 0, offset, Buffer.alloc(below(random, 100), offset)),
  );
  const set = Buffer.concat(messages);
  const codec = below(random, CODECS);
  if (codec === 0) return set;
  return message(magic, codec, messages.length - 1, compress(COMPRESSION_CODECS[codec]!, set));
}

function message(magic: number, attributes: number, offset: number, value: Buffer): Buffer {
  const body = Buffer.alloc(magic === 0 ? 2 : 10);
  body[0] = magic;
  body[1] = attributes;
  if (magic === 1) body.writeBigInt64BE(BigInt(Date.now()), 2);
  const sizes = Buffer.alloc(8);
  // No key.
  sizes.writeInt32BE(-1, 0);
  sizes.writeInt32BE(value.length, 4);
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeBigInt64BE(BigInt(offset));
  head.writeInt32BE(4 + body.length + sizes.length + value.length, 8);
  const whole = Buffer.concat([head, body, sizes, value]);
  whole.writeUInt32BE(crc32(whole.subarray(HEAD_BYTES)), 12);
  return whole;
}

/** Makes the checksum of the first message right again, if there is one. */
export function mendMessageSet(set: Buffer): void {
  if (set.length > HEAD_BYTES) {
    const end = Math.min(set.length, 12 + Math.max(4, set.readInt32BE(8)));
    if (end > HEAD_BYTES) set.writeUInt32BE(crc32(set.subarray(HEAD_BYTES, end)), 12);
  }
}
