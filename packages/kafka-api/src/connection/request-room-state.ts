/**
 * What all connections of a listener have in memory together. Reading stops everywhere while requests occupy too
 * much, and no fetch begins while answers do. Pure: counts, and says who may go on.
 *
 * There is no limit on the number of requests in hand over all connections: fetches and joins wait for one another's
 * requests, and such a limit would keep out the very request that the others wait for.
 */

export interface RequestRoomLimits {
  readonly requestBytesMax: number;
  readonly responseBytesMax: number;
}

/** What one connection has said of itself. */
export interface RoomShare {
  requestBytes: number;
  responseBytes: number;
}

export class RequestRoom<Share extends RoomShare = RoomShare> {
  readonly #limits: RequestRoomLimits;
  #requestBytes = 0;
  #responseBytes = 0;
  /** Reads on whatever is full: half requests could else keep the room that they all wait for. */
  #exempt: Share | undefined;
  /** In the order in which they came. */
  readonly #readers = new Set<Share>();
  readonly #fetchers = new Set<Share>();
  /** One of the readers is in the middle of a request. */
  #isHalfRequestHeld = false;

  constructor(limits: RequestRoomLimits) {
    this.#limits = limits;
  }

  get requestBytes(): number {
    return this.#requestBytes;
  }

  get responseBytes(): number {
    return this.#responseBytes;
  }

  /** Some of those held back may go on. */
  get hasRoomForHeldBack(): boolean {
    return this.#mayReadersAsk || (this.#fetchers.size > 0 && this.#hasResponseRoom);
  }

  update(share: Share, requestBytes: number, responseBytes: number): void {
    this.#requestBytes += requestBytes - share.requestBytes;
    this.#responseBytes += responseBytes - share.responseBytes;
    share.requestBytes = requestBytes;
    share.responseBytes = responseBytes;
  }

  leave(share: Share): void {
    this.update(share, 0, 0);
    this.#readers.delete(share);
    this.#fetchers.delete(share);
    if (this.#exempt === share) this.#exempt = undefined;
  }

  /** Begun requests are read to their end, unless there are far too many of them: then one at a time. */
  mayRead(share: Share, isInsideFrame: boolean): boolean {
    if (this.#exempt === share && !isInsideFrame) this.#exempt = undefined;
    const limit = this.#limits.requestBytesMax;
    if (this.#requestBytes < limit) return true;
    if (isInsideFrame) {
      this.#exempt ??= share;
      if (this.#exempt === share || this.#requestBytes < 2 * limit) return true;
    }
    this.#readers.add(share);
    this.#isHalfRequestHeld ||= isInsideFrame;
    return false;
  }

  mayBeginLarge(share: Share): boolean {
    if (this.#hasResponseRoom) return true;
    this.#fetchers.add(share);
    return false;
  }

  /** Those of the held back that may go on, each of whom is to ask again. */
  takeHeldBack(): ReadonlySet<Share> {
    const taken = new Set<Share>();
    if (this.#mayReadersAsk) {
      for (const share of this.#readers) taken.add(share);
      this.#readers.clear();
      this.#isHalfRequestHeld = false;
    }
    if (this.#hasResponseRoom) {
      for (const share of this.#fetchers) taken.add(share);
      this.#fetchers.clear();
    }
    return taken;
  }

  get #hasResponseRoom(): boolean {
    return this.#responseBytes < this.#limits.responseBytesMax;
  }

  get #mayReadersAsk(): boolean {
    if (this.#readers.size === 0) return false;
    if (this.#requestBytes < this.#limits.requestBytesMax) return true;
    return this.#isHalfRequestHeld && this.#exempt === undefined;
  }
}
