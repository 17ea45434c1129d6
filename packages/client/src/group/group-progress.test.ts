/** What a member commits and when; handlers that throw; closing, also from inside a handler. */
import { describe, expect, test } from 'vitest';
import type { ConsumerBatch } from '../consumer/consumer-record.ts';
import { gate, groupFixture, textOf } from '../testing/group-fixture.ts';

const one = { partitions: 1 };

describe('progress', () => {
  test('a loop has finished with a batch when it pulls the next one, and not before', async () => {
    const { group, fill, consumer, pass, run, millrace } = groupFixture(one);
    fill(0, 4);
    const reader = consumer({ maxPollRecords: 2, autoCommitIntervalMs: 50 });
    reader.subscribe(['t']);
    const loop = reader[Symbol.asyncIterator]();
    await run(loop.next());
    await pass(200);
    expect(group.committed('t')).toBe(0);
    await run(loop.next());
    await pass(200);
    expect(group.committed('t')).toBe(1);
    await run(millrace.close());
  });

  test('a loop left in the middle is handed its batch again, and close does not commit it', async () => {
    const { group, fill, consumer, run, millrace } = groupFixture(one);
    fill(0, 3);
    const reader = consumer();
    reader.subscribe(['t']);
    const firstOf = async (): Promise<ConsumerBatch> => {
      for await (const batch of reader) return batch;
      throw new Error('no batch');
    };
    expect((await run(firstOf())).firstOffset).toBe(0n);
    expect((await run(firstOf())).firstOffset).toBe(0n);
    await run(millrace.close());
    expect(group.committed('t')).toBe(0);
  });

  test('commit without offsets says that the program is done with what it was handed', async () => {
    const { group, fill, consumer, run, millrace } = groupFixture(one);
    fill(0, 3);
    const reader = consumer({ enableAutoCommit: false });
    reader.subscribe(['t']);
    expect(await run(reader.poll({ maxRecords: 1 }))).toHaveLength(1);
    await run(reader.commit());
    expect(group.offsets.get('t-0')).toMatchObject({ offset: 1, leaderEpoch: 0 });
    await run(reader.poll());
    await run(millrace.close());
    expect(group.committed('t')).toBe(1);
  });

  test('a commit of given offsets names the epoch that was read, unless the program does or they lie ahead', async () => {
    const { group, fill, consumer, run, millrace } = groupFixture(one);
    fill(0, 3);
    const reader = consumer({ enableAutoCommit: false });
    reader.subscribe(['t']);
    expect(await run(reader.poll({ maxRecords: 2 }))).toHaveLength(2);
    const commit = async (offset: number, leaderEpoch?: number): Promise<unknown> => {
      const entry = { topic: 't', partition: 0, offset, ...(leaderEpoch !== undefined && { leaderEpoch }) };
      await run(reader.commit([entry]));
      return group.offsets.get('t-0');
    };
    expect(await commit(1)).toMatchObject({ offset: 1, leaderEpoch: 0 });
    expect(await commit(2, 7)).toMatchObject({ offset: 2, leaderEpoch: 7 });
    expect(await commit(50)).toMatchObject({ offset: 50, leaderEpoch: -1 });
    await run(millrace.close());
  });

  test('a consumer stopped after record 249 with manual commits starts again at record 250', async () => {
    const { fill, consumer, run, millrace } = groupFixture(one);
    fill(0, 400);
    const first = consumer({ enableAutoCommit: false });
    first.subscribe(['t']);
    const readTo249 = async (): Promise<void> => {
      for await (const batch of first) {
        for (const { topic, partition, offset } of batch) {
          if (offset < 249n) continue;
          await first.commit([{ topic, partition, offset: offset + 1n }]);
          return;
        }
      }
    };
    await run(readTo249());
    await run(first.close());
    const second = consumer();
    second.subscribe(['t']);
    expect((await run(second.poll()))[0]!.offset).toBe(250n);
    await run(millrace.close());
  });

  test('run commits each record whose handler has returned, at the interval and on close', async () => {
    const { group, fill, consumer, pass, run, millrace } = groupFixture(one);
    fill(0, 5);
    const reader = consumer({ autoCommitIntervalMs: 50 });
    const slow = gate();
    reader.subscribe(['t']);
    const running = reader.run({ eachRecord: ({ offset }) => (offset === 3n ? slow.wait : undefined) });
    await pass(200);
    expect(group.committed('t')).toBe(3);
    slow.open();
    await pass(10);
    await run(millrace.close());
    await run(running);
    expect(group.committed('t')).toBe(5);
  });

  test('a group that begins at the end commits that at once: another member must not begin later', async () => {
    const { group, fill, consumer, pass, run, millrace } = groupFixture(one);
    fill(0, 5);
    const reader = consumer({ autoOffsetReset: 'latest' });
    reader.subscribe(['t']);
    await pass(100);
    expect(group.committed('t')).toBe(5);
    await run(millrace.close());
  });

  test('without a committed offset and with policy none, the reader is told', async () => {
    const { consumer, run, millrace } = groupFixture(one);
    const reader = consumer({ autoOffsetReset: 'none' });
    reader.subscribe(['t']);
    await expect(run(reader.poll())).rejects.toMatchObject({ code: 'NO_OFFSET_FOR_PARTITION' });
    await run(millrace.close());
  });

  test('committed and lag tell where the group and the program are', async () => {
    const { fill, consumer, run, millrace } = groupFixture();
    fill(0, 5);
    const reader = consumer();
    const [t0, t1] = [0, 1].map((partition) => ({ topic: 't', partition }));
    await run(reader.commit([{ ...t0!, offset: 2, metadata: 'why' }]));
    const [first, second] = await run(reader.committed([t0!, t1!]));
    expect(first!.committed).toMatchObject({ offset: 2n, metadata: 'why' });
    expect(second!.committed).toBeNull();
    expect(await run(reader.lag([t0!, t1!]))).toEqual([
      { ...t0, offset: 2n, endOffset: 5n, lag: 3n },
      { ...t1, offset: null, endOffset: 0n, lag: null },
    ]);
    await run(millrace.close());
  });
});

