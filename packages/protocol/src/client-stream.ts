/** The client's end of a stream. Turns whatever gRPC reports into one `onClosed`; never lets an 'error' event go unhandled. */
import { type ClientDuplexStream, type ClientReadableStream, type StatusObject, status } from '@grpc/grpc-js';
import { MillraceError, toMillraceError } from '@millrace/core';
import { readOneAhead } from './grpc-internals.ts';
import { fromRpcFailure } from './rpc-status.ts';
import type { RpcStream, StreamHandlers } from './rpc-stream.ts';
import { StreamSender } from './stream-sender.ts';
import type { Codec } from './wire/codec.ts';

export type ClientCall = ClientReadableStream<Buffer> | ClientDuplexStream<Buffer, Buffer>;

export interface ClientStreamOptions<Outgoing, Incoming> {
  readonly outgoing: Codec<Outgoing>;
  readonly incoming: Codec<Incoming>;
  readonly handlers: StreamHandlers<Incoming>;
  readonly sendBufferBytes: number;
  /** The server greets every stream; one that hears nothing for this long has no server. */
  readonly connectTimeoutMs: number;
}

export class ClientStream<Outgoing, Incoming> implements RpcStream<Outgoing> {
  readonly #call: ClientCall;
  readonly #options: ClientStreamOptions<Outgoing, Incoming>;
  readonly #sender: StreamSender;
  readonly #greeting: NodeJS.Timeout;
  #closed = false;
  #halfClosed = false;
  #reason: { readonly error: MillraceError | undefined } | undefined;

  constructor(call: ClientCall, options: ClientStreamOptions<Outgoing, Incoming>) {
    this.#call = call;
    this.#options = options;
    const sink = 'write' in call ? call : { write: () => undefined };
    this.#sender = new StreamSender(sink, options.sendBufferBytes);
    this.#greeting = setTimeout(() => this.#onSilence(), options.connectTimeoutMs);
    readOneAhead(call);
    call.on('metadata', () => clearTimeout(this.#greeting));
    call.on('data', (frame: Buffer) => this.#onFrame(frame));
    // The status event that follows carries the same news.
    call.on('error', () => undefined);
    call.on('status', (final: StatusObject) => this.#onStatus(final));
  }

  get bufferedBytes(): number {
    return this.#sender.bufferedBytes;
  }

  get closed(): boolean {
    return this.#closed;
  }

  send(message: Outgoing): boolean {
    if (this.#closed || this.#halfClosed) return false;
    return this.#sender.send(this.#options.outgoing.frame(message));
  }

  drained(mostBytes?: number): Promise<void> {
    return this.#sender.drained(mostBytes);
  }

  pause(): void {
    this.#call.pause();
  }

  resume(): void {
    this.#call.resume();
  }

  close(error?: MillraceError): void {
    if (this.#closed) return;
    if (error === undefined && 'write' in this.#call) {
      this.#halfClosed = true;
      this.#call.end();
      return;
    }
    // The status that follows only says that the call was cancelled; this is why.
    this.#reason = { error };
    this.#call.cancel();
    queueMicrotask(() => this.#finish(error));
  }

  #onFrame(frame: Buffer): void {
    if (this.#closed) return;
    try {
      this.#options.handlers.onMessage(this.#options.incoming.decode(frame));
    } catch (error) {
      this.close(toMillraceError(error));
    }
  }

  #onStatus(final: StatusObject): void {
    if (this.#reason !== undefined) {
      this.#finish(this.#reason.error);
    } else if (final.code !== status.OK) {
      this.#finish(fromRpcFailure(final));
    } else if (this.#call.readableEnded) {
      this.#finish(undefined);
    } else {
      this.#call.once('end', () => this.#finish(undefined));
    }
  }

  #onSilence(): void {
    const { connectTimeoutMs } = this.#options;
    this.close(new MillraceError('CONNECTION_FAILED', `no server answered within ${connectTimeoutMs} ms`));
  }

  #finish(error: MillraceError | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#greeting);
    this.#sender.end();
    this.#options.handlers.onClosed(error);
  }
}
