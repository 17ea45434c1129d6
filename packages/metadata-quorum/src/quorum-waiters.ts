/**
 * Who waits for what in the quorum: proposals for commit, reads for their index. Bounded in number and bytes;
 * everything ends in an answer or in REQUEST_TIMED_OUT. Knows nothing of Raft roles.
 */
import { Deferred, invariant, MillraceError } from '@millrace/core';

export interface WaitLimits {
  readonly maxWaiting: number;
  readonly maxBytes: number;
  readonly timeoutMs: number;
}

interface Proposal {
  readonly data: Buffer;
  readonly dueMs: number;
  readonly result: Deferred<{ offset: number }>;
  /** 0 while it is not in the log. */
  index: number;
  term: number;
}

interface Read {
  readonly dueMs: number;
  readonly result: Deferred<number>;
  /** The index to be applied before it is served; undefined until leadership was confirmed. */
  index: number | undefined;
}

/**
 * A proposal that gave up before it was in the log: what was decided on top of it can never take its place. Its code
 * is that of any other proposal that was not answered in time, which may still be committed.
 */
export class ProposalNotAppended extends MillraceError {
  constructor() {
    super('REQUEST_TIMED_OUT', 'the proposal was not applied');
  }
}

/**
 * A proposal in the log whose fate this node does not learn: a later leader commits it or does not. Its code is the
 * one for an unknown outcome, so that nobody takes it for a refusal and simply asks the next controller.
 */
export class ProposalAbandoned extends MillraceError {
  constructor(why: string) {
    super('REQUEST_TIMED_OUT', `${why} before the commit; the proposal may or may not be applied`);
  }
}

const notApplied = (why: string): MillraceError =>
  new MillraceError('NOT_CONTROLLER', `${why}; the proposal was not applied`);

export class QuorumWaiters {
  readonly #limits: WaitLimits;
  /** Not in the log yet, oldest first. */
  #queued: Proposal[] = [];
  /** In the log, by index; a Map keeps them in that order. */
  readonly #appended = new Map<number, Proposal>();
  readonly #reads = new Map<number, Read>();
  #bytes = 0;
  #readId = 0;

  constructor(limits: WaitLimits) {
    this.#limits = limits;
  }

  get queuedCount(): number {
    return this.#queued.length;
  }

  /** When the oldest waiter gives up; Infinity if nobody waits. */
  get dueMs(): number {
    return Math.min(
      this.#appended.values().next().value?.dueMs ?? Number.POSITIVE_INFINITY,
      this.#queued[0]?.dueMs ?? Number.POSITIVE_INFINITY,
      this.#reads.values().next().value?.dueMs ?? Number.POSITIVE_INFINITY,
    );
  }

  /** @throws {MillraceError} NODE_OVERLOADED */
  addProposal(data: Buffer, nowMs: number): Promise<{ offset: number }> {
    this.#checkRoom(data.length);
    const proposal: Proposal = {
      data,
      dueMs: nowMs + this.#limits.timeoutMs,
      result: new Deferred(),
      index: 0,
      term: 0,
    };
    this.#queued.push(proposal);
    this.#bytes += data.length;
    return proposal.result.promise;
  }

  /** @returns the read's id and its promise of the index that was reached. @throws {MillraceError} NODE_OVERLOADED */
  addRead(nowMs: number): { id: number; result: Promise<number> } {
    this.#checkRoom(0);
    const id = ++this.#readId;
    const read: Read = { dueMs: nowMs + this.#limits.timeoutMs, result: new Deferred(), index: undefined };
    this.#reads.set(id, read);
    return { id, result: read.result.promise };
  }

  #checkRoom(bytes: number): void {
    const waiting = this.#queued.length + this.#appended.size + this.#reads.size;
    if (waiting < this.#limits.maxWaiting && this.#bytes + bytes <= this.#limits.maxBytes) return;
    throw new MillraceError('NODE_OVERLOADED', `${waiting} proposals and reads wait for the metadata quorum`);
  }

  /** What is queued, in order. Answered by `appended` or `refused` before anything else happens. */
  queued(): Buffer[] {
    return this.#queued.map(({ data }) => data);
  }

  appended(firstIndex: number, lastIndex: number, term: number): void {
    invariant(lastIndex - firstIndex + 1 === this.#queued.length, 'all that was queued is appended', {
      firstIndex,
      lastIndex,
    });
    let index = firstIndex;
    for (const proposal of this.#queued.splice(0)) {
      proposal.index = index++;
      proposal.term = term;
      this.#appended.set(proposal.index, proposal);
    }
  }

