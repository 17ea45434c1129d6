/**
 * The leader's end of a replication stream. Remembers where the follower stands in every partition it follows
 * from this broker and answers as soon as one of them has something new. Work is done only for partitions that
 * changed: an idle session costs one empty answer per `maxWaitMs`, whatever its size.
 *
 * An answer with records, a divergence or a failure silences its partition until the follower says where it
 * stands: in its next numbered request, or with another position, or by removing and adding the partition.
 */

import type { Clock, NodeId, Timer, TopicId } from '@millrace/core';
import type { EpochEndOffset } from '@millrace/storage';
import type { PartitionRef } from './broker-api.ts';
import type { Defer } from './defer.ts';
import { type Failure, failure, failureOf } from './failure.ts';
import { divergence } from './log-divergence.ts';
import type { FollowerWatcher, Partition } from './partition.ts';
import type { PartitionTable } from './partition-table.ts';
import type {
  ReplicaFetched,
  ReplicaFetchRequest,
  ReplicaFetchResponse,
  ReplicaFetchSession,
  ReplicaPosition,
} from './replica-channel.ts';

export interface ReplicaSessionOptions {
  readonly replicaId: NodeId;
  readonly partitions: PartitionTable;
  readonly clock: Clock;
  /** Runs a callback soon, after the current event: appends of one event share an answer. */
  readonly defer: Defer;
  readonly partitionMaxBytes: number;
  readonly responseMaxBytes: number;
  readonly onClosed: (session: ReplicaSession) => void;
}

interface Parked {
  readonly request: ReplicaFetchRequest;
  readonly resolve: (response: ReplicaFetchResponse) => void;
  readonly timer: Timer;
}

const NO_RECORDS = Buffer.alloc(0);

export class ReplicaSession implements ReplicaFetchSession {
  readonly replicaId: NodeId;
  readonly #options: ReplicaSessionOptions;
  readonly #places = new Map<TopicId, (Place | undefined)[]>();
  /** Places with something to say, in the order in which they came to have it. */
  #ready: Place[] = [];
  /** Places whose watermark or log start the follower has not heard of. These wait for an answer to ride along. */
  #stale: Place[] = [];
  #parked: Parked | undefined;
  #isAnswering = false;
  #isWaking = false;
  #isClosed = false;
  #brokerEpoch = -1;

  constructor(options: ReplicaSessionOptions) {
    this.#options = options;
    this.replicaId = options.replicaId;
  }

