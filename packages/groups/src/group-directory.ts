/**
 * The groups of one coordinator by name, and which of them is due next. Knows how records of the log make groups and
 * change their kind; decides nothing about members or offsets.
 */
import { ClassicGroup, type ClassicGroupOptions } from './classic-group.ts';
import { ConsumerGroup } from './consumer-group.ts';
import { DueQueue } from './due-queue.ts';
import type { GroupRecord, OffsetRecord } from './group-record.ts';

export type Group = ClassicGroup | ConsumerGroup;

export class GroupDirectory {
  readonly #options: ClassicGroupOptions;
  readonly #groups = new Map<string, Group>();
  readonly #due = new DueQueue();
  /** Wall time since when consumer groups have been seen empty. Classic groups have it in their record. */
  readonly #emptySinceMs = new Map<string, number>();

  constructor(options: ClassicGroupOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#groups.size;
  }

  get nextDueMs(): number {
    return this.#due.nextMs;
  }

  get(groupId: string): Group | undefined {
    return this.#groups.get(groupId);
  }

  all(): IterableIterator<Group> {
    return this.#groups.values();
  }

  names(): IterableIterator<string> {
    return this.#groups.keys();
  }

  addClassic(groupId: string): ClassicGroup {
    const group = new ClassicGroup(groupId, this.#options);
    this.#put(groupId, group);
    return group;
  }

  addConsumer(groupId: string): ConsumerGroup {
    const group = new ConsumerGroup(groupId, this.#options);
    this.#put(groupId, group);
    return group;
  }

  /** The same group under the other protocol. */
  replace(group: Group): void {
    this.remove(group.groupId);
    this.#put(group.groupId, group);
  }

  /** Puts back what was there before a try that came to nothing. */
  restore(groupId: string, before: Group | undefined): void {
    this.remove(groupId);
    if (before !== undefined) this.#put(groupId, before);
  }

  remove(groupId: string): void {
    this.#groups.delete(groupId);
    this.#due.delete(groupId);
    this.#emptySinceMs.delete(groupId);
  }

  /** After anything was done to the group: when it is due, and since when it is empty. */
  settle(groupId: string): void {
    const group = this.#groups.get(groupId);
    if (group === undefined) return;
    this.#due.set(groupId, group.nextTickMs());
    if (!(group instanceof ConsumerGroup) || !group.isEmpty) this.#emptySinceMs.delete(groupId);
    else if (!this.#emptySinceMs.has(groupId)) this.#emptySinceMs.set(groupId, this.#options.wallMs());
  }

  /** Wall time since when the group has no members, as far as is known; -1 where commits alone tell its age. */
  emptySinceMs(group: Group): number {
    return group instanceof ConsumerGroup ? (this.#emptySinceMs.get(group.groupId) ?? -1) : group.stateAtMs;
  }

  takeDue(nowMs: number): Group | undefined {
    const groupId = this.#due.takeDue(nowMs);
    return groupId === undefined ? undefined : this.#groups.get(groupId);
  }

  replay(record: Exclude<GroupRecord, OffsetRecord>): void {
    const { groupId } = record;
    const group = this.#groups.get(groupId);
    if (record.kind === 'classic-group') {
      if (record.value !== undefined)
        (group instanceof ClassicGroup ? group : this.addClassic(groupId)).apply(record);
      else if (group instanceof ClassicGroup) this.#groups.delete(groupId);
      return;
    }
    if (group instanceof ConsumerGroup) group.apply(record);
    // A removal of what is not there: its group became a classic one, or went.
    else if (record.value !== undefined) this.addConsumer(groupId).apply(record);
    const isEnd = record.kind === 'consumer-group-epoch' && record.value === undefined;
    if (isEnd && group instanceof ConsumerGroup && group.isEmpty) this.#groups.delete(groupId);
  }

  #put(groupId: string, group: Group): void {
    this.#groups.set(groupId, group);
    this.#emptySinceMs.delete(groupId);
  }
}
