/**
 * What readers who go through the files of logs will ask for next, read while the answer before it is on its way to
 * them. Bounded over all logs, kept for a moment, handed out once. Knows neither offsets nor files: whoever asks for it
 * drops it once what was read may not be what stands there.
 */
import type { Clock, Timer } from '@millrace/core';

/** Whoever has not come by then reads slowly enough to wait for the disk. */
const UNUSED_MAX_MS = 1_000;
/** So many readers at least have a part of the room. */
const READERS_MIN = 4;

/** The room that all logs share. */
export class ReadAheadRoom {
  readonly #clock: Clock;
  readonly #bytesMax: number;
  /** Oldest first. */
  readonly #kept = new Set<AheadRead<unknown>>();
  #bytes = 0;
  #sweep: Timer | undefined;
  #isClosed = false;

  constructor(options: { readonly clock: Clock; readonly bytesMax: number }) {
    this.#clock = options.clock;
    this.#bytesMax = options.bytesMax;
  }

  /** Of all that is read or being read. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Runs `read` once the answer at hand has left. Undefined if there is no room: nobody's place is taken for it, because
   * the next to be asked for may be just that.
   */
  begin<T>(bytes: number, read: () => Promise<T>): AheadRead<T> | undefined {
    const isTooMuch = bytes * READERS_MIN > this.#bytesMax || this.#bytes + bytes > this.#bytesMax;
    if (this.#isClosed || isTooMuch) return undefined;
    const ahead = new AheadRead(this.#clock, read, () => {
      this.#kept.delete(ahead);
      this.#bytes -= bytes;
    });
    this.#bytes += bytes;
    this.#kept.add(ahead);
    this.#sweepLater();
    return ahead;
  }

  close(): void {
    this.#isClosed = true;
    this.#sweep?.cancel();
    for (const ahead of this.#kept) ahead.drop();
  }

  #sweepLater(): void {
    this.#sweep ??= this.#clock.schedule(UNUSED_MAX_MS, () => {
      this.#sweep = undefined;
      const newestMs = this.#clock.nowMs() - UNUSED_MAX_MS;
      for (const ahead of this.#kept) if (ahead.begunMs <= newestMs) ahead.drop();
      if (this.#kept.size > 0) this.#sweepLater();
    });
  }
}

/** One read ahead of its reader. */
export class AheadRead<T> {
  readonly begunMs: number;
  readonly #giveBack: () => void;
  #start: Timer | undefined;
  #reading: Promise<T | undefined> | undefined;
  #isSettled = false;
  #isUnwanted = false;

  constructor(clock: Clock, read: () => Promise<T>, giveBack: () => void) {
    this.begunMs = clock.nowMs();
    this.#giveBack = giveBack;
    this.#start = clock.schedule(0, () => {
      this.#start = undefined;
      this.#reading = this.#settled(read());
    });
  }

  /** What was read, now the caller's; undefined if that failed, did not begin or is gone. Whoever comes first has it. */
  async take(): Promise<T | undefined> {
    const reading = this.#isUnwanted ? undefined : this.#reading;
    this.drop();
    return await reading;
  }

  drop(): void {
    if (this.#isUnwanted) return;
    this.#isUnwanted = true;
    this.#start?.cancel();
    const isIdle = this.#start !== undefined || this.#isSettled;
    this.#reading = undefined;
    if (isIdle) this.#giveBack();
  }

  /** The reader itself meets what failed here, if it fails again. */
  async #settled(read: Promise<T>): Promise<T | undefined> {
    try {
      return await read;
    } catch {
      return undefined;
    } finally {
      this.#isSettled = true;
      if (this.#isUnwanted) this.#giveBack();
    }
  }
}
