/** Apache Kafka's own DumpLogSegments judges the files that the storage writes. Needs Java and Maven. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock, SeededRandom } from '@millrace/core';
import { buildBatch, COMPRESSION_CODECS, type RecordInput } from '@millrace/records';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newLog } from '../new-log.ts';
import { KafkaTools } from './kafka-tools.ts';

const BATCH_COUNT = 400;
const RECORDS_IN_BATCH = 7;

let folder = '';
let tools: KafkaTools;
let partitionFolder = '';

const dump = (file: string, ...flags: string[]): Promise<string> => tools.dump(file, ...flags);

async function filesOf(suffix: string): Promise<string[]> {
  const names = await readdir(partitionFolder);
  return names
    .filter((name) => name.endsWith(suffix))
    .sort()
    .map((name) => join(partitionFolder, name));
}

/** A partition with every codec, headers, nulls, several producers, several leader epochs and several segments. */
async function writePartition(path: string): Promise<void> {
  const clock = new ManualClock();
  const random = new SeededRandom(1);
  const { store, log } = await newLog(path, 'judged', {
    clock,
    random,
    log: { segmentBytes: 32 * 1024, indexIntervalBytes: 512 },
  });
  const sequences = [0, 0, 0];
  for (let number = 0; number < BATCH_COUNT; number++) {
    const leaderEpoch = Math.floor(number / 100);
    if (number % 100 === 0) log.assignEpoch(leaderEpoch, log.logEndOffset);
    const producer = number % 3;
    const records: RecordInput[] = Array.from({ length: RECORDS_IN_BATCH }, (_, index) => ({
      timestamp: clock.wallMs() - (random.uint32() % 5000),
      key: index === 0 ? null : Buffer.from(`key-${index}`),
      value: index === 1 ? null : Buffer.from(`value-${number}-${index}-`.repeat(1 + (random.uint32() % 8))),
      headers:
        index === 2
          ? [
              { key: 'trace', value: Buffer.from('abc') },
              { key: 'empty', value: null },
            ]
          : [],
    }));
    const codec = COMPRESSION_CODECS[number % COMPRESSION_CODECS.length]!;
    const batch = buildBatch(records, {
      codec,
      producer: { producerId: 1000 + producer, producerEpoch: 0, baseSequence: sequences[producer]! },
    });
    sequences[producer]! += RECORDS_IN_BATCH;
    log.appendAsLeader(batch, leaderEpoch);
    clock.advance(1000);
  }
  await log.whenFlushed(log.logEndOffset);
  await store.close({ clean: true });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-kafka-tools-'));
  tools = await KafkaTools.fetch(folder);
  await writePartition(join(folder, 'data'));
  partitionFolder = join(folder, 'data', 'judged-0');
}, 300_000);

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

test('every segment reads record by record, with valid batches and dense offsets', async () => {
  const files = await filesOf('.log');
  expect(files.length).toBeGreaterThan(2);
  const offsets: number[] = [];
  for (const file of files) {
    const output = await dump(file, '--deep-iteration', '--print-data-log');
    expect(output).not.toMatch(/isvalid: false|Exception|Found invalid|Non-consecutive/);
    offsets.push(...[...output.matchAll(/^\| offset: (\d+) /gm)].map((match) => Number(match[1])));
  }
  expect(offsets).toEqual(Array.from({ length: BATCH_COUNT * RECORDS_IN_BATCH }, (_, index) => index));
});

test('every offset index passes the sanity check and points at the batches that it names', async () => {
  for (const file of await filesOf('.index')) {
    expect(await dump(file, '--index-sanity-check')).toContain('passed sanity check');
    const output = await dump(file);
    expect(output).toMatch(/offset: \d+ position: \d+/);
    expect(output).not.toMatch(/Mismatches|mismatch|Exception/i);
  }
});

test('every time index passes the sanity check and names the batch with the largest timestamp', async () => {
  for (const file of await filesOf('.timeindex')) {
    expect(await dump(file, '--index-sanity-check')).toContain('passed sanity check');
    const output = await dump(file);
    expect(output).toMatch(/timestamp: \d+ offset: \d+/);
    expect(output).not.toMatch(/Found timestamp mismatch|Found out of order|Exception/);
  }
});

test('every producer snapshot is read with its three producers', async () => {
  const files = await filesOf('.snapshot');
  expect(files.length).toBeGreaterThan(0);
  for (const file of files) {
    const output = await dump(file);
    expect(output).not.toMatch(/Exception|corrupt/i);
    for (const producerId of [1000, 1001, 1002]) expect(output).toContain(`producerId: ${producerId}`);
  }
});
