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
