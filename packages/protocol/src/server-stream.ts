/** The server's end of a stream: decoding, back-pressure, and exactly one `onClosed`, whoever ends it. */
import { Metadata, type ServerDuplexStream, type ServerWritableStream } from '@grpc/grpc-js';
import { MillraceError } from '@millrace/core';
import { readOneAhead } from './grpc-internals.ts';
import { toRpcFailure } from './rpc-status.ts';
import type { RpcStream, ServerStreamHandlers } from './rpc-stream.ts';
import { StreamSender } from './stream-sender.ts';
import type { Codec } from './wire/codec.ts';

export type ServerCall = ServerDuplexStream<Buffer, Buffer> | ServerWritableStream<Buffer, Buffer>;

export interface ServerStreamOptions<Outgoing> {
  readonly outgoing: Codec<Outgoing>;
  readonly sendBufferBytes: number;
  /** Called once when the stream is over. */
  readonly onClosed: () => void;
  /** An error that no caller caused. */
  readonly onUnexpected: (error: unknown) => void;
}

export class ServerStream<Outgoing, Incoming> implements RpcStream<Outgoing> {
  readonly #call: ServerCall;
  readonly #options: ServerStreamOptions<Outgoing>;
  readonly #sender: StreamSender;
  #handlers: ServerStreamHandlers<Incoming> | undefined;
  #closed = false;

  constructor(call: ServerCall, options: ServerStreamOptions<Outgoing>) {
    this.#call = call;
    this.#options = options;
    this.#sender = new StreamSender(call, options.sendBufferBytes);
    call.on('cancelled', () => {
      this.#finish(
        new MillraceError('NETWORK_EXCEPTION', 'the peer gave the stream up or its connection broke'),
      );
    });
  }

  /** Starts the flow of messages; greets the client, which takes the silence of a server for its absence. */
  start(handlers: ServerStreamHandlers<Incoming>, incoming: Codec<Incoming> | undefined): void {
    this.#handlers = handlers;
    this.#call.sendMetadata(new Metadata());
    if (incoming === undefined || !('read' in this.#call)) return;
    readOneAhead(this.#call);
    this.#call.on('data', (frame: Buffer) => this.#onFrame(frame, incoming));
    // HTTP/2 in Node ends a stream before it resets it: a client that cancels may look like one that is done.
    this.#call.on('end', () => this.#onEnd());
  }

  get bufferedBytes(): number {
    return this.#sender.bufferedBytes;
  }

  get closed(): boolean {
    return this.#closed;
  }

  send(message: Outgoing): boolean {
    return this.#closed ? false : this.#sender.send(this.#options.outgoing.frame(message));
  }

  drained(mostBytes?: number): Promise<void> {
    return this.#sender.drained(mostBytes);
  }

  pause(): void {
    if ('pause' in this.#call) this.#call.pause();
  }

  resume(): void {
    if ('resume' in this.#call) this.#call.resume();
  }

  close(error?: MillraceError): void {
    if (this.#closed) return;
    if (error === undefined) this.#call.end();
    else this.#call.emit('error', toRpcFailure(error));
    queueMicrotask(() => this.#finish(error));
  }

  /** The server goes down: the handler ends the stream in its own time, or it ends now. */
  drain(): void {
    if (this.#handlers?.onDrain) this.#handlers.onDrain();
    else this.close();
  }

  #onFrame(frame: Buffer, incoming: Codec<Incoming>): void {
    if (this.#closed) return;
    try {
      this.#handlers?.onMessage(incoming.decode(frame));
    } catch (error) {
      if (!(error instanceof MillraceError)) this.#options.onUnexpected(error);
      this.close(error instanceof MillraceError ? error : new MillraceError('UNKNOWN_SERVER_ERROR'));
    }
  }

  #onEnd(): void {
    if (this.#closed) return;
    if (this.#handlers?.onEnd) this.#handlers.onEnd();
    else this.close();
  }

  #finish(error: MillraceError | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#sender.end();
    this.#options.onClosed();
    try {
      this.#handlers?.onClosed(error);
    } catch (thrown) {
      this.#options.onUnexpected(thrown);
    }
  }
}
