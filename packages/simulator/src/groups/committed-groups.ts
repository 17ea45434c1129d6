/**
 * The truth about groups: what has committed in the topic of offsets, in the order of its log, whoever was coordinator.
 * Told by the coordinators' logs; asks none of them for an opinion.
 */
import { formatTopicPartition } from '@millrace/core';
import type { ClassicGroupRecord, GroupRecord, OffsetRecord } from '@millrace/groups';

/** A commit, or its removal. */
export interface CommittedValue {
  readonly logOffset: number;
  readonly value: OffsetRecord['value'];
}

export class CommittedGroups {
  /** Of groups in use, from one protocol to the other. */
  readonly moves = { 'moves to the consumer protocol': 0, 'moves to the classic protocol': 0 };
  /** By group and `topic-partition`, oldest first. */
  readonly #offsets = new Map<string, CommittedValue[]>();
  /** Records known to have committed, by partition of the topic and offset. */
  readonly #known = new Map<number, Set<number>>();
  readonly #clientOf = new Map<string, string>();
  readonly #removals = new Map<string, number>();
  readonly #out = new Set<string>();
  /** By group, as its last record has it; without one none. */
  readonly #classic = new Map<
    string,
    { readonly generation: number; readonly members: ReadonlySet<string> }
  >();
  /** By group, of a classic one that has ended: who is not taken over by what follows was out of it before. */
  readonly #left = new Map<string, Set<string>>();
  /** By member that was taken out: how many records said so. */
  readonly #gone = new Map<string, number>();

  /** @returns false for one that was known. */
  add(index: number, offset: number, record: GroupRecord): boolean {
    const known = this.#known.get(index) ?? new Set();
    this.#known.set(index, known);
    if (known.has(offset)) return false;
    known.add(offset);
    if (record.kind === 'offset') this.#addOffset(offset, record);
    else if (record.kind === 'classic-group') this.#addClassic(record);
    else if (record.kind === 'member-subscription') {
      if (record.value === undefined) this.#removed(record.memberId);
      else this.#joined(record.groupId, record.memberId, record.value.clientId);
    } else if (record.kind === 'member-assignment' && record.value === undefined)
      this.#removed(record.memberId);
    else if (record.kind === 'consumer-group-epoch') this.#forgetLeft(record.groupId);
    return true;
  }

  /** The newest commit that lies below `logOffset`; undefined if there is none, or it was removed. */
  committedBelow(groupId: string, partition: string, logOffset: number): number | undefined {
    const values = this.#offsets.get(`${groupId} ${partition}`) ?? [];
    return values.findLast((each) => each.logOffset < logOffset)?.value?.offset;
  }

  /** Whether this very offset, or one beyond, was committed at any time. */
  hasReached(groupId: string, partition: string, offset: number): boolean {
    const values = this.#offsets.get(`${groupId} ${partition}`) ?? [];
    return values.some(({ value }) => value !== undefined && value.offset >= offset);
  }

  /** How often the consumer was taken out of its group. */
  removalsOf(clientId: string): number {
    return this.#removals.get(clientId) ?? 0;
  }

  /** Whether the group has thrown it out and has not seen it since: it may have slept through that. */
  isOut(clientId: string): boolean {
    return this.#out.has(clientId);
  }

  #addOffset(logOffset: number, { groupId, topic, partition, value }: OffsetRecord): void {
    const key = `${groupId} ${formatTopicPartition({ topic, partition })}`;
    const values = this.#offsets.get(key);
    if (values === undefined) this.#offsets.set(key, [{ logOffset, value }]);
    else values.push({ logOffset, value });
  }

  /** Of a classic group; undefined while it is none. */
  generationOf(groupId: string): number | undefined {
    return this.#classic.get(groupId)?.generation;
  }

  #addClassic({ groupId, value }: ClassicGroupRecord): void {
    const before = this.#classic.get(groupId)?.members ?? new Set();
    if (value === undefined) {
      this.#classic.delete(groupId);
      if (before.size > 0) this.#left.set(groupId, new Set(before));
      return;
    }
    const members = new Set(value.members.map(({ memberId }) => memberId));
    if (value.members.some(({ memberId }) => this.#gone.has(memberId)))
      this.moves['moves to the classic protocol'] += 1;
    this.#classic.set(groupId, { generation: value.generation, members });
    for (const memberId of before) if (!members.has(memberId)) this.#removed(memberId);
    for (const { memberId, clientId } of value.members) {
      // Its records of the other protocol have gone, and it stays.
      this.#removals.set(clientId, this.removalsOf(clientId) - (this.#gone.get(memberId) ?? 0));
      this.#gone.delete(memberId);
      this.#joined(groupId, memberId, clientId);
    }
  }

  #joined(groupId: string, memberId: string, clientId: string): void {
    this.#left.get(groupId)?.delete(memberId);
    this.#clientOf.set(memberId, clientId);
    this.#out.delete(clientId);
  }

  #forgetLeft(groupId: string): void {
    if (this.#left.has(groupId)) this.moves['moves to the consumer protocol'] += 1;
    for (const memberId of this.#left.get(groupId) ?? []) this.#removed(memberId);
    this.#left.delete(groupId);
  }

  #removed(memberId: string): void {
    const clientId = this.#clientOf.get(memberId);
    if (clientId === undefined) return;
    this.#removals.set(clientId, this.removalsOf(clientId) + 1);
    this.#gone.set(memberId, (this.#gone.get(memberId) ?? 0) + 1);
    this.#out.add(clientId);
  }
}
