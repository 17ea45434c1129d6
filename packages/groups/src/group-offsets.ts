/**
 * What groups commit, read and lose: the rules of single offsets over the table that keeps them. Who may commit is the
 * group's decision, made before. Offsets go when they are deleted, when their topic is, or when they expire (KIP-211).
 */
import { MINUTE_MS, type TopicPartition } from '@millrace/core';
import { failureOf } from './classic-answers.ts';
import { ClassicGroup } from './classic-group.ts';
import type {
  CommittedOffset,
  GroupFailure,
  OffsetCommitRequest,
  OffsetCommitResponse,
  OffsetDeleteRequest,
  OffsetDeleteResponse,
  OffsetFetchRequest,
} from './group-api.ts';
import type { GroupConfig } from './group-config.ts';
import type { Group } from './group-directory.ts';
import type { OffsetRecord, TopicsView } from './group-record.ts';
import { type OffsetEntry, OffsetTable, type OffsetValue } from './offset-table.ts';
import type { OutcomeDraft } from './outcome-draft.ts';
import { recordBytesAtMost } from './record-size.ts';
import { checkOffset } from './request-check.ts';

const OVERTAKEN = failureOf(
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'A newer commit of the same consumer arrived before this one.',
);
const NO_OFFSET = { offset: -1, leaderEpoch: -1, metadata: '', committedAtMs: -1 };

/** An offset that is to go, unless it is committed anew before its turn comes. */
export interface DoomedOffset extends OffsetEntry {
  readonly groupId: string;
}

export class GroupOffsets {
  readonly table = new OffsetTable();
  readonly #config: GroupConfig;
  readonly #wallMs: () => number;

  constructor(config: GroupConfig, wallMs: () => number) {
    this.#config = config;
    this.#wallMs = wallMs;
  }

  /** The group has allowed it. Offsets that are refused do not hinder the others. */
  commit(request: OffsetCommitRequest, topics: TopicsView, out: OutcomeDraft): OffsetCommitResponse {
    const { sequence } = request;
    const committedAtMs = this.#wallMs();
    const expiresAtMs = expiryOf(request, committedAtMs);
    const records: OffsetRecord[] = [];
    const offsets = request.offsets.map((asked) => {
      const { topic, partition } = asked;
      const failure = checkOffset(asked, topics, this.#config) ?? this.#orderRefusal(request, asked);
      if (failure === undefined) {
        const { offset, leaderEpoch, metadata } = asked;
        const { topicId } = topics.byName(topic)!;
        const value = { offset, leaderEpoch, metadata, committedAtMs, expiresAtMs, topicId, sequence };
        records.push({ kind: 'offset', groupId: request.groupId, topic, partition, value });
      }
      return { topic, partition, failure };
    });
    const bytes = records.reduce((sum, record) => sum + recordBytesAtMost(record), 0);
    if (bytes > this.#config['offsets.batch.max.bytes'])
      return { failure: failureOf('INVALID_COMMIT_OFFSET_SIZE'), offsets: [] };
    for (const record of records) this.#write(record, out);
    return { offsets };
  }

  #orderRefusal(
    { groupId, sequence }: OffsetCommitRequest,
    { topic, partition }: TopicPartition,
  ): GroupFailure | undefined {
    const last = this.table.readWritten(groupId, topic, partition)?.sequence;
    const isLate =
      sequence !== undefined && sequence.senderId === last?.senderId && sequence.number < last.number;
    return isLate ? OVERTAKEN : undefined;
  }

  delete(
    request: OffsetDeleteRequest,
    group: Group,
    topics: TopicsView,
    out: OutcomeDraft,
  ): OffsetDeleteResponse {
    const { groupId } = request;
    const isBlind = group instanceof ClassicGroup && !group.isEmpty && !group.isOfConsumers;
    // Members of another protocol do not say what they read.
    if (isBlind) return { failure: failureOf('NON_EMPTY_GROUP'), offsets: [] };
    const offsets = request.partitions.map(({ topic, partition }) => {
      const failure = this.#deleteRefusal(group, { topic, partition }, topics);
      if (failure === undefined && this.table.readWritten(groupId, topic, partition) !== undefined)
        this.#write({ kind: 'offset', groupId, topic, partition, value: undefined }, out);
      return { topic, partition, failure };
    });
    return { offsets };
  }

  #deleteRefusal(
    group: Group,
    { topic, partition }: TopicPartition,
    topics: TopicsView,
  ): GroupFailure | undefined {
    if (!group.isEmpty && group.isSubscribedTo(topic)) return failureOf('GROUP_SUBSCRIBED_TO_TOPIC');
    const isKnown =
      topics.byName(topic) !== undefined ||
      this.table.readWritten(group.groupId, topic, partition) !== undefined;
    return isKnown ? undefined : failureOf('UNKNOWN_TOPIC_OR_PARTITION');
  }

