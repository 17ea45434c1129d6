/** Topic and cluster settings: Kafka's defaults, ranges, and where a value comes from. */
import { expect, test } from 'vitest';
import { applyRecords } from './apply.ts';
import { BROKER_NAME_OF, clusterConfig } from './cluster-config.ts';
import { clusterConfigOf, describeConfig, topicConfigByName, topicConfigOf } from './effective-config.ts';
import { emptyImage } from './image.ts';
import type { MetadataRecord } from './record.ts';
import { topicConfig } from './topic-config.ts';

const set = (
  kind: 'topic' | 'broker' | 'cluster',
  name: string,
  key: string,
  value: string,
): MetadataRecord => ({
  kind: 'configChanged',
  resource: { kind, name },
  name: key,
  value,
});

test("the defaults are Kafka's", () => {
  expect(topicConfig.parse({})).toMatchObject({
    'cleanup.policy': ['delete'],
    'compression.type': 'producer',
    durability: 'fsync',
    'file.delete.delay.ms': 60_000,
    'index.interval.bytes': 4096,
    'max.message.bytes': 1_048_588,
    'message.timestamp.after.max.ms': 3_600_000,
    'message.timestamp.type': 'CreateTime',
    'min.insync.replicas': 1,
    'retention.bytes': -1,
    'retention.ms': 604_800_000,
    'segment.bytes': 1_073_741_824,
    'segment.index.bytes': 10_485_760,
    'segment.ms': 604_800_000,
    'unclean.leader.election.enable': false,
  });
  expect(clusterConfig.parse({})).toMatchObject({
    'auto.create.topics.enable': true,
    'default.replication.factor': 1,
    'num.partitions': 1,
    'log.retention.ms': 604_800_000,
    'message.max.bytes': 1_048_588,
  });
});

test('Long.MAX_VALUE means no limit, both ways', () => {
  const parsed = topicConfig.parse({ 'flush.ms': '9223372036854775807' });
  expect(parsed['flush.ms']).toBe(Number.MAX_SAFE_INTEGER);
  expect(topicConfig.format('flush.ms', parsed['flush.ms'])).toBe('9223372036854775807');
});

test('a topic may be deleted from, compacted, both, or kept for ever', () => {
  for (const policy of ['delete', 'compact', 'delete,compact', '']) {
    const parsed = topicConfig.parse({ 'cleanup.policy': policy });
    expect(topicConfig.format('cleanup.policy', parsed['cleanup.policy'])).toBe(policy);
  }
});

test.each([
  ['cleanup.policy', 'delete,shred'],
  ['cleanup.policy', 'delete,delete'],
  ['retention.ms', '-2'],
  ['segment.bytes', '10'],
  ['segment.ms', '0'],
  ['durability', 'maybe'],
  ['unclean.leader.election.enable', 'yes'],
  ['max.message.bytes', '9223372036854775807'],
])('%s=%s is refused', (name, value) => {
  expect(() => topicConfig.parse({ [name]: value })).toThrow(`${name}=${value} must be`);
});

test('every topic setting has a default that the cluster can change', () => {
  for (const name of Object.values(BROKER_NAME_OF)) expect(clusterConfig.has(name)).toBe(true);
});

test('a value comes from the topic, else the broker, else the cluster, else the file, else the default', () => {
  const fileTexts = { 'log.retention.ms': '1' };
  const scope = { brokerId: 5, fileTexts };
  let image = emptyImage;
  const seen: unknown[] = [];
  const look = () => {
    const entry = describeConfig(image, { kind: 'topic', name: 't' }, scope).find(
      ({ name }) => name === 'retention.ms',
    );
    seen.push([entry?.value, entry?.source, topicConfigByName(image, 't', scope)['retention.ms']]);
  };
  look();
  for (const record of [
    set('cluster', '', 'log.retention.ms', '2'),
    set('broker', '5', 'log.retention.ms', '3'),
    set('topic', 't', 'retention.ms', '4'),
  ]) {
    image = applyRecords(image, [record], image.offset).image;
    look();
  }
  expect(seen).toEqual([
    ['1', 'static', 1],
    ['2', 'cluster', 2],
    ['3', 'broker', 3],
    ['4', 'topic', 4],
  ]);
  expect(topicConfigByName(image, 'another', { brokerId: 6 })['retention.ms']).toBe(2);
  expect(topicConfigOf(emptyImage, 'nobody')['retention.ms']).toBe(604_800_000);
});

test('what decides on commit is never read from a file', () => {
  const scope = { fileTexts: { 'min.insync.replicas': '3', 'num.partitions': '3' } };
  expect(topicConfigByName(emptyImage, 't', scope)['min.insync.replicas']).toBe(1);
  expect(clusterConfigOf(emptyImage, scope)['num.partitions']).toBe(3);
});

test('an answer is kept as long as no override changes', () => {
  const { image } = applyRecords(emptyImage, [set('topic', 't', 'retention.ms', '1')], 0);
  const before = topicConfigByName(image, 't');
  const later = applyRecords(image, [], 1).image;
  expect(topicConfigByName(later, 't')).toBe(before);
  const other = applyRecords(later, [set('topic', 'u', 'retention.ms', '9')], 2).image;
  expect(topicConfigByName(other, 't')).toEqual(before);
});
