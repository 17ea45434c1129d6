/** One member of a classic group: what it said when it joined, what it waits for, and until when it is believed alive. */
import { NO_BYTES } from './classic-answers.ts';
import type { JoinGroupProtocol, JoinGroupRequest } from './group-api.ts';
import type { RequestToken } from './group-coordinator.ts';
import type { ClassicMemberValue } from './group-record.ts';

export interface ClassicMember {
  readonly memberId: string;
  readonly groupInstanceId: string | undefined;
  readonly clientId: string;
  readonly clientHost: string;
  readonly rebalanceTimeoutMs: number;
  readonly sessionTimeoutMs: number;
  readonly protocols: readonly JoinGroupProtocol[];
  assignment: Buffer;
  /** The join that waits for the others. */
  joinToken: RequestToken | undefined;
  /** The sync that waits for the leader. */
  syncToken: RequestToken | undefined;
  /** It has been told of a generation and has not asked for its part of it. */
  owesSync: boolean;
  /** It has not been in any generation yet. */
  isNew: boolean;
  lastSeenMs: number;
  /** When its session ends; Infinity while the coordinator owes it an answer. */
  sessionEndMs: number;
}

/** Part that a later join of the same member may change. */
export type MemberTerms = Pick<
  ClassicMember,
  'clientId' | 'clientHost' | 'rebalanceTimeoutMs' | 'sessionTimeoutMs' | 'protocols'
>;

export function termsOf(request: JoinGroupRequest): MemberTerms {
  const { clientId, clientHost, rebalanceTimeoutMs, sessionTimeoutMs, protocols } = request;
  return { clientId, clientHost, rebalanceTimeoutMs, sessionTimeoutMs, protocols };
}

export function newMember(memberId: string, request: JoinGroupRequest, nowMs: number): ClassicMember {
  return {
    memberId,
    groupInstanceId: request.groupInstanceId,
    ...termsOf(request),
    assignment: NO_BYTES,
    joinToken: undefined,
    syncToken: undefined,
    owesSync: false,
    isNew: true,
    lastSeenMs: nowMs,
    sessionEndMs: Number.POSITIVE_INFINITY,
  };
}

/** A member as the log knows it; its session begins when the coordinator is loaded. */
export function loadedMember(value: ClassicMemberValue, protocol: string | undefined): ClassicMember {
  const { subscription, ...rest } = value;
  return {
    ...rest,
    // Only the chosen protocol is in the log. A group of members without one is damage that nobody can share.
    protocols: [{ name: protocol ?? '', metadata: subscription }],
    joinToken: undefined,
    syncToken: undefined,
    owesSync: false,
    isNew: false,
    lastSeenMs: 0,
    sessionEndMs: Number.POSITIVE_INFINITY,
  };
}

export function metadataFor(member: ClassicMember, protocol: string | undefined): Buffer {
  return member.protocols.find(({ name }) => name === protocol)?.metadata ?? NO_BYTES;
}

/** Same protocols, in the same order, with the same bytes. */
export function sameProtocols(a: readonly JoinGroupProtocol[], b: readonly JoinGroupProtocol[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ name, metadata }, index) => name === b[index]!.name && metadata.equals(b[index]!.metadata))
  );
}

/** Deadlines of a member that was heard of just now. */
export function seen(member: ClassicMember, nowMs: number): void {
  member.lastSeenMs = nowMs;
  member.sessionEndMs = nowMs + member.sessionTimeoutMs;
}
