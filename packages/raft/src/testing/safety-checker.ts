/**
 * Sees everything and forgets nothing: checks the invariants 1 to 12, 14 to 16, 19 and 20 of reliability.md
 * section 5 over a whole cluster, after every effect.
 */
import { invariant } from '@millrace/core';
import { majorityOf } from '../quorum.ts';
import type { RaftEffect } from '../raft-effect.ts';
import type { RaftMessage } from '../raft-message.ts';
import { describeEntry, type TestReplica } from './test-replica.ts';

export class SafetyChecker {
  /** The true committed log: entry `i` at `i - 1`. */
  readonly committed: string[] = [];
  readonly #replicas: readonly TestReplica[];
  readonly #leaders = new Map<string, string>();
  readonly #votes = new Map<string, string>();
  readonly #terms = new Map<string, number>();
  readonly #contents = new Map<string, string>();

  constructor(replicas: readonly TestReplica[]) {
    this.#replicas = replicas;
  }

  observe(replica: TestReplica, effect: RaftEffect): void {
    switch (effect.kind) {
      case 'persist':
        if (effect.hardState !== undefined) this.#checkHardState(replica, effect.hardState);
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
        break;
      case 'restore':
        this.#checkState(replica, JSON.parse(effect.snapshot.data.toString()) as string[]);
        break;
      default:
    }
  }

  /** A message that leaves a node says nothing that its disk would forget. */
  transmitted(replica: TestReplica, message: RaftMessage): void {
    const { hardState } = replica.disk.state;
    invariant(
      message.kind === 'hello' || hardState.term >= message.term,
      'a term is durable before it is spoken',
      {
        id: replica.id,
        message: message.kind,
      },
    );
    if (message.kind === 'voteResponse' && message.granted) {
      invariant(hardState.votedFor !== undefined, 'a vote is durable before it is cast', { id: replica.id });
    }
    if (message.kind === 'appendResponse' && message.accepted) {
      const { logStart, entries } = replica.disk.state;
      invariant(message.index <= logStart.index + entries.length, 'an acknowledgement is durable', {
        id: replica.id,
        index: message.index,
      });
    }
  }

  #checkHardState(
    { directoryId }: TestReplica,
    hard: NonNullable<Extract<RaftEffect, { kind: 'persist' }>['hardState']>,
  ): void {
    invariant(hard.term >= (this.#terms.get(directoryId) ?? 0), 'a term never decreases', { directoryId });
    this.#terms.set(directoryId, hard.term);
    if (hard.votedFor !== undefined) {
      this.#once(this.#votes, `${directoryId}@${hard.term}`, hard.votedFor.directoryId, 'one vote a term');
    }
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
        this.#checkDurable(index, Number(entry.split(':')[0]));
      }
    });
  }

  #checkDurable(index: number, term: number): void {
    const voters = this.#replicas[0]!.node.status().voters;
    const holders = this.#replicas.filter(({ disk, directoryId }) => {
      const isVoter = voters.some((key) => key.directoryId === directoryId);
      const covered = (disk.state.snapshot?.index ?? 0) >= index;
      return isVoter && (covered || disk.termAt(index) === term);
    });
    invariant(holders.length >= majorityOf(voters.length), 'a majority holds what is committed on disk', {
      index,
      term,
      holders: holders.map(({ id }) => id),
    });
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
