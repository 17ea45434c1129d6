import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type Clock, Deferred, KiB, type Logger, ManualClock, MiB } from '@millrace/core';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { KafkaRequestHandler } from './connection/kafka-connection.ts';
import { type KafkaListenerConfig, kafkaConfig } from './kafka-config.ts';
import { KafkaListener, type KafkaListenerOptions } from './kafka-listener.ts';

const PRODUCE = 0;
const FETCH = 1;
const METADATA = 3;

interface Opened {
  readonly listener: KafkaListener;
  readonly port: number;
  readonly clock: ManualClock;
  /** The fields of every warning. */
  readonly warned: Record<string, unknown>[];
  dial(): Promise<Client>;
}

interface Client {
  readonly socket: Socket;
  /** Everything that came, as one buffer. */
  received(): Buffer;
  /** Resolves when that many bytes have come. */
  has(bytes: number): Promise<void>;
  readonly closed: Promise<unknown>;
}

function config(overrides: Partial<KafkaListenerConfig>): KafkaListenerConfig {
  return {
    ...kafkaConfig.parse({}),
    'socket.request.max.bytes': 100 * MiB,
    'queued.max.request.bytes': 64 * MiB,
    'max.connections': 1_000,
    'connections.max.idle.ms': 600_000,
    'connection.setup.timeout.ms': 10_000,
    ...overrides,
  };
}

function recordingLogger(warned: Record<string, unknown>[]): Logger {
  const ignore = (): void => undefined;
  const logger: Logger = {
    debug: ignore,
    info: ignore,
    warn: (fields) => void warned.push(fields as Record<string, unknown>),
    error: ignore,
    fatal: ignore,
    child: () => logger,
  };
  return logger;
}

async function open(
  handle: KafkaRequestHandler,
  overrides: Partial<KafkaListenerConfig> = {},
  options: Partial<KafkaListenerOptions> = {},
): Promise<Opened> {
  const clock = new ManualClock();
  const warned: Record<string, unknown>[] = [];
  const listener = new KafkaListener({
    listener: 'PLAINTEXT',
    config: config(overrides),
    handle,
    clock: clock as Clock,
    logger: recordingLogger(warned),
    ...options,
  });
  const port = await listener.listen('127.0.0.1', 0);
  onTestFinished(() => listener.close());
  return { listener, port, clock, warned, dial: () => dial(port) };
}

async function dial(port: number): Promise<Client> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  const chunks: Buffer[] = [];
  let bytes = 0;
  const waits: { bytes: number; done: () => void }[] = [];
  socket.on('data', (chunk) => {
    chunks.push(chunk);
    bytes += chunk.length;
    for (const wait of waits) if (bytes >= wait.bytes) wait.done();
  });
  return {
    socket,
    received: () => Buffer.concat(chunks),
    has: (wanted) => new Promise((done) => (bytes >= wanted ? done() : waits.push({ bytes: wanted, done }))),
    closed: new Promise((done) => socket.on('close', done)),
  };
}

function request(apiKey: number, body = ''): Buffer {
  const message = Buffer.alloc(12 + body.length);
  message.writeInt32BE(8 + body.length);
  message.writeInt16BE(apiKey, 4);
  message.write(body, 12);
  return message;
}

const bodyOf = (frame: Buffer): string => frame.subarray(8).toString();
const answerWith = (text: string): Buffer[] => [Buffer.from(text)];
const letters = (bytes: Buffer): string => bytes.toString('latin1').replace(/[^a-z]/g, '');
const echo: KafkaRequestHandler = async (frame) => answerWith(bodyOf(frame));