  handle(request: ReplicaFetchRequest): Promise<ReplicaFetchResponse> | undefined {
    const isNumbered = request.correlationId !== 0;
    const refusal = this.#refusal(request);
    if (refusal !== undefined) {
      return isNumbered
        ? Promise.resolve({ correlationId: request.correlationId, failure: refusal, partitions: [] })
        : undefined;
    }
    this.#registered(request.brokerEpoch);
    for (const ref of request.removed) this.#remove(ref);
    for (const position of request.positions) this.#moved(position, isNumbered);
    if (!isNumbered) return undefined;
    if (this.#ready.length > 0) return this.#answer(request);
    return new Promise((resolve) => {
      const timer = this.#options.clock.schedule(request.maxWaitMs, () => this.#release());
      this.#parked = { request, resolve, timer };
    });
  }

  /** Role, leader, epoch or disk of a partition changed; what waited for that is looked at again. */
  partitionChanged(partition: Partition): void {
    const place = this.#places.get(partition.topicId)?.[partition.index];
    if (place === undefined) return;
    place.bind(partition);
    this.#judge(place);
  }

  /** The replica left this broker; if it comes back it is another object. */
  partitionRemoved(partition: Partition): void {
    this.#places.get(partition.topicId)?.[partition.index]?.bind(undefined);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const places of this.#places.values()) for (const place of places) place?.unbind();
    this.#places.clear();
    this.#ready = [];
    this.#stale = [];
    this.#release();
    this.#options.onClosed(this);
  }

  /** A place has data, a fault or a divergence to report. */
  markReady(place: Place): void {
    if (place.isReady || place.isSilent) return;
    place.isReady = true;
    this.#ready.push(place);
    this.#wake();
  }

  markStale(place: Place): void {
    if (place.isStale) return;
    place.isStale = true;
    this.#stale.push(place);
  }

  #refusal(request: ReplicaFetchRequest): Failure | undefined {
    if (this.#isClosed) return failure('NODE_NOT_SERVING');
    if (request.replicaId !== this.replicaId) {
      return failure('INVALID_REQUEST', 'a replication stream belongs to one replica');
    }
    if (request.brokerEpoch < this.#brokerEpoch) return failure('STALE_BROKER_EPOCH');
    if (request.correlationId !== 0 && (this.#parked !== undefined || this.#isAnswering)) {
      return failure('INVALID_REQUEST', 'a replication stream has one request at a time');
    }
    return undefined;
  }

  /** Registered again while it runs, the follower still stands where it stood, and counts as who it is now. */
  #registered(brokerEpoch: number): void {
    if (brokerEpoch === this.#brokerEpoch) return;
    this.#brokerEpoch = brokerEpoch;
    for (const places of this.#places.values()) {
      for (const place of places) if (place !== undefined) this.#judge(place);
    }
  }

  #remove({ topicId, partition }: PartitionRef): void {
    const places = this.#places.get(topicId);
    const place = places?.[partition];
    if (place === undefined) return;
    place.unbind();
    places![partition] = undefined;
    if (places!.every((other) => other === undefined)) this.#places.delete(topicId);
  }

  #moved(position: ReplicaPosition, isNumbered: boolean): void {
    let places = this.#places.get(position.topicId);
    if (places === undefined) {
      places = [];
      this.#places.set(position.topicId, places);
    }
    let place = places[position.partition];
    if (place === undefined) {
      place = new Place(this, position);
      places[position.partition] = place;
      place.bind(this.#options.partitions.get(position.topicId, position.partition));
    } else {
      if (isNumbered || !samePlace(place.position, position)) place.isSilent = false;
      place.position = position;
    }
    this.#judge(place);
  }

  /** P16, P17: what a place has to say now. Progress counts only where the follower's log is a prefix of ours. */
  #judge(place: Place): void {
    place.diverging = undefined;
    place.fault = undefined;
    place.isValid = false;
    const { partition, position } = place;
    // A follower that learnt of its leader before the leader did waits for it instead of trying again.
    if (partition === undefined || isAhead(partition, position)) return;
    const fault = partition.leaderFault(position.currentLeaderEpoch);
    if (fault !== undefined) {
      place.fault = failure(fault);
    } else {
      this.#compare(place, partition);
    }
    if (place.fault !== undefined || place.diverging !== undefined) this.markReady(place);
  }

  #compare(place: Place, partition: Partition): void {
    const { log } = partition;
    const { position } = place;
    const { fetchOffset, lastFetchedEpoch } = position;
    if (fetchOffset < log.logStartOffset || (lastFetchedEpoch === -1 && fetchOffset > log.logEndOffset)) {
      place.fault = failure('OFFSET_OUT_OF_RANGE');
      return;
    }
    if (lastFetchedEpoch !== -1) {
      place.diverging =
        divergence(log, lastFetchedEpoch, fetchOffset) ?? unvouched(partition, this.replicaId, position);
      if (place.diverging !== undefined) return;
    }
    place.isValid = true;
    partition.followerMoved(this.replicaId, {
      acknowledgedOffset: Math.min(position.flushedOffset, fetchOffset),
      logStartOffset: position.logStartOffset,
      brokerEpoch: this.#brokerEpoch,
    });
    if (place.sentWatermark !== partition.highWatermark) this.markStale(place);
    if (fetchOffset < log.logEndOffset) this.markReady(place);
  }

