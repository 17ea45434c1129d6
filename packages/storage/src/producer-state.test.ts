import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeSnapshot, encodeSnapshot } from './producer-snapshot.ts';
import { type ProducerBatch, ProducerState } from './producer-state.ts';

const LAST_SEQUENCE = 2 ** 31 - 1;

function batch(baseSequence: number, count = 1, change: Partial<ProducerBatch> = {}): ProducerBatch {
  return {
    producerId: 1,
    producerEpoch: 0,
    baseSequence,
    lastSequence: (baseSequence + count - 1) % 2 ** 31,
    baseOffset: 100 + baseSequence,
    lastOffset: 100 + baseSequence + count - 1,
    maxTimestamp: 5,
    isTransactional: false,
    isControl: false,
    ...change,
  };
}

function stateOf(...batches: ProducerBatch[]): ProducerState {
  const state = new ProducerState(100);
  for (const each of batches) state.update(each, 0);
  return state;
}

/** In a log of which nothing was deleted. */
const check = (state: ProducerState, each: ProducerBatch) => state.check(each, true);

const fails = (code: string) => expect.objectContaining({ code });

describe('a leader that checks a batch', () => {
  test('accepts the next sequence, and any of an unknown producer once something was forgotten', () => {
    const state = stateOf(batch(0, 3));
    expect(check(state, batch(3))).toBeUndefined();
    expect(check(state, batch(-1, 1, { producerId: -1 }))).toBeUndefined();
    expect(state.check(batch(77, 1, { producerId: 2 }), false)).toBeUndefined();
    state.expire(100, 50);
    expect(check(state, batch(77, 1, { producerId: 2 }))).toBeUndefined();
    const full = new ProducerState(1);
    full.update(batch(0), 0);
    full.update(batch(0, 1, { producerId: 2 }), 0);
    expect(check(full, batch(1))).toBeUndefined();
  });

  test('lets no batch overtake the refused first one of a producer', () => {
    const state = stateOf();
    expect(() => check(state, batch(5, 5))).toThrow(fails('OUT_OF_ORDER_SEQUENCE_NUMBER'));
    expect(check(state, batch(0, 5))).toBeUndefined();
    state.update(batch(0, 5), 0);
    expect(check(state, batch(5, 5))).toBeUndefined();
  });

  test('lets an unknown producer begin anywhere if it is asked to, and checks all that follows', () => {
    const state = stateOf();
    const begins = (each: ProducerBatch) => state.check(each, false);
    expect(begins(batch(5, 2, { producerEpoch: 3 }))).toBeUndefined();
    state.update(batch(5, 2, { producerEpoch: 3 }), 0);
    expect(begins(batch(5, 2, { producerEpoch: 3 }))).toMatchObject({ baseSequence: 5 });
    expect(begins(batch(7, 1, { producerEpoch: 3 }))).toBeUndefined();
    for (const each of [
      batch(8, 1, { producerEpoch: 3 }),
      batch(0, 5, { producerEpoch: 3 }),
      batch(7, 1, { producerEpoch: 4 }),
    ]) {
      expect(() => begins(each)).toThrow(fails('OUT_OF_ORDER_SEQUENCE_NUMBER'));
    }
    expect(() => begins(batch(7, 1, { producerEpoch: 2 }))).toThrow(fails('INVALID_PRODUCER_EPOCH'));
  });

  test('never calls a duplicate what lies before all that it knows of the producer', () => {
    const state = stateOf();
    expect(state.check(batch(5, 5), false)).toBeUndefined();
    for (let sequence = 5; sequence < 40; sequence += 5) state.update(batch(sequence, 5), 0);
    for (const earlier of [batch(0, 5), batch(4, 5), batch(2, 2)]) {
      expect(() => check(state, earlier)).toThrow(fails('OUT_OF_ORDER_SEQUENCE_NUMBER'));
    }
    expect(() => check(state, batch(5, 5))).toThrow(fails('DUPLICATE_SEQUENCE_NUMBER'));
  });

  test('answers a retry of one of the last five with its first offsets', () => {
    const state = stateOf(...[0, 2, 4, 6, 8, 10].map((sequence) => batch(sequence, 2)));
    for (const sequence of [2, 4, 6, 8, 10]) {
      expect(check(state, batch(sequence, 2))).toMatchObject({ baseOffset: 100 + sequence });
    }
    expect(() => check(state, batch(0, 2))).toThrow(fails('DUPLICATE_SEQUENCE_NUMBER'));
  });

  test('refuses a gap', () => {
    expect(() => check(stateOf(batch(0)), batch(2))).toThrow(fails('OUT_OF_ORDER_SEQUENCE_NUMBER'));
  });

  test('follows sequences around their end', () => {
    const state = stateOf(batch(LAST_SEQUENCE - 1, 2));
    expect(check(state, batch(0))).toBeUndefined();
    expect(() => check(state, batch(1))).toThrow(fails('OUT_OF_ORDER_SEQUENCE_NUMBER'));
    const wrapped = stateOf(batch(LAST_SEQUENCE - 6, 5), batch(LAST_SEQUENCE - 1, 4));
    expect(check(wrapped, batch(2))).toBeUndefined();
    expect(() => check(wrapped, batch(LAST_SEQUENCE - 5))).toThrow(fails('DUPLICATE_SEQUENCE_NUMBER'));
  });

  test('fences older epochs and lets newer ones begin at zero only', () => {
    const state = stateOf(batch(5, 1, { producerEpoch: 3 }));
    expect(() => check(state, batch(6, 1, { producerEpoch: 2 }))).toThrow(fails('INVALID_PRODUCER_EPOCH'));
    expect(() => check(state, batch(6, 1, { producerEpoch: 4 }))).toThrow(
      fails('OUT_OF_ORDER_SEQUENCE_NUMBER'),
    );
    expect(check(state, batch(0, 1, { producerEpoch: 4 }))).toBeUndefined();
  });
});

test('the id unused longest is forgotten first, and silent ids expire, but never with an open transaction', () => {
  const state = new ProducerState(2);
  state.update(batch(0, 1, { producerId: 1, isTransactional: true }), 0);
  state.update(batch(0, 1, { producerId: 2 }), 10);
  state.update(batch(0, 1, { producerId: 3 }), 20);
  expect([...state.entries()].map(({ producerId }) => producerId)).toEqual([1, 3]);
  state.expire(100, 50);
  expect([...state.entries()].map(({ producerId }) => producerId)).toEqual([1]);
  state.update(batch(-1, 1, { producerId: 1, isControl: true }), 20);
  state.expire(100, 50);
  expect(state.size).toBe(0);
});

test('a snapshot keeps the newest batch of each producer; a flipped bit is noticed', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.integer({ min: 0, max: 2 ** 40 }), { maxLength: 20 }),
      fc.integer({ min: 0, max: LAST_SEQUENCE }),
      fc.nat(),
      (ids, sequence, flip) => {
        const state = new ProducerState(100);
        for (const producerId of ids) state.update(batch(sequence, 3, { producerId }), 0);
        const bytes = encodeSnapshot(state.entries());
        expect(decodeSnapshot(bytes, 0)).toEqual(
          [...state.entries()].map((entry) => ({ ...entry, sequencesKnown: Number.POSITIVE_INFINITY })),
        );
        bytes[flip % bytes.length]! ^= 1 << (flip % 8);
        expect(decodeSnapshot(bytes, 0)).toBeUndefined();
      },
    ),
  );
});
