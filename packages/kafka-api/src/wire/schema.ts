/**
 * How a message is described: data only. A message is an ordered list of fields, each with the versions that have
 * it; one description serves all versions, and the types of messages follow from it. Reading and writing is the
 * codec's part. Words and rules are those of Kafka's message definitions (KIP-482 for tagged fields).
 */

/** `3+`, `2-5` or `4`; both ends count. */
export type Versions = `${number}+` | `${number}-${number}` | `${number}`;

export type ScalarType =
  | 'boolean'
  | 'int8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'int64'
  | 'float64'
  | 'uuid'
  | 'string'
  | 'bytes'
  | 'records';

export type Scalar = boolean | number | string | Buffer;

export interface FieldOptions {
  /** Versions in which null is allowed. */
  readonly nullable?: Versions;
  /** What a message has that lacks the field. Without it: false, 0, '', zero uuid, or empty. */
  readonly default?: boolean | number | string | null;
  /** A version that lacks the field drops the value silently; otherwise only the default may be dropped. */
  readonly ignorable?: true;
  /** Written as a tagged field with this number, and only if it is not the default. */
  readonly tag?: number;
}

declare const decoded: unique symbol;
declare const draft: unique symbol;
declare const optional: unique symbol;

/** One field. The three symbols exist for the compiler alone: type when read, type when written, may be left out. */
export interface Field<Decoded = unknown, Draft = unknown, Optional extends boolean = boolean>
  extends FieldOptions {
  readonly type: ScalarType | 'struct' | 'array';
  readonly versions: Versions;
  /** Of a structure, or of each element of an array of structures. */
  readonly fields?: Fields;
  /** Of an array's elements that are no structures. */
  readonly element?: ScalarType;
  readonly [decoded]?: Decoded;
  readonly [draft]?: Draft;
  readonly [optional]?: Optional;
}

/** Names as in Kafka's protocol guide, camelCase; their order is the order on the wire. */
export type Fields = Readonly<Record<string, Field>>;

export interface MessageSchema<F extends Fields = Fields> {
  readonly name: string;
  /** Versions that can be read and written. */
  readonly versions: Versions;
  /** Versions with compact lengths and tagged fields. */
  readonly flexible: Versions | 'none';
  readonly fields: F;
}

type NullIn<O> = O extends { readonly nullable: Versions } ? null : never;

/** May be left out when writing: what some version lacks, or what has a default, or may be dropped. */
type IsOptional<V, O> = V extends '0+'
  ? O extends
      | { readonly default: boolean | number | string | null }
      | { readonly ignorable: true }
      | { readonly tag: number }
    ? true
    : false
  : true;

type DecodedOf<T> = T extends Field<infer Decoded, unknown, boolean> ? Decoded : never;
type DraftOf<T> = T extends Field<unknown, infer Draft, boolean> ? Draft : never;
type OptionalKeys<F extends Fields> = {
  [K in keyof F]: F[K] extends Field<unknown, unknown, true> ? K : never;
}[keyof F];

type Read<F extends Fields> = { readonly [K in keyof F]: DecodedOf<F[K]> };
type Flat<T> = { [K in keyof T]: T[K] };
type Written<F extends Fields> = Flat<
  { readonly [K in Exclude<keyof F, OptionalKeys<F>>]: DraftOf<F[K]> } & {
    readonly [K in OptionalKeys<F>]?: DraftOf<F[K]> | undefined;
  }
>;

/** A message as decoded: every field of every version is there, with its default where the version lacks it. */
export type MessageOf<S> = S extends MessageSchema<infer F> ? Read<F> : never;
/** A message to be encoded: optional fields may be left out. */
export type MessageDraftOf<S> = S extends MessageSchema<infer F> ? Written<F> : never;

type ScalarField<Decoded, Draft, V, O> = Field<Decoded | NullIn<O>, Draft | NullIn<O>, IsOptional<V, O>>;

function scalar<Decoded, Draft = Decoded>(type: ScalarType) {
  return <const V extends Versions, const O extends FieldOptions = Record<never, never>>(
    versions: V,
    options?: O,
  ): ScalarField<Decoded, Draft, V, O> => ({ ...options, type, versions });
}

export const boolean = scalar<boolean>('boolean');
export const int8 = scalar<number>('int8');
export const int16 = scalar<number>('int16');
export const uint16 = scalar<number>('uint16');
export const int32 = scalar<number>('int32');
/** A plain number: values beyond 2^53 are refused. */
export const int64 = scalar<number>('int64');
export const float64 = scalar<number>('float64');
/** 22 characters of base64url. */
export const uuid = scalar<string>('uuid');
export const string = scalar<string>('string');
/** A view into the frame when read. */
export const bytes = scalar<Buffer>('bytes');
/** Record batches: a view into the frame when read, passed through without a copy when written. */
export const records = scalar<Buffer, Buffer | readonly Buffer[]>('records');

interface ElementTypes {
  readonly boolean: boolean;
  readonly int8: number;
  readonly int16: number;
  readonly int32: number;
  readonly int64: number;
  readonly uuid: string;
  readonly string: string;
  readonly bytes: Buffer;
}
type Element = keyof ElementTypes;

/** An array of scalars. Its default is empty unless it says null. */
export function arrayOf<
  const V extends Versions,
  const E extends Element,
  const O extends FieldOptions = Record<never, never>,
>(
  versions: V,
  element: E,
  options?: O,
): ScalarField<readonly ElementTypes[E][], readonly ElementTypes[E][], V, O> {
  return { ...options, type: 'array', versions, element };
}

/** An array of structures. Its default is empty unless it says null. */
export function array<
  const V extends Versions,
  F extends Fields,
  const O extends FieldOptions = Record<never, never>,
>(versions: V, fields: F, options?: O): ScalarField<readonly Read<F>[], readonly Written<F>[], V, O> {
  return { ...options, type: 'array', versions, fields };
}

/** A structure. Its default is the structure of its fields' defaults unless it says null. */
export function struct<
  const V extends Versions,
  F extends Fields,
  const O extends FieldOptions = Record<never, never>,
>(versions: V, fields: F, options?: O): ScalarField<Read<F>, Written<F>, V, O> {
  return { ...options, type: 'struct', versions, fields };
}

export function message<F extends Fields>(
  name: string,
  head: { readonly versions: Versions; readonly flexible: Versions | 'none' },
  fields: F,
): MessageSchema<F> {
  return { name, ...head, fields };
}

/** The numbers that a range of versions runs from and to; `none` has no numbers. */
export function versionRange(versions: Versions | 'none'): {
  readonly lowest: number;
  readonly highest: number;
} {
  if (versions === 'none') return { lowest: Infinity, highest: -1 };
  if (versions.endsWith('+')) return { lowest: Number(versions.slice(0, -1)), highest: Infinity };
  const [lowest, highest = lowest] = versions.split('-');
  return { lowest: Number(lowest), highest: Number(highest) };
}

export function hasVersion(versions: Versions | 'none', version: number): boolean {
  const { lowest, highest } = versionRange(versions);
  return version >= lowest && version <= highest;
}
