/** The file of a node: what is refused before anything starts, and what a file written for Kafka may hold. */
import { expect, test } from 'vitest';
import { parseNodeConfig } from './node-config.ts';

const FILE = { 'node.id': '1', 'controller.quorum.voters': '1@localhost:9191' };

test('a key of Kafka that means nothing here is named and ignored', () => {
  expect(parseNodeConfig({ ...FILE, 'log.preallocate': 'true' }).ignoredKeys).toEqual(['log.preallocate']);
});

test('a minimum lag of compaction above the maximum is refused at the start', () => {
  const lags = {
    'log.cleaner.min.compaction.lag.ms': '1000',
    'log.cleaner.max.compaction.lag.ms': '10',
  };
  expect(() => parseNodeConfig({ ...FILE, ...lags })).toThrow('must not be above');
});

test('a listener speaks what its name or the map says, and nodes use the first that is theirs', () => {
  const { listeners, interBrokerListener } = parseNodeConfig({
    ...FILE,
    listeners: 'PLAINTEXT://:9092,INNER://:9191,OUTER://:9093',
    'listener.security.protocol.map': 'INNER:GRPC,OUTER:PLAINTEXT',
  });
  expect(listeners.map(({ name, protocol }) => [name, protocol])).toEqual([
    ['PLAINTEXT', 'PLAINTEXT'],
    ['INNER', 'GRPC'],
    ['OUTER', 'PLAINTEXT'],
  ]);
  expect(interBrokerListener).toBe('INNER');
});

test.each([
  [{ listeners: 'SSL://:9092,GRPC://:9191' }, 'listener SSL has protocol SSL'],
  [{ listeners: 'PLAINTEXT://:9092' }, 'at least one address with protocol GRPC'],
  [
    { listeners: 'GRPC://:9191,PLAINTEXT://:9092', 'inter.broker.listener.name': 'PLAINTEXT' },
    'inter.broker.listener.name=PLAINTEXT is not one of the listeners with protocol GRPC',
  ],
  [
    { listeners: 'GRPC://:9191,PLAINTEXT://:9092', 'process.roles': 'controller' },
    'Kafka clients are served by brokers',
  ],
])('%j is refused', (texts, message) => {
  expect(() => parseNodeConfig({ ...FILE, ...texts })).toThrow(message);
});
