/**
 * Sees everything and forgets nothing: checks the invariants 1 to 16, 19 and 20 of reliability.md
 * section 5 over a whole cluster, after every effect.
 */
import { invariant } from '@millrace/core';
import { majorityOf } from '../quorum.ts';
import type { RaftEffect } from '../raft-effect.ts';
import type { RaftMessage, Voter } from '../raft-message.ts';
import { decodeVoters, type VoterSet } from '../voter-sets.ts';
import { describeEntry, type TestReplica } from './test-replica.ts';

export class SafetyChecker {
  /** The true committed log: entry `i` at `i - 1`. */
  readonly committed: string[] = [];
  readonly #replicas: readonly TestReplica[];
  readonly #leaders = new Map<string, string>();
  readonly #votes = new Map<string, string>();
  readonly #terms = new Map<string, number>();
  readonly #contents = new Map<string, string>();
  /** Directories of each committed voter set, by index. */
  readonly #voterSets = new Map<number, readonly string[]>();

  constructor(replicas: readonly TestReplica[]) {
    this.#replicas = replicas;
  }

  observe(replica: TestReplica, effect: RaftEffect): void {
    switch (effect.kind) {
      case 'persist':
        for (const { index, term, ...entry } of effect.entries ?? []) {
          this.#once(this.#contents, `${term}/${index}`, entry.data.toString(), 'one content a position');
        }
        if (effect.truncateFrom !== undefined) {
          const applied = replica.applied.length;
          invariant(effect.truncateFrom > applied, 'nothing applied is cut', { id: replica.id, applied });
        }
        break;
      case 'roleChanged':
        if (effect.role === 'leader') this.#checkLeader(replica, effect.term);
        break;
      case 'committed':
        this.#checkCommitted(replica, effect.entries.map(describeEntry), effect.entries[0]!.index);
        for (const { index, kind, data } of effect.entries) {
          if (kind === 'voters') this.#checkVoters(index, decodeVoters(data)!);
        }
        break;
      case 'votersProposed': {
        const { voterSets } = replica.node.status();
        invariant(voterSets.length === 2, 'one voter set is undecided', { id: replica.id, voterSets });
        break;
      }
      case 'restore':
        this.#checkState(replica, JSON.parse(effect.snapshot.data.toString()) as string[]);
        break;
      default:
    }
  }

  /** A message that leaves a node says nothing that its disk would forget; and disks never take anything back. */
  transmitted({ id, directoryId, disk }: TestReplica, message: RaftMessage): void {
    const { hardState, logStart, entries } = disk.state;
    invariant(hardState.term >= (this.#terms.get(directoryId) ?? 0), 'a term never decreases', {
      directoryId,
    });
    this.#terms.set(directoryId, hardState.term);
    if (hardState.votedFor !== undefined) {
      const vote = `${directoryId}@${hardState.term}`;
      this.#once(this.#votes, vote, hardState.votedFor.directoryId, 'one vote a term');
    }
    const isSpoken = message.kind === 'hello' || hardState.term >= message.term;
    invariant(isSpoken, 'a term is durable before it is spoken', { id, message: message.kind });
    const isVote = message.kind === 'voteRequest' || (message.kind === 'voteResponse' && message.granted);
    const hasVote = hardState.votedFor !== undefined || hardState.term > message.term;
    invariant(!isVote || hasVote, 'a vote is durable before it is cast', { id });
    const isAcknowledged =
      message.kind === 'appendResponse' && message.accepted && message.term === hardState.term;
    const end = logStart.index + entries.length;
    invariant(!isAcknowledged || message.index <= end, 'an acknowledgement is durable', { id, end });
  }

  #checkLeader(replica: TestReplica, term: number): void {
    this.#once(this.#leaders, String(term), replica.directoryId, 'one leader a term');
    const newest = Math.max(...[...this.#leaders.keys()].map(Number));
    if (term < newest) return;
    const { lastIndex } = replica.node.status();
    invariant(lastIndex >= this.committed.length, 'the newest leader holds everything committed', {
      id: replica.id,
      lastIndex,
      committed: this.committed.length,
    });
  }

  #checkCommitted(replica: TestReplica, entries: readonly string[], firstIndex: number): void {
    const { logStart, entries: stored } = replica.disk.state;
    const isOnDisk = firstIndex + entries.length - 1 <= logStart.index + stored.length;
    invariant(isOnDisk, 'what is handed out is on the own disk', { id: replica.id, firstIndex });
    invariant(firstIndex === replica.applied.length + 1, 'entries are applied once and in order', {
      id: replica.id,
      firstIndex,
    });
    entries.forEach((entry, i) => {
      const index = firstIndex + i;
      const known = this.committed[index - 1];
      invariant(known === undefined || known === entry, 'what is committed never changes', {
        id: replica.id,
        index,
        known,
        entry,
      });
      if (known === undefined) {
        this.committed.push(entry);
        this.#checkDurable(replica, index, Number(entry.split(':')[0]));
      }
    });
  }

  #checkDurable(replica: TestReplica, index: number, term: number): void {
    const holders = this.#replicas
      .filter(({ disk }) => (disk.state.snapshot?.index ?? 0) >= index || disk.termAt(index) === term)
      .map(({ directoryId }) => directoryId);
    const present = this.#replicas.map(({ directoryId }) => directoryId);
    // A voter whose disk was taken away had acknowledged before; that loss is the fault's, not the protocol's.
    const isMajority = ({ voters }: VoterSet): boolean => {
      const counted = voters.filter(
        (key) => holders.includes(key.directoryId) || !present.includes(key.directoryId),
      );
      return voters.length > 0 && counted.length >= majorityOf(voters.length);
    };
    // The first to hand it out need not know yet of the set by which the leader counted.
    const sets = this.#replicas.flatMap(({ node }) => node?.status().voterSets ?? []);
    invariant(sets.some(isMajority), 'a majority holds what is committed on disk', {
      id: replica.id,
      index,
      term,
      holders,
    });
  }

  /** What is committed changes by one voter at a time, so that majorities of sets in sequence meet. */
  #checkVoters(index: number, voters: readonly Voter[]): void {
    const directories = voters.map(({ directoryId }) => directoryId);
    const before = this.#lastVoters(index);
    this.#voterSets.set(index, directories);
    if (before === undefined) return;
    const changes = [
      ...directories.filter((directoryId) => !before.includes(directoryId)),
      ...before.filter((directoryId) => !directories.includes(directoryId)),
    ];
    invariant(changes.length === 1, 'one voter changes at a time', { index, before, directories });
  }

  #lastVoters(index: number): readonly string[] | undefined {
    const earlier = [...this.#voterSets.keys()].filter((other) => other < index);
    return this.#voterSets.get(Math.max(...earlier));
  }

  #checkState(replica: TestReplica, state: readonly string[]): void {
    const expected = this.committed.slice(0, state.length);
    invariant(state.join() === expected.join(), 'a snapshot is the replayed state', { id: replica.id });
  }

  #once(seen: Map<string, string>, key: string, value: string, message: string): void {
    const known = seen.get(key);
    invariant(known === undefined || known === value, message, { key, known, value });
    seen.set(key, value);
  }
}
