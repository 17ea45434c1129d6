/**
 * Reads and writes messages by their schemas. A schema is compiled once for each version, into closures that know
 * nothing of versions any more; old and flexible encodings differ only in the closures chosen.
 */
import { invariant, MillraceError } from '@millrace/core';
import {
  type Fields,
  type MessageDraftOf,
  type MessageOf,
  type MessageSchema,
  versionRange,
} from './schema.ts';
import { compileStruct, type StructCodec } from './struct-codec.ts';
import type { WireReader } from './wire-reader.ts';
import type { WireWriter } from './wire-writer.ts';

export class Codec<F extends Fields = Fields> {
  readonly schema: MessageSchema<F>;
  readonly #compiled: (StructCodec | undefined)[] = [];
  readonly #lowest: number;
  readonly #highest: number;
  readonly #flexible: { readonly lowest: number; readonly highest: number };

  constructor(schema: MessageSchema<F>) {
    this.schema = schema;
    const { lowest, highest } = versionRange(schema.versions);
    invariant(Number.isFinite(highest), 'a message says its highest version', { name: schema.name });
    this.#lowest = lowest;
    this.#highest = highest;
    this.#flexible = versionRange(schema.flexible);
  }

  get lowestVersion(): number {
    return this.#lowest;
  }

  get highestVersion(): number {
    return this.#highest;
  }

  /** Whether a version has compact lengths and tagged fields; also decides its headers. Known for any number. */
  isFlexible(version: number): boolean {
    return version >= this.#flexible.lowest && version <= this.#flexible.highest;
  }

  /**
   * Bytes behind the message are left to the caller.
   * @throws {MalformedFrame} if the bytes are no such message.
   */
  decode(from: WireReader, version: number): MessageOf<MessageSchema<F>> {
    return this.#of(version).read(from) as MessageOf<MessageSchema<F>>;
  }

  /**
   * @throws {MillraceError} UNSUPPORTED_VERSION if a field has a value that this version cannot carry.
   * @throws {InvariantError} if a value is not of its field's type.
   */
  encode(to: WireWriter, version: number, message: MessageDraftOf<MessageSchema<F>>): void {
    this.#of(version).write(to, message);
  }

  #of(version: number): StructCodec {
    return this.#compiled[version] ?? this.#compile(version);
  }

  #compile(version: number): StructCodec {
    const { name, fields } = this.schema;
    if (!Number.isInteger(version) || version < this.#lowest || version > this.#highest)
      throw new MillraceError('UNSUPPORTED_VERSION', `${name} has no version ${version} here`);
    const compiled = compileStruct(fields, { name, version, isFlexible: this.isFlexible(version) });
    this.#compiled[version] = compiled;
    return compiled;
  }
}

/** Skips the tagged fields of a header: none of them means anything here. */
export function skipTaggedFields(from: WireReader): void {
  for (let count = from.unsignedVarint(); count > 0; count--) {
    from.unsignedVarint();
    from.skip(from.unsignedVarint());
  }
}
