/** One direction between two processes: how long bytes take, what is lost, whether anything passes. Holds no message. */
import { type SeededRandom, unit } from '@millrace/core';

/** What a link is like while nothing blocks it. Rates are chances for each message. */
export interface LinkSettings {
  readonly delayMinMs: number;
  /** Of an exponential distribution above the minimum. */
  readonly delayMeanMs: number;
  /** A datagram is gone; a stream sends again after a while. */
  readonly loss: number;
  /** Of datagrams. */
  readonly duplication: number;
  /** Chance that a datagram takes several times as long, so that later ones overtake it. */
  readonly reordering: number;
  readonly bytesPerMs: number;
}

/** Two machines in one room. */
export const CALM_LINK: LinkSettings = {
  delayMinMs: 0.05,
  delayMeanMs: 0.2,
  loss: 0,
  duplication: 0,
  reordering: 0,
  bytesPerMs: Number.POSITIVE_INFINITY,
};

const REORDERED_FACTOR_MAX = 10;
const RETRANSMIT_MS = 200;
const RETRANSMITS_MAX = 6;

export class Link {
  readonly from: string;
  readonly to: string;
  settings: LinkSettings;
  readonly #random: SeededRandom;
  #cuts = 0;
  #clogs = 0;

  constructor(from: string, to: string, settings: LinkSettings, random: SeededRandom) {
    this.from = from;
    this.to = to;
    this.settings = settings;
    this.#random = random;
  }

  /** Nothing passes: it is cut or clogged. */
  get isBlocked(): boolean {
    return this.#cuts + this.#clogs > 0;
  }

  /** Datagrams are lost, not only late. */
  get isCut(): boolean {
    return this.#cuts > 0;
  }

  block(kind: 'cut' | 'clog', by: 1 | -1): void {
    if (kind === 'cut') this.#cuts += by;
    else this.#clogs += by;
  }

  /** Time on the way for a message of this size. */
  delayMs(sizeBytes: number): number {
    const { delayMinMs, delayMeanMs, bytesPerMs } = this.settings;
    const wait = -Math.log(1 - unit(this.#random)) * (delayMeanMs - delayMinMs);
    return delayMinMs + wait + sizeBytes / bytesPerMs;
  }

  /** What a stream waits for bytes that had to be sent again; mostly 0. */
  retransmitMs(): number {
    const { loss } = this.settings;
    if (loss === 0) return 0;
    let waitMs = 0;
    for (let i = 0; i < RETRANSMITS_MAX && unit(this.#random) < loss; i++) waitMs += RETRANSMIT_MS * 2 ** i;
    return waitMs;
  }

  /** When the copies of a datagram arrive: none if it is lost, several if it is duplicated. */
  datagramDelaysMs(sizeBytes: number): number[] {
    const { loss, duplication, reordering } = this.settings;
    if (this.isCut || (loss > 0 && unit(this.#random) < loss)) return [];
    const delays = [this.delayMs(sizeBytes)];
    if (duplication > 0 && unit(this.#random) < duplication) delays.push(this.delayMs(sizeBytes));
    if (reordering === 0) return delays;
    return delays.map((delay) => {
      if (unit(this.#random) >= reordering) return delay;
      return delay * (1 + unit(this.#random) * REORDERED_FACTOR_MAX);
    });
  }
}
