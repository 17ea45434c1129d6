/**
 * Work of a coordinator that nobody waits for, or that may be too much for one batch: groups that are due, topics that
 * changed, offsets that expire, groups that are deleted. Every tick does a bounded part and says when the next is due.
 */
import { failureOf } from './classic-answers.ts';
import { ClassicGroup, type ClassicGroupOptions } from './classic-group.ts';
import { ConsumerGroup } from './consumer-group.ts';
import type { GroupEventKind } from './group-api.ts';
import type { GroupConfig } from './group-config.ts';
import type { RequestToken } from './group-coordinator.ts';
import type { Group, GroupDirectory } from './group-directory.ts';
import { downgradeGroup } from './group-migration.ts';
import type { DoomedOffset, GroupOffsets } from './group-offsets.ts';
import type { TopicsView } from './group-record.ts';
import type { OutcomeDraft } from './outcome-draft.ts';

/** Groups that one tick lets act, and whose offsets it looks through. */
const GROUPS_PER_TICK = 100;

interface Deletion {
  readonly groupId: string;
  readonly token: RequestToken;
}

export class CoordinatorChores {
  readonly #groups: GroupDirectory;
  readonly #offsets: GroupOffsets;
  readonly #config: GroupConfig;
  readonly #options: ClassicGroupOptions;
  readonly #wallMs: () => number;
  /** Of topics that are gone, or expired. */
  readonly #doomed: DoomedOffset[] = [];
  readonly #deletions: Deletion[] = [];
  /** Consumer groups that have not been shown the newest topics. */
  readonly #uninformed = new Set<string>();
  /** Groups that the running check for expired offsets has still to look at. */
  #unchecked: string[] = [];
  #checkDueMs = Number.POSITIVE_INFINITY;
  /** When more may be done; Infinity while nothing is left over. */
  #moreDueMs = Number.POSITIVE_INFINITY;

  constructor(groups: GroupDirectory, offsets: GroupOffsets, options: ClassicGroupOptions) {
    this.#groups = groups;
    this.#offsets = offsets;
    this.#options = options;
    this.#config = options.config;
    this.#wallMs = options.wallMs;
  }

