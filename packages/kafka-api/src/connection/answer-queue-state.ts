/**
 * Answers of one connection in the order of their requests, whatever order they come in, and what of them is to be
 * written next. Pure: knows sizes and order, no socket. Never copies an answer of any size.
 */
import { giveBackAll, invariant, KiB, type Loan } from '@millrace/core';

const SIZE_BYTES = 4;
/** Up to here one copy is cheaper than another piece to write. */
const COPIED_BYTES_MAX = 1 * KiB;

/** The place of one answer in the order. */
export interface AnswerSlot {
  isAnswered: boolean;
  pieces: readonly Piece[];
  /** What its pieces lie in. */
  readonly lent: Loan[];
}

/** Something to write, cut wherever the last write ended. */
interface Piece {
  bytes: Buffer;
  /** Until the last of it is written. */
  readonly occupiedBytes: number;
  /** Ends then. */
  readonly loan: Loan | undefined;
}

export class AnswerQueue {
  /** Asked for, in order; the first is not answered yet. */
  readonly #slots: AnswerSlot[] = [];
  /** Whole answers. */
  #ready: (Piece | undefined)[] = [];
  #readyAt = 0;
  /** Pieces the last of which is on its way. */
  #leaving: Piece[] = [];
  #queuedBytes = 0;
  #heldBytes = 0;
  #writingBytes = 0;

  /** Requests that are not answered yet, or whose answer waits for an earlier one. */
  get slots(): number {
    return this.#slots.length;
  }

  /** Answers that are here and that the network has not taken. */
  get bytes(): number {
    return this.#queuedBytes + this.#writingBytes;
  }

  /** Memory that they occupy: a piece that is half taken occupies as much as a whole one, and all that it lies in. */
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
    const slot: AnswerSlot = { isAnswered: false, pieces: [], lent: [] };
    this.#slots.push(slot);
    return slot;
  }

  /** Undefined for a request that nobody expects an answer to: the order goes on without one. */
  answer(slot: AnswerSlot, answer: readonly Buffer[] | undefined): void {
    invariant(!slot.isAnswered, 'a request is answered once');
    slot.isAnswered = true;
    if (answer !== undefined) slot.pieces = piecesOf(framed(answer), slot.lent);
    giveBackAll(slot.lent);
    for (const { bytes, occupiedBytes } of slot.pieces) {
      this.#queuedBytes += bytes.length;
      this.#heldBytes += occupiedBytes;
    }
    let passed = 0;
    for (; passed < this.#slots.length && this.#slots[passed]!.isAnswered; passed++) {
      for (const piece of this.#slots[passed]!.pieces) this.#ready.push(piece);
    }
    if (passed > 0) this.#slots.splice(0, passed);
  }

  /**
   * The next bytes to write, `maxBytes` at most; nothing while earlier ones are on their way.
   * Call `written` once the network has taken them.
   */
  take(maxBytes: number): Buffer[] {
    if (this.isWriting) return [];
    const taken: Buffer[] = [];
    let room = maxBytes;
    while (room > 0 && this.#readyAt < this.#ready.length) {
      const piece = this.#ready[this.#readyAt]!;
      const { bytes } = piece;
      if (bytes.length <= room) {
        taken.push(bytes);
        room -= bytes.length;
        this.#leaving.push(piece);
        this.#ready[this.#readyAt++] = undefined;
      } else {
        taken.push(bytes.subarray(0, room));
        piece.bytes = bytes.subarray(room);
        room = 0;
      }
    }
    this.#forgetTaken();
    this.#writingBytes = maxBytes - room;
    this.#queuedBytes -= this.#writingBytes;
    return taken;
  }

  written(): void {
    this.#writingBytes = 0;
    for (const { occupiedBytes, loan } of this.#leaving) {
      this.#heldBytes -= occupiedBytes;
      loan?.giveBack();
    }
    this.#leaving = [];
  }

  /** Places of taken pieces go, but not with every take: that would move the rest each time. */
  #forgetTaken(): void {
    if (this.#readyAt * 2 < this.#ready.length) return;
    this.#ready = this.#ready.slice(this.#readyAt);
    this.#readyAt = 0;
  }
}

/** The last piece that lies in lent memory carries the loan; those that no piece needs stay in `lent`. */
function piecesOf(answer: readonly Buffer[], lent: Loan[]): Piece[] {
  const loans = new Map(lent.splice(0).map((loan) => [loan.memory, loan]));
  const pieces: Piece[] = [];
  for (const bytes of answer.toReversed()) {
    if (bytes.length === 0) continue;
    const loan = loans.get(bytes.buffer);
    loans.delete(bytes.buffer);
    pieces.push({ bytes, occupiedBytes: Math.max(bytes.length, loan?.memory.byteLength ?? 0), loan });
  }
  lent.push(...loans.values());
  return pieces.reverse();
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
