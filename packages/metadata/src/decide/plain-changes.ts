/** Changes of settings that depend on what is in force, as values that are set or taken back. Checks no value. */
import { MillraceError } from '@millrace/core';
import { clusterConfig } from '../cluster-config.ts';
import { CONFIG_OPERATIONS, type ConfigChange } from '../command.ts';
import type { ConfigResource } from '../config-resource.ts';
import { type ConfigScope, describeConfig } from '../effective-config.ts';
import { configOverrides, type MetadataImage } from '../image.ts';
import { topicConfig } from '../topic-config.ts';

/**
 * @param changes of one resource.
 * @throws {MillraceError} INVALID_CONFIG if a setting is no list; INVALID_REQUEST for an operation that makes no sense.
 */
export function plainChanges(
  image: MetadataImage,
  resource: ConfigResource,
  changes: readonly ConfigChange[],
  scope: ConfigScope | undefined,
): ConfigChange[] {
  const named = new Set(changes.map(({ name }) => name));
  return changes.flatMap((change): ConfigChange[] => {
    const { name, value, operation = 'set' } = change;
    switch (operation) {
      case 'set':
        return [value === undefined ? { resource, name } : { resource, name, value }];
      case 'append':
      case 'subtract':
        return [{ resource, name, value: changedList(image, change, operation, scope) }];
      case 'clear':
        return clearing(image, change, named);
      default:
        throw new MillraceError(
          'INVALID_REQUEST',
          `an operation is one of ${CONFIG_OPERATIONS.join(', ')}, not "${operation satisfies never}"`,
        );
    }
  });
}

/** Overrides that only an older version knew stay: they count for nothing. */
function clearing(
  image: MetadataImage,
  { resource, name, value }: ConfigChange,
  named: ReadonlySet<string>,
): ConfigChange[] {
  if (name !== '' || value !== undefined) {
    throw new MillraceError('INVALID_REQUEST', 'to clear a resource takes neither a name nor a value');
  }
  const schema = resource.kind === 'topic' ? topicConfig : clusterConfig;
  const others = [...configOverrides(image, resource).keys()].filter(
    (key) => schema.has(key) && !named.has(key),
  );
  return others.map((key) => ({ resource, name: key }));
}

/** Items that are there already are not added again; order is kept. */
function changedList(
  image: MetadataImage,
  { resource, name, value }: ConfigChange,
  operation: 'append' | 'subtract',
  scope: ConfigScope | undefined,
): string {
  if (value === undefined) throw new MillraceError('INVALID_REQUEST', `nothing to ${operation} to ${name}`);
  const entry = describeConfig(image, resource, scope).find((known) => known.name === name);
  if (entry === undefined)
    throw new MillraceError('INVALID_CONFIG', `unknown ${resource.kind} key "${name}"`);
  if (entry.type !== 'list') {
    throw new MillraceError('INVALID_CONFIG', `${name} is no list: it can be set, not changed by items`);
  }
  const [present, items] = [itemsOf(entry.value), itemsOf(value)];
  const changed =
    operation === 'append'
      ? new Set([...present, ...items])
      : present.filter((item) => !items.includes(item));
  return [...changed].join(',');
}

function itemsOf(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}
