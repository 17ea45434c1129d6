/** A request that nobody waits for costs nothing: it is answered before any work is done. */
import type { CallContext, RpcListener } from '@millrace/protocol';
import { controllerService } from '@millrace/protocol';
import { expect, test } from 'vitest';
import { unaryFor } from './broker-services.ts';

const header = { correlationId: 0, timeoutMs: 0, clientId: '', clusterId: 'c', quorumId: '' };
const aborted = AbortSignal.abort();
const waiting = new AbortController().signal;

test.each([
  ['its deadline passed', 0, waiting, undefined],
  ['its caller went away', undefined, aborted, undefined],
  ['its deadline is to come', 5, waiting, 'answered'],
  ['it has no deadline', undefined, waiting, 'answered'],
])('a request is worked on only while somebody waits: %s', async (_what, timeLeftMs, signal, expected) => {
  let served: ((request: unknown, context: CallContext) => unknown) | undefined;
  const listener = {
    unary: (_method: unknown, handler: typeof served) => {
      served = handler;
    },
  } as unknown as RpcListener;
  let worked = 0;
  unaryFor(listener, { clusterId: 'c' })(controllerService.allocateProducerIds, async () => {
    worked += 1;
    return 'answered' as never;
  });
  const context = { listener: 'L', peer: '', timeLeftMs, signal } as CallContext;
  const answer = (async () => served!({ header, brokerId: 1, brokerEpoch: 1 }, context))();
  if (expected === undefined) await expect(answer).rejects.toMatchObject({ code: 'REQUEST_TIMED_OUT' });
  else expect(await answer).toBe(expected);
  expect(worked).toBe(expected === undefined ? 0 : 1);
});
