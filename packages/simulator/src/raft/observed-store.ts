/** A controller's disk that tells of all that is asked of it, and of what has become durable. Changes nothing. */
import type { RaftStore } from '@millrace/metadata-quorum';
import type { QuorumCourt } from './quorum-court.ts';
import type { Member } from './quorum-observation.ts';

export function observedStore(store: RaftStore, member: Member, court: QuorumCourt): RaftStore {
  return {
    load: async () => {
      const state = await store.load();
      court.loaded(member, state);
      return state;
    },
    write: async (change) => {
      court.asked(member, change);
      await store.write(change);
      court.durable(member, change);
    },
    saveSnapshot: async (snapshot, compactTo, compactTerm) => {
      court.snapshotAsked(member, snapshot, compactTo);
      await store.saveSnapshot(snapshot, compactTo, compactTerm);
      court.snapshotDurable(member, snapshot, compactTo);
    },
    close: () => store.close(),
  };
}
