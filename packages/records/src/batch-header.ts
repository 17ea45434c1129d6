/**
 * Where the fields of a record batch v2 header lie, and 64-bit integers as plain numbers.
 * Only positions and byte order; never a rule about what a field may hold. All integers are big-endian.
 */

/** Bytes in front of a batch's records. */
export const HEADER_BYTES = 61;

/** The length field counts what follows it; these bytes it leaves out. */
export const LENGTH_PREFIX_BYTES = 12;

export const MAGIC_V2 = 2;

export const FIELD = {
  baseOffset: 0,
  length: 8,
  leaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  recordCount: 57,
} as const;

/** Everything from here on is under the CRC: offset and leader epoch are not, so a broker may set them. */
export const CRC_START = FIELD.attributes;

export const ATTRIBUTE = {
  codecMask: 0x07,
  logAppendTime: 0x08,
  transactional: 0x10,
  control: 0x20,
  deleteHorizon: 0x40,
  unusedMask: 0xff80,
} as const;

const TWO_POW_32 = 2 ** 32;

/** An int64 as a number: exact within ±2^53, rounded beyond. Far cheaper than `readBigInt64BE`. */
export function readInt64(bytes: Buffer, position: number): number {
  return bytes.readInt32BE(position) * TWO_POW_32 + bytes.readUInt32BE(position + 4);
}

export function writeInt64(bytes: Buffer, position: number, value: number): void {
  bytes.writeInt32BE(Math.floor(value / TWO_POW_32), position);
  bytes.writeUInt32BE(value >>> 0, position + 4);
}
