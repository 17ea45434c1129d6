/** Decisions in flight around an entry of the quorum's own. */
import { expect, test } from 'vitest';
import { SpeculationState } from './speculation-state.ts';

const BROKER = {
  kind: 'brokerRegistered',
  brokerId: 1,
  incarnationId: 'incarnation',
  directoryId: 'directory',
  endpoints: [],
  rack: '',
} as const;

test('decisions before and after a voter set keep the offsets that they were decided for', () => {
  const speculation = new SpeculationState();
  const [before] = speculation.stage([BROKER], 1000);
  expect(speculation.stageVoid(1)).toBe(true);
  const [after] = speculation.stage([{ ...BROKER, brokerId: 2 }], 1000);
  expect(after!.offset).toBe(2);
  expect(speculation.commit(0, before!.data).hasVoided).toBe(false);
  expect(speculation.commit(1, null).hasVoided).toBe(false);
  expect(speculation.commit(2, after!.data).hasVoided).toBe(false);
  expect([...speculation.image.brokers.keys()]).toEqual([1, 2]);
  expect(speculation.image.offset).toBe(3);
});

test('an entry of the quorum where none was staged voids what was', () => {
  const speculation = new SpeculationState();
  speculation.stage([BROKER], 1000);
  expect(speculation.commit(0, null).hasVoided).toBe(true);
  speculation.stage([BROKER], 1000);
  expect(speculation.stageVoid(7)).toBe(false);
  expect(speculation.pendingCount).toBe(0);
});
