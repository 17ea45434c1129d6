/** One message's way onto the wire and back. Decoding never throws anything but MillraceError INVALID_REQUEST. */
import { MillraceError } from '@millrace/core';
import { WireReader } from './wire-reader.ts';
import { WireWriter } from './wire-writer.ts';

/**
 * A message whose size is known and whose bytes are not written yet. gRPC asks for the size, allocates its own frame and
 * lets the message copy itself in: so each payload is copied once between its owner and the socket. A Buffer is one too.
 */
export interface OutgoingFrame {
  readonly length: number;
  readonly byteLength: number;
  copy(target: Uint8Array, targetStart?: number): number;
}

export interface Codec<Message> {
  /** The message's full protobuf name. */
  readonly name: string;
  /** @throws {MillraceError} INVALID_REQUEST if a number does not fit its field. */
  encode(message: Message): Buffer;
  /** Like `encode`, but written later: the message must not change until it is sent. @throws as `encode` */
  frame(message: Message): OutgoingFrame;
  /** `bytes` fields share memory with the input. @throws {MillraceError} INVALID_REQUEST if the bytes are malformed. */
  decode(bytes: Buffer): Message;
}

type Write<Message> = (message: Message, writer: WireWriter) => void;

/** Builds a codec from a message's generated parts. */
export function codec<Message>(
  name: string,
  size: (message: Message) => number,
  write: Write<Message>,
  read: (reader: WireReader, end: number) => Message,
): Codec<Message> {
  return {
    name,
    encode(message) {
      const bytes = Buffer.allocUnsafe(size(message));
      new PreparedFrame(message, bytes.length, write).copy(bytes);
      return bytes;
    },
    frame: (message) => new PreparedFrame(message, size(message), write),
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

class PreparedFrame<Message> implements OutgoingFrame {
  readonly length: number;
  readonly #message: Message;
  readonly #write: Write<Message>;

  constructor(message: Message, length: number, write: Write<Message>) {
    this.length = length;
    this.#message = message;
    this.#write = write;
  }

  get byteLength(): number {
    return this.length;
  }

  copy(target: Uint8Array, targetStart = 0): number {
    const writer = new WireWriter(target, targetStart);
    this.#write(this.#message, writer);
    writer.finish(targetStart + this.length);
    return this.length;
  }
}
