/**
 * Compiles the fields of one structure for one version. All questions of versions are answered here, once; what
 * comes out reads and writes fields in their order and asks nothing.
 */
import { invariant, MillraceError } from '@millrace/core';
import { type Field, type Fields, hasVersion, versionRange } from './schema.ts';
import { arrayCodec, scalarCodec, type ValueCodec, ZERO_OF } from './value-codec.ts';
import type { WireReader } from './wire-reader.ts';
import { WireWriter } from './wire-writer.ts';

export interface CompileContext {
  /** Of the message, for errors. */
  readonly name: string;
  readonly version: number;
  readonly isFlexible: boolean;
}

export interface StructCodec extends ValueCodec {
  /** What a message has that lacks the structure. Shared and frozen. */
  readonly defaults: Struct;
  /** Whether every field has its default or is left out. */
  readonly isDefault: (value: unknown) => boolean;
}

type Struct = Readonly<Record<string, unknown>>;

/** A field of one version. */
interface Slot {
  readonly name: string;
  readonly default: unknown;
  readonly isDefault: (value: unknown) => boolean;
  /** Undefined if this version lacks the field. */
  readonly codec: ValueCodec | undefined;
  readonly tag: number | undefined;
  readonly isIgnorable: boolean;
}

const NOTHING: readonly never[] = Object.freeze([]);

export function compileStruct(fields: Fields, context: CompileContext): StructCodec {
  const slots = Object.entries(fields).map(([name, field]) => compileField(name, field, context));
  const defaults = Object.freeze(Object.fromEntries(slots.map((slot) => [slot.name, slot.default])));
  const inline = slots.filter(({ codec, tag }) => codec !== undefined && tag === undefined);
  const bytesMin = inline.reduce((sum, { codec }) => sum + codec!.bytesMin, context.isFlexible ? 1 : 0);
  return {
    bytesMin,
    defaults,
    isDefault: (value) => slots.every(({ name, isDefault }) => isDefault((value as Struct)[name])),
    read: compileRead(slots, context),
    write: compileWrite(slots, inline, context),
  };
}

function compileField(name: string, field: Field, context: CompileContext): Slot {
  const { version, isFlexible } = context;
  const isPresent = hasVersion(field.versions, version);
  // A structure that this version lacks still has defaults: those of the first version that has it.
  const nested =
    field.fields &&
    compileStruct(
      field.fields,
      isPresent ? context : { ...context, version: versionRange(field.versions).lowest },
    );
  invariant(field.tag === undefined || !isPresent || isFlexible, 'a tagged field needs a flexible version', {
    message: context.name,
    name,
    version,
  });
  return {
    name,
    ...defaultOf(field, nested),
    codec: isPresent ? valueCodec(field, nested, context) : undefined,
    tag: field.tag,
    isIgnorable: field.ignorable === true,
  };
}

function valueCodec(
  field: Field,
  nested: StructCodec | undefined,
  { version, isFlexible }: CompileContext,
): ValueCodec {
  const isNullable = field.nullable !== undefined && hasVersion(field.nullable, version);
  const encoding = { isFlexible, isNullable };
  if (field.type === 'array')
    return arrayCodec(nested ?? scalarCodec(field.element!, { isFlexible, isNullable: false }), encoding);
  if (field.type === 'struct') return isNullable ? nullableStruct(nested!) : nested!;
  return scalarCodec(field.type, encoding);
}

/** A byte before the structure says whether it is there. */
function nullableStruct(nested: StructCodec): ValueCodec {
  return {
    bytesMin: 1,
    read: (from) => (from.int8() < 0 ? null : nested.read(from)),
    write: (to, value) => {
      to.int8(value === null ? -1 : 1);
      if (value !== null) nested.write(to, value);
    },
  };
}

function defaultOf(field: Field, nested: StructCodec | undefined): Pick<Slot, 'default' | 'isDefault'> {
  if (field.default === null)
    return { default: null, isDefault: (value) => value === undefined || value === null };
  if (field.type === 'array')
    return {
      default: NOTHING,
      isDefault: (value) => value === undefined || (Array.isArray(value) && value.length === 0),
    };
  if (field.type === 'struct')
    return {
      default: nested!.defaults,
      isDefault: (value) => value === undefined || (value !== null && nested!.isDefault(value)),
    };
  if (field.type === 'bytes' || field.type === 'records')
    return {
      default: ZERO_OF.bytes,
      isDefault: (value) => value === undefined || (value !== null && (value as Buffer).length === 0),
    };
  const byDefault = field.default ?? ZERO_OF[field.type];
  return { default: byDefault, isDefault: (value) => value === undefined || value === byDefault };
}

function compileRead(slots: readonly Slot[], { isFlexible }: CompileContext): (from: WireReader) => Struct {
  const names = slots.map(({ name }) => name);
  const reads = slots.map(({ codec, tag, default: byDefault }) =>
    codec !== undefined && tag === undefined ? codec.read : () => byDefault,
  );
  const tagged = new Map(
    slots.flatMap(({ name, codec, tag }) =>
      codec !== undefined && tag !== undefined ? [[tag, { name, read: codec.read }]] : [],
    ),
  );
  return (from) => {
    const struct: Record<string, unknown> = {};
    for (let index = 0; index < names.length; index++) struct[names[index]!] = reads[index]!(from);
    if (!isFlexible) return struct;
    for (let count = from.unsignedVarint(); count > 0; count--) {
      const known = tagged.get(from.unsignedVarint());
      const length = from.unsignedVarint();
      if (known === undefined) from.skip(length);
      else struct[known.name] = from.within(length, known.read);
    }
    return struct;
  };
}

function compileWrite(
  slots: readonly Slot[],
  inline: readonly Slot[],
  { name: message, version, isFlexible }: CompileContext,
): (to: WireWriter, value: unknown) => void {
  const names = inline.map(({ name }) => name);
  const writes = inline.map(({ codec }) => codec!.write);
  const defaults = inline.map((slot) => slot.default);
  const tagged = slots
    .filter(({ codec, tag }) => codec !== undefined && tag !== undefined)
    .sort((a, b) => a.tag! - b.tag!);
  const lost = slots.filter(({ codec, isIgnorable }) => codec === undefined && !isIgnorable);
  return (to, value) => {
    const struct = value as Struct;
    for (const { name, isDefault } of lost)
      if (!isDefault(struct[name]))
        throw new MillraceError('UNSUPPORTED_VERSION', `${message} v${version} cannot carry ${name}`);
    for (let index = 0; index < names.length; index++) {
      const field = struct[names[index]!];
      writes[index]!(to, field === undefined ? defaults[index] : field);
    }
    if (isFlexible) writeTagged(to, struct, tagged);
  };
}

function writeTagged(to: WireWriter, struct: Struct, tagged: readonly Slot[]): void {
  if (tagged.length === 0) {
    to.unsignedVarint(0);
    return;
  }
  let count = 0;
  for (const { name, isDefault } of tagged) if (!isDefault(struct[name])) count++;
  to.unsignedVarint(count);
  if (count === 0) return;
  for (const { name, tag, codec, isDefault } of tagged) {
    if (isDefault(struct[name])) continue;
    const content = new WireWriter();
    codec!.write(content, struct[name]);
    to.unsignedVarint(tag!);
    to.unsignedVarint(content.length);
    to.append(content);
  }
}
