/**
 * What a coordinator remembers of its members that no record holds: when each was heard, until when it may be silent,
 * until when it must have done what it was asked for. A new coordinator begins with full sessions for all.
 */

/** What a member was told to do within its rebalance timeout; the last two only by the classic protocol. */
export type MemberDuty = 'revoke' | 'join' | 'sync';

export interface MemberSession {
  lastHeardMs: number;
  expiresAtMs: number;
  duty: MemberDuty | undefined;
  /** Infinity while the member owes nothing. */
  dutyEndsAtMs: number;
  /** Whether the member has reported to hold exactly what it was told. Until then every answer tells it again. */
  isTold: boolean;
  /** What slows the member by its own word; empty for nothing. */
  slowness: string;
  /** Since when something is meant for the member that it does not hold yet. */
  waitingSinceMs: number | undefined;
  /** Another member asked for the place of this instance: told of once. */
  isContested: boolean;
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
        duty: undefined,
        dutyEndsAtMs: Number.POSITIVE_INFINITY,
        isTold: false,
        slowness: '',
        waitingSinceMs: undefined,
        isContested: false,
      };
      this.#sessions.set(memberId, session);
    }
    session.lastHeardMs = nowMs;
    session.expiresAtMs = nowMs + timeoutMs;
    this.#nextMs = Math.min(this.#nextMs, session.expiresAtMs);
    return session;
  }

  demand(memberId: string, duty: MemberDuty, untilMs: number): void {
    const session = this.#sessions.get(memberId);
    if (session === undefined) return;
    session.duty = duty;
    session.dutyEndsAtMs = untilMs;
    this.#nextMs = Math.min(this.#nextMs, untilMs);
  }

  /** The member owes nothing any more. */
  acquit(memberId: string): void {
    const session = this.#sessions.get(memberId);
    if (session === undefined) return;
    session.duty = undefined;
    session.dutyEndsAtMs = Number.POSITIVE_INFINITY;
  }

  delete(memberId: string): void {
    this.#sessions.delete(memberId);
  }

  /** Members whose time is over. */
  due(nowMs: number): readonly string[] {
    if (nowMs < this.#nextMs) return [];
    const due: string[] = [];
    this.#nextMs = Number.POSITIVE_INFINITY;
    for (const [memberId, { expiresAtMs, dutyEndsAtMs }] of this.#sessions) {
      const endsAtMs = Math.min(expiresAtMs, dutyEndsAtMs);
      if (endsAtMs <= nowMs) due.push(memberId);
      else this.#nextMs = Math.min(this.#nextMs, endsAtMs);
    }
    return due;
  }
}
