/**
 * What a coordinator remembers of its members that no record holds: when each was heard, until when it may be silent,
 * until when it must have given up what it was asked for. A new coordinator begins with full sessions for all.
 */

export interface MemberSession {
  lastHeardMs: number;
  expiresAtMs: number;
  /** Infinity while the member owes nothing. */
  revokeUntilMs: number;
  /** Whether the member has reported to hold exactly what it was told. Until then every answer tells it again. */
  isTold: boolean;
  /** What slows the member by its own word; empty for nothing. */
  slowness: string;
  /** Since when something is meant for the member that it does not hold yet. */
  waitingSinceMs: number | undefined;
}

export class MemberSessions {
  readonly #sessions = new Map<string, MemberSession>();
  /** No session ends earlier. Deadlines mostly move away, so that looking at all of them is seldom necessary. */
  #nextMs = Number.POSITIVE_INFINITY;

  get nextMs(): number {
    return this.#nextMs;
  }

  get(memberId: string): MemberSession | undefined {
    return this.#sessions.get(memberId);
  }

  heard(memberId: string, nowMs: number, timeoutMs: number): MemberSession {
    let session = this.#sessions.get(memberId);
    if (session === undefined) {
      session = {
        lastHeardMs: nowMs,
        expiresAtMs: 0,
        revokeUntilMs: Number.POSITIVE_INFINITY,
        isTold: false,
        slowness: '',
        waitingSinceMs: undefined,
      };
      this.#sessions.set(memberId, session);
    }
    session.lastHeardMs = nowMs;
    session.expiresAtMs = nowMs + timeoutMs;
    this.#nextMs = Math.min(this.#nextMs, session.expiresAtMs);
    return session;
  }

  mustRevoke(session: MemberSession, untilMs: number): void {
    session.revokeUntilMs = untilMs;
    this.#nextMs = Math.min(this.#nextMs, untilMs);
  }

  delete(memberId: string): void {
    this.#sessions.delete(memberId);
  }

  /** Members whose time is over. */
  due(nowMs: number): readonly string[] {
    if (nowMs < this.#nextMs) return [];
    const due: string[] = [];
    this.#nextMs = Number.POSITIVE_INFINITY;
    for (const [memberId, { expiresAtMs, revokeUntilMs }] of this.#sessions) {
      const endsAtMs = Math.min(expiresAtMs, revokeUntilMs);
      if (endsAtMs <= nowMs) due.push(memberId);
      else this.#nextMs = Math.min(this.#nextMs, endsAtMs);
    }
    return due;
  }
}
