/** Identities that every package shares. Only names and formats; never a lookup, never state. */
import { MillraceError } from './errors.ts';
import type { Random } from './random.ts';

/** A node's number, `node.id`: 0 .. 2^31-1, chosen by the operator. */
export type NodeId = number;

/** A topic's identity: a UUID as Kafka prints it (22 characters, base64url). Survives nothing: a re-created topic has a new one. */
export type TopicId = string;

/** 128 random bits as 22 characters of base64url, without a leading "-" so that command lines can carry it. */
export function randomUuid(random: Random): string {
  for (;;) {
    const bytes = Buffer.allocUnsafe(16);
    for (let i = 0; i < 16; i += 4) bytes.writeUInt32BE(random.uint32(), i);
    const text = bytes.toString('base64url');
    if (!text.startsWith('-')) return text;
  }
}

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** `orders-3`: Kafka's folder name, also the form in logs and map keys. */
export function formatTopicPartition({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`;
}

const TOPIC_NAME_LENGTH_MAX = 249;

/** Kafka's rule for topic names. @throws {MillraceError} INVALID_TOPIC_EXCEPTION, saying which part of the rule is broken. */
export function checkTopicName(name: string): void {
  if (typeof name !== 'string')
    throw new MillraceError('INVALID_TOPIC_EXCEPTION', `a topic name is text, not ${typeof name}`);
  const fault = topicNameFault(name);
  if (fault !== undefined)
    throw new MillraceError(
      'INVALID_TOPIC_EXCEPTION',
      `topic name ${JSON.stringify(name.slice(0, 300))} ${fault}`,
    );
}

function topicNameFault(name: string): string | undefined {
  if (name === '') return 'is empty';
  if (name === '.' || name === '..') return 'is reserved';
  if (name.length > TOPIC_NAME_LENGTH_MAX) return `is longer than ${TOPIC_NAME_LENGTH_MAX} characters`;
  if (!/^[a-zA-Z0-9._-]+$/.test(name)) return 'has a character outside a-z, A-Z, 0-9, ".", "_" and "-"';
  return undefined;
}
