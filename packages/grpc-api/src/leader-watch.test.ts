/** Who leads is told when it changes, not looked for: no timer is involved, and nobody hears of it late. */
import type { NodeId } from '@millrace/core';
import { expect, test } from 'vitest';
import { LeaderWatch } from './leader-watch.ts';

test('listeners hear at once of another leader or of the own lead, once for each change', () => {
  const told = new Set<() => void>();
  const view = {
    leader: undefined as NodeId | undefined,
    active: false,
    leaderId: () => view.leader,
    isActive: () => view.active,
    status: () => ({ voters: [] }),
    onLeaderChange: (listener: () => void) => {
      told.add(listener);
      return () => told.delete(listener);
    },
  };
  const watch = new LeaderWatch(view as unknown as ConstructorParameters<typeof LeaderWatch>[0]);
  const seen: (NodeId | -1)[] = [];
  watch.onChange(() => seen.push(watch.leaderId));
  const tell = (): void => {
    for (const listener of told) listener();
  };
  tell();
  expect(seen).toEqual([]);
  view.leader = 2;
  tell();
  tell();
  expect(seen).toEqual([2]);
  view.active = true;
  tell();
  expect(seen).toEqual([2, 2]);
  watch.close();
  expect(told.size).toBe(0);
});
