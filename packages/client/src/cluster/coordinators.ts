/**
 * Who coordinates which group, and calls that only a group's coordinator can answer: found once, asked until it answers,
 * found again when it moved. Never decides what a refusal means for the caller, only whether time may cure it.
 */
import { MillraceError, toMillraceError } from '@millrace/core';
import { type Failure, groupService, type RequestHeader, type UnaryMethod } from '@millrace/protocol';
import { formatAddress } from './address.ts';
import { backoffMs } from './backoff.ts';
import { pause, throwIfAborted } from './cancellation.ts';
import type { Cluster, RequestLimits } from './cluster.ts';
import { errorOfFailure } from './failure.ts';
import type { Address, CallOptions, Connection } from './transport.ts';

/** What answers of a coordinator mean to who asked. */
export interface CoordinatorAnswers<Response> {
  /** The refusal in an answer that is not thrown. Default: its `failure`. */
  readonly failureOf?: (response: Response) => Failure | undefined;
  /** The answer if a refusal means that an earlier attempt made the change; undefined if it is a refusal. */
  readonly ownSuccess?: (refusal: MillraceError) => Response | undefined;
}

export interface CoordinatorCall<Request, Response> extends CoordinatorAnswers<Response> {
  readonly method: UnaryMethod<Request, Response>;
  readonly make: (header: RequestHeader) => Request;
  /** Longest time for one attempt. Default: all there is, since a coordinator that was reached is at work. */
  readonly attemptTimeoutMs?: number;
}

