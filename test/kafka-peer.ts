/** A client that speaks Kafka's protocol through the listener's own codec, for tests: any API in any version. */
import { connect, type Socket } from 'node:net';
import {
  type ApiName,
  decodeResponse,
  encodeRequest,
  type RequestDraftOf,
  type ResponseOf,
} from '@millrace/kafka-api';

const SIZE_BYTES = 4;

interface Waiting {
  readonly answered: (frame: Buffer) => void;
  readonly failed: (error: Error) => void;
}

export class KafkaPeer implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #clientId: string;
  /** In the order asked, which is the order of the answers. */
  readonly #waiting: Waiting[] = [];
  #received = Buffer.alloc(0);
  #correlationId = 0;

  private constructor(socket: Socket, clientId: string) {
    this.#socket = socket;
    this.#clientId = clientId;
    socket.on('data', (chunk) => this.#receive(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      for (const { failed } of this.#waiting.splice(0)) failed(new Error('the connection was closed'));
    });
  }

  /** @param address `host:port`; of several the first. */
  static async to(address: string, clientId = 'test'): Promise<KafkaPeer> {
    const [, host, port] = /^(.*?):(\d+)/.exec(address)!;
    const socket = connect({ host: host!, port: Number(port), noDelay: true });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new KafkaPeer(socket, clientId);
  }

  async ask<N extends ApiName>(api: N, version: number, request: RequestDraftOf<N>): Promise<ResponseOf<N>> {
    const correlationId = ++this.#correlationId;
    const pieces = encodeRequest(api, { version, correlationId, clientId: this.#clientId }, request);
    const frame = await new Promise<Buffer>((answered, failed) => {
      this.#waiting.push({ answered, failed });
      this.#socket.write(Buffer.concat(pieces));
    });
    const answer = decodeResponse(api, version, frame);
    if (answer.correlationId !== correlationId) throw new Error('answers came out of order');
    return answer.response;
  }

  /** Sends a request that has no answer. */
  tell<N extends ApiName>(api: N, version: number, request: RequestDraftOf<N>): void {
    const head = { version, correlationId: ++this.#correlationId, clientId: this.#clientId };
    this.#socket.write(Buffer.concat(encodeRequest(api, head, request)));
  }

  /** Sends bytes as they are; the next frame that comes back, without its size. */
  raw(bytes: Buffer): Promise<Buffer> {
    return new Promise<Buffer>((answered, failed) => {
      this.#waiting.push({ answered, failed });
      this.#socket.write(bytes);
    });
  }

  /** Resolves when the other side has closed the connection. */
  get closed(): Promise<void> {
    if (this.#socket.destroyed) return Promise.resolve();
    return new Promise((resolve) => this.#socket.once('close', () => resolve()));
  }

  close(): void {
    this.#socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  #receive(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    while (this.#received.length >= SIZE_BYTES) {
      const end = SIZE_BYTES + this.#received.readInt32BE(0);
      if (this.#received.length < end) return;
      this.#waiting.shift()?.answered(this.#received.subarray(SIZE_BYTES, end));
      this.#received = this.#received.subarray(end);
    }
  }
}
