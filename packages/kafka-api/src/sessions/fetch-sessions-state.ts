/**
 * Fetch sessions (KIP-227): which partitions a consumer follows is remembered here, so that requests name only what
 * changes and answers only what is new. Bounded: whoever finds no place is served without a session, which the protocol
 * always allows. Pure: the time and ids come from the caller, and nothing here fetches.
 */
import type { PartitionFetch, PartitionFetched } from '@millrace/broker';
import { below, type ErrorCode, type Random, type TopicId } from '@millrace/core';

/** Where a client has no session. */
const NO_SESSION = 0;
/** Epochs of requests that are no part of a session: one that opens one, and one that wants none (any more). */
const OPENING_EPOCH = 0;
const CLOSING_EPOCH = -1;
const FIRST_EPOCH = 1;
const INT32_MAX = 2 ** 31 - 1;

export interface FetchSessionLimits {
  readonly slots: number;
  /** Of all sessions together. Each costs some hundred bytes. */
  readonly partitions: number;
  /** A session unused for this long may go; one that is this old may go for a larger one. */
  readonly evictionMs: number;
}

/** One partition as a client asks for it. `topicId` is empty where a name means nothing at the moment. */
export interface AskedPartition extends PartitionFetch {
  /** Empty if the client goes by ids. */
  readonly topic: string;
}

/** What a request says of sessions, and the partitions that it names. */
export interface FetchAsked {
  readonly sessionId: number;
  readonly sessionEpoch: number;
  readonly goesByIds: boolean;
  readonly partitions: readonly AskedPartition[];
  readonly forgotten: readonly {
    readonly topic: string;
    readonly topicId: TopicId;
    readonly partition: number;
  }[];
}

export interface FetchAnswered {
  /** 0 for none. */
  readonly sessionId: number;
  /** What the client is told, in order. */
  readonly partitions: readonly (readonly [AskedPartition, PartitionFetched])[];
}

/** One fetch: what to fetch, and what to tell of what was found, given in the same order. */
export interface FetchPlan {
  readonly partitions: readonly AskedPartition[];
  answer(fetched: readonly PartitionFetched[], nowMs: number): FetchAnswered;
}

/** A partition of a session, with what its client knows of it. */
interface Followed {
  asked: AskedPartition;
  highWatermark: number;
  logStartOffset: number;
}

interface Session {
  readonly id: number;
  readonly goesByIds: boolean;
  readonly createdMs: number;
  usedMs: number;
  /** Of the next request. */
  epoch: number;
  /** Those that gave records last come last, so that none is kept waiting by others. */
  readonly followed: Map<string, Followed>;
}

export class FetchSessions {
  readonly #limits: FetchSessionLimits;
  readonly #random: Random;
  /** Least recently used first. */
  readonly #sessions = new Map<number, Session>();
  #partitions = 0;

  constructor(limits: FetchSessionLimits, random: Random) {
    this.#limits = limits;
    this.#random = random;
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** Partitions of all sessions. */
  get partitions(): number {
    return this.#partitions;
  }

  /**
   * @param topicIdOf what a name means now; empty for nothing.
   * @returns the error of a request that fits no session.
   */
  plan(asked: FetchAsked, topicIdOf: (name: string) => TopicId, nowMs: number): FetchPlan | ErrorCode {
    const { sessionId, sessionEpoch } = asked;
    if (sessionEpoch === OPENING_EPOCH || sessionEpoch === CLOSING_EPOCH) {
      this.#remove(this.#sessions.get(sessionId));
      return sessionEpoch === CLOSING_EPOCH ? withoutSession(asked) : this.#opening(asked);
    }
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return 'FETCH_SESSION_ID_NOT_FOUND';
    if (session.epoch !== sessionEpoch) return 'INVALID_FETCH_SESSION_EPOCH';
    if (session.goesByIds !== asked.goesByIds) return 'FETCH_SESSION_TOPIC_ID_ERROR';
    // One that grows out of bounds is over, and its client asks in full again.
    if (this.#partitions + asked.partitions.length > this.#limits.partitions) {
      this.#remove(session);
      return 'FETCH_SESSION_ID_NOT_FOUND';
    }
    this.#change(session, asked);
    if (session.followed.size === 0) {
      this.#remove(session);
      return withoutSession(asked);
    }
    session.epoch = session.epoch === INT32_MAX ? FIRST_EPOCH : session.epoch + 1;
    this.#touch(session, nowMs);
    return incremental(session, topicIdOf);
  }

  #change({ followed }: Session, { partitions, forgotten }: FetchAsked): void {
    const before = followed.size;
    for (const asked of partitions) {
      const known = followed.get(keyOf(asked));
      if (known === undefined) followed.set(keyOf(asked), newlyFollowed(asked));
      else known.asked = asked;
    }
    for (const partition of forgotten) followed.delete(keyOf(partition));
    this.#partitions += followed.size - before;
  }

