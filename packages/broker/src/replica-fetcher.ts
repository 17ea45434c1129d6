/**
 * The follower's end of a replication stream: one for each leader broker, for all partitions followed from it.
 * Keeps one request with the leader at all times, tells it at once how far the disk has got, and never appends
 * what is not for the epoch and offset where the log stands.
 */

import {
  type Clock,
  type Logger,
  MillraceError,
  type NodeId,
  type Timer,
  toMillraceError,
} from '@millrace/core';
import type { PartitionRef } from './broker-api.ts';
import type { Defer } from './defer.ts';
import type { Partition } from './partition.ts';
import type {
  ReplicaChannel,
  ReplicaEndpoint,
  ReplicaFetched,
  ReplicaFetchResponse,
  ReplicaPosition,
  ReplicaStream,
} from './replica-channel.ts';

export interface ReplicaFetcherOptions {
  readonly nodeId: NodeId;
  readonly leaderId: NodeId;
  readonly channel: ReplicaChannel;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly defer: Defer;
  readonly brokerEpoch: () => number;
  readonly maxWaitMs: number;
  readonly maxBytes: number;
  readonly backoffMs: number;
  readonly silenceMaxMs: number;
}

/** First pause before connecting again; it doubles up to the back-off. */
const RECONNECT_MIN_MS = 10;
const OVERLOADED_MS = 10;
/** An answer below this is worth one message less rather than an early start of the next one. */
const HELD_BYTES_MAX = 64 * 1024;
/** A disk slower than this does not hold the next request back. */
const HELD_MAX_MS = 5;

interface Slot {
  readonly partition: Partition;
  readonly ref: PartitionRef;
  /** The leader's session has a position of ours. */
  isKnown: boolean;
  /** The leader must look at the same position afresh: it leaves the session and joins again. */
  mustRejoin: boolean;
  isTruncating: boolean;
  retry: Timer | undefined;
}

export class ReplicaFetcher {
  readonly #options: ReplicaFetcherOptions;
  readonly #slots = new Map<Partition, Slot>();
  readonly #byRef = new Map<string, Slot[]>();
  /** Positions to send. */
  readonly #changed = new Set<Slot>();
  #removed: PartitionRef[] = [];
  #endpoint: ReplicaEndpoint | undefined;
  #stream: ReplicaStream | undefined;
  #reconnect: Timer | undefined;
  #reconnectMs = RECONNECT_MIN_MS;
  #watchdog: Timer | undefined;
  #heardAtMs = 0;
  #correlationId = 0;
  #isAwaiting = false;
  /** The next request waits for the disk until then. */
  #hold: Timer | undefined;
  #isPumping = false;
  #isClosed = false;

  constructor(options: ReplicaFetcherOptions) {
    this.#options = options;
  }

  /** Where the leader listens; undefined while nobody knows. A new place, or a new life, is tried at once. */
  setEndpoint(endpoint: ReplicaEndpoint | undefined): void {
    this.#endpoint = endpoint;
    this.#disconnect();
    this.#reconnectMs = RECONNECT_MIN_MS;
    this.#pumpSoon();
  }

  /** Begins to follow, or takes up a new epoch. */
  follow(partition: Partition): void {
    let slot = this.#slots.get(partition);
    if (slot === undefined) {
      const ref = { topicId: partition.topicId, partition: partition.index };
      slot = {
        partition,
        ref,
        isKnown: false,
        mustRejoin: false,
        isTruncating: false,
        retry: undefined,
      };
      this.#slots.set(partition, slot);
      const slots = this.#byRef.get(ref.topicId);
      if (slots === undefined) this.#byRef.set(ref.topicId, bySparse(slot));
      else slots[ref.partition] = slot;
    }
    slot.retry?.cancel();
    slot.retry = undefined;
    this.#positionChanged(slot);
  }

