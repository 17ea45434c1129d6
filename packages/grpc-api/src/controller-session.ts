/** The broker's end of its session: asks the controllers one after the other until one takes the registration. */
import type {
  BrokerHeartbeat,
  BrokerRegistration,
  ControllerSession,
  ControllerSessionHandlers,
} from '@millrace/broker';
import { MillraceError, type NodeId, toMillraceError } from '@millrace/core';
import {
  controllerService,
  type RequestHeader,
  type RpcStream,
  type BrokerHeartbeat as WireHeartbeat,
  type BrokerState as WireState,
} from '@millrace/protocol';
import type { ControllerDirectory } from './controller-directory.ts';
import type { KnownQuorum } from './known-quorum.ts';
import { fromWireFailure } from './wire-failure.ts';

export class GrpcControllerSession implements ControllerSession {
  readonly #directory: ControllerDirectory;
  readonly #quorum: KnownQuorum;
  readonly #header: (correlationId: number) => RequestHeader;
  readonly #registration: BrokerRegistration;
  readonly #handlers: ControllerSessionHandlers;
  #candidates: readonly NodeId[];
  #stream: RpcStream<WireHeartbeat> | undefined;
  #askedId: NodeId | undefined;
  #correlationId = 0;
  #isAccepted = false;
  #isClosed = false;

  constructor(
    directory: ControllerDirectory,
    quorum: KnownQuorum,
    header: (correlationId: number) => RequestHeader,
    registration: BrokerRegistration,
    handlers: ControllerSessionHandlers,
  ) {
    this.#directory = directory;
    this.#quorum = quorum;
    this.#header = header;
    this.#registration = registration;
    this.#handlers = handlers;
    this.#candidates = directory.candidates();
    this.#tryNext(new MillraceError('QUORUM_UNAVAILABLE'));
  }

  heartbeat(heartbeat: BrokerHeartbeat): void {
    // Until a controller has taken the registration there is nobody to tell.
    if (!this.#isAccepted) return;
    this.#stream?.send({
      header: this.#nextHeader(),
      ...heartbeat,
      directoryId: this.#registration.directoryId,
      endpoints: [],
      rack: '',
      previousBrokerEpoch: -1,
    });
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    // Given up for its silence or for good: either way the next session had better begin with another controller.
    if (this.#askedId !== undefined) this.#directory.notActive(this.#askedId);
    this.#stream?.close();
  }

  #tryNext(last: MillraceError): void {
    const [id, ...rest] = this.#candidates;
    if (id === undefined) {
      this.#isClosed = true;
      // Never before `openSession` has returned.
      queueMicrotask(() => this.#handlers.onClosed(last));
      return;
    }
    this.#candidates = rest;
    this.#askedId = id;
    const stream = this.#directory.channel(id).duplex(controllerService.session, {
      onMessage: (state) => this.#onState(id, state),
      onClosed: (error) => this.#onClosed(id, error),
    });
    this.#stream = stream;
    const registration = { brokerEpoch: -1, wantsShutdown: false };
    stream.send({ header: this.#nextHeader(), ...this.#registration, ...registration });
  }

  /** @throws {MillraceError} NOT_CONTROLLER from another quorum: ends the stream. */
  #onState(id: NodeId, state: WireState): void {
    if (this.#isClosed) return;
    const kept = this.#quorum.learn(state.quorumId);
    if (kept === undefined) {
      this.#deliver(id, state);
      return;
    }
    // A broker that serves knows for good where it belongs. Nothing else comes until the registration is taken.
    const stream = this.#stream;
    kept.then(
      () => this.#deliver(id, state),
      (error: unknown) => stream?.close(toMillraceError(error)),
    );
  }

  #deliver(id: NodeId, state: WireState): void {
    if (this.#isClosed) return;
    this.#isAccepted = true;
    this.#directory.setActive(id);
    const { brokerEpoch, fenced, mayShutDown } = state;
    const failure = fromWireFailure(state.failure);
    this.#handlers.onState({ failure, brokerEpoch, fenced, mayShutDown });
  }

  #onClosed(id: NodeId, error: MillraceError | undefined): void {
    if (this.#isClosed) return;
    this.#directory.notActive(id);
    const reason = error ?? new MillraceError('NETWORK_EXCEPTION', 'the controller ended the session');
    if (!this.#isAccepted && reason.code !== 'INCONSISTENT_CLUSTER_ID') {
      this.#tryNext(reason);
      return;
    }
    this.#isClosed = true;
    this.#handlers.onClosed(reason);
  }

  #nextHeader(): RequestHeader {
    this.#correlationId += 1;
    return this.#header(this.#correlationId);
  }
}
