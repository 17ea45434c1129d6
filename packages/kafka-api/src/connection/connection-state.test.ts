import { BufferPool } from '@millrace/core';
import { describe, expect, test } from 'vitest';
import { type ConnectionLimits, ConnectionState } from './connection-state.ts';

const LIMITS: ConnectionLimits = {
  requestMaxBytes: 1_000_000,
  requestsInHandMax: 4,
  requestBytesInHandMax: 2_000,
  responseBytesMax: 1_000,
  firstRequestTimeoutMs: 100,
  receiveTimeoutMs: 200,
  sendTimeoutMs: 300,
  idleMaxMs: 1_000,
};

const PRODUCE = 0;
const FETCH = 1;
const METADATA = 3;

function request(apiKey: number, bytes = 20): Buffer {
  const message = Buffer.alloc(4 + bytes);
  message.writeInt32BE(bytes);
  message.writeInt16BE(apiKey, 4);
  return message;
}

function opened(limits: Partial<ConnectionLimits> = {}): ConnectionState {
  return new ConnectionState({ ...LIMITS, ...limits }, 0, new BufferPool({ bytesMax: 0 }));
}

function begunAll(state: ConnectionState): ReturnType<ConnectionState['begin']>[] {
  const begun = [];
  while (state.next !== undefined) begun.push(state.begin());
  return begun;
}

function output(state: ConnectionState): string {
  const text = Buffer.concat(state.takeOutput(1_000_000, 0)).toString('latin1');
  if (text !== '') state.written(0);
  return text.replace(/[^a-z]/g, '');
}

describe('the order of requests', () => {
  test('is that of arrival; the answer to a later one waits for those before it', () => {
    const state = opened();
    state.receive(Buffer.concat([request(PRODUCE), request(FETCH), request(METADATA)]), 0);
    const [produce, fetch, metadata] = begunAll(state);
    state.answer(metadata!, [Buffer.from('c')], 0);
    expect(output(state)).toBe('');
    state.answer(produce!, [Buffer.from('a')], 0);
    expect(output(state)).toBe('a');
    state.answer(fetch!, [Buffer.from('b')], 0);
    expect(output(state)).toBe('bc');
  });

  test('goes on over a request without an answer', () => {
    const state = opened();
    state.receive(Buffer.concat([request(PRODUCE), request(METADATA)]), 0);
    const [first, second] = begunAll(state);
    state.answer(second!, [Buffer.from('b')], 0);
    state.answer(first!, undefined, 0);
    expect(output(state)).toBe('b');
  });

  test('lets one fetch wait for the answer of the one before, and all behind it', () => {
    const state = opened();
    state.receive(Buffer.concat([request(FETCH), request(METADATA), request(FETCH), request(METADATA)]), 0);
    const [fetch, ...others] = begunAll(state);
    expect(others).toHaveLength(1);
    state.answer(fetch!, [Buffer.from('a')], 0);
    expect(begunAll(state)).toHaveLength(2);
  });
});

describe('reading stops', () => {
  test('while as many requests as allowed are in hand', () => {
    const state = opened();
    state.receive(Buffer.concat(Array.from({ length: 5 }, () => request(METADATA))), 0);
    const begun = begunAll(state);
    expect(begun).toHaveLength(4);
    expect(state.wantsInput).toBe(false);
    state.answer(begun[0]!, [Buffer.from('a')], 0);
    begunAll(state);
    expect(state.wantsInput).toBe(false);
    state.answer(begun[1]!, undefined, 0);
    expect(state.wantsInput).toBe(true);
  });

  test('after sixteen requests with answers of unknown size; produces are small and go on', () => {
    const state = opened({ requestsInHandMax: 100, requestBytesInHandMax: 1_000_000 });
    state.receive(Buffer.concat(Array.from({ length: 20 }, () => request(PRODUCE))), 0);
    expect(begunAll(state)).toHaveLength(20);
    expect(state.wantsInput).toBe(true);
    state.receive(Buffer.concat(Array.from({ length: 20 }, () => request(METADATA))), 0);
    expect(begunAll(state)).toHaveLength(16);
    expect(state.wantsInput).toBe(false);
  });

  test('while as many bytes as allowed are in hand, unless the handler gives them back', () => {
    const state = opened();
    state.receive(request(PRODUCE, 3_000), 0);
    const [produce] = begunAll(state);
    expect(state.wantsInput).toBe(false);
    expect(state.requestBytes).toBe(3_000);
    state.release(produce!);
    expect(state.wantsInput).toBe(true);
    expect(state.requestBytes).toBe(0);
    state.answer(produce!, undefined, 0);
    expect(state.requestBytes).toBe(0);
  });

  test('and nothing begins while the peer does not take its answers', () => {
    const state = opened();
    state.receive(Buffer.concat([request(METADATA), request(METADATA)]), 0);
    state.answer(state.begin(), [Buffer.alloc(1_000)], 0);
    expect(state.next).toBeUndefined();
    expect(state.wantsInput).toBe(false);
    state.takeOutput(2_000, 0);
    expect(state.next).toBeUndefined();
    state.written(0);
    expect(begunAll(state)).toHaveLength(1);
    expect(state.wantsInput).toBe(true);
  });
});