/** Requests that wait until the test answers them, by what they say. */
function held(): {
  handle: KafkaRequestHandler;
  begun: string[];
  answers: Map<string, Deferred<void>>;
  came(count: number): Promise<void>;
} {
  const begun: string[] = [];
  const answers = new Map<string, Deferred<void>>();
  const waits: { count: number; done: () => void }[] = [];
  return {
    begun,
    answers,
    handle: async (frame) => {
      const body = bodyOf(frame);
      const answer = new Deferred<void>();
      begun.push(body);
      answers.set(body, answer);
      for (const { count, done } of waits) if (begun.length >= count) done();
      await answer.promise;
      return answerWith(body);
    },
    came: (count) =>
      new Promise((done) => (begun.length >= count ? done() : void waits.push({ count, done }))),
  };
}

describe('clients that come early', () => {
  async function openShut(): Promise<{ listener: KafkaListener; port: number }> {
    const clock = new ManualClock();
    const listener = new KafkaListener({ listener: 'PLAINTEXT', config: config({}), handle: echo, clock });
    onTestFinished(() => listener.close());
    listener.setServing(false);
    return { listener, port: await listener.listen('127.0.0.1', 0) };
  }

  test('wait until there is somebody to serve them, and are served', async () => {
    const { listener, port } = await openShut();
    const client = await dial(port);
    client.socket.write(request(FETCH, 'early'));
    await dial(port);
    expect(listener.connections).toBe(0);
    listener.setServing(true);
    await client.has(9);
    expect(letters(client.received())).toBe('early');
  });

  test('are sent away once the listener closes, and later ones at once when it serves no more', async () => {
    const [closed, paused] = [await openShut(), await openShut()];
    const client = await dial(closed.port);
    closed.listener.close();
    await client.closed;
    paused.listener.setServing(true);
    paused.listener.setServing(false);
    await (await dial(paused.port)).closed;
  });
});

describe('requests of one connection', () => {
  test('all begin at once and are answered in their order', async () => {
    const requests = held();
    const { dial: dialIt } = await open(requests.handle);
    const client = await dialIt();
    client.socket.write(Buffer.concat([request(FETCH, 'a'), request(PRODUCE, 'b'), request(METADATA, 'c')]));
    await requests.came(3);
    expect(requests.begun).toEqual(['a', 'b', 'c']);
    for (const body of ['c', 'b', 'a']) requests.answers.get(body)!.resolve();
    await client.has(15);
    expect(client.received().toString('hex')).toBe('0000000161' + '0000000162' + '0000000163');
  });

  test('go on after one without an answer', async () => {
    const { dial: dialIt } = await open(async (frame) =>
      bodyOf(frame) === 'silent' ? undefined : answerWith(bodyOf(frame)),
    );
    const client = await dialIt();
    client.socket.write(Buffer.concat([request(PRODUCE, 'silent'), request(METADATA, 'heard')]));
    await client.has(9);
    expect(letters(client.received())).toBe('heard');
  });

  test('are handled to the last when the client ends after sending them', async () => {
    const { dial: dialIt, listener } = await open(echo);
    const client = await dialIt();
    client.socket.end(Buffer.concat([request(PRODUCE, 'a'), request(PRODUCE, 'b')]));
    await client.closed;
    expect(letters(client.received())).toBe('ab');
    expect(listener.connections).toBe(0);
  });

  test('end with the connection, and one log line, when one cannot be answered', async () => {
    const { dial: dialIt, warned } = await open(async () => {
      throw new Error('no such API');
    });
    const client = await dialIt();
    client.socket.write(request(999, 'a'));
    await client.closed;
    expect(warned).toMatchObject([{ event: 'kafka_request_failed', err: { message: 'no such API' } }]);
  });

  test('of which one is large pass whole, many megabytes both ways', async () => {
    const { dial: dialIt, listener } = await open(async (frame) => [Buffer.from('head'), frame.subarray(8)]);
    const client = await dialIt();
    const body = Buffer.alloc(20 * MiB, 'records ');
    const head = request(PRODUCE);
    head.writeInt32BE(8 + body.length);
    client.socket.write(head);
    client.socket.write(body);
    await client.has(8 + body.length);
    expect(client.received().subarray(8).equals(body)).toBe(true);
    expect([listener.requestBytes, listener.responseBytes]).toEqual([0, 0]);
  });
});

