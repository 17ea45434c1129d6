/** Hands out producer ids, each once in the life of the cluster and taken in blocks from the controller. */
import { type Clock, MillraceError, type NodeId } from '@millrace/core';
import type { ControllerChannel, ProducerIdBlock } from './controller-channel.ts';

export interface ProducerIdsOptions {
  readonly nodeId: NodeId;
  readonly controllers: Pick<ControllerChannel, 'allocateProducerIds'>;
  readonly clock: Clock;
  readonly brokerEpoch: () => number;
}

export class ProducerIds {
  readonly #options: ProducerIdsOptions;
  #next = 0;
  #end = 0;
  #fetching: Promise<void> | undefined;

  constructor(options: ProducerIdsOptions) {
    this.#options = options;
  }

  /** @throws {MillraceError} as the controller, or REQUEST_TIMED_OUT. */
  async next(timeoutMs: number): Promise<number> {
    const deadlineMs = this.#options.clock.nowMs() + timeoutMs;
    while (this.#next >= this.#end) {
      const leftMs = Math.ceil(deadlineMs - this.#options.clock.nowMs());
      if (leftMs <= 0) throw new MillraceError('REQUEST_TIMED_OUT');
      // Everybody who waits shares one request.
      this.#fetching ??= this.#fetch(leftMs).finally(() => {
        this.#fetching = undefined;
      });
      await this.#fetching;
    }
    return this.#next++;
  }

  async #fetch(timeoutMs: number): Promise<void> {
    const { nodeId, controllers, brokerEpoch } = this.#options;
    if (brokerEpoch() === -1) throw new MillraceError('COORDINATOR_NOT_AVAILABLE', 'not registered yet');
    const block: ProducerIdBlock = await controllers.allocateProducerIds({
      timeoutMs,
      brokerId: nodeId,
      brokerEpoch: brokerEpoch(),
    });
    this.#next = block.firstId;
    this.#end = block.firstId + block.count;
  }
}
