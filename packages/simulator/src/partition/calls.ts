/** Requests with one answer each on a message stream. A call ends in its answer, an error of the stream, or its deadline. */
import { type Clock, MillraceError, type Timer } from '@millrace/core';
import type { SimLife } from '../world/sim-process.ts';
import type { MessageStreams, StreamEnd, StreamHandlers } from './message-streams.ts';

interface Request {
  readonly id: number;
  readonly method: string;
  readonly body: unknown;
}

interface Answer {
  readonly id: number;
  readonly body?: unknown;
  readonly error?: MillraceError;
}

interface Waiting {
  readonly resolve: (body: unknown) => void;
  readonly reject: (error: MillraceError) => void;
  readonly timer: Timer;
}

/** From one life to one process; connects when there is something to ask. */
export class Caller {
  readonly #streams: MessageStreams;
  readonly #life: SimLife;
  readonly #to: string;
  readonly #clock: Clock;
  readonly #service: string;
  readonly #waiting = new Map<number, Waiting>();
  #end: StreamEnd | undefined;
  #nextId = 1;

  constructor(streams: MessageStreams, life: SimLife, to: string, service: string) {
    this.#streams = streams;
    this.#life = life;
    this.#to = to;
    this.#service = service;
    this.#clock = life.clock;
  }

  /** @throws {MillraceError} what the other side threw, NETWORK_EXCEPTION, CONNECTION_FAILED or REQUEST_TIMED_OUT */
  call<T>(method: string, body: unknown, timeoutMs: number): Promise<T> {
    this.#end ??= this.#connect();
    if (this.#end === undefined) return Promise.reject(new MillraceError('CONNECTION_FAILED'));
    const id = this.#nextId++;
    this.#end.send({ id, method, body } satisfies Request);
    return new Promise<T>((resolve, reject) => {
      const timer = this.#clock.schedule(timeoutMs, () => {
        this.#waiting.delete(id);
        reject(new MillraceError('REQUEST_TIMED_OUT', 'no answer came in time'));
      });
      this.#waiting.set(id, { resolve: resolve as (body: unknown) => void, reject, timer });
    });
  }

  #connect(): StreamEnd | undefined {
    return this.#streams.connect(this.#life, this.#to, this.#service, {
      onMessage: (message) => this.#answered(message as Answer),
      onClosed: () => this.#lost(),
    });
  }

  #answered({ id, body, error }: Answer): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    waiting.timer.cancel();
    if (error === undefined) waiting.resolve(body);
    else waiting.reject(error);
  }

  #lost(): void {
    this.#end = undefined;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { timer, reject } of waiting) {
      timer.cancel();
      reject(new MillraceError('NETWORK_EXCEPTION'));
    }
  }
}

/** The other side: runs a handler for each request, in order of arrival, and sends what it resolves to. */
export function answering(
  end: StreamEnd,
  handle: (method: string, body: unknown) => Promise<unknown> | undefined,
): StreamHandlers {
  return {
    onMessage: (message) => {
      const { id, method, body } = message as Request;
      handle(method, body)?.then(
        (answer) => end.send({ id, body: answer } satisfies Answer),
        (error: unknown) => {
          if (!(error instanceof MillraceError)) throw error;
          end.send({ id, error } satisfies Answer);
        },
      );
    },
    onClosed: () => {},
  };
}
