/** Invariant 15: a snapshot ends at or below the high watermark, is the state that replay gives, and covers what the log has lost. */
import type { QuorumInvariant } from '../raft/quorum-observation.ts';
import { digestOfSnapshot } from '../raft/register-machine.ts';

export const snapshotsAreCommittedState: QuorumInvariant = {
  number: 15,
  name: 'snapshots-are-committed-state',
  judge(model, violated) {
    const digests = new Map<number, number>();
    const judgeSnapshot = (id: number, index: number, data: Buffer): void => {
      if (index > model.committed.length)
        violated(`controller ${id} has a snapshot of what is not committed`);
      const replayed = digests.get(index);
      if (replayed !== undefined && replayed !== digestOfSnapshot(data)) {
        violated(`the snapshot of controller ${id} up to ${index} is not the state that replay gives`);
      }
    };
    return {
      applied(_member, records, digest) {
        const last = records.at(-1);
        if (last !== undefined) digests.set(last.offset + 1, digest);
      },
      asked({ id }, { installSnapshot }) {
        if (installSnapshot !== undefined) judgeSnapshot(id, installSnapshot.index, installSnapshot.data);
      },
      snapshotAsked({ id }, { index, data }, compactTo) {
        judgeSnapshot(id, index, data);
        if (compactTo > index) violated(`controller ${id} forgets records above its snapshot`);
      },
      loaded({ id }, { snapshot, logStart }) {
        if (logStart.index > (snapshot?.index ?? 0))
          violated(`the log of controller ${id} begins above its snapshot`);
      },
    };
  },
};
