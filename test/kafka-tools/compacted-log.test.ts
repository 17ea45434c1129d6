/** Apache Kafka's own DumpLogSegments reads what compaction leaves. Needs Java and Maven. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ManualClock, SeededRandom } from '@millrace/core';
import { buildBatch, COMPRESSION_CODECS } from '@millrace/records';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newLog } from '../new-log.ts';
import { KafkaTools } from './kafka-tools.ts';

const BATCHES = 300;
const KEYS = 40;

let folder = '';
let tools: KafkaTools;
let files: string[] = [];
/** Offsets of the records that must be left. */
const expected = new Map<string, number>();

/** Every codec, tombstones, producers that end and one that goes on, three leader epochs. */
async function writeCompacted(path: string): Promise<string> {
  const clock = new ManualClock();
  const random = new SeededRandom(3);
  const { store, log } = await newLog(path, 'compacted', {
    clock,
    random,
    log: { isCompacted: true, segmentBytes: 16 * 1024, indexIntervalBytes: 256, fileDeleteDelayMs: 0 },
    store: { 'log.cleaner.enable': 'false' },
  });
  for (let number = 0; number < BATCHES; number++) {
    const producerId = 1000 + Math.floor(number / 30);
    const records = Array.from({ length: 5 }, (_, index) => {
      const key = `key-${random.uint32() % KEYS}`;
      expected.set(key, number * 5 + index);
      const value =
        random.uint32() % 6 === 0 ? null : Buffer.from(`value-${number}-${index}`.padEnd(60, '.'));
      return { timestamp: clock.wallMs() + index, key: Buffer.from(key), value };
    });
    const producer = { producerId, producerEpoch: 0, baseSequence: (number % 30) * 5 };
    const codec = COMPRESSION_CODECS[number % COMPRESSION_CODECS.length]!;
    log.appendAsLeader(buildBatch(records, { codec, producer }), Math.floor(number / 100));
    clock.advance(1000);
  }
  await log.whenFlushed(log.logEndOffset);
  log.setHighWatermark(log.logEndOffset);
  log.setConfig({ ...log.config, segmentMs: 1 });
  await log.cleanUp(clock.wallMs() + 10);
  let isDone = false;
  const compacted = store.compact(log).finally(() => {
    isDone = true;
  });
  while (!isDone) {
    clock.advance(1);
    await nextTurn();
  }
  expect(await compacted).toMatchObject({ recordsBefore: BATCHES * 5, recordsAfter: expected.size });
  await store.close({ clean: true });
  return join(path, 'compacted-0');
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-compacted-'));
  tools = await KafkaTools.fetch(folder);
  const partition = await writeCompacted(join(folder, 'data'));
  files = (await readdir(partition)).sort().map((name) => join(partition, name));
}, 300_000);

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

const filesOf = (suffix: string): string[] => files.filter((file) => file.endsWith(suffix));

test('the log reads record by record: of each key the last, at its offset', async () => {
  const offsets: number[] = [];
  for (const file of filesOf('.log')) {
    const output = await tools.dump(file, '--deep-iteration', '--print-data-log');
    expect(output).not.toMatch(/isvalid: false|Exception|Found invalid/);
    offsets.push(...[...output.matchAll(/^\| offset: (\d+) /gm)].map((match) => Number(match[1])));
  }
  expect(offsets).toEqual([...expected.values()].sort((a, b) => a - b));
});

test('its batches have delete horizons, and an empty one ends each producer that has nothing left', async () => {
  const outputs = await Promise.all(filesOf('.log').map((file) => tools.dump(file)));
  const output = outputs.join('');
  expect(output).toMatch(/deleteHorizonMs: OptionalLong\[\d+\]/);
  const ids = new Set([...output.matchAll(/producerId: (\d+) /g)].map((match) => match[1]));
  expect(ids.size).toBe(10);
  expect(output).toMatch(/count: 0 /);
});

test('its indexes pass the checks', async () => {
  for (const file of [...filesOf('.index'), ...filesOf('.timeindex')]) {
    const output = await tools.dump(file);
    expect(output).not.toMatch(/Mismatches|Found timestamp mismatch|Found out of order|Exception/i);
    expect(await tools.dump(file, '--index-sanity-check')).toMatch(/passed sanity check|is empty/);
  }
});
