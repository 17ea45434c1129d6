/** Beliefs about leaders only move forward, whoever reports them and in whatever order. */
import { MillraceError } from '@millrace/core';
import type { DescribeTopicsResponse } from '@millrace/protocol';
import { describe, expect, test } from 'vitest';
import { parseBootstrap } from './address.ts';
import { MetadataState } from './metadata-state.ts';

const broker = (id: number, host = `b${id}`) => ({
  id,
  host,
  port: 9191,
  rack: '',
  fenced: false,
  inControlledShutdown: false,
  brokerEpoch: 1,
});

function answer(leaders: readonly (readonly [number, number])[], topicId = 'id-1'): DescribeTopicsResponse {
  const partitions = leaders.map(([leaderId, leaderEpoch], partition) => ({
    partition,
    leaderId,
    leaderEpoch,
    replicas: [],
    isr: [],
    elr: [],
    lastKnownElr: [],
    partitionEpoch: 0,
  }));
  return {
    clusterId: 'c',
    controllerId: 1,
    brokers: [broker(1), broker(2)],
    topics: [{ topicId, name: 't', internal: false, partitions }],
  };
}

describe('metadata', () => {
  test('an older answer replaces neither a newer leader nor added partitions', () => {
    const state = new MetadataState();
    expect(
      state.apply(
        answer([
          [1, 5],
          [2, 3],
        ]),
      ),
    ).toBe(true);
    expect(state.apply(answer([[2, 4]]))).toBe(false);
    expect(state.topic('t')?.partitions).toEqual([
      { leaderId: 1, leaderEpoch: 5 },
      { leaderId: 2, leaderEpoch: 3 },
    ]);
    expect(
      state.apply(
        answer([
          [2, 6],
          [2, 3],
        ]),
      ),
    ).toBe(true);
    expect(state.leaderOf('t', 0)).toEqual({ leaderId: 2, leaderEpoch: 6 });
  });

  test('a hint counts only with a newer epoch', () => {
    const state = new MetadataState();
    state.apply(answer([[1, 5]]));
    expect(state.applyLeader('id-1', 0, 2, 5)).toBe(false);
    expect(state.applyLeader('id-1', 0, -1, 6)).toBe(false);
    expect(state.applyLeader('other', 0, 2, 6)).toBe(false);
    expect(state.applyLeader('id-1', 0, 2, 6)).toBe(true);
    expect(state.apply(answer([[1, 5]]))).toBe(false);
    expect(state.leaderOf('t', 0)?.leaderId).toBe(2);
  });

  test('a topic created again under its name starts over', () => {
    const state = new MetadataState();
    state.apply(
      answer([
        [1, 5],
        [1, 5],
      ]),
    );
    expect(state.apply(answer([[2, 0]], 'id-2'))).toBe(true);
    expect(state.topic('t')).toMatchObject({
      topicId: 'id-2',
      partitions: [{ leaderId: 2, leaderEpoch: 0 }],
    });
    expect(state.applyLeader('id-1', 0, 1, 9)).toBe(false);
  });

  test('a broker that moved is news; an answer without brokers is not', () => {
    const state = new MetadataState();
    state.apply(answer([[1, 5]]));
    expect(state.apply({ ...answer([[1, 5]]), brokers: [] })).toBe(false);
    expect(state.brokers.size).toBe(2);
    expect(state.apply({ ...answer([[1, 5]]), brokers: [broker(1, 'elsewhere'), broker(2)] })).toBe(true);
  });
});

describe('bootstrap addresses', () => {
  test('hosts, IPv6 and lists are understood; the port defaults to 9191', () => {
    expect(parseBootstrap('a:1, [::1]:2,c')).toEqual([
      { host: 'a', port: 1 },
      { host: '::1', port: 2 },
      { host: 'c', port: 9191 },
    ]);
    expect(parseBootstrap(['a:1', 'b:2'])).toHaveLength(2);
  });

  test.each(['', 'a:0', 'a:70000', 'a:b', 'http://a:1', '::1:2'])('%j is refused by name', (text) => {
    expect(() => parseBootstrap(text)).toThrow(MillraceError);
  });
});