describe('commits', () => {
  test('survive a coordinator that moves, loads, answers late or loses the connection', async () => {
    const { group, fill, consumer, pass, run, millrace } = groupFixture(one);
    fill(0, 10);
    const reader = consumer({ enableAutoCommit: false });
    reader.subscribe(['t']);
    await run(reader.poll({ maxRecords: 1 }));
    await run(reader.commit());
    for (const fault of ['lose', 'break', 'COORDINATOR_LOAD_IN_PROGRESS', 'REQUEST_TIMED_OUT'] as const) {
      let faults = 1;
      group.onCommit = () => (faults-- > 0 ? fault : undefined);
      await run(reader.poll({ maxRecords: 1 }));
      await run(reader.commit());
    }
    group.brokerId = 2;
    await run(reader.poll({ maxRecords: 1 }));
    await run(reader.commit());
    expect(group.committed('t')).toBe(6);
    const sequence = group.commits.map((request) => request.sequence!);
    expect(new Set(sequence.map(({ senderId }) => senderId)).size).toBe(1);
    expect(sequence.map(({ number }) => number)).toEqual(sequence.map((_, index) => index + 1));
    await pass(10);
    await run(millrace.close());
  });

  test('with a stale epoch are tried again with the newest', async () => {
    const { group, fill, consumer, pass, run, millrace } = groupFixture(one);
    fill(0, 3);
    group.heartbeatIntervalMs = 5_000;
    const reader = consumer({ enableAutoCommit: false });
    reader.subscribe(['t']);
    await run(reader.poll());
    await pass(20);
    const member = group.member();
    group.epoch++;
    member.epoch = group.epoch;
    await run(reader.commit([{ topic: 't', partition: 0, offset: 3 }]));
    expect(group.commits.length).toBeGreaterThan(1);
    expect(group.commits.at(-1)!.memberEpoch).toBe(member.epoch);
    await run(millrace.close());
  });

  test('of partitions that were lost are refused, and never sent under a new epoch', async () => {
    const { group, fill, consumer, callbacks, told, pass, run, millrace } = groupFixture(one);
    fill(0, 3);
    const reader = consumer({ enableAutoCommit: false });
    reader.subscribe(['t'], callbacks());
    await run(reader.poll());
    group.onCommit = () => 'COORDINATOR_LOAD_IN_PROGRESS';
    const commit = reader.commit([{ topic: 't', partition: 0, offset: 3 }]).catch(({ code }) => code);
    await pass(30);
    group.dictated = () => [];
    group.expel(group.member().id);
    await pass(100);
    group.onCommit = () => undefined;
    expect(await run(commit)).toMatch(/FENCED_MEMBER_EPOCH|UNKNOWN_MEMBER_ID/);
    expect(told).toEqual(['assigned t-0', 'lost t-0']);
    await expect(run(reader.commit([{ topic: 't', partition: 0, offset: 3 }]))).rejects.toMatchObject({
      code: 'FENCED_MEMBER_EPOCH',
    });
    expect(group.committed('t')).toBeUndefined();
    await run(millrace.close());
  });

  test('that wait end at their time limit with the reason', async () => {
    const { group, consumer, run, millrace, clock } = groupFixture(one);
    group.onCommit = () => 'COORDINATOR_LOAD_IN_PROGRESS';
    const reader = consumer();
    const startMs = clock.nowMs();
    const offsets = [{ topic: 't', partition: 0, offset: 1 }];
    await expect(run(reader.commit(offsets, { timeoutMs: 500 }))).rejects.toMatchObject({
      code: 'COORDINATOR_LOAD_IN_PROGRESS',
    });
    expect(clock.nowMs() - startMs).toBeLessThan(510);
    await run(millrace.close());
  });

  test('in the background report what fails; many at once share requests', async () => {
    const { group, consumer, pass, run, millrace } = groupFixture(one);
    const reader = consumer();
    for (let offset = 1; offset <= 100; offset++) reader.commitSoon([{ topic: 't', partition: 0, offset }]);
    await pass(50);
    expect(group.committed('t')).toBe(100);
    expect(group.commits.length).toBeLessThan(10);
    group.onCommit = () => 'OFFSET_METADATA_TOO_LARGE';
    const codes: string[] = [];
    reader.commitSoon([{ topic: 't', partition: 0, offset: 101 }], ({ code }) => codes.push(code));
    await pass(50);
    expect(codes).toEqual(['OFFSET_METADATA_TOO_LARGE']);
    await run(millrace.close());
  });
});

