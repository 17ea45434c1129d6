/** What a directory is to Kafka's clients: its disk, its replicas by topic, and one error for whatever has failed. */
import { type BrokerApi, failure } from '@millrace/broker';
import { ERRORS, silentLogger } from '@millrace/core';
import { expect, test } from 'vitest';
import type { RequestFacts, Surroundings } from './handler.ts';
import { logDirsHandler } from './log-dirs.ts';

type Directories = Awaited<ReturnType<BrokerApi['describeLogDirs']>>['directories'];

const REPLICA = { topic: 't', partition: 3, sizeBytes: 5, offsetLag: 1 };
const DIRECTORY = { path: '/data', totalBytes: 1000, usableBytes: 300, replicas: [REPLICA] };

async function resultsOf(directories: Directories) {
  const broker: Partial<BrokerApi> = { describeLogDirs: async () => ({ directories }) };
  const { signal } = new AbortController();
  const connection = { id: 1, listener: 'PLAINTEXT', peerHost: '::1', peerPort: 5, signal };
  const memory = { reuse: () => undefined, release: () => undefined, lent: [] };
  const facts: RequestFacts = { version: 4, clientId: 'app', connection, memory };
  const around = { broker, logger: silentLogger } as unknown as Surroundings;
  return (await logDirsHandler(around).handle({ topics: null }, facts))!.results;
}

test('a directory is told with the size of its disk and what its replicas take of it', async () => {
  const partition = { partitionIndex: 3, partitionSize: 5, offsetLag: 1, isFutureKey: false };
  expect(await resultsOf([DIRECTORY])).toEqual([
    {
      errorCode: 0,
      logDir: '/data',
      totalBytes: 1000,
      usableBytes: 300,
      topics: [{ name: 't', partitions: [partition] }],
    },
  ]);
});

test.each(['DISK_FULL', 'KAFKA_STORAGE_ERROR'] as const)(
  'a directory that has failed with %s is KAFKA_STORAGE_ERROR, and shows the replicas that it still has',
  async (code) => {
    const [result] = await resultsOf([{ ...DIRECTORY, failure: failure(code) }]);
    expect(result).toMatchObject({ errorCode: ERRORS.KAFKA_STORAGE_ERROR.wire, topics: [{ name: 't' }] });
  },
);
