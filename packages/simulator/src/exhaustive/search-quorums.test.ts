/** The search in small, and what it finds in replicas that break their promises. A long run: `npm run simulate -- --world exhaustive`. */
import { type RaftEffect, RaftNode, type RaftNodeOptions } from '@millrace/raft';
import { expect, test } from 'vitest';
import { DigestSet } from './digest-set.ts';
import { QuorumStates } from './quorum-states.ts';
import { DEFAULT_LIMITS, type SearchFound, type SearchOptions, searchQuorums } from './search-quorums.ts';
import { TWO_CANDIDATES, Way } from './starting-points.ts';
import type { NewReplica, Replica } from './voter-life.ts';

function search(statesMax: number, options: Partial<SearchOptions> = {}): SearchFound {
  return searchQuorums({ ...DEFAULT_LIMITS, ...options, statesMax });
}

/** A production replica whose effects somebody tampers with. */
function tampered(tamper: (effect: RaftEffect) => RaftEffect): NewReplica {
  return (options: RaftNodeOptions): Replica => {
    const node = new RaftNode(options);
    return {
      get deadlineMs() {
        return node.deadlineMs;
      },
      status: () => node.status(),
      step: (event, nowMs) => node.step(event, nowMs).map(tamper),
    };
  };
}

test('20,000 states of three voters keep every invariant', () => {
  const found = search(20_000);
  expect(found.violation).toBeUndefined();
  expect(found.states).toBe(20_000);
  expect(found.epochs).toBe(2);
  expect(found.committed).toBeGreaterThan(1);
});

test('a search within narrow limits comes to its end, and every way there is the same number of states', () => {
  const budget = { ...DEFAULT_LIMITS.budget, timeouts: 1, crashes: 0, proposals: 0 };
  const [point] = [{ about: 'three new disks', steps: [] }];
  const found = search(1_000_000, { budget, startingPoints: [point!] });
  expect(found).toMatchObject({ violation: undefined, isComplete: true });
  const renamed = search(1_000_000, {
    budget: { ...budget, timeouts: 0 },
    startingPoints: [1, 2, 3].map((id) => ({ about: `node ${id} stands`, steps: [`timeout ${id}`] })),
  });
  // Whichever of the three stands: the same states under other names, and all but the first one.
  expect(renamed.states).toBe(found.states - 1);
});

test('a voter that grants every request is found, and its steps can be replayed', () => {
  const newReplica = tampered((effect) =>
    effect.kind === 'send' && effect.message.kind === 'voteResponse'
      ? { ...effect, message: { ...effect.message, granted: true } }
      : effect,
  );
  const { violation } = search(100_000, { newReplica, startingPoints: [TWO_CANDIDATES] });
  expect(violation?.text).toMatch(/^invariant (2|12): .*vote/);
  expect(violation?.path.slice(0, TWO_CANDIDATES.steps.length)).toHaveLength(TWO_CANDIDATES.steps.length);
  const way = new Way(new QuorumStates({ perLinkMax: 100 }, newReplica));
  for (const step of violation!.path) way.follow(step);
  expect(way.violation).toBe(violation?.text);
});

test('a voter that does not wait for its disk is found', () => {
  const newReplica = tampered((effect) => (effect.kind === 'send' ? { ...effect, after: 0 } : effect));
  const startingPoints = [{ about: 'three new disks', steps: [] }];
  const { violation } = search(20_000, { newReplica, startingPoints });
  expect(violation?.text).toContain('invariant 12');
});

test('a set of digests knows each one once, however many there are', () => {
  const set = new DigestSet(4);
  for (let i = 0; i < 1_000; i++) expect(set.add(i % 7, i)).toBe(true);
  for (let i = 0; i < 1_000; i++) expect(set.add(i % 7, i)).toBe(false);
  expect(set.size).toBe(1_000);
});