describe('a handler that throws', () => {
  test('stops the run with its error; nothing from its record on is committed, and it is handed out again', async () => {
    const { group, fill, consumer, run, millrace, pass } = groupFixture(one);
    fill(0, 6);
    const reader = consumer();
    reader.subscribe(['t']);
    const seen: string[] = [];
    const handler = (record: Parameters<typeof textOf>[0]): void => {
      if (textOf(record) === 'p0-3' && !seen.includes('threw')) {
        seen.push('threw');
        throw new Error('cannot');
      }
      seen.push(textOf(record));
    };
    await expect(run(reader.run({ eachRecord: handler }))).rejects.toThrow('cannot');
    const again = reader.run({ eachRecord: handler });
    await pass(50);
    await run(reader.close());
    await run(again);
    expect(seen).toEqual(['p0-0', 'p0-1', 'p0-2', 'threw', 'p0-3', 'p0-4', 'p0-5']);
    expect(group.committed('t')).toBe(6);
    await run(millrace.close());
  });

  test('close commits what came before the record, and no more', async () => {
    const { group, fill, consumer, run, millrace } = groupFixture(one);
    fill(0, 6);
    const reader = consumer();
    reader.subscribe(['t']);
    const failing = reader.run({
      eachRecord: ({ offset }) => {
        if (offset === 4n) throw new Error('cannot');
      },
    });
    await expect(run(failing)).rejects.toThrow('cannot');
    await run(millrace.close());
    expect(group.committed('t')).toBe(4);
  });

  test('is called again with the same record where retries are wanted', async () => {
    const { fill, consumer, run, millrace } = groupFixture(one);
    fill(0, 3);
    const reader = consumer();
    reader.subscribe(['t']);
    const seen: bigint[] = [];
    let failures = 2;
    const running = reader.run({
      retries: 2,
      eachRecord: async ({ offset }) => {
        seen.push(offset);
        if (offset === 1n && failures-- > 0) throw new Error('not yet');
        if (offset === 2n) await reader.close();
      },
    });
    await run(running);
    expect(seen).toEqual([0n, 1n, 1n, 1n, 2n]);
    await run(millrace.close());
  });
});

describe('run', () => {
  test('handles partitions at the same time up to the limit, and each in order', async () => {
    const { fill, consumer, pass, run, millrace, clock } = groupFixture({ partitions: 6 });
    for (let partition = 0; partition < 6; partition++) fill(partition, 10);
    const reader = consumer();
    reader.subscribe(['t']);
    const seen: string[] = [];
    let active = 0;
    let most = 0;
    const busy = new Set<number>();
    const running = reader.run({
      concurrency: 3,
      eachRecord: async (record) => {
        expect(busy.has(record.partition)).toBe(false);
        busy.add(record.partition);
        most = Math.max(most, ++active);
        await new Promise<void>((resolve) => clock.schedule(2, resolve));
        active--;
        busy.delete(record.partition);
        seen.push(textOf(record));
      },
    });
    await pass(300);
    expect(most).toBe(3);
    for (let partition = 0; partition < 6; partition++) {
      const own = seen.filter((text) => text.startsWith(`p${partition}-`));
      expect(own).toEqual(Array.from({ length: 10 }, (_, i) => `p${partition}-${i}`));
    }
    await run(millrace.close());
    await run(running);
  });

  test('works on assigned partitions without a group as well', async () => {
    const { fill, millrace, pass, run } = groupFixture(one);
    fill(0, 5);
    const reader = millrace.consumer({ autoOffsetReset: 'earliest' });
    reader.assign([{ topic: 't', partition: 0 }]);
    const seen: string[] = [];
    const running = reader.run({ eachBatch: (batch) => void seen.push(...Array.from(batch, textOf)) });
    await pass(50);
    await run(millrace.close());
    await run(running);
    expect(seen).toHaveLength(5);
  });
});

