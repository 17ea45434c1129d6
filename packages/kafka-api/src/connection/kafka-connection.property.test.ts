/** Several connections that share little room, with clients, handlers and a network that act in any order. */
import { BufferPool, ManualClock, silentLogger } from '@millrace/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ConnectionLimits } from './connection-state.ts';
import {
  type ByteStream,
  type ConnectionShare,
  KafkaConnection,
  type RequestMemory,
} from './kafka-connection.ts';
import { RequestRoom } from './request-room-state.ts';
import { RequestTurns } from './request-turns.ts';
import { ThrottledLog } from './throttled-log.ts';

const LIMITS: ConnectionLimits = {
  requestMaxBytes: 10_000,
  requestsInHandMax: 5,
  requestBytesInHandMax: 300,
  responseBytesMax: 200,
  firstRequestTimeoutMs: 1_000,
  receiveTimeoutMs: 1_000,
  sendTimeoutMs: 1_000,
  idleMaxMs: 1_000,
};
const ROOM = { requestBytesMax: 150, requestBytesFree: 40, responseBytesMax: 300, responseBytesFree: 50 };
const API_KEYS = [0, 1, 3];

/** One client and its connection. */
class Peer implements ByteStream {
  readonly connection: KafkaConnection;
  isPaused = false;
  isEnded = false;
  /** Not sent yet. */
  outbox: Buffer;
  readonly got: Buffer[] = [];
  readonly unfinishedWrites: (() => void)[] = [];
  #corked: (() => void)[] | undefined;

  constructor(outbox: Buffer, connect: (stream: ByteStream) => KafkaConnection) {
    this.outbox = outbox;
    this.connection = connect(this);
  }

  write(bytes: Buffer, done?: () => void): boolean {
    this.got.push(bytes);
    if (done !== undefined) this.#corked?.push(done);
    return true;
  }

  cork(): void {
    this.#corked = [];
  }

  uncork(): void {
    this.unfinishedWrites.push(...(this.#corked ?? []));
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  end(): void {
    this.isEnded = true;
  }

  destroy(): void {
    this.isEnded = true;
  }
}

interface Sent {
  readonly kind: number;
  readonly bytes: number;
  /** Of the answer; null for none. */
  readonly answerBytes: number | null;
}

const sent = fc.record({
  kind: fc.nat(2),
  bytes: fc.integer({ min: 12, max: 400 }),
  answerBytes: fc.option(fc.integer({ min: 8, max: 900 }), { freq: 4 }),
});

/** A request carries its number, and so does its answer. */
function messageOf({ kind, bytes }: Sent, number: number): Buffer {
  const message = Buffer.alloc(4 + bytes);
  message.writeInt32BE(bytes);
  message.writeInt16BE(API_KEYS[kind]!, 4);
  message.writeInt32BE(number, 12);
  return message;
}

function answerOf({ answerBytes }: Sent, number: number): Buffer[] | undefined {
  if (answerBytes === null) return undefined;
  const head = Buffer.alloc(8);
  head.writeInt32BE(number);
  return [head, Buffer.alloc(answerBytes - 8, number)];
}

test('every request is handled and answered in order, nothing stalls, and nothing is held in the end', async () => {
  const clients = fc.array(fc.array(sent, { maxLength: 25 }), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(clients, fc.infiniteStream(fc.nat()), async (all, dice) => {
      const roll = (below: number): number => dice.next().value! % below;
      const clock = new ManualClock();
      const room = new RequestRoom<ConnectionShare>(ROOM);
      const deferred: (() => void)[] = [];
      const answers: (() => void)[] = [];
      const begun: number[][] = all.map(() => []);
      let isRoomCheckDue = false;
      let producersGo: (() => void) | undefined;
      const buffers = new BufferPool({ bytesMax: 1 << 20 });
      let busyMs = 0;
      const nextRound: (() => void)[] = [];
      const turns = new RequestTurns({
        nowMs: () => busyMs,
        wallMs: () => busyMs,
        schedule: (_delayMs, callback) => {
          nextRound.push(callback);
          return { cancel: () => undefined };
        },
      });

      const peers = all.map((requests, index) => {
        const handle = (frame: Buffer, _facts: unknown, { release, reuse }: RequestMemory) => {
          const number = frame.readInt32BE(8);
          begun[index]!.push(number);
          busyMs += roll(12);
          [release, reuse, () => undefined][roll(3)]!();
          return new Promise<Buffer[] | undefined>((resolve) => {
            answers.push(() => resolve(answerOf(requests[number]!, number)));
          });
        };
        const facts = { id: index, listener: '', peerHost: '', peerPort: 0 };
        const outbox = Buffer.concat(requests.map(messageOf));
        return new Peer(outbox, (stream) => {
          return new KafkaConnection(stream, facts, LIMITS, {
            handle,
            produceRoom: () => {
              if (roll(8) > 0) return undefined;
              return new Promise((resolve) => {
                const others = producersGo;
                producersGo = () => {
                  others?.();
                  resolve();
                };
              });
            },
            buffers,
            room,
            turns,
            roomChanged: () => {
              isRoomCheckDue = true;
            },
            closed: () => undefined,
            clock,
            logger: silentLogger,
            log: new ThrottledLog(silentLogger, clock),
            defer: (callback) => deferred.push(callback),
          });
        });
      });

      // Whatever may happen next, one of it does, until nothing is left that could.
      for (;;) {
        const moves: (() => void)[] = [];
        for (const peer of peers) {
          if (!peer.isPaused && peer.outbox.length > 0) {
            moves.push(() => {
              const chunk = peer.outbox.subarray(0, 1 + roll(700));
              peer.outbox = peer.outbox.subarray(chunk.length);
              peer.connection.receive(Buffer.from(chunk));
            });
          }
          if (peer.unfinishedWrites.length > 0) moves.push(() => peer.unfinishedWrites.shift()!());
        }
        if (answers.length > 0) moves.push(() => answers.splice(roll(answers.length), 1)[0]!());
        if (nextRound.length > 0) moves.push(() => nextRound.shift()!());
        if (deferred.length > 0) moves.push(() => deferred.shift()!());
        if (isRoomCheckDue) {
          moves.push(() => {
            isRoomCheckDue = false;
            for (const { connection } of room.takeHeldBack()) connection.proceed();
          });
        }
        if (producersGo !== undefined) {
          moves.push(() => {
            const go = producersGo!;
            producersGo = undefined;
            go();
          });
        }
        if (moves.length === 0) break;
        moves[roll(moves.length)]!();
        // Promises settled by that are heard of before anything else happens.
        for (let i = 0; i < 5; i++) await Promise.resolve();
      }

      all.forEach((requests, index) => {
        const peer = peers[index]!;
        expect(begun[index]).toEqual(requests.map((_, number) => number));
        const expected = requests.flatMap((request, number) => {
          const answer = answerOf(request, number);
          if (answer === undefined) return [];
          const size = Buffer.alloc(4);
          size.writeInt32BE(request.answerBytes!);
          return [size, ...answer];
        });
        expect(Buffer.concat(peer.got).equals(Buffer.concat(expected))).toBe(true);
        expect([peer.isEnded, peer.isPaused]).toEqual([false, false]);
      });
      expect([room.requestBytes, room.responseBytes]).toEqual([0, 0]);
    }),
    { numRuns: 300 },
  );
});
