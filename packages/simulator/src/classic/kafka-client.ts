/**
 * The wire side of a Kafka client, as those of other makers are: one connection to each broker, requests in order, and a
 * connection that does not answer in time is given up with everything that waits on it. Decides nothing about groups.
 */
import { type Clock, MillraceError, type Timer } from '@millrace/core';
import {
  APIS,
  type ApiName,
  decodeResponse,
  encodeRequest,
  type RequestDraftOf,
  type ResponseOf,
} from '@millrace/kafka-api';
import type { RpcConnection, RpcNetwork, RpcStream } from '@millrace/protocol';
import { KAFKA_PORT, kafkaConnection } from './kafka-wire.ts';

const SIZE_BYTES = 4;

interface Waiting {
  readonly api: ApiName;
  readonly version: number;
  readonly resolve: (response: never) => void;
  readonly reject: (error: MillraceError) => void;
  readonly timer: Timer | undefined;
}

export class KafkaClient {
  readonly #network: RpcNetwork;
  readonly #clock: Clock;
  readonly #clientId: string;
  readonly #brokers = new Map<string, BrokerConnection>();

  constructor(network: RpcNetwork, clock: Clock, clientId: string) {
    this.#network = network;
    this.#clock = clock;
    this.#clientId = clientId;
  }

  /**
   * @param timeoutMs undefined: for as long as the connection stands.
   * @throws {MillraceError} NETWORK_EXCEPTION, REQUEST_TIMED_OUT: whether it was done is not known.
   */
  call<N extends ApiName>(
    host: string,
    api: N,
    version: number,
    request: RequestDraftOf<N>,
    timeoutMs: number | undefined,
  ): Promise<ResponseOf<N>> {
    let broker = this.#brokers.get(host);
    if (broker === undefined) {
      broker = new BrokerConnection(this.#network.connect(host, KAFKA_PORT), this.#clock, this.#clientId);
      this.#brokers.set(host, broker);
    }
    return broker.call(api, version, request, timeoutMs);
  }

  close(): void {
    for (const broker of this.#brokers.values()) broker.close();
    this.#brokers.clear();
  }
}

class BrokerConnection {
  readonly #connection: RpcConnection;
  readonly #clock: Clock;
  readonly #clientId: string;
  readonly #waiting = new Map<number, Waiting>();
  #stream: RpcStream<Buffer> | undefined;
  #serial = 0;

  constructor(connection: RpcConnection, clock: Clock, clientId: string) {
    this.#connection = connection;
    this.#clock = clock;
    this.#clientId = clientId;
  }

  call<N extends ApiName>(
    api: N,
    version: number,
    request: RequestDraftOf<N>,
    timeoutMs: number | undefined,
  ): Promise<ResponseOf<N>> {
    const stream = this.#open();
    this.#serial += 1;
    const correlationId = this.#serial;
    const header = { version, correlationId, clientId: this.#clientId };
    const frame = Buffer.concat(encodeRequest(api, header, request)).subarray(SIZE_BYTES);
    return new Promise((resolve, reject) => {
      const late = (): void => this.#giveUp(correlationId, `${APIS[api].name} was not answered`);
      const timer = timeoutMs === undefined ? undefined : this.#clock.schedule(timeoutMs, late);
      this.#waiting.set(correlationId, { api, version, resolve, reject, timer });
      stream.send(frame);
    });
  }

  close(): void {
    this.#stream?.close(new MillraceError('CANCELLED'));
    this.#stream = undefined;
    this.#failAll(new MillraceError('CLOSED'));
    this.#connection.close();
  }

  #open(): RpcStream<Buffer> {
    if (this.#stream !== undefined && !this.#stream.closed) return this.#stream;
    const stream = this.#connection.duplex(kafkaConnection, {
      onMessage: (frame) => this.#answered(frame),
      onClosed: () => {
        if (this.#stream !== stream) return;
        this.#stream = undefined;
        this.#failAll(new MillraceError('NETWORK_EXCEPTION', 'the connection broke'));
      },
    });
    this.#stream = stream;
    return stream;
  }

  #answered(frame: Buffer): void {
    const correlationId = frame.readInt32BE(0);
    const waiting = this.#waiting.get(correlationId);
    if (waiting === undefined) return;
    this.#waiting.delete(correlationId);
    waiting.timer?.cancel();
    waiting.resolve(decodeResponse(waiting.api, waiting.version, frame).response as never);
  }

  #giveUp(correlationId: number, why: string): void {
    const late = this.#waiting.get(correlationId);
    this.#waiting.delete(correlationId);
    const stream = this.#stream;
    this.#stream = undefined;
    stream?.close(new MillraceError('CANCELLED'));
    late?.reject(new MillraceError('REQUEST_TIMED_OUT', why));
    this.#failAll(new MillraceError('NETWORK_EXCEPTION', 'the connection was given up'));
  }

  #failAll(error: MillraceError): void {
    const all = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { timer, reject } of all) {
      timer?.cancel();
      reject(error);
    }
  }
}
