/**
 * One connection as a machine without I/O: chunks and time in; which request to begin next, what to write, whether to
 * read on, and when to give the peer up. Knows nothing of sockets, timers or what requests mean.
 *
 * Requests begin in the order they came, several at a time: the next one does not wait for the answer of the one
 * before. Answers leave in that order too. (Kafka begins a request only after it has answered the one before; clients
 * see the same answers, earlier.)
 */
import { type BufferPool, occupiedBytes, releaseMemory } from '@millrace/core';
import { AnswerQueue, type AnswerSlot } from './answer-queue-state.ts';
import { FrameSplitter } from './frame-splitter-state.ts';
import { IN_HAND_MAX, type RequestKind, requestKind } from './request-kind.ts';

/** Who sends a request at this speed or more is not stalling, however long it takes. What came fast earns no rest. */
const RECEIVED_BYTES_PER_MS_MIN = 10;
/** How long a request may stall that holds others back. */
const STALLED_IN_THE_WAY_MAX_MS = 10_000;

const NO_BYTES = Buffer.alloc(0);

export interface ConnectionLimits {
  readonly requestMaxBytes: number;
  readonly requestsInHandMax: number;
  readonly requestBytesInHandMax: number;
  readonly responseBytesMax: number;
  readonly firstRequestTimeoutMs: number;
  readonly receiveTimeoutMs: number;
  readonly sendTimeoutMs: number;
  readonly idleMaxMs: number;
}

/** A request in hand. */
export interface PendingRequest {
  /** Empty once released. */
  frame: Buffer;
  readonly kind: RequestKind;
  readonly slot: AnswerSlot;
  /** What it counts against the limits. */
  heldBytes: number;
}

/** Why a connection ends from this side. */
export interface Farewell {
  readonly reason: string;
  /** The peer did what no client should. */
  readonly isFault: boolean;
}

export class ConnectionState {
  readonly #limits: ConnectionLimits;
  readonly #splitter: FrameSplitter;
  readonly #answers = new AnswerQueue();
  /** Whole, but not begun. One chunk's worth at most: while there are any, nothing is read. */
  #waiting: Buffer[] = [];
  #waitingAt = 0;
  #waitingBytes = 0;
  readonly #inHand: Record<RequestKind, number> = { produce: 0, fetch: 0, other: 0 };
  #inHandBytes = 0;
  #hasSpoken = false;
  #isDraining = false;
  #peerEndedAtMs: number | undefined;
  #lastActiveMs: number;
  /** Since then a first request is awaited, or the rest of a begun one. Time when nothing was read does not count. */
  #awaitingSinceMs: number;
  #pausedAtMs: number | undefined;
  #writingSinceMs = 0;

  /** @param buffers the memory of requests. */
  constructor(limits: ConnectionLimits, nowMs: number, buffers: BufferPool) {
    this.#limits = limits;
    this.#splitter = new FrameSplitter(limits.requestMaxBytes, buffers);
    this.#lastActiveMs = nowMs;
    this.#awaitingSinceMs = nowMs;
  }

  /** Memory that requests occupy: begun, waiting, and half received. */
  get requestBytes(): number {
    return this.#inHandBytes + this.#waitingBytes + this.#splitter.heldBytes;
  }

  /** Memory that answers occupy which the network has not taken. */
  get responseBytes(): number {
    return this.#answers.heldBytes;
  }

  get isInsideFrame(): boolean {
    return this.#splitter.isInsideFrame;
  }

  /** Of the request that is half here; 0 if none is. */
  get bytesToCome(): number {
    return this.#splitter.bytesToCome;
  }

  /** Nothing is left to do, and nothing more is to come. */
  get isFinished(): boolean {
    const isEnding = this.#isDraining || this.#peerEndedAtMs !== undefined;
    return isEnding && !this.#hasWaiting && this.#answers.slots === 0 && this.#answers.bytes === 0;
  }

