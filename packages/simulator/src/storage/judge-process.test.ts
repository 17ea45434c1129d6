import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BLANK_HARD_STATE } from '@millrace/raft';
import { afterAll, expect, test } from 'vitest';
import { newFlipReport } from './flip-campaign.ts';
import { JudgeProcess } from './judge-process.ts';
import { flipRaftStore } from './raft-store-flips.ts';
import type { JudgeOrder } from './raft-store-judge.ts';

const root = mkdtempSync(join(tmpdir(), 'judge-process-'));
afterAll(() => rmSync(root, { recursive: true }));

const ASSERTION =
  "node: ../deps/leveldb/leveldb-1.20/table/table_builder.cc:97: void leveldb::TableBuilder::Add(): Assertion `r' failed.";

/** Dies as the path of the store says, or tells which process it is. */
const SCRIPT = `
import { writeSync } from 'node:fs';
process.on('message', ({ path, expected }) => {
  if (path === 'assertion') writeSync(2, ${JSON.stringify(`${ASSERTION}\n`)});
  if (path === 'out of memory') writeSync(2, 'FATAL ERROR: JavaScript heap out of memory\\n');
  if (path === 'assertion' || path === 'out of memory') process.abort();
  if (path.startsWith('SIG')) process.kill(process.pid, path);
  else if (path === 'exit') process.exit(3);
  else if (path === 'other contents') process.send({ outcome: 'violation', reason: path });
  else process.send({ outcome: 'harmless', reason: process.pid + ' ' + Buffer.isBuffer(expected.entries[0].data) });
});
process.on('disconnect', () => process.exit());
`;
const script = join(root, 'worker.mjs');
writeFileSync(script, SCRIPT);

function order(path: string): JudgeOrder {
  const entry = { index: 1, term: 1, kind: 'data' as const, data: Buffer.from('x') };
  const logStart = { index: 0, term: 0 };
  const expected = { hardState: BLANK_HARD_STATE, snapshot: undefined, logStart, entries: [entry] };
  return { path, expected, isOpenedTwice: false };
}

test('a store whose judging ends the process by an assertion of LevelDB is refused, in a class of its own', async () => {
  using judge = new JudgeProcess(script);
  expect(await judge.judge(order('assertion'))).toEqual({ outcome: 'ended', reason: ASSERTION });
  const report = newFlipReport();
  await flipRaftStore(1, join(root, 'ended'), report, () => judge.judge(order('assertion')), 1000);
  expect(report.failures).toEqual([]);
  expect(report.endings).toMatchObject([{ seed: 1, damage: 1000, error: ASSERTION }]);
  expect([...report.outcomes.values()]).toMatchObject([{ ended: 1, harmless: 0, detected: 0, violation: 0 }]);
});

test('any other death of the process that judges a store fails the campaign and names the damage', async () => {
  using judge = new JudgeProcess(script);
  for (const [path, how] of [
    ['out of memory', 'SIGABRT: FATAL ERROR: JavaScript heap out of memory'],
    ['SIGSEGV', 'SIGSEGV'],
    ['SIGKILL', 'SIGKILL'],
    ['exit', '3'],
  ] as const) {
    const reason = `the process that judges it ended with ${how}`;
    const report = newFlipReport();
    await flipRaftStore(1, join(root, 'dead'), report, () => judge.judge(order(path)), 1000);
    expect(report.failures).toMatchObject([{ seed: 1, damage: 1000, error: reason }]);
    expect(report.endings).toEqual([]);
  }
});

test('one process judges store after store, until it ends or finds other contents', async () => {
  using judge = new JudgeProcess(script);
  const pid = async (): Promise<string> => (await judge.judge(order('well'))).reason!;
  const first = await pid();
  expect(first).toMatch(/^\d+ true$/);
  expect(await pid()).toBe(first);
  await judge.judge(order('assertion'));
  const second = await pid();
  expect(second).not.toBe(first);
  expect((await judge.judge(order('other contents'))).outcome).toBe('violation');
  expect(await pid()).not.toBe(second);
});
