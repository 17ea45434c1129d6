/** Waiting writes are answered in order of offset, once each. */
import { expect, test } from 'vitest';
import { type AckListener, AckQueue } from './ack-queue.ts';
import { type Failure, failure } from './failure.ts';

class Listener implements AckListener {
  isSettled = false;
  readonly heard: [number, Failure | undefined][] = [];
  acknowledged(index: number, fault: Failure | undefined): void {
    this.heard.push([index, fault]);
  }
}

test('the watermark answers exactly what it covers', () => {
  const queue = new AckQueue();
  const listener = new Listener();
  queue.wait(5, listener, 0);
  queue.wait(9, listener, 1);
  queue.complete(8, undefined);
  expect(listener.heard).toEqual([[0, undefined]]);
  queue.complete(9, undefined);
  expect(listener.heard.map(([index]) => index)).toEqual([0, 1]);
  expect(queue.size).toBe(0);
});

test('a duplicate of an older write does not wait behind newer ones', () => {
  const queue = new AckQueue();
  const listener = new Listener();
  queue.wait(10, listener, 0);
  queue.wait(4, listener, 1);
  queue.complete(4, undefined);
  expect(listener.heard.map(([index]) => index)).toEqual([1]);
});

test('a lost leadership fails everybody who waits', () => {
  const queue = new AckQueue();
  const listener = new Listener();
  for (let i = 0; i < 200; i++) queue.wait(i + 1, listener, i);
  queue.complete(150, undefined);
  queue.failAll(failure('NOT_LEADER_OR_FOLLOWER'));
  expect(listener.heard).toHaveLength(200);
  expect(listener.heard.slice(150).every(([, fault]) => fault?.code === 'NOT_LEADER_OR_FOLLOWER')).toBe(true);
});

test('who has been answered by a deadline is forgotten', () => {
  const queue = new AckQueue();
  const [gone, stays] = [new Listener(), new Listener()];
  queue.wait(1, gone, 0);
  queue.wait(2, stays, 0);
  gone.isSettled = true;
  queue.forgetSettled();
  expect(queue.size).toBe(1);
  queue.complete(2, undefined);
  expect(gone.heard).toEqual([]);
  expect(stays.heard).toHaveLength(1);
});
