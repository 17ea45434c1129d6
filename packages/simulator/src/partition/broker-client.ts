/** How producers and consumers of a partition world reach brokers: one caller for each, leaders as the controller last said. */
import type { NodeId } from '@millrace/core';
import type { MetadataImage } from '@millrace/metadata';
import type { SimLife } from '../world/sim-process.ts';
import { Caller } from './calls.ts';
import type { MessageStreams } from './message-streams.ts';

export const brokerName = (id: NodeId): string => `node-${id}`;

export interface KnownLeader {
  readonly leader: NodeId;
  readonly leaderEpoch: number;
}

export class BrokerClient {
  readonly life: SimLife;
  readonly #streams: MessageStreams;
  readonly #image: () => MetadataImage;
  readonly #callers = new Map<NodeId, Caller>();

  constructor(streams: MessageStreams, life: SimLife, image: () => MetadataImage) {
    this.#streams = streams;
    this.life = life;
    this.#image = image;
  }

  /** As the controller has it now; whoever keeps it may find it stale. Undefined if there is no such partition. */
  leaderOf(topicId: string, partition: number): KnownLeader | undefined {
    return this.#image().topics.get(topicId)?.partitions[partition];
  }

  image(): MetadataImage {
    return this.#image();
  }

  call<T>(broker: NodeId, method: string, body: unknown, timeoutMs: number): Promise<T> {
    let caller = this.#callers.get(broker);
    if (caller === undefined) {
      caller = new Caller(this.#streams, this.life, brokerName(broker), 'client');
      this.#callers.set(broker, caller);
    }
    return caller.call<T>(method, body, timeoutMs);
  }
}
