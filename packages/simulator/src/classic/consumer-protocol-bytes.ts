/**
 * What clients of the classic protocol say to each other through the coordinator: subscriptions and assignments. Written
 * apart from production, which only reads them. Source: `ConsumerProtocolSubscription.json`, `…Assignment.json`.
 */
import { formatTopicPartition, type TopicPartition } from '@millrace/core';

export interface Subscription {
  readonly topics: readonly string[];
  /** What the member holds; none before version 1. */
  readonly owned: readonly TopicPartition[];
  /** In which it was given that; -1 for none, and before version 2. */
  readonly generation: number;
}

const NO_BYTES = -1;
const NO_RACK = -1;

export function writeSubscription(version: number, { topics, owned, generation }: Subscription): Buffer {
  const parts = [int16(version), array(topics, string), int32(NO_BYTES)];
  if (version >= 1) parts.push(partitionList(owned));
  if (version >= 2) parts.push(int32(generation));
  if (version >= 3) parts.push(int16(NO_RACK));
  return Buffer.concat(parts);
}

export function readSubscription(bytes: Buffer): Subscription {
  const from = new Cursor(bytes);
  const version = from.int16();
  const topics = from.array(() => from.string());
  from.skipBytes();
  const owned = version >= 1 ? from.partitions() : [];
  return { topics, owned, generation: version >= 2 ? from.int32() : -1 };
}

export function writeAssignment(version: number, partitions: readonly TopicPartition[]): Buffer {
  return Buffer.concat([int16(version), partitionList(partitions), int32(NO_BYTES)]);
}

/** Empty bytes are an empty assignment. */
export function readAssignment(bytes: Buffer): readonly TopicPartition[] {
  if (bytes.length === 0) return [];
  const from = new Cursor(bytes);
  from.int16();
  return from.partitions();
}

function partitionList(partitions: readonly TopicPartition[]): Buffer {
  const topics = [...new Set(partitions.map(({ topic }) => topic))];
  return array(topics, (topic) => {
    const own = partitions.filter((each) => each.topic === topic);
    return Buffer.concat([string(topic), array(own, ({ partition }) => int32(partition))]);
  });
}

function array<T>(items: readonly T[], write: (item: T) => Buffer): Buffer {
  return Buffer.concat([int32(items.length), ...items.map(write)]);
}

function string(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([int16(bytes.length), bytes]);
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

class Cursor {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  int16(): number {
    this.#at += 2;
    return this.#bytes.readInt16BE(this.#at - 2);
  }

  int32(): number {
    this.#at += 4;
    return this.#bytes.readInt32BE(this.#at - 4);
  }

  string(): string {
    const length = this.int16();
    this.#at += length;
    return this.#bytes.toString('utf8', this.#at - length, this.#at);
  }

  skipBytes(): void {
    const length = this.int32();
    this.#at += Math.max(0, length);
  }

  array<T>(read: () => T): T[] {
    return Array.from({ length: this.int32() }, read);
  }

  partitions(): TopicPartition[] {
    return this.array(() => {
      const topic = this.string();
      return this.array(() => ({ topic, partition: this.int32() }));
    }).flat();
  }
}

/** By `topic-partition`. */
export function keyed(partitions: readonly TopicPartition[]): Map<string, TopicPartition> {
  return new Map(partitions.map((each) => [formatTopicPartition(each), each]));
}
