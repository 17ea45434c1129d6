/** What a producer of transactions is told, and what the log says of it. */
import { type Logger, ManualClock, silentLogger } from '@millrace/core';
import { expect, test } from 'vitest';
import { findCoordinatorHandler } from './find-coordinator.ts';
import type { RequestFacts, Surroundings } from './handler.ts';
import { CLUSTER_AUTHORIZATION_FAILED } from './wire-error.ts';

const TRANSACTION = 1;

const { signal } = new AbortController();
const facts: RequestFacts = {
  version: 4,
  clientId: 'app',
  connection: { id: 1, listener: 'PLAINTEXT', peerHost: '10.1.2.3', peerPort: 5, signal },
  memory: { reuse: () => undefined, release: () => undefined, lent: [] },
};
const asking = (transactionalId: string) => ({
  key: '',
  keyType: TRANSACTION,
  coordinatorKeys: [transactionalId],
});

test('transactions are refused with a reason for the client, and a line that names the transactional id', async () => {
  const lines: { fields: object; message: string }[] = [];
  const clock = new ManualClock();
  const warn: Logger['warn'] = (fields, message) => lines.push({ fields, message });
  const logger: Logger = { ...silentLogger, warn };
  const handler = findCoordinatorHandler({ logger, clock } as unknown as Surroundings);
  const answer = await handler.handle(asking('payments'), facts);
  expect(answer!.coordinators).toMatchObject([
    {
      key: 'payments',
      nodeId: -1,
      errorCode: CLUSTER_AUTHORIZATION_FAILED,
      errorMessage: 'transactions are not served by this cluster',
    },
  ]);
  // A client that asks in a loop does not fill the log.
  await handler.handle(asking('payments'), facts);
  expect(lines).toEqual([
    {
      fields: {
        event: 'kafka_transaction_refused',
        transactionalId: 'payments',
        clientId: 'app',
        peer: '10.1.2.3:5',
      },
      message: 'refused the transactional id "payments": transactions are not served',
    },
  ]);
});
