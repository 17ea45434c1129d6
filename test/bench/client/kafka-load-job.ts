/**
 * Produce requests in Kafka's protocol over any number of connections, each batch built once: the client costs little
 * beside the server. As fast as they are answered, or on a schedule that never waits for answers.
 */
import { connect, type Socket } from 'node:net';
import { Deferred } from '@millrace/core';
import { decodeResponse, encodeRequest } from '@millrace/kafka-api';
import { buildBatch } from '@millrace/records';
import { Histogram } from '../histogram.ts';
import { sleepMs } from '../monotonic-clock.ts';
import type { KafkaLoadJob, KafkaLoadResult } from './job.ts';
import type { JobContext } from './job-context.ts';
import { Payload } from './payload.ts';

const SIZE_BYTES = 4;
const VERSION = 8;
const TIMEOUT_MS = 30_000;
const TICK_MS = 1;
/** Connections that are opened at the same time: fewer than a server's backlog holds. */
const OPENING_MAX = 100;
/** Every so many answers are decoded; of the others only the size must be what it was. */
const CHECKED_EVERY = 64;

/** Requests in turn, each to the partitions after those of the one before. */
class Requests {
  readonly #requests: readonly Buffer[];
  #next = 0;

  constructor({ topic, partitions, batchesPerRequest, recordsPerBatch, recordBytes }: KafkaLoadJob) {
    const payload = new Payload(recordBytes);
    const records = Array.from({ length: recordsPerBatch }, () => ({ timestamp: 0, value: payload.next() }));
    const batch = buildBatch(records.map((record) => ({ ...record, timestamp: Date.now() })));
    const count = Math.ceil(partitions / batchesPerRequest);
    this.#requests = Array.from({ length: count }, (_, place) => {
      const partitionData = Array.from({ length: batchesPerRequest }, (_each, index) => ({
        index: (place * batchesPerRequest + index) % partitions,
        records: batch,
      }));
      const request = { acks: 1, timeoutMs: TIMEOUT_MS, topicData: [{ name: topic, partitionData }] };
      const header = { version: VERSION, correlationId: 0, clientId: 'bench' };
      return Buffer.concat(encodeRequest('produce', header, request));
    });
  }

  next(): Buffer {
    const request = this.#requests[this.#next]!;
    this.#next = (this.#next + 1) % this.#requests.length;
    return request;
  }
}

type Answered = (sinceMs: number, link: Link) => void;

/** One connection. Answers come in the order of the requests, so that a queue of times says which is whose. */
class Link {
  readonly #socket: Socket;
  readonly #answered: Answered;
  readonly #failed: (error: Error) => void;
  readonly #since: number[] = [];
  #received: Buffer | undefined;
  #answers = 0;
  #answerBytes = 0;

  private constructor(socket: Socket, answered: Answered, failed: (error: Error) => void) {
    this.#socket = socket;
    this.#answered = answered;
    this.#failed = failed;
    socket.on('data', (chunk) => this.#receive(chunk));
    socket.on('close', () => failed(new Error('the server closed a connection')));
  }

  static async open(address: string, answered: Answered, failed: (error: Error) => void): Promise<Link> {
    const [host, port] = address.split(':') as [string, string];
    const socket = connect({ host, port: Number(port), noDelay: true });
    const connected = new Deferred<void>();
    socket.once('connect', () => connected.resolve());
    socket.on('error', (error) => connected.reject(error));
    await connected.promise;
    return new Link(socket, answered, failed);
  }

  get inFlight(): number {
    return this.#since.length;
  }

  /** @param sinceMs when it was due. */
  send(request: Buffer, sinceMs: number): void {
    this.#since.push(sinceMs);
    this.#socket.write(request);
  }

  close(): void {
    this.#socket.removeAllListeners('close');
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    let bytes = this.#received === undefined ? chunk : Buffer.concat([this.#received, chunk]);
    while (bytes.length >= SIZE_BYTES) {
      const end = SIZE_BYTES + bytes.readInt32BE(0);
      if (bytes.length < end) break;
      this.#check(bytes.subarray(SIZE_BYTES, end));
      this.#answered(this.#since.shift()!, this);
      bytes = bytes.subarray(end);
    }
    this.#received = bytes.length === 0 ? undefined : bytes;
  }

  /** An error of a partition makes an answer longer: its message comes with it. */
  #check(frame: Buffer): void {
    const isKnown = frame.length === this.#answerBytes && this.#answers++ % CHECKED_EVERY !== 0;
    if (isKnown) return;
    const { response } = decodeResponse('produce', VERSION, frame);
    for (const { partitionResponses } of response.responses) {
      const failed = partitionResponses.find(({ errorCode }) => errorCode !== 0);
      if (failed) this.#failed(new Error(`partition ${failed.index}: error ${failed.errorCode}`));
    }
    this.#answerBytes = frame.length;
  }
}

