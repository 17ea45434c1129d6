/** What callers hand in about groups, checked where it comes in. Pure. */
import type { OffsetToCommit } from '@millrace/protocol';
import {
  checkInteger,
  checkList,
  checkObject,
  checkPartition,
  checkText,
  checkTopics,
  checkWhole,
  offsetArgument,
  wrongArgument,
} from '../check-arguments.ts';
import type { OffsetCommit, TopicPattern } from './group-shapes.ts';
import type { Subscription } from './membership-state.ts';

export function subscriptionOf(topics: readonly string[] | TopicPattern): Subscription {
  if (Array.isArray(topics)) {
    checkTopics('topics', topics);
    if (topics.length === 0) throw wrongArgument('topics', 'at least one topic', topics);
    return { topics: [...new Set(topics)], pattern: '' };
  }
  checkObject('topics', topics);
  const { pattern } = topics as TopicPattern;
  if (!(pattern instanceof RegExp)) {
    checkText('pattern', pattern);
    if (pattern === '') throw wrongArgument('pattern', 'a regular expression', pattern);
    return { topics: [], pattern };
  }
  const other = pattern.flags.replace(/[gisuy]/g, '');
  if (other !== '') throw wrongArgument('pattern', `a RegExp without the flag ${other}`, pattern);
  // Servers match whole names; a RegExp finds what it looks for anywhere, unless it is anchored.
  const anywhere = `.*(?:${pattern.source}).*`;
  return { topics: [], pattern: pattern.flags.includes('i') ? `(?i)${anywhere}` : anywhere };
}

export function offsetsToCommit(offsets: readonly OffsetCommit[]): OffsetToCommit[] {
  checkList('offsets', offsets);
  return offsets.map((entry, i) => {
    const name = `offsets[${i}]`;
    checkPartition(name, entry);
    const { topic, partition, leaderEpoch = -1, metadata = '' } = entry;
    checkInteger(`${name}.leaderEpoch`, leaderEpoch);
    checkText(`${name}.metadata`, metadata);
    return {
      topic,
      partition,
      offset: offsetArgument(`${name}.offset`, entry.offset),
      leaderEpoch,
      metadata,
    };
  });
}

export function checkRun(options: {
  readonly eachRecord?: unknown;
  readonly eachBatch?: unknown;
  readonly concurrency?: number;
  readonly retries?: number;
}): void {
  checkObject('options', options);
  const { eachRecord, eachBatch, concurrency = 1, retries = 0 } = options;
  const handlers = [eachRecord, eachBatch].filter((handler) => handler !== undefined);
  if (handlers.length !== 1 || typeof handlers[0] !== 'function')
    throw wrongArgument('options', 'with one function: eachRecord or eachBatch', options);
  checkWhole('concurrency', concurrency);
  if (concurrency === 0) throw wrongArgument('concurrency', 'at least 1', concurrency);
  checkWhole('retries', retries);
}
