/** Messages of any schema and version, for property tests: complete, with defaults for what the version lacks. */
import fc from 'fast-check';
import { type Field, type Fields, hasVersion, type MessageSchema, type ScalarType } from '../wire/schema.ts';

type Message = Readonly<Record<string, unknown>>;

const integers = (bits: number): fc.Arbitrary<number> =>
  fc.integer({ min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 });
// Empty, short, and long enough for two-byte lengths and for being spliced in.
const blobs: fc.Arbitrary<Buffer> = fc
  .tuple(fc.constantFrom(0, 1, 5, 200, 700), fc.nat(255))
  .map(([length, byte]) => Buffer.alloc(length, byte));

const SCALARS: Readonly<Record<ScalarType, fc.Arbitrary<unknown>>> = {
  boolean: fc.boolean(),
  int8: integers(8),
  int16: integers(16),
  uint16: fc.nat(0xffff),
  int32: integers(32),
  int64: fc.maxSafeInteger(),
  float64: fc.double({ noNaN: true }),
  uuid: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((raw) => Buffer.from(raw).toString('base64url')),
  string: fc.oneof(
    { weight: 8, arbitrary: fc.string({ unit: 'grapheme', maxLength: 8 }) },
    { weight: 1, arbitrary: fc.constant('größer'.repeat(30)) },
  ),
  bytes: blobs,
  records: blobs,
};

export function arbitraryMessage(schema: MessageSchema, version: number): fc.Arbitrary<Message> {
  return arbitraryStruct(schema.fields, version);
}

function arbitraryStruct(fields: Fields, version: number): fc.Arbitrary<Message> {
  return fc.record(
    Object.fromEntries(
      Object.entries(fields).map(([name, field]) => [
        name,
        hasVersion(field.versions, version) ? arbitraryValue(field, version) : fc.constant(defaultOf(field)),
      ]),
    ),
  );
}

function arbitraryValue(field: Field, version: number): fc.Arbitrary<unknown> {
  const one =
    field.fields === undefined
      ? SCALARS[field.element ?? (field.type as ScalarType)]
      : arbitraryStruct(field.fields, version);
  const value = field.type === 'array' ? fc.array(one, { maxLength: 3 }) : one;
  const isNullable = field.nullable !== undefined && hasVersion(field.nullable, version);
  // Tagged fields are left out when they have their default, so it has to come up often enough.
  const withDefault = field.tag === undefined ? value : fc.oneof(value, fc.constant(defaultOf(field)));
  return isNullable ? fc.option(withDefault, { freq: 4 }) : withDefault;
}

/** What a message has that lacks the field. */
function defaultOf(field: Field): unknown {
  if (field.default !== undefined) return field.default;
  switch (field.type) {
    case 'array':
      return [];
    case 'struct':
      return Object.fromEntries(
        Object.entries(field.fields!).map(([name, inner]) => [name, defaultOf(inner)]),
      );
    case 'string':
      return '';
    case 'bytes':
    case 'records':
      return Buffer.alloc(0);
    case 'uuid':
      return 'A'.repeat(22);
    case 'boolean':
      return false;
    default:
      return 0;
  }
}
