/** Two kinds of configuration key that Kafka's topic settings need beside those of core. */
import type { ConfigKey } from '@millrace/core';

const LONG_MAX_TEXT = '9223372036854775807';

/**
 * An integer whose upper end means "no limit": Kafka writes Long.MAX_VALUE there, and so do people's scripts.
 * Everything above 2^53 - 1 reads as 2^53 - 1 and is written back as Long.MAX_VALUE.
 */
export function boundless(options: {
  readonly default: number;
  readonly min?: number;
  readonly doc: string;
}): ConfigKey<number> {
  const min = options.min ?? 0;
  return {
    type: 'long',
    default: options.default,
    doc: options.doc,
    range: `[${min},...]`,
    parse(text) {
      const trimmed = text.trim();
      const value = Number(trimmed);
      if (!/^-?\d{1,19}$/.test(trimmed) || value < min) throw new Error(`an integer in [${min},...]`);
      return Math.min(value, Number.MAX_SAFE_INTEGER);
    },
    format: (value) => (value === Number.MAX_SAFE_INTEGER ? LONG_MAX_TEXT : String(value)),
  };
}

/** A comma-separated set of some of `values`, each at most once; empty text is the empty set. */
export function choices<const V extends readonly string[]>(
  values: V,
  options: { readonly default: readonly V[number][]; readonly doc: string },
): ConfigKey<readonly V[number][]> {
  return {
    type: 'list',
    default: options.default,
    doc: options.doc,
    range: `any of ${values.join(', ')}`,
    parse(text) {
      const items = text
        .split(',')
        .map((item) => item.trim())
        .filter((item) => item !== '');
      const known = items.filter((item): item is V[number] => values.includes(item));
      if (known.length !== items.length || new Set(items).size !== items.length) {
        throw new Error(`a list of any of ${values.join(', ')}, each at most once`);
      }
      return known;
    },
    format: (value) => value.join(','),
  };
}
