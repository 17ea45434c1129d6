/** One message's way onto the wire and back. Decoding never throws anything but MillraceError INVALID_REQUEST. */
import { MillraceError } from '@millrace/core';
import { WireReader } from './wire-reader.ts';
import { WireWriter } from './wire-writer.ts';

export interface Codec<Message> {
  /** The message's full protobuf name. */
  readonly name: string;
  /** @throws {MillraceError} INVALID_REQUEST if a number does not fit its field. */
  encode(message: Message): Buffer;
  /** `bytes` fields share memory with the input. @throws {MillraceError} INVALID_REQUEST if the bytes are malformed. */
  decode(bytes: Buffer): Message;
}

/** Builds a codec from a message's generated parts. */
export function codec<Message>(
  name: string,
  size: (message: Message) => number,
  write: (message: Message, writer: WireWriter) => void,
  read: (reader: WireReader, end: number) => Message,
): Codec<Message> {
  return {
    name,
    encode(message) {
      const writer = new WireWriter(size(message));
      write(message, writer);
      return writer.finish();
    },
    decode(bytes) {
      const reader = new WireReader(bytes);
      try {
        return read(reader, reader.length);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        throw new MillraceError('INVALID_REQUEST', `malformed ${name}: ${reason}`, { cause: error });
      }
    },
  };
}
