import { ManualClock, MillraceError } from '@millrace/core';
import { expect, test } from 'vitest';
import { describeLogDirectory } from './log-directory.ts';

const SPACE = { totalBytes: 1000, usableBytes: 300 };
const UNKNOWN = { totalBytes: -1, usableBytes: -1 };
const REPLICAS = [{ topic: 't', partition: 0, sizeBytes: 5, offsetLag: 0 }];
const failed = (code: 'DISK_FULL' | 'KAFKA_STORAGE_ERROR') => new MillraceError(code, `because of ${code}`);

const described = (
  space: Promise<typeof SPACE>,
  failure?: MillraceError,
  clock: ManualClock = new ManualClock(),
) => describeLogDirectory({ path: '/data', space: () => space, failure }, REPLICAS, clock);

test('a directory tells the size of its disk, and nothing of a failure where there is none', async () => {
  expect(await described(Promise.resolve(SPACE))).toEqual({ path: '/data', replicas: REPLICAS, ...SPACE });
});

test.each(['DISK_FULL', 'KAFKA_STORAGE_ERROR'] as const)(
  'a directory that has failed with %s says so, beside what can still be told',
  async (code) => {
    expect(await described(Promise.resolve(SPACE), failed(code))).toEqual({
      path: '/data',
      replicas: REPLICAS,
      ...SPACE,
      failure: { code, message: `because of ${code}` },
    });
  },
);

test('a disk that cannot tell its size has failed', async () => {
  const answer = await described(Promise.reject(failed('KAFKA_STORAGE_ERROR')));
  expect(answer).toMatchObject({ ...UNKNOWN, failure: { code: 'KAFKA_STORAGE_ERROR' } });
});

test('a disk that hangs counts as failed after five seconds, and the answer goes out without its size', async () => {
  const clock = new ManualClock();
  let isAnswered = false;
  const answer = described(new Promise(() => undefined), undefined, clock).finally(() => {
    isAnswered = true;
  });
  clock.advance(4_999);
  await Promise.resolve();
  expect(isAnswered).toBe(false);
  clock.advance(1);
  expect(await answer).toMatchObject({
    ...UNKNOWN,
    failure: { code: 'KAFKA_STORAGE_ERROR', message: 'the disk does not answer' },
  });
});
