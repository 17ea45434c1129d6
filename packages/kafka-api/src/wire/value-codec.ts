/**
 * How one value is read and written, for each scalar type and for arrays, in the old and in the compact encoding.
 * Knows of no names and no versions: what may be null, and which encoding it is, was decided when compiling.
 */
import { invariant } from '@millrace/core';
import { MalformedFrame } from './malformed-frame.ts';
import type { Scalar, ScalarType } from './schema.ts';
import type { WireReader } from './wire-reader.ts';
import { utf8Length, type WireWriter } from './wire-writer.ts';

/** Reads and writes the values of one field. */
export interface ValueCodec {
  readonly read: (from: WireReader) => unknown;
  readonly write: (to: WireWriter, value: unknown) => void;
  /** Fewest bytes that a value takes. */
  readonly bytesMin: number;
}

/** How lengths are written: -1 is null. */
interface LengthCodec {
  readonly read: (from: WireReader) => number;
  readonly write: (to: WireWriter, length: number) => void;
  readonly bytesMin: number;
}

const INT16_LENGTH: LengthCodec = {
  read: (from) => from.int16(),
  write: (to, length) => to.int16(length),
  bytesMin: 2,
};
const INT32_LENGTH: LengthCodec = {
  read: (from) => from.int32(),
  write: (to, length) => to.int32(length),
  bytesMin: 4,
};
const COMPACT_LENGTH: LengthCodec = {
  read: (from) => from.unsignedVarint() - 1,
  write: (to, length) => to.unsignedVarint(length + 1),
  bytesMin: 1,
};

export const ZERO_UUID = 'A'.repeat(22);
const NO_BYTES = Buffer.alloc(0);

/** What a scalar is that a message lacks. */
export const ZERO_OF: Readonly<Record<ScalarType, Scalar>> = {
  boolean: false,
  int8: 0,
  int16: 0,
  uint16: 0,
  int32: 0,
  int64: 0,
  float64: 0,
  uuid: ZERO_UUID,
  string: '',
  bytes: NO_BYTES,
  records: NO_BYTES,
};

type FixedType = Exclude<ScalarType, 'string' | 'bytes' | 'records'>;

const FIXED: Readonly<Record<FixedType, ValueCodec>> = {
  boolean: {
    read: (from) => from.boolean(),
    write: (to, value) => to.boolean(value as boolean),
    bytesMin: 1,
  },
  int8: { read: (from) => from.int8(), write: (to, value) => to.int8(value as number), bytesMin: 1 },
  int16: { read: (from) => from.int16(), write: (to, value) => to.int16(value as number), bytesMin: 2 },
  uint16: { read: (from) => from.uint16(), write: (to, value) => to.uint16(value as number), bytesMin: 2 },
  int32: { read: (from) => from.int32(), write: (to, value) => to.int32(value as number), bytesMin: 4 },
  int64: { read: (from) => from.int64(), write: (to, value) => to.int64(value as number), bytesMin: 8 },
  float64: { read: (from) => from.float64(), write: (to, value) => to.float64(value as number), bytesMin: 8 },
  uuid: { read: (from) => from.uuid(), write: (to, value) => to.uuid(value as string), bytesMin: 16 },
};

export interface Encoding {
  readonly isFlexible: boolean;
  readonly isNullable: boolean;
}

export function scalarCodec(type: ScalarType, { isFlexible, isNullable }: Encoding): ValueCodec {
  switch (type) {
    case 'string':
      return textCodec(isFlexible ? COMPACT_LENGTH : INT16_LENGTH, isNullable);
    case 'bytes':
      return blobCodec(isFlexible ? COMPACT_LENGTH : INT32_LENGTH, isNullable, writeBlob);
    case 'records':
      return blobCodec(isFlexible ? COMPACT_LENGTH : INT32_LENGTH, isNullable, writeBlobs);
    default:
      invariant(!isNullable, 'only texts, bytes, arrays and structures can be null', { type });
      return FIXED[type];
  }
}

/** @param wireLength as read. @returns undefined for null. */
function checkedLength(wireLength: number, isNullable: boolean): number | undefined {
  if (wireLength >= 0) return wireLength;
  if (wireLength === -1 && isNullable) return undefined;
  throw new MalformedFrame(wireLength === -1 ? 'null where it is not allowed' : `length ${wireLength}`);
}

function checkNull(isNullable: boolean): void {
  invariant(isNullable, 'null where this version does not allow it');
}

function textCodec(lengths: LengthCodec, isNullable: boolean): ValueCodec {
  return {
    bytesMin: lengths.bytesMin,
    read: (from) => {
      const length = checkedLength(lengths.read(from), isNullable);
      return length === undefined ? null : from.text(length);
    },
    write: (to, value) => {
      if (value === null) {
        checkNull(isNullable);
        lengths.write(to, -1);
        return;
      }
      const length = utf8Length(value as string);
      lengths.write(to, length);
      to.text(value as string, length);
    },
  };
}

type WriteBlob = (to: WireWriter, value: unknown, lengths: LengthCodec) => void;

const writeBlob: WriteBlob = (to, value, lengths) => {
  invariant(Buffer.isBuffer(value), 'not bytes');
  lengths.write(to, value.length);
  to.bytes(value);
};

const writeBlobs: WriteBlob = (to, value, lengths) => {
  if (!Array.isArray(value)) {
    writeBlob(to, value, lengths);
    return;
  }
  const parts = value as readonly Buffer[];
  let length = 0;
  for (const part of parts) length += part.length;
  lengths.write(to, length);
  for (const part of parts) to.bytes(part);
};

function blobCodec(lengths: LengthCodec, isNullable: boolean, writeValue: WriteBlob): ValueCodec {
  return {
    bytesMin: lengths.bytesMin,
    read: (from) => {
      const length = checkedLength(lengths.read(from), isNullable);
      return length === undefined ? null : from.view(length);
    },
    write: (to, value) => {
      if (value === null) {
        checkNull(isNullable);
        lengths.write(to, -1);
      } else writeValue(to, value, lengths);
    },
  };
}

/** Elements may be of any kind; they are never null. */
export function arrayCodec(element: ValueCodec, { isFlexible, isNullable }: Encoding): ValueCodec {
  const lengths = isFlexible ? COMPACT_LENGTH : INT32_LENGTH;
  const elementBytesMin = Math.max(1, element.bytesMin);
  return {
    bytesMin: lengths.bytesMin,
    read: (from) => {
      const count = checkedLength(lengths.read(from), isNullable);
      if (count === undefined) return null;
      from.expectElements(count, elementBytesMin);
      const values: unknown[] = [];
      for (let index = 0; index < count; index++) values.push(element.read(from));
      return values;
    },
    write: (to, value) => {
      if (value === null) {
        checkNull(isNullable);
        lengths.write(to, -1);
        return;
      }
      invariant(Array.isArray(value), 'not an array');
      lengths.write(to, value.length);
      for (const part of value) element.write(to, part);
    },
  };
}
