/**
 * One connection, driven: feeds its state from a socket, hands requests on, writes answers, stops and resumes reading.
 * Decides nothing that `ConnectionState` and `RequestRoom` can decide, and knows no network module.
 */
import { type BufferPool, type Clock, InvariantError, type Loan, type Logger } from '@millrace/core';
import {
  type ConnectionLimits,
  ConnectionState,
  type Farewell,
  type PendingRequest,
} from './connection-state.ts';
import { requestKind } from './request-kind.ts';
import { NOTHING_HELD, type RequestRoom, type RoomShare } from './request-room-state.ts';
import type { RequestTurns } from './request-turns.ts';
import type { ThrottledLog } from './throttled-log.ts';

/** What one write takes at most. The peer has `response.send.timeout.ms` for as much. */
const WRITE_BYTES_MAX = 512 * 1024;

/** What a handler may know of where a request came from. The same object for every request of a connection. */
export interface ConnectionFacts {
  /** Different for every connection of the process's life. */
  readonly id: number;
  /** Name of the listener, as in `listeners`. */
  readonly listener: string;
  readonly peerHost: string;
  readonly peerPort: number;
  /** Aborts when the connection is gone and nobody waits for answers any more. */
  readonly signal: AbortSignal;
  /** How much of this many bytes an answer to a fetch may bring; they count as held until it comes, or the next call. */
  readonly reserveAnswer?: (bytes: number) => number;
}

/** Whose memory a request occupies, and until when. */
export interface RequestMemory {
  /**
   * Nobody looks at the frame any more who did not say so (`holdMemory`): its memory is used again. The request goes on to
   * count against its connection's limits, so that who is not answered sends no more.
   */
  reuse(): void;
  /** As `reuse`, and the request counts no more: its answer may take minutes. */
  release(): void;
  /**
   * For the memory that the answer's pieces lie in: given back piece by piece as the network has taken them; what no
   * piece lies in, with the answer; none of it if the connection ends before.
   */
  readonly lent: Loan[];
}

/**
 * Answers one request. `frame` is the request without its size, and the pieces of the answer are the response
 * without its size; they are written as they are, and not to be changed afterwards. Undefined: no answer is expected.
 *
 * Called in the order of arrival, before earlier requests are answered: what must keep that order (an append) is to
 * happen inside the call. A rejection ends the connection.
 */
export type KafkaRequestHandler = (
  frame: Buffer,
  connection: ConnectionFacts,
  memory: RequestMemory,
) => Promise<readonly Buffer[] | undefined>;

/** The part of a socket that a connection drives. */
export interface ByteStream {
  write(bytes: Buffer, done?: (error?: Error | null) => void): boolean;
  cork(): void;
  uncork(): void;
  pause(): unknown;
  resume(): unknown;
  /** No more is written. */
  end(): unknown;
  destroy(): unknown;
}

/** What a connection takes of the room, and how it hears that there is more. */
export interface ConnectionShare extends RoomShare {
  readonly connection: KafkaConnection;
}

/** What connections of a listener share. */
export interface ConnectionSurroundings {
  readonly handle: KafkaRequestHandler;
  /** Undefined while producers may go on; otherwise a promise that resolves when they may. */
  readonly produceRoom: () => Promise<void> | undefined;
  /** The memory of requests. */
  readonly buffers: BufferPool;
  readonly room: RequestRoom<ConnectionShare>;
  readonly turns: RequestTurns;
  /** Those whom the room held back are to be asked again. */
  readonly roomChanged: () => void;
  readonly closed: (connection: KafkaConnection) => void;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly log: ThrottledLog;
  /** Runs it once the answers that are ready at this moment have been handed in. */
  readonly defer: (callback: () => void) => void;
}

export class KafkaConnection {
  readonly facts: ConnectionFacts;
  readonly #stream: ByteStream;
  readonly #state: ConnectionState;
  readonly #around: ConnectionSurroundings;
  readonly #share: ConnectionShare = { ...NOTHING_HELD, connection: this };
  readonly #aborter = new AbortController();
  #isReading = true;
  #isClosed = false;
  #isEnding = false;
  #waitsForProduceRoom = false;
  #isFlushDue = false;
  #isProceeding = false;

