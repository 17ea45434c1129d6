/**
 * One controller node's part of the metadata quorum: performs what the pure `RaftNode` decides, on a store,
 * a transport, a clock and a state machine. Decides nothing itself.
 *
 * Offsets count records from 0; Raft's indexes count from 1, so an index is the exclusive end offset of its record.
 */
import {
  type Clock,
  Deferred,
  invariant,
  type Logger,
  MillraceError,
  type NodeId,
  type Random,
  type Timer,
  toMillraceError,
} from '@millrace/core';
import {
  type Entry,
  type RaftEffect,
  type RaftEvent,
  type RaftMessage,
  RaftNode,
  type Voter,
  type VoterChange,
} from '@millrace/raft';
import { logStranger, replacedDirectory } from './other-quorum.ts';
import { type ConfiguredVoter, firstVoters, type QuorumConfig, raftConfigOf } from './quorum-config.ts';
import type { LeadershipEvent, QuorumStateMachine, RaftTransport } from './quorum-ports.ts';
import { type QuorumPosition, type QuorumStatus, quorumStatus } from './quorum-status.ts';
import { QuorumWaiters } from './quorum-waiters.ts';
import { QuorumWriter } from './quorum-writer.ts';
import type { RaftStore } from './raft-store.ts';
import { voterRefusal } from './voter-change.ts';

export interface MetadataQuorumOptions {
  readonly nodeId: NodeId;
  /** Of the directory that holds `store`. */
  readonly directoryId: string;
  /**
   * The first voters, by configuration. Without directory ids a new cluster forms once all of them have been up
   * together (raft/formation.ts); with all of them named it needs a majority. Without this node, or empty, on a node
   * that joins. Once this directory has a voter set, the list is only a hint whom to ask.
   */
  readonly voters: readonly ConfiguredVoter[];
  /** Closed with the quorum. */
  readonly store: RaftStore;
  readonly transport: RaftTransport;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly config: QuorumConfig;
  readonly stateMachine: QuorumStateMachine;
  readonly onLeadership: (event: LeadershipEvent) => void;
  /** `leaderId` answers otherwise than before. */
  readonly onLeaderChange?: () => void;
  /** The node must end: its disk failed, its state machine could not apply a committed record, or its quorum is a second one. Called at most once. */
  readonly onFatal: (error: MillraceError) => void;
}

type Send = Extract<RaftEffect, { kind: 'send' }>;

export class MetadataQuorum {
  readonly #options: MetadataQuorumOptions;
  readonly #node: RaftNode;
  readonly #writer: QuorumWriter;
  readonly #waiters: QuorumWaiters;
  readonly #events: RaftEvent[] = [];
  #isStepping = false;
  /** Sends that wait for a persist. */
  #held: Send[] = [];
  #durableId = 0;
  #appliedIndex = 0;
  #bytesSinceSnapshot = 0;
  /** Of the snapshot that is being saved; 0 for none. */
  #snapshotPersistId = 0;
  #ledTerm: number | undefined;
  #electedTerm: number | undefined;
  #toldLeaderId: NodeId | undefined;
  #transfer: Deferred<void> | undefined;
  /** How the voter change that is being asked for was answered. */
  #voterAnswer:
    | { readonly index: number; readonly committed: Promise<{ offset: number }> }
    | MillraceError
    | undefined;
  #timer: Timer | undefined;
  #timerDueMs = Number.POSITIVE_INFINITY;
  #state: 'running' | 'failed' | 'closed' = 'running';
  #closing: Promise<void> | undefined;

