/**
 * What a coordinator did in one turn of the event loop: records that become one batch, and answers that wait until it and
 * everything before it have committed. Only holds them; never steps a machine.
 */
import { KiB } from '@millrace/core';
import type { GroupRecord, RequestToken } from '@millrace/groups';
import { BatchBuilder, NO_HEADERS } from '@millrace/records';
import type { AckListener } from './ack-queue.ts';
import type { Deadlines, Expiring } from './deadlines.ts';

/** A batch that would grow beyond this is ended first; one large change may exceed it. */
const TURN_BYTES_MAX = 256 * KiB;

/** What a record takes in a batch beside key and value, at most. */
const RECORD_OVERHEAD_BYTES = 32;

export interface EncodedRecord {
  readonly key: Buffer;
  readonly value: Buffer | null;
}

export interface HeldAnswer {
  readonly token: RequestToken;
  readonly response: unknown;
}

export interface TurnOwner {
  /** The watermark may have passed the end of the turn. */
  turnAcknowledged(turn: GroupTurn): void;
  turnExpired(turn: GroupTurn): void;
}

export class GroupTurn implements AckListener, Expiring {
  readonly records: GroupRecord[] = [];
  /** Where the log must be committed up to before the answers leave. Set when the turn ends. */
  endOffset = -1;
  endedMs = -1;
  /** Given up: nothing is waited for any more. */
  isSettled = false;
  #answers: HeldAnswer[] = [];
  readonly #owner: TurnOwner;
  #builder: BatchBuilder | undefined;
  #deadlines: Deadlines | undefined;
  #slice = 0;

  constructor(owner: TurnOwner) {
    this.#owner = owner;
  }

  get hasRecords(): boolean {
    return this.records.length > 0;
  }

  hasRoomFor(bytes: number): boolean {
    return this.#builder === undefined || this.#builder.sizeBytes + bytes <= TURN_BYTES_MAX;
  }

  add(records: readonly GroupRecord[], encoded: readonly EncodedRecord[], timestamp: number): void {
    this.#builder ??= new BatchBuilder({ codec: 'none', capacityBytes: Number.MAX_SAFE_INTEGER });
    for (const { key, value } of encoded) this.#builder.tryAppend(timestamp, key, value, NO_HEADERS);
    for (const record of records) this.records.push(record);
  }

  answer(answer: HeldAnswer): void {
    this.#answers.push(answer);
  }

  /** Once. */
  batch(): Buffer {
    return this.#builder!.build();
  }

  /** Waits for the watermark from here on, at most `delayMs`. */
  expireAfter(deadlines: Deadlines, delayMs: number): void {
    this.#deadlines = deadlines;
    this.#slice = deadlines.add(this, delayMs);
  }

  /** The answers, once; then it only waits for its records. */
  takeAnswers(): readonly HeldAnswer[] {
    const answers = this.#answers;
    this.#answers = [];
    this.#deadlines?.remove(this, this.#slice);
    return answers;
  }

  acknowledged(): void {
    this.#owner.turnAcknowledged(this);
  }

  expired(): void {
    this.#owner.turnExpired(this);
  }
}

/** An upper bound of what the records take in a batch. */
export function sizeOfRecords(encoded: readonly EncodedRecord[]): number {
  let bytes = 0;
  for (const { key, value } of encoded) bytes += RECORD_OVERHEAD_BYTES + key.length + (value?.length ?? 0);
  return bytes;
}