  unfollow(partition: Partition): void {
    const slot = this.#slots.get(partition);
    if (slot === undefined) return;
    slot.retry?.cancel();
    this.#slots.delete(partition);
    this.#changed.delete(slot);
    const slots = this.#byRef.get(slot.ref.topicId)!;
    delete slots[slot.ref.partition];
    if (slots.every((other) => other === undefined)) this.#byRef.delete(slot.ref.topicId);
    if (slot.isKnown) this.#removed.push(slot.ref);
    if (this.#slots.size === 0) this.#disconnect();
    else this.#pumpSoon();
  }

  /** More of the log is on stable storage. Several partitions of one flush share a message. */
  flushed(partition: Partition): void {
    const slot = this.#slots.get(partition);
    if (slot === undefined || !slot.isKnown || slot.isTruncating) return;
    this.#positionChanged(slot);
  }

  close(): void {
    this.#isClosed = true;
    for (const slot of this.#slots.values()) slot.retry?.cancel();
    this.#slots.clear();
    this.#byRef.clear();
    this.#changed.clear();
    this.#disconnect();
  }

  #positionChanged(slot: Slot): void {
    this.#changed.add(slot);
    this.#pumpSoon();
  }

  #pumpSoon(): void {
    if (this.#isPumping || this.#isClosed) return;
    this.#isPumping = true;
    this.#options.defer(() => {
      this.#isPumping = false;
      this.#pump();
    });
  }

  /** Sends what there is to say: as the next request if none is out, else as an update beside it. */
  #pump(): void {
    this.#release();
    if (this.#isClosed || this.#slots.size === 0 || this.#options.brokerEpoch() === -1) return;
    if (this.#stream === undefined && !this.#connect()) return;
    if (this.#isAwaiting && this.#changed.size === 0 && this.#removed.length === 0) return;
    const { nodeId, maxWaitMs, maxBytes } = this.#options;
    const isRequest = !this.#isAwaiting;
    if (isRequest) this.#correlationId += 1;
    this.#isAwaiting = true;
    const removed = this.#removed;
    this.#removed = [];
    this.#stream!.send({
      correlationId: isRequest ? this.#correlationId : 0,
      replicaId: nodeId,
      brokerEpoch: this.#options.brokerEpoch(),
      maxWaitMs,
      maxBytes,
      positions: this.#takePositions(removed),
      removed,
    });
  }

  #takePositions(removed: PartitionRef[]): ReplicaPosition[] {
    const positions: ReplicaPosition[] = [];
    for (const slot of this.#changed) {
      // Comes back by itself: when the log is free again, the role changes, or the pause is over.
      if (slot.isTruncating || slot.retry !== undefined || !slot.partition.isFollowing) continue;
      if (slot.isKnown && slot.mustRejoin) removed.push(slot.ref);
      slot.isKnown = true;
      slot.mustRejoin = false;
      const { log, image } = slot.partition;
      positions.push({
        topicId: slot.ref.topicId,
        partition: slot.ref.partition,
        currentLeaderEpoch: image.leaderEpoch,
        fetchOffset: log.logEndOffset,
        flushedOffset: log.flushedOffset,
        lastFetchedEpoch: log.lastEpoch,
        logStartOffset: log.logStartOffset,
      });
    }
    this.#changed.clear();
    return positions;
  }

  #connect(): boolean {
    if (this.#endpoint === undefined || this.#reconnect !== undefined) return false;
    const stream = this.#options.channel.connect(this.#endpoint);
    this.#stream = stream;
    stream.onResponse((response) => {
      if (this.#stream === stream) this.#received(response);
    });
    stream.onClosed((error) => {
      if (this.#stream === stream) this.#lost(error);
    });
    this.#isAwaiting = false;
    this.#removed = [];
    for (const slot of this.#slots.values()) {
      slot.isKnown = false;
      this.#changed.add(slot);
    }
    this.#heardAtMs = this.#options.clock.nowMs();
    this.#watch();
    return true;
  }

  #disconnect(): void {
    this.#reconnect?.cancel();
    this.#reconnect = undefined;
    this.#watchdog?.cancel();
    this.#watchdog = undefined;
    this.#release();
    const stream = this.#stream;
    this.#stream = undefined;
    stream?.close();
  }

  #lost(error: MillraceError): void {
    const { logger, leaderId, clock, backoffMs } = this.#options;
    const { code, message: reason } = error;
    logger.debug({ event: 'replica_stream_lost', leader: leaderId, code, reason }, 'lost the leader');
    this.#disconnect();
    if (this.#isClosed) return;
    this.#reconnect = clock.schedule(this.#reconnectMs, () => {
      this.#reconnect = undefined;
      this.#pump();
    });
    this.#reconnectMs = Math.min(this.#reconnectMs * 2, backoffMs);
  }

  /** A half-open connection says nothing at all: answers must come at least every `maxWaitMs`. */
  #watch(): void {
    const { clock, silenceMaxMs, maxWaitMs } = this.#options;
    const limitMs = silenceMaxMs + maxWaitMs;
    this.#watchdog = clock.schedule(limitMs, () => {
      if (clock.nowMs() - this.#heardAtMs < limitMs) this.#watch();
      else this.#lost(new MillraceError('REQUEST_TIMED_OUT', 'the leader is silent'));
    });
  }

  #received(response: ReplicaFetchResponse): void {
    this.#heardAtMs = this.#options.clock.nowMs();
    if (response.correlationId !== this.#correlationId || !this.#isAwaiting) return;
    this.#isAwaiting = false;
    if (response.failure !== undefined) {
      this.#lost(new MillraceError(response.failure.code, response.failure.message));
      return;
    }
    this.#reconnectMs = RECONNECT_MIN_MS;
    let bytes = 0;
    for (const fetched of response.partitions) {
      const slot = this.#byRef.get(fetched.topicId)?.[fetched.partition];
      if (slot !== undefined) this.#take(slot, fetched);
      bytes += fetched.records.length;
    }
    if (bytes < HELD_BYTES_MAX && this.#waitsForDisk()) this.#holdBack();
    else this.#pump();
  }

  /** `flushed` comes for what was just appended. */
  #waitsForDisk(): boolean {
    for (const { partition } of this.#changed) {
      if (partition.isFollowing && partition.log.flushedOffset < partition.log.logEndOffset) return true;
    }
    return false;
  }

  /**
   * Messages cost more than small answers do: the next request says at once where the log stands and how much of it
   * is on the disk. Large answers are asked for while the disk is busy.
   */
  #holdBack(): void {
    this.#hold = this.#options.clock.schedule(HELD_MAX_MS, () => this.#pump());
  }

  #release(): void {
    this.#hold?.cancel();
    this.#hold = undefined;
  }

  #take(slot: Slot, fetched: ReplicaFetched): void {
    const { partition } = slot;
    if (slot.isTruncating || !partition.isFollowing) return;
    if (fetched.failure !== undefined) {
      this.#refused(slot, fetched, new MillraceError(fetched.failure.code, fetched.failure.message));
      return;
    }
    if (fetched.leaderEpoch !== partition.image.leaderEpoch) return;
    if (fetched.divergingEpoch !== -1 || fetched.divergingEndOffset !== -1) {
      this.#diverged(slot, fetched);
      return;
    }
    const hasRecords = fetched.records.length > 0;
    // The next request says where the log stands: its pump follows these answers at once.
    if (hasRecords) this.#changed.add(slot);
    if (hasRecords && fetched.fetchOffset === partition.log.logEndOffset) {
      try {
        partition.appendFetched(fetched.records);
      } catch (error) {
        this.#pause(slot, toMillraceError(error));
        return;
      }
    }
    partition.followLeader(fetched.highWatermark, fetched.logStartOffset);
  }

  #refused(slot: Slot, fetched: ReplicaFetched, error: MillraceError): void {
    const { log, image } = slot.partition;
    if (error.code === 'FENCED_LEADER_EPOCH') {
      // Our metadata is old; the new leader or epoch comes through `follow`.
      return;
    }
    const isEmpty = log.logStartOffset === log.logEndOffset;
    const mayRestart = isEmpty || log.logEndOffset < fetched.logStartOffset;
    if (
      error.code === 'OFFSET_OUT_OF_RANGE' &&
      mayRestart &&
      fetched.leaderEpoch === image.leaderEpoch &&
      fetched.fetchOffset === log.logEndOffset &&
      fetched.logStartOffset !== log.logEndOffset
    ) {
      this.#change(slot, () => slot.partition.restartAt(fetched.logStartOffset));
      return;
    }
    this.#pause(slot, error);
  }

  #diverged(slot: Slot, fetched: ReplicaFetched): void {
    const { log } = slot.partition;
    if (fetched.fetchOffset !== log.logEndOffset) {
      this.#changed.add(slot);
      return;
    }
    const end = { epoch: fetched.divergingEpoch, endOffset: fetched.divergingEndOffset };
    this.#change(slot, () => slot.partition.truncate(end, fetched.logStartOffset));
  }

  /** Truncates while everything else goes on, then says where the log stands. */
  #change(slot: Slot, change: () => Promise<void>): void {
    const { log } = slot.partition;
    const place = (): string => `${log.logStartOffset}/${log.logEndOffset}/${log.lastEpoch}`;
    const before = place();
    slot.isTruncating = true;
    // Part of the change may happen before the first await, so the look at the log comes first.
    change().then(
      () => {
        slot.isTruncating = false;
        if (this.#slots.get(slot.partition) !== slot) return;
        if (place() === before) {
          this.#pause(slot, new MillraceError('LOG_DAMAGED', 'truncation did not bring the logs together'));
          return;
        }
        // A log that only begins later now stands, for the leader, where it stood.
        slot.mustRejoin = true;
        this.#positionChanged(slot);
      },
      (error: unknown) => {
        slot.isTruncating = false;
        if (this.#slots.get(slot.partition) === slot) this.#pause(slot, toMillraceError(error));
      },
    );
  }

  #pause(slot: Slot, error: MillraceError): void {
    const { clock, logger, backoffMs, leaderId } = this.#options;
    // A full journal empties within a few syncs; that is back-pressure and no failure.
    const { code, message: reason } = error;
    const isOverloaded = code === 'NODE_OVERLOADED';
    if (!isOverloaded) {
      logger.warn(
        { event: 'replica_fetch_failed', partition: slot.partition.name, leader: leaderId, code, reason },
        'fetching from the leader failed; trying again',
      );
    }
    slot.retry?.cancel();
    slot.retry = clock.schedule(isOverloaded ? Math.min(OVERLOADED_MS, backoffMs) : backoffMs, () => {
      slot.retry = undefined;
      slot.mustRejoin = true;
      this.#positionChanged(slot);
    });
  }
}

function bySparse(slot: Slot): Slot[] {
  const slots: Slot[] = [];
  slots[slot.ref.partition] = slot;
  return slots;
}
