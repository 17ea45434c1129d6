/** Requests that keep the event loop busy, on a clock that goes on only with their work. */
import { type Clock, KiB } from '@millrace/core';
import { expect, test } from 'vitest';
import { RequestTurns, type TurnTaker } from './request-turns.ts';

/** Time passes by what is done; what is scheduled runs when the loop goes round. */
class Loop implements Clock {
  #nowMs = 0;
  #next: (() => void)[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#nowMs;
  }

  schedule(_delayMs: number, callback: () => void): { cancel: () => void } {
    this.#next.push(callback);
    return { cancel: () => undefined };
  }

  work(ms: number): void {
    this.#nowMs += ms;
  }

  goRound(): boolean {
    const due = this.#next;
    this.#next = [];
    for (const callback of due) callback();
    return due.length > 0;
  }
}

/** Has requests of 1 ms each. */
class Client implements TurnTaker {
  static #lastId = 0;
  readonly id = ++Client.#lastId;
  readonly done: number[] = [];
  #left: number;
  readonly #loop: Loop;
  readonly #turns: RequestTurns;

  constructor(loop: Loop, turns: RequestTurns, requests: number) {
    this.#loop = loop;
    this.#turns = turns;
    this.#left = requests;
  }

  proceed(): void {
    while (this.#left > 0 && this.#turns.mayBegin(this)) {
      this.done.push(this.#loop.nowMs());
      this.#loop.work(1);
      this.#left -= 1;
    }
  }
}

test('the loop goes round after 10 ms of requests, however many clients have more, and none is passed over', () => {
  const loop = new Loop();
  const turns = new RequestTurns(loop);
  const clients = Array.from({ length: 50 }, () => new Client(loop, turns, 2));
  for (const client of clients) client.proceed();
  const turnEnds = [loop.nowMs()];
  while (loop.goRound()) turnEnds.push(loop.nowMs());
  expect(turnEnds).toEqual([10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 100]);
  expect(clients.flatMap(({ done }) => done)).toEqual(Array.from({ length: 100 }, (_, ms) => ms));
});

test('one client with many requests takes turns with the others', () => {
  const loop = new Loop();
  const turns = new RequestTurns(loop);
  const [busy, other] = [new Client(loop, turns, 100), new Client(loop, turns, 1)];
  busy.proceed();
  other.proceed();
  while (loop.goRound());
  expect(busy.done).toHaveLength(100);
  expect(other.done).toEqual([20]);
});

test('a turn that ended early gives the next one its whole time', () => {
  const loop = new Loop();
  const turns = new RequestTurns(loop);
  new Client(loop, turns, 7).proceed();
  expect(loop.goRound()).toBe(true);
  loop.work(100);
  new Client(loop, turns, 9).proceed();
  expect(loop.nowMs()).toBe(116);
  expect([loop.goRound(), loop.goRound()]).toEqual([true, false]);
});

test('a connection with much to read is stopped after every 256 KiB while another is at work beside it', () => {
  const loop = new Loop();
  const turns = new RequestTurns(loop);
  const [producer, consumer] = [new Client(loop, turns, 0), new Client(loop, turns, 0)];
  const answers = (): boolean[] => Array.from({ length: 9 }, () => turns.mayReadOn(producer, 64 * KiB));
  const [on, stop] = [true, false];
  expect(answers()).toEqual([on, on, on, on, on, on, on, on, on]);
  expect(turns.mayReadOn(consumer, 100)).toBe(true);
  expect(answers()).toEqual([on, on, on, stop, on, on, on, stop, on]);
  loop.work(99);
  expect(turns.mayReadOn(consumer, 100)).toBe(true);
  expect(answers()).toEqual([on, on, on, stop, on, on, on, stop, on]);
  // The other has sent nothing in the meantime.
  loop.work(100);
  expect(answers()).toEqual([on, on, on, on, on, on, on, on, on]);
});
