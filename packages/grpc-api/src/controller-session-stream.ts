/**
 * A broker's session with the active controller: registration first, then heartbeats, answered one by one in order. Ends
 * when the controller is not active any more, so that the broker looks for the one that is.
 */
import { MillraceError, toMillraceError } from '@millrace/core';
import type { ControllerApi } from '@millrace/metadata-quorum';
import type { BrokerHeartbeat, BrokerState, RpcStream, ServerStreamHandlers } from '@millrace/protocol';
import type { LeaderWatch } from './leader-watch.ts';
import { checkCluster, checkQuorum } from './request-header.ts';
import { wireFailureOf } from './wire-failure.ts';

type SessionController = Pick<ControllerApi, 'registerBroker' | 'heartbeat' | 'brokerDisconnected'> & {
  isActive(): boolean;
  quorumId(): string;
};

/** Heartbeats that wait for the answer of an earlier one; a broker waits for answers, so this is generous. */
const WAITING_MAX = 64;

export class ControllerSessionStream implements ServerStreamHandlers<BrokerHeartbeat> {
  readonly #controller: SessionController;
  readonly #clusterId: string;
  readonly #stream: RpcStream<BrokerState>;
  readonly #unwatch: () => void;
  #waiting: BrokerHeartbeat[] = [];
  #isBusy = false;
  #registered: { readonly brokerId: number; readonly brokerEpoch: number } | undefined;

  constructor(
    controller: SessionController,
    leaders: LeaderWatch,
    clusterId: string,
    stream: RpcStream<BrokerState>,
  ) {
    this.#controller = controller;
    this.#clusterId = clusterId;
    this.#stream = stream;
    this.#unwatch = leaders.onChange(() => {
      if (!controller.isActive()) stream.close(new MillraceError('NOT_CONTROLLER'));
    });
  }

  onMessage(heartbeat: BrokerHeartbeat): void {
    checkCluster(heartbeat.header, this.#clusterId);
    checkQuorum(heartbeat.header.quorumId, this.#controller.quorumId());
    this.#waiting.push(heartbeat);
    if (this.#waiting.length > WAITING_MAX) throw new MillraceError('NODE_OVERLOADED');
    if (this.#isBusy) return;
    this.#answerWaiting().catch((error: unknown) => this.#stream.close(toMillraceError(error)));
  }

  onClosed(): void {
    this.#waiting = [];
    this.#unwatch();
    if (this.#registered === undefined) return;
    this.#controller.brokerDisconnected(this.#registered.brokerId, this.#registered.brokerEpoch, this);
  }

  async #answerWaiting(): Promise<void> {
    this.#isBusy = true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      await this.#answer(next);
    }
    this.#isBusy = false;
  }

  async #answer(heartbeat: BrokerHeartbeat): Promise<void> {
    const { correlationId } = heartbeat.header;
    try {
      const state = await this.#decide(heartbeat);
      this.#stream.send({ correlationId, quorumId: this.#controller.quorumId(), ...state });
    } catch (thrown) {
      const error = toMillraceError(thrown);
      if (error.code === 'NOT_CONTROLLER') {
        this.#stream.close(error);
        return;
      }
      const failure = wireFailureOf(error);
      const quorumId = this.#controller.quorumId();
      this.#stream.send({
        correlationId,
        failure,
        brokerEpoch: -1,
        fenced: true,
        mayShutDown: false,
        quorumId,
      });
    }
  }

  async #decide(message: BrokerHeartbeat): Promise<Omit<BrokerState, 'correlationId' | 'quorumId'>> {
    const { brokerId, brokerEpoch, metadataOffset, wantsShutdown, offline } = message;
    if (brokerEpoch !== -1) {
      // A broker that keeps its epoch over a broken connection need not register again.
      this.#registered = { brokerId, brokerEpoch };
      return this.#controller.heartbeat(
        { brokerId, brokerEpoch, metadataOffset, wantsShutdown, offline },
        this,
      );
    }
    const { incarnationId, directoryId, endpoints, rack, previousBrokerEpoch } = message;
    const life = { brokerId, incarnationId, directoryId };
    const registered = await this.#controller.registerBroker(
      { ...life, endpoints, rack, previousBrokerEpoch },
      this,
    );
    this.#registered = { brokerId, brokerEpoch: registered.brokerEpoch };
    if (this.#stream.closed) this.#controller.brokerDisconnected(brokerId, registered.brokerEpoch, this);
    return { brokerEpoch: registered.brokerEpoch, fenced: true, mayShutDown: false };
  }
}
