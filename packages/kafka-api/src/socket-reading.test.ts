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

  readonly take = (chunk: Buffer): void => {
    this.memories.add(chunk.buffer);
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    if (this.#awaited !== undefined && this.#bytes.length >= this.#awaited.bytes)
      this.#awaited.come.resolve();
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
  receive: (chunk: Buffer) => void,
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

test('a socket that has nothing inside to be read by is read as usual', async () => {
  const plain = new Socket();
  const received = new Received();
  expect(readSocket(plain, received.take)).toBe(plain);
  plain.push('as usual');
  expect(String(await received.whole(8))).toBe('as usual');
  plain.destroy();
});
