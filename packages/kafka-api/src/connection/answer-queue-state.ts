/**
 * Answers of one connection in the order of their requests, whatever order they come in, and what of them is to be
 * written next. Pure: knows sizes and order, no socket. Never copies an answer of any size.
 */
import { invariant, KiB } from '@millrace/core';

const SIZE_BYTES = 4;
/** Up to here one copy is cheaper than another piece to write. */
const COPIED_BYTES_MAX = 1 * KiB;
const NO_BYTES = Buffer.alloc(0);

/** The place of one answer in the order. */
export interface AnswerSlot {
  isAnswered: boolean;
  pieces: readonly Buffer[];
  bytes: number;
  /** Called once the network has taken the answer. */
  onWritten: (() => void) | undefined;
}

export class AnswerQueue {
  /** Asked for, in order; the first is not answered yet. */
  readonly #slots: AnswerSlot[] = [];
  /** Whole answers, cut wherever the last write ended. */
  #ready: Buffer[] = [];
  #readyAt = 0;
  /** The bytes of each piece of `#ready` when it was whole: what it occupies until the last of it is written. */
  #occupied: number[] = [];
  /** Answers some of which is not taken, in order, with the number of pieces up to their end. */
  readonly #ends: { readonly pieces: number; readonly onWritten: () => void }[] = [];
  #piecesReady = 0;
  #piecesTaken = 0;
  #queuedBytes = 0;
  #heldBytes = 0;
  /** Held for what is on its way, and only for that. */
  #heldByWriting = 0;
  #writingBytes = 0;

  /** Requests that are not answered yet, or whose answer waits for an earlier one. */
  get slots(): number {
    return this.#slots.length;
  }

  /** Answers that are here and that the network has not taken. */
  get bytes(): number {
    return this.#queuedBytes + this.#writingBytes;
  }

  /** Memory that they occupy: a piece that is half taken occupies as much as a whole one. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  get isWriting(): boolean {
    return this.#writingBytes > 0;
  }

  get hasOutput(): boolean {
    return this.#readyAt < this.#ready.length;
  }

  reserve(): AnswerSlot {
    const slot: AnswerSlot = { isAnswered: false, pieces: [], bytes: 0, onWritten: undefined };
    this.#slots.push(slot);
    return slot;
  }

  /** Undefined for a request that nobody expects an answer to: the order goes on without one. */
  answer(slot: AnswerSlot, answer: readonly Buffer[] | undefined): void {
    invariant(!slot.isAnswered, 'a request is answered once');
    slot.isAnswered = true;
    if (answer !== undefined) {
      slot.pieces = framed(answer);
      slot.bytes = sizeOf(slot.pieces);
      this.#queuedBytes += slot.bytes;
      this.#heldBytes += slot.bytes;
    }
    let passed = 0;
    for (; passed < this.#slots.length && this.#slots[passed]!.isAnswered; passed++) {
      const { pieces, onWritten } = this.#slots[passed]!;
      for (const piece of pieces) {
        if (piece.length === 0) continue;
        this.#ready.push(piece);
        this.#occupied.push(piece.length);
        this.#piecesReady++;
      }
      if (onWritten !== undefined) this.#ends.push({ pieces: this.#piecesReady, onWritten });
    }
    if (passed > 0) this.#slots.splice(0, passed);
  }

  /**
   * The next bytes to write, `maxBytes` at most; nothing while earlier ones are on their way.
   * Call `written` once the network has taken them.
   */
  take(maxBytes: number): Buffer[] {
    if (this.isWriting) return [];
    const pieces: Buffer[] = [];
    let taken = 0;
    while (taken < maxBytes && this.#readyAt < this.#ready.length) {
      const piece = this.#ready[this.#readyAt]!;
      const room = maxBytes - taken;
      if (piece.length <= room) {
        pieces.push(piece);
        taken += piece.length;
        this.#heldByWriting += this.#occupied[this.#readyAt]!;
        this.#ready[this.#readyAt++] = NO_BYTES;
        this.#piecesTaken++;
      } else {
        pieces.push(piece.subarray(0, room));
        this.#ready[this.#readyAt] = piece.subarray(room);
        taken += room;
      }
    }
    this.#forgetTaken();
    this.#queuedBytes -= taken;
    this.#writingBytes = taken;
    return pieces;
  }

  written(): void {
    this.#writingBytes = 0;
    this.#heldBytes -= this.#heldByWriting;
    this.#heldByWriting = 0;
    while (this.#ends.length > 0 && this.#ends[0]!.pieces <= this.#piecesTaken)
      this.#ends.shift()!.onWritten();
  }

  /** Places of taken pieces go, but not with every take: that would move the rest each time. */
  #forgetTaken(): void {
    if (this.#readyAt * 2 < this.#ready.length) return;
    this.#ready = this.#ready.slice(this.#readyAt);
    this.#occupied = this.#occupied.slice(this.#readyAt);
    this.#readyAt = 0;
  }
}

function framed(answer: readonly Buffer[]): readonly Buffer[] {
  const bytes = sizeOf(answer);
  const isSmall = bytes <= COPIED_BYTES_MAX;
  const prefix = Buffer.allocUnsafe(isSmall ? SIZE_BYTES + bytes : SIZE_BYTES);
  prefix.writeInt32BE(bytes);
  if (!isSmall) return [prefix, ...answer];
  let at = SIZE_BYTES;
  for (const piece of answer) at += piece.copy(prefix, at);
  return [prefix];
}

function sizeOf(pieces: readonly Buffer[]): number {
  let bytes = 0;
  for (const piece of pieces) bytes += piece.length;
  return bytes;
}
