/** One call to the active controller, whoever that is: asks around within the call's deadline. */
import { type Clock, type ErrorCode, MillraceError, sleep, toMillraceError } from '@millrace/core';
import type { UnaryMethod } from '@millrace/protocol';
import type { ControllerDirectory } from './controller-directory.ts';

const DEADLINE_MS = 30_000;
const PAUSE_MIN_MS = 10;
const PAUSE_MAX_MS = 200;
/** With less time left nobody is asked again: what had no time for an answer would hide why the others refused. */
const ASK_AGAIN_MIN_MS = 50;

/** The request was not carried out, so another controller may. */
const ASK_ANOTHER: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'NOT_CONTROLLER',
  'CONNECTION_FAILED',
  'NODE_NOT_SERVING',
]);

/** Nobody knows whether the request was carried out. */
const UNKNOWN: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['NETWORK_EXCEPTION', 'REQUEST_TIMED_OUT']);

export interface ControllerCall<Request, Response> {
  readonly method: UnaryMethod<Request, Response>;
  readonly request: Request;
  /** 0 means a limit of our own. */
  readonly timeoutMs: number;
  /** Carrying it out twice does what once does, so it may be sent again when nobody knows whether it was carried out. */
  readonly isRepeatable?: boolean;
}

export class ControllerCalls {
  readonly #directory: ControllerDirectory;
  readonly #clock: Clock;

  constructor(directory: ControllerDirectory, clock: Clock) {
    this.#directory = directory;
    this.#clock = clock;
  }

  /** @throws {MillraceError} what the active controller answered, or QUORUM_UNAVAILABLE if none was found in time. */
  async call<Request, Response>(call: ControllerCall<Request, Response>): Promise<Response> {
    const deadlineAtMs = this.#clock.nowMs() + (call.timeoutMs || DEADLINE_MS);
    let last: MillraceError | undefined;
    for (let pauseMs = PAUSE_MIN_MS; ; pauseMs = Math.min(pauseMs * 2, PAUSE_MAX_MS)) {
      for (const id of this.#directory.candidates()) {
        const deadlineMs = deadlineAtMs - this.#clock.nowMs();
        if (last !== undefined && deadlineMs < ASK_AGAIN_MIN_MS) throw tooLate(last);
        try {
          const channel = this.#directory.channel(id);
          const response = await channel.unary(call.method, call.request, { deadlineMs });
          this.#directory.setActive(id);
          return response;
        } catch (thrown) {
          last = toMillraceError(thrown);
          if (!mayAskAnother(last, call.isRepeatable === true)) throw last;
          this.#directory.notActive(id);
        }
      }
      if (this.#clock.nowMs() + pauseMs >= deadlineAtMs)
        throw tooLate(last ?? new MillraceError('QUORUM_UNAVAILABLE'));
      await sleep(this.#clock, pauseMs);
    }
  }
}

function mayAskAnother({ code }: MillraceError, isRepeatable: boolean): boolean {
  return ASK_ANOTHER.has(code) || (isRepeatable && UNKNOWN.has(code));
}

function tooLate(last: MillraceError): MillraceError {
  if (last.code === 'REQUEST_TIMED_OUT') return last;
  return new MillraceError('QUORUM_UNAVAILABLE', `no active controller was found: ${last.message}`, {
    cause: last,
  });
}