  constructor(
    stream: ByteStream,
    facts: Omit<ConnectionFacts, 'signal' | 'reserveAnswer'>,
    limits: ConnectionLimits,
    around: ConnectionSurroundings,
  ) {
    this.#stream = stream;
    const reserveAnswer = (bytes: number): number => around.room.reserveAnswer(this.#share, bytes);
    this.facts = { ...facts, signal: this.#aborter.signal, reserveAnswer };
    this.#around = around;
    this.#state = new ConnectionState(limits, around.clock.nowMs(), around.buffers);
  }

  get id(): number {
    return this.facts.id;
  }

  /**
   * Bytes arrived. @param chunk may change once this returns.
   * @returns whether more may come before others have had their turn.
   */
  receive(chunk: Buffer): boolean {
    if (this.#isClosed || this.#isEnding) return true;
    const fault = this.#state.receive(chunk, this.#around.clock.nowMs());
    if (fault !== undefined) this.#giveUp(fault, chunk);
    else this.proceed();
    return this.#around.turns.mayReadOn(this, chunk.length);
  }

  /** The peer sends nothing more. */
  peerEnded(): void {
    this.#state.peerEnded(this.#around.clock.nowMs());
    this.proceed();
  }

  /** Begins what may begin, and reads or does not read. Called whenever anything may have changed. */
  proceed(): void {
    if (this.#isClosed || this.#isProceeding) return;
    this.#isProceeding = true;
    while (this.#mayBegin()) this.#begin(this.#state.begin());
    this.#isProceeding = false;
    if (!this.#isClosed) this.#adjust();
  }

  /** No request begins any more; once those in hand are answered the connection ends. */
  drain(): void {
    if (this.#isClosed) return;
    this.#state.drain();
    this.#adjust();
  }

  /** Ends a connection whose time is over. */
  checkTime(nowMs: number): void {
    if (this.#isClosed) return;
    const overdue = this.#state.overdue(nowMs, this.#around.room.isInTheWay(this.#share));
    if (overdue !== undefined) this.#giveUp(overdue);
  }

  /** Ends it at once, and with it every wait of its handlers. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#around.room.leave(this.#share);
    if (this.#around.room.hasRoomForHeldBack) this.#around.roomChanged();
    this.#aborter.abort();
    this.#stream.destroy();
    this.#around.closed(this);
  }

  #mayBegin(): boolean {
    const frame = this.#isClosed || this.#waitsForProduceRoom ? undefined : this.#state.next;
    if (frame === undefined) return false;
    const kind = requestKind(frame);
    if (kind === 'fetch' && !this.#around.room.mayBeginFetch(this.#share)) return false;
    const wait = kind === 'produce' ? this.#around.produceRoom() : undefined;
    if (wait !== undefined) this.#waitForProduceRoom(wait);
    return wait === undefined && this.#around.turns.mayBegin(this);
  }

  #waitForProduceRoom(wait: Promise<void>): void {
    this.#waitsForProduceRoom = true;
    const go = (): void => {
      this.#waitsForProduceRoom = false;
      this.proceed();
    };
    wait.then(go, go);
  }

  #begin(request: PendingRequest): void {
    const memory: RequestMemory = {
      reuse: () => this.#state.reuse(request),
      release: () => {
        this.#state.release(request);
        this.proceed();
      },
      lent: request.slot.lent,
    };
    let answer: Promise<readonly Buffer[] | undefined>;
    try {
      answer = this.#around.handle(request.frame, this.facts, memory);
    } catch (error) {
      this.#failed(error);
      return;
    }
    answer.then((pieces) => this.#answered(request, pieces)).catch((error: unknown) => this.#failed(error));
  }

  #answered(request: PendingRequest, pieces: readonly Buffer[] | undefined): void {
    if (this.#isClosed) return;
    this.#state.answer(request, pieces, this.#around.clock.nowMs());
    if (request.kind === 'fetch') {
      this.#around.room.reserveAnswer(this.#share, 0);
      this.#around.room.update(this.#share, this.#state.requestBytes, this.#state.responseBytes);
    }
    // Answers that come together leave together.
    if (!this.#isFlushDue) {
      this.#isFlushDue = true;
      this.#around.defer(() => {
        this.#isFlushDue = false;
        this.#flush();
        this.proceed();
      });
    }
  }

  #flush(): void {
    if (this.#isClosed || !this.#state.hasOutput) return;
    const pieces = this.#state.takeOutput(WRITE_BYTES_MAX, this.#around.clock.nowMs());
    const last = pieces.length - 1;
    this.#stream.cork();
    for (let i = 0; i < last; i++) this.#stream.write(pieces[i]!);
    this.#stream.write(pieces[last]!, (error) => this.#written(error));
    this.#stream.uncork();
  }

  #written(error: Error | null | undefined): void {
    // A broken socket says so by its close.
    if (this.#isClosed || error) return;
    this.#state.written(this.#around.clock.nowMs());
    this.#flush();
    this.proceed();
  }

  #adjust(): void {
    const { requestBytes, responseBytes } = this.#state;
    this.#around.room.update(this.#share, requestBytes, responseBytes);
    if (this.#state.isFinished) this.#finish();
    else this.#readOrNot();
    // What this connection gave up, be it only its turn to read, is for others now.
    if (this.#around.room.hasRoomForHeldBack) this.#around.roomChanged();
  }

  #readOrNot(): void {
    const wants = this.#state.wantsInput && !this.#waitsForProduceRoom;
    const shouldRead = wants && this.#around.room.mayRead(this.#share, this.#state.bytesToCome);
    this.#state.setReading(shouldRead, this.#around.clock.nowMs());
    if (shouldRead === this.#isReading) return;
    this.#isReading = shouldRead;
    if (shouldRead) this.#stream.resume();
    else this.#stream.pause();
  }

  /** Everything is written. Closing before the peer has would take away from it what it has not read yet. */
  #finish(): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#stream.end();
    // Only to see the peer's end.
    this.#stream.resume();
  }

  #giveUp({ reason, isFault }: Farewell, seen?: Buffer): void {
    const { id, peerHost, peerPort, listener } = this.facts;
    const fields = { peer: `${peerHost}:${peerPort}`, connection: id, listener, reason };
    if (isFault) {
      const bytes = seen?.subarray(0, 16).toString('hex');
      this.#around.log.warn(
        'kafka_connection_cut_off',
        { ...fields, ...(bytes !== undefined && { bytes }) },
        `cut off a Kafka connection: ${reason}`,
      );
    } else {
      this.#around.logger.debug({ event: 'kafka_connection_closed', ...fields }, 'closed a Kafka connection');
    }
    this.close();
  }

  /** A handler answers what a client did wrong; what it rejects with cannot be answered. */
  #failed(error: unknown): void {
    // A broken invariant is nobody's to handle: it ends the process.
    if (error instanceof InvariantError) {
      queueMicrotask(() => {
        throw error;
      });
    }
    if (this.#isClosed) return;
    const { peerHost, peerPort, id, listener } = this.facts;
    this.#around.log.warn(
      'kafka_request_failed',
      { peer: `${peerHost}:${peerPort}`, connection: id, listener, err: error },
      'closed a Kafka connection: a request could not be answered',
    );
    this.close();
  }
}
