/**
 * One record of the journal: a fixed header, then the batches as they stand in the log. Bytes in, bytes out.
 *
 * ```
 *  0 u32 CRC-32C of bytes 4..71        32 i64 base offset         52 u32 position of the round in the file
 *  4 u32 CRC-32C of the payload        40 i64 last offset         56 16 bytes topic id
 *  8 u32 payload length                48 i32 leader epoch        (72) payload
 * 12 u32 magic                         16 i64 file number
 * 24 u16 kind, 26 u16 zero, 28 i32 partition
 * ```
 * The file number is under the CRC: bytes of an earlier life of a reused file never pass for new ones. The
 * position of the round tells that everything before it was on stable storage when the record was written.
 */
import { crc32c } from '@millrace/records';

export const JOURNAL_HEADER_BYTES = 72;
const MAGIC = 0x6d6a6e31;

/**
 * `begin` opens a file; `batches` were appended; `epoch` was assigned; `reset` voids what came before: all below
 * its offset is on stable storage in the log itself; `start` tells that what was appended right before was not
 * journalled and nobody was promised it yet.
 */
export type JournalKind = 'begin' | 'batches' | 'epoch' | 'reset' | 'start';

const KINDS: readonly JournalKind[] = ['begin', 'batches', 'epoch', 'reset', 'start'];

export interface JournalHeader {
  readonly kind: JournalKind;
  readonly fileNumber: number;
  readonly topicId: string;
  readonly partition: number;
  /** `begin`: end of the file before. `epoch`: its first offset. `reset`, `start`: where the log goes on. */
  readonly baseOffset: number;
  /** `begin`: number of the file before; 0 if there was none in the same run. */
  readonly lastOffset: number;
  readonly leaderEpoch: number;
  readonly roundStart: number;
  readonly payloadBytes: number;
  readonly payloadCrc: number;
}

const TWO_POW_32 = 2 ** 32;

/** Writes the header at `at`; allocates nothing. @param topicId 16 bytes */
export function writeJournalHeader(
  target: Buffer,
  at: number,
  header: Omit<JournalHeader, 'topicId' | 'payloadBytes' | 'payloadCrc'>,
  topicId: Buffer,
  payload: Buffer | undefined,
): void {
  target.writeUInt32BE(payload === undefined ? 0 : crc32c(payload), at + 4);
  target.writeUInt32BE(payload === undefined ? 0 : payload.length, at + 8);
  target.writeUInt32BE(MAGIC, at + 12);
  writeInt64(target, at + 16, header.fileNumber);
  target.writeUInt32BE(KINDS.indexOf(header.kind) << 16, at + 24);
  target.writeInt32BE(header.partition, at + 28);
  writeInt64(target, at + 32, header.baseOffset);
  writeInt64(target, at + 40, header.lastOffset);
  target.writeInt32BE(header.leaderEpoch, at + 48);
  target.writeUInt32BE(header.roundStart, at + 52);
  topicId.copy(target, at + 56);
  target.writeUInt32BE(crc32c(target, at + 4, at + JOURNAL_HEADER_BYTES), at);
}

/** Undefined unless a whole, valid header of file `fileNumber` stands at `at`. */
export function readJournalHeader(bytes: Buffer, at: number, fileNumber: number): JournalHeader | undefined {
  if (at + JOURNAL_HEADER_BYTES > bytes.length || bytes.readUInt32BE(at + 12) !== MAGIC) return undefined;
  if (readInt64(bytes, at + 16) !== fileNumber) return undefined;
  if (bytes.readUInt32BE(at) !== crc32c(bytes, at + 4, at + JOURNAL_HEADER_BYTES)) return undefined;
  const kind = KINDS[bytes.readUInt16BE(at + 24)];
  if (kind === undefined) return undefined;
  return {
    kind,
    fileNumber,
    partition: bytes.readInt32BE(at + 28),
    baseOffset: readInt64(bytes, at + 32),
    lastOffset: readInt64(bytes, at + 40),
    leaderEpoch: bytes.readInt32BE(at + 48),
    roundStart: bytes.readUInt32BE(at + 52),
    topicId: bytes.toString('base64url', at + 56, at + JOURNAL_HEADER_BYTES),
    payloadCrc: bytes.readUInt32BE(at + 4),
    payloadBytes: bytes.readUInt32BE(at + 8),
  };
}

/** The first valid header of file `fileNumber` at or after `from`, and where it stands. */
export function findJournalHeader(
  bytes: Buffer,
  from: number,
  fileNumber: number,
): { readonly at: number; readonly header: JournalHeader } | undefined {
  const mark = Buffer.alloc(12);
  mark.writeUInt32BE(MAGIC, 0);
  writeInt64(mark, 4, fileNumber);
  for (let at = bytes.indexOf(mark, from); at !== -1; at = bytes.indexOf(mark, at + 1)) {
    const header = at < from + 12 ? undefined : readJournalHeader(bytes, at - 12, fileNumber);
    if (header !== undefined) return { at: at - 12, header };
  }
  return undefined;
}

function writeInt64(target: Buffer, at: number, value: number): void {
  target.writeInt32BE(Math.floor(value / TWO_POW_32), at);
  target.writeUInt32BE(value >>> 0, at + 4);
}

function readInt64(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) * TWO_POW_32 + bytes.readUInt32BE(at + 4);
}
