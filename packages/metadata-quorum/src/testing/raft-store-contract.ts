/** What every Raft store must do, as a suite that each implementation's test runs. */
import type { Entry, HardState, Voter } from '@millrace/raft';
import { describe, expect, test } from 'vitest';
import type { RaftStore } from '../raft-store.ts';

const VOTERS: readonly Voter[] = [{ id: 1, directoryId: 'd1', address: 'host:1' }];

const entry = (index: number, term: number, text = `${term}/${index}`): Entry => ({
  index,
  term,
  kind: 'data',
  data: Buffer.from(text),
});

const hardState = (term: number, commitIndex = 0): HardState => ({
  term,
  votedFor: { id: 1, directoryId: 'd1' },
  voters: VOTERS,
  commitIndex,
  quorumId: 'd1',
});

const BIG = Buffer.alloc(3_000_000, 'snapshot');

/** `reopen` closes nothing: it returns the store as a new process would find it after `close`. */
export function testRaftStore(name: string, reopen: (path: string) => Promise<RaftStore>): void {
  let paths = 0;
  const fresh = async (): Promise<[RaftStore, () => Promise<RaftStore>]> => {
    const path = `${name}-${++paths}`;
    const store = await reopen(path);
    await store.load();
    return [
      store,
      async () => {
        await store.close();
        return reopen(path);
      },
    ];
  };

  describe(`a Raft store: ${name}`, () => {
    test('a new one is blank', async () => {
      const [store] = await fresh();
      expect(await store.load()).toEqual({
        hardState: { term: 0, votedFor: undefined, voters: [], commitIndex: 0, quorumId: '' },
        snapshot: undefined,
        logStart: { index: 0, term: 0 },
        entries: [],
      });
      await store.close();
    });

    test('what was written is found again', async () => {
      const [store, restart] = await fresh();
      const leaderChange: Entry = { index: 1, term: 1, kind: 'leaderChange', data: Buffer.alloc(0) };
      await store.write({ hardState: hardState(1), entries: [leaderChange] });
      const voters: Entry = { index: 3, term: 1, kind: 'voters', data: Buffer.from('[]') };
      await store.write({ entries: [entry(2, 1), voters] });
      await store.write({ hardState: hardState(2, 1) });
      const again = await restart();
      const state = await again.load();
      expect(state.hardState).toEqual(hardState(2, 1));
      expect(state.entries).toEqual([leaderChange, entry(2, 1), voters]);
      await again.close();
    });

    test('a hard state without a vote has none', async () => {
      const [store, restart] = await fresh();
      await store.write({ hardState: { ...hardState(4), votedFor: undefined } });
      const again = await restart();
      expect((await again.load()).hardState.votedFor).toBeUndefined();
      await again.close();
    });

    test('a truncation removes the tail, and what follows replaces it', async () => {
      const [store, restart] = await fresh();
      await store.write({ entries: [1, 2, 3, 4, 5].map((index) => entry(index, 1)) });
      await store.write({ truncateFrom: 3, entries: [entry(3, 2)] });
      const again = await restart();
      expect((await again.load()).entries).toEqual([entry(1, 1), entry(2, 1), entry(3, 2)]);
      await again.write({ truncateFrom: 2 });
      expect((await again.load()).entries).toEqual([entry(1, 1)]);
      await again.close();
    });

    test('a saved snapshot replaces the log up to where it is compacted', async () => {
      const [store, restart] = await fresh();
      await store.write({ entries: [1, 2, 3, 4, 5].map((index) => entry(index, 1)) });
      await store.saveSnapshot({ index: 4, term: 1, voters: VOTERS, data: BIG }, 2, 1);
      const again = await restart();
      const state = await again.load();
      expect(state.snapshot?.index).toBe(4);
      expect(state.snapshot?.data.equals(BIG)).toBe(true);
      expect(state.logStart).toEqual({ index: 2, term: 1 });
      expect(state.entries).toEqual([entry(3, 1), entry(4, 1), entry(5, 1)]);
      await again.close();
    });

    test('an installed snapshot replaces everything, and the log goes on behind it', async () => {
      const [store, restart] = await fresh();
      await store.write({ hardState: hardState(1), entries: [1, 2, 3].map((index) => entry(index, 1)) });
      await store.saveSnapshot({ index: 2, term: 1, voters: [], data: Buffer.from('old') }, 1, 1);
      const installSnapshot = { index: 9, term: 3, voters: VOTERS, data: Buffer.from('new') };
      await store.write({ installSnapshot, hardState: hardState(3, 9), entries: [entry(10, 3)] });
      const again = await restart();
      const state = await again.load();
      expect(state.snapshot).toEqual(installSnapshot);
      expect(state.logStart).toEqual({ index: 9, term: 3 });
      expect(state.entries).toEqual([entry(10, 3)]);
      await again.close();
    });

    test('an empty snapshot is a snapshot', async () => {
      const [store, restart] = await fresh();
      await store.write({ entries: [entry(1, 1)] });
      await store.saveSnapshot({ index: 1, term: 1, voters: VOTERS, data: Buffer.alloc(0) }, 1, 1);
      const again = await restart();
      expect((await again.load()).snapshot).toEqual({
        index: 1,
        term: 1,
        voters: VOTERS,
        data: Buffer.alloc(0),
      });
      await again.close();
    });
  });
}
