/**
 * Who is in a classic group: members by id and by instance id, ids that were given out and not used yet, and which
 * protocols all members share. Knows no state of the group, no time and no answer.
 */
import { invariant } from '@millrace/core';
import type { ClassicMember, MemberTerms } from './classic-member.ts';
import type { RequestToken } from './group-coordinator.ts';

export class ClassicRoster {
  readonly #members = new Map<string, ClassicMember>();
  readonly #memberOfInstance = new Map<string, string>();
  /** How many members speak each protocol. */
  readonly #speakers = new Map<string, number>();
  /** Until when ids that were given out with MEMBER_ID_REQUIRED (KIP-394) are kept, oldest first. */
  readonly #pending = new Map<string, number>();
  #joinsWaiting = 0;
  #version = 0;
  leaderId: string | undefined;

  get size(): number {
    return this.#members.size;
  }

  get pendingSize(): number {
    return this.#pending.size;
  }

  get joinsWaiting(): number {
    return this.#joinsWaiting;
  }

  /** Grows with every change of members or of what they subscribe to. */
  get version(): number {
    return this.#version;
  }

  /** Nobody is missing from the round: every member waits, and nobody was sent away to come back with an id. */
  get isComplete(): boolean {
    return this.#joinsWaiting === this.#members.size && this.#pending.size === 0;
  }

  members(): IterableIterator<ClassicMember> {
    return this.#members.values();
  }

  get(memberId: string): ClassicMember | undefined {
    return this.#members.get(memberId);
  }

  ofInstance(groupInstanceId: string | undefined): ClassicMember | undefined {
    if (groupInstanceId === undefined) return undefined;
    const memberId = this.#memberOfInstance.get(groupInstanceId);
    return memberId === undefined ? undefined : this.#members.get(memberId);
  }

  add(member: ClassicMember): void {
    invariant(!this.#members.has(member.memberId), 'a member joins once', { memberId: member.memberId });
    this.#members.set(member.memberId, member);
    if (member.groupInstanceId !== undefined)
      this.#memberOfInstance.set(member.groupInstanceId, member.memberId);
    if (member.joinToken !== undefined) this.#joinsWaiting++;
    this.#count(member, 1);
  }

  /** The member must have been answered before. */
  remove(member: ClassicMember): void {
    invariant(member.joinToken === undefined && member.syncToken === undefined, 'nobody leaves unanswered', {
      memberId: member.memberId,
    });
    this.#members.delete(member.memberId);
    if (member.groupInstanceId !== undefined) this.#memberOfInstance.delete(member.groupInstanceId);
    if (this.leaderId === member.memberId) this.leaderId = undefined;
    this.#count(member, -1);
  }

  /** The member under new terms; it keeps its place. */
  renew(member: ClassicMember, terms: MemberTerms): ClassicMember {
    const renewed = { ...member, ...terms };
    this.#members.set(member.memberId, renewed);
    this.#count(member, -1);
    this.#count(renewed, 1);
    return renewed;
  }

  waitForJoin(member: ClassicMember, token: RequestToken): void {
    invariant(member.joinToken === undefined, 'one join waits for a member', { memberId: member.memberId });
    member.joinToken = token;
    this.#joinsWaiting++;
  }

  /** The join that waits, which is then the caller's to answer. */
  takeJoin(member: ClassicMember): RequestToken | undefined {
    const token = member.joinToken;
    if (token !== undefined) this.#joinsWaiting--;
    member.joinToken = undefined;
    return token;
  }

  addPending(memberId: string, untilMs: number): void {
    this.#pending.set(memberId, untilMs);
  }

  /** Whether the id was pending. */
  takePending(memberId: string): boolean {
    return this.#pending.delete(memberId);
  }

  pending(): IterableIterator<[memberId: string, untilMs: number]> {
    return this.#pending.entries();
  }

  /** Whether a member with these protocols has one in common with all others. */
  sharesProtocol(names: readonly string[], without?: ClassicMember): boolean {
    const others = this.#members.size - Number(without !== undefined);
    if (others === 0) return true;
    return names.some((name) => {
      const speaksItself = without?.protocols.some((protocol) => protocol.name === name) ?? false;
      return (this.#speakers.get(name) ?? 0) - Number(speaksItself) === others;
    });
  }

  /** Each member votes for the first of its protocols that all speak; most votes win, the older vote on a tie. */
  electProtocol(): string | undefined {
    const votes = new Map<string, number>();
    for (const member of this.#members.values()) {
      const choice = member.protocols.find(({ name }) => this.#speakers.get(name) === this.#members.size);
      if (choice !== undefined) votes.set(choice.name, (votes.get(choice.name) ?? 0) + 1);
    }
    const mostVotes = Math.max(0, ...votes.values());
    return [...votes].find(([, count]) => count === mostVotes)?.[0];
  }

  /** Whether somebody who is here leads now. The leader stays while it joins; else who joined first takes over. */
  electLeader(): boolean {
    const leader = this.leaderId === undefined ? undefined : this.#members.get(this.leaderId);
    if (leader?.joinToken !== undefined) return true;
    for (const member of this.#members.values()) {
      if (member.joinToken === undefined) continue;
      this.leaderId = member.memberId;
      return true;
    }
    return false;
  }

  longestRebalanceTimeoutMs(): number {
    let longest = 0;
    for (const { rebalanceTimeoutMs } of this.#members.values())
      longest = Math.max(longest, rebalanceTimeoutMs);
    return longest;
  }

  #count({ protocols }: ClassicMember, by: 1 | -1): void {
    this.#version++;
    for (const name of new Set(protocols.map((protocol) => protocol.name))) {
      const count = (this.#speakers.get(name) ?? 0) + by;
      if (count === 0) this.#speakers.delete(name);
      else this.#speakers.set(name, count);
    }
  }
}
