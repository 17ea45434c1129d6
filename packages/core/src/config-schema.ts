/**
 * Configuration keys, each declared once: type, range, default and text. Parsing, validation, the
 * generated reference page and `describe` all follow from the declaration. Never reads a file or the
 * environment itself; whoever composes a process passes texts in.
 */
import { MillraceError } from './errors.ts';

/** One key. `T` is the parsed value; texts are what files, flags and the environment hold. */
export interface ConfigKey<T> {
  readonly type: string;
  readonly default: T;
  /** One or two sentences for people: effect, unit, when to change it. */
  readonly doc: string;
  /** What is allowed, for people: `[1,...]`, `delete | compact`. */
  readonly range: string;
  /** @throws {Error} with a message that completes "must be …". */
  parse(text: string): T;
  format(value: T): string;
}

export type ConfigKeys = Readonly<Record<string, ConfigKey<unknown>>>;

export type ConfigOf<S> =
  S extends ConfigSchema<infer K>
    ? { readonly [Name in keyof K]: K[Name] extends ConfigKey<infer T> ? T : never }
    : never;

interface NumberOptions {
  readonly default: number;
  readonly min?: number;
  readonly max?: number;
  readonly doc: string;
}

function integer(type: string, { default: fallback, min, max, doc }: NumberOptions): ConfigKey<number> {
  const low = min ?? Number.MIN_SAFE_INTEGER;
  const high = max ?? Number.MAX_SAFE_INTEGER;
  const range = `[${min ?? '...'},${max ?? '...'}]`;
  return {
    type,
    default: fallback,
    doc,
    range,
    parse(text) {
      const value = Number(text);
      if (!/^-?\d+$/.test(text.trim()) || !Number.isSafeInteger(value) || value < low || value > high) {
        throw new Error(`an integer in ${range}`);
      }
      return value;
    },
    format: String,
  };
}

export const count = (options: NumberOptions): ConfigKey<number> => integer('count', options);
export const bytes = (options: NumberOptions): ConfigKey<number> => integer('bytes', options);
export const millis = (options: NumberOptions): ConfigKey<number> => integer('ms', options);

export function ratio({ default: fallback, min = 0, max = 1, doc }: NumberOptions): ConfigKey<number> {
  return {
    type: 'ratio',
    default: fallback,
    doc,
    range: `[${min},${max}]`,
    parse(text) {
      const value = Number(text);
      if (text.trim() === '' || !(value >= min && value <= max))
        throw new Error(`a number in [${min},${max}]`);
      return value;
    },
    format: String,
  };
}

export function flag(options: { readonly default: boolean; readonly doc: string }): ConfigKey<boolean> {
  return {
    type: 'boolean',
    ...options,
    range: 'true | false',
    parse(text) {
      const value = text.trim().toLowerCase();
      if (value !== 'true' && value !== 'false') throw new Error('true or false');
      return value === 'true';
    },
    format: String,
  };
}

export function text(options: {
  readonly default: string;
  readonly doc: string;
  readonly range?: string;
}): ConfigKey<string> {
  return { type: 'text', range: '', ...options, parse: (value) => value.trim(), format: (value) => value };
}

/** A comma-separated list; empty text is the empty list. */
export function list(options: {
  readonly default: readonly string[];
  readonly doc: string;
  readonly range?: string;
}): ConfigKey<readonly string[]> {
  return {
    type: 'list',
    range: 'a,b,...',
    ...options,
    parse: (value) =>
      value
        .split(',')
        .map((item) => item.trim())
        .filter((item) => item !== ''),
    format: (value) => value.join(','),
  };
}

export function oneOf<const V extends readonly string[]>(
  values: V,
  options: { readonly default: V[number]; readonly doc: string },
): ConfigKey<V[number]> {
  return {
    type: 'choice',
    ...options,
    range: values.join(' | '),
    parse(value) {
      const found = values.find((candidate) => candidate === value.trim());
      if (found === undefined) throw new Error(`one of ${values.join(', ')}`);
      return found;
    },
    format: (value) => value,
  };
}

/** A named set of keys. `parse` is total: the result is frozen and complete, or every problem is reported at once. */
export class ConfigSchema<K extends ConfigKeys> {
  readonly title: string;
  readonly keys: K;

  constructor(title: string, keys: K) {
    this.title = title;
    this.keys = keys;
  }

  /** @throws {MillraceError} INVALID_CONFIG naming every unknown key and every value out of range. */
  parse(texts: Readonly<Record<string, string>>): ConfigOf<ConfigSchema<K>> {
    const problems = Object.keys(texts)
      .filter((name) => !this.has(name))
      .map((name) => `unknown key "${name}"`);
    const values: Record<string, unknown> = {};
    for (const [name, key] of Object.entries(this.keys)) {
      const value = texts[name];
      try {
        values[name] = value === undefined ? key.default : key.parse(value);
      } catch (error) {
        problems.push(`${name}=${value} must be ${(error as Error).message}`);
      }
    }
    if (problems.length > 0) throw new MillraceError('INVALID_CONFIG', problems.join('; '));
    return Object.freeze(values) as ConfigOf<ConfigSchema<K>>;
  }

  has(name: string): name is Extract<keyof K, string> {
    return Object.hasOwn(this.keys, name);
  }

  /** A parsed value back as text. */
  format(name: Extract<keyof K, string>, value: unknown): string {
    return this.keys[name]!.format(value);
  }

  /** Only those texts whose key this schema declares, for splitting one file over several schemas. */
  select(texts: Readonly<Record<string, string>>): Record<string, string> {
    return Object.fromEntries(Object.entries(texts).filter(([name]) => this.has(name)));
  }
}

export function configSchema<K extends ConfigKeys>(title: string, keys: K): ConfigSchema<K> {
  return new ConfigSchema(title, keys);
}
