/** Each anomaly class is found in a history that has it, and a clean history has none. */
import { describe, expect, test } from 'vitest';
import { ClientHistory, type SendOutcome } from './client-history.ts';
import { findAnomalies } from './find-anomalies.ts';

const P = 'orders-0';

function history(): ClientHistory & { sends(value: string, offset: number, outcome?: SendOutcome): void } {
  const made = new ClientHistory();
  return Object.assign(made, {
    sends(value: string, offset: number, outcome: SendOutcome = 'acknowledged'): void {
      Object.assign(made.send('p1', P, value), { outcome, offset });
    },
  });
}

function kindsOf(made: ClientHistory, isReadToEnd = true): string[] {
  return findAnomalies(made, { isReadToEnd }).map(({ kind }) => kind);
}

function records(...pairs: [offset: number, value: string][]): { offset: number; value: string }[] {
  return pairs.map(([offset, value]) => ({ offset, value }));
}

describe('a clean history has no anomaly', () => {
  test('when all was acknowledged and read in order, with offsets that no record has', () => {
    const made = history();
    made.sends('a', 0);
    made.sends('b', 1);
    made.sends('c', 5);
    made.poll('c1', P, records([0, 'a'], [1, 'b']));
    made.poll('c1', P, records([5, 'c']));
    expect(kindsOf(made)).toEqual([]);
  });

  test('when an unknown send is read, or not', () => {
    const made = history();
    made.sends('a', -1, 'unknown');
    made.sends('b', -1, 'unknown');
    made.poll('c1', P, records([0, 'a']));
    expect(kindsOf(made)).toEqual([]);
  });

  test('when a consumer goes back after a seek', () => {
    const made = history();
    made.sends('a', 0);
    made.sends('b', 1);
    made.poll('c1', P, records([0, 'a'], [1, 'b']));
    made.seek('c1', P);
    made.poll('c1', P, records([0, 'a'], [1, 'b']));
    expect(kindsOf(made)).toEqual([]);
  });

  test('when what was deleted is not read', () => {
    const made = history();
    made.sends('a', 0);
    made.sends('b', 1);
    made.moveLogStart(P, 1);
    made.poll('c1', P, records([1, 'b']));
    expect(kindsOf(made)).toEqual([]);
  });
});

describe('an anomaly is found', () => {
  test('aborted-read and phantom-read', () => {
    const made = history();
    made.sends('a', -1, 'refused');
    made.poll('c1', P, records([0, 'a'], [1, 'z']));
    expect(kindsOf(made)).toEqual(['aborted-read', 'phantom-read']);
  });

  test('lost-write below what was read, unseen above it', () => {
    const made = history();
    made.sends('a', 0);
    made.sends('b', 1);
    made.sends('c', 2);
    made.seek('c1', P);
    made.poll('c1', P, records([1, 'b']));
    expect(kindsOf(made)).toEqual(['lost-write', 'unseen']);
    expect(kindsOf(made, false)).toEqual(['lost-write']);
  });

  test('duplicate and inconsistent-offsets', () => {
    const made = history();
    made.sends('a', 0);
    made.sends('b', 1);
    made.poll('c1', P, records([0, 'a'], [1, 'b'], [2, 'a']));
    expect(kindsOf(made)).toContain('duplicate');
    const other = history();
    other.sends('a', 0);
    other.sends('b', 0);
    other.poll('c1', P, records([0, 'b']));
    expect(kindsOf(other)).toContain('inconsistent-offsets');
  });

  test('skips and steps back, inside a poll and between polls', () => {
    const made = history();
    for (const [offset, value] of ['a', 'b', 'c', 'd'].entries()) made.sends(value, offset);
    made.poll('c1', P, records([0, 'a'], [2, 'c']));
    made.poll('c2', P, records([1, 'b'], [0, 'a']));
    made.poll('c3', P, records([0, 'a']));
    made.poll('c3', P, records([3, 'd']));
    made.poll('c3', P, records([2, 'c']));
    expect(kindsOf(made)).toEqual([
      'int-poll-skip',
      'int-nonmonotonic-poll',
      'poll-skip',
      'nonmonotonic-poll',
    ]);
  });

  test('nonmonotonic-send', () => {
    const made = history();
    made.sends('a', 1);
    made.sends('b', 0);
    made.poll('c1', P, records([0, 'b'], [1, 'a']));
    expect(kindsOf(made)).toEqual(['nonmonotonic-send']);
  });
});
