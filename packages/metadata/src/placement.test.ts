/** Where replicas go: distinct brokers, as many racks as possible, leaders and followers spread evenly. */
import { SeededRandom } from '@millrace/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type PlacementBroker, placeReplicas } from './placement.ts';

function brokersIn(...racks: string[]): PlacementBroker[] {
  return racks.map((rack, id) => ({ id, rack, active: true }));
}

function countBy(ids: readonly number[]): number[] {
  const counts = new Map<number, number>();
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
  return [...counts.values()];
}

test('leaders spread evenly, and so do the followers of one broker', () => {
  const placed = placeReplicas(brokersIn('', '', '', ''), 12, 2, new SeededRandom(3));
  expect(countBy(placed.map(([leader]) => leader!))).toEqual([3, 3, 3, 3]);
  expect(new Set(placed.filter(([leader]) => leader === 0).map(([, follower]) => follower)).size).toBe(3);
});

test('any partition spans as many racks as it can', () => {
  const racks = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 9 });
  fc.assert(
    fc.property(racks, fc.integer({ min: 1, max: 9 }), fc.integer(), (names, wanted, seed) => {
      const brokers = brokersIn(...names);
      const factor = Math.min(wanted, brokers.length);
      const placed = placeReplicas(brokers, 20, factor, new SeededRandom(seed));
      for (const replicas of placed) {
        expect(new Set(replicas).size).toBe(factor);
        const used = new Set(replicas.map((id) => brokers[id]!.rack));
        expect(used.size).toBe(Math.min(new Set(names).size, factor));
      }
      const leaders = countBy(placed.map(([leader]) => leader!));
      expect(Math.max(...leaders) - Math.min(...leaders)).toBeLessThanOrEqual(1);
    }),
  );
});

test('brokers that are not alive are taken last and never lead', () => {
  const brokers = brokersIn('', '', '', '').map((broker) => ({ ...broker, active: broker.id < 2 }));
  for (const replicas of placeReplicas(brokers, 8, 3, new SeededRandom(1))) {
    expect(replicas.slice(0, 2).sort()).toEqual([0, 1]);
    expect(replicas[2]).toBeGreaterThan(1);
  }
});

test('the seed decides, not the order of the registry', () => {
  const brokers = brokersIn('a', 'b', 'a', 'b');
  const place = (list: PlacementBroker[], seed: number) => placeReplicas(list, 6, 2, new SeededRandom(seed));
  expect(place([...brokers].reverse(), 5)).toEqual(place(brokers, 5));
});
