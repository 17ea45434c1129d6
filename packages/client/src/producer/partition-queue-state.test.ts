/**
 * The queue of one partition under every interleaving of answers, losses and refusals: against a broker that
 * checks sequences, no record is written twice, none acknowledged is missing, and order is the order of send.
 */
import { type ErrorCode, MillraceError } from '@millrace/core';
import { BatchBuilder, BatchView, decodeRecords } from '@millrace/records';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FakePartition } from '../testing/fake-partition.ts';
import { FailureLedger } from './failure-ledger.ts';
import { PartitionQueueState } from './partition-queue-state.ts';
import { ProducerBatch } from './producer-batch.ts';

function batchOf(value: string, count = 1): ProducerBatch {
  const batch = new ProducerBatch({
    topic: 't',
    partition: 0,
    builder: new BatchBuilder({ codec: 'none', capacityBytes: 1 << 20 }),
    createdAtMs: 0,
    deadlineMs: 1000,
    ledger: new FailureLedger(),
    onDone: () => {},
    onSplit: () => {},
  });
  for (let i = 0; i < count; i++)
    batch.tryAppend(0, null, Buffer.from(count === 1 ? value : `${value}.${i}`), []);
  return batch;
}

function add(queue: PartitionQueueState, batch: ProducerBatch): ProducerBatch {
  queue.begin(batch);
  queue.seal();
  return batch;
}

const LEADER = 1;
const ok = { baseOffset: 0, logAppendTimeMs: -1 };

/** The first batch of the identity is acknowledged: from here on several may be in flight. */
function establish(queue: PartitionQueueState): void {
  const first = add(queue, batchOf('first'));
  queue.take(LEADER);
  queue.written(first, ok);
}

const refused = (code: ErrorCode) => new MillraceError(code);

