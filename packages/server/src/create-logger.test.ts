import { MillraceError } from '@millrace/core';
import { expect, test } from 'vitest';
import { createLogger } from './create-logger.ts';

test('a failure is told once, with its code, and its cause beside it', () => {
  const lines: string[] = [];
  const logger = createLogger('info', { node: 1 }, { write: (line) => void lines.push(line) });
  const cause = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  const error = new MillraceError('DISK_FULL', `the journal cannot be written: ${cause.message}`, { cause });
  logger.error({ event: 'broken', err: error }, 'something broke');
  expect(JSON.parse(lines[0]!)).toMatchObject({
    level: 'error',
    node: 1,
    event: 'broken',
    msg: 'something broke',
    err: {
      message: 'the journal cannot be written: ENOSPC: no space left on device, write',
      code: 'DISK_FULL',
      cause: { code: 'ENOSPC', message: 'ENOSPC: no space left on device, write' },
    },
  });
});
