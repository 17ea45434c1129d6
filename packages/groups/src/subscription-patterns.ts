/**
 * Subscriptions by regular expression: RE2 syntax, matched against whole topic names in linear time whatever a member
 * sends. Compiled patterns are kept while they are in use.
 */
import { RE2JS } from 're2js';
import type { TopicsView } from './group-record.ts';

/** Longer patterns are refused; compiling one of this size takes milliseconds. */
const PATTERN_MAX_CHARS = 4096;

export class SubscriptionPatterns {
  readonly #compiled = new Map<string, RE2JS>();

  /** Why the pattern cannot be used; undefined where it can. */
  problemOf(pattern: string): string | undefined {
    if (this.#compiled.has(pattern)) return undefined;
    if (pattern.length > PATTERN_MAX_CHARS) return `a pattern may have ${PATTERN_MAX_CHARS} characters`;
    try {
      RE2JS.compile(pattern);
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message : 'not a regular expression';
    }
  }

  /** Names of topics that match as a whole, ascending. None for a pattern that does not compile (an older log's). */
  resolve(pattern: string, topics: TopicsView): readonly string[] {
    let compiled = this.#compiled.get(pattern);
    if (compiled === undefined) {
      if (this.problemOf(pattern) !== undefined) return [];
      compiled = RE2JS.compile(pattern);
      this.#compiled.set(pattern, compiled);
    }
    const names: string[] = [];
    for (const name of topics.names()) if (compiled.testExact(name)) names.push(name);
    return names.sort();
  }

  keepOnly(isUsed: (pattern: string) => boolean): void {
    for (const pattern of this.#compiled.keys()) if (!isUsed(pattern)) this.#compiled.delete(pattern);
  }
}