  private constructor(options: MetadataQuorumOptions, node: RaftNode) {
    this.#options = options;
    this.#node = node;
    this.#writer = new QuorumWriter(
      options.store,
      (id) => this.#onDurable(id),
      (error) => this.#fail(error),
    );
    this.#waiters = new QuorumWaiters({
      maxWaiting: options.config['controller.quorum.max.queued.proposals'],
      maxBytes: options.config['controller.quorum.max.queued.bytes'],
      timeoutMs: options.config['controller.quorum.request.timeout.ms'],
    });
  }

  /**
   * Restores the state machine from the newest snapshot and the records known to be committed, then takes part.
   * @throws {MillraceError} LOG_DAMAGED; INVALID_CONFIG if the configured voters repeat an id.
   */
  static async start(options: MetadataQuorumOptions): Promise<MetadataQuorum> {
    const durable = await options.store.load();
    const node = new RaftNode({
      id: options.nodeId,
      directoryId: options.directoryId,
      voters: firstVoters(options.voters),
      config: raftConfigOf(options.config),
      random: options.random,
      durable,
    });
    const quorum = new MetadataQuorum(options, node);
    const { snapshot } = durable;
    if (snapshot !== undefined) {
      options.stateMachine.restore(snapshot.data, snapshot.index);
      quorum.#appliedIndex = snapshot.index;
    }
    options.transport.onMessage((from, message) => quorum.#receive(from, message));
    options.transport.onDisconnect((peer) => quorum.#dispatch({ kind: 'peerDisconnected', peer }));
    quorum.#dispatch({ kind: 'start' });
    options.transport.onPeer?.((peer) => quorum.#dispatch({ kind: 'peerFound', peer }));
    return quorum;
  }

  /**
   * Appends one record. Resolves once it is committed and applied on this node.
   * @throws {MillraceError} (rejects) NOT_CONTROLLER or REQUEST_TIMED_OUT, whose message says whether the record is
   * known not to be applied; NODE_OVERLOADED and MESSAGE_TOO_LARGE, not applied; NODE_NOT_SERVING, unknown.
   */
  async propose(data: Buffer): Promise<{ offset: number }> {
    this.#checkRunning();
    const maxBytes = this.#options.config['controller.quorum.record.max.bytes'];
    if (data.length > maxBytes) {
      throw new MillraceError(
        'MESSAGE_TOO_LARGE',
        `a metadata record of ${data.length} bytes; ${maxBytes} are allowed`,
      );
    }
    if (this.#node.role !== 'leader') {
      throw new MillraceError('NOT_CONTROLLER', 'this node does not lead; the proposal was not applied');
    }
    const result = this.#waiters.addProposal(data, this.#options.clock.nowMs());
    this.#advance();
    return result;
  }

  /**
   * Appends a voter set that differs by one voter, behind everything proposed before; `committed` settles as a
   * proposal does. Not to be called from within the state machine.
   * @throws {MillraceError} (at once) VotersRefused if nothing was appended; NOT_CONTROLLER, NODE_NOT_SERVING.
   */
  changeVoters(change: VoterChange): { offset: number; committed: Promise<{ offset: number }> } {
    this.#checkRunning();
    invariant(!this.#isStepping, 'voters are not changed from within a step');
    if (this.#node.role !== 'leader') throw voterRefusal('notLeader');
    if (this.#waiters.queuedCount > 0) this.#events.push({ kind: 'propose', items: this.#waiters.queued() });
    this.#dispatch({ kind: 'changeVoters', change });
    const answer = this.#voterAnswer ?? voterRefusal('notLeader');
    this.#voterAnswer = undefined;
    if (answer instanceof MillraceError) throw answer;
    return { offset: answer.index - 1, committed: answer.committed };
  }

  /**
   * Resolves with the offset below which this node has applied everything that was committed when the call began,
   * anywhere in the quorum. @throws {MillraceError} (rejects) NOT_CONTROLLER, REQUEST_TIMED_OUT, NODE_OVERLOADED, NODE_NOT_SERVING
   */
  async readBarrier(): Promise<number> {
    this.#checkRunning();
    const { id, result } = this.#waiters.addRead(this.#options.clock.nowMs());
    this.#dispatch({ kind: 'read', id });
    return result;
  }

  /** The leader that this node knows of; itself only once it is the active controller (`elected`). */
  leaderId(): NodeId | undefined {
    const { leaderId } = this.#node;
    return leaderId === this.#options.nodeId && !this.isLeader() ? undefined : leaderId;
  }

  /** Leads, and has applied everything that was committed before its term. */
  isLeader(): boolean {
    return this.#electedTerm !== undefined && this.#state === 'running';
  }

  /** Empty until the cluster has formed, and for one that formed under an older version. */
  quorumId(): string {
    return this.#node.quorumId;
  }

  /** In force on this node, decided or not, where they are reached now. Empty until the cluster has formed. */
  voters(): readonly Voter[] {
    const { transport } = this.#options;
    return this.#node.voters.map((voter) => {
      return { ...voter, address: transport.addressOf?.(voter.id) ?? voter.address };
    });
  }

  /** Cheap enough to be asked for after every event. */
  position(): QuorumPosition {
    const { role, term, commitIndex, durableIndex, lastIndex } = this.#node.position;
    return {
      role,
      term,
      highWatermark: commitIndex,
      appliedOffset: this.#appliedIndex,
      flushedOffset: durableIndex,
      logEndOffset: lastIndex,
    };
  }

  status(): QuorumStatus {
    const { nodeId, directoryId, clock, transport } = this.#options;
    return quorumStatus(
      { nodeId, directoryId },
      this.#node.status(),
      this.#appliedIndex,
      clock.nowMs(),
      (id) => transport.addressOf?.(id),
    );
  }

  /**
   * Hands leadership to a voter, by default the one that is furthest ahead; resolves once this node does not lead.
   * @throws {MillraceError} (rejects) NOT_CONTROLLER; ELIGIBLE_LEADERS_NOT_AVAILABLE if no voter can take over or took
   * over within an election timeout.
   */
  async transferLeadership(to?: NodeId): Promise<void> {
    this.#checkRunning();
    await this.#handOver(to);
  }

  /** A leader hands over first. What still waits is refused with NODE_NOT_SERVING. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.isLeader() && this.#node.voters.length > 1) {
      // Best effort: without a successor the others notice by themselves.
      await this.#handOver(undefined).catch(() => {});
      // The successor may need this node's vote, which waits for the disk.
      await this.#writer.idle();
    }
    this.#state = 'closed';
    this.#timer?.cancel();
    this.#waiters.stopped();
    await this.#writer.idle();
    await this.#options.store.close();
  }

  async #handOver(to: NodeId | undefined): Promise<void> {
    if (!this.isLeader()) throw new MillraceError('NOT_CONTROLLER');
    const transfer = this.#transfer ?? new Deferred<void>();
    this.#transfer = transfer;
    this.#dispatch(to === undefined ? { kind: 'transferLeadership' } : { kind: 'transferLeadership', to });
    this.#settleTransfer();
    return transfer.promise;
  }

  #settleTransfer(): void {
    if (this.#transfer === undefined) return;
    const { role, isTransferring } = this.#node;
    if (role === 'leader' && isTransferring) return;
    if (role !== 'leader') this.#transfer.resolve();
    else this.#transfer.reject(new MillraceError('ELIGIBLE_LEADERS_NOT_AVAILABLE', 'no voter took over'));
    this.#transfer = undefined;
  }

  #receive(from: NodeId, message: RaftMessage): void {
    this.#dispatch({ kind: 'received', from, message });
  }

  #dispatch(event: RaftEvent): void {
    if (this.#state !== 'running') return;
    this.#events.push(event);
    this.#advance();
  }

  /** Steps through all events, and whatever their effects cause in turn, one after the other. */
  #advance(): void {
    if (this.#isStepping) return;
    this.#isStepping = true;
    try {
      for (let event = this.#nextEvent(); event !== undefined; event = this.#nextEvent()) {
        for (const effect of this.#node.step(event, this.#options.clock.nowMs())) this.#perform(effect);
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#isStepping = false;
    }
    this.#settleTransfer();
    this.#tellLeader();
    this.#schedule();
  }

  #tellLeader(): void {
    const leaderId = this.leaderId();
    if (leaderId === this.#toldLeaderId) return;
    this.#toldLeaderId = leaderId;
    this.#options.onLeaderChange?.();
  }

  /** While a write is in flight proposals gather: they share the next write, and one append to each follower. */
  #nextEvent(): RaftEvent | undefined {
    if (this.#state !== 'running') return undefined;
    const event = this.#events.shift();
    if (event !== undefined || this.#waiters.queuedCount === 0 || this.#writer.isBusy) return event;
    return { kind: 'propose', items: this.#waiters.queued() };
  }

  #perform(effect: RaftEffect): void {
    switch (effect.kind) {
      case 'persist':
        this.#writer.enqueue(effect);
        break;
      case 'saveSnapshot':
        this.#snapshotPersistId = effect.id;
        this.#writer.enqueue(effect);
        break;
      case 'send':
        if (effect.after <= this.#durableId) this.#options.transport.send(effect.to, effect.message);
        else this.#held.push(effect);
        break;
      case 'committed':
        this.#apply(effect.entries);
        break;
      case 'restore':
        this.#options.stateMachine.restore(effect.snapshot.data, effect.snapshot.index);
        this.#appliedIndex = effect.snapshot.index;
        this.#bytesSinceSnapshot = 0;
        break;
      case 'roleChanged':
        this.#onRoleChanged(effect);
        break;
      case 'proposed':
        this.#waiters.appended(effect.firstIndex, effect.lastIndex, effect.term);
        break;
      case 'proposalRefused':
        this.#waiters.refused(REFUSALS[effect.reason]);
        break;
      case 'votersProposed': {
        const { index, term } = effect;
        const committed = this.#waiters.appendedVoters(index, term, this.#options.clock.nowMs());
        this.#voterAnswer = { index, committed };
        break;
      }
      case 'votersRefused':
        this.#voterAnswer = voterRefusal(effect.reason);
        break;
      case 'votersChanged':
        this.#onVotersChanged(effect.voters);
        break;
      case 'peersLearned':
        this.#options.transport.connect?.(effect.peers);
        break;
      case 'strangerMet':
        logStranger(this.#options.logger, this.quorumId(), effect);
        break;
      case 'directoryReplaced':
        throw replacedDirectory(this.#options.directoryId, effect);
      case 'readReady':
        this.#waiters.readReady(effect.id, effect.index);
        this.#waiters.serveReads(this.#appliedIndex);
        break;
      case 'readRefused':
        this.#waiters.readRefused(effect.id);
        break;
      default:
        effect satisfies never;
    }
  }

  #apply(entries: readonly Entry[]): void {
    this.#options.stateMachine.apply(
      entries.map(({ index, term, kind, data }) => ({
        offset: index - 1,
        term,
        data: kind === 'data' ? data : null,
      })),
    );
    for (const { index, term, kind, data } of entries) {
      this.#appliedIndex = index;
      this.#bytesSinceSnapshot += data.length;
      this.#waiters.applied(index, term);
      if (kind === 'leaderChange' && term === this.#ledTerm) this.#onElected(term);
    }
    this.#waiters.serveReads(this.#appliedIndex);
    this.#maybeSnapshot();
  }

  #onVotersChanged(voters: readonly Voter[]): void {
    const { nodeId, transport, logger } = this.#options;
    const names = voters.map(({ id, directoryId }) => `${id}:${directoryId}`);
    logger.info({ event: 'quorum_voters', voters: names }, 'the voters of the metadata quorum');
    transport.connect?.(voters.filter(({ id }) => id !== nodeId));
  }

  #maybeSnapshot(): void {
    const limit = this.#options.config['metadata.log.max.record.bytes.between.snapshots'];
    if (this.#bytesSinceSnapshot < limit || this.#snapshotPersistId > 0) return;
    this.#bytesSinceSnapshot = 0;
    const data = this.#options.stateMachine.snapshot();
    this.#dispatch({ kind: 'snapshotTaken', index: this.#appliedIndex, data });
  }

  #onElected(term: number): void {
    this.#electedTerm = term;
    this.#options.logger.info({ event: 'quorum_elected', term }, 'this node leads the metadata quorum');
    this.#options.onLeadership({ kind: 'elected', term });
  }

  #onRoleChanged({ role, term, leaderId }: Extract<RaftEffect, { kind: 'roleChanged' }>): void {
    this.#options.logger.debug({ event: 'quorum_role', role, term, leaderId }, 'role in the metadata quorum');
    if (role === 'leader') {
      this.#ledTerm = term;
      return;
    }
    if (this.#ledTerm === undefined) return;
    this.#ledTerm = undefined;
    this.#waiters.leadershipLost();
    this.#reportLoss();
  }

  #reportLoss(): void {
    const term = this.#electedTerm;
    if (term === undefined) return;
    this.#electedTerm = undefined;
    this.#options.logger.warn(
      { event: 'quorum_lost', term },
      'this node does not lead the metadata quorum any more',
    );
    this.#options.onLeadership({ kind: 'lost', term });
  }

  #onDurable(id: number): void {
    if (this.#state !== 'running') return;
    this.#durableId = id;
    const released = this.#held.filter(({ after }) => after <= id);
    this.#held = this.#held.filter(({ after }) => after > id);
    for (const { to, message } of released) this.#options.transport.send(to, message);
    if (this.#snapshotPersistId <= id) this.#snapshotPersistId = 0;
    this.#dispatch({ kind: 'persisted', id });
  }

  #onTimer(): void {
    this.#timer = undefined;
    this.#timerDueMs = Number.POSITIVE_INFINITY;
    this.#waiters.expire(this.#options.clock.nowMs());
    this.#dispatch({ kind: 'tick' });
  }

  /** One timer serves Raft and the waiters. A deadline that moved later is noticed when the timer fires. */
  #schedule(): void {
    const dueMs = Math.min(this.#node.deadlineMs, this.#waiters.dueMs);
    if (this.#state !== 'running' || dueMs >= this.#timerDueMs) return;
    this.#timer?.cancel();
    this.#timerDueMs = dueMs;
    const delayMs = Math.max(0, dueMs - this.#options.clock.nowMs());
    this.#timer = this.#options.clock.schedule(delayMs, () => this.#onTimer());
  }

  #checkRunning(): void {
    if (this.#state !== 'running' || this.#closing !== undefined) {
      throw new MillraceError(
        'NODE_NOT_SERVING',
        'this node does not take part in the metadata quorum any more',
      );
    }
  }

  #fail(error: unknown): void {
    if (this.#state !== 'running') return;
    this.#state = 'failed';
    this.#timer?.cancel();
    const failure = toMillraceError(error);
    this.#options.logger.fatal({ event: 'quorum_failed', err: error }, 'the metadata quorum cannot go on');
    this.#waiters.abort(failure);
    this.#transfer?.reject(failure);
    this.#reportLoss();
    this.#options.onFatal(failure);
  }
}

const REFUSALS = {
  notLeader: 'this node does not lead',
  notReady: 'this node was elected but is not ready to lead yet',
  transferring: 'this node is handing leadership over',
} as const;