  /** A voter set is in the log; it is waited for like a proposal. */
  appendedVoters(index: number, term: number, nowMs: number): Promise<{ offset: number }> {
    const dueMs = nowMs + this.#limits.timeoutMs;
    const proposal: Proposal = { data: Buffer.alloc(0), dueMs, result: new Deferred(), index, term };
    this.#appended.set(index, proposal);
    return proposal.result.promise;
  }

  refused(why: string): void {
    for (const proposal of this.#queued.splice(0)) this.#reject(proposal, notApplied(why));
  }

  /** Entry `index` was applied, as `term` wrote it. */
  applied(index: number, term: number): void {
    const proposal = this.#appended.get(index);
    if (proposal === undefined) return;
    this.#appended.delete(index);
    if (proposal.term === term) {
      this.#bytes -= proposal.data.length;
      proposal.result.resolve({ offset: index - 1 });
    } else {
      this.#reject(proposal, notApplied('another leader wrote this offset'));
    }
  }

  /** Reads whose index is applied are served. */
  serveReads(appliedIndex: number): void {
    for (const [id, { index, result }] of this.#reads) {
      if (index === undefined || index > appliedIndex) continue;
      this.#reads.delete(id);
      result.resolve(appliedIndex);
    }
  }

  readReady(id: number, index: number): void {
    const read = this.#reads.get(id);
    if (read !== undefined) read.index = index;
  }

  readRefused(id: number): void {
    this.#reads.get(id)?.result.reject(new MillraceError('NOT_CONTROLLER'));
    this.#reads.delete(id);
  }

  /** This node does not lead any more: what is in the log may or may not be committed by the next leader. */
  leadershipLost(): void {
    this.#abandon('leadership was lost');
    this.refused('leadership was lost');
  }

  expire(nowMs: number): void {
    const inTime: Proposal[] = [];
    for (const proposal of this.#queued.splice(0)) {
      if (proposal.dueMs > nowMs) inTime.push(proposal);
      else this.#reject(proposal, new ProposalNotAppended());
    }
    this.#queued = inTime;
    for (const [index, proposal] of this.#appended) {
      if (proposal.dueMs > nowMs) break;
      this.#appended.delete(index);
      const unknown = 'no majority answered in time; the proposal may or may not be applied';
      this.#reject(proposal, new MillraceError('REQUEST_TIMED_OUT', unknown));
    }
    for (const [id, read] of this.#reads) {
      if (read.dueMs > nowMs) break;
      this.#reads.delete(id);
      read.result.reject(new MillraceError('REQUEST_TIMED_OUT', 'no majority confirmed the read in time'));
    }
  }

  /** This node leaves the quorum in order. */
  stopped(): void {
    this.#abandon('the node stopped');
    this.abort(new MillraceError('NODE_NOT_SERVING', 'the node stopped'));
  }

  /** Ends everything with `error`. */
  abort(error: MillraceError): void {
    for (const proposal of [...this.#appended.values(), ...this.#queued.splice(0)]) {
      this.#reject(proposal, error);
    }
    this.#appended.clear();
    for (const read of this.#reads.values()) read.result.reject(error);
    this.#reads.clear();
  }

  #abandon(why: string): void {
    for (const proposal of this.#appended.values()) this.#reject(proposal, new ProposalAbandoned(why));
    this.#appended.clear();
  }

  #reject(proposal: Proposal, error: MillraceError): void {
    this.#bytes -= proposal.data.length;
    invariant(this.#bytes >= 0, 'bytes are given back once', { bytes: this.#bytes });
    proposal.result.reject(error);
  }
}
