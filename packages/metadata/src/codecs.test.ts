/** Records, entries and snapshots as bytes: what goes in comes out, and what cannot be read is refused by name. */
import { expect, test } from 'vitest';
import { decodeEntry, encodeEntries } from './entry-codec.ts';
import type { MetadataRecord } from './record.ts';
import { decodeRecords, encodeRecords } from './record-codec.ts';
import { decodeSnapshot, encodeSnapshot } from './snapshot-codec.ts';
import { Scenario } from './testing/scenario.ts';

function someLog(): readonly MetadataRecord[] {
  const cluster = new Scenario().start(1, 2, 3).topic('t', [[1, 2, 3]], { 'min.insync.replicas': '2' });
  cluster.fence(1);
  return cluster.log;
}

test('records survive their encoding', () => {
  expect(decodeRecords(encodeRecords(someLog()))).toEqual(someLog());
});

test.each([
  [
    'a newer version',
    '{"version":2,"records":[]}',
    'UNSUPPORTED_VERSION',
    'has version 2, this node reads up to 1',
  ],
  ['an unknown kind', '{"version":1,"records":[{"kind":"moonPhase"}]}', 'UNSUPPORTED_VERSION', '"moonPhase"'],
  ['no version', '{"records":[]}', 'CORRUPT_MESSAGE', 'has no version'],
  ['no records', '{"version":1}', 'CORRUPT_MESSAGE', 'without records'],
  ['no object', '[1]', 'CORRUPT_MESSAGE', 'is not a JSON object'],
  ['no JSON', '{"version":1,', 'CORRUPT_MESSAGE', 'is not JSON'],
])('an entry with %s is refused', (_what, text, code, message) => {
  const decode = () => decodeRecords(Buffer.from(text));
  expect(decode).toThrow(expect.objectContaining({ code }));
  expect(decode).toThrow(message);
});

test('a snapshot of a newer version is refused', () => {
  expect(() => decodeSnapshot(Buffer.from('{"version":2}'), 1)).toThrow(
    expect.objectContaining({ code: 'UNSUPPORTED_VERSION' }),
  );
  expect(() => decodeSnapshot(Buffer.from('{"version":1}'), 1)).toThrow(
    expect.objectContaining({ code: 'CORRUPT_MESSAGE' }),
  );
});

test('equal images have equal snapshots', () => {
  const image = new Scenario().start(1, 2).topic('t', [[1, 2]]).image;
  const data = encodeSnapshot(image);
  expect(encodeSnapshot(decodeSnapshot(data, image.offset)).equals(data)).toBe(true);
});

test('an entry counts only at the offset that it was decided for', () => {
  const [entry] = encodeEntries(someLog(), 40, 1_000_000);
  expect(decodeEntry(entry!.data, 40)).toEqual(someLog());
  expect(decodeEntry(entry!.data, 41)).toBeUndefined();
});

test('a large decision goes into several entries, and a topic is never cut in two', () => {
  const records = someLog();
  const entries = encodeEntries(records, 7, 10);
  expect(entries.map((entry) => entry.offset)).toEqual(entries.map((_, index) => 7 + index));
  expect(entries.flatMap((entry) => entry.records)).toEqual(records);
  const withTopic = entries.find((entry) => entry.records.some((record) => record.kind === 'topicCreated'));
  expect(withTopic?.records.map((record) => record.kind)).toEqual([
    'topicCreated',
    'partitionsCreated',
    'configChanged',
  ]);
});
