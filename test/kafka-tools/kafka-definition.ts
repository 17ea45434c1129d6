/**
 * What a message definition in the jar of kafka-clients says of its fields beyond their bytes, and the same of a
 * schema of the listener, so that both can be compared. Versions that only one of them has are cut off first.
 */
import {
  type Field,
  type Fields,
  type MessageSchema,
  type Versions,
  versionRange,
} from '@millrace/kafka-api';

export interface VersionSpan {
  readonly lowest: number;
  readonly highest: number;
}

export interface KafkaField {
  readonly path: string;
  readonly versions: VersionSpan;
  readonly nullable: VersionSpan | undefined;
  readonly default: string;
  readonly tag: number | undefined;
  /** Of a field that its structure always has it means nothing, and Kafka changes it at will: false. */
  readonly isIgnorable: boolean;
}

interface RawField {
  readonly name: string;
  readonly type: string;
  readonly versions: Versions;
  readonly nullableVersions?: Versions;
  readonly default?: string | boolean | number;
  readonly ignorable?: boolean | string;
  readonly tag?: number;
  readonly fields?: readonly RawField[];
}

interface RawMessage {
  readonly validVersions: Versions;
  readonly fields: readonly RawField[];
  readonly commonStructs?: readonly { readonly name: string; readonly fields: readonly RawField[] }[];
}

/** Undefined if nothing is left. */
function cut(versions: Versions | undefined, by: VersionSpan): VersionSpan | undefined {
  if (versions === undefined) return undefined;
  const range = versionRange(versions);
  const lowest = Math.max(range.lowest, by.lowest);
  const highest = Math.min(range.highest, by.highest);
  return lowest > highest ? undefined : { lowest, highest };
}

function covers(span: VersionSpan, all: VersionSpan): boolean {
  return span.lowest === all.lowest && span.highest === all.highest;
}

/** The definition's fields in the versions that it shares with `ours`, and which these are. */
export function definedBy(text: string, ours: VersionSpan): { versions: VersionSpan; fields: KafkaField[] } {
  // A comment is a line of its own or ends one; no text in the definitions has two slashes after a space.
  const raw = JSON.parse(text.replace(/^\s*\/\/.*$/gm, '').replace(/\s\/\/[^"\n]*$/gm, '')) as RawMessage;
  const versions = cut(raw.validVersions, ours)!;
  const structs = new Map((raw.commonStructs ?? []).map(({ name, fields }) => [name, fields]));
  const walk = (fields: readonly RawField[], path: string, within: VersionSpan): KafkaField[] =>
    fields.flatMap((field) => {
      const present = cut(field.versions, within);
      if (present === undefined) return [];
      const name = path + field.name[0]!.toLowerCase() + field.name.slice(1);
      const nested = field.fields ?? structs.get(field.type.replace('[]', ''));
      const own: KafkaField = {
        path: name,
        versions: present,
        nullable: cut(field.nullableVersions, versions),
        default: kafkaDefault(field, nested !== undefined),
        tag: field.tag,
        isIgnorable: String(field.ignorable ?? false) === 'true' && !covers(present, within),
      };
      return [own, ...walk(nested ?? [], `${name}.`, present)];
    });
  return { versions, fields: walk(raw.fields, '', versions) };
}

function kafkaDefault({ type, default: byDefault }: RawField, isStruct: boolean): string {
  if (byDefault === 'null') return 'null';
  if (isStruct || type.startsWith('[]') || ['bytes', 'records', 'uuid'].includes(type)) return 'empty';
  if (type === 'string') return JSON.stringify(byDefault ?? '');
  return type === 'bool' ? String(byDefault ?? false) : String(Number(byDefault ?? 0));
}

/** The schema's fields in some of its versions. */
export function declaredBy(schema: MessageSchema, versions: VersionSpan): KafkaField[] {
  const walk = (fields: Fields, path: string, within: VersionSpan): KafkaField[] =>
    Object.entries(fields).flatMap(([name, field]) => {
      const present = cut(field.versions, within);
      if (present === undefined) return [];
      const own: KafkaField = {
        path: path + name,
        versions: present,
        nullable: cut(field.nullable, versions),
        default: ourDefault(field),
        tag: field.tag,
        isIgnorable: field.ignorable === true && !covers(present, within),
      };
      return [own, ...walk(field.fields ?? {}, `${path}${name}.`, present)];
    });
  return walk(schema.fields, '', versions);
}

function ourDefault(field: Field): string {
  if (field.default === null) return 'null';
  switch (field.type) {
    case 'array':
    case 'struct':
    case 'bytes':
    case 'records':
    case 'uuid':
      return 'empty';
    case 'string':
      return JSON.stringify(field.default ?? '');
    case 'boolean':
      return String(field.default ?? false);
    default:
      return String(Number(field.default ?? 0));
  }
}
