/**
 * Reads whole batches of one log from its files. Remembers where recent reads ended, so that a reader who goes on pays no
 * lookup, and reads on for him meanwhile. Trusts no index: where one leads astray it is rebuilt, and batches that do not
 * match their checksum are damage, never an answer.
 */
import { BufferPool, type Loan, lendMemory, releaseMemory } from '@millrace/core';
import { BatchView, HEADER_BYTES } from '@millrace/records';
import { trimBatches } from './batch-trim.ts';
import type { LogConfig } from './log-config.ts';
import { segmentOf } from './log-locate.ts';
import { readHeader } from './log-scan.ts';
import type { AheadRead, ReadAheadRoom } from './read-ahead.ts';
import type { Segment } from './segment.ts';

export interface ReadRange {
  readonly fromOffset: number;
  readonly maxBytes: number;
  /** Exclusive; at most the log end offset. */
  readonly upTo: number;
  /** The first batch comes even if it alone is larger than `maxBytes`. Source: KIP-74. */
  readonly minOneBatch: boolean;
  /** Gets the memory of the result, if that can be used again: for whoever knows when nobody looks at it any more. */
  readonly lent?: Loan[] | undefined;
}

/** As ReadRange. */
export type ReadOptions = Partial<Pick<ReadRange, 'minOneBatch' | 'lent'>>;

interface Place {
  readonly offset: number;
  readonly segment: Segment;
  readonly position: number;
}

/** What a reader shares with those of other logs. */
export interface ReaderMemory {
  readonly readAheadRoom?: ReadAheadRoom;
  readonly readBuffers: BufferPool;
}

/** Checked batches, and where the next one begins. */
interface Found {
  readonly bytes: Buffer;
  /** Undefined if there are no batches. */
  readonly end: Place | undefined;
  /** What `bytes` lies in, as BufferPool gave it. */
  readonly memory: Buffer;
}

/** Where a reader is expected again. */
interface KnownPlace extends Place {
  /** What he will find there, unless it is known that he would wait for nothing. */
  readonly ahead: AheadRead<Found> | undefined;
  /** What it was limited to. */
  readonly aheadBytes: number;
}

/** The log's bytes are not what they were when they were written. */
export class DamageFound extends Error {}

const PLACES_MAX = 8;
/** Whoever holds an answer holds what was read for it: if that is so many times as much, it is copied. */
const SPARSE_TIMES = 4;
const SPARSE_BYTES_MIN = 16 * 1024;
/** Read beyond what was asked, for batches that lie between the index entry and the offset. */
const LOOKUP_SLACK_BYTES = 8 * 1024;

export class LogReader {
  readonly #segments: () => readonly Segment[];
  readonly #checksCrcs: boolean;
  readonly #epochAt: (offset: number) => number;
  readonly #room: ReadAheadRoom | undefined;
  readonly #buffers: BufferPool;
  #places: KnownPlace[] = [];
  /** Counts `forget`: what was found before says nothing of what is there now. */
  #era = 0;
  /** The one sealed segment whose indexes are kept in memory. */
  #loaded: Segment | undefined;

  /** @param epochAt the epoch that an offset must have; -1 if unknown. @param memory without it nothing is read ahead, or used again. */
  constructor(
    segments: () => readonly Segment[],
    checksCrcs: boolean,
    epochAt: (offset: number) => number = () => -1,
    memory: ReaderMemory = { readBuffers: new BufferPool({ bytesMax: 0 }) },
  ) {
    this.#segments = segments;
    this.#checksCrcs = checksCrcs;
    this.#epochAt = epochAt;
    this.#room = memory.readAheadRoom;
    this.#buffers = memory.readBuffers;
  }

