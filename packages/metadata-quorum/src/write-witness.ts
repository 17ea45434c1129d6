/**
 * A number in a file beside a database: the newest write that was known to be durable. LevelDB drops a damaged end of
 * its own log without a word; a database that is behind its witness has lost something.
 *
 * Not synced: after a power loss the file may be older than the truth, and only shows less. It is never ahead,
 * because it is written after the database's own sync. An unreadable witness says nothing.
 */
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';

const BYTES = 12;

export class WriteWitness {
  readonly #file: number;
  readonly #bytes = Buffer.alloc(BYTES);
  /** As found when it was opened; 0 if it says nothing. */
  readonly sequence: number;

  private constructor(file: number) {
    this.#file = file;
    const length = readSync(file, this.#bytes, 0, BYTES, 0);
    const isWhole = length === BYTES && this.#bytes.readUInt32BE(8) === crc32(this.#bytes.subarray(0, 8));
    this.sequence = isWhole ? Number(this.#bytes.readBigUInt64BE(0)) : 0;
  }

  static open(path: string): WriteWitness {
    return new WriteWitness(openSync(path, constants.O_RDWR | constants.O_CREAT, 0o644));
  }

  note(sequence: number): void {
    this.#bytes.writeBigUInt64BE(BigInt(sequence), 0);
    this.#bytes.writeUInt32BE(crc32(this.#bytes.subarray(0, 8)), 8);
    writeSync(this.#file, this.#bytes, 0, BYTES, 0);
  }

  close(): void {
    closeSync(this.#file);
  }
}
