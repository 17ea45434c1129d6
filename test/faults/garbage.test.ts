/** What strangers send to the port ends their own connection and nothing else. */
import { connect, type Socket } from 'node:net';
import { SeededRandom } from '@millrace/core';
import { expect, test } from 'vitest';
import { ClusterProcesses } from '../cluster/cluster-processes.ts';

const CONNECTIONS = 1000;

async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  return socket;
}

function closed(socket: Socket): Promise<void> {
  socket.resume();
  return new Promise((resolve) => (socket.closed ? resolve() : socket.once('close', () => resolve())));
}

function randomBytes(random: SeededRandom, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => random.uint32() & 255));
}

test('random bytes, half a preface and an endless frame are cut off while the node serves', async () => {
  await using cluster = await ClusterProcesses.start({ nodes: 1 });
  const { port, pid } = cluster.node(1);
  const random = new SeededRandom(7);
  const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  const hugeFrame = Buffer.concat([
    preface,
    Buffer.from([0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1]),
    randomBytes(random, 4096),
  ]);
  const sockets: Socket[] = [];
  for (let round = 0; round < 50; round++) {
    const socket = await open(port);
    socket.write(
      [randomBytes(random, 1 + (random.uint32() % 9000)), hugeFrame, preface.subarray(0, 10)][round % 3]!,
    );
    sockets.push(socket);
  }
  await Promise.all(sockets.filter((_, round) => round % 3 !== 2).map(closed));
  expect((await cluster.command('cluster', 'health')).exitCode).toBe(0);
  expect(cluster.node(1).pid).toBe(pid);
  for (const socket of sockets) socket.destroy();
});

test(`${CONNECTIONS} idle connections do not keep anybody from being served`, async () => {
  await using cluster = await ClusterProcesses.start({ nodes: 1 });
  const sockets: Socket[] = [];
  for (let number = 0; number < CONNECTIONS; number++) sockets.push(await open(cluster.node(1).port));
  expect((await cluster.command('topic', 'create', 'busy', '-p', '1', '-r', '1')).exitCode).toBe(0);
  expect((await cluster.command('topic', 'list')).stdout).toContain('busy');
  for (const socket of sockets) socket.destroy();
  expect((await cluster.command('cluster', 'health')).exitCode).toBe(0);
});
