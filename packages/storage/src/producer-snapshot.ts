/**
 * The `.snapshot` file: producer state at one offset, in Kafka's format version 1. Bytes in, bytes out.
 * Of each producer only the newest batch is kept, as in Kafka; older ones are answered as duplicates.
 */
import { crc32c } from '@millrace/records';
import type { ProducerEntry } from './producer-state.ts';

const VERSION = 1;
const ENTRIES_AT = 10;
const ENTRY_BYTES = 46;
const SEQUENCES = 2 ** 31;

export function encodeSnapshot(entries: Iterable<ProducerEntry>): Buffer {
  const all = [...entries];
  const bytes = Buffer.alloc(ENTRIES_AT + all.length * ENTRY_BYTES);
  bytes.writeInt16BE(VERSION, 0);
  bytes.writeInt32BE(all.length, 6);
  let at = ENTRIES_AT;
  for (const entry of all) {
    const last = entry.batches.at(-1);
    bytes.writeBigInt64BE(BigInt(entry.producerId), at);
    bytes.writeInt16BE(entry.epoch, at + 8);
    bytes.writeInt32BE(last?.lastSequence ?? -1, at + 10);
    bytes.writeBigInt64BE(BigInt(last?.lastOffset ?? -1), at + 14);
    bytes.writeInt32BE(last === undefined ? 0 : last.lastOffset - last.baseOffset, at + 22);
    bytes.writeBigInt64BE(BigInt(last?.timestamp ?? -1), at + 26);
    bytes.writeInt32BE(entry.coordinatorEpoch, at + 34);
    bytes.writeBigInt64BE(BigInt(entry.currentTxnFirstOffset), at + 38);
    at += ENTRY_BYTES;
  }
  bytes.writeUInt32BE(crc32c(bytes, 6), 2);
  return bytes;
}

/** Undefined if version, size or checksum is wrong. Entries come with `lastSeenMs = nowMs`. */
export function decodeSnapshot(bytes: Buffer, nowMs: number): ProducerEntry[] | undefined {
  if (bytes.length < ENTRIES_AT || bytes.readInt16BE(0) !== VERSION) return undefined;
  const count = bytes.readInt32BE(6);
  if (bytes.length !== ENTRIES_AT + count * ENTRY_BYTES) return undefined;
  if (bytes.readUInt32BE(2) !== crc32c(bytes, 6)) return undefined;
  const entries: ProducerEntry[] = [];
  for (let at = ENTRIES_AT; at < bytes.length; at += ENTRY_BYTES) entries.push(decodeEntry(bytes, at, nowMs));
  return entries;
}

function decodeEntry(bytes: Buffer, at: number, nowMs: number): ProducerEntry {
  const lastSequence = bytes.readInt32BE(at + 10);
  const lastOffset = Number(bytes.readBigInt64BE(at + 14));
  const offsetDelta = bytes.readInt32BE(at + 22);
  const timestamp = Number(bytes.readBigInt64BE(at + 26));
  const baseSequence = (lastSequence - offsetDelta + SEQUENCES) % SEQUENCES;
  const last = { baseSequence, lastSequence, baseOffset: lastOffset - offsetDelta, lastOffset, timestamp };
  return {
    producerId: Number(bytes.readBigInt64BE(at)),
    epoch: bytes.readInt16BE(at + 8),
    batches: lastSequence === -1 ? [] : [last],
    sequencesKnown: Number.POSITIVE_INFINITY,
    lastSeenMs: nowMs,
    coordinatorEpoch: bytes.readInt32BE(at + 34),
    currentTxnFirstOffset: Number(bytes.readBigInt64BE(at + 38)),
  };
}