describe('a peer is cut off', () => {
  test.each([
    ['that speaks HTTP', Buffer.from('GET /metrics HTTP/1.1\r\n\r\n'), 'looks like HTTP (GET…)'],
    [
      'that speaks TLS',
      Buffer.from('16030100f1010000ed0303', 'hex'),
      'looks like TLS; this listener speaks plain text',
    ],
    ['that sends an impossible size', Buffer.from('ffffffff00', 'hex'), /a request of -1 bytes/],
  ])('%s, in one line that says what was seen', async (_what, bytes, reason) => {
    const { dial: dialIt, warned } = await open(echo);
    const [one, two] = [await dialIt(), await dialIt()];
    one.socket.write(bytes);
    await one.closed;
    two.socket.write(bytes);
    await two.closed;
    expect(warned).toEqual([
      expect.objectContaining({
        event: 'kafka_connection_cut_off',
        peer: expect.stringMatching(/^127\.0\.0\.1:\d+$/) as string,
        reason: typeof reason === 'string' ? reason : (expect.stringMatching(reason) as string),
      }),
    ]);
  });

  test('that sends nothing, or leaves a request half sent; others are not concerned', async () => {
    const { dial: dialIt, clock, warned, listener } = await open(echo);
    const [silent, half, fair] = [await dialIt(), await dialIt(), await dialIt()];
    half.socket.write(Buffer.concat([request(METADATA, 'a'), request(METADATA, 'b').subarray(0, 7)]));
    fair.socket.write(request(METADATA, 'c'));
    await Promise.all([half.has(5), fair.has(5)]);
    clock.advance(11_000);
    await silent.closed;
    clock.advance(20_000);
    await half.closed;
    expect(warned.map(({ reason }) => reason)).toEqual([
      'sent no request within 10000 ms',
      'left a request half sent for 30000 ms',
    ]);
    expect(listener.connections).toBe(1);
    clock.advance(600_000);
    await fair.closed;
    expect(warned).toHaveLength(2);
  });

  test('that does not read, with bounded memory until then', async () => {
    const answer = Buffer.alloc(1 * MiB);
    let handled = 0;
    const {
      dial: dialIt,
      clock,
      listener,
      warned,
    } = await open(async () => {
      handled += 1;
      return [answer];
    });
    const client = await dialIt();
    client.socket.pause();
    for (let i = 0; i < 500; i++) client.socket.write(request(METADATA, 'a'));
    // The kernel's buffers take some megabytes; then nothing moves any more.
    let settled = -1;
    while (settled !== handled || listener.responseBytes < 4 * MiB) {
      settled = handled;
      await new Promise((resolve) => setImmediate(resolve));
    }
    // What the kernel took, what fits into the limit, and what was in hand when it was reached.
    expect(handled).toBeLessThan(100);
    expect(listener.responseBytes).toBeLessThan(4 * MiB + 17 * MiB);
    clock.advance(31_000);
    expect(listener.connections).toBe(0);
    expect(listener.responseBytes).toBe(0);
    expect(warned).toMatchObject([{ reason: 'took nothing of its answers for 30000 ms' }]);
    client.socket.resume();
    await client.closed;
  });

  test('that opens more connections than allowed', async () => {
    const { dial: dialIt, listener, warned } = await open(echo, { 'max.connections.per.ip': 2 });
    const first = [await dialIt(), await dialIt()];
    const third = await dialIt();
    await third.closed;
    expect(listener.connections).toBe(2);
    expect(warned).toMatchObject([
      { event: 'kafka_connections_refused', reason: 'max.connections.per.ip is 2', peer: '127.0.0.1' },
    ]);
    first[0]!.socket.destroy();
    await first[0]!.closed;
    first[1]!.socket.write(request(METADATA, 'a'));
    await first[1]!.has(5);
    const again = await dialIt();
    again.socket.write(request(METADATA, 'b'));
    await again.has(5);
  });
});

