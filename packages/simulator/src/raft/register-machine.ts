/**
 * The state machine of simulated quorums: a few registers, and a digest of everything that was ever applied. What it
 * was told in which order can be read off its digest.
 */
import type { CommittedRecord, QuorumStateMachine } from '@millrace/metadata-quorum';
import { crc32c } from '@millrace/records';

/** One proposal: a register gets a value. */
export interface RegisterWrite {
  readonly register: number;
  readonly value: number;
}

const WRITE_BYTES = 8;

export function encodeWrite({ register, value }: RegisterWrite): Buffer {
  const data = Buffer.alloc(WRITE_BYTES);
  data.writeUInt32BE(register, 0);
  data.writeUInt32BE(value, 4);
  return data;
}

export function digestOfSnapshot(snapshot: Buffer): number {
  return snapshot.readUInt32BE(0);
}

export class RegisterMachine implements QuorumStateMachine {
  #digest = 0;
  readonly #registers: number[] = [];
  readonly #onApplied: (records: readonly CommittedRecord[], digest: number) => void;
  readonly #onRestored: (endOffset: number, digest: number) => void;

  constructor(
    onApplied: (records: readonly CommittedRecord[], digest: number) => void,
    onRestored: (endOffset: number, digest: number) => void,
  ) {
    this.#onApplied = onApplied;
    this.#onRestored = onRestored;
  }

  read(register: number): number {
    return this.#registers[register] ?? 0;
  }

  apply(records: readonly CommittedRecord[]): void {
    for (const { offset, term, data } of records) {
      const facts = Buffer.alloc(12);
      facts.writeUInt32BE(this.#digest, 0);
      facts.writeUInt32BE(offset, 4);
      facts.writeUInt32BE(term, 8);
      this.#digest = crc32c(data === null ? facts : Buffer.concat([facts, data]));
      if (data !== null) this.#registers[data.readUInt32BE(0)] = data.readUInt32BE(4);
    }
    this.#onApplied(records, this.#digest);
  }

  snapshot(): Buffer {
    const data = Buffer.alloc(4 + 4 * this.#registers.length);
    data.writeUInt32BE(this.#digest, 0);
    for (let i = 0; i < this.#registers.length; i++) data.writeUInt32BE(this.read(i), 4 + 4 * i);
    return data;
  }

  restore(data: Buffer, endOffset: number): void {
    this.#digest = digestOfSnapshot(data);
    this.#registers.length = 0;
    for (let at = 4; at < data.length; at += 4) this.#registers.push(data.readUInt32BE(at));
    this.#onRestored(endOffset, this.#digest);
  }
}