  /** The session begins with the answer, and only if there is room for it then. */
  #opening(asked: FetchAsked): FetchPlan {
    const plain = withoutSession(asked);
    return {
      partitions: plain.partitions,
      answer: (fetched, nowMs) => {
        const answered = plain.answer(fetched, nowMs);
        const session = this.#open(asked, nowMs);
        if (session === undefined) return answered;
        for (const [partition, found] of answered.partitions) {
          note(session.followed.get(keyOf(partition))!, found);
        }
        return { ...answered, sessionId: session.id };
      },
    };
  }

  #open({ partitions, goesByIds }: FetchAsked, nowMs: number): Session | undefined {
    const followed = new Map(partitions.map((asked) => [keyOf(asked), newlyFollowed(asked)]));
    if (followed.size === 0 || this.#partitions + followed.size > this.#limits.partitions) return undefined;
    if (this.#sessions.size >= this.#limits.slots && !this.#evict(followed.size, nowMs)) return undefined;
    const session = {
      id: this.#freeId(),
      goesByIds,
      createdMs: nowMs,
      usedMs: nowMs,
      epoch: FIRST_EPOCH,
      followed,
    };
    this.#sessions.set(session.id, session);
    this.#partitions += followed.size;
    return session;
  }

  /** Makes room for a session of this size. Kafka's rule: first one that is out of use, then an old one that is smaller. */
  #evict(size: number, nowMs: number): boolean {
    const { evictionMs } = this.#limits;
    const [unused] = this.#sessions.values();
    if (unused === undefined) return false;
    if (nowMs - unused.usedMs > evictionMs) {
      this.#remove(unused);
      return true;
    }
    let smallest: Session | undefined;
    for (const session of this.#sessions.values()) {
      if (nowMs - session.createdMs <= evictionMs) continue;
      if (smallest === undefined || session.followed.size < smallest.followed.size) smallest = session;
    }
    if (smallest === undefined || smallest.followed.size >= size) return false;
    this.#remove(smallest);
    return true;
  }

  #remove(session: Session | undefined): void {
    if (session === undefined) return;
    this.#sessions.delete(session.id);
    this.#partitions -= session.followed.size;
  }

  #touch(session: Session, nowMs: number): void {
    session.usedMs = nowMs;
    this.#sessions.delete(session.id);
    this.#sessions.set(session.id, session);
  }

  #freeId(): number {
    for (;;) {
      const id = 1 + below(this.#random, INT32_MAX);
      if (!this.#sessions.has(id)) return id;
    }
  }
}

function keyOf({
  topic,
  topicId,
  partition,
}: {
  topic: string;
  topicId: TopicId;
  partition: number;
}): string {
  return topic === '' ? `${topicId}/${partition}` : `${topic}:${partition}`;
}

function newlyFollowed(asked: AskedPartition): Followed {
  return { asked, highWatermark: -1, logStartOffset: -1 };
}

/** Everything that was asked is answered. */
function withoutSession({ partitions }: FetchAsked): FetchPlan {
  return {
    partitions,
    answer: (fetched) => ({
      sessionId: NO_SESSION,
      partitions: partitions.map((asked, i) => [asked, fetched[i]!] as const),
    }),
  };
}

/** Only what is new is answered. */
function incremental({ id, followed }: Session, topicIdOf: (name: string) => TopicId): FetchPlan {
  const all = [...followed.values()];
  const partitions = all.map((each) => {
    const { topic, topicId } = each.asked;
    // A name may mean another topic than it did before.
    const current = topic === '' ? topicId : topicIdOf(topic);
    if (current !== topicId) each.asked = { ...each.asked, topicId: current };
    return each.asked;
  });
  return {
    partitions,
    answer: (fetched) => {
      const told: (readonly [AskedPartition, PartitionFetched])[] = [];
      for (let i = 0; i < partitions.length; i++) {
        const found = fetched[i]!;
        if (!note(all[i]!, found)) continue;
        told.push([partitions[i]!, found]);
        if (found.records.length > 0) moveToEnd(followed, partitions[i]!);
      }
      return { sessionId: id, partitions: told };
    },
  };
}

function moveToEnd(followed: Map<string, Followed>, asked: AskedPartition): void {
  const key = keyOf(asked);
  const each = followed.get(key);
  if (each === undefined) return;
  followed.delete(key);
  followed.set(key, each);
}

/** Whether the client does not know that yet; it does afterwards. What failed is told again when it is well. */
function note(followed: Followed, found: PartitionFetched): boolean {
  const isChanged =
    found.highWatermark !== followed.highWatermark || found.logStartOffset !== followed.logStartOffset;
  const isFailed = found.failure !== undefined;
  followed.highWatermark = isFailed ? -1 : found.highWatermark;
  followed.logStartOffset = found.logStartOffset;
  return isFailed || isChanged || found.records.length > 0 || found.divergingEpoch >= 0;
}
