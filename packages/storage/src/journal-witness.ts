/**
 * A note beside the journal of how far it was durable: it tells an end that was damaged from one that was never
 * written whole. Written without a sync, so a power loss may leave an older note or none; it never says too much.
 * Never stops the journal: without it a damaged end passes for a torn one.
 */
import { crc32c } from '@millrace/records';
import type { DiskFile, FileSystem } from './file-system.ts';
import { readWhole } from './whole-file.ts';

export interface DurableEnd {
  readonly fileNumber: number;
  readonly endBytes: number;
}

const NAME = 'durable-end';
/** CRC-32C of the rest, u32; file number, f64; end, u32. */
const NOTE_BYTES = 16;

export class JournalWitness {
  readonly #fileSystem: FileSystem;
  readonly #path: string;
  readonly #note = Buffer.alloc(NOTE_BYTES);
  #file: DiskFile | undefined;
  #isFutile = false;

  constructor(fileSystem: FileSystem, directory: string) {
    this.#fileSystem = fileSystem;
    this.#path = `${directory}/${NAME}`;
  }

  /** Undefined if there is no note, or none that can be read. */
  static read(fileSystem: FileSystem, directory: string): DurableEnd | undefined {
    const note = readWhole(fileSystem, `${directory}/${NAME}`);
    if (note?.length !== NOTE_BYTES || note.readUInt32BE(0) !== crc32c(note, 4)) return undefined;
    return { fileNumber: note.readDoubleBE(4), endBytes: note.readUInt32BE(12) };
  }

  /** All before `endBytes` is on stable storage. */
  note(fileNumber: number, endBytes: number): void {
    if (this.#isFutile) return;
    this.#note.writeDoubleBE(fileNumber, 4);
    this.#note.writeUInt32BE(endBytes, 12);
    this.#note.writeUInt32BE(crc32c(this.#note, 4), 0);
    try {
      this.#file ??= this.#fileSystem.openSync(this.#path, { create: true });
      this.#file.writeSync([this.#note], 0);
    } catch {
      this.#isFutile = true;
    }
  }

  /** Before the file that it tells of is void. The caller makes that durable. @returns whether there was a note */
  forget(): boolean {
    this.close();
    if (this.#fileSystem.statSync(this.#path) === undefined) return false;
    this.#fileSystem.unlinkSync(this.#path);
    return true;
  }

  close(): void {
    this.#file?.closeSync();
    this.#file = undefined;
  }
}
