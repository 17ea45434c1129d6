/** What becomes of requests before and behind their handlers. */
import type { BrokerApi } from '@millrace/broker';
import { type Logger, ManualClock, MillraceError, SeededRandom, silentLogger } from '@millrace/core';
import { emptyImage } from '@millrace/metadata';
import { expect, test } from 'vitest';
import type { ConnectionFacts, KafkaRequestHandler } from '../connection/kafka-connection.ts';
import type { ApiName, RequestDraftOf, ResponseOf } from '../schemas/api-table.ts';
import { encodeRequest } from '../schemas/request-frame.ts';
import { decodeResponse } from '../schemas/response-frame.ts';
import { kafkaRequestHandler } from './dispatcher.ts';

const SIZE_BYTES = 4;

const connection: ConnectionFacts = {
  id: 1,
  listener: 'PLAINTEXT',
  peerHost: '::1',
  peerPort: 5,
  signal: new AbortController().signal,
};

/** Only what a test names is there. */
function handlerOn(broker: Partial<BrokerApi>, logger: Logger = silentLogger): KafkaRequestHandler {
  return kafkaRequestHandler({
    broker: broker as BrokerApi,
    clock: new ManualClock(),
    random: new SeededRandom(1),
    logger,
    fetchSessionSlots: 10,
  });
}

const memory = { reuse: () => undefined, release: () => undefined, lent: [] };

async function ask<N extends ApiName>(
  handle: KafkaRequestHandler,
  api: N,
  version: number,
  request: RequestDraftOf<N>,
): Promise<ResponseOf<N>> {
  const head = { version, correlationId: 9, clientId: 'app' };
  const frame = Buffer.concat(encodeRequest(api, head, request)).subarray(SIZE_BYTES);
  const pieces = await handle(frame, connection, memory);
  const { correlationId, response } = decodeResponse(api, version, Buffer.concat(pieces!));
  expect(correlationId).toBe(9);
  return response;
}

const identity = { transactionalId: null, transactionTimeoutMs: 0 };

test('an operating error is answered in the words of the API', async () => {
  const handle = handlerOn({
    initProducerId: () => Promise.reject(new MillraceError('QUORUM_UNAVAILABLE')),
  });
  expect(await ask(handle, 'initProducerId', 4, identity)).toMatchObject({ errorCode: 14, producerId: -1 });
});

test('topics that exist are described even if those that do not cannot be created', async () => {
  const asked: boolean[] = [];
  const handle = handlerOn({
    clusterId: 'cluster',
    image: () => emptyImage,
    describeTopics: async ({ allowAutoCreate }) => {
      asked.push(allowAutoCreate);
      if (allowAutoCreate) throw new MillraceError('QUORUM_UNAVAILABLE');
      const topic = { topicId: `${'A'.repeat(21)}Q`, name: 'here', internal: false, partitions: [] };
      return { clusterId: 'cluster', controllerId: -1, brokers: [], topics: [topic] };
    },
  });
  const { topics } = await ask(handle, 'metadata', 9, { topics: [{ name: 'here' }] });
  expect(topics).toMatchObject([{ name: 'here', errorCode: 0 }]);
  expect(asked).toEqual([true, false]);
});

test('any other error is not: it ends the connection', async () => {
  const handle = handlerOn({ initProducerId: () => Promise.reject(new Error('a bug')) });
  await expect(ask(handle, 'initProducerId', 4, identity)).rejects.toThrow('a bug');
});

test('each API and version that a connection uses is told once', async () => {
  const told: object[] = [];
  const logger = { ...silentLogger, debug: (fields: object) => void told.push(fields) };
  const handle = handlerOn({ initProducerId: async () => ({ producerId: 5, producerEpoch: 0 }) }, logger);
  for (const version of [3, 4, 4, 3]) await ask(handle, 'initProducerId', version, identity);
  expect(told).toMatchObject([
    { event: 'kafka_api_used', api: 'InitProducerId', version: 3, clientId: 'app', connection: 1 },
    { event: 'kafka_api_used', api: 'InitProducerId', version: 4 },
  ]);
});
