/** InitProducerId: an identity for a producer that wants no duplicates. */
import { ERRORS, MillraceError } from '@millrace/core';
import type { Handler, Surroundings } from './handler.ts';
import { NO_ERROR, wireError } from './wire-error.ts';

export function initProducerIdHandler({ broker }: Surroundings): Handler<'initProducerId'> {
  return {
    // The identity that a producer had is no reason to give it that one again: a new one starts with clean sequences.
    handle: async ({ transactionalId }, { clientId }) => {
      if (transactionalId !== null) {
        throw new MillraceError('INVALID_REQUEST', 'transactions are not supported');
      }
      return { errorCode: NO_ERROR, ...(await broker.initProducerId({ timeoutMs: 0, clientId })) };
    },
    // Producers ask again after this one; most others, also such as may pass, are the end of them.
    refuse: (_request, { code }) => ({
      errorCode: wireError(ERRORS[code].retriable ? 'COORDINATOR_LOAD_IN_PROGRESS' : code),
      producerId: -1,
      producerEpoch: -1,
    }),
  };
}
