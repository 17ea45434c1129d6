/** Partitions as flags of `group` name them: `orders`, `orders:0,1,2`, `orders:5-7`. Pure. */
import { InvalidArgumentError } from 'commander';
import { usageError } from './cli-error.ts';
import { parsePartitions } from './option-values.ts';

export interface TopicSelector {
  readonly topic: string;
  /** Undefined: all of them. */
  readonly partitions: readonly number[] | undefined;
}

/** One for each topic, in the order first named. @throws {CliError} USAGE */
export function parseTopicSelectors(texts: readonly string[]): TopicSelector[] {
  const byTopic = new Map<string, readonly number[] | undefined>();
  for (const text of texts) {
    const colon = text.lastIndexOf(':');
    const topic = colon === -1 ? text : text.slice(0, colon);
    if (topic === '') throw usageError(`--topic ${JSON.stringify(text)} names no topic`);
    const partitions = colon === -1 ? undefined : partitionsOf(text, text.slice(colon + 1));
    const before = byTopic.get(topic);
    const isWhole = partitions === undefined || (byTopic.has(topic) && before === undefined);
    const both = isWhole ? undefined : [...new Set([...(before ?? []), ...partitions])].sort((a, b) => a - b);
    byTopic.set(topic, both);
  }
  return Array.from(byTopic, ([topic, partitions]) => ({ topic, partitions }));
}

function partitionsOf(text: string, list: string): readonly number[] {
  try {
    return parsePartitions(list);
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    throw usageError(`--topic ${JSON.stringify(text)}: ${error.message}`);
  }
}
