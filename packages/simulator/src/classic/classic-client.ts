/**
 * A member of the classic protocol as Java's and Python's consumers are: finds the coordinator, joins, leads if it is told
 * to, syncs, sends heartbeats and joins again, commits what its membership allows, leaves. What it holds changes only here;
 * what it does with that is its owner's. Kept apart from the SDK, which speaks another protocol.
 */
import {
  below,
  type ErrorCode,
  errorCodeOf,
  formatTopicPartition,
  MillraceError,
  type SeededRandom,
  sleep,
  type TopicPartition,
} from '@millrace/core';
import type { ApiName, RequestDraftOf, ResponseOf } from '@millrace/kafka-api';
import { codeOf } from '../cluster/client-crew.ts';
import type { SimLife } from '../world/sim-process.ts';
import type { ClassicTerms } from './classic-terms.ts';
import {
  keyed,
  readAssignment,
  readSubscription,
  writeAssignment,
  writeSubscription,
} from './consumer-protocol-bytes.ts';
import type { KafkaClient } from './kafka-client.ts';
import { assignRanges } from './range-assignor.ts';

/** What a member's owner does when its partitions change. */
export interface ClassicOwner {
  /** Before it joins again, while its membership still counts: time to commit. */
  beforeJoin(): Promise<void>;
  /** It holds them no more. */
  taken(partitions: readonly TopicPartition[], why: 'revoked' | 'lost'): void;
  /** They are its own from now on. */
  given(partitions: readonly TopicPartition[]): void;
}

/** What a request must name to speak for the member. */
export interface Membership {
  readonly host: string;
  readonly memberId: string;
  readonly generation: number;
}

export interface CommittedPartition extends TopicPartition {
  readonly offset: number;
}

const CALL_MS = 2_000;
const JOIN_SLACK_MS = 5_000;
const BACKOFF_MS = 100;
const CONSUMER = 'consumer';

/** The coordinator is elsewhere, or was not heard. */
const COORDINATOR_UNKNOWN: ReadonlySet<ErrorCode> = new Set([
  'NOT_COORDINATOR',
  'COORDINATOR_NOT_AVAILABLE',
  'NETWORK_EXCEPTION',
  'CONNECTION_FAILED',
  'REQUEST_TIMED_OUT',
]);
/** Nothing ends by these but the request. */
const TRY_AGAIN: ReadonlySet<ErrorCode> = new Set([
  'COORDINATOR_LOAD_IN_PROGRESS',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'NOT_ENOUGH_REPLICAS',
]);

export class ClassicClient {
  readonly terms: ClassicTerms;
  readonly #life: SimLife;
  readonly #random: SeededRandom;
  readonly #wire: KafkaClient;
  readonly #owner: ClassicOwner;
  /** By `topic-partition`. */
  #held = new Map<string, TopicPartition>();
  /** Of the generation in which it was given what it holds. */
  #heldSince = -1;
  #memberId = '';
  #generation = -1;
  #isStable = false;
  #mustJoin = true;
  #coordinator: string | undefined;
  #fatal: ErrorCode | undefined;
  #lastPollMs: number;
  #isOver = false;

  constructor(
    life: SimLife,
    random: SeededRandom,
    wire: KafkaClient,
    terms: ClassicTerms,
    owner: ClassicOwner,
  ) {
    this.#life = life;
    this.#random = random;
    this.#wire = wire;
    this.terms = terms;
    this.#owner = owner;
    this.#lastPollMs = life.clock.nowMs();
    void this.#beats();
  }

  get held(): ReadonlyMap<string, TopicPartition> {
    return this.#held;
  }

  /** The last that it was told of by the coordinator; -1 for none. */
  get joinedGeneration(): number {
    return this.#generation;
  }

