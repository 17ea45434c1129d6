import { expect, test } from 'vitest';
import { ProposalNotAppended, QuorumWaiters } from './quorum-waiters.ts';

test('a proposal that expires tells whether it was in the log', async () => {
  const waiters = new QuorumWaiters({ maxWaiting: 10, maxBytes: 100, timeoutMs: 1000 });
  const appended = waiters.addProposal(Buffer.from('a'), 0).catch((error: unknown) => error);
  waiters.appended(1, 1, 1);
  const queued = waiters.addProposal(Buffer.from('b'), 0).catch((error: unknown) => error);
  waiters.expire(1000);
  expect(await queued).toBeInstanceOf(ProposalNotAppended);
  expect(await queued).toMatchObject({ code: 'REQUEST_TIMED_OUT' });
  expect(await appended).not.toBeInstanceOf(ProposalNotAppended);
  expect(await appended).toMatchObject({ code: 'REQUEST_TIMED_OUT' });
});
