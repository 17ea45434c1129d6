/** When silence of members is the coordinator's own fault. */
import { expect, test } from 'vitest';
import { STALL_MIN_MS, WriteFlowState } from './write-flow-state.ts';

const FLOWING = { isWritable: true, waitingSinceMs: undefined };
const REFUSED = { isWritable: false, waitingSinceMs: undefined };

test('writes that are refused for a while begin sessions anew, once', () => {
  const flow = new WriteFlowState();
  expect(flow.observe(FLOWING, 0)).toBe('flowing');
  expect(flow.observe(REFUSED, 100)).toBe('stalled');
  expect(flow.observe(REFUSED, 90 + STALL_MIN_MS)).toBe('stalled');
  expect(flow.observe(FLOWING, 100 + STALL_MIN_MS)).toBe('resumed');
  expect(flow.observe(FLOWING, 101 + STALL_MIN_MS)).toBe('flowing');
});

test('a short stop makes nobody late', () => {
  const flow = new WriteFlowState();
  expect(flow.observe(REFUSED, 100)).toBe('stalled');
  expect(flow.observe(FLOWING, 99 + STALL_MIN_MS)).toBe('flowing');
});

test('writes that do not commit are a stall from the time they were appended', () => {
  const flow = new WriteFlowState();
  expect(flow.observe({ isWritable: true, waitingSinceMs: 50 }, 60)).toBe('flowing');
  expect(flow.isStalled).toBe(false);
  expect(flow.observe({ isWritable: true, waitingSinceMs: 50 }, 50 + STALL_MIN_MS)).toBe('stalled');
  expect(flow.isStalled).toBe(true);
  expect(flow.observe({ isWritable: true, waitingSinceMs: 900 }, 60 + STALL_MIN_MS)).toBe('resumed');
});
