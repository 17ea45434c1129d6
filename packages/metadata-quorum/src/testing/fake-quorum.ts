/** A quorum in memory for controller tests: the propose/apply contract, with commits and leadership in the test's hand. */
import { Deferred, MillraceError, type NodeId } from '@millrace/core';
import type { Voter } from '@millrace/raft';
import type { ControllerOptions, ControllerQuorum } from '../controller.ts';
import type { QuorumPosition, QuorumStatus } from '../quorum-status.ts';
import { ProposalAbandoned } from '../quorum-waiters.ts';

type Hooks = Parameters<ControllerOptions['startQuorum']>[0];

interface Proposal {
  readonly data: Buffer | null;
  readonly done: Deferred<{ offset: number }>;
}

export class FakeQuorum implements ControllerQuorum {
  /** Commits by itself, soon after each proposal. */
  isAutomatic = true;
  /** Rejects the next proposals with this instead of taking them. */
  refusal: MillraceError | undefined;
  leader: NodeId | undefined;
  readonly committed: (Buffer | null)[] = [];
  #term = 0;
  #isLeader = false;
  #uncommitted: Proposal[] = [];
  readonly #hooks: Hooks;

  constructor(hooks: Hooks) {
    this.#hooks = hooks;
  }

  /** Wins an election: its own leader change is committed and applied first, after what an older leader left. */
  elect(): void {
    this.#term++;
    this.#isLeader = true;
    this.#uncommitted.push({ data: null, done: new Deferred() });
    this.commit();
    this.#hooks.onLeadership({ kind: 'elected', term: this.#term });
  }

  /** Loses the lead. The first `survivors` uncommitted entries are on a majority and will be committed by the next leader. */
  lose(survivors = 0): void {
    this.#isLeader = false;
    for (const { done } of this.#uncommitted) done.reject(new ProposalAbandoned('the lead was lost'));
    this.#uncommitted = this.#uncommitted
      .slice(0, survivors)
      .map(({ data }) => ({ data, done: new Deferred() }));
    this.#hooks.onLeadership({ kind: 'lost', term: this.#term });
  }

  async propose(data: Buffer): Promise<{ offset: number }> {
    if (!this.#isLeader) throw new MillraceError('NOT_CONTROLLER', 'this node does not lead');
    if (this.refusal !== undefined) throw this.refusal;
    const proposal: Proposal = { data, done: new Deferred() };
    this.#uncommitted.push(proposal);
    if (this.isAutomatic) void Promise.resolve().then(() => this.commit());
    return proposal.done.promise;
  }

  get uncommittedCount(): number {
    return this.#uncommitted.length;
  }

  commit(count = this.#uncommitted.length): void {
    const proposals = this.#uncommitted.splice(0, count);
    const first = this.committed.length;
    const records = proposals.map(({ data }, i) => ({ offset: first + i, term: this.#term, data }));
    this.committed.push(...proposals.map(({ data }) => data));
    this.#hooks.stateMachine.apply(records);
    proposals.forEach(({ done }, i) => {
      done.resolve({ offset: first + i });
    });
  }

  /** Applies what another node's leader committed. */
  follow(entries: readonly (Buffer | null)[]): void {
    for (const data of entries) {
      this.#hooks.stateMachine.apply([{ offset: this.committed.length, term: this.#term, data }]);
      this.committed.push(data);
    }
  }

  /** Only what controllers look at. */
  status(): QuorumStatus {
    const logEndOffset = this.committed.length + this.#uncommitted.length;
    return { logEndOffset, voters: [], observers: [] } as Partial<QuorumStatus> as QuorumStatus;
  }

  position(): QuorumPosition {
    const highWatermark = this.committed.length;
    const logEndOffset = highWatermark + this.#uncommitted.length;
    return {
      role: this.#isLeader ? 'leader' : 'follower',
      term: this.#term,
      highWatermark,
      appliedOffset: highWatermark,
      flushedOffset: logEndOffset,
      logEndOffset,
    };
  }

  /** Nobody waits any more for what is in the log; it stays there. */
  timeOut(): void {
    for (const { done } of this.#uncommitted) done.reject(new MillraceError('REQUEST_TIMED_OUT'));
  }

  quorumId(): string {
    return '';
  }

  leaderId(): NodeId | undefined {
    return this.leader;
  }

  async transferLeadership(): Promise<void> {}

  voters(): readonly Voter[] {
    return [];
  }

  /** The entry that a voter set would be; who votes does not matter here. */
  changeVoters(): { offset: number; committed: Promise<{ offset: number }> } {
    const offset = this.committed.length + this.#uncommitted.length;
    const proposal: Proposal = { data: null, done: new Deferred() };
    this.#uncommitted.push(proposal);
    if (this.isAutomatic) void Promise.resolve().then(() => this.commit());
    return { offset, committed: proposal.done.promise };
  }

  async close(): Promise<void> {}
}