  get nextDueMs(): number {
    return Math.min(this.#checkDueMs, this.#moreDueMs);
  }

  begin(nowMs: number): void {
    this.#checkDueMs = nowMs + this.#config['offsets.retention.check.interval.ms'];
  }

  /** What the log says of topics may be older than these. */
  topicsLoaded(topics: TopicsView, nowMs: number): void {
    for (const entry of this.#offsets.succeeded(topics)) this.#doomed.push(entry);
    if (this.#doomed.length > 0) this.#moreDueMs = nowMs;
  }

  topicsChanged(before: TopicsView, after: TopicsView, nowMs: number): void {
    for (const entry of this.#offsets.orphaned(before, after)) this.#doomed.push(entry);
    for (const group of this.#groups.all())
      if (group instanceof ConsumerGroup) this.#uninformed.add(group.groupId);
    this.#moreDueMs = nowMs;
  }

  /** Answers at once unless the group has more offsets than fit one batch. */
  deleteGroup(deletion: Deletion, nowMs: number, out: OutcomeDraft): void {
    this.#deletions.push(deletion);
    if (this.#deletions.length === 1) this.#continueDeletions(out);
    if (this.#deletions.length > 0) this.#moreDueMs = nowMs;
  }

  tick(nowMs: number, topics: TopicsView, out: OutcomeDraft): void {
    this.#letAct(nowMs, topics, out);
    this.#inform(nowMs, topics, out);
    this.#check(nowMs, topics, out);
    this.#offsets.removeSome(this.#doomed, out);
    this.#continueDeletions(out);
    const isDone =
      this.#uninformed.size + this.#unchecked.length + this.#doomed.length + this.#deletions.length === 0;
    this.#moreDueMs = isDone ? Number.POSITIVE_INFINITY : nowMs;
  }

  /** A classic group that holds nothing and that the log does not know need not be kept. */
  dropIfUnused(groupId: string): void {
    const group = this.#groups.get(groupId);
    const isUnused = group instanceof ClassicGroup && group.isVacant && !group.isRecorded;
    if (isUnused && !this.#offsets.table.hasWritten(groupId)) this.#groups.remove(groupId);
  }

  /** A consumer group is a classic one again when only members of the classic protocol are left. */
  downgradeIfClassic(groupId: string, nowMs: number, topics: TopicsView, out: OutcomeDraft): void {
    const group = this.#groups.get(groupId);
    if (!(group instanceof ConsumerGroup) || !group.classic.areAll) return;
    const classic = downgradeGroup(group, this.#options, nowMs, topics, out);
    if (classic !== undefined) this.#groups.replace(classic);
  }

  note(group: Group, kind: GroupEventKind, cause: string): void {
    group.history.note({ kind, epoch: group.epoch, cause }, this.#wallMs());
  }

  #letAct(nowMs: number, topics: TopicsView, out: OutcomeDraft): void {
    for (let count = 0; count < GROUPS_PER_TICK && !this.#isFull(out); count++) {
      const group = this.#groups.takeDue(nowMs);
      if (group === undefined) return;
      if (group instanceof ClassicGroup) group.tick(nowMs, out);
      else {
        for (const record of group.tick(nowMs, topics)) out.write(record);
        this.downgradeIfClassic(group.groupId, nowMs, topics, out);
      }
      this.#groups.settle(group.groupId);
      this.dropIfUnused(group.groupId);
    }
  }

  #inform(nowMs: number, topics: TopicsView, out: OutcomeDraft): void {
    for (const groupId of this.#uninformed) {
      if (this.#isFull(out)) return;
      this.#uninformed.delete(groupId);
      const group = this.#groups.get(groupId);
      if (!(group instanceof ConsumerGroup)) continue;
      for (const record of group.topicsChanged(topics, nowMs)) out.write(record);
      this.#groups.settle(groupId);
    }
  }

  /** Looks for expired offsets and for groups that nothing is left of. */
  #check(nowMs: number, topics: TopicsView, out: OutcomeDraft): void {
    if (this.#checkDueMs <= nowMs) {
      this.#unchecked = [...this.#groups.names()];
      this.begin(nowMs);
    }
    // What the last part found goes first: the list of what is to go stays short.
    if (this.#doomed.length > 0) return;
    for (const groupId of this.#unchecked.splice(0, GROUPS_PER_TICK)) {
      const group = this.#groups.get(groupId);
      if (group === undefined) continue;
      const expired = this.#offsets.expired(group, this.#groups.emptySinceMs(group), topics);
      for (const entry of expired) this.#doomed.push(entry);
      if (expired.length > 0) this.note(group, 'offsets-expired', `${expired.length} offsets have expired`);
      else if (!this.#offsets.table.hasWritten(groupId)) this.#forget(group, out);
    }
  }

  /** An empty group without offsets is kept for as long as a check takes to come round: its members may only restart. */
  #forget(group: Group, out: OutcomeDraft): void {
    if (group instanceof ClassicGroup ? !group.isVacant : !group.isEmpty) return;
    const keptUntilMs =
      this.#groups.emptySinceMs(group) + this.#config['offsets.retention.check.interval.ms'];
    if (keptUntilMs > this.#wallMs()) return;
    for (const record of group.tombstones()) out.write(record);
    this.#groups.remove(group.groupId);
  }

  #continueDeletions(out: OutcomeDraft): void {
    while (this.#deletions.length > 0 && !this.#isFull(out)) {
      const { groupId, token } = this.#deletions[0]!;
      const group = this.#groups.get(groupId);
      const failure =
        group === undefined
          ? failureOf('GROUP_ID_NOT_FOUND')
          : group.isEmpty
            ? undefined
            : failureOf('NON_EMPTY_GROUP');
      if (group !== undefined && failure === undefined) {
        if (!this.#offsets.removeAllOf(groupId, out)) return;
        for (const record of group.tombstones()) out.write(record);
        this.#groups.remove(groupId);
      }
      this.#deletions.shift();
      out.answer(token, { groupId, failure });
    }
  }

  /** The rest of a batch is left for what a single group may write at once. */
  #isFull(out: OutcomeDraft): boolean {
    return out.bytes * 2 > this.#config['offsets.batch.max.bytes'];
  }
}
