/** How a schema of the listener looks on the wire in one version, in the words in which KafkaMessages.java tells it of Kafka. */
import { type Field, type Fields, hasVersion, type MessageSchema } from '@millrace/kafka-api';

/** `path type`, in the order of the wire, tagged fields last. */
export function fieldsOnWire(schema: MessageSchema, version: number): string[] {
  const isFlexible = schema.flexible !== 'none' && hasVersion(schema.flexible, version);
  return structLines(schema.fields, '', { version, isFlexible });
}

interface At {
  readonly version: number;
  readonly isFlexible: boolean;
}

function structLines(fields: Fields, path: string, at: At): string[] {
  const present = Object.entries(fields).filter(([, { versions }]) => hasVersion(versions, at.version));
  const inline = present.filter(([, { tag }]) => tag === undefined);
  const tagged = present.filter(([, { tag }]) => tag !== undefined).sort(([, a], [, b]) => a.tag! - b.tag!);
  return [
    ...inline.flatMap(([name, field]) => fieldLines(path + snakeCase(name), field, '', at)),
    ...(at.isFlexible ? [`${path}_tagged_fields`] : []),
    ...tagged.flatMap(([name, field]) => fieldLines(path + snakeCase(name), field, ` tag ${field.tag}`, at)),
  ];
}

function fieldLines(path: string, field: Field, suffix: string, at: At): string[] {
  const isNullable = field.nullable !== undefined && hasVersion(field.nullable, at.version);
  const nested = field.fields === undefined ? [] : structLines(field.fields, `${path}.`, at);
  if (field.type === 'array') {
    const element = field.element === undefined ? 'struct' : scalarName(field.element, false, at);
    const array = at.isFlexible ? 'compact array' : 'array';
    return [`${path} ${array} of ${element}${isNullable ? ' nullable' : ''}${suffix}`, ...nested];
  }
  if (field.type === 'struct') return [`${path} struct${isNullable ? ' nullable' : ''}${suffix}`, ...nested];
  return [`${path} ${scalarName(field.type, isNullable, at)}${suffix}`];
}

function scalarName(type: string, isNullable: boolean, { isFlexible }: At): string {
  const hasLength = type === 'string' || type === 'bytes' || type === 'records';
  return `${hasLength && isFlexible ? 'compact_' : ''}${isNullable ? 'nullable_' : ''}${type}`;
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