/** All connections of a job. */
class Load {
  readonly #job: KafkaLoadJob;
  readonly #requests: Requests;
  readonly #links: Link[] = [];
  #next = 0;
  #isOver = false;
  #failure: Error | undefined;
  histogram = new Histogram();
  answered = 0;

  constructor(job: KafkaLoadJob) {
    this.#job = job;
    this.#requests = new Requests(job);
  }

  async open(): Promise<void> {
    const { bootstrap, connections } = this.#job;
    const failed = (error: Error): void => {
      this.#failure ??= error;
    };
    while (this.#links.length < connections) {
      const count = Math.min(OPENING_MAX, connections - this.#links.length);
      const opening = Array.from({ length: count }, () =>
        Link.open(bootstrap, (sinceMs, link) => this.#onAnswer(sinceMs, link), failed),
      );
      this.#links.push(...(await Promise.all(opening)));
    }
  }

  /** Fills every connection; each answer sends the next request. */
  saturate(): void {
    for (const link of this.#links) {
      for (let count = 0; count < this.#job.inFlightPerConnection; count++)
        this.#send(link, performance.now());
    }
  }

  /** One request that is due, on the next connection. */
  sendDue(dueMs: number): void {
    this.#send(this.#links[this.#next]!, dueMs);
    this.#next = (this.#next + 1) % this.#links.length;
  }

  /** @throws {Error} why the load cannot go on. */
  check(): void {
    if (this.#failure) throw this.#failure;
  }

  async finish(): Promise<void> {
    this.#isOver = true;
    while (this.#links.some(({ inFlight }) => inFlight > 0)) {
      this.check();
      await sleepMs(TICK_MS);
    }
    for (const link of this.#links) link.close();
  }

  #send(link: Link, sinceMs: number): void {
    link.send(this.#requests.next(), sinceMs);
  }

  #onAnswer(sinceMs: number, link: Link): void {
    const nowMs = performance.now();
    this.answered += 1;
    this.histogram.record(nowMs - sinceMs);
    if (this.#job.requestsPerS === undefined && !this.#isOver) this.#send(link, nowMs);
  }
}

export async function runKafkaLoad(job: KafkaLoadJob, context: JobContext): Promise<KafkaLoadResult> {
  const load = new Load(job);
  const openingMs = performance.now();
  await load.open();
  const openedMs = performance.now() - openingMs;
  const { requestsPerS } = job;
  const startedMs = performance.now();
  let sent = 0;
  const runFor = async (ms: number): Promise<void> => {
    const untilMs = performance.now() + ms;
    while (performance.now() < untilMs) {
      if (requestsPerS !== undefined) {
        const due = Math.floor(((performance.now() - startedMs) * requestsPerS) / 1000);
        while (sent < due) load.sendDue(startedMs + (sent++ / requestsPerS) * 1000);
      }
      load.check();
      await sleepMs(TICK_MS);
    }
  };
  if (requestsPerS === undefined) load.saturate();
  await runFor(job.warmupMs);
  load.histogram = new Histogram();
  context.begin();
  const [begunMs, before] = [performance.now(), load.answered];
  await runFor(job.measureMs);
  const [elapsedMs, requests] = [performance.now() - begunMs, load.answered - before];
  context.measured();
  const latency = load.histogram.summary();
  await load.finish();
  const records = requests * job.batchesPerRequest * job.recordsPerBatch;
  return { records, elapsedMs, requests, openedMs, latency };
}