  /** Undefined while nothing may be committed. */
  get membership(): Membership | undefined {
    if (!this.#isStable || this.#coordinator === undefined) return undefined;
    return { host: this.#coordinator, memberId: this.#memberId, generation: this.#generation };
  }

  /**
   * One step towards membership, if there is one to take: call it again and again, as programs poll.
   * @returns whether it is a member and need not join.
   * @throws {MillraceError} what ends it for good.
   */
  async poll(): Promise<boolean> {
    this.#lastPollMs = this.#life.clock.nowMs();
    this.#throwIfOver();
    if (this.#isStable && !this.#mustJoin) return true;
    try {
      const host = await this.#findCoordinator();
      await this.#prepareToJoin();
      await this.#join(host);
    } catch (error) {
      this.#life.note('classic join failed', codeOf(error));
      this.#throwIfOver();
      await sleep(this.#life.clock, BACKOFF_MS);
    }
    this.#lastPollMs = this.#life.clock.nowMs();
    return this.#isStable && !this.#mustJoin;
  }

  /**
   * @param patience `late`: its connection is given up if there is no answer in time.
   * @throws {MillraceError} why it is not committed, or not known to be.
   */
  async commit(
    membership: Membership,
    offsets: readonly CommittedPartition[],
    metadata: string,
    wire = this.#wire,
    patience: 'never' | 'late' = 'late',
  ): Promise<void> {
    const { host, memberId, generation } = membership;
    const { groupId, groupInstanceId, speech } = this.terms;
    const topics = [...new Set(offsets.map(({ topic }) => topic))];
    const request: RequestDraftOf<'offsetCommit'> = {
      groupId,
      generationIdOrMemberEpoch: generation,
      memberId,
      groupInstanceId: groupInstanceId ?? null,
      topics: topics.map((name) => ({
        name,
        partitions: offsets
          .filter(({ topic }) => topic === name)
          .map(({ partition, offset }) => {
            return { partitionIndex: partition, committedOffset: offset, committedMetadata: metadata };
          }),
      })),
    };
    const timeoutMs = patience === 'late' ? CALL_MS : undefined;
    await this.#guarded(membership, async () => {
      const answer = await wire.call(host, 'offsetCommit', speech.offsetCommit, request, timeoutMs);
      for (const { partitions } of answer.topics)
        for (const { errorCode } of partitions) throwIfRefused(errorCode);
    });
  }

  /** By `topic-partition`; -1 for nothing. @throws {MillraceError} */
  async committed(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, number>> {
    const host = await this.#findCoordinator();
    const { groupId, speech } = this.terms;
    const names = [...new Set(partitions.map(({ topic }) => topic))];
    const topics = names.map((name) => ({
      name,
      partitionIndexes: partitions.filter(({ topic }) => topic === name).map(({ partition }) => partition),
    }));
    const asked: RequestDraftOf<'offsetFetch'> =
      speech.offsetFetch >= 8 ? { groups: [{ groupId, topics }] } : { groupId, topics };
    return await this.#heard(host, async () => {
      const answer = await this.#call(host, 'offsetFetch', speech.offsetFetch, asked);
      const found = answer.groups?.[0] ?? answer;
      throwIfRefused(found.errorCode ?? 0);
      const offsets = new Map<string, number>();
      for (const { name, partitions: of } of found.topics ?? []) {
        for (const { partitionIndex, committedOffset, errorCode } of of) {
          throwIfRefused(errorCode);
          offsets.set(formatTopicPartition({ topic: name, partition: partitionIndex }), committedOffset);
        }
      }
      return offsets;
    });
  }

  /** @param isSilent says nothing to anybody, as who dies; a static member never says anything. */
  async leave(isSilent: boolean): Promise<void> {
    this.#isOver = true;
    if (!isSilent) await this.#sayGoodbye().catch((error: unknown) => this.#noteFailure('leave', error));
    this.#letGo([...this.#held.values()], 'lost');
  }

  // ---- joining ----------------------------------------------------------------------------------------------------------

  /** Once it is in a membership no more, it holds nothing; an eager one holds nothing while it joins. */
  async #prepareToJoin(): Promise<void> {
    if (this.#isStable) await this.#owner.beforeJoin();
    this.#throwIfOver();
    this.#isStable = false;
    const all = [...this.#held.values()];
    if (this.#generation < 0) this.#letGo(all, 'lost');
    else if (!this.terms.isCooperative) this.#letGo(all, 'revoked');
  }

  async #join(host: string): Promise<void> {
    const { terms } = this;
    const { groupId, groupInstanceId, protocol, speech, sessionTimeoutMs, rebalanceTimeoutMs } = terms;
    this.#mustJoin = false;
    const memberId = this.#memberId;
    const metadata = writeSubscription(speech.subscription, {
      topics: terms.topics,
      owned: [...this.#held.values()],
      generation: this.#heldSince,
    });
    const request: RequestDraftOf<'joinGroup'> = {
      groupId,
      sessionTimeoutMs,
      rebalanceTimeoutMs,
      memberId,
      groupInstanceId: groupInstanceId ?? null,
      protocolType: CONSUMER,
      protocols: [{ name: protocol, metadata }],
    };
    const waitMs = rebalanceTimeoutMs + JOIN_SLACK_MS;
    try {
      const joined = await this.#heard(host, () =>
        this.#wire.call(host, 'joinGroup', speech.joinGroup, request, waitMs),
      );
      if (joined.errorCode !== 0) return this.#joinRefused(errorCodeOf(joined.errorCode), joined.memberId);
      this.#memberId = joined.memberId;
      this.#generation = joined.generationId;
      await this.#sync(host, joined);
    } catch (error) {
      this.#mustJoin = true;
      throw error;
    }
  }

  #joinRefused(code: ErrorCode, memberId: string): void {
    this.#mustJoin = true;
    if (code === 'MEMBER_ID_REQUIRED') {
      this.#memberId = memberId;
      return;
    }
    this.#refused(code);
    throw new MillraceError(code);
  }

  async #sync(host: string, joined: ResponseOf<'joinGroup'>): Promise<void> {
    const { groupId, groupInstanceId, protocol, speech, rebalanceTimeoutMs } = this.terms;
    const isLeader = joined.leader === this.#memberId && !joined.skipAssignment;
    const request: RequestDraftOf<'syncGroup'> = {
      groupId,
      generationId: this.#generation,
      memberId: this.#memberId,
      groupInstanceId: groupInstanceId ?? null,
      protocolType: CONSUMER,
      protocolName: protocol,
      assignments: isLeader ? this.#assign(joined) : [],
    };
    const waitMs = rebalanceTimeoutMs + JOIN_SLACK_MS;
    const synced = await this.#heard(host, () =>
      this.#wire.call(host, 'syncGroup', speech.syncGroup, request, waitMs),
    );
    if (synced.errorCode !== 0) {
      const code = errorCodeOf(synced.errorCode);
      this.#mustJoin = true;
      this.#refused(code);
      throw new MillraceError(code);
    }
    this.#take(readAssignment(synced.assignment));
  }

  #assign({ members }: ResponseOf<'joinGroup'>): RequestDraftOf<'syncGroup'>['assignments'] {
    const { partitionsOf, isCooperative, speech } = this.terms;
    const known = members.map(({ memberId, groupInstanceId, metadata }) => ({
      memberId,
      groupInstanceId: groupInstanceId ?? undefined,
      subscription: readSubscription(metadata),
    }));
    return Array.from(assignRanges(known, partitionsOf, isCooperative), ([memberId, partitions]) => ({
      memberId,
      assignment: writeAssignment(speech.subscription, partitions),
    }));
  }

  #take(partitions: readonly TopicPartition[]): void {
    const assigned = keyed(partitions);
    const released = [...this.#held].filter(([key]) => !assigned.has(key)).map(([, each]) => each);
    this.#letGo(released, 'revoked');
    // What it gave up can go to somebody in the next round.
    if (released.length > 0) this.#mustJoin = true;
    const fresh = [...assigned].filter(([key]) => !this.#held.has(key)).map(([, each]) => each);
    this.#held = assigned;
    this.#heldSince = this.#generation;
    this.#isStable = true;
    this.#life.note('classic stable', this.#generation, [...assigned.keys()].join(' '));
    this.#owner.given(fresh);
  }

  #letGo(partitions: readonly TopicPartition[], why: 'revoked' | 'lost'): void {
    if (partitions.length === 0) return;
    for (const each of partitions) this.#held.delete(formatTopicPartition(each));
    this.#owner.taken(partitions, why);
  }

  // ---- being a member ---------------------------------------------------------------------------------------------------

  async #beats(): Promise<void> {
    const { clock } = this.#life;
    const { heartbeatIntervalMs, rebalanceTimeoutMs } = this.terms;
    while (!this.#isOver) {
      await sleep(clock, heartbeatIntervalMs);
      if (!this.#isStable || this.#isOver) continue;
      try {
        if (clock.nowMs() - this.#lastPollMs > rebalanceTimeoutMs) await this.#dropOut();
        else await this.#beat(await this.#findCoordinator());
      } catch (error) {
        this.#noteFailure('heartbeat', error);
      }
    }
  }

  async #beat(host: string): Promise<void> {
    const { groupId, groupInstanceId, speech } = this.terms;
    const membership = { host, memberId: this.#memberId, generation: this.#generation };
    const { memberId, generation: generationId } = membership;
    const request = { groupId, memberId, generationId, groupInstanceId: groupInstanceId ?? null };
    await this.#guarded(membership, async () => {
      const { errorCode } = await this.#call(host, 'heartbeat', speech.heartbeat, request);
      throwIfRefused(errorCode);
    });
  }

  /** Its owner does not come back for more: it goes, and joins anew when it does. */
  async #dropOut(): Promise<void> {
    this.#life.note('classic dropped out');
    const goodbye = this.#sayGoodbye();
    this.#forget('');
    await goodbye;
  }

  async #sayGoodbye(): Promise<void> {
    const { groupId, groupInstanceId, speech } = this.terms;
    const memberId = this.#memberId;
    if (memberId === '' || groupInstanceId !== undefined) return;
    const request =
      speech.leaveGroup >= 3
        ? { groupId, members: [{ memberId, groupInstanceId: null }] }
        : { groupId, memberId };
    await this.#call(await this.#findCoordinator(), 'leaveGroup', speech.leaveGroup, request);
  }

  // ---- what answers mean -------------------------------------------------------------------------------------------------

  /** An answer to what an older membership asked says nothing about the present one. */
  async #guarded(asked: Membership, call: () => Promise<void>): Promise<void> {
    try {
      await this.#heard(asked.host, call);
    } catch (error) {
      const isPresent = asked.memberId === this.#memberId && asked.generation === this.#generation;
      if (isPresent && this.#isStable) this.#refused(codeOf(error));
      throw error;
    }
  }

  /** Looks for the coordinator anew when the one at `host` is none, or was not heard. */
  async #heard<T>(host: string, call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      const isUnknown = COORDINATOR_UNKNOWN.has(codeOf(error) as ErrorCode);
      if (isUnknown && this.#coordinator === host) this.#coordinator = undefined;
      throw error;
    }
  }

  #refused(text: string): void {
    const code = text as ErrorCode;
    if (code === 'REBALANCE_IN_PROGRESS') this.#mustJoin = true;
    else if (code === 'UNKNOWN_MEMBER_ID') this.#forget('');
    else if (code === 'ILLEGAL_GENERATION') this.#forget(this.#memberId);
    else if (COORDINATOR_UNKNOWN.has(code)) this.#coordinator = undefined;
    else if (!TRY_AGAIN.has(code)) this.#fatal = code;
  }

  #forget(memberId: string): void {
    this.#memberId = memberId;
    this.#generation = -1;
    this.#isStable = false;
    this.#mustJoin = true;
  }

  #throwIfOver(): void {
    if (this.#fatal !== undefined) throw new MillraceError(this.#fatal);
    if (this.#isOver) throw new MillraceError('CLOSED');
  }

  async #findCoordinator(): Promise<string> {
    if (this.#coordinator !== undefined) return this.#coordinator;
    const { brokers, groupId, speech } = this.terms;
    const host = brokers[below(this.#random, brokers.length)]!;
    const request = speech.findCoordinator >= 4 ? { coordinatorKeys: [groupId] } : { key: groupId };
    const answer = await this.#call(host, 'findCoordinator', speech.findCoordinator, request);
    const found = answer.coordinators?.[0] ?? answer;
    throwIfRefused(found.errorCode ?? 0);
    this.#coordinator = found.host!;
    this.#life.note('coordinator', this.#coordinator);
    return this.#coordinator;
  }

  #call<N extends ApiName>(
    host: string,
    api: N,
    version: number,
    request: RequestDraftOf<N>,
  ): Promise<ResponseOf<N>> {
    return this.#wire.call(host, api, version, request, CALL_MS);
  }

  #noteFailure(what: string, error: unknown): void {
    this.#life.note(`classic ${what} failed`, codeOf(error));
  }
}

/** @throws {MillraceError} */
function throwIfRefused(errorCode: number): void {
  if (errorCode !== 0) throw new MillraceError(errorCodeOf(errorCode));
}
