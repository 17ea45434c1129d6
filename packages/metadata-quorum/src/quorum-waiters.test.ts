import { expect, test } from 'vitest';
import { ProposalAbandoned, ProposalNotAppended, QuorumWaiters } from './quorum-waiters.ts';

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

test.each([
  ['leadership is lost', 'NOT_CONTROLLER', (waiters: QuorumWaiters) => waiters.leadershipLost()],
  ['the node stops', 'NODE_NOT_SERVING', (waiters: QuorumWaiters) => waiters.stopped()],
] as const)(
  'when %s only what was not in the log is refused; of the rest nobody says that it was not applied',
  async (_what, refusal, end) => {
    const waiters = new QuorumWaiters({ maxWaiting: 10, maxBytes: 100, timeoutMs: 1000 });
    const appended = waiters.addProposal(Buffer.from('a'), 0).catch((error: unknown) => error);
    waiters.appended(1, 1, 1);
    const voters = waiters.appendedVoters(2, 1, 0).catch((error: unknown) => error);
    const queued = waiters.addProposal(Buffer.from('b'), 0).catch((error: unknown) => error);
    end(waiters);
    for (const unknown of [await appended, await voters]) {
      expect(unknown).toBeInstanceOf(ProposalAbandoned);
      expect(unknown).toMatchObject({
        code: 'REQUEST_TIMED_OUT',
        message: expect.stringContaining('may or may not be applied'),
      });
    }
    expect(await queued).toMatchObject({ code: refusal });
  },
);
