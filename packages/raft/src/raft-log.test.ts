import { expect, test } from 'vitest';
import { RaftLog } from './raft-log.ts';

test('an entry in memory holds its own bytes, and nothing of the message that it came in', () => {
  const message = Buffer.alloc(65_536, 'x');
  const entry = (index: number) => ({ index, term: 1, kind: 'data' as const, data: message.subarray(0, 10) });
  const log = new RaftLog(0, 0, [entry(1)]);
  log.append([entry(2)]);
  message.fill('y');
  for (const { data } of log.slice(1, 2)) {
    expect(data.toString()).toBe('x'.repeat(10));
    expect(data.buffer.byteLength).toBe(10);
  }
});
