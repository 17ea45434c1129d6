/** The search accepts what one register could have done, and nothing else. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Call, checkLinearizability, type SequentialModel } from './linearizability.ts';

type Input = { readonly write: number } | 'read';
type Output = number;

const register: SequentialModel<number, Input, Output> = {
  initial: 0,
  step(state, input, output) {
    if (input === 'read') return output === undefined || output === state ? [state] : [];
    return [input.write];
  },
  fingerprint: (state) => String(state),
};

function call(
  input: Input,
  output: Output | undefined,
  calledAtMs: number,
  answeredAtMs: number,
): Call<Input, Output> {
  return { process: 'p', input, output, calledAtMs, answeredAtMs };
}

const verdictOf = (calls: readonly Call<Input, Output>[]): string =>
  checkLinearizability(register, calls).verdict;

describe('a register', () => {
  test('may be read old or new while it is written', () => {
    expect(verdictOf([call({ write: 1 }, 1, 0, 10), call('read', 0, 1, 2), call('read', 1, 3, 4)])).toBe(
      'linearizable',
    );
  });

  test('may not go back to the old value', () => {
    const calls = [call({ write: 1 }, 1, 0, 10), call('read', 1, 1, 2), call('read', 0, 3, 4)];
    const result = checkLinearizability(register, calls);
    expect(result.verdict).toBe('violated');
    expect(result).toMatchObject({ stuck: [{ input: 'read', output: 0 }] });
  });

  test('may not be read old after the write was answered', () => {
    expect(verdictOf([call({ write: 1 }, 1, 0, 1), call('read', 0, 2, 3)])).toBe('violated');
  });

  test('may take a write without an answer late, or never', () => {
    const lost = call({ write: 1 }, undefined, 0, Number.POSITIVE_INFINITY);
    expect(verdictOf([lost, call('read', 0, 5, 6), call('read', 1, 7, 8)])).toBe('linearizable');
    expect(verdictOf([lost, call('read', 0, 5, 6)])).toBe('linearizable');
    expect(verdictOf([lost, call('read', 1, 5, 6), call('read', 0, 7, 8)])).toBe('violated');
  });

  test('is undecided when the limit is reached', () => {
    const calls = Array.from({ length: 12 }, (_, index) => call({ write: index }, index, 0, 100));
    const limits = { configurationsMax: 50 };
    expect(checkLinearizability(register, [...calls, call('read', 99, 200, 201)], limits).verdict).toBe(
      'undecided',
    );
  });

  test('that really does one thing at a time always passes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ isRead: fc.boolean(), value: fc.nat(3), early: fc.nat(5), late: fc.nat(5) }), {
          maxLength: 12,
        }),
        (operations) => {
          let state = 0;
          const calls = operations.map(({ isRead, value, early, late }, index) => {
            const at = index * 3;
            if (!isRead) state = value;
            return call(isRead ? 'read' : { write: value }, state, at - early, at + late);
          });
          expect(verdictOf(calls)).toBe('linearizable');
        },
      ),
    );
  });
});
