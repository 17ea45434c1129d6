/** Typed options against a configuration schema: one declaration gives type, range, default and message. Pure. */
import { type ConfigKeys, type ConfigOf, type ConfigSchema, MillraceError } from '@millrace/core';

/**
 * The complete configuration: what `options` sets, and defaults for the rest. `extras` names options that
 * are no configuration (functions, objects); they are left to the caller.
 *
 * @throws {MillraceError} INVALID_CONFIG, naming every unknown name and every value out of range.
 */
export function resolveOptions<K extends ConfigKeys>(
  schema: ConfigSchema<K>,
  options: object,
  extras: readonly string[],
): ConfigOf<ConfigSchema<K>> {
  const texts: Record<string, string> = {};
  if (typeof options !== 'object' || options === null)
    throw new MillraceError(
      'INVALID_CONFIG',
      `${schema.title}: options are an object, not ${String(options)}`,
    );
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || extras.includes(name)) continue;
    texts[name] = Array.isArray(value) ? value.join(',') : String(value);
  }
  try {
    return { ...schema.parse(texts), ...namesIn(options) };
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error;
    throw new MillraceError(error.code, `${schema.title}: ${error.message}`);
  }
}

/** Names of what others share, to the letter: blanks at their ends are part of them. */
const NAMES = ['groupId', 'groupInstanceId'];

function namesIn(options: object): Record<string, string> {
  const texts = Object.entries(options).filter(
    ([name, value]) => NAMES.includes(name) && value !== undefined,
  );
  return Object.fromEntries(texts.map(([name, value]) => [name, String(value)]));
}
