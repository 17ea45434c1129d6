import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { OffsetRecord } from './group-record.ts';
import { OffsetTable } from './offset-table.ts';

const record = (groupId: string, partition: number, offset: number | undefined): OffsetRecord => ({
  kind: 'offset',
  groupId,
  topic: 't',
  partition,
  value:
    offset === undefined
      ? undefined
      : { offset, leaderEpoch: -1, metadata: '', committedAtMs: 0, expiresAtMs: -1 },
});

const written = fc.record({
  groupId: fc.constantFrom('g', 'h'),
  partition: fc.nat({ max: 2 }),
  offset: fc.option(fc.nat({ max: 99 }), { nil: undefined, freq: 3 }),
  /** How many records of the log have committed when the step is over, counted from the first that has not. */
  commits: fc.nat({ max: 3 }),
});

test('reads are the last committed write, decisions the last write, and nothing else is kept', () => {
  fc.assert(
    fc.property(fc.array(written, { maxLength: 60 }), (steps) => {
      const table = new OffsetTable();
      const log: OffsetRecord[] = [];
      let committed = 0;
      const lastIn = (end: number, groupId: string, partition: number) =>
        log.slice(0, end).findLast((one) => one.groupId === groupId && one.partition === partition)?.value;
      for (const { groupId, partition, offset, commits } of steps) {
        const one = record(groupId, partition, offset);
        table.write(one);
        table.appended(one, log.push(one) - 1);
        committed = Math.min(log.length, committed + commits);
        table.committed(committed);
        for (const id of ['g', 'h']) {
          for (const at of [0, 1, 2]) {
            expect(table.readWritten(id, 't', at)).toEqual(lastIn(log.length, id, at));
            expect(table.readCommitted(id, 't', at)).toEqual(lastIn(committed, id, at));
          }
        }
      }
      table.committed(log.length);
      const standing = new Set(log.map((one) => `${one.groupId} ${one.partition}`)).size;
      const gone = ['g', 'h'].flatMap((id) => [0, 1, 2].filter((at) => !lastIn(log.length, id, at)));
      expect(table.size).toBe(6 - gone.length);
      expect(standing).toBeGreaterThanOrEqual(table.size);
      if (table.size === 0) expect([...table.groupIds(), ...table.topics()]).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

test('a replayed offset is written and committed at once, and a replayed removal leaves nothing', () => {
  const table = new OffsetTable();
  table.replay(record('g', 0, 5));
  expect(table.readCommitted('g', 't', 0)?.offset).toBe(5);
  table.replay(record('g', 0, undefined));
  expect([table.size, [...table.groupIds()]]).toEqual([0, []]);
});