  /** Committed ones only, and none of a topic that has a successor. */
  fetch({ groupId, partitions }: OffsetFetchRequest, topics: TopicsView): readonly CommittedOffset[] {
    if (partitions !== undefined)
      return partitions.map(({ topic, partition }) => {
        const value = this.table.readCommitted(groupId, topic, partition);
        return { topic, partition, ...shown(isSucceeded(topic, value, topics) ? undefined : value) };
      });
    return Array.from(this.table.committedOf(groupId))
      .filter(({ topic, value }) => !isSucceeded(topic, value, topics))
      .map(({ topic, partition, value }) => ({ topic, partition, ...shown(value) }));
  }

  /** Removes offsets until the batch is full. Returns whether any was left. */
  removeAllOf(groupId: string, out: OutcomeDraft): boolean {
    for (const entry of [...this.table.writtenOf(groupId)]) {
      if (this.#isFull(out)) return false;
      this.#remove({ groupId, ...entry }, out);
    }
    return true;
  }

  /** Takes what it removes, or finds newer, from the front of `doomed`, until the batch is full. */
  removeSome(doomed: DoomedOffset[], out: OutcomeDraft): void {
    let done = 0;
    for (const entry of doomed) {
      if (this.#isFull(out)) break;
      done++;
      const { groupId, topic, partition, value } = entry;
      if (this.table.readWritten(groupId, topic, partition) === value) this.#remove(entry, out);
    }
    doomed.splice(0, done);
  }

  /** Offsets whose topic was there before and is gone, or is another one of the same name. */
  orphaned(before: TopicsView, after: TopicsView): DoomedOffset[] {
    const doomed: DoomedOffset[] = [];
    for (const topic of this.table.topics()) {
      const known = before.byName(topic);
      if (known === undefined || after.byName(topic)?.topicId === known.topicId) continue;
      doomed.push(...this.table.writtenOfTopic(topic));
    }
    return doomed;
  }

  /** Offsets whose topic was succeeded by another one of its name while no coordinator looked. */
  succeeded(topics: TopicsView): DoomedOffset[] {
    return Array.from(this.table.topics()).flatMap((topic) =>
      [...this.table.writtenOfTopic(topic)].filter(({ value }) => isSucceeded(topic, value, topics)),
    );
  }

  /**
   * Offsets of a group that have expired: of a topic that nobody reads any more, whose commit is older than the
   * retention; and in a group without members not before it has been empty for as long.
   *
   * @param emptySinceMs wall time; -1 where commits alone tell.
   */
  expired(group: Group, emptySinceMs: number, topics: TopicsView): DoomedOffset[] {
    const { groupId } = group;
    const retentionMs = this.#config['offsets.retention.minutes'] * MINUTE_MS;
    const nowMs = this.#wallMs();
    const isKept = !group.isEmpty && group instanceof ClassicGroup && !group.isStable;
    if (isKept) return [];
    const sinceMs = group.isEmpty ? emptySinceMs : -1;
    const doomed: DoomedOffset[] = [];
    for (const entry of this.table.writtenOf(groupId)) {
      const { topic, value } = entry;
      const ownMs = value.expiresAtMs;
      const expiresMs = ownMs === -1 ? Math.max(sinceMs, value.committedAtMs) + retentionMs : ownMs;
      const isRead = !group.isEmpty && group.isSubscribedTo(topic);
      // A topic that was deleted while no coordinator looked.
      const isGone = topics.byName(topic) === undefined;
      if (isGone || (!isRead && expiresMs <= nowMs)) doomed.push({ groupId, ...entry });
    }
    return doomed;
  }

  #remove({ groupId, topic, partition }: DoomedOffset, out: OutcomeDraft): void {
    this.#write({ kind: 'offset', groupId, topic, partition, value: undefined }, out);
  }

  #write(record: OffsetRecord, out: OutcomeDraft): void {
    this.table.write(record);
    out.write(record);
  }

  /** Half of what a batch may hold: something else may be written with it. */
  #isFull(out: OutcomeDraft): boolean {
    return out.bytes * 2 > this.#config['offsets.batch.max.bytes'];
  }
}

/** @returns wall time; -1 for as long as the configuration says. */
function expiryOf({ retentionTimeMs = -1 }: OffsetCommitRequest, committedAtMs: number): number {
  return retentionTimeMs < 0 ? -1 : Math.min(committedAtMs + retentionTimeMs, Number.MAX_SAFE_INTEGER);
}

/**
 * Whether a topic of another id has the name now. Coordinators follow each other in the order of the metadata log, so
 * what one knew when it took the commit the next one knows, or something newer.
 */
function isSucceeded(topic: string, value: OffsetValue | undefined, topics: TopicsView): boolean {
  const topicId = topics.byName(topic)?.topicId;
  return value?.topicId !== undefined && topicId !== undefined && value.topicId !== topicId;
}

function shown(value: OffsetValue | undefined): Omit<CommittedOffset, 'topic' | 'partition'> {
  if (value === undefined) return NO_OFFSET;
  const { offset, leaderEpoch, metadata, committedAtMs } = value;
  return { offset, leaderEpoch, metadata, committedAtMs };
}
