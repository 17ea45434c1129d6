/**
 * Which brokers the active controller hears. Lives only as long as the leadership: a new controller gives every
 * broker a fresh session. Says who is due to be fenced, never fences.
 *
 * A broker is due when
 * - it was silent for the session timeout (a cut network, a stopped process), or
 * - its connection broke and did not come back within the grace (a killed process), or
 * - the controller is new, others came to it, and this one did not within the first-contact time. A killed node that
 *   was the controller itself has no connection left that could break; this, and `disconnected` called for the
 *   broken Raft connection, keep its partitions from waiting for the session timeout.
 * Fencing a live broker in error costs leadership changes, never records: it comes back with its next heartbeat.
 */
import type { NodeId } from '@millrace/core';
import type { BrokerImage, MetadataImage } from '@millrace/metadata';

export interface LivenessLimits {
  readonly sessionTimeoutMs: number;
  readonly disconnectGraceMs: number;
  readonly firstContactMs: number;
}

export type FenceReason = 'session timed out' | 'disconnected' | 'never came';

/** A sign of life, and the connection on which it came, if the caller tells connections apart. */
export interface Contact {
  readonly brokerId: NodeId;
  readonly brokerEpoch: number;
  readonly metadataOffset: number;
  readonly connection: object | undefined;
}

interface Session {
  readonly brokerEpoch: number;
  connection: object | undefined;
  lastContactMs: number;
  /** Heard by this controller at all. */
  contacted: boolean;
  disconnectedAtMs: number | undefined;
  metadataOffset: number;
  /** The metadata offset that everyone must know before this broker may go. */
  shutdownOffset: number | undefined;
}

export class BrokerLivenessState {
  readonly #limits: LivenessLimits;
  readonly #activatedAtMs: number;
  readonly #sessions = new Map<NodeId, Session>();
  #lastCheckMs: number;

  constructor(limits: LivenessLimits, nowMs: number) {
    this.#limits = limits;
    this.#activatedAtMs = nowMs;
    this.#lastCheckMs = nowMs;
  }

  /** The broker was heard: its registration or a heartbeat. */
  contact(contact: Contact, nowMs: number): void {
    const { brokerId, brokerEpoch, metadataOffset, connection } = contact;
    const session = this.#session(brokerId, brokerEpoch, nowMs);
    session.connection = connection;
    session.lastContactMs = nowMs;
    session.contacted = true;
    session.disconnectedAtMs = undefined;
    session.metadataOffset = Math.max(session.metadataOffset, metadataOffset);
  }

  /** The broker's connection broke. An older connection than the one that was heard last does not matter. */
  disconnected({ brokerId, brokerEpoch, connection }: Omit<Contact, 'metadataOffset'>, nowMs: number): void {
    const session = this.#session(brokerId, brokerEpoch, nowMs);
    if (session.connection === connection) session.disconnectedAtMs ??= nowMs;
  }

  /** The node's Raft connection broke: counts only against a broker that has not come to this controller. */
  peerDisconnected(broker: BrokerImage, nowMs: number): void {
    const session = this.#session(broker.id, broker.brokerEpoch, nowMs);
    if (!session.contacted) session.disconnectedAtMs ??= nowMs;
  }

  /** Somebody lives who holds this registration, as far as this controller knows. */
  isLive({ id, brokerEpoch }: BrokerImage, nowMs: number): boolean {
    const session = this.#sessions.get(id);
    if (session === undefined || session.brokerEpoch !== brokerEpoch) return false;
    const silentMs = nowMs - session.lastContactMs;
    return (
      session.contacted && session.disconnectedAtMs === undefined && silentMs < this.#limits.sessionTimeoutMs
    );
  }

  /** Unfenced brokers that are due to be fenced. */
  due(image: MetadataImage, nowMs: number): { broker: BrokerImage; reason: FenceReason }[] {
    this.#forgivePause(nowMs);
    const due: { broker: BrokerImage; reason: FenceReason }[] = [];
    for (const broker of image.brokers.values()) {
      if (broker.fenced) continue;
      const reason = this.#reason(this.#session(broker.id, broker.brokerEpoch, nowMs), nowMs);
      if (reason !== undefined) due.push({ broker, reason });
    }
    return due;
  }

  /** The broker's controlled shutdown is complete once everyone active knows `offset`. */
  shuttingDown(brokerId: NodeId, brokerEpoch: number, offset: number, nowMs: number): void {
    this.#session(brokerId, brokerEpoch, nowMs).shutdownOffset ??= offset;
  }

  /** Whether every active broker has applied the metadata that moved this one's leaderships (P15). */
  everyoneKnowsShutdown(brokerId: NodeId, image: MetadataImage): boolean {
    const shutdownOffset = this.#sessions.get(brokerId)?.shutdownOffset;
    if (shutdownOffset === undefined) return false;
    for (const broker of image.brokers.values()) {
      if (broker.fenced || broker.inControlledShutdown) continue;
      const session = this.#sessions.get(broker.id);
      if (session === undefined || session.metadataOffset < shutdownOffset) return false;
    }
    return true;
  }

  #session(brokerId: NodeId, brokerEpoch: number, nowMs: number): Session {
    const known = this.#sessions.get(brokerId);
    if (known?.brokerEpoch === brokerEpoch) return known;
    const session: Session = {
      brokerEpoch,
      connection: undefined,
      lastContactMs: nowMs,
      contacted: false,
      disconnectedAtMs: undefined,
      metadataOffset: -1,
      shutdownOffset: undefined,
    };
    // A late word of an earlier life must not count for a newer one.
    if (known === undefined || known.brokerEpoch < brokerEpoch) this.#sessions.set(brokerId, session);
    return session;
  }

  #reason(session: Session, nowMs: number): FenceReason | undefined {
    const { sessionTimeoutMs, disconnectGraceMs, firstContactMs } = this.#limits;
    if (nowMs - session.lastContactMs >= sessionTimeoutMs) return 'session timed out';
    const { disconnectedAtMs } = session;
    if (disconnectedAtMs !== undefined && nowMs - disconnectedAtMs >= disconnectGraceMs) {
      return 'disconnected';
    }
    const isLate = !session.contacted && nowMs - this.#activatedAtMs >= firstContactMs;
    return isLate && [...this.#sessions.values()].some((other) => other.contacted) ? 'never came' : undefined;
  }

  /**
   * If the controller itself stood still, heartbeats wait in its sockets: silence of that time proves nothing.
   */
  #forgivePause(nowMs: number): void {
    const gapMs = nowMs - this.#lastCheckMs;
    this.#lastCheckMs = nowMs;
    if (gapMs < this.#limits.sessionTimeoutMs / 4) return;
    for (const session of this.#sessions.values()) {
      session.lastContactMs = Math.min(session.lastContactMs + gapMs, nowMs);
    }
  }
}
