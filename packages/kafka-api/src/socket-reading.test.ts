import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, Socket } from 'node:net';
import { Deferred } from '@millrace/core';
import { expect, onTestFinished, test } from 'vitest';
import { readSocket } from './socket-reading.ts';

/** Chunks as they came, and the memory that they lay in. */
class Received {
  readonly memories = new Set<ArrayBufferLike>();
  #bytes = Buffer.alloc(0);
  #awaited: { readonly bytes: number; readonly come: Deferred<void> } | undefined;

  readonly take = (chunk: Buffer): boolean => {
    this.memories.add(chunk.buffer);
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    if (this.#awaited !== undefined && this.#bytes.length >= this.#awaited.bytes)
      this.#awaited.come.resolve();
    return true;
  };

  /** All that has come once it is so many bytes. */
  async whole(bytes: number): Promise<Buffer> {
    this.#awaited = { bytes, come: new Deferred() };
    if (this.#bytes.length >= bytes) this.#awaited.come.resolve();
    await this.#awaited.come.promise;
    return this.#bytes;
  }
}

async function pair(
  server: Server,
  receive: (chunk: Buffer) => boolean,
): Promise<{ read: Socket; client: Socket }> {
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const client = connect((server.address() as AddressInfo).port);
  const [socket] = await accepted;
  onTestFinished(() => void client.destroy());
  return { read: readSocket(socket, receive), client };
}

async function serving(): Promise<Server> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }).listen(0);
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return server;
}

test('sockets of one process are read into the same memory, and each gets its own bytes', async () => {
  const server = await serving();
  const [a, b] = [new Received(), new Received()];
  const ofA = await pair(server, a.take);
  const ofB = await pair(server, b.take);
  const [toA, toB] = [Buffer.alloc(1_000_000, 'a'), Buffer.alloc(1_000_000, 'b')];
  ofA.client.write(toA);
  ofB.client.write(toB);
  expect((await a.whole(toA.length)).equals(toA)).toBe(true);
  expect((await b.whole(toB.length)).equals(toB)).toBe(true);
  expect(new Set([...a.memories, ...b.memories]).size).toBe(1);
});

test('a socket that is read stops and goes on, answers, and hears the end of its peer', async () => {
  const server = await serving();
  const received = new Received();
  const { read, client } = await pair(server, received.take);
  read.pause();
  client.write('held back');
  read.write('from here');
  expect(String((await once(client, 'data'))[0])).toBe('from here');
  expect((await received.whole(0)).length).toBe(0);
  read.resume();
  expect(String(await received.whole(9))).toBe('held back');
  client.end();
  await once(read, 'end');
  read.end();
  await once(client, 'end');
  // Nothing is left that keeps the server open.
  server.close();
  await once(server, 'close');
});

test('who gives way after a chunk gets the next one after the others, and all of it', async () => {
  const server = await serving();
  const [long, short] = [new Received(), new Received()];
  const order: string[] = [];
  const chunks = { sinceRound: 0, most: 0 };
  const ofLong = await pair(server, (chunk) => {
    order.push('long');
    chunks.most = Math.max(chunks.most, ++chunks.sinceRound);
    long.take(chunk);
    return false;
  });
  const ofShort = await pair(server, (chunk) => {
    order.push('short');
    return short.take(chunk);
  });
  // Both lie in the sockets before anything is read.
  ofLong.read.pause();
  ofShort.read.pause();
  const much = Buffer.alloc(1_000_000, 'long');
  ofLong.client.write(much);
  await new Promise((resolve) => ofShort.client.write('short', resolve));
  ofLong.read.resume();
  ofShort.read.resume();
  let isOver = false;
  const goRound = (): void => {
    chunks.sinceRound = 0;
    if (!isOver) setImmediate(goRound);
  };
  setImmediate(goRound);
  expect((await long.whole(much.length)).equals(much)).toBe(true);
  expect(String(await short.whole(5))).toBe('short');
  isOver = true;
  expect(order.indexOf('short')).toBeLessThan(3);
  expect(chunks.most).toBe(1);
});

test('who gives way and is stopped at the same time is not read until it is to go on', async () => {
  const server = await serving();
  const received = new Received();
  const stopped = new Deferred<void>();
  let goesOn = false;
  const { read, client } = await pair(server, (chunk) => {
    received.take(chunk);
    read.pause();
    stopped.resolve();
    if (goesOn) setImmediate(() => read.resume());
    return false;
  });
  const much = Buffer.alloc(1_000_000, 'x');
  client.write(much);
  await stopped.promise;
  const { length } = await received.whole(1);
  for (let rounds = 0; rounds < 10; rounds++) await new Promise((resolve) => setImmediate(resolve));
  expect((await received.whole(1)).length).toBe(length);
  goesOn = true;
  read.resume();
  expect((await received.whole(much.length)).equals(much)).toBe(true);
});

test('a socket that has nothing inside to be read by is read as usual', async () => {
  const plain = new Socket();
  const received = new Received();
  expect(readSocket(plain, received.take)).toBe(plain);
  plain.push('as usual');
  expect(String(await received.whole(8))).toBe('as usual');
  plain.destroy();
});