  /** Before and after a truncation, after a deletion or replacement. */
  forget(): void {
    this.#era++;
    for (const { ahead } of this.#places) ahead?.drop();
    this.#places = [];
    this.#loaded = undefined;
  }

  /** @throws {DamageFound} */
  async read(range: ReadRange, config: LogConfig): Promise<Buffer> {
    const { fromOffset, lent } = range;
    const era = this.#era;
    const known = this.#places.find(({ offset }) => offset === fromOffset);
    const { bytes, end, memory } =
      known === undefined ? await this.#lookUp(range, config) : await this.#goOn(known, range);
    // Whoever came back once will come again.
    if (end !== undefined && era === this.#era) this.#remember(fromOffset, end, known && range);
    if (memory.length >= SPARSE_BYTES_MIN && bytes.length * SPARSE_TIMES < memory.length) {
      const own = Buffer.from(bytes);
      releaseMemory(memory);
      return own;
    }
    if (lent !== undefined) lendMemory(memory, lent);
    return bytes;
  }

  /** @throws {DamageFound} */
  async #lookUp(range: ReadRange, config: LogConfig): Promise<Found> {
    const { fromOffset } = range;
    const segment = segmentOf(this.#segments(), fromOffset);
    if (segment === undefined) throw new DamageFound(`no segment holds offset ${fromOffset}`);
    await this.load(segment, config);
    const position = segment.positionBefore(fromOffset);
    try {
      return await this.#readAt({ offset: fromOffset, segment, position }, range, LOOKUP_SLACK_BYTES);
    } catch (error) {
      if (!(error instanceof DamageFound) || position === 0) throw error;
      await segment.rebuild(config, 'the offset index');
      const rebuilt = segment.positionBefore(fromOffset);
      return await this.#readAt(
        { offset: fromOffset, segment, position: rebuilt },
        range,
        LOOKUP_SLACK_BYTES,
      );
    }
  }

  /** @throws {DamageFound} */
  async #goOn(known: KnownPlace, range: ReadRange): Promise<Found> {
    const found = await known.ahead?.take();
    return found !== undefined && isWithin(found, range, known.aheadBytes)
      ? found
      : await this.#readAt(known, range, 0);
  }