describe('reading stops', () => {
  test('while the broker has no room for producers, and goes on when it has', async () => {
    const room = new Deferred<void>();
    let isFull = true;
    const requests = held();
    const { dial: dialIt } = await open(
      requests.handle,
      {},
      {
        produceRoom: () => (isFull ? room.promise : undefined),
      },
    );
    const [producer, other] = [await dialIt(), await dialIt()];
    producer.socket.write(
      Buffer.concat([request(METADATA, 'a'), request(PRODUCE, 'b'), request(METADATA, 'c')]),
    );
    await requests.came(1);
    other.socket.write(request(FETCH, 'd'));
    await requests.came(2);
    expect(requests.begun).toEqual(['a', 'd']);
    isFull = false;
    room.resolve();
    await requests.came(4);
    expect(requests.begun).toEqual(['a', 'd', 'b', 'c']);
  });

  test('for large requests while those in hand take all the room, and goes on when they are answered; small ones go on', async () => {
    const requests = held();
    const { dial: dialIt, listener } = await open(requests.handle, { 'queued.max.request.bytes': 64 * KiB });
    const [large, small] = [await dialIt(), await dialIt()];
    const body = 'x'.repeat(100 * KiB);
    large.socket.write(request(PRODUCE, body));
    await requests.came(1);
    expect(listener.requestBytes).toBeGreaterThan(100 * KiB);
    small.socket.write(request(METADATA, 'a'));
    small.socket.write(request(METADATA, 'b'));
    await requests.came(3);
    large.socket.write(request(METADATA, 'c'));
    requests.answers.get(body)!.resolve();
    await requests.came(4);
    await large.has(body.length);
    requests.answers.get('c')!.resolve();
    requests.answers.get('a')!.resolve();
    requests.answers.get('b')!.resolve();
    await small.has(10);
    expect(listener.requestBytes).toBe(0);
  });
});

