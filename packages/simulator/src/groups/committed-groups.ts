/**
 * The truth about groups: what has committed in the topic of offsets, in the order of its log, whoever was coordinator.
 * Told by the coordinators' logs; asks none of them for an opinion.
 */
import { formatTopicPartition } from '@millrace/core';
import type { GroupRecord, OffsetRecord } from '@millrace/groups';

/** A commit, or its removal. */
export interface CommittedValue {
  readonly logOffset: number;
  readonly value: OffsetRecord['value'];
}

export class CommittedGroups {
  /** By group and `topic-partition`, oldest first. */
  readonly #offsets = new Map<string, CommittedValue[]>();
  /** Records known to have committed, by partition of the topic and offset. */
  readonly #known = new Map<number, Set<number>>();
  readonly #clientOf = new Map<string, string>();
  readonly #removals = new Map<string, number>();
  readonly #out = new Set<string>();

  /** @returns false for one that was known. */
  add(index: number, offset: number, record: GroupRecord): boolean {
    const known = this.#known.get(index) ?? new Set();
    this.#known.set(index, known);
    if (known.has(offset)) return false;
    known.add(offset);
    if (record.kind === 'offset') this.#addOffset(offset, record);
    else if (record.kind === 'member-subscription') {
      if (record.value === undefined) this.#removed(record.memberId);
      else {
        this.#clientOf.set(record.memberId, record.value.clientId);
        this.#out.delete(record.value.clientId);
      }
    } else if (record.kind === 'member-assignment' && record.value === undefined)
      this.#removed(record.memberId);
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

  #removed(memberId: string): void {
    const clientId = this.#clientOf.get(memberId);
    if (clientId === undefined) return;
    this.#removals.set(clientId, this.removalsOf(clientId) + 1);
    this.#out.add(clientId);
  }
}