describe('close', () => {
  test('inside a handler resolves at once; run ends when that record is committed and the member has left', async () => {
    const { group, fill, consumer, run, millrace } = groupFixture(one);
    fill(0, 6);
    const reader = consumer();
    reader.subscribe(['t']);
    await run(
      reader.run({
        eachRecord: async ({ offset }) => {
          if (offset === 2n) await reader.close();
        },
      }),
    );
    expect(group.committed('t')).toBe(3);
    expect(group.members.size).toBe(0);
    await run(millrace.close());
  });

  test('of the whole client inside a handler lets the consumer commit and leave first', async () => {
    const { group, fill, consumer, run, millrace } = groupFixture(one);
    fill(0, 6);
    const reader = consumer();
    reader.subscribe(['t']);
    await run(reader.run({ eachRecord: () => millrace.close() }));
    expect(group.committed('t')).toBe(1);
    expect(group.members.size).toBe(0);
    await run(millrace.close());
  });

  test('inside onRevoked does not wait for itself', async () => {
    const { group, consumer, run, pass, millrace } = groupFixture(one);
    const reader = consumer();
    reader.subscribe(['t'], { onRevoked: () => reader.close() });
    const polled = reader.poll();
    await pass(100);
    group.dictated = () => [];
    group.rebalance();
    expect(await run(polled)).toEqual([]);
    expect(group.members.size).toBe(0);
    await run(millrace.close());
  });

  test('inside a loop resolves at once; the loop ends when the member has left', async () => {
    const { group, fill, consumer, run, millrace } = groupFixture(one);
    fill(0, 6);
    const reader = consumer();
    reader.subscribe(['t']);
    const loop = async (): Promise<void> => {
      for await (const batch of reader) if (batch.firstOffset === 0n) await reader.close();
    };
    await run(loop());
    expect(group.committed('t')).toBe(1);
    expect(group.members.size).toBe(0);
    await run(millrace.close());
  });

  test('from elsewhere waits for what is in hand, within its limit', async () => {
    const { group, fill, consumer, run, millrace, pass, clock } = groupFixture(one);
    fill(0, 6);
    const reader = consumer();
    const never = gate();
    reader.subscribe(['t']);
    const running = reader.run({ eachRecord: ({ offset }) => (offset === 1n ? never.wait : undefined) });
    await pass(50);
    const startMs = clock.nowMs();
    await run(reader.close({ timeoutMs: 300 }));
    expect(clock.nowMs() - startMs).toBeLessThanOrEqual(310);
    expect(group.committed('t')).toBe(1);
    expect(group.members.size).toBe(0);
    never.open();
    await run(running);
    await run(millrace.close());
  });

  test('says why the last progress is not committed', async () => {
    const { group, fill, consumer, run, millrace } = groupFixture(one);
    fill(0, 2);
    const reader = consumer();
    reader.subscribe(['t']);
    await run(reader.poll());
    await run(reader.poll({ timeoutMs: 1 }));
    group.onCommit = () => 'OFFSET_METADATA_TOO_LARGE';
    await expect(run(reader.close())).rejects.toMatchObject({ code: 'OFFSET_METADATA_TOO_LARGE' });
    expect(group.members.size).toBe(0);
    await run(millrace.close());
  });

  test('unsubscribe leaves and subscribe joins again', async () => {
    const { group, fill, consumer, run, millrace } = groupFixture(one);
    fill(0, 2);
    const reader = consumer();
    reader.subscribe(['t']);
    await run(reader.poll());
    await run(reader.poll({ timeoutMs: 30 }));
    await run(reader.unsubscribe());
    expect(group.members.size).toBe(0);
    expect(reader.assignment()).toEqual([]);
    reader.subscribe(['t']);
    fill(0, 1);
    expect((await run(reader.poll())).map(textOf)).toEqual(['p0-2']);
    await run(millrace.close());
  });
});
