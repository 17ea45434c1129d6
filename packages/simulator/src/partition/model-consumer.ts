/** A consumer that reads every partition from its beginning, follows leaders, and notices when a log was cut below its position. */
import type { FetchResponse, PartitionFetched } from '@millrace/broker';
import { below, MillraceError, type NodeId, type SeededRandom } from '@millrace/core';
import { decodeRecords, splitBatches } from '@millrace/records';
import type { ClientHistory, PolledRecord } from '../history/client-history.ts';
import type { BrokerClient } from './broker-client.ts';

export interface ConsumerHost {
  readonly history: ClientHistory;
  mayHaveLost(key: string): boolean;
  fail(text: string): never;
}

interface Position {
  readonly key: string;
  readonly topicId: string;
  readonly partition: number;
  offset: number;
  lastEpoch: number;
  leader: NodeId;
  leaderEpoch: number;
}

const PAUSE_MS = 60;
const WAIT_MS = 300;
const HURRIED_BYTES = 100_000;
/** One that is behind asks again at once: leaders that have nothing new must not hold up what others have. */
const HURRIED_SHARE = 0.1;
/** Answers that pass by themselves. */
const RETRIED = new Set([
  'NOT_LEADER_OR_FOLLOWER',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
  'UNKNOWN_TOPIC_ID',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'KAFKA_STORAGE_ERROR',
  'LOG_DAMAGED',
  'OFFSET_NOT_AVAILABLE',
  'NODE_NOT_SERVING',
  'DISK_FULL',
]);

export class ModelConsumer {
  readonly #name: string;
  readonly #client: BrokerClient;
  readonly #host: ConsumerHost;
  readonly #random: SeededRandom;
  readonly #positions = new Map<string, Position>();
  #turn = 0;
  #bytesMax = 1000;
  #waitShare = 1;

  constructor(name: string, client: BrokerClient, host: ConsumerHost) {
    this.#name = name;
    this.#client = client;
    this.#host = host;
    this.#random = client.life.random;
  }

  start(): void {
    void this.#run();
  }

  /** From now on it asks for much at once, and often: an answer ends with a segment, however small that is. */
  hurry(): void {
    this.#bytesMax = HURRIED_BYTES;
    this.#waitShare = HURRIED_SHARE;
  }

  /** The next offset that it reads of the partition. */
  positionOf(key: string): number {
    return this.#positions.get(key)?.offset ?? 0;
  }

  async #run(): Promise<void> {
    for (;;) {
      this.#assign();
      const leaders = [...new Set([...this.#positions.values()].map(({ leader }) => leader))].filter(
        (id) => id !== -1,
      );
      const leader = leaders[this.#turn++ % Math.max(1, leaders.length)];
      const isEmpty = leader === undefined || !(await this.#fetch(leader));
      if (isEmpty) await this.#pause();
    }
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      this.#client.life.clock.schedule(this.#waitShare * below(this.#random, 2 * PAUSE_MS), resolve);
    });
  }

  #assign(): void {
    const { topics } = this.#client.image();
    for (const { id, partitions } of topics.values()) {
      for (const { partition } of partitions) {
        const key = `${id}-${partition}`;
        if (this.#positions.has(key)) continue;
        this.#host.history.seek(this.#name, key);
        const position = {
          key,
          topicId: id,
          partition,
          offset: 0,
          lastEpoch: -1,
          leader: -1,
          leaderEpoch: -1,
        };
        this.#positions.set(key, position);
        this.#refresh(position);
      }
    }
    for (const position of this.#positions.values()) {
      if (!topics.has(position.topicId)) this.#positions.delete(position.key);
      else if (position.leader === -1) this.#refresh(position);
    }
  }

  #refresh(position: Position): void {
    const known = this.#client.leaderOf(position.topicId, position.partition);
    if (known === undefined || known.leaderEpoch < position.leaderEpoch) return;
    position.leader = known.leader;
    position.leaderEpoch = known.leaderEpoch;
  }

  /** @returns whether records came. */
  async #fetch(leader: NodeId): Promise<boolean> {
    const asked = [...this.#positions.values()].filter((position) => position.leader === leader);
    const maxWaitMs = Math.floor(this.#waitShare * below(this.#random, WAIT_MS));
    const request = {
      clientId: this.#name,
      maxWaitMs,
      minBytes: 1,
      maxBytes: 50 + below(this.#random, 2 * this.#bytesMax),
      partitions: asked.map(({ topicId, partition, offset, lastEpoch, leaderEpoch }) => ({
        topicId,
        partition,
        leaderEpoch,
        fetchOffset: offset,
        partitionMaxBytes: 50 + below(this.#random, this.#bytesMax),
        lastFetchedEpoch: lastEpoch,
      })),
    };
    try {
      const { partitions } = await this.#client.call<FetchResponse>(
        leader,
        'fetch',
        request,
        maxWaitMs + 800,
      );
      let records = 0;
      for (const answer of partitions) records += this.#take(answer);
      return records > 0;
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error;
      for (const position of asked) this.#refresh(position);
      return false;
    }
  }

  #take(answer: PartitionFetched): number {
    const position = this.#positions.get(`${answer.topicId}-${answer.partition}`);
    if (position === undefined) return 0;
    const code = answer.failure?.code;
    if (code === 'OFFSET_OUT_OF_RANGE') {
      this.#outOfRange(position, answer);
    } else if (code !== undefined) {
      if (!RETRIED.has(code)) this.#host.fail(`a consumer was told ${code}`);
      this.#refresh(position);
    } else if (answer.divergingEndOffset !== -1) {
      if (!this.#host.mayHaveLost(position.key)) {
        this.#host.fail(
          `invariant 22 what-was-read-stays: ${position.key} was cut to ${answer.divergingEndOffset}, below ${position.offset}`,
        );
      }
      this.#seek(position, Math.min(position.offset, answer.divergingEndOffset), -1);
    } else {
      return this.#read(position, answer.records);
    }
    return 0;
  }

  #outOfRange(position: Position, { logStartOffset, highWatermark }: PartitionFetched): void {
    if (position.offset < logStartOffset) {
      this.#seek(position, logStartOffset, -1);
      return;
    }
    if (!this.#host.mayHaveLost(position.key)) {
      this.#host.fail(
        `invariant 22 what-was-read-stays: offset ${position.offset} of ${position.key} is out of range`,
      );
    }
    this.#seek(position, Math.max(logStartOffset, Math.min(position.offset, highWatermark)), -1);
  }

  #seek(position: Position, offset: number, lastEpoch: number): void {
    position.offset = offset;
    position.lastEpoch = lastEpoch;
    this.#host.history.seek(this.#name, position.key);
    this.#refresh(position);
  }

  #read(position: Position, bytes: Buffer): number {
    const polled: PolledRecord[] = [];
    for (const batch of splitBatches(bytes)) {
      for (const { offset, value } of decodeRecords(batch)) {
        if (offset >= position.offset) polled.push({ offset, value: String(value).replace(/\.+$/, '') });
      }
      position.offset = Math.max(position.offset, batch.nextOffset);
      position.lastEpoch = batch.leaderEpoch;
    }
    this.#host.history.poll(this.#name, position.key, polled);
    return polled.length;
  }
}
