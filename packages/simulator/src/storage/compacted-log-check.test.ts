import { BatchView, buildBatch, emptyBatch } from '@millrace/records';
import { DEFAULT_LOG_CONFIG } from '@millrace/storage';
import { expect, test } from 'vitest';
import { compactionFault } from './compacted-log-check.ts';
import { type BatchFact, LogLedger } from './log-ledger.ts';

const COMPACTED_TO = 100;

interface Written {
  readonly offset: number;
  readonly epoch?: number;
  readonly key?: string;
}

function factOf({ offset, epoch = 0, key = 'k' }: Written): BatchFact {
  const records = [{ timestamp: 1000, key: Buffer.from(key), value: Buffer.from(`${offset}`) }];
  const bytes = Buffer.from(buildBatch(records, { baseOffset: offset, leaderEpoch: epoch }));
  return { baseOffset: offset, lastOffset: offset, epoch, timestamp: 1000, bytes, producer: undefined };
}

/** Written from 0 on, and found after a restart with only what begins at `startOffset` or after it. */
function restarted(written: readonly Written[], startOffset: number): LogLedger {
  const ledger = new LogLedger('t', 0, 'topic-id', DEFAULT_LOG_CONFIG);
  const facts = written.map(factOf);
  for (const fact of facts) ledger.appending(fact);
  ledger.found(
    facts.filter(({ lastOffset }) => lastOffset >= startOffset),
    startOffset,
    facts.length,
  );
  return ledger;
}

/** Of what is read from the log start on: `gap`, an empty batch, and the batches after it as they were written. */
function faultOf(
  ledger: LogLedger,
  startOffset: number,
  gap: { readonly from: number; readonly to: number; readonly epoch?: number },
): string | undefined {
  const empty = emptyBatch({ baseOffset: gap.from, lastOffset: gap.to, leaderEpoch: gap.epoch ?? 0 });
  const [history] = ledger.view().histories;
  const { batches, below } = history!;
  const rest = batches.filter(({ baseOffset }) => baseOffset > gap.to).map(({ bytes }) => bytes);
  const endOffset = BatchView.at(rest.at(-1) ?? empty, 0)!.nextOffset;
  return compactionFault([empty, ...rest], { batches, below, startOffset, endOffset }, COMPACTED_TO);
}

const ONE_KEY = [0, 1, 2, 3, 4, 5].map((offset) => ({ offset }));

test('one empty batch may stand for what lay below the log start and for what follows it', () => {
  expect(faultOf(restarted(ONE_KEY, 2), 2, { from: 0, to: 4 })).toBeUndefined();
  expect(faultOf(restarted(ONE_KEY, 2), 2, { from: 1, to: 3 })).toBeUndefined();
});

test('what lay below the log start is known over many restarts', () => {
  const ledger = restarted(ONE_KEY, 2);
  ledger.found(
    ledger.batches.filter(({ baseOffset }) => baseOffset >= 4),
    4,
    6,
  );
  expect(faultOf(ledger, 4, { from: 0, to: 4 })).toBeUndefined();
});

test('no empty batch stands for the last record of a key, or for two epochs, below the log start either', () => {
  const last = ONE_KEY.with(3, { offset: 3, key: 'other' } as Written);
  expect(faultOf(restarted(last, 2), 2, { from: 0, to: 4 })).toBe(
    'other was written last at 3, and that is gone',
  );
  const epochs = ONE_KEY.map(({ offset }) => ({ offset, epoch: offset < 1 ? 0 : 1 }));
  expect(faultOf(restarted(epochs, 2), 2, { from: 0, to: 4, epoch: 1 })).toBe(
    'the batch at 0 has epoch 1 instead of 0 to 1',
  );
  expect(faultOf(restarted(epochs, 2), 2, { from: 1, to: 4, epoch: 1 })).toBeUndefined();
});

test('a log that started over begins there: nothing was written before', () => {
  const ledger = restarted(ONE_KEY, 2);
  ledger.restarting(4);
  ledger.restarted(4);
  for (const { offset } of ONE_KEY.slice(4)) ledger.appending(factOf({ offset }));
  expect(faultOf(ledger, 4, { from: 0, to: 4 })).toBe('nothing was written at 0');
  expect(faultOf(ledger, 4, { from: 4, to: 4 })).toBeUndefined();
});