  /** @param goesOn what the reader asked for, if he is to be read ahead of. */
  #remember(fromOffset: number, end: Place, goesOn: ReadRange | undefined): void {
    const { offset, segment, position } = end;
    if (position >= segment.sizeBytes || segment.isRemoved) return;
    const isRead = this.#places.some((place) => place.offset === offset && place.ahead !== undefined);
    this.#places = this.#places.filter((place) => {
      const isKept = place.offset !== fromOffset && (isRead || place.offset !== offset);
      if (!isKept) place.ahead?.drop();
      return isKept;
    });
    if (isRead) return;
    if (this.#places.length === PLACES_MAX) this.#places.shift()!.ahead?.drop();
    const ahead = goesOn && this.#readAhead(end, goesOn);
    this.#places.push({ ...end, ahead, aheadBytes: goesOn?.maxBytes ?? 0 });
  }

  /** As the reader would ask now: what is not committed by then he waits for. */
  #readAhead(place: Place, { maxBytes, upTo, lent }: ReadRange): AheadRead<Found> | undefined {
    const { offset: fromOffset, segment, position } = place;
    if (fromOffset >= upTo) return undefined;
    const range = { fromOffset, maxBytes, upTo, minOneBatch: true, lent: lent && [] };
    const bytes = Math.min(maxBytes, segment.sizeBytes - position);
    return this.#room?.begin(bytes, () => this.#readAt(place, range, 0));
  }

  /** Loads a segment's indexes; of sealed segments only those used last stay in memory. */
  async load(segment: Segment, config: LogConfig): Promise<void> {
    await segment.load(config);
    if (segment === this.#segments().at(-1) || segment === this.#loaded) return;
    if (this.#loaded !== this.#segments().at(-1)) this.#loaded?.unload();
    this.#loaded = segment.isRemoved ? undefined : segment;
  }

  async #readAt(place: Place, range: ReadRange, slackBytes: number): Promise<Found> {
    const { segment } = place;
    let { position } = place;
    let wantedBytes = Math.max(range.maxBytes + slackBytes, HEADER_BYTES);
    for (;;) {
      const bytes = Math.max(0, Math.min(wantedBytes, segment.sizeBytes - position));
      const buffer = range.lent === undefined ? Buffer.allocUnsafe(bytes) : this.#buffers.take(bytes);
      const at = position;
      const count = await segment.withFile((file) => file.read(buffer, at));
      const trimmed = trimBatches(buffer.subarray(0, count), range);
      if (trimmed.fault !== undefined) throw new DamageFound(`${segment.logPath}: ${trimmed.fault}`);
      if (trimmed.missingBytes === 0) {
        if (trimmed.bytes.length === 0) this.#checkRefused(buffer, trimmed.start, segment);
        const end = position + trimmed.end;
        const rest = buffer.subarray(trimmed.end, count);
        const next = await this.#finish(trimmed.bytes, rest, { segment, position: end }, range);
        return { bytes: trimmed.bytes, end: next, memory: buffer };
      }
      // The batch that is wanted first, or one before it, does not fit the buffer.
      position += trimmed.start;
      // What was there already and is no batch, or ends before the file should, will not become one by reading again.
      const isHopeless = trimmed.missingBytes <= count - trimmed.start || count < buffer.length;
      if (isHopeless || position + trimmed.missingBytes > segment.sizeBytes) {
        throw new DamageFound(
          `${segment.logPath}: offset ${range.fromOffset} is missing after byte ${position} of ${segment.sizeBytes}`,
        );
      }
      wantedBytes = Math.max(trimmed.missingBytes, range.maxBytes);
    }
  }

  /** @param rest what was read beyond `end`, the place after `bytes`. @returns that place, if there are bytes. */
  async #finish(
    bytes: Buffer,
    rest: Buffer,
    end: Omit<Place, 'offset'>,
    { fromOffset }: ReadRange,
  ): Promise<Place | undefined> {
    if (bytes.length === 0) return undefined;
    const { segment } = end;
    let next = fromOffset;
    for (let at = 0; at < bytes.length; ) {
      const batch = BatchView.at(bytes, at)!;
      if (this.#checksCrcs) this.#check(batch, at === 0 ? batch.baseOffset : next, segment);
      next = batch.nextOffset;
      at += batch.sizeBytes;
    }
    // Each batch tells of the one before it where that should lie. What replaced a removed segment is laid out anew.
    const due = this.#checksCrcs ? await this.#offsetAt(end, next, rest) : undefined;
    if (due !== undefined && due !== next && !segment.isRemoved) {
      throw new DamageFound(`${segment.logPath}: offset ${due} follows where ${next} is due`);
    }
    return { offset: next, ...end };
  }

  /** Where the batch at a place, or the segment after it, begins; undefined at the end of the log. */
  async #offsetAt(
    { segment, position }: Omit<Place, 'offset'>,
    next: number,
    rest: Buffer,
  ): Promise<number | undefined> {
    if (segment.isRemoved) return undefined;
    if (position >= segment.sizeBytes) {
      return segment === this.#segments().at(-1) ? undefined : segmentOf(this.#segments(), next)?.baseOffset;
    }
    if (rest.length >= 8) return Number(rest.readBigInt64BE(0));
    return (await segment.withFile((file) => readHeader(file, position)))?.baseOffset;
  }

  /** Offset and epoch lie outside the checksum. */
  #check(batch: BatchView, expected: number, { logPath }: Segment): void {
    const { baseOffset, leaderEpoch } = batch;
    const epoch = this.#epochAt(batch.lastOffset);
    let problem: string | undefined;
    if (!batch.isCrcValid()) problem = 'fails its checksum';
    else if (baseOffset !== expected) problem = `stands where offset ${expected} is due`;
    else if (epoch !== -1 && leaderEpoch !== epoch) problem = `has epoch ${leaderEpoch} instead of ${epoch}`;
    if (problem !== undefined)
      throw new DamageFound(`${logPath}: the batch at offset ${baseOffset} ${problem}`);
  }

  /** A batch that seems to reach too far: a damaged one would keep readers waiting for ever. */
  #checkRefused(run: Buffer, at: number, segment: Segment): void {
    const batch = this.#checksCrcs ? BatchView.at(run, at) : undefined;
    if (batch !== undefined) this.#check(batch, batch.baseOffset, segment);
  }
}

/** Whether what was read ahead, limited to `aheadBytes`, is an answer to `range`. */
function isWithin({ bytes, end }: Found, range: ReadRange, aheadBytes: number): boolean {
  const { maxBytes, upTo, minOneBatch } = range;
  const fits = bytes.length <= maxBytes || (minOneBatch && maxBytes === aheadBytes);
  return end !== undefined && end.offset <= upTo && fits;
}