export class Coordinators {
  readonly #cluster: Cluster;
  readonly #known = new Map<string, Address>();
  readonly #finding = new Map<string, Promise<void>>();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /**
   * Finds the coordinators of all these groups, in one question for those that are not known.
   *
   * @throws {MillraceError} INVALID_GROUP_ID, COORDINATOR_NOT_AVAILABLE, CONNECTION_FAILED, CANCELLED.
   */
  async find(groupIds: readonly string[], limits: RequestLimits = {}): Promise<void> {
    const { timeoutMs = this.#cluster.config.requestTimeoutMs, signal } = limits;
    const deadlineMs = this.#cluster.clock.nowMs() + timeoutMs;
    for (let attempt = 0; ; attempt++) {
      throwIfAborted(signal);
      const leftMs = Math.max(1, deadlineMs - this.#cluster.clock.nowMs());
      const failure = await this.#findOnce(groupIds, { timeoutMs: leftMs, ...(signal && { signal }) });
      if (failure === undefined) return;
      const waitMs = backoffMs(attempt, this.#cluster.config, this.#cluster.random);
      if (!failure.retriable || this.#cluster.clock.nowMs() + waitMs >= deadlineMs) throw failure;
      await pause(this.#cluster.clock, waitMs, signal);
    }
  }

  /** The coordinator as far as it is known. */
  addressOf(groupId: string): Address | undefined {
    return this.#known.get(groupId);
  }

  /** @throws as `find`. */
  async connectionTo(groupId: string, limits: RequestLimits = {}): Promise<Connection> {
    await this.find([groupId], limits);
    return this.#cluster.connectionAt(this.#known.get(groupId)!);
  }

  /** It is the coordinator no more, or cannot be reached. What was found since `address` stays. */
  forget(groupId: string, address: Address): void {
    const known = this.#known.get(groupId);
    if (known !== undefined && formatAddress(known) === formatAddress(address)) this.#known.delete(groupId);
  }

  /** One request and its answer, as `ask`. */
  call<Request, Response>(
    groupId: string,
    call: CoordinatorCall<Request, Response>,
    limits: RequestLimits = {},
  ): Promise<Response> {
    const { method, make, attemptTimeoutMs } = call;
    const attempt = (connection: Connection, { timeoutMs: leftMs, ...rest }: CallOptions) => {
      const timeoutMs = Math.min(leftMs, attemptTimeoutMs ?? leftMs);
      return connection.unary(method, make(this.#cluster.header(0, timeoutMs)), { timeoutMs, ...rest });
    };
    return this.ask(groupId, attempt, call, limits);
  }

  /**
   * Asks the group's coordinator, and again while the failure is retriable and there is time. What `attempt` throws is a
   * failure as well.
   *
   * @throws {MillraceError} the refusal, or the last failure.
   */
  async ask<Response>(
    groupId: string,
    attempt: (connection: Connection, limits: CallOptions) => Promise<Response>,
    answers: CoordinatorAnswers<Response>,
    limits: RequestLimits = {},
  ): Promise<Response> {
    const { clock, config, random } = this.#cluster;
    const { timeoutMs = config.requestTimeoutMs, signal } = limits;
    const deadlineMs = clock.nowMs() + timeoutMs;
    const left = (): CallOptions => ({
      timeoutMs: Math.max(1, deadlineMs - clock.nowMs()),
      ...(signal && { signal }),
    });
    let isRepeated = false;
    for (let attempts = 0; ; attempts++) {
      throwIfAborted(signal);
      await this.find([groupId], left());
      const result = await this.#askOnce(groupId, attempt, left(), answers.failureOf);
      if (!(result instanceof MillraceError)) return result;
      throwIfAborted(signal);
      const own = isRepeated ? answers.ownSuccess?.(result) : undefined;
      if (own !== undefined) return own;
      const waitMs = backoffMs(attempts, config, random);
      if (!result.retriable || clock.nowMs() + waitMs >= deadlineMs) throw result;
      isRepeated ||= result.code !== 'CONNECTION_FAILED';
      await pause(clock, waitMs, signal);
    }
  }

  /** What an answer or a broken connection tells about who coordinates. True if it has to be found again. */
  learn(groupId: string, address: Address, error: MillraceError): boolean {
    const mayHaveMoved = error.staleMetadata || error.code === 'REQUEST_TIMED_OUT';
    if (mayHaveMoved) this.forget(groupId, address);
    return mayHaveMoved;
  }

  async #askOnce<Response>(
    groupId: string,
    attempt: (connection: Connection, limits: CallOptions) => Promise<Response>,
    limits: CallOptions,
    failureOf: (response: Response) => Failure | undefined = failureIn,
  ): Promise<Response | MillraceError> {
    const address = this.#known.get(groupId);
    if (address === undefined) return new MillraceError('COORDINATOR_NOT_AVAILABLE');
    let error: MillraceError;
    try {
      const response = await attempt(this.#cluster.connectionAt(address), limits);
      const failure = failureOf(response);
      if (failure === undefined) return response;
      error = errorOfFailure(failure, `group ${groupId}`);
    } catch (thrown) {
      error = toMillraceError(thrown);
    }
    this.learn(groupId, address, error);
    return error;
  }

  /** The failure of the first group that has one. */
  async #findOnce(groupIds: readonly string[], limits: RequestLimits): Promise<MillraceError | undefined> {
    const unknown = groupIds.filter((groupId) => !this.#known.has(groupId));
    const missing = unknown.filter((groupId) => !this.#finding.has(groupId));
    const failures = new Map<string, MillraceError>();
    const asked = missing.length === 0 ? undefined : this.#ask(missing, limits, failures);
    for (const groupId of missing) this.#finding.set(groupId, asked!);
    // What others already ask for is waited for; if they fail or give up, the caller asks again itself.
    await Promise.all(
      unknown.map((groupId) => {
        const asking = this.#finding.get(groupId)!;
        return asking === asked ? asking : asking.catch(() => {});
      }),
    );
    for (const groupId of unknown) {
      if (this.#known.has(groupId)) continue;
      return failures.get(groupId) ?? new MillraceError('COORDINATOR_NOT_AVAILABLE');
    }
    return undefined;
  }

  async #ask(
    groupIds: readonly string[],
    limits: RequestLimits,
    failures: Map<string, MillraceError>,
  ): Promise<void> {
    try {
      const answer = await this.#cluster.callAnyNode(
        groupService.findCoordinators,
        (header) => ({ header, groupIds: [...groupIds] }),
        limits,
      );
      for (const { groupId, failure, node } of answer.coordinators) {
        if (failure !== undefined) failures.set(groupId, errorOfFailure(failure, `group ${groupId}`));
        else if (node !== undefined) this.#known.set(groupId, { host: node.host, port: node.port });
      }
    } finally {
      for (const groupId of groupIds) this.#finding.delete(groupId);
    }
  }
}

function failureIn(response: unknown): Failure | undefined {
  return (response as { readonly failure?: Failure }).failure;
}
