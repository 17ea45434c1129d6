/** A partition's log in memory, with the checks a broker makes of idempotent producers. For this package's tests only. */
import type { ErrorCode } from '@millrace/core';
import { type BatchView, decodeRecords, type LogRecord, splitBatches } from '@millrace/records';

interface ProducerEntry {
  epoch: number;
  lastSequence: number;
  recent: { first: number; last: number; baseOffset: number }[];
}

const REMEMBERED_BATCHES = 5;
const SEQUENCE_MODULUS = 2 ** 31;

export class FakePartition {
  readonly number: number;
  leaderId: number;
  leaderEpoch = 0;
  startOffset = 0;
  endOffset = 0;
  batches: BatchView[] = [];
  /** First offset of each leader epoch. */
  epochStarts = new Map<number, number>([[0, 0]]);
  readonly #producers = new Map<number, ProducerEntry>();

  constructor(number: number, leaderId: number) {
    this.number = number;
    this.leaderId = leaderId;
  }

  moveTo(leaderId: number): void {
    this.leaderId = leaderId;
    this.leaderEpoch++;
    this.epochStarts.set(this.leaderEpoch, this.endOffset);
  }

  append(records: Buffer): { baseOffset: number } | { code: ErrorCode } {
    const batch = splitBatches(Buffer.from(records))[0];
    if (batch === undefined || !batch.isCrcValid()) return { code: 'CORRUPT_MESSAGE' };
    const verdict = batch.producerId < 0 ? 'new' : this.#check(batch);
    if (verdict !== 'new') return verdict;
    const baseOffset = this.endOffset;
    batch.assignOffsets(baseOffset, this.leaderEpoch);
    this.batches.push(batch);
    this.endOffset = batch.nextOffset;
    if (batch.producerId >= 0) this.#remember(batch, baseOffset);
    return { baseOffset };
  }

  read(fromOffset: number, maxBytes: number): Buffer {
    const chosen: Buffer[] = [];
    let size = 0;
    for (const batch of this.batches) {
      if (batch.lastOffset < fromOffset) continue;
      if (chosen.length > 0 && size + batch.sizeBytes > maxBytes) break;
      chosen.push(batch.bytes);
      size += batch.sizeBytes;
    }
    return Buffer.concat(chosen);
  }

  records(): LogRecord[] {
    return this.batches.flatMap((batch) => decodeRecords(batch));
  }

  values(): string[] {
    return this.records().map(({ value }) => String(value));
  }

  /** Cuts the log, as an unclean election does. */
  truncateTo(offset: number): void {
    this.batches = this.batches.filter((batch) => batch.lastOffset < offset);
    this.endOffset = offset;
    for (const [epoch, start] of this.epochStarts) if (start > offset) this.epochStarts.delete(epoch);
  }

  /** Leader epoch of the record before `offset`; -1 if the log has none. */
  epochBefore(offset: number): number {
    return this.batches.findLast((batch) => batch.baseOffset < offset)?.leaderEpoch ?? -1;
  }

  endOffsetForEpoch(epoch: number): { epoch: number; endOffset: number } {
    const known = [...this.epochStarts.keys()].filter((candidate) => candidate <= epoch);
    const found = Math.max(...known);
    const next = Math.min(...[...this.epochStarts.keys()].filter((candidate) => candidate > found));
    return { epoch: found, endOffset: this.epochStarts.get(next) ?? this.endOffset };
  }

  forgetProducers(): void {
    this.#producers.clear();
  }

  #check(batch: BatchView): 'new' | { baseOffset: number } | { code: ErrorCode } {
    const entry = this.#producers.get(batch.producerId);
    if (entry === undefined) return batch.baseSequence === 0 ? 'new' : { code: 'UNKNOWN_PRODUCER_ID' };
    if (batch.producerEpoch < entry.epoch) return { code: 'INVALID_PRODUCER_EPOCH' };
    if (batch.producerEpoch > entry.epoch) {
      return batch.baseSequence === 0 ? 'new' : { code: 'OUT_OF_ORDER_SEQUENCE_NUMBER' };
    }
    const { baseSequence, lastSequence } = batch;
    const duplicate = entry.recent.find(({ first, last }) => first === baseSequence && last === lastSequence);
    if (duplicate !== undefined) return { baseOffset: duplicate.baseOffset };
    if (baseSequence === (entry.lastSequence + 1) % SEQUENCE_MODULUS) return 'new';
    const isBehind =
      (entry.lastSequence - lastSequence + SEQUENCE_MODULUS) % SEQUENCE_MODULUS < SEQUENCE_MODULUS / 2;
    return { code: isBehind ? 'DUPLICATE_SEQUENCE_NUMBER' : 'OUT_OF_ORDER_SEQUENCE_NUMBER' };
  }

  #remember({ producerId, producerEpoch, baseSequence, lastSequence }: BatchView, baseOffset: number): void {
    let entry = this.#producers.get(producerId);
    if (entry === undefined || entry.epoch !== producerEpoch) {
      entry = { epoch: producerEpoch, lastSequence, recent: [] };
      this.#producers.set(producerId, entry);
    }
    entry.lastSequence = lastSequence;
    entry.recent = [...entry.recent, { first: baseSequence, last: lastSequence, baseOffset }].slice(
      -REMEMBERED_BATCHES,
    );
  }
}
