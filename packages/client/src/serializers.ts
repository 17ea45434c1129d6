/**
 * How keys and values become bytes and back, with their types. A serde never sees null: null keys and null
 * values (tombstones) pass through as null. Never does I/O; a serde that throws fails one record, not a batch.
 */
import { MillraceError } from '@millrace/core';

/** Bytes of one key or value. The result may share memory with the argument. */
export interface Serializer<T> {
  serialize(value: T): Uint8Array;
}

/** `bytes` shares memory with the whole fetched batch: copy what is kept for long. */
export interface Deserializer<T> {
  deserialize(bytes: Buffer): T;
}

export interface Serde<T> extends Serializer<T>, Deserializer<T> {}

/** What producers without serializers take: bytes, or text that is written as UTF-8. */
export type BytesLike = Uint8Array | string;

/** Buffers as they are. */
export const bytes: Serde<Buffer> = {
  serialize: (value) => value,
  deserialize: (value) => value,
};

/** UTF-8 text. */
export const string: Serde<string> = {
  serialize: (value) => Buffer.from(value, 'utf8'),
  deserialize: (value) => value.toString('utf8'),
};

/** JSON text. The type is a promise of the caller: nothing checks what arrives. */
export function json<T>(): Serde<T> {
  return {
    serialize(value) {
      const text: string | undefined = JSON.stringify(value);
      if (text === undefined) throw new TypeError(`a ${typeof value} has no JSON text`);
      return Buffer.from(text, 'utf8');
    },
    deserialize: (value) => JSON.parse(value.toString('utf8')) as T,
  };
}

/** 4 bytes, big-endian, 0 .. 2^32-1. */
export const uint32: Serde<number> = {
  serialize(value) {
    const result = Buffer.allocUnsafe(4);
    result.writeUInt32BE(value);
    return result;
  },
  deserialize: (value) => sized(value, 4).readUInt32BE(),
};

/** 4 bytes, big-endian, as Kafka's IntegerSerializer. */
export const int32: Serde<number> = {
  serialize(value) {
    const result = Buffer.allocUnsafe(4);
    result.writeInt32BE(value);
    return result;
  },
  deserialize: (value) => sized(value, 4).readInt32BE(),
};

/** 8 bytes, big-endian, as Kafka's LongSerializer. */
export const int64: Serde<bigint> = {
  serialize(value) {
    const result = Buffer.allocUnsafe(8);
    result.writeBigInt64BE(value);
    return result;
  },
  deserialize: (value) => sized(value, 8).readBigInt64BE(),
};

/** 8 bytes, big-endian IEEE 754, as Kafka's DoubleSerializer. */
export const float64: Serde<number> = {
  serialize(value) {
    const result = Buffer.allocUnsafe(8);
    result.writeDoubleBE(value);
    return result;
  },
  deserialize: (value) => sized(value, 8).readDoubleBE(),
};

function sized(value: Buffer, sizeBytes: number): Buffer {
  if (value.length !== sizeBytes) throw new RangeError(`expected ${sizeBytes} bytes, got ${value.length}`);
  return value;
}

/** Bytes as they are, text as UTF-8. The default of producers. @throws {TypeError} for anything else. */
export const bytesLike: Serializer<BytesLike> = {
  serialize(value) {
    if (typeof value === 'string') return Buffer.from(value, 'utf8');
    if (value instanceof Uint8Array) return value;
    throw new TypeError(
      `without a serializer a ${typeof value} cannot be sent; give a string, a Buffer or null`,
    );
  },
};

/** @throws {MillraceError} SERIALIZATION_FAILED, naming what was being serialized. */
export function serializeWith<T>(
  serializer: Serializer<T>,
  value: T | null | undefined,
  what: string,
): Uint8Array | null {
  if (value === null || value === undefined) return null;
  try {
    return serializer.serialize(value);
  } catch (error) {
    throw new MillraceError(
      'SERIALIZATION_FAILED',
      `the ${what} could not be serialized: ${messageOf(error)}`,
      {
        cause: error,
      },
    );
  }
}

/** @throws {MillraceError} SERIALIZATION_FAILED, naming what was being read. */
export function deserializeWith<T>(deserializer: Deserializer<T>, value: Buffer, what: string): T {
  try {
    return deserializer.deserialize(value);
  } catch (error) {
    throw new MillraceError('SERIALIZATION_FAILED', `the ${what} could not be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