  #wake(): void {
    if (this.#parked === undefined || this.#isWaking) return;
    this.#isWaking = true;
    this.#options.defer(() => {
      this.#isWaking = false;
      if (this.#ready.length > 0) this.#release();
    });
  }

  /** Answers the parked request with what there is. */
  #release(): void {
    const parked = this.#parked;
    if (parked === undefined) return;
    this.#parked = undefined;
    parked.timer.cancel();
    void this.#answer(parked.request).then(parked.resolve);
  }

  async #answer(request: ReplicaFetchRequest): Promise<ReplicaFetchResponse> {
    this.#isAnswering = true;
    const partitions: ReplicaFetched[] = [];
    let room = Math.min(request.maxBytes, this.#options.responseMaxBytes);
    while (this.#ready.length > 0 && room > 0) {
      const atOnce = Math.max(1, Math.floor(room / this.#options.partitionMaxBytes));
      const reads = this.#ready.splice(0, atOnce).map((place) => this.#read(place, room));
      for (const fetched of await Promise.all(reads)) {
        if (fetched === undefined) continue;
        partitions.push(fetched);
        room -= fetched.records.length;
      }
    }
    for (const place of this.#stale.splice(0)) {
      place.isStale = false;
      const fetched = place.isValid && !place.isSilent ? place.answer(NO_RECORDS) : undefined;
      if (fetched !== undefined) partitions.push(fetched);
    }
    this.#isAnswering = false;
    return { correlationId: request.correlationId, partitions };
  }

  async #read(place: Place, room: number): Promise<ReplicaFetched | undefined> {
    place.isReady = false;
    const { partition, position } = place;
    if (partition === undefined || !place.isBound) return undefined;
    if (place.fault !== undefined || place.diverging !== undefined) {
      place.isSilent = true;
      return place.answer(NO_RECORDS);
    }
    const { log } = partition;
    if (!place.isValid || place.isSilent || position.fetchOffset >= log.logEndOffset) return undefined;
    place.isSilent = true;
    try {
      const maxBytes = Math.min(room, this.#options.partitionMaxBytes);
      const records = await log.read(position.fetchOffset, maxBytes, log.logEndOffset);
      // The role or the position may have changed while the disk was read. And if a cleaning put one batch in the place
      // of many, that may end beyond where the log ended when it was read: an empty answer would be the last.
      const isStanding = place.isValid && samePlace(place.position, position);
      if (isStanding && records.length > 0) return place.answer(records);
      place.isSilent = false;
      if (place.isBound) this.#judge(place);
      return undefined;
    } catch (error) {
      return place.answer(NO_RECORDS, failureOf(error));
    }
  }
}

/** Where the follower stands in one partition. Only its session changes it. */
class Place implements FollowerWatcher {
  position: ReplicaPosition;
  partition: Partition | undefined;
  fault: Failure | undefined;
  diverging: EpochEndOffset | undefined;
  /** The follower's log was found to be a prefix of ours, in our epoch. */
  isValid = false;
  isReady = false;
  isStale = false;
  isSilent = false;
  isBound = false;
  sentWatermark = -1;
  readonly #session: ReplicaSession;

  constructor(session: ReplicaSession, position: ReplicaPosition) {
    this.#session = session;
    this.position = position;
  }

  bind(partition: Partition | undefined): void {
    if (this.isBound && partition === this.partition) return;
    this.unbind();
    this.isBound = partition !== undefined;
    this.partition = partition;
    partition?.followers.push(this);
  }

  unbind(): void {
    this.isValid = false;
    if (!this.isBound) return;
    this.isBound = false;
    const watchers = this.partition!.followers;
    watchers.splice(watchers.indexOf(this), 1);
  }

  appended(): void {
    if (this.isValid) this.#session.markReady(this);
  }

  watermarkMoved(): void {
    this.#session.markStale(this);
  }

  answer(records: Buffer, fault: Failure | undefined = this.fault): ReplicaFetched {
    const { partition, position, diverging } = this;
    const log = partition?.isOpen ? partition.log : undefined;
    const highWatermark = partition?.highWatermark ?? 0;
    this.sentWatermark = highWatermark;
    return {
      topicId: position.topicId,
      partition: position.partition,
      failure: fault,
      highWatermark,
      logStartOffset: log?.logStartOffset ?? 0,
      divergingEpoch: diverging?.epoch ?? -1,
      divergingEndOffset: diverging?.endOffset ?? -1,
      leaderEpoch: partition?.image.leaderEpoch ?? -1,
      fetchOffset: position.fetchOffset,
      records,
    };
  }
}

/** The follower's metadata is newer than ours, or our log is not open yet: both pass. */
function isAhead(partition: Partition, { currentLeaderEpoch }: ReplicaPosition): boolean {
  const { image } = partition;
  if (currentLeaderEpoch !== image.leaderEpoch) return currentLeaderEpoch > image.leaderEpoch;
  return partition.isBecomingLeader;
}

/**
 * Our log begins where the follower's ends: all it holds is deleted here, an answer by the epochs of what is left (P2)
 * says nothing of it, and it may never have been the same. The epoch of our last deleted record tells. If that is not
 * known an older epoch is not believed, except of those whom the watermark waited for.
 */
function unvouched(
  partition: Partition,
  replicaId: NodeId,
  { fetchOffset, lastFetchedEpoch, logStartOffset }: ReplicaPosition,
): EpochEndOffset | undefined {
  const { log } = partition;
  if (fetchOffset !== log.logStartOffset || logStartOffset >= fetchOffset) return undefined;
  const deleted = log.epochAt(fetchOffset - 1);
  if (deleted === lastFetchedEpoch || partition.reliesOn(replicaId)) return undefined;
  if (deleted !== -1) return { epoch: deleted, endOffset: fetchOffset };
  if (log.epochAt(fetchOffset) <= lastFetchedEpoch) return undefined;
  return { epoch: lastFetchedEpoch, endOffset: fetchOffset };
}

function samePlace(a: ReplicaPosition, b: ReplicaPosition): boolean {
  return (
    a.fetchOffset === b.fetchOffset &&
    a.currentLeaderEpoch === b.currentLeaderEpoch &&
    a.lastFetchedEpoch === b.lastFetchedEpoch
  );
}
