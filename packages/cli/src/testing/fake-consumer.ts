/** A consumer of the fake cluster: hands out what is there, then waits to be interrupted, as a real one waits for more. */
import type {
  ConsumerBatch,
  ConsumerOptions,
  ConsumerRecord,
  GroupCallbacks,
  PollOptions,
} from '@millrace/client';
import { MillraceError, type TopicPartition } from '@millrace/core';
import type { ConsumerClient } from '../cluster-client.ts';
import type { FakeCluster } from './fake-cluster.ts';

export class FakeConsumer implements ConsumerClient {
  readonly #cluster: FakeCluster;
  readonly #positions = new Map<string, { partition: TopicPartition; offset: bigint; paused: boolean }>();

  readonly #options: ConsumerOptions;
  /** Handed out by `poll` and not yet finished with. */
  #inHand: readonly ConsumerRecord[] = [];

  constructor(cluster: FakeCluster, options: ConsumerOptions = {}) {
    this.#cluster = cluster;
    this.#options = options;
  }

  /** The only member: every partition is its own, from where the group is. */
  subscribe(topics: unknown, callbacks: GroupCallbacks = {}): void {
    const { groupId = '', autoOffsetReset } = this.#options;
    const { groups } = this.#cluster;
    for (const topic of topics as readonly string[]) {
      this.#cluster.topic(topic).records.forEach((log, partition) => {
        const [committed] = groups.offsets(groupId, [{ topic, partition }]);
        const start = autoOffsetReset === 'earliest' ? 0n : BigInt(log.length);
        const place = { topic, partition };
        this.#positions.set(keyOf(place), {
          partition: place,
          offset: committed?.offset ?? start,
          paused: false,
        });
      });
    }
    void callbacks.onAssigned?.(Array.from(this.#positions.values(), ({ partition }) => partition));
  }

  /** As a real one: to ask for more is to have finished with what there was. */
  async poll({ maxRecords = 500, signal }: PollOptions = {}): Promise<ConsumerRecord[]> {
    await this.commit();
    for (const position of this.#positions.values()) {
      const { topic, partition } = position.partition;
      const start = Number(position.offset);
      const records = this.#cluster.topic(topic).records[partition]!.slice(start, start + maxRecords);
      if (records.length === 0) continue;
      position.offset = BigInt(start + records.length);
      this.#inHand = records;
      return records;
    }
    this.#cluster.idleConsumers += 1;
    return await whenAborted(signal);
  }

  async commit(): Promise<void> {
    const { groupId = '' } = this.#options;
    for (const { topic, partition, offset } of this.#inHand)
      this.#cluster.groups.commit(groupId, { topic, partition, offset: offset + 1n });
    this.#inHand = [];
  }

  assign(partitions: readonly TopicPartition[]): void {
    this.#positions.clear();
    for (const partition of partitions) {
      this.#positions.set(keyOf(partition), { partition, offset: 0n, paused: false });
    }
  }

  seek(partition: TopicPartition, offset: bigint | number): void {
    this.#positions.get(keyOf(partition))!.offset = BigInt(offset);
  }

  pause(partitions: readonly TopicPartition[] = []): void {
    for (const partition of partitions) this.#positions.get(keyOf(partition))!.paused = true;
  }

  async *batches(options: { readonly signal?: AbortSignal } = {}): AsyncIterableIterator<ConsumerBatch> {
    for (;;) {
      let idle = true;
      for (const position of this.#positions.values()) {
        const { topic, partition } = position.partition;
        const deletedTo = this.#cluster.deletedTo.get(keyOf(position.partition)) ?? 0n;
        if (deletedTo > position.offset) position.offset = deletedTo;
        const log = this.#cluster.topic(topic).records[partition]!;
        const start = Number(position.offset);
        const records = position.paused ? [] : log.slice(start, start + this.#cluster.batchRecords);
        if (records.length === 0) continue;
        idle = false;
        position.offset = BigInt(start + records.length);
        yield {
          topic,
          partition,
          records,
          firstOffset: BigInt(start),
          nextOffset: position.offset,
          highWatermark: BigInt(log.length),
          [Symbol.iterator]: () => records[Symbol.iterator](),
        };
      }
      if (!idle) continue;
      this.#cluster.idleConsumers += 1;
      await whenAborted(options.signal);
    }
  }

  async position(partition: TopicPartition): Promise<bigint> {
    return this.#positions.get(keyOf(partition))!.offset;
  }

  async beginningOffsets(partitions: readonly TopicPartition[]) {
    return partitions.map((partition) => ({ ...partition, offset: 0n }));
  }

  async endOffsets(partitions: readonly TopicPartition[]) {
    return partitions.map(({ topic, partition }) => ({
      topic,
      partition,
      offset: BigInt(this.#cluster.topic(topic).records[partition]!.length),
    }));
  }

  async offsetsForTimes(queries: readonly (TopicPartition & { readonly timestampMs: number })[]) {
    return queries.map(({ topic, partition, timestampMs }) => {
      const found = this.#cluster
        .topic(topic)
        .records[partition]!.find(({ timestamp }) => timestamp >= timestampMs);
      return {
        topic,
        partition,
        found: found === undefined ? null : { offset: found.offset, timestamp: found.timestamp },
      };
    });
  }

  async close(): Promise<void> {}
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}:${partition}`;
}

/** Nothing more will come: wait for the user, as a real consumer would. */
function whenAborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_resolve, reject) => {
    const fail = (): void => reject(new MillraceError('CANCELLED'));
    if (signal?.aborted) fail();
    signal?.addEventListener('abort', fail, { once: true });
  });
}
