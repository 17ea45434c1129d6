/** Clients of one process, real sockets: nobody's records keep the requests of others out. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { KiB, ManualClock, MiB } from '@millrace/core';
import { expect, onTestFinished, test } from 'vitest';
import { RequestTurns } from './connection/request-turns.ts';
import { type KafkaListenerConfig, kafkaConfig } from './kafka-config.ts';
import { KafkaListener } from './kafka-listener.ts';

const RECORDS = 0;
const QUESTION = 3;
const ANSWER_BYTES = 8;

const config: KafkaListenerConfig = {
  ...kafkaConfig.parse({}),
  'socket.request.max.bytes': 100 * MiB,
  'queued.max.request.bytes': 64 * MiB,
  'max.connections': 10,
  'connections.max.idle.ms': 600_000,
  'connection.setup.timeout.ms': 10_000,
};

function request(apiKey: number, bytes: number): Buffer {
  const message = Buffer.alloc(4 + bytes);
  message.writeInt32BE(bytes);
  message.writeInt16BE(apiKey, 4);
  return message;
}

/** Answers to each socket, as many as are awaited. */
async function answers(socket: Socket, count: number): Promise<void> {
  for (let bytes = 0; bytes < count * ANSWER_BYTES; ) {
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    bytes += chunk.length;
  }
}

/** How many bytes of records began between two rounds of the event loop, at most. */
class Rounds {
  mostBytes = 0;
  #bytes = 0;
  #isOver = false;

  readonly handle = async (frame: Buffer): Promise<Buffer[]> => {
    if (frame.readInt16BE(0) === RECORDS) this.#bytes += frame.length;
    return [Buffer.alloc(ANSWER_BYTES - 4)];
  };

  begin(): void {
    this.mostBytes = Math.max(this.mostBytes, this.#bytes);
    this.#bytes = 0;
    if (!this.#isOver) setImmediate(() => this.begin());
  }

  end(): void {
    this.#isOver = true;
  }
}

async function dial(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}

test('a producer with megabytes to send gives way to clients of every listener after 256 KiB', async () => {
  const clock = new ManualClock();
  const turns = new RequestTurns(clock);
  const rounds = new Rounds();
  const ports: number[] = [];
  for (const listener of ['INTERNAL', 'EXTERNAL']) {
    const { handle } = rounds;
    const opened = new KafkaListener({ listener, config, handle, turns, clock });
    onTestFinished(() => opened.close());
    ports.push(await opened.listen('127.0.0.1', 0));
  }
  const [producer, other] = [await dial(ports[0]!), await dial(ports[1]!)];
  for (const socket of [producer, other, producer]) {
    socket.write(request(QUESTION, 100));
    await answers(socket, 1);
  }
  rounds.begin();
  onTestFinished(() => rounds.end());
  const count = (4 * MiB) / (32 * KiB);
  producer.write(Buffer.concat(Array.from({ length: count }, () => request(RECORDS, 32 * KiB))));
  await answers(producer, count);
  // Frames that were half here before it gave way come on top.
  expect(rounds.mostBytes).toBeGreaterThan(0);
  expect(rounds.mostBytes).toBeLessThanOrEqual((256 + 64 + 32) * KiB);
});