describe('time', () => {
  test('runs out for a peer that says nothing, or not enough', () => {
    const state = opened();
    expect(state.overdue(99)).toBeUndefined();
    expect(state.overdue(100)?.reason).toBe('sent no request within 100 ms');
    state.receive(Buffer.from([0, 0, 1]), 99);
    expect(state.overdue(101)?.reason).toBe('left a request half sent for 100 ms');
  });

  test('runs out for a request that is left half sent, byte by byte or not', () => {
    const state = opened();
    state.receive(request(METADATA), 50);
    begunAll(state);
    const slow = request(PRODUCE, 100);
    for (let i = 0; i < 50; i++) state.receive(slow.subarray(i, i + 1), 60 + i);
    expect(state.overdue(60 + 199)).toBeUndefined();
    expect(state.overdue(60 + 206)).toEqual({
      reason: 'left a request half sent for 200 ms',
      isFault: true,
    });
  });

  test('does not run out for a large request that comes at a fair speed', () => {
    const state = opened();
    const large = request(PRODUCE, 1_000_000);
    for (let at = 0, nowMs = 0; at < large.length; at += 1_000, nowMs += 90) {
      state.receive(large.subarray(at, at + 1_000), nowMs);
      expect(state.overdue(nowMs + 90)).toBeUndefined();
    }
    expect(begunAll(state)).toHaveLength(1);
  });

  test('runs out for a request that stalls, however much of it came and however fast', () => {
    const state = opened();
    state.receive(request(METADATA), 0);
    begunAll(state);
    const large = request(PRODUCE, 1_000_000);
    state.receive(large.subarray(0, 900_000), 50);
    expect(state.overdue(50 + 199)).toBeUndefined();
    expect(state.overdue(50 + 200)?.reason).toBe('left a request half sent for 200 ms');
  });

  test('runs out sooner for a request that stalls and is in the way of others', () => {
    const state = opened({ receiveTimeoutMs: 30_000, idleMaxMs: 100_000 });
    state.receive(request(METADATA), 0);
    begunAll(state);
    state.receive(request(PRODUCE, 1_000_000).subarray(0, 900_000), 0);
    expect(state.overdue(9_999, true)).toBeUndefined();
    expect(state.overdue(10_000, false)).toBeUndefined();
    expect(state.overdue(10_000, true)?.reason).toBe('left a request half sent for 10000 ms');
  });

  test('stands still while nothing is read', () => {
    const state = opened();
    state.receive(request(METADATA).subarray(0, 10), 50);
    state.setReading(false, 60);
    expect(state.overdue(1_000)).toBeUndefined();
    state.setReading(true, 1_000);
    expect(state.overdue(1_030)).toBeUndefined();
    expect(state.overdue(1_050)).toBeDefined();
  });

  test('runs out for a peer that does not read', () => {
    const state = opened();
    state.receive(request(METADATA), 0);
    state.answer(state.begin(), [Buffer.alloc(100)], 0);
    state.takeOutput(1_000, 10);
    expect(state.overdue(309)).toBeUndefined();
    expect(state.overdue(310)).toEqual({ reason: 'took nothing of its answers for 300 ms', isFault: true });
  });

  test('runs out for an idle connection, but not while it waits for an answer', () => {
    const state = opened();
    state.receive(request(FETCH), 0);
    const [fetch] = begunAll(state);
    expect(state.overdue(5_000)).toBeUndefined();
    state.answer(fetch!, undefined, 5_000);
    expect(state.overdue(5_999)).toBeUndefined();
    expect(state.overdue(6_000)).toEqual({ reason: 'was idle for 1000 ms', isFault: false });
  });
});

describe('the end', () => {
  test('comes when the peer has ended and everything it sent is handled', () => {
    const state = opened();
    state.receive(request(PRODUCE), 0);
    state.peerEnded(0);
    expect(state.isFinished).toBe(false);
    const [produce] = begunAll(state);
    expect(state.isFinished).toBe(false);
    state.answer(produce!, [Buffer.from('a')], 0);
    expect(state.isFinished).toBe(false);
    output(state);
    expect(state.isFinished).toBe(true);
  });

  test('comes, when drained, once what is in hand is answered', () => {
    const state = opened({ requestsInHandMax: 1 });
    state.receive(Buffer.concat([request(METADATA), request(METADATA)]), 0);
    const [first] = begunAll(state);
    state.drain();
    state.answer(first!, [Buffer.from('a')], 0);
    expect(state.next).toBeUndefined();
    expect(output(state)).toBe('a');
    expect(state.isFinished).toBe(true);
  });
});

test('a request whose memory is used again counts until it is answered, one that is released does not', () => {
  const buffers = new BufferPool({ bytesMax: 1_000_000 });
  const state = new ConnectionState({ ...LIMITS, requestBytesInHandMax: 100_000 }, 0, buffers);
  state.receive(request(PRODUCE, 20_000), 0);
  const produce = state.begin();
  state.reuse(produce);
  expect(buffers.idleBytes).toBe(32_768);
  expect(state.requestBytes).toBe(32_768);
  state.receive(request(FETCH, 20_000), 0);
  const fetch = state.begin();
  // It came in the same memory.
  expect(buffers.idleBytes).toBe(0);
  state.release(fetch);
  expect(state.requestBytes).toBe(32_768);
  state.answer(produce, [Buffer.alloc(8)], 0);
  expect(state.requestBytes).toBe(0);
  // A handler that says nothing may have kept some of it.
  state.receive(request(METADATA, 20_000), 0);
  state.answer(state.begin(), [Buffer.alloc(8)], 0);
  expect(buffers.idleBytes).toBe(0);
});