describe('a partition queue', () => {
  test('sequences follow each other and wrap from 2^31-1 to 0', () => {
    const queue = new PartitionQueueState('t', 0, true);
    queue.identify({ producerId: 9, producerEpoch: 3 });
    const first = add(queue, batchOf('a', 5));
    const second = add(queue, batchOf('b', 2));
    expect(queue.take(LEADER).stamp).toEqual({ producerId: 9, producerEpoch: 3, baseSequence: 0 });
    queue.written(first, ok);
    expect(queue.take(LEADER).stamp?.baseSequence).toBe(5);
    queue.written(second, ok);
    expect(queue.isEmpty).toBe(true);
  });

  test('while a leader has batches in flight nothing goes to another one', () => {
    const queue = new PartitionQueueState('t', 0, true);
    queue.identify({ producerId: 9, producerEpoch: 0 });
    establish(queue);
    const batch = add(queue, batchOf('a'));
    add(queue, batchOf('b'));
    queue.take(LEADER);
    expect(queue.maySendTo(LEADER)).toBe(true);
    expect(queue.maySendTo(2)).toBe(false);
    queue.written(batch, ok);
    expect(queue.maySendTo(2)).toBe(true);
  });

  test('when the epochs are used up a new producer id is asked for', () => {
    const queue = new PartitionQueueState('t', 0, true);
    queue.identify({ producerId: 9, producerEpoch: 32_767 });
    add(queue, batchOf('a'));
    queue.failed(queue.take(LEADER), new MillraceError('INVALID_RECORD'));
    add(queue, batchOf('b'));
    queue.settleGap();
    expect(queue.needsIdentity).toBe(true);
    queue.identify({ producerId: 10, producerEpoch: 0 });
    expect(queue.take(LEADER).stamp).toEqual({ producerId: 10, producerEpoch: 0, baseSequence: 0 });
  });

  test('a batch that expires in flight keeps its place: its late success needs no new epoch', async () => {
    const queue = new PartitionQueueState('t', 0, true);
    queue.identify({ producerId: 9, producerEpoch: 0 });
    const batch = add(queue, batchOf('a'));
    queue.take(LEADER);
    queue.expire(1000, () => new MillraceError('REQUEST_TIMED_OUT'));
    await expect(batch.settled()).rejects.toMatchObject({ code: 'REQUEST_TIMED_OUT' });
    queue.written(batch, ok);
    add(queue, batchOf('b'));
    queue.settleGap();
    expect(queue.take(LEADER).stamp).toEqual({ producerId: 9, producerEpoch: 0, baseSequence: 1 });
  });

  test('a duplicate sequence is success for a batch that may be written, and a reason to start anew for another', async () => {
    const queue = new PartitionQueueState('t', 0, true);
    queue.identify({ producerId: 9, producerEpoch: 0 });
    const resent = add(queue, batchOf('a'));
    queue.failed(queue.take(LEADER), new MillraceError('NETWORK_EXCEPTION'));
    expect(queue.failed(queue.take(LEADER), new MillraceError('DUPLICATE_SEQUENCE_NUMBER'))).toBe('failed');
    expect(await resent.settled()).toMatchObject({ baseOffset: -1 });
    const fresh = add(queue, batchOf('b'));
    expect(queue.failed(queue.take(LEADER), new MillraceError('DUPLICATE_SEQUENCE_NUMBER'))).toBe('again');
    queue.settleGap();
    expect(queue.take(LEADER).stamp).toEqual({ producerId: 9, producerEpoch: 1, baseSequence: 0 });
    expect(fresh.isDone).toBe(false);
  });

  test('the first batch of an identity travels alone until the leader has it', () => {
    const queue = new PartitionQueueState('t', 0, true);
    queue.identify({ producerId: 9, producerEpoch: 0 });
    const [first, second] = [add(queue, batchOf('a')), add(queue, batchOf('b'))];
    queue.take(LEADER);
    expect(queue.maySendTo(LEADER)).toBe(false);
    expect(queue.failed(first, refused('NOT_ENOUGH_REPLICAS'))).toBe('again');
    expect(queue.take(LEADER)).toBe(first);
    queue.written(first, ok);
    expect(queue.take(LEADER)).toBe(second);
    add(queue, batchOf('c'));
    expect(queue.maySendTo(LEADER)).toBe(true);
    queue.failed(second, refused('INVALID_RECORD'));
    queue.settleGap();
    expect(queue.take(LEADER).stamp).toMatchObject({ producerEpoch: 1, baseSequence: 0 });
    add(queue, batchOf('d'));
    expect(queue.maySendTo(LEADER)).toBe(false);
    const plain = new PartitionQueueState('t', 0, false);
    add(plain, batchOf('a'));
    plain.take(LEADER);
    expect(plain.maySendTo(LEADER)).toBe(true);
  });

  test('no more goes out behind an unanswered batch than a broker remembers, however often that one is sent', () => {
    const queue = new PartitionQueueState('t', 0, true);
    queue.identify({ producerId: 9, producerEpoch: 0 });
    establish(queue);
    for (let i = 0; i < 10; i++) add(queue, batchOf(`v${i}`));
    const oldest = queue.take(LEADER);
    for (let i = 0; i < 2; i++) queue.written(queue.take(LEADER), ok);
    queue.failed(oldest, refused('NETWORK_EXCEPTION'));
    expect(queue.take(LEADER)).toBe(oldest);
    for (let i = 0; i < 2; i++) queue.written(queue.take(LEADER), ok);
    expect(queue.inFlightCount).toBe(1);
    expect(queue.maySendTo(LEADER)).toBe(false);
    queue.written(oldest, ok);
    expect(queue.maySendTo(LEADER)).toBe(true);
  });

  test('behind a refused batch one whose answer was lost asks under its old sequence, then goes anew', () => {
    const queue = new PartitionQueueState('t', 0, true);
    queue.identify({ producerId: 9, producerEpoch: 0 });
    establish(queue);
    const [bad, lost, last] = [batchOf('bad'), batchOf('lost'), batchOf('last')];
    for (const batch of [bad, lost, last]) add(queue, batch);
    for (const _ of [bad, lost, last]) queue.take(LEADER);
    expect(queue.failed(bad, refused('INVALID_RECORD'))).toBe('failed');
    for (const batch of [lost, last]) queue.failed(batch, refused('NETWORK_EXCEPTION'));
    queue.settleGap();
    expect(queue.take(LEADER).stamp).toMatchObject({ producerEpoch: 0, baseSequence: 2 });
    expect(queue.maySendTo(LEADER)).toBe(false);
    expect(queue.failed(lost, refused('OUT_OF_ORDER_SEQUENCE_NUMBER'))).toBe('atOnce');
    queue.settleGap();
    for (const [batch, baseSequence] of [
      [lost, 0],
      [last, 1],
    ] as const) {
      expect(queue.take(LEADER)).toBe(batch);
      expect(batch.stamp).toEqual({ producerId: 9, producerEpoch: 1, baseSequence });
      queue.written(batch, ok);
    }
  });

  test('behind a batch that nobody knows of, one that may be written is never sent anew, and says why', async () => {
    const queue = new PartitionQueueState('t', 0, true);
    queue.identify({ producerId: 9, producerEpoch: 0 });
    establish(queue);
    const [late, lost] = [add(queue, batchOf('late')), add(queue, batchOf('lost'))];
    for (const _ of [late, lost]) queue.take(LEADER);
    for (const batch of [late, lost]) queue.failed(batch, refused('NETWORK_EXCEPTION'));
    late.fail(refused('REQUEST_TIMED_OUT'));
    queue.expire(0, () => refused('REQUEST_TIMED_OUT'));
    queue.take(LEADER);
    queue.failed(late, new MillraceError('KAFKA_STORAGE_ERROR', 'the disk is gone'));
    queue.settleGap();
    expect(queue.take(LEADER)).toBe(lost);
    expect(queue.failed(lost, refused('OUT_OF_ORDER_SEQUENCE_NUMBER'))).toBe('failed');
    await expect(lost.settled()).rejects.toMatchObject({
      code: 'REQUEST_TIMED_OUT',
      message: expect.stringContaining('the disk is gone'),
    });
  });

  test('a topic created anew begins a new sequence, once what was sent to the old one is answered', () => {
    const queue = new PartitionQueueState('t', 0, true);
    queue.identify({ producerId: 9, producerEpoch: 0 });
    queue.addressTo('old');
    establish(queue);
    const [first, second] = [add(queue, batchOf('a')), add(queue, batchOf('b'))];
    for (const _ of [first, second]) queue.take(LEADER);
    queue.failed(first, refused('UNKNOWN_TOPIC_ID'));
    queue.addressTo('new');
    expect(queue.maySendTo(LEADER)).toBe(false);
    queue.failed(second, refused('NETWORK_EXCEPTION'));
    queue.addressTo('new');
    for (const batch of [first, second]) {
      expect(queue.take(LEADER)).toBe(batch);
      queue.written(batch, ok);
    }
    expect(first.stamp).toEqual({ producerId: 9, producerEpoch: 1, baseSequence: 0 });
    expect(second.stamp).toEqual({ producerId: 9, producerEpoch: 1, baseSequence: 1 });
  });

  test('a batch that is too large is split at once, and so is what waits, down to a size that fits', () => {
    const queue = new PartitionQueueState('t', 0, true);
    queue.identify({ producerId: 9, producerEpoch: 0 });
    const limitBytes = 500;
    const written: string[] = [];
    let refusals = 0;
    for (const name of ['a', 'b']) add(queue, batchOf(name, 400));
    while (!queue.isEmpty) {
      queue.settleGap();
      const batch = queue.take(LEADER);
      const bytes = batch.encode();
      if (bytes.length <= limitBytes) {
        written.push(...decodeRecords(BatchView.at(bytes, 0)!).map(({ value }) => String(value)));
        queue.written(batch, ok);
      } else {
        refusals++;
        expect(queue.failed(batch, refused('MESSAGE_TOO_LARGE'))).toBe('atOnce');
      }
    }
    const named = (name: string) => Array.from({ length: 400 }, (_, i) => `${name}.${i}`);
    expect(written).toEqual([...named('a'), ...named('b')]);
    expect(refusals).toBeLessThan(8);
    expect(queue.sizeMaxBytes).toBeLessThanOrEqual(limitBytes);
    expect(queue.sizeMaxBytes).toBeGreaterThan(limitBytes / 2);
  });

  type Step =
    | { readonly kind: 'send' }
    | {
        readonly kind: 'answer';
        readonly fate: 'ok' | 'refused' | 'fatal' | 'lostBefore' | 'lostAfter' | 'failedAfter';
      };
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 3, arbitrary: fc.constant({ kind: 'send' } as const) },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('answer' as const),
        fate: fc.constantFrom('ok' as const, 'refused', 'fatal', 'lostBefore', 'lostAfter', 'failedAfter'),
      }),
    },
  );

  test('no interleaving duplicates, loses or reorders', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const queue = new PartitionQueueState('t', 0, true);
        queue.identify({ producerId: 1, producerEpoch: 0 });
        const log = new FakePartition(0, LEADER);
        const acknowledged: string[] = [];
        const names = new Map<ProducerBatch, string>();
        /** On their way to the broker, in order, with their bytes as they were sent. */
        let wire: { batch: ProducerBatch; bytes: Buffer }[] = [];
        let count = 0;
        const pump = (): void => {
          queue.settleGap();
          while (queue.closedCount > 0 && queue.maySendTo(LEADER) && queue.inFlightCount < 5) {
            const batch = queue.take(LEADER);
            wire.push({ batch, bytes: Buffer.from(batch.encode()) });
          }
        };
        const answer = (fate: string): void => {
          const sent = wire.shift();
          if (sent === undefined) return;
          const { batch, bytes } = sent;
          if (fate === 'lostBefore') {
            // The connection breaks: everything behind is lost with it.
            const lost = [batch, ...wire.map((other) => other.batch)];
            wire = [];
            for (const one of lost) queue.failed(one, new MillraceError('NETWORK_EXCEPTION'));
            return;
          }
          if (fate === 'refused') return void queue.failed(batch, new MillraceError('NOT_ENOUGH_REPLICAS'));
          if (fate === 'fatal') return void queue.failed(batch, new MillraceError('MESSAGE_TOO_LARGE'));
          const result = log.append(bytes);
          if (fate === 'lostAfter') return void queue.failed(batch, new MillraceError('NETWORK_EXCEPTION'));
          if (fate === 'failedAfter')
            return void queue.failed(batch, new MillraceError('NOT_ENOUGH_REPLICAS_AFTER_APPEND'));
          if ('code' in result) return void queue.failed(batch, new MillraceError(result.code));
          if (!batch.isDone) acknowledged.push(names.get(batch)!);
          queue.written(batch, { baseOffset: result.baseOffset, logAppendTimeMs: -1 });
        };
        for (const one of steps) {
          if (one.kind === 'send') names.set(add(queue, batchOf(`v${count}`)), `v${count++}`);
          else answer(one.fate);
          pump();
        }
        for (let i = 0; i < 500 && !queue.isEmpty; i++) {
          pump();
          answer('ok');
        }
        expect(queue.isEmpty).toBe(true);
        const written = log.values();
        const numbers = written.map((value) => Number(value.slice(1)));
        expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
        for (const value of acknowledged) expect(written).toContain(value);
      }),
      { numRuns: 400 },
    );
  });
});
