/**
 * What all connections of a listener have in memory together: who may read on while requests occupy too much, who may
 * begin a fetch while answers do, and how large its answer may be. Pure: counts, and says who may go on.
 *
 * A connection that holds little is never held back: whoever leaves large requests half sent could else keep out the
 * small ones of everybody. Nor is there a limit on the number of requests in hand over all connections: fetches and
 * joins wait for one another's requests, and such a limit would keep out the very request that the others wait for.
 */

/** Of `requestBytesMax`: up to so much of a request to come goes by the lane that large ones cannot take. */
const MODEST_PART = 1 / 64;

/** Of the room that is left: so much one answer may take of it. */
const ANSWER_PART = 1 / 4;

export interface RequestRoomLimits {
  /** Beyond it no request begins to be read, beyond twice as much the rest of begun ones comes by lanes. */
  readonly requestBytesMax: number;
  /** What every connection may hold whatever the others do. */
  readonly requestBytesFree: number;
  /** Answers are the smaller the less of it is left, and no second fetch begins on a connection while none is. */
  readonly responseBytesMax: number;
  /** What an answer may always bring. */
  readonly responseBytesFree: number;
}

/** What the requests that go by one lane still have to bring. */
interface Lane {
  bytesToCome: number;
}

/** What one connection has said of itself, and where it is. */
export interface RoomShare {
  requestBytes: number;
  responseBytes: number;
  /** Of an answer in the making. */
  reservedBytes: number;
  lane: Lane | undefined;
  laneBytes: number;
}

export const NOTHING_HELD: Readonly<RoomShare> = {
  requestBytes: 0,
  responseBytes: 0,
  reservedBytes: 0,
  lane: undefined,
  laneBytes: 0,
};

export class RequestRoom<Share extends RoomShare = RoomShare> {
  readonly #limits: RequestRoomLimits;
  #requestBytes = 0;
  #responseBytes = 0;
  #reservedBytes = 0;
  /** Half requests that are read to their end whatever is full: they could else keep the room that all wait for. */
  readonly #modestLane: Lane = { bytesToCome: 0 };
  readonly #largeLane: Lane = { bytesToCome: 0 };
  /** In the order in which they came. */
  readonly #readers = new Set<Share>();
  readonly #fetchers = new Set<Share>();
  /** The least that readers in the middle of a request have to bring, by the lane they wait for; Infinity for none. */
  #modestHeldBack = Infinity;
  #largeHeldBack = Infinity;

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

  /** It takes part in holding others back. */
  isInTheWay(share: Share): boolean {
    const { requestBytesMax, requestBytesFree } = this.#limits;
    return this.#requestBytes >= requestBytesMax && share.requestBytes >= requestBytesFree;
  }

  update(share: Share, requestBytes: number, responseBytes: number): void {
    this.#requestBytes += requestBytes - share.requestBytes;
    this.#responseBytes += responseBytes - share.responseBytes;
    share.requestBytes = requestBytes;
    share.responseBytes = responseBytes;
  }

  leave(share: Share): void {
    this.update(share, 0, 0);
    this.reserveAnswer(share, 0);
    this.#leaveLane(share);
    this.#readers.delete(share);
    this.#fetchers.delete(share);
  }

  /** @param bytesToCome of the request that it is in the middle of; 0 if it is not inside one. */
  mayRead(share: Share, bytesToCome: number): boolean {
    const { requestBytesMax, requestBytesFree } = this.#limits;
    if (bytesToCome === 0) this.#leaveLane(share);
    if (share.lane !== undefined) {
      this.#enterLane(share, share.lane, bytesToCome);
      return true;
    }
    if (share.requestBytes < requestBytesFree || this.#requestBytes < requestBytesMax) return true;
    if (bytesToCome > 0) {
      if (this.#requestBytes < 2 * requestBytesMax) return true;
      const lane = this.#isModest(bytesToCome) ? this.#modestLane : this.#largeLane;
      if (this.#fits(lane, bytesToCome)) {
        this.#enterLane(share, lane, bytesToCome);
        return true;
      }
    }
    this.#holdBack(share, bytesToCome);
    return false;
  }

  /** Who holds no answers unread begins in a full room as well: slow readers keep back nobody but themselves. */
  mayBeginFetch(share: Share): boolean {
    if (this.#hasResponseRoom || share.responseBytes === 0) return true;
    this.#fetchers.add(share);
    return false;
  }

  /**
   * Room for the next answer of a connection, instead of what it had reserved before. Each takes a part of what is left
   * at most, so that something is left for the next one.
   * @returns how many of `wantedBytes` it may bring.
   */
  reserveAnswer(share: Share, wantedBytes: number): number {
    this.#reservedBytes -= share.reservedBytes;
    const left = this.#limits.responseBytesMax - this.#responseBytes - this.#reservedBytes;
    const allowed = Math.max(this.#limits.responseBytesFree, Math.floor(left * ANSWER_PART));
    share.reservedBytes = Math.min(wantedBytes, allowed);
    this.#reservedBytes += share.reservedBytes;
    return share.reservedBytes;
  }

  /** Those of the held back that may go on, each of whom is to ask again. */
  takeHeldBack(): ReadonlySet<Share> {
    const taken = new Set<Share>();
    if (this.#mayReadersAsk) {
      for (const share of this.#readers) taken.add(share);
      this.#readers.clear();
      this.#modestHeldBack = Infinity;
      this.#largeHeldBack = Infinity;
    }
    if (this.#hasResponseRoom) {
      for (const share of this.#fetchers) taken.add(share);
      this.#fetchers.clear();
    }
    return taken;
  }

  #holdBack(share: Share, bytesToCome: number): void {
    this.#readers.add(share);
    if (bytesToCome === 0) return;
    if (this.#isModest(bytesToCome)) this.#modestHeldBack = Math.min(this.#modestHeldBack, bytesToCome);
    else this.#largeHeldBack = Math.min(this.#largeHeldBack, bytesToCome);
  }

  #isModest(bytesToCome: number): boolean {
    return bytesToCome <= this.#limits.requestBytesMax * MODEST_PART;
  }

  /** Alone on its lane goes a request of any size. */
  #fits(lane: Lane, bytesToCome: number): boolean {
    return lane.bytesToCome === 0 || lane.bytesToCome + bytesToCome <= this.#limits.requestBytesMax / 2;
  }

  #enterLane(share: Share, lane: Lane, bytesToCome: number): void {
    lane.bytesToCome += bytesToCome - share.laneBytes;
    share.lane = lane;
    share.laneBytes = bytesToCome;
  }

  #leaveLane(share: Share): void {
    if (share.lane !== undefined) share.lane.bytesToCome -= share.laneBytes;
    share.lane = undefined;
    share.laneBytes = 0;
  }

  get #hasResponseRoom(): boolean {
    return this.#responseBytes < this.#limits.responseBytesMax;
  }

  get #mayReadersAsk(): boolean {
    if (this.#readers.size === 0) return false;
    const { requestBytesMax } = this.#limits;
    if (this.#requestBytes < requestBytesMax) return true;
    const isHalfHeldBack = this.#modestHeldBack < Infinity || this.#largeHeldBack < Infinity;
    if (isHalfHeldBack && this.#requestBytes < 2 * requestBytesMax) return true;
    return (
      this.#waits(this.#modestLane, this.#modestHeldBack) || this.#waits(this.#largeLane, this.#largeHeldBack)
    );
  }

  #waits(lane: Lane, bytesToCome: number): boolean {
    return bytesToCome < Infinity && this.#fits(lane, bytesToCome);
  }
}