describe('large requests that come slowly', () => {
  /** A request in two parts. */
  function parted(bytes: number, left: number): [Buffer, Buffer] {
    const whole = request(PRODUCE, 'x'.repeat(bytes));
    return [whole.subarray(0, whole.length - left), whole.subarray(whole.length - left)];
  }

  async function until(isTrue: () => boolean): Promise<void> {
    while (!isTrue()) await new Promise((resolve) => setImmediate(resolve));
  }

  test('and never end hold nobody back, and are cut off for it', async () => {
    const opened = await open(echo, { 'queued.max.request.bytes': 1 * MiB });
    const { listener, clock, warned } = opened;
    const stalling = await Promise.all(Array.from({ length: 8 }, opened.dial));
    for (const { socket } of stalling) socket.write(request(METADATA, 'a'));
    await Promise.all(stalling.map((client) => client.has(5)));
    for (const { socket } of stalling) socket.write(parted(1 * MiB, 100 * KiB)[0]);
    await until(() => listener.requestBytes >= 2 * MiB);
    const [small, ordinary] = [await opened.dial(), await opened.dial()];
    small.socket.write(request(METADATA, 'b'));
    await small.has(5);
    // The first request of a connection, and more of it than is free of the room.
    ordinary.socket.write(request(PRODUCE, 'c'.repeat(16 * KiB)));
    await ordinary.has(16 * KiB);
    let waitedMs = 0;
    for (; listener.connections > 2; waitedMs += 10_000) {
      clock.advance(10_000);
      for (let i = 0; i < 100; i++) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(waitedMs).toBeLessThanOrEqual(80_000);
    expect(warned[0]).toMatchObject({
      event: 'kafka_connection_cut_off',
      reason: 'left a request half sent for 10000 ms',
    });
    expect(listener.requestBytes).toBe(0);
  });

  test('all come whole, though they do not fit in together; nobody is cut off for waiting', async () => {
    const opened = await open(echo, { 'queued.max.request.bytes': 1 * MiB });
    const uploads = await Promise.all(Array.from({ length: 12 }, opened.dial));
    const parts = parted(1 * MiB, 300 * KiB);
    for (const { socket } of uploads) socket.write(parts[0]);
    await until(() => opened.listener.requestBytes >= 2 * MiB);
    opened.clock.advance(9_000);
    for (const { socket } of uploads) socket.write(parts[1]);
    await Promise.all(uploads.map((client) => client.has(1 * MiB)));
    expect(opened.warned).toEqual([]);
    await until(() => opened.listener.requestBytes === 0);
  });
});

describe('clients that do not read large answers', () => {
  test('hold back nobody else, and their answers stay in bounds', async () => {
    const [wanted, max, readers] = [2 * MiB, 4 * MiB, 12];
    let handled = 0;
    const { dial: dialIt, listener } = await open(
      async (frame, connection) => {
        handled += 1;
        const bytes = bodyOf(frame) === 'all' ? wanted : 1 * KiB;
        return [Buffer.alloc(connection.reserveAnswer!(bytes), 'x')];
      },
      { 'queued.max.response.bytes': max, 'queued.max.response.bytes.per.connection': 256 * KiB },
    );
    for (let i = 0; i < readers; i++) {
      const { socket } = await dialIt();
      socket.pause();
      for (let j = 0; j < 100; j++) socket.write(request(FETCH, 'all'));
    }
    // The kernel takes some megabytes of each; then nothing moves any more.
    for (let settled = -1, rounds = 0; rounds < 20; rounds = settled === handled ? rounds + 1 : 0) {
      settled = handled;
      for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(listener.responseBytes).toBeGreaterThan(max / 2);
    expect(listener.responseBytes).toBeLessThan(max + readers * 320 * KiB);
    const tail = await dialIt();
    for (let i = 1; i <= 3; i++) {
      tail.socket.write(request(FETCH, 'tail'));
      await tail.has(i * (4 + 1 * KiB));
    }
  });
});

describe('draining', () => {
  test('lets answers in the making go out, begins nothing new and takes no connection', async () => {
    const requests = held();
    const { dial: dialIt, listener, port } = await open(requests.handle);
    const client = await dialIt();
    client.socket.write(request(FETCH, 'a'));
    await requests.came(1);
    const drained = listener.drain(5_000);
    client.socket.write(request(METADATA, 'b'));
    await expect(once(connect(port, '127.0.0.1'), 'connect')).rejects.toThrow('ECONNREFUSED');
    requests.answers.get('a')!.resolve();
    await client.closed;
    await drained;
    expect(requests.begun).toEqual(['a']);
    expect(letters(client.received())).toBe('a');
  });

  test('ends what is not finished in time, and tells its handlers', async () => {
    const aborted = new Deferred<void>();
    const requests = held();
    const {
      dial: dialIt,
      listener,
      clock,
    } = await open((frame, connection, memory) => {
      connection.signal.addEventListener('abort', () => aborted.resolve());
      return requests.handle(frame, connection, memory);
    });
    const client = await dialIt();
    client.socket.write(request(FETCH, 'a'));
    await requests.came(1);
    const drained = listener.drain(5_000);
    clock.advance(5_000);
    await Promise.all([drained, aborted.promise, client.closed]);
    expect(listener.connections).toBe(0);
  });
});

test('a port in use is named', async () => {
  const { port } = await open(echo);
  const other = new KafkaListener({
    listener: 'A',
    config: config({}),
    handle: echo,
    clock: new ManualClock(),
  });
  await expect(other.listen('127.0.0.1', port)).rejects.toMatchObject({ code: 'ADDRESS_IN_USE' });
});
