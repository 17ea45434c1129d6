/** InitProducerId (key 22): an identity for an idempotent producer. */
import { int16, int32, int64, message, string } from '../wire/schema.ts';

export const initProducerIdRequest = message(
  'InitProducerIdRequest',
  { versions: '0-5', flexible: '2+' },
  {
    transactionalId: string('0+', { nullable: '0+' }),
    transactionTimeoutMs: int32('0+'),
    producerId: int64('3+', { default: -1 }),
    producerEpoch: int16('3+', { default: -1 }),
  },
);

export const initProducerIdResponse = message(
  'InitProducerIdResponse',
  { versions: '0-5', flexible: '2+' },
  {
    throttleTimeMs: int32('0+', { default: 0, ignorable: true }),
    errorCode: int16('0+'),
    producerId: int64('0+', { default: -1 }),
    producerEpoch: int16('0+'),
  },
);