  /** @returns what to end the connection for. */
  receive(chunk: Buffer, nowMs: number): Farewell | undefined {
    const wasInside = this.#splitter.isInsideFrame;
    const frames = this.#splitter.push(chunk);
    const { garbage } = this.#splitter;
    if (garbage !== undefined) return { reason: garbage, isFault: true };
    this.#lastActiveMs = nowMs;
    if (frames.length > 0) this.#hasSpoken = true;
    if (this.#hasSpoken && (frames.length > 0 || !wasInside)) this.#awaitingSinceMs = nowMs;
    else
      this.#awaitingSinceMs = Math.min(
        nowMs,
        this.#awaitingSinceMs + chunk.length / RECEIVED_BYTES_PER_MS_MIN,
      );
    if (this.#isDraining) return undefined;
    for (const frame of frames) {
      this.#waiting.push(frame);
      this.#waitingBytes += occupiedBytes(frame);
    }
    return undefined;
  }

  /** The request to begin next; undefined if there is none or the connection has too much in hand. */
  get next(): Buffer | undefined {
    const { requestsInHandMax, responseBytesMax } = this.#limits;
    const frame = this.#waiting[this.#waitingAt];
    if (frame === undefined || this.#answers.slots >= requestsInHandMax) return undefined;
    if (this.#answers.bytes >= responseBytesMax) return undefined;
    const kind = requestKind(frame);
    return this.#inHand[kind] >= IN_HAND_MAX[kind] ? undefined : frame;
  }

  /** Begins `next`, of which there must be one. */
  begin(): PendingRequest {
    const frame = this.#waiting[this.#waitingAt++]!;
    if (this.#waitingAt === this.#waiting.length) {
      this.#waiting = [];
      this.#waitingAt = 0;
    }
    const heldBytes = occupiedBytes(frame);
    const request: PendingRequest = {
      frame,
      kind: requestKind(frame),
      slot: this.#answers.reserve(),
      heldBytes,
    };
    this.#waitingBytes -= heldBytes;
    this.#inHandBytes += heldBytes;
    this.#inHand[request.kind] += 1;
    return request;
  }

  /** Whoever handles the request keeps nothing of its frame, but for what is held: its memory is used again. */
  reuse(request: PendingRequest): void {
    releaseMemory(request.frame);
    request.frame = NO_BYTES;
  }

  /** As `reuse`; nor does it count against the limits any more. */
  release(request: PendingRequest): void {
    this.reuse(request);
    this.#discount(request);
  }

  /** Undefined for a request that nobody expects an answer to. */
  answer(request: PendingRequest, answer: readonly Buffer[] | undefined, nowMs: number): void {
    this.#answers.answer(request.slot, answer);
    // Without a word of its handler: somebody may still look at it.
    request.frame = NO_BYTES;
    this.#discount(request);
    this.#inHand[request.kind] -= 1;
    this.#lastActiveMs = nowMs;
  }

  get hasOutput(): boolean {
    return this.#answers.hasOutput && !this.#answers.isWriting;
  }

  /** What to write now; nothing while earlier bytes are on their way. */
  takeOutput(maxBytes: number, nowMs: number): Buffer[] {
    const pieces = this.#answers.take(maxBytes);
    if (pieces.length > 0) this.#writingSinceMs = nowMs;
    return pieces;
  }

  /** The network took what was given out last. */
  written(nowMs: number): void {
    this.#answers.written();
    this.#lastActiveMs = nowMs;
  }

  /** As far as this connection goes; the listener may have other reasons not to read. */
  get wantsInput(): boolean {
    const { requestsInHandMax, requestBytesInHandMax, responseBytesMax } = this.#limits;
    if (this.#isDraining || this.#peerEndedAtMs !== undefined || this.#hasWaiting) return false;
    if (this.#answers.slots >= requestsInHandMax || this.#answers.bytes >= responseBytesMax) return false;
    return this.#inHandBytes < requestBytesInHandMax;
  }

  /** Reading stopped or goes on. */
  setReading(isReading: boolean, nowMs: number): void {
    if (!isReading) this.#pausedAtMs ??= nowMs;
    else if (this.#pausedAtMs !== undefined) {
      this.#awaitingSinceMs += nowMs - this.#pausedAtMs;
      this.#pausedAtMs = undefined;
    }
  }

  /** The peer sends nothing more. What it sent whole is still handled; without an answer, if it expects none. */
  peerEnded(nowMs: number): void {
    this.#peerEndedAtMs ??= nowMs;
  }

  /** No request begins any more; those in hand are answered. */
  drain(): void {
    this.#isDraining = true;
    this.#waiting = [];
    this.#waitingAt = 0;
    this.#waitingBytes = 0;
  }

  /**
   * What ends the connection now that this much time has passed.
   * @param isInTheWay what it holds keeps others from being read.
   */
  overdue(nowMs: number, isInTheWay = false): Farewell | undefined {
    const { sendTimeoutMs, firstRequestTimeoutMs, receiveTimeoutMs, idleMaxMs } = this.#limits;
    if (this.#answers.isWriting && nowMs - this.#writingSinceMs >= sendTimeoutMs) {
      return { reason: `took nothing of its answers for ${sendTimeoutMs} ms`, isFault: true };
    }
    if (this.#peerEndedAtMs !== undefined) {
      const isLeft = nowMs - this.#peerEndedAtMs >= receiveTimeoutMs;
      return isLeft ? { reason: 'was closed by the peer', isFault: false } : undefined;
    }
    if (this.#pausedAtMs === undefined && (this.isInsideFrame || !this.#hasSpoken)) {
      const patienceMs = this.#hasSpoken ? receiveTimeoutMs : firstRequestTimeoutMs;
      const limitMs = isInTheWay ? Math.min(patienceMs, STALLED_IN_THE_WAY_MAX_MS) : patienceMs;
      if (nowMs - this.#awaitingSinceMs >= limitMs) return this.#stalled(limitMs);
    }
    const isBusy = this.#answers.slots > 0 || this.#answers.bytes > 0 || this.#hasWaiting;
    if (isBusy || nowMs - this.#lastActiveMs < idleMaxMs) return undefined;
    return { reason: `was idle for ${idleMaxMs} ms`, isFault: false };
  }

  get #hasWaiting(): boolean {
    return this.#waitingAt < this.#waiting.length;
  }

  #discount(request: PendingRequest): void {
    this.#inHandBytes -= request.heldBytes;
    request.heldBytes = 0;
  }

  #stalled(limitMs: number): Farewell {
    if (this.isInsideFrame) return { reason: `left a request half sent for ${limitMs} ms`, isFault: true };
    return { reason: `sent no request within ${limitMs} ms`, isFault: true };
  }
}
